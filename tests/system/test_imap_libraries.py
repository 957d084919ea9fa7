"""Python libraries for IMAP that no one here wrote, where they are installed."""

import asyncio

import pytest
from exchange import SECONDS, deliver, trusting

LETTER = (
    b"From: =?utf-8?q?Zo=C3=AB?= <zoe@example.org>\r\nSubject: =?utf-8?q?gr=C3=BC=C3=9Fe?=\r\n"
    b"Message-ID: <1@example.org>\r\n\r\nhello\r\n"
)


def test_imapclient(host, someone):
    imapclient = pytest.importorskip("imapclient")
    where = host.organisation
    client = imapclient.IMAPClient(where.address, where.port("imap"), ssl=False, timeout=SECONDS)
    client.starttls(trusting(host))
    client.login(someone.address, someone.password)
    client.create_folder("Entwürfe & mehr")
    assert "Entwürfe & mehr" in [name for _flags, _separator, name in client.list_folders()]
    assert client.find_special_folder(b"\\Sent") == "Sent"
    client.append("INBOX", LETTER, ["\\Flagged", "$Work"])
    client.select_folder("INBOX")
    assert client.search(["SUBJECT", "grüße"], "UTF-8") == [1]
    assert client.sort("REVERSE DATE") == [1]
    assert client.thread("REFERENCES") == ((1,),)
    found = client.fetch([1], ["ENVELOPE", "BODYSTRUCTURE", "FLAGS", "RFC822.SIZE", "MODSEQ"])[1]
    assert found[b"ENVELOPE"].from_[0].mailbox == b"zoe"
    assert found[b"RFC822.SIZE"] == len(LETTER)
    assert {b"\\Flagged", b"$Work"} <= set(found[b"FLAGS"])
    client.move([1], "Trash")
    client.select_folder("Trash")
    client.idle()
    client.idle_done()
    client.delete_messages([1])
    assert (1, b"EXPUNGE") in client.expunge()[1]
    client.logout()


def test_imap_tools(host, someone):
    imap_tools = pytest.importorskip("imap_tools")
    deliver(host, someone, LETTER)
    where = host.organisation
    with imap_tools.MailBoxUnencrypted(where.address, where.port("imap"), SECONDS).login(
        someone.address, someone.password
    ) as mailbox:
        [message] = mailbox.fetch(imap_tools.AND(seen=False))
        assert (message.subject, message.from_) == ("grüße", "zoe@example.org")
        mailbox.move(mailbox.uids(), "Archive")
        assert mailbox.folder.status("Archive")["MESSAGES"] == 1


def test_aioimaplib(host, someone):
    aioimaplib = pytest.importorskip("aioimaplib")
    where = host.organisation

    async def connect():
        client = aioimaplib.IMAP4(where.address, where.port("imap"), timeout=SECONDS)
        await client.wait_hello_from_server()
        await client.login(someone.address, someone.password)
        return client

    async def watch():
        client, other = await connect(), await connect()
        await client.select("INBOX")
        idle = await client.idle_start(timeout=SECONDS)
        await other.append(LETTER, "INBOX")
        pushed = await client.wait_server_push()
        client.idle_done()
        await idle
        fetched = await client.uid("fetch", "1:*", "(RFC822)")
        await other.logout()
        await client.logout()
        return pushed, fetched

    pushed, fetched = asyncio.run(watch())
    assert b"1 EXISTS" in pushed
    assert LETTER in [bytes(line) for line in fetched.lines]
