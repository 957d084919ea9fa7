"""An open mailbox while other programs rename, delete and replace its messages."""

import os

import pytest
from maildir_house import MaildirHouse, read, result_of

from mailsys.interfaces import MailboxInUse, NotRemoved
from mailsys.message.content import READ_OCTETS


@pytest.fixture
def house(tmp_path):
    return MaildirHouse(tmp_path)


def move(house, uid_name, target):
    """Another program renames a message, as when it changes flags."""
    for subdirectory in ("new", "cur"):
        path = house.root() / subdirectory / uid_name
        if path.exists():
            return os.rename(path, house.root() / target)
    raise AssertionError(uid_name)


def test_opening_moves_nothing(house):
    action = house.deliver()
    house.open()
    assert house.names_in("new") == [action.name]
    assert house.names_in("cur") == []


@pytest.mark.row(50)
def test_a_renamed_message_is_found_again(house):
    """Row 50, rename race: another program moves it to cur and changes its flags, twice."""
    action = house.deliver(b"here\r\n")
    mailbox = house.open()
    move(house, action.name, f"cur/{action.name}:2,S")
    assert read(mailbox, 1).endswith(b"here\r\n")
    move(house, f"{action.name}:2,S", f"cur/{action.name}:2,RS")
    assert result_of(mailbox.content(1)).size == mailbox.messages[0].size


@pytest.mark.row(50)
def test_a_content_that_is_being_read_survives_a_rename_and_a_removal(house):
    """Row 50, rename race: in the middle of a large message."""
    action = house.deliver(b"x" * 1000)
    content = result_of(house.open().content(1))
    start = content.read(0, 500)
    move(house, action.name, f"cur/{action.name}:2,S")
    assert (start + content.read(500, 10_000)).endswith(b"x" * 1000)
    os.unlink(house.root() / "cur" / f"{action.name}:2,S")
    assert (start + content.read(500, 10_000)).endswith(b"x" * 1000)
    content.release()
    with pytest.raises(FileNotFoundError):
        content.read(0, 1)


@pytest.mark.row(50)
def test_a_renamed_message_is_deleted(house):
    """Row 50, rename race: what the client deleted does not stay under its new name."""
    actions = [house.deliver() for _ in range(3)]
    mailbox = house.open()
    move(house, actions[1].name, f"cur/{actions[1].name}:2,S")
    os.unlink(house.root() / "new" / actions[0].name)
    result_of(mailbox.expunge([1, 2]))
    assert house.names_in("new") == [actions[2].name]
    assert house.names_in("cur") == []


def test_a_deleted_message_is_a_key_error(house):
    action = house.deliver()
    mailbox = house.open()
    os.unlink(house.root() / "new" / action.name)
    with pytest.raises(KeyError):
        read(mailbox, 1)


def test_what_is_in_memory_is_read_at_once(house, monkeypatch):
    action = house.deliver()
    mailbox = house.open()
    whole = read(mailbox, 1)
    assert mailbox.read_cached(1) == whole

    def would_wait(*_arguments):
        raise BlockingIOError(11, "Resource temporarily unavailable")

    with monkeypatch.context() as patched:
        patched.setattr(os, "preadv", would_wait)
        assert mailbox.read_cached(1) is None
    move(house, action.name, f"cur/{action.name}:2,S")
    assert mailbox.read_cached(1) is None  # it is not where it was; a thread looks for it
    assert read(mailbox, 1) == mailbox.read_cached(1) == whole
    os.unlink(house.root() / "cur" / f"{action.name}:2,S")
    os.mkfifo(house.root() / "cur" / f"{action.name}:2,S")
    assert mailbox.read_cached(1) is None
    assert mailbox.read_cached(2) is None


@pytest.mark.row(50)
def test_a_message_that_was_replaced_by_a_link_or_fifo_is_not_read(house, tmp_path):
    """Row 50: after the look a link is not followed, and a FIFO does not hold the thread."""
    secret = tmp_path / "secret"
    secret.write_text("not mail")
    action = house.deliver()
    mailbox = house.open()
    path = house.root() / "new" / action.name
    path.unlink()
    path.symlink_to(secret)
    with pytest.raises(OSError, match="symbolic link"):
        read(mailbox, 1)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(OSError, match="not a regular file"):
        read(mailbox, 1)


def test_an_expunge_that_fails_deletes_the_rest_and_says_so(house, monkeypatch):
    actions = [house.deliver() for _ in range(3)]
    mailbox = house.open()
    unlink = os.unlink

    def refuse_second(path):
        if path.endswith(actions[1].name):
            raise PermissionError(1, "no", path)
        unlink(path)

    monkeypatch.setattr(os, "unlink", refuse_second)
    with pytest.raises(NotRemoved, match="no") as refused:
        result_of(mailbox.expunge([1, 2, 3]))
    assert refused.value.removed == 2
    assert house.names_in("new") == [actions[1].name]


def test_a_message_that_grew_or_shrank_is_read_as_it_is(house):
    action = house.deliver()
    mailbox = house.open()
    path = house.root() / "new" / action.name
    for octets in (b"changed", b"x" * 10_000, b"", b"x" * READ_OCTETS):
        path.write_bytes(octets)
        assert read(mailbox, 1) == octets
    path.write_bytes(b"x" * (READ_OCTETS + 1))
    assert read(mailbox, 1) is None
    assert mailbox.read_cached(1) is None


def test_other_folders_are_opened_and_not_made(house):
    house.tree.ready(house.plan()[0].account, "Work/Plans", "new")
    assert list(house.open(folder="Work/Plans").messages) == []
    for folder in ("Missing", "../etc", "a.b"):
        with pytest.raises(FileNotFoundError):
            house.open(folder=folder)
    assert not (house.root() / ".Missing").exists()


def test_a_failed_open_holds_nothing(house):
    house.root().parent.mkdir(parents=True)
    house.root().write_text("a file where the Maildir should be")
    with pytest.raises(NotADirectoryError):
        house.open()
    house.root().unlink()
    house.open()


def test_inbox_is_one_folder_in_any_case(house):
    house.open(folder="INBOX").close()
    house.open(folder="inbox")
    with pytest.raises(MailboxInUse):
        house.open(folder="Inbox")
