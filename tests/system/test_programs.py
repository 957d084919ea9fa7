"""Programs that no one here wrote, against a real server.  Those not installed are skipped, and named."""

import os

import pytest
from exchange import SENDER, as_text, assert_one, deliver, mailbox, needs, run, smtp_port


@needs("swaks")
@pytest.mark.parametrize("way", ["ESMTP", "STARTTLS", "LMTP"])
def test_swaks(host, someone, letter, tmp_path, way):
    data = tmp_path / "letter"
    data.write_bytes(as_text(letter).removesuffix(b"\n"))  # swaks ends the last line itself
    protocol, service = ("LMTP", "lmtp") if way == "LMTP" else ("ESMTP", "smtp")
    tls = ("--tls", "--tls-verify", "--tls-ca-path", host.certificate) if way == "STARTTLS" else ()
    run(
        "swaks", "--server", host.organisation.address, "--port", host.organisation.port(service),
        "--protocol", protocol, "--from", SENDER, "--to", someone.address, "--data", f"@{data}", *tls,
    )  # fmt: skip
    assert_one(mailbox(host, someone), letter)


@needs("curl")
@pytest.mark.parametrize("options", [(), ("--ssl-reqd",)], ids=["plain", "starttls"])
def test_curl_smtp(host, someone, letter, tmp_path, options):
    data = tmp_path / "letter"
    data.write_bytes(letter)
    run(
        "curl", "-sS", "--max-time", "30", *options, "--cacert", host.certificate, "--upload-file", data,
        "--mail-from", SENDER, "--mail-rcpt", someone.address,
        f"smtp://{host.organisation.address}:{smtp_port(host)}/visitor.example.org",
    )  # fmt: skip
    assert_one(mailbox(host, someone), letter)


@needs("curl")
@pytest.mark.parametrize("way", ["pop3", "stls", "pop3s"])
def test_curl_pop3(host, someone, letter, way):
    deliver(host, someone, letter)
    scheme, options = {"pop3": ("pop3", ()), "stls": ("pop3", ("--ssl-reqd",)), "pop3s": ("pop3s", ())}[way]
    url = f"{scheme}://{host.organisation.address}:{host.organisation.port(scheme)}/1"
    login = f"{someone.address}:{someone.password}"
    found = run(
        "curl", "-sS", "--max-time", "30", *options, "--cacert", host.certificate, "--user", login, url
    )
    assert_one([found], letter)


FETCHMAIL_WAYS = {
    "pop3": ("pop3", "sslproto ''"),
    "stls": ("pop3", "sslproto 'tls1.2+' sslcertck sslcertfile '{certificate}' sslcommonname '{name}'"),
    "pop3s": ("pop3s", "ssl sslcertck sslcertfile '{certificate}' sslcommonname '{name}'"),
}


@needs("fetchmail")
@pytest.mark.parametrize("way", FETCHMAIL_WAYS)
def test_fetchmail(host, someone, letter, tmp_path, way):
    deliver(host, someone, letter)
    service, options = FETCHMAIL_WAYS[way]
    where = host.organisation
    tls = options.format(certificate=host.certificate, name=where.hostname)
    settings = tmp_path / "fetchmailrc"
    settings.write_text(
        f"set invisible\npoll {where.address} protocol POP3 port {where.port(service)}\n"
        f"user '{someone.address}' password '{someone.password}' {tls}\n"
        f"no rewrite fetchall no keep mda '/bin/cat >> {tmp_path}/fetched'\n"
    )
    settings.chmod(0o600)
    run("fetchmail", "--fetchmailrc", settings, env=os.environ | {"HOME": str(tmp_path)})
    assert (tmp_path / "fetched").read_bytes().endswith(as_text(letter))
    assert mailbox(host, someone) == []


@needs("getmail")
@pytest.mark.parametrize("way", ["pop3", "pop3s"])
def test_getmail(host, someone, letter, tmp_path, way):
    deliver(host, someone, letter)
    where = host.organisation
    trust = f"SimplePOP3SSLRetriever\nca_certs = {host.certificate}"
    (tmp_path / "getmailrc").write_text(
        f"[retriever]\ntype = {trust if way == 'pop3s' else 'SimplePOP3Retriever'}\n"
        f"server = {where.address}\nport = {where.port(way)}\n"
        f"username = {someone.address}\npassword = {someone.password}\n"
        "[destination]\ntype = MDA_external\nallow_root_commands = true\n"
        f"path = /usr/bin/tee\narguments = ('{tmp_path}/fetched',)\nignore_stderr = true\n"
        "[options]\ndelete = true\ndelivered_to = false\nreceived = false\n"
    )
    run("getmail", "--getmaildir", tmp_path, "--rcfile", "getmailrc", "--quiet")
    assert (tmp_path / "fetched").read_bytes().endswith(as_text(letter))
    assert mailbox(host, someone) == []


@needs("mpop")
@pytest.mark.parametrize("way", ["pop3", "stls", "pop3s"])
def test_mpop(host, someone, letter, tmp_path, way):
    deliver(host, someone, letter)
    maildir = new_maildir(tmp_path / "fetched")
    tls = {"pop3": "tls off", "stls": "tls on\ntls_starttls on", "pop3s": "tls on\ntls_starttls off"}[way]
    settings = tmp_path / "mpoprc"
    settings.write_text(
        f"account default\nhost {host.organisation.address}\n"
        f"port {host.organisation.port('pop3s' if way == 'pop3s' else 'pop3')}\n"
        f"user {someone.address}\npassword {someone.password}\n{tls}\ntls_trust_file {host.certificate}\n"
        f"auth {'user' if way == 'pop3' else 'on'}\nkeep off\nreceived_header off\n"
        f"delivery maildir {maildir}\nuidls_file {tmp_path}/uidls\n"
    )
    settings.chmod(0o600)
    run("mpop", "-C", settings, "--quiet")
    assert_fetched(maildir, letter)
    assert mailbox(host, someone) == []


def new_maildir(path):
    for name in ("cur", "new", "tmp"):
        (path / name).mkdir(parents=True)
    return path


def assert_fetched(maildir, letter):
    (fetched,) = (maildir / "new").iterdir()
    assert fetched.read_bytes().endswith(as_text(letter))
