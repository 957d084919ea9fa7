"""A large message is signed while others are served: no stall of the reactor, and the signature is right."""

import json
import smtplib
import time

from exchange import SECONDS, trusting
from real_host import new_host, put_probe
from zones import ZoneResolver

from mailsys.control.at_once import at_once
from mailsys.dkim.results import Result
from mailsys.dkim.verify import verify
from mailsys.message.content import FileContent
from mailsys.threads import NoThreads

LINE = b"All work and no play  makes Jack a dull boy, and costs a canonicalization\t\r\n"
MEGABYTES = 20


def test_twenty_megabytes(tmp_path):
    host = new_host(tmp_path / "host")
    probe = put_probe(host)
    host.start()
    try:
        host.wait_until_ready()
        probe.begin()
        submit(host)
        probe.assert_no_stall()
    finally:
        host.stop()
    [copy] = (host.directory / "data" / "mail").rglob("new/*")
    lines = [record["line"] for record in json.loads(host.run("domain", "records", "system.test", "--json"))]
    content = FileContent(str(copy), copy.stat().st_size)
    found = at_once(verify(content, ZoneResolver("\n".join(lines)), time.time(), NoThreads()))
    assert [(one.result, one.algorithm) for one in found] == [
        (Result.PASS, "rsa-sha256"),
        (Result.PASS, "ed25519-sha256"),
    ]


def submit(host):
    sender, recipient = host.organisation.people
    where = host.organisation
    head = f"From: {sender.address}\r\nTo: {recipient.address}\r\nSubject: large\r\n\r\n".encode()
    body = LINE * (MEGABYTES * 1024 * 1024 // len(LINE))
    with smtplib.SMTP_SSL(
        where.address, where.port("submissions"), timeout=SECONDS, context=trusting(host)
    ) as client:
        client.login(sender.address, sender.password)
        assert client.sendmail(sender.address, [recipient.address], head + body) == {}
