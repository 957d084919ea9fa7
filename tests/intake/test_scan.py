"""Segments are read back as they were written, and past any damage."""

import zlib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailsys.intake import scan as scan_module
from mailsys.intake.record import ABORTED, LAID, draft, header_line, mark_line, message_line
from mailsys.intake.scan import scan
from mailsys.interfaces import Acceptance, MailboxAction, QueueAction
from mailsys.message.address import Address
from mailsys.message.content import FileContent, MemoryContent
from mailsys.message.envelope import Body, Envelope, NoticeWish, Notify, Return

TOKEN = "0123456789abcdef"
SPOOL = "/spool"

# Every local part that an envelope may hold: also quoted ones, and such with an @.
ADDRESSES = st.builds(
    Address,
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8),
    st.sampled_from(["a.test", "b"]),
)
ACTIONS = st.builds(
    MailboxAction,
    account=ADDRESSES,
    recipient=ADDRESSES,
    folder=st.sampled_from(["INBOX", "Lists/Ä"]),
    name=st.text("abc0123,=", min_size=1, max_size=9),
    head=st.binary(max_size=40),
)
ENVELOPES = st.builds(
    Envelope,
    id=st.text("abc123.", min_size=1, max_size=9),
    reverse_path=st.none() | ADDRESSES,
    recipients=st.lists(ADDRESSES, max_size=3).map(tuple),
    body=st.sampled_from(Body),
    smtputf8=st.booleans(),
    notice_return=st.none() | st.sampled_from(Return),
    wishes=st.dictionaries(
        ADDRESSES,
        st.builds(NoticeWish, st.frozensets(st.sampled_from(Notify)), st.text(max_size=5)),
        max_size=2,
    ),
)
# Text that looks like the log's own, as someone might send who has read its documentation.
LOG_LIKE = st.sampled_from(
    [b"\n", TOKEN.encode(), b"fedcba9876543210 message 7.1 2 0 00000000\n{}\n", b"\nmailsys-intake 1 7 "]
)
CONTENTS = st.lists(st.binary(max_size=60) | LOG_LIKE, max_size=4).map(b"".join)
FOR_MAILBOXES = st.builds(
    Acceptance,
    envelope=ENVELOPES,
    actions=st.lists(ACTIONS, max_size=2).map(tuple),
    content=CONTENTS.map(lambda octets: MemoryContent([octets])),
    facts=st.just({"subject": "Grüße", "checked": ["spf pass"]}),
)


def with_queue(acceptance, recipients, head, not_before, held, free):
    """Some of its recipients live elsewhere."""
    envelope = replace(acceptance.envelope, recipients=recipients)
    octets = len(head) + acceptance.content.size
    waiting = QueueAction(envelope, 2.5, head, octets, not_before, held, free)
    return replace(acceptance, actions=(*acceptance.actions, waiting))


ACCEPTANCES = FOR_MAILBOXES | st.builds(
    with_queue,
    FOR_MAILBOXES,
    recipients=st.lists(ADDRESSES, min_size=1, max_size=3).map(tuple),
    head=st.binary(max_size=40),
    not_before=st.sampled_from([0.0, 99.5]),
    held=st.sampled_from(["", "over the limit"]),
    free=st.lists(ADDRESSES, max_size=1).map(tuple),
)


def segment_of(acceptances, token=TOKEN):
    """A segment's octets, and for each record its id and where it lies."""
    octets = header_line(7, "boot", token)
    places = []
    for number, acceptance in enumerate(acceptances, 1):
        record = draft(acceptance, 2.5, SPOOL, 0)
        start = len(octets)
        octets += message_line(token, f"7.{number}", record) + record.description + b"\n"
        octets += b"".join(record.pieces)
        places.append((f"7.{number}", start, len(octets)))
        octets += b"\n"
    return octets, places


def scanned(path, octets):
    path.write_bytes(octets)
    return scan(str(path), SPOOL)


def plain(acceptance):
    """An acceptance without its content's kind, to compare."""
    content = b"".join(acceptance.content.pieces())
    return acceptance.envelope, acceptance.actions, content, acceptance.facts


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("scan") / "7.log"


@given(st.lists(ACCEPTANCES, max_size=4))
def test_what_was_written_is_read(path, acceptances):
    octets, places = segment_of(acceptances)
    found = scanned(
        path, octets + mark_line(TOKEN, LAID, ["7.1", "7.2"]) + mark_line(TOKEN, ABORTED, ["6.1"])
    )
    assert list(found.records) == [record_id for record_id, _, _ in places]
    assert [plain(record.acceptance) for record in found.records.values()] == list(map(plain, acceptances))
    assert (found.boot_id, found.token) == ("boot", TOKEN)
    assert (found.laid, found.aborted) == ({"7.1", "7.2"}, {"6.1"})
    assert not found.damage
    assert not found.torn_octets


