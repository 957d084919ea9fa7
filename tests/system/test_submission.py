"""Users send mail, with programs that no one here wrote: to us and to another host in one go."""

import base64
import smtplib
import subprocess
import uuid

import pytest
from exchange import SECONDS, mailbox, needs, run, trusting
from far_host import bobs_mail, configure, new_far_host, until, way_to
from real_host import new_host

FAR = "bob@far.test"
SERVICES = ("submission", "pop3")


@pytest.fixture(scope="module")
def far(tmp_path_factory):
    """The other host, for all tests of this file."""
    host = new_far_host(tmp_path_factory.mktemp("far") / "far")
    host.start()
    try:
        yield host
    finally:
        host.stop()


@pytest.fixture(scope="module")
def house(tmp_path_factory, far):
    """A host that knows the way to the other."""
    host = new_host(tmp_path_factory.mktemp("house") / "house")
    configure(host, send=way_to(far))
    host.start()
    try:
        host.wait_until_ready(SERVICES)
        far.wait_until_ready()
        yield host
    finally:
        host.stop()


@pytest.fixture
def ann(house):
    return house.organisation.people[0]


@pytest.fixture
def ben(house):
    return house.organisation.people[1]


@pytest.fixture
def subject():
    return str(uuid.uuid4())


def letter_of(someone, subject):
    return f"From: {someone.address}\r\nTo: {FAR}\r\nSubject: {subject}\r\n\r\n.hello\r\n".encode()


def arrived(far, subject, count=1):
    """What reached the other host under this subject, once it is all there."""
    return until(
        lambda: len(found := [one for one in bobs_mail(far) if subject.encode() in one]) == count and found
    )


def clients(host):
    """Both ways to TLS; each to be closed."""
    where, context = host.organisation, trusting(host)
    first = smtplib.SMTP(where.address, where.port("submission"), timeout=SECONDS)
    first.starttls(context=context)
    yield first
    yield smtplib.SMTP_SSL(where.address, where.port("submissions"), timeout=SECONDS, context=context)


def test_to_us_and_to_another_host_in_one_transaction(house, far, ann, ben, subject):
    for client in clients(house):
        with client:
            client.login(ann.address, ann.password)
            assert client.sendmail(ann.address, [FAR, ben.address], letter_of(ann, subject)) == {}
            assert any(subject.encode() in one for one in mailbox(house, ben))  # it is there at once
    assert arrived(far, subject, 2)


@pytest.mark.row(15)
@pytest.mark.parametrize("service", ["submission", "smtp"])
def test_nobody_relays_without_a_login_there(house, ann, service):
    """Row 15: on submission nothing is taken without login; on port 25 there is none."""
    where = house.organisation
    with smtplib.SMTP(where.address, where.port(service), timeout=SECONDS) as client:
        client.starttls(context=trusting(house))
        client.ehlo()
        if service == "submission":
            assert client.mail(ann.address)[0] == 530
            assert client.rcpt(FAR)[0] == 503
            assert client.rcpt(ann.address)[0] == 503
            client.login(ann.address, ann.password)
        else:
            with pytest.raises(smtplib.SMTPNotSupportedError):
                client.login(ann.address, ann.password)
        assert client.mail(ann.address)[0] == 250
        assert client.rcpt(FAR)[0] == (250 if service == "submission" else 550)
        assert client.rcpt(ann.address)[0] == 250


@needs("swaks")
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
@pytest.mark.parametrize("port", ["submission", "submissions"])
def test_swaks(house, far, ann, subject, port, mechanism):
    where = house.organisation
    tls = "--tls-on-connect" if port == "submissions" else "--tls"
    run(
        "swaks", "--server", where.address, "--port", where.port(port), tls, "--auth", mechanism,
        "--auth-user", ann.address, "--auth-password", ann.password, "--from", ann.address, "--to", FAR,
        "--header", f"Subject: {subject}",
    )  # fmt: skip
    assert arrived(far, subject)


@needs("curl")
def test_curl(house, far, ann, subject, tmp_path):
    where = house.organisation
    (tmp_path / "letter").write_bytes(letter_of(ann, subject))
    run(
        "curl", "--silent", "--show-error", "--cacert", house.certificate, "--user",
        f"{ann.address}:{ann.password}", "--mail-from", ann.address, "--mail-rcpt", FAR,
        "--upload-file", tmp_path / "letter", f"smtps://{where.address}:{where.port('submissions')}",
    )  # fmt: skip
    assert arrived(far, subject)


@needs("msmtp")
@pytest.mark.parametrize("way", ["scram-sha-256", "plain"])
def test_msmtp(house, far, ann, subject, tmp_path, way):
    where = house.organisation
    settings = tmp_path / "msmtprc"
    settings.write_text(
        f"account default\nhost {where.address}\nport {where.port('submission')}\nauth {way}\n"
        f"user {ann.address}\npassword {ann.password}\nfrom {ann.address}\n"
        f"tls on\ntls_starttls on\ntls_trust_file {house.certificate}\n"
    )
    settings.chmod(0o600)
    subprocess.run(
        ["/usr/bin/msmtp", "-C", str(settings), FAR],
        input=letter_of(ann, subject).replace(b"\r\n", b"\n"), check=True, timeout=30, capture_output=True,
    )  # fmt: skip
    assert arrived(far, subject)


