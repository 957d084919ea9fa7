"""What became of a message, and the notices about it, read with Python's own email package."""

import email.policy
import re
from email import message_from_bytes

from fakes import SignsNothing
from twisted.internet.defer import Deferred

from mailsys.interfaces import Attempt, Progress, QueuedMessage, QueuedRecipient, RecipientState
from mailsys.message.address import Address
from mailsys.message.content import MemoryContent
from mailsys.message.envelope import Envelope, NoticeWish, Notify
from mailsys.message.outcome import Deferred as PutOff
from mailsys.message.outcome import Delivered, Failed, Step
from mailsys.message.reply import Reply
from mailsys.notices.notices import Notices

ANN, BOB = Address("ann", "home.test"), Address("bob", "far.test")
MX = "mx.far.test [192.0.2.9]:25"
BEGAN, NOW = 1_795_590_000.0, 1_795_600_000.0
LIFETIME = 5 * 86_400.0
BODY = (
    b"From: Ann <ann@home.test>\r\nTo: bob@far.test\r\nSubject: Lunch\r\n"
    b"Message-ID: <2@home.test>\r\nReferences: <1@far.test>\r\n\r\nAt noon?\r\n"
)
ALL = frozenset({Notify.SUCCESS, Notify.FAILURE, Notify.DELAY})


class NoThreads:
    async def run(self, function, *arguments):
        return function(*arguments)


def result_of(coroutine):
    outcome = []
    Deferred.fromCoroutine(coroutine).addBoth(outcome.append)
    if hasattr(outcome[0], "raiseException"):
        outcome[0].raiseException()
    return outcome[0]


def notices(now=NOW, signer=None):
    async def first_domain():
        return "home.test"

    ids = iter(range(1, 1000))
    return Notices(
        "mx.home.test",
        first_domain,
        lambda: f"notice{next(ids)}.1",
        NoThreads(),
        lambda: now,
        LIFETIME,
        signer or SignsNothing(),
    )


def message(*recipients, body=BODY, sender=ANN, wishes=(), **options):
    to = recipients or (BOB,)
    wish = {one: NoticeWish(*wishes) for one in to} if wishes else {}
    options.setdefault("is_vouched_for", True)
    envelope = Envelope("m.1", sender, to, wishes=wish, **options)
    return QueuedMessage(envelope, BEGAN, MemoryContent((body,)))


def attempt_of(said, step=Step.RCPT, remote=MX, **options):
    """As the remote said it, or as we do when nobody was reached."""
    code, enhanced, text = re.fullmatch(r"(\d{3}) (?:([245]\.\d+\.\d+) )?(.*)", said).groups()
    reply = Reply(int(code), enhanced or "", text)
    outcome = (
        Delivered(remote) if reply.is_positive else PutOff(reply) if reply.is_transient else Failed(reply)
    )
    return Attempt(outcome, step, remote, "", said if remote else "", **options)


def became(state, said, step=Step.RCPT, *, remote=MX, address=BOB, at=NOW, reason="", **options):
    attempt = attempt_of(said, step, remote, **options)
    return Progress(QueuedRecipient(address, 1), state, at, attempt, 0.0, reason or said)


def failed(said, *arguments, **options):
    return became(RecipientState.FAILED, said, *arguments, **options)


def composed(about, *progress):
    return list(result_of(notices().compose(about, progress)))


class Read:
    """One notice, read as another program does."""

    def __init__(self, notice):
        self.envelope = notice.envelope
        self.octets = b"".join(notice.content.pieces())
        self.message = message_from_bytes(self.octets, policy=email.policy.default)
        assert not self.message.defects
        assert self.octets.count(b"\r\n") == self.octets.count(b"\n") == self.octets.count(b"\r")
        assert max(map(len, self.octets.split(b"\r\n"))) <= 998
        self.parts = list(self.message.iter_parts())
        self.text = self.parts[0].get_content().replace("\r\n", "\n")
        # Python reads the groups of fields as messages, each of a header alone.
        self.about_message, *self.recipients = self.parts[1].get_payload()

    @property
    def sentence(self):
        """The first paragraph as one line."""
        return " ".join(self.text.split("\n\n")[0].split())


def read(about, *progress):
    """The only notice about this."""
    [notice] = composed(about, *progress)
    return Read(notice)
