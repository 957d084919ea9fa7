"""Who wants to hear of changes in an account's folders."""

from __future__ import annotations

from collections.abc import Callable

Listener = Callable[[str], None]


class Listeners:
    """Called with a folder's name; they must not raise.  In the reactor's thread."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def add(self, listener: Listener) -> Callable[[], None]:
        """Call it from now on; call the result to stop, again does no harm."""
        # A listener of its own for each call, though the function may be the same.
        entry: Listener = lambda name: listener(name)  # noqa: E731
        self._listeners.append(entry)

        def stop() -> None:
            if entry in self._listeners:
                self._listeners.remove(entry)

        return stop

    def tell(self, name: str) -> None:
        """Something about this folder is another."""
        for listener in tuple(self._listeners):
            listener(name)
