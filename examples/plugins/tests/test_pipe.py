import json
import sys

import pytest

from mailsys.message.address import parse_address
from mailsys.message.content import MemoryContent
from mailsys.message.envelope import Envelope
from mailsys.message.outcome import Deferred, Delivered, Failed
from mailsys.plugins import pipe
from mailsys.testing import DeliveryContract, PluginMakerContract, read_settings, result_of, services

TICKETS = parse_address("tickets@example.org")
MESSAGE = b"Subject: Printer; rm -rf /\r\n\r\n$(reboot)\r\n"


def made(folder, program, **more):
    command = [sys.executable, "-c", program, "a b", "$HOME; true"]
    settings = read_settings(pipe.pipe, {"command": command, **more})
    return pipe.make(settings, services(folder))


class TestMaker(PluginMakerContract):
    @pytest.fixture
    def maker(self):
        return pipe.pipe

    @pytest.fixture
    def table(self):
        return {"command": ["/bin/cat"]}


class TestDelivery(DeliveryContract):
    @pytest.fixture
    def delivery(self, tmp_path):
        return pipe.make(read_settings(pipe.pipe, {"command": ["/bin/cat"]}), services(tmp_path))


def attempt(delivery, sender="friend@client.example"):
    envelope = Envelope("s.1", parse_address(sender) if sender else None, (TICKETS,))
    return result_of(delivery.deliver(envelope, MemoryContent([MESSAGE]), (TICKETS,)))[TICKETS]


def test_the_program_has_the_message_and_the_envelope_and_no_shell(tmp_path):
    program = (
        "import os, sys, json; e = os.environ; out = [sys.stdin.buffer.read().decode(), sys.argv[1:],"
        f" e['SENDER'], e['RECIPIENT'], sorted(e)]; json.dump(out, open({str(tmp_path / 'out')!r}, 'w'))"
    )
    assert isinstance(attempt(made(tmp_path, program)).outcome, Delivered)
    octets, words, sender, recipient, environment = json.loads((tmp_path / "out").read_text())
    assert octets.encode() == MESSAGE
    assert words == ["a b", "$HOME; true"]
    assert (sender, recipient) == ("friend@client.example", "tickets@example.org")
    assert {"PATH", "SENDER", "RECIPIENT"} <= set(environment) <= {"PATH", "SENDER", "RECIPIENT", "LC_CTYPE"}


def test_a_notice_has_no_sender(tmp_path):
    program = "import os, sys; sys.exit(1 if os.environ['SENDER'] else 0)"
    assert isinstance(attempt(made(tmp_path, program), sender="").outcome, Delivered)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(0, Delivered), (75, Deferred), (1, Deferred), (127, Deferred), (67, Failed), (77, Failed)],
)
def test_what_the_exit_status_means(tmp_path, status, kind):
    found = attempt(made(tmp_path, f"import sys; print('words'); sys.exit({status})"))
    assert isinstance(found.outcome, kind)
    assert found.said.endswith("words")


def test_a_program_that_is_killed_is_for_later(tmp_path):
    assert isinstance(attempt(made(tmp_path, "import os; os.kill(os.getpid(), 9)")).outcome, Deferred)


def test_a_program_that_takes_too_long_is_ended(tmp_path):
    found = attempt(made(tmp_path, "import time; time.sleep(60)", timeout="0.5s"))
    assert isinstance(found.outcome, Deferred)
    assert found.is_uncertain


def test_of_many_words_only_the_first_are_kept(tmp_path):
    found = attempt(made(tmp_path, "print('x' * 10_000_000)"))
    assert len(found.said) == pipe.OUTPUT_OCTETS


def test_a_program_need_not_read_the_message(tmp_path):
    assert isinstance(attempt(made(tmp_path, "pass")).outcome, Delivered)


@pytest.mark.parametrize("command", [[], ["/nowhere/at/all"], ["/etc/passwd"]])
def test_a_command_that_cannot_be_run_is_a_mistake_in_the_configuration(command):
    with pytest.raises(ValueError, match=r"has an empty command|cannot be run"):
        read_settings(pipe.pipe, {"command": command})
