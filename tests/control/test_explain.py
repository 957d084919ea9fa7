"""``mailsys explain``: what it says is what a session would say."""

import io
import json
import os

import pytest

from mailsys.control import main
from mailsys.interfaces import Disposition, Verdict


@pytest.fixture
def host(tmp_path, monkeypatch, capsys):
    """A host with two accounts and some aliases; returns a function that runs a command on it."""
    folder = str(tmp_path / "host")
    assert main(["init", folder, "--domain", "our.example", "--port-base", "20000"]) == 0
    config = f"{folder}/mailsys.toml"

    def run(*words):
        status = main(["--config", config, *words])
        return status, capsys.readouterr()

    for name in ("ann", "bob"):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"secret\n")))
        assert run("account", "add", f"{name}@our.example", "--password-stdin")[0] == 0
    assert run("alias", "add", "office@our.example", "ann@our.example", "bob@our.example")[0] == 0
    assert run("alias", "add", "x@our.example", "x@our.example")[0] == 0
    assert run("alias", "add", "both@our.example", "ann@our.example", "bob@far.example")[0] == 0
    assert run("srs", "new-key")[0] == 0
    return run


def explained(host, *words):
    status, said = host("explain", "--json", *words)
    assert status == 0
    return json.loads(said.out)


def test_recipients_of_every_kind(host):
    found = explained(
        host, "--from", "friend@client.example", "--to", "ANN+shop@our.example", "--to", "office@our.example",
        "--to", "nobody@our.example", "--to", "x@our.example", "--to", "ann@elsewhere.example",
    )  # fmt: skip
    assert [(said["outcome"], said["reply"]) for said in found["recipients"]] == [
        ("delivered", "250 2.1.5 Recipient OK"),
        ("delivered", "250 2.1.5 Recipient OK"),
        ("refused", "550 5.1.1 No such user here"),
        ("refused", "550 5.4.6 Alias points back to itself"),
        ("refused", "550 5.7.1 This host does not relay for you"),
    ]
    assert found["recipients"][1]["accounts"] == ["ann@our.example", "bob@our.example"]
    assert found["verdict"] == {"action": "accept", "reply": "250 2.0.0 OK", "reason": ""}


def test_a_saved_message_is_judged(host, tmp_path):
    path = tmp_path / "message"
    path.write_bytes(b"Subject: no sender\n\nx\n")
    found = explained(host, "--from", "", "--to", "ann@our.example", str(path))
    assert found["verdict"]["action"] == "reject"
    assert found["verdict"]["reply"].startswith("550 5.7.1")
    path.write_bytes(b"From: a@b.example\nSubject: fine\n\nx\n")
    assert (
        explained(host, "--from", "", "--to", "ann@our.example", str(path))["verdict"]["action"] == "accept"
    )


def test_in_words(host):
    status, said = host("explain", "--from", "", "--to", "office@our.example", "--to", "nobody@our.example")
    assert status == 0
    assert (
        "office@our.example would be delivered to ann@our.example, bob@our.example, folder INBOX." in said.out
    )
    assert (
        'nobody@our.example would be refused; the client is told "550 5.1.1 No such user here".' in said.out
    )


def test_what_it_cannot_do_is_one_sentence(host, tmp_path):
    status, said = host("explain", "--from", "", "--to", "ann@our.example", str(tmp_path / "missing"))
    assert status == 1
    assert said.err.count("\n") == 1
    assert said.err.startswith("mailsys: ")


@pytest.fixture
def message(tmp_path):
    """Write a message with such a text; returns its path."""

    def message(text=b""):
        path = tmp_path / "message"
        path.write_bytes(b"From: friend@client.example\nSubject: hello\n\n" + text)
        return str(path)

    return message


def snapshot(folder):
    """Every path below it: whose it is, and what it holds."""
    found = {}
    for path in [folder, *folder.rglob("*")]:
        status = path.lstat()
        content = path.read_bytes() if path.is_file() else b""
        found[path] = status.st_mode, status.st_uid, status.st_gid, content
    return found


def test_it_leaves_the_data_folder_as_it_is(host, tmp_path, message):
    """Root may ask where another user serves; a file of root's there would stop that user."""
    data = tmp_path / "host" / "data"
    for name in ("ann", "bob"):
        assert host("account", "quota", f"{name}@our.example", "1M")[0] == 0
    maildir = data / "mail" / "our.example" / "bob"
    for subdirectory in ("tmp", "new", "cur"):
        (maildir / subdirectory).mkdir(parents=True)
    (maildir / "new" / "1.M1.h").write_bytes(b"x" * 1_000_000)
    if os.geteuid() == 0:
        for path in [data, *data.rglob("*")]:
            os.chown(path, 4711, 4711)
    before = snapshot(data)
    to = [word for name in ("ann", "bob", "office", "nobody") for word in ("--to", f"{name}@our.example")]
    found = explained(host, "--from", "", *to, message(b"x" * 100_000))
    assert [said["reply"][:3] for said in found["recipients"]] == ["250", "552", "250", "550"]
    assert snapshot(data) == before
    assert not (data / "mail" / "our.example" / "ann").exists()


