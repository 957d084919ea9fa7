"""One attempt over real sockets: what each answer of a server comes to, for each recipient."""

import pytest
from scripted import Polite, unstuffed
from send_house import (
    BOB,
    EVE,
    LETTER,
    SendTestCase,
    address,
    assert_deferred,
    assert_delivered,
    assert_failed,
)

from mailsys.message.content import FileContent
from mailsys.message.envelope import NoticeWish, Notify, Return
from mailsys.message.outcome import Step

ALL = ("PIPELINING", "SIZE 1000000", "8BITMIME", "DSN", "SMTPUTF8")


class OneServer(SendTestCase):
    async def one(self, polite, *recipients, **settings):
        """Deliver to it; the attempts."""
        delivery = self.delivery(self.serve(polite).port)
        return await self.deliver(delivery, *recipients, **settings)

    async def test_a_message(self):
        for offers in (ALL, (), ("CHUNKING", "PIPELINING")):
            polite = Polite(*offers)
            attempts = await self.one(polite)
            assert_delivered(attempts[BOB])
            assert attempts[BOB].remote.startswith("mx.test [127.0.0.1]:")
            assert attempts[BOB].step is Step.MESSAGE
            assert attempts[BOB].said == "250 2.0.0 OK"
            assert attempts[BOB].tls == ""
            ((sender, recipients, octets),) = polite.messages
            assert sender.startswith(b"MAIL FROM:<ann@sender.test>")
            assert recipients == [b"RCPT TO:<bob@example.test>"]
            assert (octets if "CHUNKING" in offers else unstuffed(octets)) == LETTER

    async def test_one_good_and_one_bad_recipient(self):
        polite = Polite(*ALL, RCPT=[b"250 OK", b"550 5.1.1 unknown"])
        attempts = await self.one(polite, BOB, EVE)
        assert_delivered(attempts[BOB])
        assert_failed(attempts[EVE], "5.1.1")
        assert attempts[EVE].step is Step.RCPT
        assert attempts[EVE].said == "550 5.1.1 unknown"

    async def test_refusals_at_each_step(self):
        for verb, step in [
            ("GREETING", Step.GREETING),
            ("EHLO", Step.HELLO),
            ("MAIL", Step.MAIL),
            ("RCPT", Step.RCPT),
            ("DATA", Step.DATA),
            ("MESSAGE", Step.MESSAGE),
        ]:
            for offers in (ALL, ()):
                answers = {verb: b"450 4.7.1 later", "HELO": b"450 4.7.1 later"}
                attempts = await self.one(Polite(*offers, **answers))
                assert_deferred(attempts[BOB], "4.7.1")
                assert attempts[BOB].step is step
                assert not attempts[BOB].is_uncertain
                answers = {verb: b"550 5.7.1 never", "HELO": b"550 5.7.1 never"}
                attempts = await self.one(Polite(*offers, **answers))
                assert_failed(attempts[BOB], "5.7.1")
                assert attempts[BOB].step is step

    async def test_lmtp_by_route(self):
        from mailsys.config.nexthop import parse_route
        from mailsys.send.routes import Routes

        polite = Polite("PIPELINING", lmtp=True, MESSAGE=[b"250 2.1.5 OK", b"452 4.2.2 full"])
        port = self.serve(polite).port
        routes = Routes(None, {"example.test": parse_route(f"lmtp://127.0.0.1:{port}")})
        attempts = await self.deliver(self.delivery(1, routes=routes), BOB, EVE)
        assert_delivered(attempts[BOB])
        assert_deferred(attempts[EVE], "4.2.2")
        assert self.resolver.asked == []

    async def test_wishes_for_notices_are_handed_on(self):
        polite = Polite(*ALL)
        wish = NoticeWish(frozenset({Notify.SUCCESS}), "rfc822;bob@old.test")
        settings = {"notice_return": Return.FULL, "notice_id": "x 1", "wishes": {BOB: wish}}
        attempts = await self.one(polite, **settings)
        assert attempts[BOB].hands_on_notices
        ((sender, recipients, _octets),) = polite.messages
        assert sender.endswith(b" RET=FULL ENVID=x+201")
        assert recipients == [b"RCPT TO:<bob@example.test> NOTIFY=SUCCESS ORCPT=rfc822;bob@old.test"]
        attempts = await self.one(Polite(), **settings)
        assert_delivered(attempts[BOB])
        assert not attempts[BOB].hands_on_notices

    async def test_a_null_reverse_path(self):
        polite = Polite()
        assert_delivered((await self.one(polite, sender=None))[BOB])
        assert polite.messages[0][0] == b"MAIL FROM:<>"

    async def test_more_recipients_than_a_server_takes_at_once(self):
        """RFC 5321 4.5.3.1.10: the rest goes in another transaction, as it offers or as it says."""
        many = [address(f"user{number}@example.test") for number in range(7)]
        polite = Polite("PIPELINING", "LIMITS RCPTMAX=3")
        attempts = await self.one(polite, *many)
        assert [len(recipients) for _sender, recipients, _octets in polite.messages] == [3, 3, 1]
        for recipient in many:
            assert_delivered(attempts[recipient])
        counted = [b"250 OK", b"250 OK", b"452 4.5.3 too many", b"452 4.5.3 too many", b"250 OK"]
        polite = Polite("PIPELINING", RCPT=counted)
        attempts = await self.one(polite, *many[:4])
        assert [len(recipients) for _sender, recipients, _octets in polite.messages] == [2, 2]
        assert len(attempts) == 4

    async def test_a_server_that_never_takes_enough(self):
        attempts = await self.one(Polite("PIPELINING", RCPT=b"452 4.5.3 too many"), BOB, EVE)
        assert_deferred(attempts[BOB], "4.5.3")

    async def test_sizes(self):
        attempts = await self.one(Polite("SIZE 10"))
        assert_failed(attempts[BOB], "5.3.4")
        polite = Polite("SIZE 26")
        assert_delivered((await self.one(polite))[BOB])
        assert polite.messages[0][0].endswith(b" SIZE=26")

    async def test_a_large_file(self):
        polite = Polite("PIPELINING")
        path = self.mktemp()
        letter = b"Subject: large\r\n\r\n" + b"x" * 70 + b"\r\n" + b".\r\n" * 400_000
        with open(path, "wb") as file:
            file.write(b"---" + letter)
        attempts = await self.one(polite, content=FileContent(path, len(letter), 3))
        assert_delivered(attempts[BOB])
        assert unstuffed(polite.messages[0][2]) == letter

    async def test_a_file_that_is_gone_or_short(self):
        for size in (100, 1 << 20):
            attempts = await self.one(Polite(), content=FileContent("/nonexistent/file", size))
            assert_deferred(attempts[BOB], "4.3.0")
            assert attempts[BOB].step is Step.MAIL  # the destination is not to blame
        path = self.mktemp()
        with open(path, "wb") as file:
            file.write(b"x" * 600_000)
        polite = Polite()
        attempts = await self.one(polite, content=FileContent(path, 700_000))
        assert_deferred(attempts[BOB], "4.3.0")
        assert not attempts[BOB].is_uncertain
        assert polite.messages == []

    async def test_our_name_is_said(self):
        heard = []
        await self.one(Polite(EHLO=lambda peer: heard.append(peer.heard[-1]) or b"250 mx.test"))
        assert heard == [b"EHLO client.test"]

    async def test_something_that_nobody_thought_of(self):
        """It is logged, and there is an attempt for each all the same."""

        class Broken:
            size = 5

            def pieces(self):
                raise RuntimeError("a mistake in the code")

        attempts = await self.one(Polite(), BOB, EVE, content=Broken())
        assert_deferred(attempts[BOB], "4.3.0")
        assert_deferred(attempts[EVE], "4.3.0")
        assert len(self.flushLoggedErrors(RuntimeError)) == 1

    async def test_two_domains_and_one_of_them_dead(self):
        polite = Polite()
        other = address("carl@dead.test")
        zone = "example.test. 60 MX 10 mx.test.\nmx.test. 60 A 127.0.0.1\ndead.test. 60 A 127.0.0.9\n"
        delivery = self.delivery(self.serve(polite).port, zone)
        attempts = await self.deliver(delivery, BOB, other)
        assert_delivered(attempts[BOB])
        assert_deferred(attempts[other], "4.4.1")
        assert "refused" in attempts[other].outcome.reply.text


