"""Searches that tell of themselves when their result changes (RFC 5267 4)."""

import pytest
from imap_house import House
from test_imap_session import Client
from twisted.internet.defer import Deferred

from mailsys.read.imap.search.contexts import MOST_CONTEXTS
from mailsys.store.memory.folder import MemoryFolder


@pytest.fixture
def house():
    return House()


def told(lines):
    return [line for line in lines if line.startswith("* ESEARCH")]


def watching(house, search="UNSEEN", tag="w", word="SEARCH"):
    client = Client(house)
    lines = client.say(f"{tag} {word} RETURN (ALL UPDATE) {search}")
    assert lines[-1] == f"{tag} OK Done"
    return client


def test_what_comes_into_a_result_and_leaves_it(house):
    client = watching(house)
    assert told(client.say("b STORE 1:2 +FLAGS (\\Seen)")) == ['* ESEARCH (TAG "w") REMOVEFROM (0 1 0 2)']
    assert told(client.say("c STORE 2:3 FLAGS.SILENT (\\Flagged)")) == ['* ESEARCH (TAG "w") ADDTO (0 2)']
    assert told(client.say("d NOOP")) == []


def test_messages_that_come_are_told_after_the_client_knows_of_them(house):
    client = watching(house, "SUBJECT new", word="UID SEARCH")
    house.put(b"Subject: news\r\n\r\n", b"Subject: old\r\n\r\n")
    lines = client.say("b NOOP")
    assert told(lines) == ['* ESEARCH (TAG "w") UID ADDTO (0 4)']
    assert lines.index("* 5 EXISTS") < lines.index('* ESEARCH (TAG "w") UID ADDTO (0 4)')


def test_what_others_remove_is_told_while_its_number_is_known(house):
    client, other = watching(house), Client(house)
    other.say("b STORE 2 +FLAGS.SILENT (\\Deleted)")
    other.say("c EXPUNGE")
    lines = client.say("d NOOP")
    assert lines.index('* ESEARCH (TAG "w") REMOVEFROM (0 2)') < lines.index("* 2 EXPUNGE")
    assert told(client.say("e STORE 2 +FLAGS (\\Seen)")) == ['* ESEARCH (TAG "w") REMOVEFROM (0 2)']


def test_it_is_told_while_the_client_idles(house):
    client = watching(house, "FLAGGED")
    client.say("i IDLE")
    Client(house).say("b STORE 3 +FLAGS.SILENT (\\Flagged)")
    assert told(client.heard()) == ['* ESEARCH (TAG "w") ADDTO (0 3)']
    house.put(b"Subject: x\r\n\r\n", flags=["\\Flagged"])
    assert told(client.heard()) == ['* ESEARCH (TAG "w") ADDTO (0 4)']


def test_several_searches_are_told_of_until_they_are_cancelled(house):
    client = watching(house, "SEEN", "s")
    client.say("f SEARCH RETURN (COUNT UPDATE) FLAGGED")
    lines = client.say("b STORE 1 +FLAGS.SILENT (\\Seen \\Flagged)")
    assert told(lines) == ['* ESEARCH (TAG "s") ADDTO (0 1)', '* ESEARCH (TAG "f") ADDTO (0 1)']
    assert client.say('c CANCELUPDATE "s" "unknown"') == ["c OK Done"]
    assert told(client.say("d STORE 1 FLAGS.SILENT ()")) == ['* ESEARCH (TAG "f") REMOVEFROM (0 1)']
    client.say("e SELECT INBOX")
    assert told(client.say("g STORE 1 +FLAGS.SILENT (\\Flagged)")) == []


@pytest.mark.row(48)
def test_there_is_a_bound_to_what_is_watched(house):
    client = Client(house)
    for number in range(1000):
        lines = client.say(f"t{number} SEARCH RETURN (COUNT UPDATE) SEEN")
        refused = f'* NO [NOUPDATE "t{number}"] Changes of this search are not told' in lines
        assert refused == (number >= MOST_CONTEXTS)
        assert lines[-2:] == [f'* ESEARCH (TAG "t{number}") COUNT 0', f"t{number} OK Done"]
    assert len(told(client.say("b STORE 1 +FLAGS.SILENT (\\Seen)"))) == MOST_CONTEXTS


def test_a_sorted_search_is_not_watched(house):
    client = Client(house)
    lines = client.say("w SORT RETURN (COUNT UPDATE) (SUBJECT) UTF-8 ALL")
    assert '* NO [NOUPDATE "w"] Changes of this search are not told' in lines
    assert '* ESEARCH (TAG "w") COUNT 3' in lines


def test_when_the_disk_fails_watching_ends(house, monkeypatch):
    client = watching(house, "SUBJECT one")

    async def fail(*arguments):
        raise OSError("broken")

    monkeypatch.setattr("mailsys.store.memory.folder.MemoryFolder.columns", fail)
    lines = client.say("b STORE 1 +FLAGS.SILENT (\\Seen)")
    assert lines == ['* NO [NOUPDATE "w"] Changes of this search are not told', "b OK Done"]
    monkeypatch.undo()
    assert told(client.say("c STORE 1 -FLAGS.SILENT (\\Seen)")) == []


@pytest.fixture
def slow(house, monkeypatch):
    """A client that idles while its search looks at a change, until what comes second is fired."""
    gate = Deferred()
    columns = MemoryFolder.columns

    async def wait(*arguments):
        await gate
        return await columns(*arguments)

    client = watching(house, "FLAGGED SUBJECT t")
    client.say("i IDLE")
    monkeypatch.setattr(MemoryFolder, "columns", wait)
    Client(house).say("b STORE 2 +FLAGS.SILENT (\\Flagged)")
    return client, gate


def test_what_is_found_after_idle_has_ended_waits_for_the_end_of_a_command(house, slow):
    client, gate = slow
    assert told(client.heard()) == []
    assert client.say("DONE") == ["i OK Done"]
    gate.callback(None)
    assert client.heard() == []
    assert client.say("c NOOP") == ['* ESEARCH (TAG "w") ADDTO (0 2)', "c OK Done"]


def test_numbers_are_those_of_the_moment_when_they_are_told(house, slow):
    client, gate = slow
    other = Client(house)
    other.say("b STORE 1 +FLAGS.SILENT (\\Deleted)")
    other.say("c EXPUNGE")
    assert "* 1 EXPUNGE" in client.heard()
    gate.callback(None)
    assert client.heard() == ['* ESEARCH (TAG "w") ADDTO (0 1)']


def test_what_goes_while_it_is_looked_at_is_not_told(house, slow):
    client, gate = slow
    other = Client(house)
    other.say("b STORE 2 +FLAGS.SILENT (\\Deleted)")
    other.say("c EXPUNGE")
    assert "* 2 EXPUNGE" in client.heard()
    gate.callback(None)
    assert client.heard() == []


def test_what_is_cancelled_while_it_is_looked_at_is_not_told(house, slow):
    client, gate = slow
    client.say("DONE")
    client.say('c CANCELUPDATE "w"')
    client.say("j IDLE")
    gate.callback(None)
    assert told(client.heard()) == []
