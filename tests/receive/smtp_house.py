"""An SMTP or LMTP service in memory: two domains of ours, and an intake that keeps what it is given."""

import itertools

from fakes import MemoryJournal, MemoryLogins, SignsNothing
from judge_house import MemoryHistory
from twisted.internet.task import Clock
from zope.interface import implementer

from mailsys.disk import Disk
from mailsys.interfaces import (
    Account,
    ICaughtAddresses,
    IDirectory,
    IHeaderWriter,
    IIntake,
    IMailDrop,
    IQuota,
    ISendingLimits,
    MailboxAction,
    NotStored,
)
from mailsys.judge.early_talker import EarlyTalker
from mailsys.judge.hop_count import HopCount
from mailsys.judge.one_from import OneFrom
from mailsys.judge.own_sender import OwnSender
from mailsys.judge.pipeline import JudgePipeline
from mailsys.message.address import parse_address
from mailsys.message.srs import SenderRewriting, SrsKey
from mailsys.receive.conversation import Conversation
from mailsys.receive.memory import MessageMemory
from mailsys.receive.pace import Terms
from mailsys.receive.reception import Reception, Settings
from mailsys.receive.recipients import Admission
from mailsys.receive.strangers import Patience, Strangers
from mailsys.route.in_order import RoutersInOrder
from mailsys.route.returned import ReturnRouter
from mailsys.route.router import Router
from mailsys.submit.senders import Senders
from mailsys.threads import NoThreads