class SeveralHosts(SendTestCase):
    ZONE = """
    example.test. 60 MX 20 second.test.
    example.test. 60 MX 10 first.test.
    first.test. 60 A 127.0.0.2
    second.test. 60 A 127.0.0.3
    """

    async def two(self, first, second, *recipients):
        """Deliver where two hosts take mail; None for one that does not listen."""
        self.first = first
        port = self.serve(second, "127.0.0.3").port
        if first is not None:
            self.serve(first, "127.0.0.2", port)
        return await self.deliver(self.delivery(port, self.ZONE), *recipients)

    async def test_the_better_host_gets_it(self):
        first, second = Polite(), Polite()
        attempts = await self.two(first, second)
        assert (len(first.messages), len(second.messages)) == (1, 0)
        assert attempts[BOB].remote.startswith("first.test [127.0.0.2]:")

    async def test_the_next_host_when_the_better_one_does_not_answer(self):
        second = Polite()
        assert_delivered((await self.two(None, second))[BOB])

    async def test_the_next_host_when_the_better_one_wants_nothing_of_us(self):
        for answers in (
            {"GREETING": b"554 5.7.1 no"},
            {"GREETING": b"421 4.3.2 busy"},
            {"MAIL": b"450 later"},
        ):
            second = Polite()
            assert_delivered((await self.two(Polite(**answers), second))[BOB])
            assert len(second.messages) == 1

    async def test_those_who_were_told_later_are_tried_at_the_next(self):
        first = Polite(RCPT=[b"250 OK", b"450 4.2.0 later"])
        second = Polite()
        attempts = await self.two(first, second, BOB, EVE)
        assert [recipients for _s, recipients, _o in second.messages] == [[b"RCPT TO:<eve@example.test>"]]
        assert_delivered(attempts[EVE])

    async def test_never_is_never(self):
        second = Polite()
        attempts = await self.two(Polite(RCPT=b"550 5.1.1 unknown"), second)
        assert_failed(attempts[BOB], "5.1.1")
        assert second.messages == []

    async def test_later_outweighs_a_host_that_wants_nothing_of_us(self):
        for first, second in [
            (Polite(GREETING=b"554 5.7.1 no"), Polite(RCPT=b"450 4.2.0 later")),
            (Polite(RCPT=b"450 4.2.0 later"), Polite(GREETING=b"554 5.7.1 no")),
        ]:
            assert_deferred((await self.two(first, second))[BOB], "4.2.0")

    async def test_the_most_telling_answer_is_kept(self):
        first = Polite(RCPT=b"450 4.2.0 greylisted")
        attempts = await self.two(first, Polite(GREETING=b"421 4.3.2 busy"))
        assert_deferred(attempts[BOB], "4.2.0")

    @pytest.mark.row(29)
    async def test_after_an_uncertain_end_no_other_host_is_tried(self):
        """Row 29: the first may have taken it."""
        second = Polite()
        attempts = await self.two(Polite(MESSAGE=lambda peer: peer.reset()), second)
        assert_deferred(attempts[BOB], "4.4.2")
        assert attempts[BOB].is_uncertain
        assert second.messages == []


