"""PLAIN and LOGIN: the password itself comes over the wire."""

from __future__ import annotations

from mailsys.wire.sasl.steps import Challenge, Credentials, Failed, Refusal, ScramKeys, Step


class Plain:
    """RFC 4616: ``authzid NUL authcid NUL password`` in a single response."""

    def begin(self, initial: bytes | None) -> Step:
        """Ask for the response with an empty challenge if it did not come along."""
        return Challenge(b"") if initial is None else self.step(initial)

    def step(self, response: bytes) -> Step:
        """Take the credentials apart."""
        parts = response.split(b"\0")
        if len(parts) != 3:
            return Failed(Refusal.MALFORMED)
        acting_as, name, password = parts
        if acting_as and acting_as != name:
            return Failed(Refusal.OTHER_IDENTITY)
        return _credentials(name, password)

    def keys(self, keys: ScramKeys) -> Step:
        """None are ever asked for."""
        raise AssertionError("PLAIN needs no keys")


class Login:
    """Name and password in two responses: never standardised, still what some programs speak."""

    def __init__(self) -> None:
        self._name: bytes | None = None

    def begin(self, initial: bytes | None) -> Step:
        """Ask for the name if it did not come along."""
        return Challenge(b"Username:") if initial is None else self.step(initial)

    def step(self, response: bytes) -> Step:
        """Take the name first, then the password."""
        if self._name is None:
            self._name = response
            return Challenge(b"Password:")
        return _credentials(self._name, response)

    def keys(self, keys: ScramKeys) -> Step:
        """None are ever asked for."""
        raise AssertionError("LOGIN needs no keys")


def _credentials(name: bytes, password: bytes) -> Step:
    if not name or not password or b"\0" in name + password:
        return Failed(Refusal.MALFORMED)
    try:
        return Credentials(name.decode(), password.decode())
    except UnicodeDecodeError:
        return Failed(Refusal.MALFORMED)
