"""What dialogs cannot show: several sessions at once, silence, faults, compression, the journal."""

import zlib

import pytest
from dialogs.runner import Play
from imap_house import ANN, LOGIN, MESSAGES, House, now_of

from mailsys.interfaces import ConnectionEnded, FolderFault, FolderRefused
from mailsys.read.imap.idle import STILL_HERE_SECONDS


@pytest.fixture
def house():
    return House()


class Client:
    """A session that has said hello; ``say`` gives the lines that came back."""

    def __init__(self, house, *, select="INBOX", login=LOGIN, **settings):
        self.play = Play(house.conversation, settings)
        self.connection = self.play.connection
        assert self.connection.take().startswith(b"* OK ")
        assert self.play.say(login).split(b"\r\n")[-2].startswith(b"a OK ")
        if select:
            assert self.say(f"s SELECT {select}")[-1].startswith("s OK ")

    def say(self, line):
        return lines(self.play.say(line.encode() + b"\r\n"))

    def heard(self):
        """What came by itself."""
        self.play.settle()
        return lines(self.connection.take())


def lines(octets):
    return octets.decode().split("\r\n")[:-1]


# ------------------------------------------------------------------ several sessions


def test_what_another_session_does_is_told_at_the_next_command(house):
    one, other = Client(house), Client(house)
    other.say("b STORE 2 +FLAGS.SILENT (\\Deleted \\Seen)")
    other.say("c EXPUNGE")
    other.say("d STORE 1 +FLAGS.SILENT (\\Flagged)")
    assert one.heard() == []
    assert one.say("b NOOP") == ["* 2 EXPUNGE", "* 1 FETCH (UID 1 FLAGS (\\Flagged \\Recent))", "b OK Done"]
    assert one.say("c NOOP") == ["c OK Done"]


@pytest.mark.parametrize("command", ["FETCH 3 UID", "STORE 3 +FLAGS.SILENT (\\Seen)", "COPY 3 Sent"])
def test_numbers_do_not_change_under_commands_that_speak_of_them(house, command):
    one, other = Client(house), Client(house)
    other.say("b STORE 1 +FLAGS (\\Deleted)")
    other.say("c EXPUNGE")
    assert not any("EXPUNGE" in line for line in one.say(f"b {command}"))
    assert "* 1 EXPUNGE" in one.say("c NOOP")
    assert one.say("d FETCH 2 UID") == ["* 2 FETCH (UID 3)", "d OK Done"]


def test_a_command_by_uid_may_tell_what_has_gone(house):
    one, other = Client(house), Client(house)
    other.say("b STORE 1 +FLAGS (\\Deleted)")
    other.say("c EXPUNGE")
    assert one.say("b UID FETCH 3 FLAGS") == [
        "* 3 FETCH (UID 3 FLAGS (\\Recent))",
        "* 1 EXPUNGE",
        "b OK Done",
    ]


def test_a_message_that_has_gone_and_is_not_told(house):
    one, other = Client(house), Client(house)
    other.say("b STORE 1 +FLAGS (\\Deleted)")
    other.say("c EXPUNGE")
    for items in ("FLAGS", "BODY.PEEK[]", "ENVELOPE"):
        heard = one.say(f"b FETCH 1:2 (UID {items})")
        assert heard[0].startswith("* 2 FETCH (UID 2 ")
        assert heard[-1].startswith("b OK [EXPUNGEISSUED]")


def test_recent_is_of_the_first_who_looks(house):
    one, other = Client(house), Client(house)
    assert one.say("b FETCH 1 FLAGS")[0] == "* 1 FETCH (FLAGS (\\Recent))"
    assert other.say("b FETCH 1 FLAGS")[0] == "* 1 FETCH (FLAGS ())"


def test_a_folder_that_is_deleted_ends_the_sessions_in_it(house):
    one, other = Client(house, select="Archive"), Client(house)
    other.say("b DELETE Archive")
    assert one.say("b NOOP")[-1].startswith("* BYE [CLOSED]")
    assert one.connection.closed


