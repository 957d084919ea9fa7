"""Why a session with a host came to nothing, as the reply that its recipients get."""

from __future__ import annotations

from mailsys.message.outcome import Step
from mailsys.message.reply import Reply

# Ours, where the remote said nothing that would do.  The codes are those of RFC 3463.
NO_CONNECTION = Reply(451, "4.4.1", "No connection")
LOST = Reply(451, "4.4.2", "The connection was lost")
NO_PROTOCOL = Reply(451, "4.5.0", "Does not speak SMTP")
NO_NAMES = Reply(451, "4.4.3", "DNS does not answer")
NOT_PROTECTED = Reply(451, "4.7.5", "No TLS as it is demanded")
NOT_LOGGED_IN = Reply(454, "4.7.0", "The login was refused")
UNREADABLE = Reply(451, "4.3.0", "The message cannot be read here for the moment")
NO_SUCH_DOMAIN = Reply(550, "5.1.2", "There is no such domain")
TAKES_NO_MAIL = Reply(556, "5.1.10", "The domain takes no mail")  # RFC 7505 4.2
NO_HOST = Reply(550, "5.4.4", "No host takes mail for the domain")
LOOP = Reply(554, "5.4.6", "Mail for the domain would come back to this host")
TOO_BIG = Reply(552, "5.3.4", "The message is too large for the host")
NEEDS_SMTPUTF8 = Reply(550, "5.6.7", "The host does not take addresses or headers beyond ASCII")
CANNOT_CONVERT = Reply(
    554, "5.6.3", "The message cannot be written in ASCII, and the host takes nothing else"
)
CANNOT_SEND_BINARY = Reply(554, "5.6.1", "The message is binary, and the host takes only lines")
BROKEN_HERE = Reply(451, "4.3.0", "Something went wrong here")


class Trouble(Exception):  # noqa: N818 - an outcome like others
    """Nothing can be handed over in this session; the rest of its recipients get ``reply``.

    ``said`` is the remote's part in it, ``is_uncertain`` that it may have taken the message.  ``remote``
    and ``tls`` are as an attempt tells them, once it is known.
    """

    def __init__(self, step: Step, reply: Reply, said: str = "", *, is_uncertain: bool = False) -> None:
        super().__init__(str(reply))
        self.step = step
        self.reply = reply
        self.said = said
        self.remote = ""
        self.tls = ""
        self.is_uncertain = is_uncertain


def from_remote(step: Step, reply: Reply) -> Trouble:
    """The remote said no, in its own words."""
    return Trouble(step, reply, str(reply))
