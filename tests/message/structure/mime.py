"""Messages that say how they are made, for tests of what is made of them."""


def message(text):
    """A message with CRLF line ends, from text as one types it."""
    octets = text.encode() if isinstance(text, str) else text
    return octets.replace(b"\n", b"\r\n")


def nested(depth):
    """Multiparts in one another, each with a boundary of its own, none of them ended."""
    return b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d."\r\n\r\n--b%d.\r\n' % (n, n) for n in range(depth)
    )


def messages_within(depth):
    """A message in a message in a message."""
    return b"Content-Type: message/rfc822\r\n\r\n" * depth


def drawn(part, octets):
    """A part as (type, header, body or list of parts), from the octets of the file."""
    header = octets[part.start.offset : part.body.offset]
    body = octets[part.body.offset : part.end.offset]
    return part.media_type.decode(), header, [drawn(child, octets) for child in part.children] or body
