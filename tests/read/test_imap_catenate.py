"""Messages put together from parts of others (RFC 4469)."""

import pytest
from imap_house import House, now_of
from test_imap_session import Client

from mailsys.message.structure.scan import scan
from mailsys.read.imap import catenate
from mailsys.read.imap.catenate import MOST_URLS


@pytest.fixture
def client():
    house = House()
    now_of(house.folders.create("Drafts"))
    return Client(house)


@pytest.fixture
def scans(monkeypatch):
    """The messages that were taken apart."""
    done = []

    def count(content):
        done.append(content)
        return scan(content)

    monkeypatch.setattr(catenate, "scan", count)
    return done


def urls(number, uid=3):
    return " ".join(f'URL "/INBOX/;UID={uid}/;SECTION={1 + place % 2}"' for place in range(number))


@pytest.mark.row(48)
def test_there_is_a_bound_to_the_urls_of_a_command(client, scans):
    refused = client.say(f"b APPEND Drafts CATENATE ({urls(MOST_URLS)}) CATENATE ({urls(1)})")
    assert refused == ["b NO [LIMIT] There are too many URLs in one command"]
    assert client.say(f"c APPEND Drafts CATENATE ({urls(MOST_URLS)})")[-1].startswith("c OK [APPENDUID ")
    assert len(scans) == 2


def test_a_message_is_taken_apart_once_for_a_command(client, scans):
    assert client.say(f"b APPEND Drafts CATENATE ({urls(4)})")[-1].startswith("b OK ")
    assert len(scans) == 1
    client.say("c SELECT Drafts")
    told = client.play.say(b"d FETCH 1 BODY.PEEK[]\r\n")
    assert told.partition(b"}\r\n")[2].startswith(b"firstPGI+w7w8L2I+firstPGI+w7w8L2I+)")


def test_what_is_kept_is_of_the_same_message(client, scans):
    several = " ".join(urls(1, uid) for uid in (3, 2, 3, 1, 2))
    assert client.say(f"b APPEND Drafts CATENATE ({several})")[-1].startswith("b OK ")
    assert len(scans) == 3
    client.say("c SELECT Drafts")
    told = client.play.say(b"d FETCH 1 BODY.PEEK[]\r\n")
    assert told.partition(b"}\r\n")[2].startswith(
        b"firstline\r\nand one\r\nfirstHello,\r\nthis is one.\r\nline\r\nand one\r\n)"
    )


def test_no_message_is_held_open_at_the_end(client, monkeypatch):
    released = []
    monkeypatch.setattr(catenate, "release", released.append)
    monkeypatch.setattr(catenate, "MOST_KNOWN", 1)
    several = " ".join(urls(1, uid) for uid in (3, 2, 1))
    assert client.say(f"b APPEND Drafts CATENATE ({several})")[-1].startswith("b OK ")
    assert len(released) == 3
