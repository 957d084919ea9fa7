"""sslscan, testssl.sh, nmap and OpenSSL look for weaknesses of our TLS; what they say is explained here."""

import json
import subprocess
import threading
import xml.etree.ElementTree as ET

import pytest
from exchange import needs, run

BEGIN = {"smtp": "smtp", "submissions": None, "pop3": "pop3", "pop3s": None}
SCAN_SECONDS = 100
VERSIONS = {"2": "0", "3": "0", "1.0": "0", "1.1": "0", "1.2": "1", "1.3": "1"}
SUITES = {
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_AES_128_GCM_SHA256",
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
}

RATED_BAD = (
    "LOW",
    "MEDIUM",
    "HIGH",
    "CRITICAL",
    "FATAL",
)  # others are facts, and checks that came to nothing
# What testssl.sh rates as bad here, and why it stands.
EXPLAINED = {
    "cert_chain_of_trust": "the certificate is the host's own, as 'mailsys init' makes it",
    "cert_revocation": "so it has no issuer who could revoke it",
    "cert_validityPeriod": "and is not renewed every few months",
}


def place(host, service):
    return host.organisation.address, host.organisation.port(service)


@needs("sslscan")
@pytest.mark.row(26)
@pytest.mark.parametrize("service", BEGIN)
def test_sslscan(attacked, tmp_path, service):
    address, port = place(attacked, service)
    begin = [f"--starttls-{BEGIN[service]}"] if BEGIN[service] else []
    name = f"--sni-name={attacked.organisation.hostname}"
    run("sslscan", *begin, name, f"--xml={tmp_path}/found.xml", f"{address}:{port}")
    found = ET.parse(tmp_path / "found.xml").find("ssltest")  # noqa: S314 - its own
    assert {one.get("version"): one.get("enabled") for one in found.iter("protocol")} == VERSIONS
    assert found.find("renegotiation").get("supported") == "0"
    assert {one.get("vulnerable") for one in found.iter("heartbleed")} == {"0"}
    assert all(one.get("supported") == "0" for one in found.iter("compression"))
    assert {one.get("cipher") for one in found.iter("cipher")} == SUITES
    assert {one.get("strength") for one in found.iter("cipher")} <= {"strong", "acceptable"}
    assert "x25519" in {one.get("name") for one in found.iter("group")}
    certificate = found.find("certificates/certificate")
    assert certificate.findtext("signature-algorithm") == "ecdsa-with-SHA256"
    assert certificate.findtext("expired") == "false"


@needs("testssl")
@pytest.mark.row(26)
def test_testssl(attacked, tmp_path):
    """All that it knows on the port that begins with TLS; where STARTTLS begins it, less."""
    scans = {
        "pop3s": ["-p", "-S", "-U"],
        "smtp": ["-t", "smtp", "-p", "-s"],
        "pop3": ["-t", "pop3", "-p"],
    }
    threads = [
        threading.Thread(target=scan, args=(*place(attacked, service), options, tmp_path / service))
        for service, options in scans.items()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for service in scans:
        findings = json.loads((tmp_path / service).read_text())
        bad = {
            finding["id"].partition(" ")[0]: finding["finding"]
            for finding in findings
            if finding["severity"] in RATED_BAD
        }
        assert {name: said for name, said in bad.items() if name not in EXPLAINED} == {}, service
        told = {finding["id"]: finding["finding"] for finding in findings}
        assert told["TLS1_3"].startswith("offered")
        assert {told[name] for name in ("SSLv2", "SSLv3", "TLS1", "TLS1_1")} == {"not offered"}
    assert json.loads((tmp_path / "pop3s").read_text())[-1]["id"] == "scanTime"


def scan(address, port, options, found):
    subprocess.run(
        ["testssl", "--quiet", "--color", "0", "--warnings", "off", "--nodns", "none", "--sneaky", *options,
         "--jsonfile", str(found), f"{address}:{port}"],
        stdin=subprocess.DEVNULL, capture_output=True, timeout=SCAN_SECONDS, check=False,
    )  # fmt: skip


@needs("nmap")
@pytest.mark.row(26)
def test_nmap_rates_every_suite_with_an_a(attacked, tmp_path):
    address, port = place(attacked, "pop3s")
    run("nmap", "-Pn", "-n", "-p", port, "--script", "ssl-enum-ciphers", "-oX", tmp_path / "found", address)
    found = ET.parse(tmp_path / "found")  # noqa: S314 - its own
    [script] = [one for one in found.iter("script") if one.get("id") == "ssl-enum-ciphers"]
    assert {table.get("key") for table in script.findall("table")} == {"TLSv1.2", "TLSv1.3"}
    assert {one.text for one in script.iter("elem") if one.get("key") == "strength"} == {"A"}
    assert {one.text for one in script.iter("elem") if one.get("key") == "cipher preference"} == {"server"}


@needs("openssl")
@pytest.mark.row(26)
@pytest.mark.parametrize("service", BEGIN)
def test_openssl_may_send_no_early_data(attacked, tmp_path, service):
    """The ticket says how much 0-RTT data may come with it: none.  The ticket itself is taken."""
    address, port = place(attacked, service)
    begin = ["-starttls", BEGIN[service]] if BEGIN[service] else []
    arguments = [
        "openssl", "s_client", "-connect", f"{address}:{port}", *begin, "-CAfile", attacked.certificate,
        "-servername", attacked.organisation.hostname, "-verify_return_error",
    ]  # fmt: skip
    said = session(arguments, ["-sess_out", tmp_path / "session"])
    assert "Verify return code: 0 (ok)" in said
    assert "Max Early Data: 0" in said
    assert "Reused, TLSv1.3" in session(arguments, ["-sess_in", tmp_path / "session"])


def session(arguments, more):
    """What s_client says of a session that the server ends; the ticket has come before that."""
    client = subprocess.run(
        [str(word) for word in (*arguments, "-crlf", "-ign_eof", *more)], input="quit\n",
        capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip
    return client.stdout + client.stderr
