"""Return addresses as recipients, and the file with their keys."""

import os
import stat
from pathlib import Path

import pytest
from test_router import Names
from zope.interface.verify import verifyObject

from mailsys.control.at_once import at_once
from mailsys.disk import Disk
from mailsys.interfaces import IRouter, Refused, ToMailboxes
from mailsys.message import reply as replies
from mailsys.message.address import Address, parse_address
from mailsys.message.srs import EXPIRY_DAYS, SenderRewriting, SrsKey
from mailsys.route.return_keys import FILE_NAME, ReturnAddresses
from mailsys.route.returned import ReturnRouter
from mailsys.route.router import Router

ANN = parse_address("ann@far.example")
DAY = 86_400.0


class Clock:
    day = 20_000

    def __call__(self):
        return self.day * DAY + 1.0


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def rewriting(clock):
    return SenderRewriting([SrsKey(b"k" * 32)], lambda: clock.day)


@pytest.fixture
def router(rewriting):
    names = Names({"*@b.example": "cyd@b.example"})
    router = ReturnRouter(names, rewriting, Router(names, "+"))
    verifyObject(IRouter, router)
    return router


def test_it_leads_to_the_writer(router, rewriting):
    address = rewriting.rewrite(ANN, "a.example")
    assert at_once(router.route(address)) == ToMailboxes(
        (), (f"{address} is the return address of {ANN}, whose mail was forwarded",), outside=(ANN,)
    )


def test_a_writer_who_is_one_of_ours_by_now(router, rewriting):
    address = rewriting.rewrite(parse_address("bob+x@a.example"), "a.example")
    [account] = at_once(router.route(address)).accounts
    assert str(account.address) == "bob@a.example"


@pytest.mark.row(15)
def test_forged_and_expired_ones(router, rewriting, clock):
    """Not even a catch-all takes them."""
    forged = parse_address("SRS0=abcdefgh=aa=far.example=ann@b.example")
    assert at_once(router.route(forged)).reply == replies.NOT_OUR_RETURN_ADDRESS
    address = rewriting.rewrite(ANN, "b.example")
    clock.day += EXPIRY_DAYS + 1
    refused = at_once(router.route(address))
    assert isinstance(refused, Refused)
    assert refused.reply == replies.RETURN_ADDRESS_EXPIRED


@pytest.mark.parametrize("address", ["ann@a.example", "srs0-team@b.example", "SRS0=a=bb=c=d@other.example"])
def test_it_knows_nothing_of_others(router, address):
    assert at_once(router.route(parse_address(address))) is None


# ---------------------------------------------------------------------- keys


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / FILE_NAME)


def addresses(path, clock):
    made = ReturnAddresses(Disk(), path, clock, os.urandom)
    made.open()
    return made


def test_the_first_key_is_made_once(path, clock):
    first = addresses(path, clock)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert addresses(path, clock).rewriting.keys == first.rewriting.keys
    assert Path(path).read_text().startswith("2024-10-04 ")


def test_a_dry_run_makes_none(path, clock):
    dry = ReturnAddresses(Disk(), path, clock, os.urandom)
    dry.read()
    assert dry.rewriting.keys == ()
    assert not os.path.exists(path)


def test_old_keys_verify_until_their_addresses_have_expired(path, clock):
    server = addresses(path, clock)
    before = server.rewriting.rewrite(ANN, "a.example")
    server.renew()
    assert server.rewriting.rewrite(ANN, "a.example") != before
    assert server.rewriting.original(before) == ANN
    clock.day += EXPIRY_DAYS
    server.renew()
    assert len(Path(path).read_text().splitlines()) == 3
    assert addresses(path, clock).rewriting.original(before) == ANN
    clock.day += 1
    server.renew()
    assert len(Path(path).read_text().splitlines()) == 3  # the first is left out now


@pytest.mark.parametrize("text", ["x", "2026-13-01 " + "0" * 64, "2026-11-30 " + "0" * 63, "\udcff"])
def test_a_file_that_is_damaged_is_not_written_over(path, clock, text):
    with open(path, "w", errors="surrogateescape") as file:
        file.write(text)
    with pytest.raises(OSError, match="return-address-keys"):
        ReturnAddresses(Disk(), path, clock, os.urandom).renew()
    assert Path(path).read_text(errors="surrogateescape") == text
    for number in (1, 2):  # the host starts all the same, each time with a key of its own
        Path(path).write_text(text, errors="surrogateescape")
        assert len(addresses(path, clock).rewriting.keys) == 1
        aside = Path(f"{path}.damaged-{number}")
        assert aside.read_text(errors="surrogateescape") == text
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


def test_what_can_be_read_of_a_damaged_file_stays_in_use(path, clock):
    server = addresses(path, clock)
    before = server.rewriting.rewrite(ANN, "a.example")
    server.renew()
    with open(path, "r+b") as file:
        file.write(b"\xff\x00")
    again = addresses(path, clock)
    assert len(again.rewriting.keys) == 2
    assert again.rewriting.original(before) == ANN
    assert again.rewriting.rewrite(ANN, "a.example") != before
    assert addresses(path, clock).rewriting.keys == again.rewriting.keys


@pytest.mark.parametrize("lose", [os.unlink, lambda path: os.truncate(path, 0)])
def test_a_file_that_is_lost_leaves_the_keys_in_use(path, clock, lose):
    server = addresses(path, clock)
    before = server.rewriting.rewrite(ANN, "a.example")
    lose(path)
    server.read()
    assert server.rewriting.original(before) == ANN
    assert server.rewriting.rewrite(ANN, "a.example") == before


def test_what_a_crash_left_behind(path, clock):
    with open(f"{path}.new", "w") as file:
        file.write("half")
    assert len(addresses(path, clock).rewriting.keys) == 1
    assert not os.path.exists(f"{path}.new")


def test_any_address_of_ours_may_hold_one(rewriting):
    assert rewriting.original(rewriting.rewrite(ANN, "b.example")) == ANN
    assert isinstance(rewriting.rewrite(ANN, "b.example"), Address)
