"""Attacks on a real IMAP server, beside a normal client who must not notice (``attacked_host``)."""

import zlib

import pytest
from attacked_host import Stranger
from exchange import deliver

LETTER = b"From: visitor@example.org\r\nSubject: kept\r\n\r\nhello\r\n"


class Caller(Stranger):
    """A stranger with a login, who hears up to the tagged answer."""

    def __init__(self, host, someone=None):
        super().__init__(host, "imap")
        if someone is not None:
            assert self.answer(f'LOGIN {someone.address} "{someone.password}"').startswith("OK")

    def answer(self, command, tag="a"):
        self.say(f"{tag} ".encode() + (command if isinstance(command, bytes) else command.encode()) + b"\r\n")
        return self.hear(tag)

    def hear(self, tag="a"):
        """The tagged answer, without its tag; or the line with which the connection ends."""
        while not (line := self.line()).startswith((f"{tag} ", "* BYE")):
            pass
        return line.removeprefix(f"{tag} ")


@pytest.fixture
def stranger(attacked):
    with Caller(attacked) as stranger:
        yield stranger


@pytest.fixture
def insider(attacked, victim):
    deliver(attacked, victim, LETTER)
    with Caller(attacked, victim) as insider:
        yield insider


@pytest.mark.row(5)
def test_commands_injected_behind_starttls(attacked, stranger, victim):
    """Row 5: in the same segment they are refused with the connection."""
    stranger.say(f'a STARTTLS\r\nb LOGIN {victim.address} "{victim.password}"\r\n'.encode())
    [answer] = stranger.rest()
    assert answer.startswith("* BYE ")


@pytest.mark.row(5)
def test_commands_injected_in_front_of_the_handshake(stranger):
    """Row 5: in a segment of their own they end the connection."""
    assert stranger.answer("STARTTLS").startswith("OK")
    stranger.say(b"b CAPABILITY\r\nc LOGOUT\r\n")
    assert b" OK " not in stranger.rest_octets()


@pytest.mark.row(47)
@pytest.mark.parametrize(
    "octets",
    [
        b"a LOGIN {10000000000}\r\n",
        b"a LOGIN {8192+}\r\n" + b"x" * 8192,
        b"a LOGIN " + b"(" * 100_000,
        b"x" * 100_000,
    ],
)
def test_before_login_there_is_no_room(stranger, octets):
    """Row 47: 8 kB with all literals; then BYE."""
    stranger.blast(octets)
    assert stranger.rest()[-1].startswith("* BYE [TOOBIG]")


@pytest.mark.row(20)
def test_a_login_response_without_end(stranger):
    """Row 20: bounded like every line."""
    stranger.say(b"a AUTHENTICATE PLAIN\r\n")
    assert stranger.line() == "+ "
    stranger.blast(b"A" * 100_000 + b"\r\n")
    assert stranger.rest()[-1].startswith("* BYE")


def test_a_flood_of_wrong_commands(stranger):
    stranger.blast(b"a nonsense\r\n" * 10_000)
    heard = stranger.rest()
    assert len(heard) < 30
    assert heard[-1].startswith("* BYE ")


@pytest.mark.row(47)
@pytest.mark.parametrize(
    ("command", "answer"),
    [
        (b"CREATE {10000000000}", "BAD [TOOBIG]"),
        (b"CREATE {-1}", "BAD"),
        (b"CREATE {0}", ""),
        (b"FETCH 1 " + b"(" * 60_000, "BAD"),
        (b"FETCH 1 (" + b"(" * 100_000, "BAD [TOOBIG]"),
        (b"FETCH " + b"1:*," * 16_000 + b"1 FLAGS", "OK"),
        (b"FETCH 1 (" + b"FLAGS " * 1000 + b")", "BAD"),
        (b"FETCH 1 BODY[" + b"1." * 5000 + b"1]", "BAD"),
        (b"FETCH 1 BODY.PEEK[]<99999999999999999999.1>", "BAD"),
        (b"FETCH " + b"9" * 60_000 + b" FLAGS", "BAD"),
        (b"SEARCH " + b"SEEN " * 12_000 + b"ALL", ""),
        (b"SEARCH " + b"OR SEEN " * 5000 + b"SEEN SEEN", ""),
        (b"SEARCH " + b"NOT " * 15_000 + b"SEEN", ""),
        (b"SEARCH " + b"(" * 30_000 + b"SEEN" + b")" * 30_000, ""),
        (b'LIST "" ' + b"%*" * 30_000, "OK"),
    ],
    ids=lambda value: value[:16].decode() if isinstance(value, bytes) else None,
)
def test_commands_without_end(insider, command, answer):
    """Row 47: BAD or NO, quickly, and the session goes on."""
    assert insider.answer("SELECT INBOX").startswith("OK")
    if command.endswith(b"{0}"):
        insider.say(b"a " + command + b"\r\n")
        assert insider.line().startswith("+ ")
        insider.say(b"\r\n")
        heard = insider.hear()
    else:
        heard = insider.answer(command)
    assert heard.startswith(answer or ("OK", "BAD", "NO"))
    assert insider.answer("NOOP", "z").startswith("OK")


