"""What every source of accounts, and every checker of their passwords, must do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import pytest
from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import IUsernamePassword, UsernamePassword
from twisted.cred.error import UnauthorizedLogin
from twisted.internet.defer import maybeDeferred
from zope.interface.verify import verifyObject

from mailsys.extensions.fit import wrong_account_of
from mailsys.interfaces import IAccounts
from mailsys.message.address import parse_address
from mailsys.testing.samples import ODD_ADDRESSES
from mailsys.testing.services import Asking

WRONG_PASSWORDS = ("", "wrong", "x" * 1024, "pässword", "\t", "%n$s", "'; --")


class AccountsContract(Asking):
    """Give it a fixture ``source``, the addresses that it knows, and ``passwords``, if it checks any."""

    known: Sequence[str] = ()
    unknown: Sequence[str] = ("nobody@example.org",)
    passwords: Mapping[str, str] = MappingProxyType({})

    @pytest.fixture
    def source(self) -> Any:
        """What is tested: an IAccounts, an ICredentialsChecker, or both."""
        raise NotImplementedError

    def test_it_provides_the_interfaces(self, source: Any) -> None:
        """At least one of the two, whole."""
        interfaces = [one for one in (IAccounts, ICredentialsChecker) if one.providedBy(source)]
        assert interfaces
        assert all(verifyObject(interface, source) for interface in interfaces)

    def test_it_knows_its_accounts_and_no_others(self, source: Any) -> None:
        """Exactly the address that it was asked for, or None."""
        if not IAccounts.providedBy(source):
            return
        for text in (*self.known, *self.unknown, *map(str, ODD_ADDRESSES)):
            address = parse_address(text).folded()
            account = self.wait_for(source.account(address))
            assert wrong_account_of(address)(account) == ""
            assert (account is not None) == (text in self.known), text

    def test_a_right_password_gives_the_address(self, source: Any) -> None:
        """The avatar's id is the folded address, in UTF-8."""
        if not self.passwords:
            return
        assert IUsernamePassword in source.credentialInterfaces
        for name, password in self.passwords.items():
            assert self._avatar_id(source, name, password) == str(parse_address(name).folded()).encode()

    @pytest.mark.parametrize("password", WRONG_PASSWORDS)
    def test_a_wrong_password_gives_nothing(self, source: Any, password: str) -> None:
        """Nor does the name of somebody who is not there."""
        if not ICredentialsChecker.providedBy(source):
            return
        for name in (*self.passwords, *self.unknown, "", "no address", "a@b@c", "x" * 320):
            if self.passwords.get(name) != password:
                with pytest.raises(UnauthorizedLogin):
                    self._avatar_id(source, name, password)

    def _avatar_id(self, source: Any, name: str, password: str) -> object:
        login = UsernamePassword(name.encode(), password.encode())
        return self.wait_for(maybeDeferred(source.requestAvatarId, login))
