"""A store that raises, hangs or returns nonsense: sessions and intake see a disk that fails, and no worse."""

import threading
from types import SimpleNamespace

import pytest
from plugin_house import ANN, CONTENT, guard_of, result_of
from zope.interface import directlyProvides

from mailsys.extensions.drop import GuardedDrop, GuardedQuota
from mailsys.extensions.guard import Guard
from mailsys.extensions.store import GuardedStore
from mailsys.extensions.threads import MOST_HANGING, GuardedThreads
from mailsys.interfaces import (
    Account,
    Identity,
    IMailbox,
    IRepeatableDrop,
    MailboxAction,
    MailboxInUse,
    NotRemoved,
    StoredMessage,
)
from mailsys.message.address import parse_address

ACCOUNT = Account(ANN, quota_bytes=1000)
ACTION = MailboxAction(ANN, ANN, "INBOX", "name.1", b"A: b\r\n")


def raising(error):
    def method(*arguments, **options):
        raise error

    return method


def returning(answer):
    return lambda *arguments, **options: answer


def answering(answer):
    async def method(*arguments, **options):
        if isinstance(answer, BaseException):
            raise answer
        return answer

    return method


def quick_guard():
    return Guard("acme", "/somewhere/acme.py", 0.05, None)


# ---------------------------------------------------------------------- in threads


@pytest.mark.row(66)
@pytest.mark.parametrize("step", ["write", "lay", "discard", "is_written", "laid_octets", "replace"])
@pytest.mark.parametrize("error", [RecursionError("deep"), MemoryError(), SystemExit(1), ValueError("odd")])
def test_whatever_a_step_raises_is_an_os_error_that_names_the_plugin(step, error):
    drop = GuardedDrop(SimpleNamespace(**{step: raising(error)}), guard_of())
    arguments = (ACTION, CONTENT) if step == "write" else (ACTION,)
    with pytest.raises(OSError, match=f"the plugin acme failed at {step}: {type(error).__name__}"):
        getattr(drop, step)(*arguments)


def test_an_os_error_passes_as_it_is():
    drop = GuardedDrop(SimpleNamespace(replace=raising(FileNotFoundError("deleted"))), guard_of())
    with pytest.raises(FileNotFoundError, match="deleted"):
        drop.replace(ACTION)


@pytest.mark.row(66)
def test_a_step_that_hangs_is_left_alone_and_so_is_the_plugin_when_many_hang():
    released = threading.Event()
    threads = GuardedThreads(quick_guard())
    for _ in range(MOST_HANGING):
        with pytest.raises(OSError, match=r"TimeoutError: it did not answer in 0\.05 s"):
            threads.call("write", released.wait)
    with pytest.raises(OSError, match=f"was not asked, since {MOST_HANGING} calls hang"):
        threads.call("write", lambda: None)
    released.set()
    for _ in range(200):
        try:
            assert threads.call("write", lambda: 7) == 7
        except OSError:
            threading.Event().wait(0.01)
        else:
            break
    else:
        pytest.fail("it is still left alone")


@pytest.mark.parametrize(
    ("step", "answer"),
    [("is_written", "yes"), ("is_written", None), ("laid_octets", "7"), ("laid_octets", 7.0)],
)
def test_nonsense_is_an_os_error(step, answer):
    drop = GuardedDrop(SimpleNamespace(**{step: returning(answer)}), guard_of())
    with pytest.raises(OSError, match=f"the plugin acme failed at {step}: TypeError"):
        getattr(drop, step)(ACTION)


@pytest.mark.row(66)
@pytest.mark.parametrize(
    "settle",
    [raising(MemoryError()), returning(None), returning([7]), returning([SimpleNamespace(name="x")])],
)
def test_nothing_counts_as_settled_when_settling_fails(settle):
    drop = GuardedDrop(SimpleNamespace(settle=settle), guard_of())
    assert drop.settle([ACTION]) == [ACTION]


def test_what_could_not_be_settled_is_told():
    drop = GuardedDrop(SimpleNamespace(settle=lambda actions: actions[1:]), guard_of())
    other = MailboxAction(ANN, ANN, "INBOX", "name.2", b"")
    assert drop.settle([ACTION, other]) == [other]


# ---------------------------------------------------------------------- in the reactor's thread


@pytest.mark.row(66)
@pytest.mark.parametrize(
    "plan",
    [
        raising(RecursionError()),
        returning(None),
        returning(MailboxAction(parse_address("bob@example.org"), ANN, "INBOX", "x", b"")),
        returning(MailboxAction(ANN, ANN, "INBOX", "a\nb", b"")),
        returning(MailboxAction(ANN, ANN, "INBOX", "x" * 300, b"")),
        returning(MailboxAction(ANN, ANN, "", "x", b"")),
        returning(MailboxAction(ANN, ANN, "INBOX", "x", "A: b")),
    ],
)
def test_a_plan_that_is_none_is_an_os_error(plan):
    drop = GuardedDrop(SimpleNamespace(plan=plan), guard_of())
    with pytest.raises(OSError, match="the plugin acme failed at plan"):
        drop.plan(ACCOUNT, ANN, b"A: b\r\n", 10)


