"""Octets of messages: the same for a small one in memory and a large one that is read in pieces."""

import base64
import random
import re

import pytest
from imap_house import House
from test_imap_session import Client
from twisted.internet.defer import succeed

from mailsys.message.structure.sections import read_decoded
from mailsys.read.imap import bodies
from mailsys.threads import NoThreads

DATA = random.Random(1).randbytes(300_000)
ENCODED = base64.encodebytes(DATA)


def message(filling, line_end):
    """A multipart with a message in it, some quoted-printable text, and ``filling`` in base64."""
    text = b"\n".join(
        [
            b"Subject: parts",
            b"X-Folded: one",
            b" two",
            b"MIME-Version: 1.0",
            b"Content-Type: multipart/mixed; boundary=out",
            b"",
            b"preamble",
            b"--out",
            b"Content-Type: message/rfc822",
            b"",
            b"Subject: inner",
            b"Content-Type: multipart/alternative; boundary=in",
            b"",
            b"--in",
            b"",
            b"plain",
            b"--in",
            b"Content-Type: text/html",
            b"Content-Transfer-Encoding: quoted-printable",
            b"",
            b"h=C3=BC=00html=",
            b"",
            b"--in--",
            b"epilogue",
            b"--out",
            b"Content-Type: application/octet-stream",
            b"Content-Transfer-Encoding: BASE64",
            b"",
            filling.rstrip(b"\n"),
            b"--out",
            b"Content-Transfer-Encoding: x-unheard-of",
            b"",
            b"odd",
            b"--out--",
            b"",
        ]
    )
    return text.replace(b"\n", line_end)


LARGE, SMALL = ENCODED, base64.encodebytes(DATA[:1000])
WIRE = {False: message(SMALL, b"\r\n"), True: message(LARGE, b"\r\n")}
SECTIONS = [
    "BODY.PEEK[]", "BODY.PEEK[HEADER]", "BODY.PEEK[TEXT]", "BODY.PEEK[1]", "BODY.PEEK[1.MIME]",
    "BODY.PEEK[1.HEADER]", "BODY.PEEK[1.TEXT]", "BODY.PEEK[1.1]", "BODY.PEEK[1.2]", "BODY.PEEK[1.2.MIME]",
    "BODY.PEEK[2]", "BODY.PEEK[2.MIME]", "BODY.PEEK[HEADER.FIELDS (Subject X-Folded)]",
    "BODY.PEEK[HEADER.FIELDS.NOT (Subject)]", "BODY.PEEK[1.HEADER.FIELDS (Subject)]", "BODY.PEEK[4]",
    "BODY.PEEK[1.3]", "BODY.PEEK[2.1]", "BODY.PEEK[2.HEADER]", "BODY.PEEK[]<10.20>",
    "BODY.PEEK[]<150000.9>", "BODY.PEEK[2]<5.70>", "BODY.PEEK[2]<99999999.5>", "BINARY.PEEK[]",
    "BINARY.PEEK[1]", "BINARY.PEEK[1.2]", "BINARY.PEEK[2]", "BINARY.PEEK[2]<200.300>", "BINARY.PEEK[9]",
    "BINARY.SIZE[]", "BINARY.SIZE[1.2]", "BINARY.SIZE[2]", "BINARY.SIZE[1]",
]  # fmt: skip


def fetched(client, item):
    """What stands behind the label: octets of a literal, or a word."""
    octets = client.play.say(f"b FETCH 1 {item}\r\n".encode())
    head = re.match(rb"\* 1 FETCH \([A-Z.]+\[[^]]*\](?:<\d+>)? ", octets)
    assert head, octets[:100]
    rest = octets[head.end() :]
    counted = re.match(rb"~?\{(\d+)\}\r\n", rest)
    if counted is None:
        return rest.split(b")")[0]
    end = counted.end() + int(counted[1])
    assert rest[end:] == b")\r\nb OK Done\r\n"
    return rest[counted.end() : end]


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("is_large", [False, True])
def test_every_section_whatever_the_line_ends_are(line_end, is_large):
    """What is stored with LF goes out as if it were CR LF, and large messages as small ones."""
    stored = Client(House([message(LARGE if is_large else SMALL, line_end)]))
    wire = Client(House([WIRE[is_large]]))
    for item in SECTIONS:
        assert fetched(stored, item) == fetched(wire, item), item


