"""imaplib against a real server on Maildirs: folders, flags, search, copies, and news while it waits."""

import imaplib

import pytest
from exchange import SECONDS, deliver, trusting

LETTER = b"From: Visitor <visitor@example.org>\r\nSubject: a letter\r\n\r\nhello\r\n"


@pytest.fixture
def client(host, someone):
    where = host.organisation
    with imaplib.IMAP4(where.address, where.port("imap"), timeout=SECONDS) as client:
        client.starttls(ssl_context=trusting(host))
        client.login(someone.address, someone.password)
        yield client


def fetched(client, numbers, items):
    """The octets of each literal."""
    status, parts = client.fetch(numbers, items)
    assert status == "OK"
    return [part[1] for part in parts if isinstance(part, tuple)]


def test_with_tls_from_the_start(host, someone):
    deliver(host, someone, LETTER)
    where = host.organisation
    with imaplib.IMAP4_SSL(
        where.address, where.port("imaps"), ssl_context=trusting(host), timeout=SECONDS
    ) as client:
        client.login(someone.address, someone.password)
        assert client.select() == ("OK", [b"1"])
        [octets] = fetched(client, "1", "(RFC822)")
    assert octets.endswith(LETTER)


def test_folders_of_the_first_login(client):
    status, lines = client.list()
    assert status == "OK"
    assert {line.split()[-1] for line in lines} == {
        b"INBOX", b"Drafts", b"Sent", b"Junk", b"Trash", b"Archive"
    }  # fmt: skip
    assert any(b"\\Junk" in line for line in lines)


def test_a_day_in_a_mailbox(host, someone, client):
    deliver(host, someone, LETTER)
    deliver(host, someone, LETTER.replace(b"a letter", b"another"))
    client.select()
    assert client.search(None, "SUBJECT", "another") == ("OK", [b"2"])
    assert client.store("1", "+FLAGS", "(\\Flagged Work)")[0] == "OK"
    assert client.create("Work/Plans")[0] == "OK"
    assert client.copy("1:2", "Work/Plans")[0] == "OK"
    assert client.store("2", "+FLAGS.SILENT", "(\\Deleted)")[0] == "OK"
    assert client.expunge() == ("OK", [b"2"])
    assert client.append("Sent", "(\\Seen)", '" 7-Feb-1994 21:52:25 -0800"', LETTER)[0] == "OK"
    assert client.select("Work/Plans") == ("OK", [b"2"])
    assert b"Work" in client.fetch("1", "(FLAGS)")[1][0]
    assert client.select("Sent") == ("OK", [b"1"])
    assert fetched(client, "1", "(BODY.PEEK[])") == [LETTER]
    assert b" 8-Feb-1994" in client.fetch("1", "(INTERNALDATE)")[1][0]
    assert client.rename("Work", "Done")[0] == "OK"
    assert client.select("Done/Plans") == ("OK", [b"2"])
    assert client.close()[0] == "OK"
    assert client.delete("Done/Plans")[0] == "OK"
    assert client.select("Done/Plans")[0] == "NO"


def test_a_large_message_comes_back_as_it_was(client):
    large = b"Subject: large\r\n\r\n" + b"".join(b"%076d\r\n" % number for number in range(40_000))
    assert client.append("Drafts", None, None, large)[0] == "OK"
    client.select("Drafts")
    assert fetched(client, "1", "(RFC822)") == [large]
    assert fetched(client, "1", "(BODY.PEEK[]<1000000.2000000>)") == [large[1_000_000:3_000_000]]


def test_news_while_it_waits(host, someone, client):
    """IDLE: the letter is there within a moment of its delivery."""
    client.select()
    client.send(b"x IDLE\r\n")
    assert client.readline().startswith(b"+ ")
    deliver(host, someone, LETTER)
    assert client.readline() == b"* 1 EXISTS\r\n"
    assert client.readline() == b"* 1 RECENT\r\n"
    client.send(b"DONE\r\n")
    assert client.readline().startswith(b"x OK")


def test_two_at_once(host, someone, client):
    deliver(host, someone, LETTER)
    client.select()
    where = host.organisation
    with imaplib.IMAP4(where.address, where.port("imap"), timeout=SECONDS) as other:
        other.login(someone.address, someone.password)
        other.select()
        other.store("1", "+FLAGS", "(\\Deleted)")
        other.expunge()
    assert client.noop()[0] == "OK"
    assert client.response("EXPUNGE") == ("EXPUNGE", [b"1"])


def test_mail_of_a_folder_survives_a_restart(own_host):
    """UIDs, flags and keywords are where they were."""
    someone = own_host.organisation.people[0]
    where = own_host.organisation

    def talk(*steps):
        with imaplib.IMAP4(where.address, where.port("imap"), timeout=SECONDS) as client:
            client.login(someone.address, someone.password)
            client.select("INBOX")
            return [client.uid(*step)[1] for step in steps], client.response("UIDVALIDITY")

    own_host.start()
    own_host.wait_until_ready()
    deliver(own_host, someone, LETTER)
    talk(("STORE", "1", "+FLAGS", "(\\Seen Work)"))
    before = talk(("FETCH", "1:*", "(FLAGS)"))
    own_host.stop()
    own_host.start()
    own_host.wait_until_ready()
    assert talk(("FETCH", "1:*", "(FLAGS)")) == before