def limit(tmp_path):
    """Set limits that are easily reached."""
    path = tmp_path / "host" / "mailsys.toml"
    path.write_text(path.read_text().replace("[limits]", "[limits]\nmessage_size = 2000\nrecipients = 100"))


def test_a_message_over_the_limit(host, tmp_path, message):
    limit(tmp_path)
    envelope = ("--from", "friend@client.example", "--to", "ann@our.example")
    assert explained(host, *envelope, message(b"x" * 1000))["verdict"]["action"] == "accept"
    found = explained(host, *envelope, message(b"x" * 2000))
    assert found["recipients"] == []
    assert found["verdict"]["action"] == "reject"
    assert found["verdict"]["reply"].startswith("552 5.3.4 ")
    assert found["verdict"]["reason"].endswith("octets, and limits.message_size is 2000")


def test_more_recipients_than_the_limit(host, tmp_path):
    limit(tmp_path)
    to = [word for number in range(101) for word in ("--to", f"ann+{number}@our.example")]
    found = explained(host, "--from", "", *to)["recipients"]
    assert [said["outcome"] for said in found] == ["delivered"] * 100 + ["deferred"]
    assert found[-1]["reply"].startswith("452 4.5.3 ")
    assert found[-1]["why"] == ["limits.recipients is 100"]


def test_octets_that_no_message_may_have(host, message):
    found = explained(host, "--from", "", "--to", "ann@our.example", message(b"a NUL: \0\n"))
    assert found["verdict"]["action"] == "reject"
    assert found["verdict"]["reply"].startswith("550 5.6.0 ")


def test_junk_goes_where_all_mail_goes(host, message, monkeypatch):
    async def message_is_junk(self, session, envelope, content):
        return Verdict(Disposition.JUNK, "it smells")

    monkeypatch.setattr("mailsys.judge.hop_count.HopCount.message", message_is_junk)
    said = host("explain", "--from", "", "--to", "ann@our.example", message())[1].out
    assert "It would be delivered into the folder Junk" in said
    assert said.endswith(" (hop_count: it smells).\n")


def test_junk_is_not_forwarded(host, message, monkeypatch):
    async def message_is_junk(self, session, envelope, content):
        return Verdict(Disposition.JUNK, "it smells")

    monkeypatch.setattr("mailsys.judge.hop_count.HopCount.message", message_is_junk)
    assert host("alias", "add", "away@our.example", "bob@far.example")[0] == 0
    to = ("--to", "both@our.example", "--to", "away@our.example")
    both, away = explained(host, "--from", "a@far.example", *to, message())["recipients"]
    assert (both["outcome"], both["accounts"]) == ("delivered", ["ann@our.example"])
    assert not both.get("forwarded")
    assert away["outcome"] == "refused"
    assert away["reply"].startswith("550 5.7.1 Taken for junk")


def test_what_a_user_may_send(host, tmp_path):
    path = tmp_path / "message"
    path.write_bytes(b"From: office@our.example\nSubject: x\n\nx\n")
    words = ("--to", "eve@far.example", str(path))
    found = explained(host, "--login", "ANN@our.example", "--from", "ann+x@our.example", *words)
    assert found["verdict"]["action"] == "accept"
    assert found["recipients"][0]["outcome"] == "delivered"
    found = explained(host, "--login", "ann@our.example", "--from", "bob@our.example", *words)
    assert found["verdict"]["reply"].startswith(
        "553 5.7.1 <ann@our.example> may not send as <bob@our.example>"
    )
    path.write_bytes(b"From: bob@our.example\nSubject: x\n\nx\n")
    found = explained(host, "--login", "ann@our.example", "--from", "ann@our.example", *words)
    assert found["verdict"]["reason"].startswith("own_sender: <ann@our.example> may not write in From as")
    found = explained(host, "--service", "submission", "--from", "ann@our.example", *words)
    assert found["verdict"]["reply"] == "530 5.7.0 Log in first"


def test_a_login_that_is_no_account(host, capsys):
    status, said = host("explain", "--login", "eve@our.example", "--from", "", "--to", "ann@our.example")
    assert status == 1
    assert "There is no account eve@our.example" in said.err


def test_a_new_key_and_one_that_cannot_be_made(host, tmp_path):
    """What was forwarded before stays good; a damaged file is told and left alone."""
    (said,) = explained(host, "--from", "eve@far.example", "--to", "both@our.example")["recipients"]
    assert host("srs", "new-key")[0] == 0
    (again,) = explained(host, "--from", "eve@far.example", "--to", "both@our.example")["recipients"]
    assert again["sent_as"] != said["sent_as"]
    (back,) = explained(host, "--from", "", "--to", said["sent_as"])["recipients"]
    assert back["forwarded"] == ["eve@far.example"]
    (keys,) = tmp_path.rglob("return-address-keys")
    keys.write_text("nonsense\n")
    status, told = host("srs", "new-key")
    assert status == 1
    assert "return-address-keys cannot be changed: line 1 of" in told.err
    assert keys.read_text() == "nonsense\n"
    assert "cannot be read: line 1 of" in host("explain", "--from", "", "--to", "both@our.example")[1].err