@pytest.mark.parametrize("filling", [b"body\r\n", b"body\r\n" * 100_000])
def test_an_empty_line_of_the_body_is_none_of_the_header(filling):
    client = Client(House([b"A: b\n\n\r\n" + filling]))
    assert fetched(client, "BODY.PEEK[HEADER]") == b"A: b\r\n\r\n"
    assert fetched(client, "BODY.PEEK[TEXT]") == b"\r\n" + filling


def test_sections_by_hand():
    client, wire = Client(House([WIRE[True]])), WIRE[True]
    header, _, text = wire.partition(b"\r\n\r\n")
    inner = wire[wire.index(b"Subject: inner") : wire.index(b"\r\n--out\r\nContent-Type: application")]
    assert fetched(client, "BODY.PEEK[]") == wire
    assert fetched(client, "BODY.PEEK[HEADER]") == header + b"\r\n\r\n"
    assert fetched(client, "BODY.PEEK[TEXT]") == text
    assert fetched(client, "BODY.PEEK[1]") == inner
    assert fetched(client, "BODY.PEEK[1.TEXT]") == inner.partition(b"\r\n\r\n")[2]
    assert fetched(client, "BODY.PEEK[1.1]") == b"plain"
    assert fetched(client, "BINARY.PEEK[1.2]") == "hü\0html".encode()
    assert fetched(client, "BINARY.PEEK[2]") == DATA
    assert fetched(client, "BINARY.PEEK[2]<200.300>") == DATA[200:500]
    assert fetched(client, "BINARY.SIZE[2]") == b"300000"
    assert fetched(client, "BODY.PEEK[]<150000.9>") == wire[150_000:150_009]
    assert fetched(client, "BODY.PEEK[4]") == b"NIL"
    assert fetched(client, "BODY.PEEK[HEADER.FIELDS (x-folded)]") == b"X-Folded: one\r\n two\r\n\r\n"


@pytest.mark.parametrize("is_large", [False, True])
def test_an_encoding_that_is_not_known(is_large):
    client = Client(House([WIRE[is_large]]))
    assert client.say("b FETCH 1 BINARY.PEEK[3]")[-1].startswith("b NO [UNKNOWN-CTE]")
    assert fetched(client, "BODY.PEEK[3]") == b"odd"


def test_no_nul_in_a_plain_literal():
    client = Client(House([b"Subject: a\r\n\r\n\0\r\n", b"Subject: a\r\n\r\n" + b"\0" * 300_000]))
    assert fetched(client, "BODY.PEEK[TEXT]") == b"\x80\r\n"
    assert b"\0" not in client.play.say(b"b FETCH 2 BODY.PEEK[]\r\n")


@pytest.mark.parametrize("items", ["ENVELOPE", "(ENVELOPE BODY.PEEK[HEADER.FIELDS (SUBJECT)])"])
def test_large_forms_go_out_some_at_a_time(items):
    """What is known of many messages waits, too, while the client does not take it."""
    client = Client(House([b"To: " + b"a@b.example," * 1000 + b"\r\n\r\n"] * 30))
    client.connection.congested = True
    begun = client.play.say(f"b FETCH 1:* {items}\r\n".encode())
    assert begun.count(b"* ") < 10
    client.connection.resume()
    client.play.settle()
    told = begun + client.connection.take()
    assert told.count(b" FETCH (ENVELOPE (") == 30
    assert told.count(b'"b.example"') == 30_000
    assert told.endswith(b")\r\nb OK Done\r\n")


def test_a_client_that_is_slow_to_read():
    """What is sent waits while the client does not take it, and goes on from there."""
    client = Client(House([WIRE[True]]))
    client.connection.congested = True
    begun = client.play.say(b"b FETCH 1 BODY.PEEK[]\r\n")
    assert len(begun) < 200_000
    client.connection.resume()
    client.play.settle()
    assert begun + client.connection.take() == b"* 1 FETCH (BODY[] {%d}\r\n%b)\r\nb OK Done\r\n" % (
        len(WIRE[True]),
        WIRE[True],
    )


