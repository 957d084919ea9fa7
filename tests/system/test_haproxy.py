"""HAProxy in front of us, with the PROXY protocol: its client is the peer; its health checks are served."""

import smtplib
import subprocess
import time

import pytest
from attacked_host import inbox
from besieged_host import READERS, proxied
from exchange import SECONDS, needs

HAPROXY = "/usr/sbin/haproxy"
CONFIGURATION = """
defaults
    mode tcp
    timeout connect 5s
    timeout client 30s
    timeout server 30s
listen mail
    bind {address}:{front}
    server ours {address}:{back} check inter 200ms {version}
"""


@pytest.mark.row(61)
@needs("haproxy")
@pytest.mark.parametrize(("version", "front"), [("send-proxy", 31), ("send-proxy-v2", 32)])
def test_mail_through_haproxy(besieged, tmp_path, version, front):
    """Row 61: from 127.0.0.77, say the Received line and the journal, and not from the proxy."""
    where = besieged.organisation
    proxied(besieged, "192.0.2.61", "smtp").close()  # the listener is there
    front += where.port_base
    configuration = tmp_path / "haproxy.cfg"
    configuration.write_text(
        CONFIGURATION.format(address=where.address, front=front, back=where.port_base + 26, version=version)
    )
    reader = READERS[17 if version == "send-proxy" else 18]
    proxy = subprocess.Popen([HAPROXY, "-db", "-f", configuration], stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            time.sleep(0.1)
            try:
                with smtplib.SMTP(
                    where.address, front, timeout=SECONDS, source_address=("127.0.0.77", 0)
                ) as client:
                    letter = b"From: visitor@example.org\r\nSubject: through HAProxy\r\n\r\nhello\r\n"
                    client.sendmail("visitor@example.org", [reader.address], letter)
                break
            except (OSError, smtplib.SMTPServerDisconnected):
                continue
        time.sleep(0.5)  # for some of its health checks
    finally:
        proxy.terminate()
        proxy.wait(SECONDS)
    found = [message for message in inbox(besieged, reader) if b"through HAProxy" in message]
    assert len(found) == 1
    assert b"[127.0.0.77]" in found[0].split(b"\r\n\r\n")[0]
    assert "no PROXY header" not in besieged.log.read_text()
