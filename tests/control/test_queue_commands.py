"""``mailsys queue`` as a person types it, beside a server and without one."""

import json
import os
import threading
import time
from dataclasses import replace
from datetime import UTC

import pytest

from mailsys.config.retry import parse_retry
from mailsys.control import main
from mailsys.control.at_once import at_once
from mailsys.control.queue_words import Words
from mailsys.disk import Disk
from mailsys.interfaces import (
    Attempt,
    Progress,
    QueueAction,
    QueuedMessage,
    QueuedRecipient,
    RecipientState,
)
from mailsys.journal import FILE_NAME as JOURNAL
from mailsys.journal.reader import JournalReader
from mailsys.message.address import Address
from mailsys.message.content import MemoryContent
from mailsys.message.envelope import Envelope
from mailsys.message.outcome import Deferred, Delivered, Step
from mailsys.message.reply import Reply
from mailsys.process.data import claim
from mailsys.queue.contents import Contents
from mailsys.queue.database import QueueDatabase
from mailsys.queue.listing import ListedMessage, ListedRecipient
from mailsys.queue.spool import Spool
from mailsys.queue.writer import DirectWriter

ANN = Address("ann", "home.test")
SAID = Attempt(
    Deferred(Reply(451, "4.7.1", "come back later")), Step.RCPT, "mx.far.test [192.0.2.1]:25", "", "451 later"
)
OK = Attempt(Delivered("mx"), Step.MESSAGE, "mx.far.test [192.0.2.1]:25", "TLSv1.3 X", "250 thanks")


@pytest.fixture
def host(tmp_path):
    (tmp_path / "mailsys.toml").write_text('hostname = "mail.home.test"\ndata = "data"\n')
    (tmp_path / "data").mkdir()
    return tmp_path


@pytest.fixture
def spool(host):
    database = QueueDatabase(str(host / "data" / "queue.sqlite3"))
    contents = Contents(Disk(), str(host / "data" / "queue"))
    spool = Spool(contents, DirectWriter(database), lambda address: address.domain, lambda f, *a: f(*a))
    spool.prepare()
    yield spool
    database.close()


@pytest.fixture
def queue(host, capsys):
    def queue(*arguments):
        status = main(["--config", str(host / "mailsys.toml"), "queue", *arguments])
        return status, *capsys.readouterr()

    return queue


def put(spool, id_, *recipients, at=None):
    addresses = tuple(Address(*text.split("@")) for text in recipients or ("bob@far.test",))
    envelope = Envelope(id_, ANN, addresses)
    content = MemoryContent([b"Subject: x\r\n\r\n"])
    action = QueueAction(envelope, at or time.time(), b"", content.size)
    spool.write(action, content)
    spool.lay(action)
    return QueuedMessage(envelope, action.at, content)


def record(spool, message, state, attempt, next_attempt=0.0):
    recipient = QueuedRecipient(message.envelope.recipients[0], 3)
    progress = Progress(recipient, state, time.time(), attempt, next_attempt, "451 4.7.1 come back later")
    at_once(spool.record(message, [progress], []))


def test_nothing_waits(queue):
    assert queue("list") == (0, "Nothing waits.\n", "")
    assert queue("list", "--json") == (0, "[]\n", "")
    status, out, err = queue("retry", "--all")
    assert (status, out) == (1, "")
    assert "Nothing waits" in err


def test_what_waits_and_why(queue, spool):
    record(spool, put(spool, "4k2m9x7qa.1"), RecipientState.WAITING, SAID, time.time() + 720)
    status, out, err = queue("list")
    assert (status, err) == (0, "")
    assert "4k2m9x7qa.1  14 bytes from <ann@home.test>, since" in out
    assert "<bob@far.test> waits since" in out
    assert 'for mx.far.test [192.0.2.1]:25, which said "451 later"; next try' in out
    assert "(in 12 min), attempt 4; gives up on" in out


def test_as_json(queue, spool):
    record(spool, put(spool, "4k2m9x7qa.1"), RecipientState.WAITING, SAID, time.time() + 720)
    (found,) = json.loads(queue("list", "--json")[1])
    assert (found["id"], found["sender"], found["finished"]) == ("4k2m9x7qa.1", "ann@home.test", None)
    (recipient,) = found["recipients"]
    assert recipient["state"] == "waiting"
    assert recipient["attempts"] == 3
    assert recipient["next_attempt"].endswith("+00:00")


def test_a_selection_of_the_list(queue, spool):
    put(spool, "4k2m9x7qa.1", "bob@far.test")
    put(spool, "4k2m9x7qb.1", "eve@near.test")
    for what, expected in (
        ("4K2M9X7QA.1", ["4k2m9x7qa.1"]),
        ("eve@near.test", ["4k2m9x7qb.1"]),
        ("<ann@home.test>", ["4k2m9x7qa.1", "4k2m9x7qb.1"]),
        ("near.test", ["4k2m9x7qb.1"]),
        ("else.test", []),
    ):
        assert [one["id"] for one in json.loads(queue("list", what, "--json")[1])] == expected
    assert len(json.loads(queue("list", "near.test", "bob@far.test", "--json")[1])) == 2
    _, out, err = queue("list", "--limit", "1")
    assert "4k2m9x7qb.1" not in out
    assert "There are more" in err
    assert queue("list", "no such..thing")[0] == 1


