"""How long a server may take (RFC 5321 4.5.3.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mailsys.message.outcome import Step
from mailsys.net.house import Patience

_SECONDS: Mapping[Step, float] = {
    Step.GREETING: 300.0,  # RFC 5321 4.5.3.2.1
    Step.HELLO: 300.0,
    Step.TLS: 120.0,
    Step.LOGIN: 120.0,
    Step.MAIL: 300.0,  # RFC 5321 4.5.3.2.2
    Step.RCPT: 300.0,  # RFC 5321 4.5.3.2.3
    Step.DATA: 120.0,  # RFC 5321 4.5.3.2.4
    Step.MESSAGE: 600.0,  # RFC 5321 4.5.3.2.6
}

_PATIENCE = Patience(handshake_seconds=30.0, reply_seconds=180.0)  # RFC 5321 4.5.3.2.5


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds for the answer at each step, and for one message in all, however the server dribbles.

    ``patience`` is for what is no reply: a handshake, and the taking of a block of the message.
    """

    seconds: Mapping[Step, float] = field(default_factory=lambda: _SECONDS)
    message_seconds: float = 7200.0
    patience: Patience = _PATIENCE
