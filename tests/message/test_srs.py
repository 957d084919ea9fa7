"""Return addresses of forwarded mail: made, read back, and those that are no good."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsys.message.address import Address, parse_address
from mailsys.message.srs import (
    EXPIRY_DAYS,
    Fault,
    NoReturn,
    SenderRewriting,
    SrsKey,
    is_return_address,
)

TODAY = 20_787
KEY, OTHER = SrsKey(b"k" * 32), SrsKey(b"o" * 32)
ANN = parse_address("ann@far.example")
OURS = "ours.example"


def on(day, *keys):
    return SenderRewriting(keys or (KEY,), lambda: day)


def fault_of(address, day=TODAY, *keys):
    with pytest.raises(NoReturn) as found:
        on(day, *keys).original(address)
    return found.value.fault


def test_what_it_looks_like():
    made = on(TODAY).rewrite(ANN, OURS)
    assert made == parse_address("SRS0=yatqrrov=jt=far.example=ann@ours.example")


@pytest.mark.parametrize(
    "sender",
    [
        "ann@far.example", "Ann.O'Hara+tag@far.example", '"a b"@far.example', '"a@b=c\\"d"@far.example',
        "ann@[192.0.2.1]", "ann@[IPv6:2001:db8::1]", "größe@far.example", "a=b=c@far.example",
        f"{'x' * 64}@far.example",
    ],
)  # fmt: skip
def test_it_leads_back(sender):
    made = on(TODAY).rewrite(parse_address(sender), OURS)
    assert is_return_address(made)
    assert parse_address(str(made)) == made  # as the other host sends it back
    assert on(TODAY).original(made) == parse_address(sender)


def test_letters_that_only_fold_to_ours_are_not_ours():
    made = on(TODAY).rewrite(ANN, OURS)
    odd = Address(made.local_part.replace("=jt=", "=\u017ft="), OURS)
    assert fault_of(odd) is Fault.FORGED


def test_an_empty_local_part_is_written_too():
    """Of ``""@far.example`` nothing is left to lead back to, and so it is nobody's."""
    assert not is_return_address(on(TODAY).rewrite(Address("", "far.example"), OURS))


@given(st.from_regex(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,64}", fullmatch=True), st.integers(0, 3000))
def test_any_local_part_on_any_day(local_part, day):
    sender = Address(local_part, "far.example")
    back = on(day + EXPIRY_DAYS).original(on(day).rewrite(sender, OURS))
    assert back.folded() == sender.folded()


@pytest.mark.parametrize("change", [str.lower, str.upper, str.swapcase])
def test_hosts_may_change_its_case(change):
    made = on(TODAY).rewrite(ANN, OURS)
    assert on(TODAY).original(Address(change(made.local_part), OURS)).folded() == ANN


def test_mail_that_was_forwarded_before_comes_back_to_the_host_before_us():
    before = parse_address("SRS0=abcd=xy=far.example=ann@before.example")
    made = on(TODAY).rewrite(before, OURS)
    assert made.local_part.endswith("=before.example==abcd=xy=far.example=ann")
    assert on(TODAY).original(made) == before
    # A third host shortens the way: its notice goes to the first one, and not over us.
    after = on(TODAY, OTHER).rewrite(made, "after.example")
    assert after.local_part.endswith("=before.example==abcd=xy=far.example=ann")
    assert on(TODAY, OTHER).original(after) == before


@pytest.mark.parametrize("mark", "=+-")
def test_any_mark_behind_srs0_is_kept(mark):
    before = parse_address(f"SRS0{mark}abcd=xy=far.example=ann@before.example")
    assert on(TODAY).original(on(TODAY).rewrite(before, OURS)) == before


@pytest.mark.row(15)
def test_a_forged_one_leads_nowhere():
    made = on(TODAY).rewrite(ANN, OURS)
    for old, new in (("ann", "eve"), ("far.example", "near.example"), ("jt", "ju"), ("yatq", "yatr")):
        assert fault_of(Address(made.local_part.replace(old, new), OURS)) is Fault.FORGED
    before = on(TODAY).rewrite(parse_address("SRS0=abcd=xy=far.example=ann@before.example"), OURS)
    assert fault_of(Address(before.local_part.replace("ann", "eve"), OURS)) is Fault.FORGED
    assert fault_of(made, TODAY, OTHER) is Fault.FORGED
    assert fault_of(Address("ann", OURS)) is Fault.FORGED
    with pytest.raises(NoReturn):
        SenderRewriting((), lambda: TODAY).original(made)


@pytest.mark.parametrize("later", [EXPIRY_DAYS + 1, 500, 1000])
def test_an_old_one_has_expired(later):
    assert fault_of(on(TODAY).rewrite(ANN, OURS), TODAY + later) is Fault.EXPIRED


def test_its_day_does_not_come_again():
    """The two characters of a day do, after 1024 days; the hash is of the whole number."""
    assert fault_of(on(TODAY).rewrite(ANN, OURS), TODAY + 1024) is Fault.FORGED


def test_a_clock_that_was_a_day_ahead():
    assert on(TODAY - 1).original(on(TODAY).rewrite(ANN, OURS)) == ANN


def test_a_key_that_was_replaced_verifies_what_it_made():
    made = on(TODAY).rewrite(ANN, OURS)
    replaced = SrsKey(KEY.secret, until=TODAY)
    assert on(TODAY + EXPIRY_DAYS, OTHER, replaced).original(made) == ANN
    assert on(TODAY, OTHER, replaced).rewrite(ANN, OURS) == on(TODAY, OTHER).rewrite(ANN, OURS)
    later = on(TODAY + 1).rewrite(ANN, OURS)  # by somebody who has stolen it
    assert fault_of(later, TODAY + 1, OTHER, replaced) is Fault.FORGED


def test_what_would_be_too_long_for_an_address():
    long = Address("x" * 64, ".".join(["y" * 60] * 3))
    assert on(TODAY).rewrite(long, OURS) is None
    assert SenderRewriting((), lambda: TODAY).rewrite(ANN, OURS) is None


@pytest.mark.parametrize(
    "local_part", ["ann", "srs0", "srs0-team", "SRS0=a=b=c", "SRS0=a=b1=c=d", "srs10=a=b"]
)
def test_what_is_none(local_part):
    assert not is_return_address(Address(local_part, OURS))