@pytest.mark.row(66)
def test_what_needs_no_answer_does_not_hurt():
    drop = GuardedDrop(SimpleNamespace(announce=raising(MemoryError())), guard_of())
    drop.announce(ACTION)
    quota = GuardedQuota(SimpleNamespace(release=raising(MemoryError())), guard_of())
    quota.release(ACCOUNT, 10, used=0)


@pytest.mark.row(66)
@pytest.mark.parametrize("answer", [MemoryError(), None, 1, "yes"])
@pytest.mark.parametrize("step", ["has_room", "hold"])
def test_a_quota_that_fails_is_an_os_error(step, answer):
    quota = GuardedQuota(SimpleNamespace(**{step: answering(answer)}), guard_of())
    with pytest.raises(OSError, match=f"the plugin acme failed at {step}"):
        result_of(getattr(quota, step)(ACCOUNT, 10))


# ---------------------------------------------------------------------- for readers


def store_with(**methods):
    return GuardedStore(SimpleNamespace(drop=None, quota=None, **methods), guard_of())


def mailbox_with(**methods):
    mailbox = SimpleNamespace(uid_validity=1, messages=[StoredMessage(1, 2, 2)], **methods)
    directlyProvides(mailbox, IMailbox)
    return result_of(store_with(open=answering(mailbox)).open(ACCOUNT, "INBOX", exclusive=True))


@pytest.mark.row(66)
@pytest.mark.parametrize("answer", [RecursionError(), None, SimpleNamespace(uid_validity=1, messages=[])])
def test_a_store_that_does_not_open_is_an_os_error(answer):
    with pytest.raises(OSError, match="the plugin acme failed at open"):
        result_of(store_with(open=answering(answer)).open(ACCOUNT, "INBOX", exclusive=True))


def test_a_mailbox_in_use_is_told_as_such():
    with pytest.raises(MailboxInUse):
        result_of(store_with(open=answering(MailboxInUse())).open(ACCOUNT, "INBOX", exclusive=True))


@pytest.mark.row(66)
def test_a_mailbox_that_fails_hurts_one_answer():
    mailbox = mailbox_with(
        content=answering(MemoryError()),
        read_cached=raising(RecursionError()),
        name=raising(MemoryError()),
        read_many=answering([b"one", 7]),
        expunge=answering(ValueError()),
        close=raising(ValueError()),
    )
    for asked in (mailbox.content(1), mailbox.read_many([1, 2])):
        with pytest.raises(OSError, match="the plugin acme failed"):
            result_of(asked)
    assert mailbox.read_cached(1) is None
    assert mailbox.name(1) == ""
    with pytest.raises(NotRemoved):
        result_of(mailbox.expunge([1]))
    mailbox.close()


@pytest.mark.row(66)
def test_a_content_that_fails_in_the_middle_is_an_os_error():
    def pieces():
        yield b"one"
        raise RecursionError("deep")

    found = SimpleNamespace(size=10, pieces=pieces, read=raising(MemoryError()))
    content = result_of(mailbox_with(content=answering(found)).content(1))
    read = content.pieces()
    assert next(read) == b"one"
    with pytest.raises(OSError, match="RecursionError"):
        next(read)
    with pytest.raises(OSError, match="MemoryError"):
        content.read(0, 1)


def test_what_is_gone_is_a_key_error():
    with pytest.raises(KeyError):
        result_of(mailbox_with(content=answering(KeyError(1))).content(1))


@pytest.mark.row(66)
def test_a_copy_that_may_be_there_is_planned_behind_the_guard_where_the_plugin_can():
    identity = Identity("m.1.1 ann@example.org", 1e9)
    assert not IRepeatableDrop.providedBy(GuardedDrop(SimpleNamespace(), guard_of()))
    plugin = SimpleNamespace(plan_again=returning(ACTION))
    directlyProvides(plugin, IRepeatableDrop)
    drop = GuardedDrop(plugin, guard_of())
    assert IRepeatableDrop.providedBy(drop)
    assert drop.plan_again(ACCOUNT, ANN, b"A: b\r\n", 10, identity) is ACTION
    plugin.plan_again = raising(RecursionError())
    with pytest.raises(OSError, match="the plugin acme failed at plan_again"):
        drop.plan_again(ACCOUNT, ANN, b"", 10, identity)
