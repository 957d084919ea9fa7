import json
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsys.config import render_json, render_toml
from mailsys.config.render import toml

SETTINGS = r"""data = "/srv/\"mail\"/ü"
[process]
user = "root"
[[listen]]
service = "smtp"
endpoint = 'tcp6:25:interface=\:\:1'
[[listen]]
service = "pop3"
endpoint = "tcp:110"
[auth]
default_domain = "müller.example"
[receive]
greeting_pause = "0s"
trusted_networks = ["192.0.2.0/24"]
separator = ""
[limits]
message_size = 1234567
data_seconds = 0.5
[dns]
servers = ["[::1]:5353", "192.0.2.1"]
[send]
smarthost = "smtp://relay.example.org"
retry = "2s 2s"
[send.routes]
"partner.example" = "lmtp://[::1]:24"
"müller.example" = "mx"
[judge]
judges = []
[plugins.greylist]
wait = "7m"
largest = "2k"
deadline = "3s"
[plugins.other]
plugin = "greylist"
"""


@pytest.mark.parametrize("text", ["", SETTINGS])
def test_what_is_rendered_loads_to_the_same_configuration(read, text):
    configuration = read(text)
    assert read(render_toml(configuration), hostname="") == configuration


def test_json_says_the_same_as_toml(read):
    configuration = read(SETTINGS)
    told = json.loads(render_json(configuration))
    assert told == json.loads(json.dumps(tomllib.loads(render_toml(configuration)), default=str))
    assert told["limits"]["message_size"] == "1234567"
    assert told["listen"][1] == {"service": "pop3", "endpoint": "tcp:110", "tls": "none", "proxy_from": []}


def test_secrets_of_plugins_are_not_shown(read):
    configuration = read("[plugins.greylist]\napi_key = 'hush'\npassword = 'hush'\npassword_file = 'u'\n")
    for render in (render_toml, render_json):
        text = render(configuration)
        assert "hush" not in text
        assert '"u"' in text


_SCALARS = st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text() | st.floats(allow_nan=False)
_TABLES = st.recursive(
    st.dictionaries(st.text(), _SCALARS, max_size=3),
    lambda inner: st.dictionaries(
        st.text(), _SCALARS | inner | st.lists(inner | _SCALARS, max_size=3), max_size=3
    ),
    max_leaves=8,
)


@given(_TABLES)
def test_any_table_is_written_as_tomllib_reads_it(table):
    assert tomllib.loads(toml(table)) == table
