import ipaddress
import os

import pytest

from mailsys.config import ConfigurationError, load
from mailsys.config.nexthop import MX, NextHop
from mailsys.config.schema import Configuration, Limits, Listener
from mailsys.control.configuration import installed
from mailsys.message.address import Address
from mailsys.store.maildir.layout import Layout


def test_a_hostname_is_enough(read, tmp_path):
    configuration = read()
    assert configuration.hostname == "mail.example.org"
    assert configuration.limits == Limits()
    assert configuration.listen == ()
    assert configuration.path == str(tmp_path / "mailsys.toml")
    assert configuration.base == str(tmp_path)


def test_paths_are_relative_to_the_file(read, tmp_path):
    configuration = read('data = "../somewhere"\n[store]\nmaildir = "mail/{user}"\n')
    assert configuration.data == str(tmp_path.parent / "somewhere")
    assert configuration.store.maildir == str(tmp_path / "mail" / "{user}")
    assert read().data == str(tmp_path / "data")
    assert read().store.maildir == "{data}/mail/{domain}/{user}"


def test_a_folder_with_braces_in_its_name_does_not_confuse_the_maildir(tmp_path):
    """The store replaces the three fields and nothing else."""
    folder = tmp_path / "{x}" / "{{y}}"
    folder.mkdir(parents=True)
    (folder / "mailsys.toml").write_text(
        'hostname = "mail.example.org"\n[store]\nmaildir = "mail/{domain}/{user}"\n'
    )
    configuration = load(str(folder / "mailsys.toml"), installed())
    layout = Layout(configuration.store.maildir, configuration.data)
    assert layout.root(Address("anna", "example.org")) == str(folder / "mail" / "example.org" / "anna")


def test_a_folder_that_looks_like_a_field_is_refused(tmp_path):
    folder = tmp_path / "{user}"
    folder.mkdir()
    (folder / "mailsys.toml").write_text(
        'hostname = "mail.example.org"\ndata = "/srv/mail"\n[store]\nmaildir = "mail/{user}"\n'
    )
    with pytest.raises(ConfigurationError, match=r"relative to a folder with \{user\}"):
        load(str(folder / "mailsys.toml"), installed())


def test_values_arrive_in_the_units_of_the_program(read):
    configuration = read(
        """
[[listen]]
service = "smtp"
endpoint = "tcp:25"
[receive]
trusted_networks = ["127.0.0.0/8", "::1"]
[limits]
message_size = "1M"
connections_per_address = "0"
data_seconds = "90s"
[dns]
servers = ["127.0.0.1", "[::1]:5353", "::1"]
[send]
smarthost = "smtp://127.0.0.1:2525"
[imap.without]
"Ann@Example.org" = ["Qresync"]
"*" = ["utf8=accept", "MOVE"]
[send.routes]
"MÜLLER.example" = "mx"
"""
    )
    assert configuration.listen == (Listener("smtp", "tcp:25"),)
    assert configuration.receive.trusted_networks == tuple(map(ipaddress.ip_network, ("127.0.0.0/8", "::1")))
    assert configuration.limits == Limits(message_size=1048576, connections_per_address=0, data_seconds=90)
    assert configuration.dns.servers == (("127.0.0.1", 53), ("::1", 5353), ("::1", 53))
    assert configuration.send.smarthost == NextHop("smtp", "127.0.0.1", 2525)
    assert configuration.imap.without == {"ann@example.org": {"QRESYNC"}, "*": {"UTF8=ACCEPT", "MOVE"}}
    assert configuration.send.routes == {"xn--mller-kva.example": MX}


def test_a_trial_as_root_that_relays_to_a_sink_is_in_order(read, tmp_path):
    configuration = read(
        f"""data = "{tmp_path}/data"
[process]
user = "root"
[auth]
plaintext = "loopback"
default_domain = "bench.test"
[store]
maildir = "{tmp_path}/mail/{{user}}"
[receive]
trusted_networks = ["127.0.0.0/8"]
[judge]
judges = []
[send]
smarthost = "smtp://127.0.0.1:2525"
[[listen]]
service = "smtp"
endpoint = "tcp:2525:interface=127.0.0.1"
tls = "none"
"""
    )
    assert configuration.process.user == "root"
    assert configuration.judge.judges == ()


def test_the_settings_of_plugins_are_read_as_they_declare_them(read):
    table = read("[plugins.greylist]\nwait = '2m'\nfriends = ['192.0.2.1']\n").plugins["greylist"]
    assert (table.plugin, table.deadline) == ("greylist", 30.0)
    assert table.settings.wait == 120.0
    assert [str(network) for network in table.settings.friends] == ["192.0.2.1/32"]
    assert table.settings.largest == 1024 * 1024


def test_a_plugin_may_be_used_twice_under_names_of_its_own(read):
    tables = read(
        "[judge]\njudges = ['greylist', 'slow']\n[plugins.slow]\nplugin = 'greylist'\ndeadline = '2s'\n"
    ).plugins
    assert {table.plugin for table in tables.values()} == {"greylist"}
    assert (tables["slow"].deadline, tables["greylist"].deadline) == (2.0, 30.0)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"data = \n", "not valid TOML"),
        (b"data = 'a'\ndata = 'b'\n", "not valid TOML"),
        (b"data = '\xff'\n", "not UTF-8 in line 2"),
        (b"a = " + b"[" * 50_000, "nested too deeply"),
        (b"a = " + b"9" * 5_000, "not valid TOML"),
        (b"#" * 1024 * 1024, "longer than a megabyte"),
    ],
)
def test_a_file_that_is_no_configuration_has_one_mistake(mistakes, content, said):
    [mistake] = mistakes(content)
    assert said in mistake


def test_a_file_that_cannot_be_read_has_one_mistake(tmp_path):
    from mailsys.config import ConfigurationError, load

    for path in (tmp_path, tmp_path / "none.toml", "/dev/zero"):
        with pytest.raises(ConfigurationError) as caught:
            load(str(path), ())
        assert len(caught.value.mistakes) == 1
        assert os.fspath(path) in str(caught.value)


def test_configurations_of_the_same_settings_are_equal():
    assert Configuration(hostname="a.example", path="/x") == Configuration(hostname="a.example", path="/y")
