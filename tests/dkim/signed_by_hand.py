"""Signatures with any tags, as strangers may write them; the hashes are right unless a tag is given."""

import base64

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mailsys.dkim.body_hash import WantedHash, hash_body_here
from mailsys.dkim.sign import SigningKey
from mailsys.dkim.signed_header import read_signed_header
from mailsys.message.content import MemoryContent

MESSAGE = (
    b"From: Ann <ann@example.org>\r\nTo: bob@example.net\r\nSubject: Lunch\r\n"
    b"Date: Mon, 23 Nov 2026 12:00:00 +0000\r\n\r\nAt one?\r\n\r\n  Ann\r\n"
)


def rsa_key(bits=1024):
    return rsa.generate_private_key(65537, bits)


def record_of(key, **tags):
    """The text of its key record, with other tags in place of the usual or beside them."""
    public = key.public_key()
    if isinstance(key, Ed25519PrivateKey):
        kind, octets = "ed25519", public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    else:
        kind, octets = "rsa", public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    usual = {"v": "DKIM1", "k": kind, "p": base64.b64encode(octets).decode()}
    return "; ".join(f"{name}={value}" for name, value in {**usual, **tags}.items())


def sign_by_hand(key, message=MESSAGE, without=(), **tags):
    """The message with a DKIM-Signature whose tags are as given."""
    kind = "ed25519" if isinstance(key, Ed25519PrivateKey) else "rsa"
    usual = {
        "v": "1",
        "a": f"{kind}-sha256",
        "c": "relaxed/relaxed",
        "d": "example.org",
        "s": "sel",
        "h": "from:to:subject:date",
    }
    tags = {**usual, **tags}
    header, _, body = tags["c"].partition("/")
    body = body or "simple"
    content = MemoryContent([message])
    limit = int(tags["l"]) if tags.get("l", "").isdigit() else None
    wanted = WantedHash(body if body == "relaxed" else "simple", limit)
    parsed = read_signed_header(content)
    found = hash_body_here(content, parsed.body_start, [wanted])[wanted]
    tags.setdefault("bh", base64.b64encode(found.digest or bytes(32)).decode())
    text = "; ".join(f"{name}={value}" for name, value in tags.items() if name not in without)
    field = f"DKIM-Signature: {text}; b=".encode()
    if "b" in tags or "b" in without:
        return field.removesuffix(b"; b=") + b"\r\n" + message
    names = [name.strip().lower().encode() for name in tags["h"].split(":")]
    canonicalization = "relaxed" if header == "relaxed" else "simple"
    digest = parsed.digest(canonicalization, names, field + b"\r\n")
    signature = SigningKey("", "", "", key).sign(digest)
    return field + base64.b64encode(signature) + b"\r\n" + message
