"""The shared suite of logins (``login_rows``), over each protocol that has them."""

from login_house import OLD, OWN, LoginCase
from login_rows import ImapDoor, LoginRows, Pop3Door, SmtpDoor

from mailsys.accounts.accounts import NewAccount
from mailsys.accounts.credentials import own_credentials
from mailsys.message.address import Address


class Case(LoginCase):
    old = OLD

    def own(self, password):
        return own_credentials(password)

    def new(self, name, credentials=OWN):
        return NewAccount(self.address_of(name), credentials)

    def address_of(self, name):
        return Address(name, "a.test")


class SmtpTests(LoginRows, Case):
    door = SmtpDoor


class Pop3Tests(LoginRows, Case):
    door = Pop3Door


class ImapTests(LoginRows, Case):
    door = ImapDoor