def test_new_mail_is_told(house):
    one = Client(house)
    house.put(b"Subject: new\r\n\r\n")
    assert one.say("b NOOP") == ["* 4 EXISTS", "* 4 RECENT", "b OK Done"]


# ------------------------------------------------------------------ IDLE


def test_idle_tells_at_once(house):
    one = Client(house)
    assert one.say("b IDLE") == ["+ Idling"]
    house.put(b"Subject: new\r\n\r\n")
    assert one.heard() == ["* 4 EXISTS", "* 4 RECENT"]
    now_of(house.folders.rename("INBOX", "Old"))
    assert one.heard() == ["* 4 EXPUNGE", "* 3 EXPUNGE", "* 2 EXPUNGE", "* 1 EXPUNGE"]
    assert one.say("DONE") == ["b OK Done"]


def test_idle_holds_back_while_the_client_takes_nothing(house):
    one = Client(house)
    one.say("b IDLE")
    one.connection.congested = True
    house.put(b"Subject: new\r\n\r\n")
    assert one.heard() == []
    one.connection.congested = False
    assert lines(one.play.wait(1.0)) == ["* 4 EXISTS", "* 4 RECENT"]


def test_very_many_news_come_some_at_a_time():
    house = House([b"Subject: %d\r\n\r\n" % number for number in range(2500)])
    idle, other = Client(house), Client(house)
    idle.say("b IDLE")
    other.say("b STORE 1:* +FLAGS.SILENT (\\Seen)")
    told = idle.heard()
    assert len(told) == 1000
    for _ in range(3):
        told += lines(idle.play.wait(0.1))
    assert len(told) == 2500
    assert idle.say("DONE") == ["b OK Done"]
    other.say("c STORE 1:* -FLAGS.SILENT (\\Seen)")
    assert len(idle.say("c NOOP")) == 2501


def test_a_name_that_plays_with_the_log(house):
    one = Client(house)
    one.say('b ID ("name" {7+}\r\na\x1b[2J\r\n "version" NIL)')
    one.say("c LOGOUT")
    assert house.journal.events[-1].facts["greeting"] == "a?[2J??"


def test_idle_shows_that_it_is_there_and_ends_at_last(house):
    one = Client(house, idle_seconds=3 * STILL_HERE_SECONDS)
    one.say("b IDLE")
    for _ in range(2):
        assert lines(one.play.wait(STILL_HERE_SECONDS)) == ["* OK Still here"]
    one.play.wait(STILL_HERE_SECONDS)
    assert one.play.failure is ConnectionEnded


def test_who_cannot_be_told_hurts_nobody_else(house):
    """A fault in one session is none of the session that changed the folder."""
    broken, other = Client(house), Client(house)
    broken.say("b IDLE")

    def send(octets):
        raise ZeroDivisionError

    broken.connection.send = send
    assert other.say("b STORE 1 +FLAGS.SILENT (\\Seen)") == ["b OK Done"]
    assert other.say("c FETCH 1 FLAGS")[0] == "* 1 FETCH (FLAGS (\\Seen))"


def test_idle_ends_with_the_login(house):
    one = Client(house)
    one.say("b IDLE")
    house.logins.over.add("ann@example.org")
    assert lines(one.play.wait(STILL_HERE_SECONDS))[-1].startswith("* BYE [EXPIRED]")
    assert one.connection.closed


# ------------------------------------------------------------------ the end


def test_a_session_does_not_outlive_its_password(house):
    one = Client(house)
    house.logins.over.add("ann@example.org")
    assert one.say("b NOOP")[-1].startswith("* BYE [EXPIRED]")
    assert one.connection.closed


def test_silence(house):
    one = Client(house, idle_seconds=1800)
    assert one.play.wait(1799.0) == b""
    assert lines(one.play.wait(2.0)) == ["* BYE Silent for too long"]
    assert one.play.failure is ConnectionEnded


