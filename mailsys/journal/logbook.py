"""The journal's side of the log: one event, one line, so that a running server shows what it does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from twisted.logger import ILogObserver, Logger, LogLevel

from mailsys.interfaces import JournalEvent
from mailsys.journal.phrases import paths, peer_in_words, size_in_words, text_of, texts_of, tls_version
from mailsys.journal.printable import printable


class Logbook:
    """Writes to ``observer``, from the journal's thread; never raises."""

    def __init__(self, observer: ILogObserver) -> None:
        self._observer = observer
        self._logger = Logger("mailsys.journal", observer=observer)

    def tell(self, events: Iterable[JournalEvent]) -> None:
        """One line for each event worth it; a message and its deliveries of the same moment share one."""
        lines: list[_Line] = []
        accepted: dict[str, _Line] = {}
        for event in events:
            try:
                _add_line(lines, accepted, event)
            except Exception:
                self.failure("An event of the journal could not be told.")
        for line in lines:
            self._say(line)

    def tell_counts(self, counts: Sequence[JournalEvent]) -> None:
        """One line for all that was counted and not kept."""
        if counts:
            number = sum(int(event.facts["count"]) for event in counts)
            who = f"{len(counts)} clients" if len(counts) > 1 else "one client"
            self.warn(f"{number:,} refusals and logins of {who} within the hour are only counted.")

    def warn(self, sentence: str) -> None:
        """Something is wrong with the journal itself."""
        self._logger.warn("{line}", line=printable(sentence))

    def failure(self, sentence: str) -> None:
        """Something went wrong that no one expected; to be called where it was caught."""
        self._logger.failure("{line}", line=sentence)

    def _say(self, line: _Line) -> None:
        # The observer itself and not Logger.info: the event keeps its own time, and costs a third less.
        self._observer(
            {
                "log_format": "{line}",
                "line": printable(f"{line.id} {line.words}"),
                "id": line.id,
                "log_level": LogLevel.info,
                "log_namespace": "mailsys.journal",
                "log_time": line.at,
            }
        )


@dataclass(slots=True)
class _Line:
    id: str
    at: float
    words: str


def _add_line(lines: list[_Line], accepted: dict[str, _Line], event: JournalEvent) -> None:
    kind = text_of(event.facts, "event")
    describe = _WORDS.get(kind)
    if describe is None:
        return
    line = _Line(event.id, event.at, describe(event.facts))
    if kind == "delivered" and event.id in accepted:
        accepted[event.id].words += f"; {line.words}"
        return
    if kind == "received":
        accepted[event.id] = line
    lines.append(line)


def _received(facts: Mapping[str, Any]) -> str:
    junk = " as junk" if facts.get("judgement") == "junk" else ""
    to = paths(texts_of(facts, "to"))
    return f"accepted{junk} {size_in_words(facts)} from <{text_of(facts, 'from')}> to {to}; {_client(facts)}"


def _delivered(facts: Mapping[str, Any]) -> str:
    if delivery := text_of(facts, "delivery"):
        return f"handed on by {delivery} for <{text_of(facts, 'recipient')}>"
    if account := text_of(facts, "account"):
        return f"delivered to {account}, {text_of(facts, 'folder')}"
    where = text_of(facts, "remote") or "this host"
    return f"handed to {where} for <{text_of(facts, 'recipient')}>"


def _deferred(facts: Mapping[str, Any]) -> str:
    return f"deferred for <{text_of(facts, 'recipient')}>: {text_of(facts, 'reason')}"


def _failed(facts: Mapping[str, Any]) -> str:
    return f"failed for <{text_of(facts, 'recipient')}>: {text_of(facts, 'reason')}"


def _refused(facts: Mapping[str, Any]) -> str:
    sender = f" from <{text_of(facts, 'from')}>" if "from" in facts else ""
    recipient = f" to <{text_of(facts, 'recipient')}>" if "recipient" in facts else ""
    if to := texts_of(facts, "to"):
        recipient = f" to {paths(to)}"
    command = text_of(facts, "command")
    what = "ended by us" if command == "SESSION" else f"refused {command}"
    return f"{what}{sender}{recipient}: {text_of(facts, 'reply') or 'the client had gone'}; {_client(facts)}"


def _login(facts: Mapping[str, Any]) -> str:
    outcome = "logged in" if facts.get("succeeded") else "login failed"
    return f"{outcome} as {text_of(facts, 'name')}; {_client(facts)}"


def _mailbox_read(facts: Mapping[str, Any]) -> str:
    counts = f"fetched {text_of(facts, 'retrieved')}, deleted {text_of(facts, 'deleted')}"
    return f"{text_of(facts, 'login')} {counts}; {_client(facts)}"


def _folders_used(facts: Mapping[str, Any]) -> str:
    counts = ", ".join(f"{word} {text_of(facts, word)}" for word in ("fetched", "appended", "expunged"))
    return f"{text_of(facts, 'login')} {counts}; {_client(facts)}"


def _client(facts: Mapping[str, Any]) -> str:
    """Who is at the other end, as log lines tell it."""
    name, version = text_of(facts, "greeting"), tls_version(facts)
    who = f"{name} {peer_in_words(facts)}" if name else peer_in_words(facts)
    return f"client {who} over {version}" if version else f"client {who}"


_WORDS = {
    "received": _received,
    "delivered": _delivered,
    "deferred": _deferred,
    "failed": _failed,
    "refused": _refused,
    "login": _login,
    "mailbox read": _mailbox_read,
    "folders used": _folders_used,
}
