"""Dialogues that are kept for a while after a message, for the next to the same host."""

from __future__ import annotations

from dataclasses import dataclass

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from mailsys.send.dialogue import Dialogue
from mailsys.send.host import Host
from mailsys.wire.smtp.client_state import State

_SWEEP_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class KeepLimits:
    """How many are kept in all and for one host, unused for how long, and what one may do in its life."""

    total: int = 100
    per_host: int = 20
    idle_seconds: float = 5.0
    life_seconds: float = 300.0
    messages: int = 100


class KeptDialogues:
    """By host, with its login and what is demanded of TLS: none is used for less than it was opened for."""

    def __init__(self, clock: IReactorTime, limits: KeepLimits | None = None) -> None:
        self._clock = clock
        self._limits = limits or KeepLimits()
        self._kept: dict[Host, list[tuple[float, Dialogue]]] = {}
        self._count = 0
        self._timer: IDelayedCall | None = None

    def __len__(self) -> int:
        return self._count

    def take(self, host: Host) -> Dialogue | None:
        """The one used last, if there is any; it is the caller's then."""
        entries = self._kept.get(host)
        if not entries:
            return None
        _since, dialogue = entries.pop()
        self._forget(host, entries)
        dialogue.connection.on_silence_broken = None
        return dialogue

    def keep(self, dialogue: Dialogue) -> None:
        """Keep it, or take leave of it."""
        entries = self._kept.get(dialogue.host, [])
        if (
            not self._is_fit(dialogue)
            or len(entries) >= self._limits.per_host
            or self._count >= self._limits.total
        ):
            dialogue.quit()
            return
        self._kept[dialogue.host] = entries
        entries.append((self._clock.seconds(), dialogue))
        self._count += 1
        dialogue.connection.on_silence_broken = lambda: self._drop(dialogue)
        if self._timer is None:
            self._timer = self._clock.callLater(_SWEEP_SECONDS, self._sweep)

    def quit_all(self) -> None:
        """Take leave of all."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for entries in list(self._kept.values()):
            for _since, dialogue in entries:
                dialogue.connection.on_silence_broken = None
                dialogue.quit()
        self._kept.clear()
        self._count = 0

    def _is_fit(self, dialogue: Dialogue) -> bool:
        age = self._clock.seconds() - dialogue.opened_at
        return (
            dialogue.machine.state is State.READY
            and not dialogue.connection.has_ended
            and dialogue.messages < self._limits.messages
            and age < self._limits.life_seconds
        )

    def _drop(self, dialogue: Dialogue) -> None:
        """The server spoke without being asked, or went."""
        entries = self._kept.get(dialogue.host, [])
        for entry in entries:
            if entry[1] is dialogue:
                entries.remove(entry)
                self._forget(dialogue.host, entries)
                break
        dialogue.connection.on_silence_broken = None
        dialogue.connection.close()

    def _forget(self, host: Host, entries: list[tuple[float, Dialogue]]) -> None:
        self._count -= 1
        if not entries:
            self._kept.pop(host, None)

    def _sweep(self) -> None:
        self._timer = None
        oldest = self._clock.seconds() - self._limits.idle_seconds
        for entries in list(self._kept.values()):
            while entries and entries[0][0] <= oldest:
                _since, dialogue = entries.pop(0)
                self._forget(dialogue.host, entries)
                dialogue.connection.on_silence_broken = None
                dialogue.quit()
        if self._count:
            self._timer = self._clock.callLater(_SWEEP_SECONDS, self._sweep)
