import subprocess
import sys

import pytest
from twisted.internet.endpoints import serverFromString

from mailsys.config.endpoint import address_of, read_endpoint, with_backlog
from mailsys.config.values import Wrong


@pytest.mark.parametrize(
    "text",
    [
        "tcp:25",
        "tcp:0",
        "tcp:port=25",
        "tcp:25:interface=127.0.0.1:backlog=100",
        "tcp6:25",
        r"tcp6:25:interface=\:\:1",
        "tcp:interface=127.0.0.1:port=65535",
        "unix:/run/mailsys/lmtp:mode=660",
    ],
)
def test_endpoints(text):
    assert read_endpoint(text) == text


@pytest.mark.parametrize(
    "value",
    [
        "",
        "25",
        25,
        "tpc:25",
        "tcp:",
        "tcp:smtp",
        "tcp:99999",
        "tcp6:port=65536",
        "tcp:interface=1.2.3.4:port=70000",
        "tcp:25:interfce=127.0.0.1",
        "tcp6:25:interface=::1",
        "stdio:",
        ["tcp:25"],
    ],
)
def test_what_is_no_endpoint_here(value):
    with pytest.raises(Wrong):
        read_endpoint(value)


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        ("ssl:465", "tls ="),
        ("tls:/x:tcp:1", "tls ="),
        ("haproxy:tcp:25", "proxy_from"),
        ("systemd:domain=INET:index=0", "the address as the socket unit has it"),
    ],
)
def test_what_has_a_setting_of_its_own(text, setting):
    with pytest.raises(Wrong) as caught:
        read_endpoint(text)
    assert setting in caught.value.right


def test_colons_of_an_address_need_a_backslash():
    with pytest.raises(Wrong) as caught:
        read_endpoint("tcp6:25:interface=::1")
    assert r"\:" in caught.value.right


def test_no_reactor_is_installed():
    """A command may read the configuration before twistd chooses the reactor."""
    program = "import sys; from mailsys.config.endpoint import read_endpoint; read_endpoint('tcp:25')"
    program += "; sys.exit('twisted.internet.reactor' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


@pytest.mark.parametrize(
    "endpoint", ["tcp:25", "tcp6:25", r"tcp6:25:interface=2001\:db8\:\:1", "tcp:port=25:interface=127.0.0.1"]
)
def test_tcp_has_room_for_a_burst_of_connections(endpoint):
    assert with_backlog(endpoint) == f"{endpoint}:backlog=1024"
    assert serverFromString(None, with_backlog(endpoint))._backlog == 1024


@pytest.mark.parametrize(
    "endpoint",
    ["tcp:25:backlog=7", "tcp:25:127.0.0.1:7", "unix:/run/mailsys/lmtp", "systemd:domain=INET:index=0"],
)
def test_who_says_how_much_room_is_believed(endpoint):
    assert with_backlog(endpoint) == endpoint


@pytest.mark.parametrize(
    ("endpoint", "address"),
    [
        ("tcp:25", ("tcp", "", 25)),
        ("tcp:port=25:interface=0.0.0.0", ("tcp", "", 25)),
        ("tcp:25:192.0.2.1:50", ("tcp", "192.0.2.1", 25)),
        ("tcp:interface=192.0.2.1:port=25:backlog=7", ("tcp", "192.0.2.1", 25)),
        ("tcp6:25", ("tcp6", "", 25)),
        (r"tcp6:25:interface=\:\:", ("tcp6", "", 25)),
        (r"tcp6:25:interface=2001\:db8\:0\:\:1", ("tcp6", "2001:db8::1", 25)),
        ("unix:/run/mailsys/lmtp:mode=660", ("unix", "/run/mailsys/lmtp", 0)),
        (r"unix:address=/run/a\:b", ("unix", "/run/a:b", 0)),
        ("onion:25", None),
    ],
)
def test_the_address_of_an_endpoint(endpoint, address):
    assert address_of(endpoint) == address
