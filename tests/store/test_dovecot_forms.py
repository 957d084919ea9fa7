"""Dovecot tells a client the same of a message: forms, parts and sizes.

It differs where a message breaks the rules; such messages have tests of their own, and of a collection
of real ones the few that differ are named here.
"""

import re
from pathlib import Path

import pytest
from dovecot import Dovecot, program, unprivileged_folder
from imap_lists import read_lists

from mailsys.message.content import MemoryContent
from mailsys.message.structure.describe import describe_octets
from mailsys.message.structure.scan import scan_octets
from mailsys.message.structure.sections import body_span, find_part, header_span, read_wire
from mailsys.message.structure.strings import as_ascii

MESSAGES = [
    b"Subject: x\n\nbody\n",
    b'From: =?utf-8?q?J=C3=B6rg?= <joerg@x.example>, "Doe, John" <jd@y.example>\nTo: all:;\n'
    b'Cc: Friends: a@b, "Q" <c@d>;, other@e\nBcc: <foo>\nSubject: folded\n subject\n'
    b"Date: Mon, 1 Jan 2024 00:00:00 +0000\nMessage-ID: <a@b>\nIn-Reply-To: <c@d>\n\nbody\nx",
    b"From: J\xc3\xb6rg <joerg@x.example>\r\nSender: s@x\r\nReply-To: r@x\r\n"
    b'Subject: raw \xfc "quoted" and \\ back\r\n\r\nx\r\n',
    b"Content-Type: multipart/mixed; boundary=x\n\npre\n--x\n\nhello\n--x\n"
    b'Content-Type: TEXT/HTML; charset=UTF-8; name*0="a"; name*1=b\nContent-ID: <id@x>\n'
    b'Content-Disposition: attachment; filename="x y.txt"; size=3\nContent-Description: it\n'
    b"Content-Language: en, de\nContent-Location: http://x/\nContent-MD5: abc==\n"
    b"Content-Transfer-Encoding: BASE64\n\nabc\n--x\nContent-Type: message/rfc822\n\n"
    b"From: a@b\nSubject: inner\n"
    b"Content-Type: multipart/alternative; boundary=xy\n\n--xy\n\nA\n--xy\nContent-Type: text/html\n\nB\n"
    b"--xy--\n\n--x--\nepi\n",
    b"Content-Type: multipart/digest; boundary=x\n\n--x\n\nFrom: q@r\n\nhello\n"
    b"--x\nContent-Type: text/plain\n\nhello\n",
    b"Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: text/plain\n"
    b"--x\nContent-Type: image/png\n\n\n--x",
    b"Content-Type: multipart/mixed\n\nhello\n--x\n",
    b"Content-Type: multipart/mixed; boundary=foo\n\n--foo\n"
    b"Content-Type: multipart/mixed; boundary=foobar\n\n"
    b"--foobar\n\ntext\n--foobar--\n--foo--x\nmore\n",
    b'Content-Type: multipart/mixed; boundary="x"\n\n--x  \n\nhello\n-- x\n\nhello\n--x--   \n--x\n\nafter',
    b"Content-Type: message/rfc822\n\n",
    b"Content-Type: text/plain (c); charset = utf-8 ; format=flowed\nContent-Disposition: inline (c)\n\nx",
    b"",
    b"no header at all\nbody\n",
]
PARTS = [(), (1,), (2,), (3,), (1, 1), (3, 1), (3, 2)]
# Of the collection: a Content-Type that is none, an apostrophe in a segment that becomes part of an encoded
# value, and the order of values in segments.
OTHERWISE = {"msg_14.txt", "msg_29.txt", "msg_33.txt"}


@pytest.fixture(scope="module")
def answers():
    """What Dovecot says: a function of messages that returns a dictionary for each."""
    program("imap")

    def ask(messages, items):
        with unprivileged_folder() as folder:
            maildir = Path(folder, "mail")
            for name in ("cur", "new", "tmp"):
                (maildir / name).mkdir(parents=True)
            for number, octets in enumerate(messages, start=1):
                (maildir / "cur" / f"{1000000000 + number}.M{number:06}.host:2,").write_bytes(octets)
            dovecot = Dovecot(folder, str(maildir))
            session = dovecot.imap()
            found = session.uid("FETCH", "1:*", f"({items})")[1]
            dovecot.stop()
        octets = b"".join(part[0] + b"\r\n" + part[1] if isinstance(part, tuple) else part for part in found)
        return read_lists(octets)

    return ask


def normal(value):
    """White space in folded lines is told in several ways."""
    if isinstance(value, list):
        return [normal(one) for one in value]
    return re.sub(rb"\s+", b" ", value) if isinstance(value, bytes) else value


def forms(octets):
    """What mailsys tells, as lists."""
    found = describe_octets(octets)
    told = (found.envelope, found.body, found.body_structure)
    return [str(found.wire_size), *(read_lists(as_ascii(form))[0] for form in told)]


def test_forms_are_those_of_dovecot(answers):
    told = answers(MESSAGES, "RFC822.SIZE ENVELOPE BODY BODYSTRUCTURE")
    assert len(told) == 2 * len(MESSAGES)
    for octets, (_, items) in zip(MESSAGES, zip(told[::2], told[1::2], strict=True), strict=True):
        assert normal(forms(octets)) == normal(items[3::2]), octets


def test_parts_are_those_of_dovecot(answers):
    names = [".".join(map(str, part)) for part in PARTS[1:]]
    wanted = " ".join(f"BODY.PEEK[{name}] BODY.PEEK[{name}.MIME]" for name in names)
    told = answers(MESSAGES, wanted)
    for octets, items in zip(MESSAGES, told[1::2], strict=True):
        tree = scan_octets(octets)
        for number, numbers in enumerate(PARTS[1:]):
            part = find_part(tree, numbers)
            if part is None:
                continue  # Dovecot knows a part 1.1 of one that has no parts
            theirs = items[3 + 4 * number], items[5 + 4 * number]
            ours = [
                b"".join(read_wire(MemoryContent([octets]), span(part))) for span in (body_span, header_span)
            ]
            assert ours == list(theirs), (octets, numbers)


def test_real_messages_are_told_as_dovecot_tells_them(answers, shared_data):
    paths = sorted((shared_data / "cpython-test-email").glob("*.txt"))
    told = answers([path.read_bytes() for path in paths], "RFC822.SIZE ENVELOPE BODY BODYSTRUCTURE")
    differ = {
        path.name
        for path, items in zip(paths, told[1::2], strict=True)
        if normal(forms(path.read_bytes())) != normal(items[3::2])
    }
    assert differ == OTHERWISE
