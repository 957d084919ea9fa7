"""What tests of DKIM need: to wait for a coroutine that never waits, and a DNS with keys."""

from functools import cache

from twisted.internet.defer import Deferred
from zones import ZoneResolver

from mailsys.dkim.body_hash import hash_body_here
from mailsys.dkim.key_file import State, make_pair
from mailsys.dkim.sign import WANTED, signature_fields
from mailsys.dkim.signed_header import read_signed_header
from mailsys.dkim.verify import verify
from mailsys.message.content import MemoryContent
from mailsys.threads import NoThreads

NOW = 1_800_000_000


def result_of(coroutine):
    """What it returns, or raises."""
    kept = []
    Deferred.fromCoroutine(coroutine).addBoth(kept.append)
    [result] = kept
    if hasattr(result, "raiseException"):
        result.raiseException()
    return result


def txt_line(name, text):
    """A zone line, the text in strings of 255 octets."""
    strings = " ".join(f'"{text[at : at + 255]}"' for at in range(0, len(text), 255)) or '""'
    return f"{name} 60 TXT {strings.replace(';', chr(92) + ';')}"


def zone_with(texts):
    """A DNS with these TXT records by name."""
    return ZoneResolver("\n".join(txt_line(name, text) for name, text in texts.items()))


def verified(message, resolver, now=NOW):
    """The results of a message in octets."""
    return result_of(verify(MemoryContent([message]), resolver, now, NoThreads()))


def signed(message, keys, now=NOW, valid_seconds=7 * 86400):
    """The message with a signature of each key on top."""
    content = MemoryContent([message])
    header = read_signed_header(content)
    digest = hash_body_here(content, header.body_start, [WANTED])[WANTED].digest
    return b"".join(signature_fields(header, digest, keys, now, now + valid_seconds)) + message


@cache
def pair(domain="example.org"):
    """An RSA and an Ed25519 key, and a DNS that has their records."""
    stored = make_pair(domain, "test", State.ACTIVE, NOW)
    return [key.signing_key() for key in stored], {key.name: key.record for key in stored}
