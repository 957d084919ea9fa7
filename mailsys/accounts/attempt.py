"""One attempt to log in, whatever the protocol: may it be made, is it right, what follows.

An answer that is not "welcome" comes at a set time after the question, however long the work took,
so its time tells nothing; and the longer, the more was wrong before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

from twisted.cred.error import UnauthorizedLogin
from twisted.cred.portal import Portal
from twisted.internet.defer import maybeDeferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from mailsys.accounts.checker import NetworkedLogin
from mailsys.accounts.credentials import is_acceptable
from mailsys.accounts.directory import Directory
from mailsys.accounts.exchange import FAULTS
from mailsys.accounts.guessing.guard import Block, Guard
from mailsys.accounts.guessing.turns import Turns
from mailsys.accounts.portal import IMailUser
from mailsys.accounts.records import Failed, LoginRecords
from mailsys.accounts.scram import Decoys, parse_keys
from mailsys.interfaces import (
    Account,
    DirectoryUnavailable,
    IDirectory,
    LoginFailed,
    LoginFault,
    LoginUnavailable,
    Session,
)
from mailsys.message.address import Address, AddressError, parse_address
from mailsys.wire.sasl import Refusal, ScramKeys

NAME_OCTETS = 320
MOST_FAILURES = 5  # of one connection
TURNED_AWAY_SECONDS = 3.0  # until somebody hears that he is blocked, or that there is no room

log = Logger(namespace="mailsys.accounts")


@dataclass(frozen=True, slots=True)
class Desk:
    """What all attempts of a host share.

    ``accounts`` has those of further sources beside ours, of ``directory``, if it ``has_sources``.
    """

    portal: Portal
    accounts: IDirectory
    directory: Directory
    has_sources: bool
    guard: Guard
    turns: Turns
    records: LoginRecords
    decoys: Decoys
    clock: IReactorTime


class Attempt:
    """``name`` is as the client gave it, ``full_name`` with its domain."""

    def __init__(self, desk: Desk, session: Session, mechanism: str, default_domain: str) -> None:
        self._desk = desk
        self._session = session
        self._mechanism = mechanism
        self._default_domain = default_domain
        self._name = ""
        self._address: Address | None = None
        self._stamp = ""
        self._asked_at = desk.clock.seconds()
        self._claimant = desk.records.claimant("", None, session.peer.host)

    # ------------------------------------------------------------------ what an exchange asks

    async def password(self, name: str, password: str) -> Account:
        """Let somebody in who knows the password; raises LoginFailed."""
        try:
            # Refused without a look at the accounts, so the time tells nothing about them.
            if not _is_name(name):
                await self._fail(None)
            await self._claim(name)
            if not is_acceptable(password):
                await self._fail(None)
            await self._demand_turn()
            try:
                return await self._log_in(password)
            except UnauthorizedLogin:
                await self._fail(password)
        except (DirectoryUnavailable, LoginUnavailable) as error:
            await self._turn_away(LoginFault.UNAVAILABLE, str(error))

    async def keys(self, name: str) -> ScramKeys:
        """The SCRAM keys of a name; of nobody when there is no such account."""
        try:
            if not _is_name(name):
                return self._desk.decoys.keys(name)
            await self._claim(name)
            stored = await self._desk.directory.scram_keys(self._address) if self._address else None
            return parse_keys(stored) if stored else self._desk.decoys.keys(self._claimant.name)
        except (DirectoryUnavailable, ValueError) as error:
            await self._turn_away(LoginFault.UNAVAILABLE, str(error))

    async def proven(self) -> Account:
        """The proof was right; who is blocked hears the same as if it were wrong."""
        try:
            await self._demand_turn()
            return await self._enter(str(self._address).encode())
        except UnauthorizedLogin:  # disabled a moment ago
            await self._fail(None)
        except (DirectoryUnavailable, LoginUnavailable) as error:
            await self._turn_away(LoginFault.UNAVAILABLE, str(error))

    async def refused(self, refusal: Refusal) -> NoReturn:
        """The exchange has failed; only a wrong proof is a guess."""
        self._asked_at = self._desk.clock.seconds()
        if refusal is Refusal.WRONG_PROOF:
            await self._demand_turn()
            await self._fail(None)
        if FAULTS[refusal] is LoginFault.WRONG and self._name:
            await self._record(refusal.value)
        if refusal is not Refusal.CANCELLED:
            self._session.failed_logins += 1
        raise self._failure(FAULTS[refusal])

    # ------------------------------------------------------------------ inside

    async def _claim(self, name: str) -> None:
        """Note who somebody says to be."""
        self._asked_at = self._desk.clock.seconds()
        self._name = name
        self._address = self._read(name, await self._domain())
        if self._address is not None:
            # Read before the password is: what is changed meanwhile ends the session.
            self._stamp = self._desk.directory.stamp(self._address)
        self._claimant = self._desk.records.claimant(name, self._address, self._session.peer.host)

    async def _domain(self) -> str:
        return self._default_domain or await self._desk.directory.first_domain() or ""

    def _read(self, name: str, domain: str) -> Address | None:
        try:
            return parse_address(name if "@" in name else f"{name}@{domain}").folded()
        except AddressError:
            return None

    async def _demand_turn(self) -> None:
        """Raise LoginFailed when it may not try now, and wait while others are before it."""
        guard, claimant = self._desk.guard, self._claimant
        if guard.blocked_seconds(claimant):
            await self._turn_away(LoginFault.BLOCKED, "blocked")
        if guard.is_paced(claimant):
            line = f"{claimant.name} {claimant.network}"
            if not await self._desk.turns.wait(line):
                await self._turn_away(LoginFault.BLOCKED, "too many wrong passwords from a network it knows")
            self._asked_at = self._desk.clock.seconds()

    async def _log_in(self, password: str) -> Account:
        who = self._claimant
        login = NetworkedLogin(who.name.encode(), password.encode(), who.network, who.is_known)
        _interface, user, _log_out = await self._desk.portal.login(login, None, IMailUser)
        return self._welcome(IMailUser(user).account)

    async def _enter(self, avatar_id: bytes) -> Account:
        realm = self._desk.portal.realm
        _interface, user, _log_out = await maybeDeferred(realm.requestAvatar, avatar_id, None, IMailUser)
        return self._welcome(IMailUser(user).account)

    def _welcome(self, account: Account) -> Account:
        # Another checker may know the account by another name.
        session = self._session
        session.login = account.address
        same = account.address == self._address
        session.login_stamp = self._stamp if same else self._desk.directory.stamp(account.address)
        self._desk.guard.succeeded(self._claimant)
        self._desk.records.succeeded(session, self._name, self._claimant, self._mechanism)
        return account

    async def _fail(self, password: str | None) -> NoReturn:
        """A wrong password: count it, and say so after a while."""
        penalty = self._desk.guard.failed(self._claimant, password)
        await self._record(await self._reason(), penalty.blocks)
        self._session.failed_logins += 1
        if self._claimant.is_known and self._desk.guard.place_blocked_seconds(self._claimant.host):
            # Strangers there hear this at once; that a name is known there is not for them to hear.
            await self._answer_after(TURNED_AWAY_SECONDS)
            raise self._failure(LoginFault.BLOCKED)
        await self._answer_after(penalty.pause_seconds)
        raise self._failure(LoginFault.WRONG)

    async def _reason(self) -> str:
        """For the operator alone."""
        account = await self._account()
        if account is None:
            return "there is no such account"
        return "wrong password" if account.active else "the account is disabled"

    async def _account(self) -> Account | None:
        try:
            return await self._desk.accounts.account(self._address) if self._address else None
        except DirectoryUnavailable:
            return None

    async def _turn_away(self, fault: LoginFault, why: str) -> NoReturn:
        await self._record(why)
        self._session.failed_logins += 1
        await self._answer_after(TURNED_AWAY_SECONDS)
        raise self._failure(fault)

    async def _record(self, why: str, blocks: tuple[Block, ...] = ()) -> None:
        has_account = await self._account() is not None
        failed = Failed(self._claimant, self._name, self._mechanism, why, has_account, blocks)
        self._desk.records.failed(self._session, failed)

    async def _answer_after(self, seconds: float) -> None:
        left = self._asked_at + seconds - self._desk.clock.seconds()
        if left > 0:
            await deferLater(self._desk.clock, left)

    def _failure(self, fault: LoginFault) -> LoginFailed:
        return LoginFailed(fault, is_last=self._session.failed_logins >= MOST_FAILURES)


def _is_name(name: str) -> bool:
    try:
        return 0 < len(name.encode()) <= NAME_OCTETS
    except UnicodeEncodeError:  # a lone surrogate: the client did not send UTF-8
        return False
