"""The command lines of a client: MAIL and RCPT with the parameters that the server understands.

No line can hold a CR, LF or any other control character, whatever its parts are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mailsys.message.address import Address
from mailsys.message.envelope import Body, Envelope, NoticeWish, Notify, render_path
from mailsys.message.xtext import encode_utf8_address, encode_xtext
from mailsys.wire.smtp.offers import Offers

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NOTIFY = (Notify.NEVER, Notify.SUCCESS, Notify.FAILURE, Notify.DELAY)


@dataclass(frozen=True, slots=True)
class Order:
    """One message to hand over: for some of the envelope's recipients, with what is true of its octets.

    ``body`` and ``smtputf8`` may differ from the envelope's, if the content was changed for this server;
    ``size_octets`` is None when it is not known.
    """

    envelope: Envelope
    recipients: tuple[Address, ...]
    size_octets: int | None = None
    body: Body = Body.SEVEN_BIT
    smtputf8: bool = False


def command_line(text: str) -> bytes:
    """Return the line for the wire; raises ValueError for what would be more than one line."""
    if _CONTROL.search(text):
        raise ValueError("a command line must not hold control characters")
    return text.encode() + b"\r\n"


def mail_line(order: Order, offers: Offers) -> bytes:
    """MAIL with SIZE, BODY, SMTPUTF8, RET and ENVID, each where it is offered."""
    parameters = []
    if "SIZE" in offers and order.size_octets is not None:
        parameters.append(f"SIZE={order.size_octets}")  # RFC 1870 5
    if order.body is Body.BINARY_MIME or (order.body is Body.EIGHT_BIT_MIME and "8BITMIME" in offers):
        parameters.append(f"BODY={order.body.value}")  # RFC 6152, RFC 3030 3
    if order.smtputf8:
        parameters.append("SMTPUTF8")  # RFC 6531 3.4
    if "DSN" in offers:
        parameters += _message_wishes(order.envelope)
    return command_line(" ".join([f"MAIL FROM:{render_path(order.envelope.reverse_path)}", *parameters]))


def rcpt_line(order: Order, recipient: Address, offers: Offers) -> bytes:
    """RCPT with NOTIFY and ORCPT where they are offered."""
    line = f"RCPT TO:<{recipient}>"
    if "DSN" in offers:
        line = " ".join([line, *_recipient_wishes(order.envelope.wish(recipient))])
    return command_line(line)


def _message_wishes(envelope: Envelope) -> list[str]:
    """RFC 3461 4.3 and 4.4."""
    parameters = []
    if envelope.notice_return is not None:
        parameters.append(f"RET={envelope.notice_return.value}")
    if envelope.notice_id:
        parameters.append(f"ENVID={encode_xtext(envelope.notice_id)}")
    return parameters


def _recipient_wishes(wish: NoticeWish) -> list[str]:
    """RFC 3461 4.1 and 4.2; RFC 6533 3 for an address beyond ASCII."""
    parameters = []
    if wish.notify:
        parameters.append("NOTIFY=" + ",".join(word.value for word in _NOTIFY if word in wish.notify))
    if wish.original:
        kind, _semicolon, address = wish.original.partition(";")
        encode = encode_utf8_address if kind.lower() == "utf-8" else encode_xtext
        parameters.append(f"ORCPT={kind};{encode(address)}")
    return parameters
