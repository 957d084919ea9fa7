"""An envelope as plain JSON values and back: the form in which it lies in log and queue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mailsys.message.address import Address
from mailsys.message.envelope import Body, Envelope, NoticeWish, Notify, Return


def describe(envelope: Envelope) -> dict[str, Any]:
    """All of it.  What a sender wants to hear (RFC 3461) is left out where it said nothing."""
    description: dict[str, Any] = {
        "id": envelope.id,
        "from": written(envelope.reverse_path) if envelope.reverse_path else None,
        "to": [written(recipient) for recipient in envelope.recipients],
        "body": envelope.body.value,
        "smtputf8": envelope.smtputf8,
    }
    if envelope.notice_return is not None:
        description["notice_return"] = envelope.notice_return.value
    if envelope.notice_id:
        description["notice_id"] = envelope.notice_id
    if envelope.is_vouched_for:
        description["vouched_for"] = True
    if envelope.wishes:
        description["wishes"] = {
            written(recipient): {
                "notify": sorted(one.value for one in wish.notify),
                "original": wish.original,
            }
            for recipient, wish in envelope.wishes.items()
        }
    if envelope.forwarded:
        description["forwarded"] = describe_forwarded(envelope.forwarded)
    return description


def read(described: Mapping[str, Any]) -> Envelope:
    """The envelope; raises ValueError, KeyError, TypeError, AttributeError for what is none."""
    reverse_path, notice_return = described["from"], described.get("notice_return")
    return Envelope(
        id=described["id"],
        reverse_path=read_address(reverse_path) if reverse_path is not None else None,
        recipients=tuple(map(read_address, described["to"])),
        body=Body(described["body"]),
        smtputf8=described["smtputf8"],
        notice_return=Return(notice_return) if notice_return is not None else None,
        notice_id=described.get("notice_id", ""),
        wishes={
            read_address(recipient): NoticeWish(frozenset(map(Notify, wish["notify"])), wish["original"])
            for recipient, wish in described.get("wishes", {}).items()
        },
        is_vouched_for=described.get("vouched_for", False),
        forwarded=read_forwarded(described),
    )


def describe_forwarded(forwarded: Mapping[Address, Address]) -> dict[str, str]:
    """Each target with the address of ours that stands for it."""
    return {written(target): written(alias) for target, alias in forwarded.items()}


def read_forwarded(described: Mapping[str, Any]) -> dict[Address, Address]:
    """What :func:`describe_forwarded` wrote, if it is there."""
    return {
        read_address(target): read_address(alias) for target, alias in described.get("forwarded", {}).items()
    }


def written(address: Address) -> str:
    """Without quotes, since the domain has no ``@`` and so ends what is before the last one."""
    return f"{address.local_part}@{address.domain}"


def read_address(text: str) -> Address:
    """What :func:`written` wrote."""
    local_part, _, domain = text.rpartition("@")
    return Address(local_part, domain)
