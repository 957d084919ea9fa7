"""Why a folder refuses, as response codes (RFC 5530, RFC 9051 7.1, RFC 9208)."""

from __future__ import annotations

from collections.abc import Mapping

from mailsys.interfaces import FolderFault, FolderRefused
from mailsys.wire.imap.responses import Response, no

_CODES: Mapping[FolderFault, str] = {
    FolderFault.NONEXISTENT: "NONEXISTENT",
    FolderFault.EXISTS: "ALREADYEXISTS",
    FolderFault.BAD_NAME: "CANNOT",
    FolderFault.NOT_ALLOWED: "CANNOT",
    FolderFault.HAS_CHILDREN: "HASCHILDREN",
    FolderFault.OVER_QUOTA: "OVERQUOTA",
    FolderFault.LIMIT: "LIMIT",
}


def refusal(refused: FolderRefused, *, is_target: bool = False) -> Response:
    """What the client is told; of a target that is missing, that it may make it (RFC 9051 7.1)."""
    if is_target and refused.fault is FolderFault.NONEXISTENT:
        return no("There is no such folder", "TRYCREATE")
    text = str(refused)
    return no(text[:1].upper() + text[1:], _CODES[refused.fault])
