"""Dialogs: transcripts of whole sessions, played against a conversation in memory.

    # a comment
    @ certificate           a setting of the connection, see ``play``
    C: STAT                 the client sends this line
    R: \\x16\\x03           the client sends exactly this, with Python's escapes and no line end
    S: +OK 3 300            the server answers with exactly this line
    S~ +OK                  … with a line that begins so
    wait 0.5                nothing happens for so many seconds
    closed                  the server has closed the connection

A dialog is played in several ways (:data:`WAYS`), since what is said must not depend on how TCP cuts it.
"""

from dataclasses import dataclass
from pathlib import Path

from fakes import MemoryConnection
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from mailsys.interfaces import ConnectionEnded

WAYS = ("line by line", "octet by octet")


@dataclass(frozen=True)
class Dialog:
    """``settings`` are the words after @; ``steps`` are (kind, bytes) in order."""

    name: str
    settings: dict
    steps: list

    @property
    def sent(self):
        """All that the client sends, as one."""
        return b"".join(data for kind, data in self.steps if kind == "C")


def read_dialog(path):
    """Parse one file."""
    settings, steps = {}, []
    for number, line in enumerate(Path(path).read_text().splitlines(), 1):
        mark, _, rest = line.partition(" ")
        match mark:
            case "" | "#":
                continue
            case "@":
                word, _, value = rest.partition(" ")
                settings[word] = value or True
            case "C:":
                steps.append(("C", rest.encode() + b"\r\n"))
            case "R:":
                steps.append(("C", rest.encode().decode("unicode_escape").encode("latin-1")))
            case "S:" | "S~":
                steps.append((mark, rest.encode()))
            case "wait":
                steps.append(("wait", rest.encode()))
            case "closed":
                steps.append(("closed", b""))
            case _:
                raise ValueError(f"{path}:{number}: {line}")
    return Dialog(Path(path).stem, settings, steps)


class Play:
    """One conversation in memory, with a clock that only moves when the conversation waits for it."""

    def __init__(self, make_conversation, settings=None):
        settings = dict(settings or {})
        self.clock = Clock()
        self.connection = MemoryConnection(
            self.clock,
            service=str(settings.get("service", "pop3")),
            host=settings.pop("from", "127.0.0.1"),
            tls=settings.pop("tls", ""),
            certificate=settings.pop("certificate", False),
        )
        conversation = make_conversation(self.clock, **settings)
        self.result = Deferred.fromCoroutine(conversation.run(self.connection))
        self.failure = None
        self.result.addErrback(self._ended)
        self.settle()

    def _ended(self, failure):
        self.failure = failure.check(ConnectionEnded)
        if self.failure is None:
            raise failure.value

    def settle(self):
        """Let time go by until the conversation waits for the client."""
        for _ in range(1000):
            if self.result.called or self.connection.is_waiting:
                return
            self.clock.advance(0.1)
        raise AssertionError("the conversation hangs")

    def say(self, data):
        """Send bytes, and return what came back."""
        self.connection.feed(data)
        self.settle()
        return self.connection.take()

    def wait(self, seconds):
        """Let time go by, and return what was said meanwhile."""
        self.clock.advance(seconds)
        self.settle()
        return self.connection.take()

    def hang_up(self):
        """The client goes."""
        self.connection.hang_up()
        self.settle()


def play(dialog, make_conversation, way):
    """Play it, each client line after the answers that the dialog shows before it."""
    game = Play(make_conversation, dialog.settings)
    output = game.connection.take()
    for kind, data in dialog.steps:
        if kind == "C":
            assert output == b"", f"said too much: {output!r}"
            pieces = [data] if way == "line by line" else [bytes([octet]) for octet in data]
            output = b"".join([game.say(piece) for piece in pieces])
        elif kind == "wait":
            output += game.wait(float(data))
        else:
            output = _match(kind, data, output, game)
    assert output == b"", f"said too much: {output!r}"


def play_pipelined(dialog, make_conversation, split):
    """Send all that the client has to say in two segments, cut at ``split``; the answers are the same."""
    game = Play(make_conversation, dialog.settings)
    output = game.connection.take()
    output += game.say(dialog.sent[:split])
    if dialog.sent[split:] and not game.result.called:
        output += game.say(dialog.sent[split:])
    for kind, data in dialog.steps:
        if kind != "C":
            output = _match(kind, data, output, game)
    assert output == b"", f"said too much: {output!r}"


def _match(kind, expected, output, game):
    if kind == "closed":
        assert game.connection.closed
        assert game.result.called
        return output
    line, found, rest = output.partition(b"\r\n")
    assert found, f"no line for {expected!r}"
    assert line == expected if kind == "S:" else line.startswith(expected), f"{line!r} for {expected!r}"
    return rest
