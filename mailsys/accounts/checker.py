"""Compares passwords with what is stored, in threads, and renews old hashes on the way.

Whoever guesses learns nothing from the time: for an unknown name a hash is computed all the same,
and after a wrong password for a foreign hash one of ours is computed too.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import IUsernamePassword, UsernamePassword
from twisted.cred.error import UnauthorizedLogin
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from zope.interface import implementer

from mailsys.accounts.credentials import Credential, is_outdated, matches, nobodys, own_credentials
from mailsys.accounts.database import AccountsError, open_database
from mailsys.accounts.directory import Directory
from mailsys.accounts.hashing import HashingQueue
from mailsys.accounts.recent import RecentLogins
from mailsys.interfaces import LoginUnavailable
from mailsys.message.address import Address, AddressError, parse_address

_log = Logger()


@dataclass(frozen=True, slots=True)
class Question:
    """One password to compare; ``path`` is where a renewed hash is stored."""

    path: str
    address: Address
    stored: Credential
    password: str = field(repr=False)  # so that no log can show it


class NetworkedLogin(UsernamePassword):
    """A name and a password, and the network that they come from: who waits for whom depends on it."""

    def __init__(self, name: bytes, password: bytes, network: str, is_known: bool) -> None:
        super().__init__(name, password)
        self.network = network
        self.is_known = is_known


@implementer(ICredentialsChecker)
class StoredPasswords:
    """Checks against ``accounts.sqlite3`` at ``path``; the avatar's id is the folded address."""

    credentialInterfaces = (IUsernamePassword,)

    def __init__(self, directory: Directory, path: str, queue: HashingQueue, recent: RecentLogins) -> None:
        self._directory = directory
        self._path = path
        self._queue = queue
        self._recent = recent
        self._nobody = nobodys()
        self._joined: dict[bytes, list[Deferred[Credential | None]]] = {}  # waiting for the same answer

    def requestAvatarId(self, credentials: UsernamePassword) -> Deferred[bytes | tuple[()]]:
        """Fire with the address, or fail: UnauthorizedLogin, LoginUnavailable, DirectoryUnavailable."""
        return Deferred.fromCoroutine(self._check(credentials))

    async def _check(self, credentials: UsernamePassword) -> bytes | tuple[()]:
        password = credentials.password.decode()
        address = _read_name(credentials.username)
        stored = await self._directory.password(address) if address else None
        if address is None or stored is None:
            address, stored = Address("", credentials.username.decode(errors="replace")), self._nobody
        if not self._recent.has(address, stored, password):
            current = await self._answer(Question(self._path, address, stored, password), credentials)
            if current is None:
                raise UnauthorizedLogin
            self._recent.add(address, current, password)
        return str(address).encode()

    async def _answer(self, question: Question, credentials: UsernamePassword) -> Credential | None:
        """Compare; programs that open some connections at once ask the same, which is computed once."""
        key = self._recent.digest(question.address, question.stored, question.password)
        if key in self._joined:
            mine: Deferred[Credential | None] = Deferred()
            self._joined[key].append(mine)
            return await mine
        joined = self._joined[key] = []
        try:
            answer = await self._compare(question, credentials)
        except BaseException as error:
            del self._joined[key]
            for waiting in joined:
                waiting.errback(LoginUnavailable(str(error)))
            raise
        del self._joined[key]
        for waiting in joined:
            waiting.callback(answer)
        return answer

    async def _compare(self, question: Question, credentials: UsernamePassword) -> Credential | None:
        network, is_known = "", False
        if isinstance(credentials, NetworkedLogin):
            network, is_known = credentials.network, credentials.is_known
        try:
            return await self._queue.run(network, is_known, _compare, question, self._nobody)
        except ValueError as error:
            _log.error(
                "The stored password of {address} cannot be used: {error}",
                address=question.address,
                error=error,
            )
            raise LoginUnavailable("the stored password cannot be used") from error


def _compare(question: Question, nobody: Credential) -> Credential | None:
    """What is stored after a right password; None after a wrong one.  In a worker thread."""
    if not matches(question.stored, question.password):
        if question.stored.is_foreign:
            matches(nobody, question.password)
        return None
    return _renew(question) if is_outdated(question.stored) else question.stored


def _renew(question: Question) -> Credential:
    """Put our own hash in the place of an old one; a failure matters little, the next login tries again."""
    renewed = own_credentials(question.password)
    try:
        database = open_database(question.path)
        try:
            done = database.accounts.renew_password(question.address, question.stored, renewed)
        finally:
            database.close()
    except AccountsError as error:
        _log.warn(
            "The password of {address} could not be renewed: {error}", address=question.address, error=error
        )
        return question.stored
    return renewed[0] if done else question.stored


def _read_name(name: bytes) -> Address | None:
    try:
        return parse_address(name.decode()).folded()
    except (AddressError, UnicodeDecodeError):
        return None
