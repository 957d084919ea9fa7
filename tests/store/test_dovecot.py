"""Dovecot over the same tree: it reads our mail, we read its, and neither loses a UID."""

import time

import pytest
from dovecot import Dovecot, program, unprivileged_folder
from maildir_house import ANN, HEAD, MaildirHouse, read, result_of

from mailsys.interfaces import Account
from mailsys.store.maildir.maildirsize import MaildirSize

LIMIT = 10 * 1024 * 1024


@pytest.fixture
def house():
    program("imap")
    with unprivileged_folder() as folder:
        house = MaildirHouse(folder)
        house.clock = time.time() - 3600
        yield house


@pytest.fixture
def dovecot(house):
    house.tree.ready(ANN.address, "INBOX", "new")
    dovecot = Dovecot(house.data, house.root())
    yield dovecot
    dovecot.stop()
    assert dovecot.complaints() == []


def ours(house):
    """UIDVALIDITY, and UID → (wire size, text with CRLF) as our store has them."""
    mailbox = house.open(exclusive=False)
    found = {}
    for message in mailbox.messages:
        text = read(mailbox, message.uid).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        found[message.uid] = message.wire_size, text
    return mailbox.uid_validity, found


def theirs(imap):
    found = imap.messages()
    return imap.uid_validity(), found


def texts(messages):
    return [text for _size, text in messages.values()]


def test_dovecot_reads_what_we_delivered(house, dovecot):
    for number in range(3):
        house.deliver(b"message %d\r\n" % number)
    _validity, messages = theirs(dovecot.imap())
    expected = [HEAD + b"Subject: test\r\n\r\nmessage %d\r\n" % number for number in range(3)]
    assert texts(messages) == expected
    assert [size for size, _text in messages.values()] == [len(text) for text in expected]


def test_dovecot_keeps_the_uids_that_we_gave(house, dovecot):
    for _ in range(4):
        house.deliver()
    mailbox = house.open()
    result_of(mailbox.expunge([2, 4]))
    mailbox.close()
    house.deliver()
    assert list(ours(house)[1]) == [1, 3, 5]
    imap = dovecot.imap()
    assert theirs(imap) == ours(house)
    imap.append("INBOX", None, None, b"Subject: theirs\r\n\r\n")
    assert list(theirs(imap)[1]) == [1, 3, 5, 6]


def test_we_keep_the_uids_that_dovecot_gave(house, dovecot):
    for number in range(6):
        house.deliver(b"message %d\r\n" % number)
    imap = dovecot.imap()
    before = theirs(imap)
    imap.uid("STORE", "1,5", "+FLAGS", r"(\Seen $Forwarded)")
    imap.create("Work.Deep")
    imap.uid("COPY", "3", "Work.Deep")
    imap.uid("STORE", "3,6", "+FLAGS", r"(\Deleted)")
    imap.expunge()
    after = ours(house)
    assert after[0] == before[0]
    assert after[1] == {uid: message for uid, message in before[1].items() if uid not in (3, 6)}
    assert read(house.open(folder="Work/Deep"), 1) == before[1][3][1]


def test_mail_goes_to_and_fro(house, dovecot):
    """Both deliver, delete and change flags in turn, and agree after each step."""
    imap = dovecot.imap()
    seen = {}
    for turn in range(5):
        house.deliver(b"turn %d\r\n" % turn)
        if turn % 2:
            ours(house)
        imap.append("INBOX", r"(\Seen)", None, b"Subject: turn\r\n\r\n%d\r\n" % turn)
        both = ours(house)
        assert theirs(imap) == both
        for uid, message in both[1].items():
            assert seen.setdefault(uid, message) == message  # a UID is one message for ever
        mailbox = house.open()
        result_of(mailbox.expunge([mailbox.messages[0].uid]))
        mailbox.close()
        imap.uid("STORE", str(max(both[1])), "+FLAGS", r"(\Deleted)" if turn % 3 == 0 else r"(\Flagged)")
        imap.expunge()
        assert theirs(imap) == ours(house)
    assert len(seen) == 10


def test_messages_without_sizes_are_measured_alike(house, dovecot):
    for number, text in enumerate((b"a: b\n\nbare\n", b"a: b\r\n\r\nmixed\nlines\r\n", b"no end\n\nx", b"")):
        house.put(f"{1700000000 + number}.M1P1.h", text)
        house.put(f"{1700000100 + number}.M1P1.h,S={len(text)}:2,S", text, "cur")
    measured = ours(house)
    assert theirs(dovecot.imap()) == measured
    assert len(measured[1]) == 8


def test_the_sizes_that_dovecot_remembers_are_believed(house, dovecot):
    house.put("1700000000.M1P1.h", b"a: b\n\nbare\n")
    dovecot.imap().messages()
    dovecot.pop3(b"LIST\r\nUIDL\r\nQUIT\r\n")
    assert ours(house)[1] == {1: (14, b"a: b\r\n\r\nbare\r\n")}


def test_pop3_names_are_made_of_the_same_numbers(house, dovecot):
    house.deliver()
    validity, messages = ours(house)
    answer = dovecot.pop3(b"UIDL\r\nQUIT\r\n").decode()
    assert f"\r\n1 {next(iter(messages)):08x}{validity:08x}\r\n" in answer


def test_after_a_lost_uidlist_both_begin_anew_together(house, dovecot):
    house.deliver()
    old_validity, _ = theirs(dovecot.imap())
    (house.root() / "dovecot-uidlist").unlink()
    validity, messages = ours(house)
    assert validity > old_validity
    assert theirs(dovecot.imap()) == (validity, messages)
    assert "UIDVALIDITY changed" in "".join(dovecot.complaints())


def test_folders_that_dovecot_makes_later_have_their_own_uid_validity(house, dovecot):
    house.deliver()
    validity, _ = ours(house)
    imap = dovecot.imap()
    imap.create("Work")
    imap.select("Work")
    assert imap.uid_validity() > validity


def test_the_quota_file_is_shared(house, dovecot):
    account = Account(ANN.address, LIMIT)
    house.deliver(b"x" * 1000)
    assert result_of(house.quota.has_room(account, 1))
    size = len(texts(ours(house)[1])[0])
    imap = dovecot.imap()
    imap.append("INBOX", None, None, b"y" * 500)
    lines = (house.root() / "maildirsize").read_text().splitlines()
    assert lines[0].startswith(f"{LIMIT}S")
    usage = MaildirSize(house.disk, str(house.root()), LIMIT).usage()
    assert usage == (size + 500, 2)


def test_both_at_once(house, dovecot):
    """Looks and deliveries race with Dovecot's; afterwards both tell the same."""
    imap = dovecot.imap()
    seen = {}
    for turn in range(60):
        house.deliver(b"ours %d\r\n" % turn)
        tag = imap._command("NOOP")  # it looks while we look
        for uid, message in ours(house)[1].items():
            assert seen.setdefault(uid, message) == message
        imap._command_complete("NOOP", tag)
    both = ours(house)
    assert theirs(imap) == both
    assert both[1] == seen
    assert list(seen) == list(range(1, 61))