class SendersOfAnyKind(SendTestCase):
    async def test_smtputf8(self):
        polite = Polite("SMTPUTF8")
        delivery = self.delivery(self.serve(polite).port)
        odd = address("käthe@example.test")
        assert_delivered((await self.deliver(delivery, odd, smtputf8=True))[odd])
        assert polite.messages[0][0].endswith(b" SMTPUTF8")
        assert polite.messages[0][1] == ["RCPT TO:<käthe@example.test>".encode()]

    async def test_smtputf8_where_it_is_not_offered(self):
        polite = Polite("8BITMIME")
        delivery = self.delivery(self.serve(polite).port)
        odd, utf8 = address("käthe@example.test"), "Subject: Grüße\r\n\r\nx\r\n".encode()
        attempts = await self.deliver(delivery, odd, BOB, smtputf8=True)
        assert_failed(attempts[odd], "5.6.7")
        assert_delivered(attempts[BOB])  # for him nothing beyond ASCII is needed
        attempts = await self.deliver(delivery, BOB, smtputf8=True, letter=utf8)
        assert_failed(attempts[BOB], "5.6.7")
        attempts = await self.deliver(delivery, BOB, smtputf8=True, sender=address("jürg@sender.test"))
        assert_failed(attempts[BOB], "5.6.7")
        assert len(polite.messages) == 1