@st.composite
def damaged_segments(draw):
    """A segment with octets changed, put in, or cut out, and the records that no damage touched."""
    acceptances = draw(st.lists(ACCEPTANCES, min_size=1, max_size=4))
    octets, places = segment_of(acceptances)
    originals = {place[0]: plain(acceptance) for place, acceptance in zip(places, acceptances, strict=True)}
    position = st.integers(0, len(octets) - 1)
    wounds = draw(st.lists(st.tuples(position, st.integers(0, 9), st.binary(max_size=9)), max_size=4))
    for start, length, put_in in sorted(wounds, reverse=True, key=lambda wound: wound[0]):
        octets = octets[:start] + put_in + octets[start + length :]
    whole = {
        record_id
        for record_id, start, end in places
        # A wound that only touches the record, without cutting into it, counts as no damage to it.
        if all(at >= end or at + max(length, 0) <= start for at, length, _ in wounds)
        and not any(start < at < end for at, _, _ in wounds)
    }
    return octets + draw(st.binary(max_size=50)), whole, originals


@settings(max_examples=400)
@given(damaged_segments())
def test_damage_takes_only_what_it_touches(path, damaged):
    """No damage raises anything, invents a record, or hides one that is whole."""
    octets, whole, originals = damaged
    found = scanned(path, octets)
    assert whole <= set(found.records)
    for record_id, record in found.records.items():
        assert plain(record.acceptance) == originals[record_id]


@given(st.binary(max_size=300))
def test_any_octets_can_be_read(path, octets):
    found = scanned(path, octets)
    assert not found.records


def test_a_torn_end_is_no_damage(path):
    octets, places = segment_of([acceptance(b"first"), acceptance(b"second")])
    for end in range(places[0][2] + 1, places[1][2]):
        for filling in (b"", b"\0" * 30):
            found = scanned(path, octets[:end] + filling)
            assert list(found.records) == ["7.1"]
            assert not found.damage
            assert found.torn_octets == end + len(filling) - places[0][2] - 1


def test_damage_before_whole_records_is_told(path):
    octets, places = segment_of([acceptance(b"first"), acceptance(b"second"), acceptance(b"third")])
    start = places[1][1]
    found = scanned(path, octets[: start + 30] + b"?" + octets[start + 31 :])
    assert list(found.records) == ["7.1", "7.3"]
    assert found.damage == [start]


def test_without_its_header_a_segment_belongs_to_no_boot(path):
    octets, _ = segment_of([acceptance(b"first"), acceptance(b"second")])
    found = scanned(path, b"x" + octets[1:])
    assert (found.boot_id, list(found.records)) == ("", ["7.1", "7.2"])
    assert found.damage == [0]


def test_a_message_cannot_pass_for_a_record(path):
    """A content that is a segment with a token of its own, all checksums right, and damage before it."""
    forged, _ = segment_of([acceptance(b"forged")], token="fedcba9876543210")
    octets, places = segment_of([acceptance(b"first"), acceptance(forged), acceptance(b"third")])
    start = places[1][1]
    found = scanned(path, octets[: start + 20] + b"?" + octets[start + 21 :])
    assert list(found.records) == ["7.1", "7.3"]


FORGED = b"fedcba9876543210 message 7.1 2 %d 00000000\n"


def crc_of_octets(monkeypatch):
    """How many octets a checksum was computed of, in a list of one number."""
    total = [0]

    def crc32(octets, value=0):
        total[0] += len(octets)
        return zlib.crc32(octets, value)

    monkeypatch.setattr(scan_module, "crc32", crc32)
    return total


@pytest.mark.parametrize("claimed", [10, 100_000, 10**11])
def test_forged_lines_do_not_make_a_start_slow(path, monkeypatch, claimed):
    """A message full of lines that promise a long record, in a segment that has lost its header."""
    content = FORGED % claimed * 5000
    octets, _ = segment_of([acceptance(content), acceptance(b"second")])
    total = crc_of_octets(monkeypatch)
    found = scanned(path, b"x" + octets[150:])
    assert total[0] < 10 * len(octets)
    assert found.records or found.damage == [0]


def test_no_octet_is_read_for_a_record_beyond_the_end(path, monkeypatch):
    octets, places = segment_of([acceptance(b"x" * 5000), acceptance(b"y" * 5000)])
    total = crc_of_octets(monkeypatch)
    found = scanned(path, octets[:-500])
    assert list(found.records) == ["7.1"]
    assert total[0] < places[0][2]


def test_a_spooled_content_is_only_named(path):
    spooled = FileContent("/spool/abc", 300_000)
    record = draft(Acceptance(ENVELOPE, (), spooled), 1.0, SPOOL, 0)
    octets = header_line(7, "", TOKEN) + message_line(TOKEN, "7.1", record) + record.description + b"\n\n"
    found = scanned(path, octets)
    assert found.records["7.1"].acceptance.content == spooled
    assert len(octets) < 500


ENVELOPE = Envelope("x.1", None, ())


def acceptance(octets):
    return Acceptance(ENVELOPE, (), MemoryContent([octets]))
