"""What every router must do."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from zope.interface.verify import verifyObject

from mailsys.extensions.fit import wrong_route
from mailsys.interfaces import IRouter, Refused, Route, ToDelivery, ToMailboxes
from mailsys.message.address import Address, parse_address
from mailsys.testing.samples import ODD_ADDRESSES
from mailsys.testing.services import Asking


class RouterContract(Asking):
    """Give it a fixture ``router``, and addresses (texts) that it knows and does not."""

    known: Sequence[str] = ()
    unknown: Sequence[str] = ("nobody@nowhere.example",)

    @pytest.fixture
    def router(self) -> IRouter:
        """The router that is tested."""
        raise NotImplementedError

    def route(self, router: IRouter, address: Address | str) -> Route | None:
        """Its answer, which has to be usable."""
        recipient = parse_address(address) if isinstance(address, str) else address
        route: Route | None = self.wait_for(router.route(recipient))
        assert wrong_route(route) == ""
        return route

    def test_it_provides_the_interface(self, router: IRouter) -> None:
        """Its method, with its arguments."""
        assert verifyObject(IRouter, router)

    def test_it_knows_the_way(self, router: IRouter) -> None:
        """For each known address, and the same when it is asked again."""
        for address in self.known:
            route = self.route(router, address)
            assert isinstance(route, ToMailboxes | ToDelivery | Refused), address
            assert self.route(router, address) == route

    def test_the_case_of_an_address_does_not_matter(self, router: IRouter) -> None:
        """Strangers write our addresses as they like (RFC 5321 2.4 leaves that to us)."""
        for address in self.known:
            local_part, _, domain = address.rpartition("@")
            assert type(self.route(router, f"{local_part.upper()}@{domain}")) is type(
                self.route(router, address)
            )

    def test_what_is_none_of_its_business_is_left_to_others(self, router: IRouter) -> None:
        """None, and not a refusal: another router may know it."""
        for address in self.unknown:
            assert self.route(router, address) is None

    def test_odd_addresses_are_answered_too(self, router: IRouter) -> None:
        """Quoted, in UTF-8, long, with an address literal."""
        for address in ODD_ADDRESSES:
            self.route(router, address)
