"""Nobody gets mail through this host to another: every way that strangers try, by hand and with nmap."""

import json
import xml.etree.ElementTree as ET

import pytest
from attacked_host import Stranger, count
from exchange import needs, run, smtp_port

ELSEWHERE = "elsewhere.example"


def senders(host, victim):
    """Whom a stranger may claim to be."""
    where = host.organisation
    return (
        "", f"antispam@{ELSEWHERE}", f"antispam@{where.hostname}", f"antispam@[{where.address}]",
        victim.address, f"postmaster@{where.domain}",
    )  # fmt: skip


RECIPIENTS = (
    "relay@{elsewhere}",
    "relay%{elsewhere}@[{address}]",
    "relay%{elsewhere}@{host}",
    "relay%{elsewhere}@{domain}",
    '"relay@{elsewhere}"',
    '"relay%{elsewhere}"',
    "relay@{elsewhere}@[{address}]",
    '"relay@{elsewhere}"@[{address}]',
    '"relay@{elsewhere}"@{domain}',
    "relay@{elsewhere}@{host}",
    "relay@{elsewhere}@{domain}",
    "@[{address}]:relay@{elsewhere}",
    "@{host}:relay@{elsewhere}",
    "@{domain}:relay@{elsewhere}",
    "@{domain},@{host}:relay@{elsewhere}",
    "{elsewhere}!relay",
    "{elsewhere}!relay@[{address}]",
    "{elsewhere}!relay@{host}",
    "{elsewhere}!relay@{domain}",
    "{domain}!{elsewhere}!relay@{domain}",
    "relay@[{address}]",
    "relay@[192.0.2.1]",
    "relay@[IPv6:2001:db8::1]",
    "relay@192.0.2.1",
    "relay@localhost",
    "relay@{domain}.{elsewhere}",
    "relay@{elsewhere}.{domain}",
    "relay@.{domain}",
    "relay@{domain}\u3002{elsewhere}",
    "{user}%{domain}@{elsewhere}",
    "SRS0=AAAA=ZZ={elsewhere}=relay@{domain}",
    "SRS1=AAAA={elsewhere}==HHHH=TT=example.net=relay@{domain}",
    "relay={elsewhere}@{domain}",
    "prvs=1234abcdef=relay@{elsewhere}",
    '"{user}@{domain}"@{elsewhere}',
    "|/bin/cat@{domain}",
    "/tmp/file@{domain}",
    ":include:/etc/passwd@{domain}",
)


@pytest.mark.row(15)
@pytest.mark.parametrize("recipient", RECIPIENTS)
def test_no_way_to_another_host(attacked, victim, recipient):
    """Row 15: refused at RCPT whoever the sender is said to be, so that there is nothing to carry."""
    where = attacked.organisation
    path = recipient.format(
        elsewhere=ELSEWHERE, address=where.address, host=where.hostname, domain=where.domain,
        user=victim.address.partition("@")[0],
    )  # fmt: skip
    with Stranger(attacked) as stranger:
        stranger.ask("EHLO stranger.example")
        for sender in senders(attacked, victim):
            assert stranger.ask(f"MAIL FROM:<{sender}> SMTPUTF8").startswith("250 "), sender
            assert stranger.ask(f"RCPT TO:<{path}>")[:9] in REFUSALS, sender
            assert stranger.ask("DATA")[:4] in ("503 ", "554 ")
            stranger.ask("RSET")
    assert count(attacked, victim) == 0


REFUSALS = ("550 5.7.1", "550 5.1.1", "550 5.1.2", "501 5.1.3", "501 5.5.4", "553 5.1.3")


@pytest.mark.row(15)
def test_a_route_to_our_own_is_no_way_out_either(attacked, victim):
    """Row 15: of a source route only the address counts (RFC 5321 appendix C)."""
    with Stranger(attacked) as stranger:
        stranger.ask("EHLO stranger.example")
        stranger.ask("MAIL FROM:<stranger@example.org>")
        assert stranger.ask(f"RCPT TO:<@{ELSEWHERE}:{victim.address}>").startswith("250 ")
        stranger.ask("DATA")
        assert stranger.ask("From: stranger@example.org\r\n\r\nhello\r\n.").startswith("250 ")
    assert count(attacked, victim) == 1


@needs("nmap")
@pytest.mark.row(15)
def test_nmap_finds_no_open_relay(attacked, tmp_path):
    """Row 15: its sixteen ways, from a stranger's name."""
    told = scripts(attacked, tmp_path, "smtp-open-relay", "smtp-commands")
    assert told["smtp-open-relay"] == "Server doesn't seem to be an open relay, all tests failed"
    assert "STARTTLS" in told["smtp-commands"]
    assert "VRFY" not in told["smtp-commands"]
    assert attacked.organisation.hostname in told["smtp-commands"]
    assert json.loads(attacked.run("queue", "list", "--json")) == []  # nor is anything on its way


@needs("nmap")
def test_nmap_finds_nobody_by_name(attacked, tmp_path):
    """By VRFY, EXPN and RCPT it tries the usual names; none of them exists, and we say so of all alike."""
    told = scripts(attacked, tmp_path, "smtp-enum-users", "smtp-ntlm-info", "smtp-strangeport")
    assert "victim" not in told.get("smtp-enum-users", "")
    assert "smtp-ntlm-info" not in told


def scripts(host, folder, *names):
    """What nmap's scripts say of the SMTP port, which it takes for port 25."""
    port, services, found = smtp_port(host), folder / "services", folder / "nmap.xml"
    services.write_text(f"smtp\t{port}/tcp\t1.0\n")
    run(
        "nmap", "-Pn", "-n", "--servicedb", services, "--script", ",".join(names),
        "--script-args", f"smtp-open-relay.domain={ELSEWHERE}", "-oX", found, host.organisation.address,
    )  # fmt: skip
    return {
        script.get("id"): script.get("output").strip()
        for script in ET.parse(found).iter("script")  # noqa: S314 - nmap's own
    }