def test_what_is_finished(queue, spool):
    record(spool, put(spool, "4k2m9x7qa.1"), RecipientState.DELIVERED, OK)
    assert queue("list")[1] == "Nothing waits.\n"
    out = queue("list", "--finished")[1]
    assert 'by mx.far.test [192.0.2.1]:25 over TLSv1.3, which said "250 thanks"' in out
    assert "was taken" in queue("show", "4k2m9x7qa.1")[1]
    assert queue("show", "4k2m9x7qz.1")[0] == 1


def test_a_message_with_many_recipients(queue, spool):
    put(spool, "4k2m9x7qa.1", *(f"user{number}@far.test" for number in range(30)))
    assert "and 20 more recipients" in queue("list")[1]
    assert "user29@far.test" in queue("show", "4k2m9x7qa.1")[1]


def test_orders_without_a_server(queue, spool, host):
    put(spool, "4k2m9x7qa.1")
    put(spool, "4k2m9x7qb.1", "eve@near.test", "fay@near.test")
    assert queue("hold", "near.test") == (0, "2 recipients are held until 'mailsys queue release'.\n", "")
    assert "is held (held by order)" in queue("list")[1]
    assert queue("release", "eve@near.test")[1] == "1 recipient is let go.\n"
    assert queue("retry", "4k2m9x7qa.1")[1] == "1 recipient is tried again now.\n"
    assert queue("remove", "--all")[1] == "3 recipients are removed.\n"
    assert queue("list")[1] == "Nothing waits.\n"
    assert list((host / "data" / "queue" / "content").iterdir()) == []
    with JournalReader(str(host / "data" / JOURNAL)) as journal:
        kinds = [event.facts["event"] for event in journal.events("4k2m9x7qb.1")]
    assert sorted(kinds) == ["queue hold"] * 2 + ["queue release"] + ["queue remove"] * 2


def test_an_order_says_what_it_is_for(queue):
    for arguments in (("remove",), ("remove", "far.test", "--all")):
        status, _, err = queue(*arguments)
        assert status == 1
        assert "--all" in err


def test_an_order_beside_a_server(queue, spool, host):
    """Somebody else holds the data folder, and does what the order says."""
    put(spool, "4k2m9x7qa.1")
    held = claim(str(host / "data"), "")
    is_over = threading.Event()

    def serve():
        while not is_over.wait(0.05):
            for order in at_once(spool.orders()):
                at_once(spool.carry_out(order, time.time(), ()))

    server = threading.Thread(target=serve)
    server.start()
    try:
        assert queue("hold", "--all")[1].startswith("1 recipient is held")
    finally:
        is_over.set()
        server.join()
        os.close(held)


def test_the_sentences_of_a_recipient():
    now = 1_795_435_445.0  # a Monday, 12:04:05 in UTC
    words = Words(parse_retry("15m then 8h until 5d"), now, UTC)
    message = ListedMessage("4k2m9x7qa.1", now - 7200, "", 14, 0.0, None, ())

    def tell(state="waiting", **changes):
        values = {
            "address": "bob@far.test", "destination": "far.test", "state": state, "attempts": 0,
            "next_attempt": now - 1, "last_attempt": 0.0, "remote": "", "tls": "", "said": "", "reason": "",
            "is_uncertain": 0, "ended": None,
        }  # fmt: skip
        return words.recipient(message, ListedRecipient(**{**values, **changes}))

    assert tell() == (
        "waits since 10:04 for far.test; next try as soon as far.test can be reached, attempt 1;"
        " gives up on Saturday 10:04"
    )
    assert "it may arrive twice" in tell(is_uncertain=1)
    assert 'which said "451 no"; next try 14:04 (in 2 h), attempt 3' in tell(
        attempts=2, said="451 no", next_attempt=now + 7200
    )
    later = replace(message, not_before=now + 86_400 * 3)
    bob = ListedRecipient(
        "bob@far.test", "far.test", "waiting", 0, now + 86_400 * 3, *[0.0, "", "", "", "", 0, None]
    )
    assert words.recipient(later, bob) == (
        "waits since 10:04 for far.test; leaves Thursday 12:04 (in 3 d), as its sender wants;"
        " gives up on 1 Dec 2026 12:04"
    )
    tried_before = replace(bob, attempts=1, next_attempt=now + 600)
    assert "next try 12:14 (in 10 min), attempt 2" in words.recipient(later, tried_before)
    assert tell("failed", ended=now - 86_400 * 10, reason="550 no") == "failed 13 Nov 2026 12:04: 550 no"
    assert tell("removed", ended=now) == "was removed 12:04 by order"
