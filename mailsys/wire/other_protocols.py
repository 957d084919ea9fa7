"""Talk that is not mail: a browser, a TLS hello or an SSH client on a mail port.

Such a peer is refused at its first bytes, since what it sends could hold lines that look like
commands (cross-protocol attacks).
"""

from __future__ import annotations

import re

# A request line of HTTP, an SSH identification (RFC 4253 4.2), a TLS handshake record (RFC 8446 5.1),
# SSL 2.0's hello, and any control character, which no mail client begins with.
_FIRST_BYTES = re.compile(
    rb"(?i:GET|POST|PUT|HEAD|DELETE|OPTIONS|CONNECT|TRACE|PATCH|PRI) |SSH-"
    rb"|\x16\x03|\x80.\x01|[\x00-\x09\x0b\x0c\x0e-\x1f]",
    re.DOTALL,
)
LONGEST_MARK = 8  # octets that are enough to tell


def speaks_other_protocol(first: bytes) -> bool:
    """Do the first bytes of a connection belong to another protocol?"""
    return _FIRST_BYTES.match(first) is not None
