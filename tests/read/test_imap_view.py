"""Numbers stay what the client was told, until it is told otherwise."""

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsys.read.imap.view import View
from mailsys.wire.imap.sequence import BadSet, parse_sequence_set


def find(view, text, *, by_uids=False):
    return view.find(parse_sequence_set(text), by_uids=by_uids)


def test_numbers():
    view = View([3, 5, 9])
    assert [view.number(uid) for uid in (3, 4, 5, 9, 10)] == [1, None, 2, 3, None]
    assert find(view, b"1:2") == [3, 5]
    assert find(view, b"5:*", by_uids=True) == [5, 9]
    with pytest.raises(BadSet):
        find(view, b"4")


def test_what_has_gone_keeps_its_number_until_it_is_told():
    view = View([3, 5, 9])
    view.note_gone([5])
    assert find(view, b"3") == [9]
    assert view.take_gone() == ([2], [5])
    assert find(view, b"2") == [9]
    assert view.take_gone() == ([], [])


def test_several_that_have_gone_are_told_from_the_last():
    view = View([1, 2, 3, 4])
    view.note_gone([1, 3])
    view.note_gone([4, 3])
    numbers, uids = view.take_gone()
    assert numbers == [4, 3, 1]
    assert uids == [4, 3, 1]
    assert list(view.uids) == [2]


def test_arrivals():
    view = View([1, 2])
    assert list(view.take_arrived(array("I", [1, 2]))) == []
    assert list(view.take_arrived(array("I", [1, 2, 3, 7]))) == [3, 7]
    assert list(view.uids) == [1, 2, 3, 7]


def test_what_came_and_went_untold_is_never_told():
    view = View([1])
    view.note_gone([2])
    assert view.take_gone() == ([], [])
    assert list(view.take_arrived(array("I", [1, 3]))) == [3]


def test_a_message_that_has_gone_is_counted_among_arrivals_until_told():
    view = View([1, 2])
    view.note_gone([1])
    assert list(view.take_arrived(array("I", [2, 3]))) == [3]
    assert len(view) == 3


def test_flags():
    view = View([1, 2, 3])
    view.note_reflagged([3, 1, 99])
    view.forget_reflagged([1])
    assert view.take_reflagged() == [3]
    assert view.take_reflagged() == []
    view.note_reflagged([2])
    view.note_gone([2])
    assert view.take_reflagged() == []


def test_saved():
    view = View([1, 2, 3])
    view.saved = [1, 3]
    assert find(view, b"$") == [1, 3]
    view.note_gone([3])
    view.take_gone()
    assert find(view, b"$") == [1]


events = st.lists(
    st.one_of(
        st.tuples(st.just("deliver"), st.integers(1, 3)),
        st.tuples(st.just("expunge"), st.integers(0, 5)),
        st.tuples(st.just("tell arrivals"), st.just(0)),
        st.tuples(st.just("tell all"), st.just(0)),
    ),
    max_size=40,
)


@given(events)
def test_client_and_view_always_agree(happened):
    """A client that only counts what it is told has the same numbers as the view."""
    folder, next_uid = [1, 2, 3], 4
    view, client = View(folder), [1, 2, 3]
    for what, how in happened:
        if what == "deliver":
            folder += range(next_uid, next_uid + how)
            next_uid += how
        elif what == "expunge" and how < len(folder):
            view.note_gone([folder.pop(how)])
        elif what.startswith("tell"):
            if what == "tell all":
                for number in view.take_gone()[0]:
                    del client[number - 1]
            client += view.take_arrived(array("I", folder))
        assert list(view.uids) == client
    for number in view.take_gone()[0]:
        del client[number - 1]
    client += view.take_arrived(array("I", folder))
    assert client == folder