@pytest.mark.row(24)
def test_a_slow_login(house):
    """Row 24: all of the time before login is bounded, whatever dribbles in."""
    play = Play(house.conversation, {"login_seconds": 60})
    for _ in range(10):
        play.say(b"x")
        play.wait(7.0)
        if play.result.called:
            break
    assert play.failure is ConnectionEnded


def test_the_host_stops(house):
    one = Client(house)
    one.connection.stop_host()
    assert one.heard() == ["* BYE [UNAVAILABLE] This host is shutting down"]
    assert one.play.failure is ConnectionEnded


def test_the_client_goes(house):
    one = Client(house)
    one.play.hang_up()
    assert one.play.failure is ConnectionEnded
    assert house.folders._shared["INBOX"].sessions == []


def test_too_many_wrong_passwords(house):
    play = Play(house.conversation)
    play.connection.take()
    for _ in range(20):
        if play.result.called:
            break
        play.say(b"a LOGIN ann@example.org wrong\r\n")
    assert play.connection.closed


def test_the_journal(house):
    one = Client(house)
    one.say("b FETCH 1:2 BODY.PEEK[]")
    one.say("c STORE 1 +FLAGS (\\Deleted)")
    one.say("d EXPUNGE")
    one.say("e LOGOUT")
    [event] = house.journal.events
    assert event.facts["event"] == "folders used"
    assert [event.facts[key] for key in ("fetched", "appended", "expunged")] == [2, 0, 1]
    assert event.facts["login"] == "ann@example.org"


# ------------------------------------------------------------------ what goes wrong here


class Broken:
    """A folder whose methods raise."""

    def __init__(self, folder, **faults):
        self._folder = folder
        self._faults = faults

    def __getattr__(self, name):
        if name in self._faults:
            raise self._faults[name]
        return getattr(self._folder, name)


def break_folder(house, **faults):
    """All that is opened from now on is broken."""
    opened = house.folders.open

    async def open(name, watcher, *, read_only):
        return Broken(await opened(name, watcher, read_only=read_only), **faults)

    house.folders.open = open


def test_a_disk_that_fails(house):
    break_folder(house, store=OSError("no"), columns=OSError("no"), content=OSError("no"))
    one = Client(house)
    assert one.say("b STORE 1 FLAGS ()") == [
        "b NO [UNAVAILABLE] The mailbox cannot be read or written for the moment"
    ]
    assert one.say("c FETCH 1 ENVELOPE")[-1].startswith("c NO [UNAVAILABLE]")
    assert one.say("d FETCH 1 FLAGS")[-1] == "d OK Done"


@pytest.mark.row(66)
@pytest.mark.parametrize("fault", [MemoryError(), RecursionError(), ZeroDivisionError("secret")])
def test_a_command_that_breaks(house, fault):
    """Row 66: the client hears that it is us, and no more; the session ends."""
    break_folder(house, store=fault)
    one = Client(house)
    heard = one.say("b STORE 1 FLAGS ()")
    assert heard == [
        "b NO [SERVERBUG] Something went wrong here; try again later",
        "* BYE [SERVERBUG] Something went wrong here; try again later",
    ]
    assert one.connection.closed
    assert Client(house).say("b NOOP") == ["b OK Done"]


def test_folders_that_cannot_be_read_at_login(house):
    def fail():
        raise OSError("no")

    house.folders.list = fail
    play = Play(house.conversation)
    play.connection.take()
    assert play.say(LOGIN).startswith(b"a NO [UNAVAILABLE]")


def test_messages_that_cannot_be_kept(house):
    house.collector_fault = OSError("no")
    one = Client(house)
    assert one.say("b APPEND Sent {4+}\r\nabc\n")[-1].startswith("b NO [UNAVAILABLE]")
    assert one.say("c NOOP") == ["c OK Done"]
    assert all(collector.is_discarded for collector in house.collectors)