NOW = 1795446245.0  # Mon, 23 Nov 2026 15:04:05 +0000
REWRITING = SenderRewriting([SrsKey(b"k" * 32)], lambda: int(NOW // 86_400))
JUDGES = (EarlyTalker(0.3, ()), OneFrom(), HopCount())


@implementer(IDirectory)
class MemoryDirectory:
    """Five people at our.example, one of them with a full mailbox; other.example is caught by bob."""

    def __init__(self):
        quotas = {"small@our.example": 100, "little@our.example": 100, "full@our.example": 1}
        names = ("ann@our.example", "bob@our.example", "jürgen@our.example", *quotas)
        self.accounts = {
            parse_address(name): Account(parse_address(name), quotas.get(name)) for name in names
        }
        self.aliases = {
            "everybody@our.example": "ann@our.example bob@our.example",
            "staff@our.example": "ann@our.example full@our.example",
            "loop@our.example": "loop@our.example",
            "away@our.example": "ann@elsewhere.example",
            "both@our.example": "full@our.example eve@far.example ann@elsewhere.example",
            "*@other.example": "bob@our.example",
        }

    async def is_local(self, domain):
        return domain in ("our.example", "other.example")

    async def account(self, address):
        return self.accounts.get(address)

    async def alias(self, address):
        targets = self.aliases.get(f"{address.local_part}@{address.domain}")
        return None if targets is None else [parse_address(target) for target in targets.split()]

    async def postmaster(self, domain):
        return self.accounts[parse_address("ann@our.example")]


@implementer(IMailDrop)
class PlanningDrop:
    """Only plans; nothing reaches a disk."""

    def __init__(self):
        self._numbers = itertools.count(1)

    def plan(self, account, recipient, head, content_size, *, crlf=True):
        return MailboxAction(account.address, recipient, "INBOX", f"copy{next(self._numbers)}", head)


@implementer(IIntake)
class MemoryIntake:
    """Keeps (acceptance, bytes of the content); ``fault`` is raised instead when it is set."""

    def __init__(self):
        self.accepted = []
        self.fault = None
        self.reads_content = True

    async def commit(self, acceptance):
        if self.fault is not None:
            raise self.fault
        content = b"".join(acceptance.content.pieces()) if self.reads_content else None
        self.accepted.append((acceptance, content))


@implementer(IHeaderWriter)
class MemoryHeaderWriter:
    """Writes ``written``; ``fault`` is raised instead when it is set."""

    name = "memory"

    def __init__(self):
        self.written = ()
        self.fault = None

    async def lines(self, envelope, content):
        if self.fault is not None:
            raise self.fault
        return self.written


@implementer(IQuota)
class MemoryQuota:
    """Every mailbox with a quota is empty, but ``full@``; ``holds`` are those not yet released."""

    def __init__(self):
        self.holds = []
        self.used = []
        self.faults = {}  # by local part

    async def has_room(self, account, octets):
        return account.address.local_part != "full" and octets <= account.quota_bytes

    async def hold(self, account, octets):
        if account.address.local_part in self.faults:
            raise self.faults[account.address.local_part]
        if not await self.has_room(account, octets):
            return False
        self.holds.append(account)
        return True

    def release(self, account, octets, *, used):
        self.holds.remove(account)
        if used:
            self.used.append((account.address.local_part, used))


@implementer(ICaughtAddresses)
class MemoryCaught:
    """Knows what it was told."""

    def __init__(self):
        self.noted = []

    def note(self, account, address):
        self.noted.append((str(account), str(address)))

    async def has_received(self, account, address):
        return (str(account), str(address)) in self.noted


@implementer(ISendingLimits)
class MemoryLimits:
    """So many copies are left; ``held`` is why a message is held; ``fault`` is raised when it is set."""

    def __init__(self):
        self.copies = 1000
        self.held = ""
        self.fault = None
        self.counted = []

    async def left(self, account):
        if self.fault is not None:
            raise self.fault
        return self.copies

    async def count(self, account, recipients):
        if self.fault is not None:
            raise self.fault
        self.counted.append((str(account), [str(one) for one in recipients]))
        return self.held


class MemorySpace:
    """A disk with so many octets above the reserve."""

    def __init__(self, octets=10**12):
        self.octets = octets

    def has_room_for(self, octets):
        return octets < self.octets


class House:
    """What several sessions share; call ``conversation`` with a clock for each of them."""

    def __init__(self, spool="/nonexistent", **settings):
        self.intake = MemoryIntake()
        self.quota = MemoryQuota()
        self.journal = MemoryJournal()
        self.logins = MemoryLogins({"ann@our.example": "correct horse"})
        self.disk = Disk()
        self.judges = JUDGES
        self.header_writers = MemoryHeaderWriter()
        self.signer = SignsNothing()
        self.deliveries = {}
        self.routers = []
        self.relays_for = ()
        self.aliases = {}  # besides those of the directory
        self.space = MemorySpace()
        self.caught = MemoryCaught()
        self.history = MemoryHistory()
        self.limits = MemoryLimits()
        self.patience = Patience(messages=1000, unknown=20)
        self.memory = MessageMemory(64 * 1024 * 1024)
        self.strangers = None
        self._spool = spool
        self._settings = settings
        self._ids = itertools.count(1)

    def reception(self, clock=None, **settings):
        defaults = {
            "hostname": "mail.our.example",
            "service": "smtp",
            "message_octets": 10_000,
            "recipients": 100,
            "pace": Terms(command_seconds=300.0, data_seconds=180.0, data_rate=500),
            "errors": 20,
            "error_pause": 0.1,
            "plaintext": "loopback",
            "first_domain": self._first_domain,
        }
        settings = Settings(**{**defaults, **self._settings, **settings})
        judges = JudgePipeline(self._judges(settings.service))
        clock = clock or Clock()
        if self.strangers is None:
            self.strangers = Strangers(clock.seconds, self.patience)
        return Reception(
            settings=settings,
            judges=judges,
            header_writers=self.header_writers,
            signer=self.signer,
            deliveries=self.deliveries,
            admission=Admission(
                settings.recipients,
                judges,
                self._router(),
                self.quota,
                self.deliveries,
                self.relays_for,
                self.limits if settings.service == "submission" else None,
            ),
            quota=self.quota,
            intake=self.intake,
            drop=PlanningDrop(),
            caught=self.caught,
            history=self.history,
            limits=self.limits,
            logins=self.logins,
            strangers=self.strangers,
            memory=self.memory,
            journal=self.journal,
            disk=self.disk,
            workers=NoThreads(),
            space=self.space,
            spool=self._spool,
            new_id=lambda: f"session{next(self._ids)}",
            now=lambda: NOW,
            clock=clock,
        )

    def _judges(self, service):
        if service != "submission":
            return self.judges
        return (OneFrom(), OwnSender(Senders(self._router(), self.caught)), HopCount())

    def _router(self):
        directory = MemoryDirectory()
        directory.aliases.update(self.aliases)
        known = RoutersInOrder([*self.routers, Router(directory, "+")])
        return RoutersInOrder([ReturnRouter(directory, REWRITING, known), known])

    async def _first_domain(self):
        return "our.example"

    def conversation(self, clock, **settings):
        for number in ("message_octets", "recipients", "errors"):
            if number in settings:
                settings[number] = int(settings[number])
        return Conversation(self.reception(clock, **settings))

    def refuse_to_store(self):
        self.intake.fault = NotStored("the disk is full")

    @property
    def contents(self):
        return [content for _, content in self.intake.accepted]

    @property
    def takers(self):
        return [
            [str(action.account) for action in acceptance.actions] for acceptance, _ in self.intake.accepted
        ]
