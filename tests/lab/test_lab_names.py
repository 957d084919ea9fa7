"""The lab's DNS: what a zone says to any octets, and the server as programs that we did not write ask it."""

import shutil
import socket
import subprocess

import dns.flags
import dns.message
import dns.query
import dns.rcode
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsys.lab.failure import LabFailed
from mailsys.lab.names import ADDRESS, NameServerProcess
from mailsys.lab.ports import choose_port_base
from mailsys.lab.zone import Zone, ZoneError, answer

LINES = [
    "a.test 60 MX 10 mail.a.test.",
    "mail.a.test 60 A 127.0.1.1",
    "www.a.test 60 CNAME mail.a.test.",
    "round.a.test 60 CNAME about.a.test.",
    "about.a.test 60 CNAME round.a.test.",
    "broken.test FAILS",
    *[f'long.test 60 TXT "{number:03} {"x" * 200}"' for number in range(20)],
]

TWO = [
    "alpha.test 60 MX 10 mail.alpha.test.",
    "mail.alpha.test 60 A 127.0.1.1",
    "mail.alpha.test 60 TXT hello",
    "beta.test 60 MX 10 mail.beta.test.",
    "mail.beta.test 60 A 127.0.1.2",
    "1.1.0.127.in-addr.arpa 60 PTR mail.alpha.test.",
]


def ask(name, kind="A", most_octets=512, **options):
    octets = answer(Zone(LINES), dns.message.make_query(name, kind, **options).to_wire(), most_octets)
    return dns.message.from_wire(octets, raise_on_truncation=False)


@pytest.mark.parametrize(
    ("name", "kind", "rcode", "said"),
    [
        ("a.test", "MX", dns.rcode.NOERROR, ["a.test. 60 IN MX 10 mail.a.test."]),
        ("MAIL.a.TEST", "A", dns.rcode.NOERROR, ["mail.a.test. 60 IN A 127.0.1.1"]),
        ("mail.a.test", "AAAA", dns.rcode.NOERROR, []),
        ("test", "A", dns.rcode.NOERROR, []),  # an empty non-terminal exists (RFC 8020)
        ("nobody.test", "A", dns.rcode.NXDOMAIN, []),
        ("broken.test", "MX", dns.rcode.SERVFAIL, []),
        ("round.a.test", "A", dns.rcode.SERVFAIL, []),
    ],
)
def test_what_the_zone_says(name, kind, rcode, said):
    reply = ask(name, kind)
    assert reply.rcode() == rcode
    assert [str(found).lower() for found in reply.answer] == [line.lower() for line in said]


def test_a_cname_comes_with_what_it_leads_to():
    assert [str(found) for found in ask("www.a.test").answer] == [
        "www.a.test. 60 IN CNAME mail.a.test.",
        "mail.a.test. 60 IN A 127.0.1.1",
    ]


def test_what_does_not_fit_into_a_datagram_is_cut_and_says_so():
    cut = ask("long.test", "TXT")
    assert cut.flags & dns.flags.TC
    assert not cut.answer
    whole = ask("long.test", "TXT", most_octets=None)
    assert len(whole.answer[0]) == 20
    assert not whole.flags & dns.flags.TC
    assert len(ask("long.test", "TXT", use_edns=0, payload=8192).answer[0]) == 20


def test_a_reply_is_not_answered():
    reply = dns.message.make_response(dns.message.make_query("a.test", "MX"))
    assert answer(Zone(LINES), reply.to_wire(), 512) is None


@given(st.binary(max_size=600), st.booleans())
def test_any_octets_get_a_reply_or_nothing(octets, as_query):
    if as_query:
        octets = dns.message.make_query("a.test", "MX").to_wire()[:20] + octets
    said = answer(Zone(LINES), octets, 512)
    assert said is None or said[:2] == octets[:2]


@pytest.mark.parametrize("line", ["a.test", "a.test 60 MX", "a.test sixty A 127.0.0.1", "a.test 60 A here"])
def test_a_line_that_is_no_record_is_named(line):
    with pytest.raises(ZoneError, match=f'^"{line}" is no record'):
        Zone([line])


@pytest.fixture
def server(tmp_path):
    port = choose_port_base([ADDRESS], None) + 53
    server = NameServerProcess(tmp_path, port)
    server.write(TWO)
    server.start()
    try:
        server.wait_until_ready()
        yield server
    finally:
        server.stop()


def test_a_server_for_organisations(server):
    query = dns.message.make_query("alpha.test", "MX")
    for transport in (dns.query.udp, dns.query.tcp):
        reply = transport(query, ADDRESS, timeout=5, port=server.port)
        assert str(reply.answer[0]) == "alpha.test. 60 IN MX 10 mail.alpha.test."
    assert server.ask("mail.beta.test.", "A") == ["127.0.1.2"]
    assert server.ask("gamma.test", "MX") == []
    query = dns.message.make_query("1.1.0.127.in-addr.arpa", "PTR")
    reply = dns.query.udp(query, ADDRESS, timeout=5, port=server.port)
    assert str(reply.answer[0][0]) == "mail.alpha.test."
    with socket.create_connection((ADDRESS, server.port), timeout=5) as rude:
        rude.sendall(b"\x00\x05hello")
        assert rude.recv(1) == b""


def test_the_zone_changes_while_it_runs(server):
    server.write(["new.test 60 A 127.0.1.9"])
    query = dns.message.make_query("new.test", "A")
    for _ in range(100):
        if (reply := dns.query.udp(query, ADDRESS, timeout=5, port=server.port)).answer:
            break
    assert str(reply.answer[0]) == "new.test. 60 IN A 127.0.1.9"


def test_dig_understands_it(server):
    if shutil.which("dig") is None:
        pytest.skip("dig is not installed")
    command = ["dig", f"@{ADDRESS}", "-p", str(server.port), "+short", "+time=5", "beta.test", "MX"]
    said = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout
    assert said == "10 mail.beta.test.\n"


def test_a_port_that_is_taken_is_told(server, tmp_path):
    second = NameServerProcess(tmp_path / "second", server.port)
    (tmp_path / "second").mkdir()
    second.write([])
    second.start()
    try:
        with pytest.raises(LabFailed, match=r"(?s)^The name server has ended.*cannot start: .*in use"):
            second.wait_until_ready()
    finally:
        second.stop()