def test_a_full_disk_and_a_full_mailbox(house):
    one = Client(house)
    house.space.octets = 3
    assert one.say("b APPEND Sent {4}")[-1].startswith("b NO [UNAVAILABLE] The disk is full")
    house.space.octets = 10**9

    async def append(name, messages):
        raise FolderRefused(FolderFault.OVER_QUOTA)

    house.folders.append = append
    assert one.say("b APPEND Sent {4+}\r\nabc\n")[-1] == "b NO [OVERQUOTA] The mailbox is full"


@pytest.mark.row(47)
def test_messages_without_end(house):
    """Row 47: many in one command, or too much together."""
    one = Client(house)
    many = " {1+}\r\nx" * 1001
    assert one.say(f"b APPEND Sent{many}")[-1].startswith("b NO [LIMIT]")
    much = (" {100000+}\r\n" + "x" * 100_000) * 5
    assert one.say(f"c APPEND Sent{much}")[-1].startswith("c NO [LIMIT]")
    assert one.say("d STATUS Sent (MESSAGES)")[0] == "* STATUS Sent (MESSAGES 0)"
    assert all(collector.is_discarded for collector in house.collectors)


# ------------------------------------------------------------------ COMPRESS


class Compressed:
    """A client that has switched it on."""

    def __init__(self, client):
        self.client = client
        self._out = zlib.compressobj(9, zlib.DEFLATED, -15)
        self._in = zlib.decompressobj(-15)

    def say(self, octets):
        sent = self._out.compress(octets) + self._out.flush(zlib.Z_SYNC_FLUSH)
        return self._in.decompress(self.client.play.say(sent))


def test_compression(house):
    one = Client(house)
    assert one.say("b COMPRESS LZW")[-1].startswith("b NO ")
    assert one.say("c COMPRESS DEFLATE") == ["c OK Compression begins"]
    compressed = Compressed(one)
    assert compressed.say(b"d FETCH 1 BODY.PEEK[]\r\ne CAPABILITY\r\n").startswith(
        b"* 1 FETCH (BODY[] {134}\r\n" + MESSAGES[0]
    )
    assert compressed.say(b"f COMPRESS DEFLATE\r\n").startswith(b"f NO [COMPRESSIONACTIVE]")
    assert b"COMPRESS" not in compressed.say(b"g CAPABILITY\r\n")
    assert compressed.say(b"h LOGOUT\r\n").endswith(b"h OK Logged out\r\n")


@pytest.mark.row(38)
def test_a_compressed_bomb(house):
    """Row 38: a line of 200 MB in 200 kB ends the session and is never held."""
    one = Client(house)
    one.say("c COMPRESS DEFLATE")
    compressed = Compressed(one)
    assert compressed.say(b"x" * 200_000_000).startswith(b"* BYE [TOOBIG]")
    assert one.connection.closed


def test_what_is_not_compressed_ends_the_session(house):
    one = Client(house)
    one.say("c COMPRESS DEFLATE")
    one.play.say(b"\xff\xff\xff\xff")
    assert one.connection.closed
    assert one.play.failure is ConnectionEnded


# ------------------------------------------------------------------ the first login


def test_folders_are_made_once(house):
    Client(house)
    now_of(house.folders.delete("Junk"))
    Client(house)
    names = [entry.name for entry in now_of(house.folders.list()) if entry.exists]
    assert names == ["INBOX", "Archive", "Drafts", "Sent", "Trash"]


def test_who_has_folders_gets_none(house):
    now_of(house.folders.create("Work"))
    Client(house)
    assert [entry.name for entry in now_of(house.folders.list())] == ["INBOX", "Work"]


def test_capabilities_that_an_account_cannot_bear(house):
    one = Client(house, without={str(ANN.address): frozenset({"UTF8=ACCEPT"}), "*": frozenset({"MOVE"})})
    words = one.say("b CAPABILITY")[0].split()
    assert not {"UTF8=ACCEPT", "MOVE"} & set(words)
    assert "UIDPLUS" in words
    assert one.say("c ENABLE UTF8=ACCEPT") == ["* ENABLED", "c OK Done"]