@pytest.mark.row(47)
def test_a_literal_that_nobody_wants_is_no_command(insider):
    """Row 47: what is in it is stepped over, however large."""
    literal = b"b DELETE Archive\r\n" * 50_000
    insider.say(b"a CREATE {%d+}\r\n" % len(literal) + literal + b"\r\n")
    assert insider.hear().startswith("BAD [TOOBIG]")
    assert insider.answer("STATUS Archive (MESSAGES)", "c").startswith("OK")


@pytest.mark.row(38)
def test_a_compressed_bomb(insider):
    """Row 38: 100 MB in 100 kB; the session ends, and nothing of it was held."""
    assert insider.answer("COMPRESS DEFLATE").startswith("OK")
    bomb = zlib.compressobj(9, zlib.DEFLATED, -15)
    octets = bomb.compress(b"x" * 100_000_000) + bomb.flush(zlib.Z_SYNC_FLUSH)
    insider.blast(octets)
    heard = zlib.decompressobj(-15).decompress(insider.rest_octets())
    assert heard.startswith(b"* BYE [TOOBIG]")


@pytest.mark.row(49)
@pytest.mark.parametrize(
    "name",
    ["../x", "/etc/passwd", "a/../b", ".", "..", "x" * 10_000, "a/" * 1000 + "a", "&AAA-", "&AOQ", "~root",
     "a b ", "INBOX/../x", "a//b", "", "a.b", "&AAo-"],
)  # fmt: skip
def test_names_of_folders_that_are_none(attacked, insider, name):
    """Row 49: NO [CANNOT], and neither LIST nor the disk has it."""
    before = sorted(path.name for path in attacked.directory.rglob(".*"))
    assert insider.answer(f'CREATE "{name}"').startswith(("NO [CANNOT]", "BAD"))
    assert insider.answer(f'RENAME Archive "{name}"', "b").startswith(("NO [CANNOT]", "BAD"))
    insider.say(b'c LIST "" *\r\n')
    listed = [insider.line() for _ in range(6)]
    assert {line.split()[-1] for line in listed} == {"INBOX", "Archive", "Drafts", "Junk", "Sent", "Trash"}
    assert insider.hear("c").startswith("OK")
    assert sorted(path.name for path in attacked.directory.rglob(".*")) == before


@pytest.mark.row(49)
def test_twins_and_children(insider):
    """Row 49: one name for NFC and NFD, one INBOX, and no folder in itself."""
    assert insider.answer("CREATE Entw&APw-rfe").startswith("OK")
    assert insider.answer("CREATE Entwu&Awg-rfe").startswith("NO [ALREADYEXISTS]")
    assert insider.answer("CREATE inbox").startswith("NO [ALREADYEXISTS]")
    assert insider.answer("RENAME Archive Archive/Old").startswith("NO")


@pytest.mark.row(66)
def test_numbers_that_python_stumbles_over(insider):
    """Row 66: digits of other scripts, thousands of them, and none."""
    insider.answer("SELECT INBOX")
    for number in ("9" * 5000, "\u0661", "1_0", "0x1", "1e3", "+1", " 1"):
        assert insider.answer(f"FETCH {number} FLAGS").startswith("BAD"), number
    assert insider.answer("FETCH 1 FLAGS").startswith("OK")