@pytest.mark.row(48)
@pytest.mark.parametrize("item", [b"BODY.PEEK[]", b"BODY.PEEK[HEADER]"])
def test_many_items_to_a_client_that_is_slow_to_read(item):
    """No more is made than it takes, also of a message that is small."""
    client = Client(House([b"X: " + b"x" * 40_000 + b"\r\n\r\n" + b"x" * 40_000]))
    client.connection.congested = True
    begun = client.play.say(
        b"b FETCH 1 (%b)\r\n" % b" ".join([b"%b<%d.99999>" % (item, n) for n in range(50)])
    )
    assert len(begun) < 200_000
    client.connection.resume()
    client.play.settle()
    rest = client.connection.take()
    assert rest.endswith(b")\r\nb OK Done\r\n")
    assert (begun + rest).count(item.replace(b".PEEK", b"") + b"<") == 50


def test_an_encoding_that_is_not_known_before_anything_is_told():
    client = Client(House([WIRE[False], WIRE[True]]))
    for number in (1, 2):
        told = client.say(f"b FETCH {number} (BODY.PEEK[1.1] BINARY.PEEK[3])")
        assert [line.split("]")[0] for line in told] == ["b NO [UNKNOWN-CTE"]


@pytest.fixture
def threads(monkeypatch):
    """What was done in threads."""
    done = []

    def run(self, function, *arguments):
        done.append(function.__name__)
        return succeed(function(*arguments))

    monkeypatch.setattr(NoThreads, "run", run)
    return done


SLOW = b"Content-Type: multipart/mixed; boundary=x\r\n\r\n" + b"--x\r\n\r\na\r\n" * 200 + b"--x--\r\n"
LONG_HEADER = b"X: y\r\n" * 10_000 + b"\r\nbody\r\n"


@pytest.mark.row(48)
@pytest.mark.parametrize(
    ("octets", "item", "is_threaded"),
    [
        (SLOW, "BODY.PEEK[7]", True),
        (SLOW, "BINARY.PEEK[7]", True),
        (SLOW, "BODY.PEEK[TEXT]", True),
        (SLOW, "BODY.PEEK[]", False),
        (SLOW, "BODY.PEEK[HEADER]", False),
        (SLOW, "BODY.PEEK[HEADER.FIELDS (SUBJECT)]", False),
        (LONG_HEADER, "BODY.PEEK[HEADER.FIELDS (SUBJECT)]", True),
        (WIRE[False], "BODY.PEEK[1.1]", False),
    ],
)
def test_what_takes_long_is_looked_at_in_a_thread(octets, item, is_threaded, threads):
    client = Client(House([octets]))
    threads.clear()
    assert client.say(f"b FETCH 1 {item}")[-1] == "b OK Done"
    assert bool(threads) is is_threaded


@pytest.mark.row(48)
def test_a_search_in_a_long_header_takes_place_in_a_thread(threads):
    client = Client(House([LONG_HEADER, SLOW]))
    threads.clear()
    assert client.say("b SEARCH HEADER X y")[0] == "* SEARCH 1"
    assert threads == ["_look_at"]


@pytest.mark.parametrize("is_large", [False, True])
def test_a_part_is_decoded_once_for_a_command(is_large, monkeypatch):
    decoded = []

    def count(content, part):
        decoded.append(part)
        return read_decoded(content, part)

    client = Client(House([WIRE[is_large]]))
    monkeypatch.setattr(bodies, "read_decoded", count)
    assert client.say("b FETCH 1 BINARY.SIZE[2]")[-1] == "b OK Done"
    ranges = " ".join(f"BINARY.PEEK[2]<{number}.5>" for number in range(20))
    decoded.clear()
    assert client.play.say(f"c FETCH 1 (BINARY.SIZE[2] {ranges})\r\n".encode()).endswith(b"c OK Done\r\n")
    assert len(decoded) == (20 if is_large else 1)  # of a large one only as far as the range


def test_a_large_message_is_let_go_of_at_the_end(monkeypatch):
    released = []
    monkeypatch.setattr("mailsys.read.imap.reading.release", released.append)
    client = Client(House([WIRE[True]]))
    for times in (1, 2):  # its parts are known the second time
        assert fetched(client, "BODY.PEEK[]") == WIRE[True]
        assert [content.size for content in released] == [len(WIRE[True])] * times
