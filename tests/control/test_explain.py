"""``mailsys explain``: what it says is what a session would say."""

import io
import json

import pytest

from mailsys.control import main


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
    for words in (["--to", "nonsense"], ["--to", "ann@our.example", str(tmp_path / "missing")]):
        status, said = host("explain", "--from", "", *words)
        assert status == 1
        assert said.err.count("\n") == 1
        assert said.err.startswith("mailsys: ")
