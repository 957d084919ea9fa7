"""What can be fetched, changed, copied: arguments of the commands on messages."""

import pytest

from mailsys.wire.imap.commands import COMMANDS
from mailsys.wire.imap.fetch import MOST_ITEMS, BodyItem, Form, Item, Section, Text
from mailsys.wire.imap.grammar import BadCommand, Reader
from mailsys.wire.imap.message_commands import Change, Copy, Expunge, Move, Store


def parse(word, *segments):
    reader = Reader(segments)
    return COMMANDS[word].parse(reader)


def fetch(text):
    return parse(b"FETCH", b" 1 " + text)


def assert_bad(word, text):
    with pytest.raises(BadCommand) as caught:
        parse(word, text)
    assert caught.value.response.kind == "BAD"


def test_macros():
    assert fetch(b"FAST").items == (Item.FLAGS, Item.INTERNAL_DATE, Item.SIZE)
    assert fetch(b"all").items[-1] is Item.ENVELOPE
    assert fetch(b"FULL").items[-1] is Item.BODY
    assert_bad(b"FETCH", b" 1 (FAST)")


def test_items():
    wanted = b"(UID FLAGS internaldate RFC822.SIZE ENVELOPE BODY BODYSTRUCTURE MODSEQ SAVEDATE PREVIEW)"
    assert fetch(wanted).items == tuple(Item)
    assert fetch(b"(UID UID)").items == (Item.UID,)
    assert fetch(b"PREVIEW (LAZY)").items == (Item.PREVIEW,)
    assert parse(b"UID FETCH", b" 1:* FLAGS").items == (Item.UID, Item.FLAGS)


def body(text):
    [item] = fetch(text).items
    return item


@pytest.mark.parametrize(
    ("text", "section", "label"),
    [
        (b"BODY[]", Section(), b"BODY[]"),
        (b"BODY[1.2.3]", Section((1, 2, 3)), b"BODY[1.2.3]"),
        (b"body[text]", Section(text=Text.TEXT), b"BODY[TEXT]"),
        (b"BODY[4.2.MIME]", Section((4, 2), Text.MIME), b"BODY[4.2.MIME]"),
        (
            b'BODY[1.header.fields (Date "x-(y")]',
            Section((1,), Text.FIELDS, (b"date", b"x-(y")),
            b'BODY[1.HEADER.FIELDS (DATE "X-(Y")]',
        ),
        (
            b"BODY[HEADER.FIELDS.NOT (To)]",
            Section((), Text.FIELDS_NOT, (b"to",)),
            b"BODY[HEADER.FIELDS.NOT (TO)]",
        ),
    ],
)
def test_sections(text, section, label):
    assert body(text) == BodyItem(section, label, sets_seen=True)
    assert body(text.upper().replace(b"BODY[", b"BODY.PEEK[")) == BodyItem(section, label)


def test_parts_of_octets():
    assert body(b"BODY.PEEK[1]<0.1024>") == BodyItem(Section((1,)), b"BODY[1]<0>", partial=(0, 1024))


def test_binary():
    assert body(b"BINARY[1.2]") == BodyItem(Section((1, 2)), b"BINARY[1.2]", Form.BINARY, sets_seen=True)
    assert body(b"BINARY.PEEK[]<5.6>") == BodyItem(Section(), b"BINARY[]<5>", Form.BINARY, (5, 6))
    assert body(b"BINARY.SIZE[3]") == BodyItem(Section((3,)), b"BINARY.SIZE[3]", Form.BINARY_SIZE)


def test_old_forms():
    assert body(b"RFC822").sets_seen
    assert body(b"RFC822.HEADER") == BodyItem(Section(text=Text.HEADER), b"RFC822.HEADER")
    assert body(b"RFC822.TEXT") == BodyItem(Section(text=Text.TEXT), b"RFC822.TEXT", sets_seen=True)


@pytest.mark.row(47)
@pytest.mark.parametrize(
    "text",
    [
        b"", b"()", b"X", b"(FLAGS", b"FLAGS UID", b"BODY[", b"BODY[0]", b"BODY[1.]", b"BODY[X]",
        b"BODY[HEADER.FIELDS]", b"BODY[HEADER.FIELDS ()]", b"BODY[]<0.0>", b"BODY[]<1>", b"BODY[]<-1.2>",
        b"BODY[MIME]",
        b"BODY.SIZE[1]", b"BINARY[HEADER]", b"BINARY.SIZE[1]<0.1>", b"BINARY", b"BODY[1.0]",
        b'BODY[HEADER.FIELDS ("a b")]', b"BODY[" + b"1." * 200 + b"1]", b"BODY[" + b"9" * 5000 + b"]",
        b"(" * 10_000, b"(" + b"UID " * MOST_ITEMS + b"FLAGS)", b"FLAGS (CHANGEDSINCE 0)", 
        b"FLAGS (VANISHED)", b"PREVIEW (EAGER)",
        b"FLAGS (CHANGEDSINCE 9223372036854775808)", b"FLAGS (CHANGEDSINCE 1 VANISHED)",
    ],
)  # fmt: skip
def test_what_cannot_be_fetched(text):
    """Row 47: parentheses and items without end among it."""
    assert_bad(b"FETCH", b" 1 " + text)


def test_changes():
    found = parse(b"UID FETCH", b" 1 (FLAGS) (CHANGEDSINCE 12 VANISHED)")
    assert (found.changed_since, found.vanished) == (12, True)
    assert found.items == (Item.UID, Item.FLAGS, Item.MODSEQ)


def test_store():
    found = parse(b"STORE", b" 1:2 +FLAGS.SILENT (\\seen Work)")
    assert found == Store(found.messages, False, Change.ADD, frozenset({"\\Seen", "Work"}), silent=True)
    found = parse(b"UID STORE", b" 7 (UNCHANGEDSINCE 0) -flags \\Deleted $Junk")
    assert found == Store(
        found.messages, True, Change.REMOVE, frozenset({"\\Deleted", "$Junk"}), unchanged_since=0
    )
    assert parse(b"STORE", b" 1 FLAGS ()").change is Change.REPLACE
    for text in (
        b"1 FLAGS (\\Recent)",
        b"1 FLAGS (\\X)",
        b"1 FLAGS (" + b"k" * 101 + b")",
        b"1 FLAG (a)",
        b"1 FLAGS",
    ):
        assert_bad(b"STORE", b" " + text)


def test_copies():
    assert isinstance(parse(b"COPY", b" 1 x"), Copy)
    assert parse(b"UID MOVE", b" 1 x") == Move(parse(b"UID EXPUNGE", b" 1").uids, True, "x")
    assert parse(b"EXPUNGE", b"") == Expunge()
    assert_bad(b"COPY", b" 1")
