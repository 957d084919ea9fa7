"""Why a recipient was not reached, and what its sender can do: from step, codes and known texts.

What is known of a text comes before what is known of a code, for many hosts give a code that says less.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from mailsys.message.outcome import Step


class Fault(Enum):
    """What of ours may be at fault, so that it is worth a look."""

    AUTHENTICATION = "SPF, DKIM, DMARC"
    REVERSE_NAME = "PTR"
    BLOCKLIST = "a list of others"


@dataclass(frozen=True, slots=True)
class Cause:
    """Two parts of a letter: ``what`` goes on from "… could not be delivered:", ``advice`` is a sentence.

    ``{domain}`` is that of the recipient, ``{sender_domain}`` that of the sender.  ``blocklist`` names one.
    """

    what: str
    advice: str
    fault: Fault | None = None
    blocklist: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """What an attempt ended with: ``text`` are the words of the remote, or ours where it had none."""

    step: Step | None
    code: int
    enhanced: str
    text: str


_SPELLING = "Check how the address is written, or ask the recipient for it by phone, and send it again."
_OTHER_WAY = "Reach the recipient by other means, or try again in a few days."
_POSTMASTER = "You cannot change that: send this notice to whoever runs this mail host."
_SMALLER = "Send it without its large attachments, for instance with a link to them."
_THEIR_TROUBLE = "The trouble is at the other side: tell the recipient by other means, or try again later."

NO_SUCH_USER = Cause("there is no such mailbox.", _SPELLING)
FULL = Cause("the mailbox is full.", "Tell the recipient by other means to make room, then send it again.")
TOO_BIG = Cause("the message is larger than the other host takes.", _SMALLER)
SPAM = Cause(
    "the other host took it for spam.",
    "If it is none, write it in other words, with fewer links and attachments, and send it again.",
)
BLOCKLISTED = Cause(
    "the other host refuses all mail from this mail host, whose address is on a blocklist.", _POSTMASTER
)
NOT_AUTHENTIC = Cause(
    "the other host found no proof that the message comes from {sender_domain} (SPF, DKIM, DMARC).",
    "Send it through the mail host of {sender_domain}; if that is this one, tell whoever runs it.",
    Fault.AUTHENTICATION,
)
NO_TLS = Cause("no connection could be made that is as safe as one of both sides demands.", _THEIR_TROUBLE)
LOOP = Cause(
    "the message goes round in a circle between hosts.",
    "Somebody's forwarding leads back to where it began: tell the recipient by other means.",
)
NEEDS_UTF8 = Cause(
    "the other host does not take addresses or header lines with letters beyond ASCII.",
    "Use another address of yours or of the recipient, one without such letters, and send it again.",
)
NEEDS_8BIT = Cause(
    "the other host does not take messages in the form in which this one was written.",
    "Send it as plain text, or with its contents in an attachment.",
)
NO_DOMAIN = Cause(
    "there is no domain {domain}.", "Check how the address is written behind the @, and send it again."
)
NULL_MX = Cause(
    "the domain {domain} says that it takes no mail at all.",
    "Check how the address is written behind the @, or reach the recipient by other means.",
)
NO_HOST = Cause(
    "no host takes mail for {domain}.", "Check how the address is written behind the @. " + _OTHER_WAY
)
DISABLED = Cause("the mailbox is closed.", "Reach the recipient by other means.")
NOT_ALLOWED = Cause(
    "the other host does not let you write to this address.",
    "The address may be for members or colleagues only: ask the recipient by other means.",
)
VIRUS = Cause(
    "the other host found something harmful in the message.",
    "Scan your computer, and send it without its attachments.",
)
TOO_MUCH_MAIL = Cause(
    "the other host gets more mail from here than it wants.", "Wait some hours, and send it again."
)
GREYLISTED = Cause("the other host lets unknown senders wait.", "Send it once more in an hour.")
NO_REVERSE_NAME = Cause(
    "the other host refuses mail from hosts like this one, whose address has no name in the DNS.",
    _POSTMASTER,
    Fault.REVERSE_NAME,
)
CONTENT_LOST = Cause(
    "its content was lost on this mail host.", "Send it again, and tell whoever runs this mail host."
)
UNREACHABLE = Cause("no host of {domain} could be reached.", _THEIR_TROUBLE)
BROKEN_OFF = Cause("the connection with the other host broke off.", _THEIR_TROUBLE)
NO_NAMES = Cause("the DNS did not tell which host takes mail for {domain}.", _THEIR_TROUBLE)
OUR_RELAY = Cause("this mail host could not log in where it hands on its mail.", _POSTMASTER)
REFUSED = Cause("the other host refused it.", "Its own words below may say why. " + _OTHER_WAY)
NOT_NOW = Cause("the other host did not take it.", _THEIR_TROUBLE)


# The address is not the one that the sender wrote.
_FORWARDED_ASTRAY = frozenset({NO_SUCH_USER, NO_DOMAIN, NULL_MX, NO_HOST, DISABLED})


def of_forwarded(cause: Cause) -> Cause:
    """What the sender of mail that was forwarded can do about it."""
    if cause not in _FORWARDED_ASTRAY:
        return cause
    return Cause(
        cause.what, "The forwarding leads astray: tell the people behind the address by other means."
    )


def _blocked_by(name: str) -> Cause:
    return Cause(
        f"the other host refuses mail from this mail host, whose address is on the blocklist of {name}.",
        _POSTMASTER,
        Fault.BLOCKLIST,
        name,
    )


def _text(pattern: str, cause: Cause) -> tuple[re.Pattern[str], Cause]:
    return re.compile(pattern, re.IGNORECASE), cause


# Matched against "code enhanced text", the first that fits.
_TEXTS: Sequence[tuple[re.Pattern[str], Cause]] = (
    _text(r"content is not on the disk", CONTENT_LOST),
    _text(r"spamhaus", _blocked_by("Spamhaus")),
    _text(r"barracuda(central|networks)|\bbrbl\b", _blocked_by("Barracuda")),
    _text(r"spamcop", _blocked_by("SpamCop")),
    _text(r"uceprotect", _blocked_by("UCEPROTECT")),
    _text(r"abusix", _blocked_by("Abusix")),
    _text(r"invaluement", _blocked_by("Invaluement")),
    # Microsoft, from 2025 on: senders of much mail must have SPF, DKIM and DMARC.
    _text(r"5\.7\.515\b|required authentication level", NOT_AUTHENTIC),
    _text(r"\(S31[45]0\)|5\.7\.(51[1-3]|60[6-9]|6[1-4]\d)\b|banned sending ip", _blocked_by("Microsoft")),
    _text(r"\bTSS\d\d\b", TOO_MUCH_MAIL),
    # RFC 7372: 5.7.20 to 5.7.26; Google says 5.7.26 for what is neither of SPF nor of DKIM.
    _text(
        r"5\.7\.2[0-46]\b|\bdmarc\b|unauthenticated email|\bspf\b.*\b(fail|check|not allowed)", NOT_AUTHENTIC
    ),
    _text(r"[45]\.7\.25\b|reverse (dns|lookup|hostname)|\bptr record\b|rdns", NO_REVERSE_NAME),
    _text(r"gr[ea]ylist", GREYLISTED),
    _text(
        r"[45]\.7\.28\b|rate.?limit|too (many|much) (messages|mail|connections)|receiving mail at a rate",
        TOO_MUCH_MAIL,
    ),
    _text(
        r"blocked using|block ?list|black ?list|\bdnsbl\b|\brbl\b|poor reputation|listed (at|by|in|on) ",
        BLOCKLISTED,
    ),
    _text(r"\bvirus|malware|phish", VIRUS),
    _text(r"must issue a starttls|(encryption|tls) (is )?(required|needed)|5\.7\.(10|30)\b", NO_TLS),
    _text(r"too many hops|mail loop|loops? back|loop detected", LOOP),
    _text(
        r"over ?quota|quota (is )?exceeded|exceeded.{0,20}quota|mailbox (is )?full|out of storage"
        r"|insufficient.{0,20}space",
        FULL,
    ),
    _text(r"message (size|is|file)? ?(too (big|large)|exceeds)|size exceeds|maximum message size", TOO_BIG),
    _text(r"spam|unsolicited|junk mail|bulk mail", SPAM),
    _text(
        r"(no such|unknown|invalid|nonexistent) (local )?(user|recipient|mailbox|address)"
        r"|(user|recipient|mailbox|address)( was| is)? (unknown|not found|invalid)"
        r"|does ?n[o']t exist|user doesn|no mailbox here|550 5\.4\.1 ",
        NO_SUCH_USER,
    ),
    _text(r"(mailbox|account|user|recipient).{0,30}(disabled|inactive|suspended|closed)", DISABLED),
)

# By the last two numbers of the enhanced code (RFC 3463, RFC 5248 and its registry).
_CODES = {
    "1.1": NO_SUCH_USER,
    "1.2": NO_DOMAIN,
    "1.3": NO_SUCH_USER,
    "1.6": DISABLED,
    "1.10": NULL_MX,
    "2.1": DISABLED,
    "2.2": FULL,
    "2.3": TOO_BIG,
    "3.4": TOO_BIG,
    "4.1": UNREACHABLE,
    "4.2": BROKEN_OFF,
    "4.3": NO_NAMES,
    "4.4": NO_HOST,
    "4.6": LOOP,
    "6.1": NEEDS_8BIT,
    "6.3": NEEDS_8BIT,
    "6.7": NEEDS_UTF8,
    "7.1": NOT_ALLOWED,
    "7.4": NO_TLS,
    "7.5": NO_TLS,
}
_STEPS = {
    Step.ROUTE: UNREACHABLE,
    Step.CONNECT: UNREACHABLE,
    Step.TLS: NO_TLS,
    Step.LOGIN: OUR_RELAY,
}


def cause_of(said: Said) -> Cause:
    """The most telling cause that fits."""
    whole = f"{said.code} {said.enhanced} {said.text}"
    for pattern, cause in _TEXTS:
        if pattern.search(whole):
            return cause
    if (found := _CODES.get(said.enhanced.partition(".")[2])) is not None:
        return found
    if said.step in _STEPS:
        return _STEPS[said.step]
    if said.code == 552:
        return FULL if said.step is Step.RCPT else TOO_BIG
    return REFUSED if said.code >= 500 else NOT_NOW
