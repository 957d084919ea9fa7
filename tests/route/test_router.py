"""Where a recipient lives: aliases, tags, catch-all, postmaster, and loops."""

import pytest
from twisted.internet.defer import Deferred
from zope.interface import implementer
from zope.interface.verify import verifyObject

from mailsys.interfaces import Account, IDirectory, IRouter, Refused, ToMailboxes
from mailsys.message import reply as replies
from mailsys.message.address import Address, parse_address
from mailsys.route.router import Router


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

    async def is_local(self, domain):
        return domain in ("a.example", "b.example")

    async def account(self, address):
        return self.accounts.get(address)

    async def alias(self, address):
        return self.aliases.get(address)

    async def postmaster(self, domain):
        return self.accounts[parse_address("ann@a.example")]


def route(recipient, separator="+", **aliases):
    names = {name.replace("__", "@"): targets for name, targets in aliases.pop("aliases", {}).items()}
    router = Router(Names(names), separator)
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
        {f"{'x' * number}@a.example": f"{'x' * (number + 1)}@a.example" for number in range(1, 20)},
        {"x@a.example": "x@b.example", "*@b.example": "x@a.example"},
    ],
)
def test_loops_are_found(aliases):
    assert route("x@a.example", aliases=aliases).reply == replies.ALIAS_LOOP


def test_the_same_target_twice_is_no_loop():
    aliases = {
        "x@a.example": "y@a.example z@a.example",
        "y@a.example": "ann@a.example",
        "z@a.example": "ann@a.example",
    }
    assert people(route("x@a.example", aliases=aliases)) == ["ann@a.example"]


def test_an_alias_outside_is_refused_for_now():
    found = route("x@a.example", aliases={"x@a.example": "ann@a.example friend@elsewhere.example"})
    assert found.reply == replies.NO_FORWARDING


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
