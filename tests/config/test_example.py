"""etc/mailsys.toml shows every setting, and its default."""

import tomllib

from plugin_makers import installed

from mailsys.config import load
from mailsys.config.schema import Configuration, Listener
from mailsys.config.tables import settings_of


def test_the_example_is_in_order_and_holds_the_defaults(repository):
    example = load(str(repository / "etc" / "mailsys.toml"), installed())
    defaults = Configuration(
        hostname="mail.example.org",
        data=str(repository / "etc" / "data"),
        listen=(Listener("smtp", "tcp:25"),),
    )
    assert example == defaults


def test_the_example_names_every_setting(repository):
    example = tomllib.loads((repository / "etc" / "mailsys.toml").read_text())
    for name, field in settings_of(Configuration).items():
        assert name in example
        if "section" in field.metadata:
            assert set(example[name]) == set(settings_of(field.metadata["section"]))
    assert set(example["listen"][0]) == set(settings_of(Listener))
