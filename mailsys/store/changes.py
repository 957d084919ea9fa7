"""What happened in a mailbox, told to the sessions that have it open."""

from __future__ import annotations

from collections.abc import Callable

from mailsys.message.address import Address

Listener = Callable[[], None]


class ChangeFeed:
    """Calls whoever watches a folder when something in it changed.  In the reactor's thread only."""

    def __init__(self) -> None:
        self._listeners: dict[tuple[Address, str], list[Listener]] = {}
        self._of_accounts: dict[Address, Callable[[str], None]] = {}

    def follow(self, account: Address, listener: Callable[[str], None]) -> None:
        """Call with the folder's name for all that happens to the account, from now on."""
        self._of_accounts[account] = listener

    def subscribe(self, account: Address, folder: str, listener: Listener) -> Callable[[], None]:
        """Watch a folder; call the result once to stop."""
        key = account, folder
        self._listeners.setdefault(key, []).append(listener)

        def unsubscribe() -> None:
            listeners = self._listeners[key]
            listeners.remove(listener)
            if not listeners:
                del self._listeners[key]

        return unsubscribe

    def publish(self, account: Address, folder: str) -> None:
        """Tell those who watch now; a listener must not raise."""
        if account in self._of_accounts:
            self._of_accounts[account](folder)
        for listener in tuple(self._listeners.get((account, folder), ())):
            listener()