@pytest.mark.parametrize("program", [pytest.param(name, marks=needs(name)) for name in ("mutt", "neomutt")])
@pytest.mark.parametrize("port", ["submission", "submissions"])
def test_mutt(house, far, ann, subject, tmp_path, port, program):
    """Both with GNU SASL, which takes the strongest mechanism that is offered."""
    where = house.organisation
    scheme = "smtp" if port == "submission" else "smtps"
    name = ann.address.replace("@", "%40").replace("+", "%2B")
    (tmp_path / "muttrc").write_text(
        f'set smtp_url = "{scheme}://{name}@{where.address}:{where.port(port)}"\n'
        f'set smtp_pass = "{ann.password}"\nset from = "{ann.address}"\nset use_from\nunset record\n'
        f'set ssl_force_tls\nset ssl_verify_host = no\nset certificate_file = "{house.certificate}"\n'
        f'set ssl_ca_certificates_file = "{house.certificate}"\n'
        f'set use_envelope_from\nset dsn_notify = "failure,delay"\nset dsn_return = "hdrs"\n'
    )
    (tmp_path / "letter").write_text("Grüße\n.\n")
    environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TERM": "dumb"}
    with open(tmp_path / "letter") as text:
        done = subprocess.run(
            [f"/usr/bin/{program}", "-n", "-F", str(tmp_path / "muttrc"), "-s", subject, FAR],
            stdin=text, capture_output=True, timeout=30, check=False, env=environment,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    (there,) = arrived(far, subject)
    assert b"\r\n.\r\n" in there


@pytest.mark.parametrize("way", ["STARTTLS", "TLS"])
def test_what_thunderbird_says(house, far, ann, subject, way):
    """Its commands: an address literal in EHLO, AUTH in one line, the wishes of RFC 3461."""
    first, second = clients(house)
    client, other = (first, second) if way == "STARTTLS" else (second, first)
    other.close()
    token = base64.b64encode(f"\0{ann.address}\0{ann.password}".encode()).decode()
    letter = letter_of(ann, subject)
    with client:
        code, offers = client.docmd("EHLO", "[192.0.2.7]")
        assert code == 250
        assert {b"DSN", b"8BITMIME", b"SMTPUTF8"} <= set(offers.split(b"\n"))
        assert client.docmd("AUTH", f"PLAIN {token}")[0] == 235
        wishes = f"BODY=8BITMIME SIZE={len(letter)} RET=FULL ENVID={subject}"
        assert client.docmd("MAIL", f"FROM:<{ann.address}> {wishes}")[0] == 250
        assert client.docmd("RCPT", f"TO:<{FAR}> NOTIFY=FAILURE ORCPT=rfc822;{FAR}")[0] == 250
        assert client.docmd("DATA")[0] == 354
        client.send(letter.replace(b"\r\n.", b"\r\n..") + b".\r\n")
        assert client.getreply()[0] == 250
        assert client.docmd("QUIT")[0] == 221
    (there,) = arrived(far, subject)
    assert there.endswith(b".hello\r\n")


@pytest.mark.row(23)
def test_under_the_name_of_others(house, ann, ben, subject):
    """Row 23: refused in MAIL, and in From and Sender at the end; what is one's own is taken."""
    house.run("domain", "add", "caught.test")
    house.run("alias", "add", "*@caught.test", ann.address)
    house.run("alias", "add", "office@system.test", ann.address, ben.address)
    own, other = ("office@system.test", ann.address.replace("@", "+x@")), ("shop@caught.test", ben.address)
    client = next(clients(house))
    with client:
        client.login(ann.address, ann.password)
        for address in own:
            assert client.sendmail(address, [ben.address], f"From: {address}\r\n\r\n{subject}\r\n") == {}
        for address in other:
            with pytest.raises(smtplib.SMTPSenderRefused, match=r"may not send as"):
                client.sendmail(address, [ben.address], letter_of(ann, subject))
            with pytest.raises(smtplib.SMTPDataError, match=r"may not write in From as"):
                client.sendmail(ann.address, [ben.address], f"From: {address}\r\n\r\n{subject}\r\n")
            both = f"From: {ann.address}\r\nSender: {address}\r\n\r\n{subject}\r\n"
            with pytest.raises(smtplib.SMTPDataError, match=r"may not write in Sender as"):
                client.sendmail(ann.address, [ben.address], both)
        where = house.organisation
        with smtplib.SMTP(where.address, where.port("smtp"), timeout=SECONDS) as stranger:
            stranger.sendmail("a@b.example", ["shop@caught.test"], "From: a@b.example\r\n\r\nx\r\n")
        assert client.sendmail("shop@caught.test", [ben.address], letter_of(ann, subject)) == {}
    assert len([one for one in mailbox(house, ben) if subject.encode() in one]) == 3


@pytest.mark.row(23)
def test_who_sends_very_much(own_host):
    """Row 23: held with a letter to the user and words to the operator, then refused; release lets it go."""
    configure(own_host, submission="messages_per_day = 2\nmost_per_day = 4")
    own_host.start()
    own_host.wait_until_ready(SERVICES)
    ann = own_host.organisation.people[0]
    client = next(clients(own_host))
    with client:
        client.login(ann.address, ann.password)
        for number in range(4):
            assert client.sendmail(ann.address, [f"{number}@far.test"], letter_of(ann, "x")) == {}
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            client.sendmail(ann.address, ["5@far.test"], letter_of(ann, "x"))
        assert refused.value.recipients["5@far.test"][0] == 452
    told = b"Subject: Your mail to other hosts is held\r\n"
    until(lambda: [one for one in mailbox(own_host, ann) if told in one])
    assert len([one for one in mailbox(own_host, ann) if told in one]) == 1
    assert "3 messages within a day" in own_host.run("queue", "list", ann.address)
    assert "its mail is held" in own_host.run("status")
    assert own_host.run("queue", "release", ann.address) == "2 recipients are let go.\n"
