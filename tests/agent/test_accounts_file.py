"""``agent.toml``, and which account the words of the command choose."""

import argparse
import os
import sys

import pytest

from mailsys.agent.account import Protocol, Security
from mailsys.control.command import CannotDo
from mailsys.control.read_account import chosen_account, with_password

FILE = f"""
[[account]]
address = "ann@example.org"
imap = "mail.example.org:993"
password_command = ['{sys.executable}', "-c", "print('geheim'); print('a note')"]

[[account]]
address = "bob@example.net"
login = "bob"
pop3 = "[2001:db8::1]:110"
trust = "own.pem"
password_command = ["/nowhere/pass"]
"""


@pytest.fixture
def agent_toml(tmp_path, monkeypatch):
    """Writes the file."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))

    def write(text):
        path = tmp_path / "mailsys" / "agent.toml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    return write


def words(**given):
    return argparse.Namespace(
        **{"account": None, "imap": None, "pop3": None, "tls": None, "trust": "", **given}
    )


def test_the_first_account_and_its_password(agent_toml):
    agent_toml(FILE)
    account = with_password(chosen_account(words()), from_stdin=False)
    assert (account.protocol, account.host, account.port) == (Protocol.IMAP, "mail.example.org", 993)
    assert (account.security, account.login.name, account.login.password) == (
        Security.IMPLICIT, "ann@example.org", "geheim",
    )  # fmt: skip
    assert "geheim" not in repr(account)


def test_a_named_account_and_a_command_that_is_not_there(agent_toml):
    path = agent_toml(FILE)
    chosen = chosen_account(words(account="bob@example.net"))
    assert chosen.server == (Protocol.POP3, "2001:db8::1", 110)
    assert (chosen.security, chosen.login) == (Security.STARTTLS, "bob")
    assert chosen.trust == os.path.join(path.parent, "own.pem")
    with pytest.raises(CannotDo, match="command /nowhere/pass cannot be run: No such file or directory"):
        with_password(chosen, from_stdin=False)


def test_a_command_that_fails(agent_toml):
    agent_toml(FILE.replace("print('geheim'); print('a note')", "raise SystemExit(3)"))
    with pytest.raises(CannotDo, match="failed with status 3"):
        with_password(chosen_account(words()), from_stdin=False)


def test_words_of_the_command_come_first(agent_toml):
    agent_toml(FILE)
    chosen = chosen_account(words(account="eve", pop3=("host", 995)))
    assert (chosen.server, chosen.login, chosen.password_command) == ((Protocol.POP3, "host", 995), "", ())
    assert chosen.security is Security.IMPLICIT
    assert chosen_account(words(tls="none", trust="x.pem")).security is Security.NONE
    assert chosen_account(words(imap=("host", 143))) is None


def test_without_a_file_or_an_account(agent_toml):
    assert chosen_account(words(account="ann@example.org")) is None
    agent_toml("")
    with pytest.raises(CannotDo, match="names no account"):
        chosen_account(words())
    agent_toml(FILE)
    with pytest.raises(CannotDo, match="does not name the account eve"):
        chosen_account(words(account="eve"))


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("[[account]]\nimap = 'h:993'", "account[1].address is missing"),
        ("[[account]]\naddress = 'a'", "account[1] has not one server"),
        ("[[account]]\naddress = 'a'\nimap = 'h:1'\npop3 = 'h:2'", "account[1] has not one server"),
        ("[[account]]\naddress = 'a'\nimap = 'h'", 'account[1].imap = "h" is not HOST:PORT'),
        ("[[account]]\naddress = 'a'\nimap = 'h:70000'", 'account[1].imap = "h:70000" is not HOST:PORT'),
        ("[[account]]\naddress = 'a'\nimap = 'h:1'\npasword = 'x'", "account[1].pasword"),
        ("[[account]]\naddress = 'a'\nimap = 'h:1'\ntls = 'yes'", 'account[1].tls = "yes" is not known here'),
        ("[account", "is not valid TOML"),
    ],
)
def test_mistakes_are_told(agent_toml, text, wrong):
    agent_toml(text)
    with pytest.raises(CannotDo) as told:
        chosen_account(words())
    assert wrong in str(told.value)
    assert str(told.value).count(": ") < 3
