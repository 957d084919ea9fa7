"""Where a recipient lives: aliases, tags, catch-all, postmaster, and loops."""

from itertools import pairwise

import pytest
from twisted.internet.defer import Deferred
from zope.interface import implementer
from zope.interface.verify import verifyObject

from mailsys.interfaces import Account, IDirectory, IRouter, Refused, ToMailboxes
from mailsys.message import reply as replies
from mailsys.message.address import Address, parse_address
from mailsys.route.router import Router
from mailsys.route.search import ALIAS_DEPTH, MOST_ADDRESSES


@implementer(IDirectory)
class Names:
    """A directory of three people and some aliases."""

    def __init__(self, aliases):
        self.accounts = {
            parse_address(name): Account(parse_address(name))
            for name in ("ann@a.example", "bob@a.example", "cyd@b.example")
        }
        self.aliases = {
            Address(*name.split("@")): [parse_address(target) for target in targets.split()]
            for name, targets in aliases.items()
        }
        self.asked = 0

    async def is_local(self, domain):
        return domain in ("a.example", "b.example")

    async def account(self, address):
        self.asked += 1
        return self.accounts.get(address)

    async def alias(self, address):
        self.asked += 1
        return self.aliases.get(address)

    async def postmaster(self, domain):
        return self.accounts[parse_address("ann@a.example")]


def route(recipient, separator="+", aliases=(), directory=None):
    router = Router(directory or Names(dict(aliases)), separator)
    verifyObject(IRouter, router)
    result = []
    Deferred.fromCoroutine(router.route(parse_address(recipient))).addBoth(result.append)
    return result[0]


def people(found):
    assert isinstance(found, ToMailboxes), found
    return [str(account.address) for account in found.accounts]


def test_an_account_in_any_case():
    assert people(route("ANN@A.example")) == ["ann@a.example"]


def test_a_stranger_domain_is_not_ours():
    assert route("ann@elsewhere.example") is None


def test_nobody_of_that_name():
    assert route("dan@a.example") == Refused(replies.NO_SUCH_USER, ("dan@a.example does not exist",))


def test_tags():
    found = route("ann+shop@a.example")
    assert people(found) == ["ann@a.example"]
    assert found.via == ("ann+shop@a.example is ann@a.example with a tag",)
    assert isinstance(route("ann+shop@a.example", separator=""), Refused)
    assert isinstance(route("+ann@a.example"), Refused)


def test_aliases_with_several_targets_and_aliases_in_them():
    aliases = {
        "all@a.example": "office@a.example cyd@b.example ann@a.example",
        "office@a.example": "ann@a.example bob@a.example",
    }
    found = route("all+x@a.example", aliases=aliases)
    assert people(found) == ["ann@a.example", "bob@a.example", "cyd@b.example"]
    assert found.via[0].startswith(
        "all+x@a.example is all@a.example with a tag, and all@a.example is an alias of"
    )


@pytest.mark.parametrize(
    "aliases",
    [
        {"x@a.example": "x@a.example"},
        {"x@a.example": "y@a.example", "y@a.example": "x+tag@a.example"},
        {"x@a.example": "ann@a.example y@a.example", "y@a.example": "x@a.example"},
        {"x@a.example": "x@b.example", "*@b.example": "x@a.example"},
    ],
)
def test_loops_are_found(aliases):
    assert route("x@a.example", aliases=aliases).reply == replies.ALIAS_LOOP


def test_a_loop_is_told_as_it_goes():
    aliases = {"x@a.example": "y@a.example", "y@a.example": "z@a.example", "z@a.example": "y@a.example"}
    assert route("x@a.example", aliases=aliases).via[-1] == (
        "the aliases go in a circle: y@a.example → z@a.example → y@a.example"
    )


def chain(length):
    """So many aliases in a row, the last of them of ann."""
    names = [f"{number}@a.example" for number in range(length)]
    return dict(zip(names, [*names[1:], "ann@a.example"], strict=True))


