"""The base subject: without the marks of replies, forwards and lists (RFC 5256 2.1)."""

from __future__ import annotations

import re

_SPACE = re.compile(r"\s+")
# subj-trailer: "(fwd)" and white space
_TRAILER = re.compile(r"(?:\s|\(fwd\))+\Z", re.IGNORECASE)
# subj-blob = "[" *BLOBCHAR "]" *WSP; subj-refwd = ("re" / ("fw" ["d"])) *WSP [subj-blob] ":"
_BLOB = re.compile(r"\[[^\[\]]*+\]\s*+")
_REPLY = re.compile(r"(?:re|fwd?)\s*+(?:\[[^\[\]]*+\]\s*+)?:\s*+", re.IGNORECASE)
_FORWARDED = re.compile(r"\[fwd:(.*)\]\Z", re.IGNORECASE)
LONGEST = 2000  # characters; a subject is no novel
_ROUNDS = 100


def base_subject(subject: str) -> tuple[str, bool]:
    """The base of a decoded subject, and whether it was one of a reply or a forward."""
    text = _SPACE.sub(" ", subject[:LONGEST]).strip()
    is_reply = False
    for _ in range(_ROUNDS):
        bare = _TRAILER.sub("", text)
        is_reply = is_reply or "(" in text[len(bare) :]
        bare, found = _without_leaders(bare)
        is_reply = is_reply or found
        inner = _FORWARDED.match(bare)
        if inner is None:
            return bare, is_reply
        text, is_reply = inner[1].strip(), True
    return text, is_reply


def _without_leaders(text: str) -> tuple[str, bool]:
    """Take off "Re:" and "[list]", but leave a blob that is all there is."""
    is_reply, at = False, 0
    while True:
        start = at
        while blob := _BLOB.match(text, start):
            start = blob.end()
        if reply := _REPLY.match(text, start):
            at, is_reply = reply.end(), True
        elif (blob := _BLOB.match(text, at)) and blob.end() < len(text):
            at = blob.end()
        else:
            return text[at:].strip(), is_reply