def test_how_many_aliases_may_follow_one_another():
    assert people(route("0@a.example", aliases=chain(ALIAS_DEPTH))) == ["ann@a.example"]
    found = route("0@a.example", aliases=chain(ALIAS_DEPTH + 1))
    assert found.reply == replies.ALIAS_TOO_DEEP
    assert found.via[-1].startswith("more than 10 aliases in a row: 0@a.example → 1@a.example → ")


def test_each_address_is_followed_once():
    """Eight levels of four aliases, each of all four below: 87,381 ways, and 33 addresses."""
    levels = [[f"{level}-{number}@a.example" for number in range(4)] for level in range(8)]
    aliases = {name: " ".join(below) for above, below in pairwise(levels) for name in above}
    aliases |= dict.fromkeys(levels[-1], "ann@a.example")
    directory = Names(aliases)
    assert people(route("0-0@a.example", directory=directory)) == ["ann@a.example"]
    assert directory.asked < 100


def test_an_alias_of_too_many_addresses():
    names = [f"{number}@a.example" for number in range(MOST_ADDRESSES)]
    directory = Names({"all@a.example": " ".join(names), "more@a.example": "all@a.example"})
    found = route("more@a.example", directory=directory)
    assert found.reply == replies.ALIAS_TOO_WIDE
    assert directory.asked < 5 * MOST_ADDRESSES


def test_the_way_is_told_in_a_bounded_number_of_words():
    names = [f"{'x' * 50}{number}@a.example" for number in range(MOST_ADDRESSES - 2)]
    found = route("all@a.example", aliases={"all@a.example": " ".join(["ann@a.example", *names])})
    assert people(found) == ["ann@a.example"]
    assert found.via[0].endswith(" and 989 more")
    assert found.via[-1] == "and more"
    assert sum(map(len, found.via)) < 10_000


def test_the_same_target_twice_is_no_loop():
    aliases = {
        "x@a.example": "y@a.example z@a.example",
        "y@a.example": "ann@a.example",
        "z@a.example": "ann@a.example",
    }
    assert people(route("x@a.example", aliases=aliases)) == ["ann@a.example"]


def test_an_alias_forwards_to_other_hosts():
    """Beside mailboxes or alone; what case means in an address of theirs, only they know."""
    found = route("x@a.example", aliases={"x@a.example": "ann@a.example Friend@elsewhere.example"})
    assert people(found) == ["ann@a.example"]
    assert found.outside == (parse_address("Friend@elsewhere.example"),)
    assert found.via[-1] == "mail for x@a.example is forwarded to Friend@elsewhere.example"
    caught = route("any@a.example", aliases={"*@a.example": "all@elsewhere.example"})
    assert (people(caught), caught.outside) == ([], (parse_address("all@elsewhere.example"),))


def test_an_address_at_another_host_is_met_once():
    aliases = {"x@a.example": "y@a.example Z@far.example", "y@a.example": "z@far.example"}
    assert route("x@a.example", aliases=aliases).outside == (parse_address("z@far.example"),)


def test_a_dead_target_does_not_hurt_the_others():
    found = route("x@a.example", aliases={"x@a.example": "gone@a.example ann@a.example"})
    assert people(found) == ["ann@a.example"]
    assert "gone@a.example does not exist" in found.via


def test_catch_all_comes_last():
    aliases = {"*@a.example": "bob@a.example", "info@a.example": "ann@a.example"}
    assert people(route("anything@a.example", aliases=aliases)) == ["bob@a.example"]
    assert people(route("ann+x@a.example", aliases=aliases)) == ["ann@a.example"]
    assert people(route("info+x@a.example", aliases=aliases)) == ["ann@a.example"]
    assert people(route("postmaster@a.example", aliases=aliases)) == ["ann@a.example"]
    assert isinstance(route("anything@b.example", aliases=aliases), Refused)


def test_postmaster_is_always_there():
    assert people(route("Postmaster@b.example")) == ["ann@a.example"]
    assert people(route("postmaster@b.example", aliases={"postmaster@b.example": "cyd@b.example"})) == [
        "cyd@b.example"
    ]
