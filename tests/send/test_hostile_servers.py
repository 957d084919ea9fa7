"""Servers that mean harm or are broken: bounded in time and memory, and nothing is delivered twice for it."""

import time

import pytest
from scripted import Polite
from send_house import BOB, EVE, LETTER, SendTestCase, assert_deferred, assert_delivered, assert_failed
from twisted.internet import reactor
from twisted.internet.task import LoopingCall
from twisted.internet.threads import deferToThread

from mailsys.message.outcome import Step

ALL = ("PIPELINING", "SIZE 1000000")
OFFERS = ((), ALL, ("PIPELINING", "CHUNKING"))


def flood(line, octets=20_000_000):
    """Say the same for ever."""

    def answer(peer):
        sent, block = 0, line * (65536 // len(line) + 1)
        while sent < octets:
            peer.socket.sendall(block)
            sent += len(block)

    return answer


def leave(peer):
    peer.close()
    raise OSError


def reset(peer):
    peer.reset()
    raise OSError


def silent(peer):
    peer.wait()


class Hostile(SendTestCase):
    async def one(self, polite, *recipients, letter=LETTER, seconds=5, **settings):
        self.server = self.serve(polite)
        delivery = self.delivery(self.server.port, seconds=seconds, **settings)
        return await self.deliver(delivery, *recipients, letter=letter)

    @pytest.mark.row(29)
    async def test_floods(self):
        """Row 29: 10^6 reply lines, and lines without end, at every step; a good host is served meanwhile."""
        floods = [flood(b"250-x\r\n"), flood(b"x" * 1000), flood(b"250 OK\r\n"), flood(b"\r\n")]
        gaps, last = [], [time.monotonic()]

        def tick():
            now = time.monotonic()
            gaps.append(now - last[0])
            last[0] = now

        looping = LoopingCall(tick)
        looping.clock = reactor
        looping.start(0.01)
        self.addCleanup(lambda: looping.running and looping.stop())
        polite = Polite()
        good = self.delivery(self.serve(polite).port)
        for verb in ("GREETING", "EHLO", "MAIL", "RCPT", "DATA", "MESSAGE"):
            for answer in floods:
                attempts = await self.one(Polite(*ALL, **{verb: answer}))
                if verb == "MESSAGE" and answer is floods[2]:
                    assert_delivered(attempts[BOB])
                else:
                    assert_deferred(attempts[BOB], "4.5.0")
                began = time.monotonic()
                assert_delivered((await self.deliver(good))[BOB])
                assert time.monotonic() - began < 1
        looping.stop()
        assert sorted(gaps)[-1] < 1

    @pytest.mark.row(29)
    async def test_what_is_no_reply(self):
        for verb in ("GREETING", "EHLO", "MAIL", "RCPT", "DATA", "MESSAGE"):
            for answer in (b"999 what", b"2500", b"100 wait", b"hello", b"250-a\r\n550 b", b"250 a\nb"):
                for offers in OFFERS:
                    if verb == "DATA" and "CHUNKING" in offers:
                        continue
                    attempts = await self.one(Polite(*offers, **{verb: answer}))
                    assert_deferred(attempts[BOB], "4.5.0")
                    assert attempts[BOB].is_uncertain == (verb == "MESSAGE")

    @pytest.mark.row(29)
    async def test_answers_to_another_question(self):
        """Row 29: 354 to EHLO, 250 to DATA."""
        for verb, answer in [
            ("GREETING", b"354 go"),
            ("EHLO", b"354 go"),
            ("EHLO", b"220 mx\r\n220 mx"),
            ("DATA", b"250 OK"),
            ("RCPT", b"334 what"),
            ("MESSAGE", b"354 go on"),
        ]:
            polite = Polite(*ALL, **{verb: answer})
            attempts = await self.one(polite)
            assert_deferred(attempts[BOB], "4.5.0")
            assert attempts[BOB].is_uncertain == (verb == "MESSAGE")

    @pytest.mark.row(19)
    @pytest.mark.row(29)
    async def test_a_yes_before_the_message_was_sent(self):
        """It cannot be for the message, so it does not count as delivered."""
        for offers in OFFERS:
            verb = "RCPT" if "CHUNKING" in offers else "DATA"
            answer = b"250 OK\r\n250 OK" if verb == "RCPT" else b"354 go\r\n250 OK"
            attempts = await self.one(Polite(*offers, **{verb: answer}))
            assert_deferred(attempts[BOB], "4.5.0")
            assert not attempts[BOB].is_uncertain

    @pytest.mark.row(29)
    async def test_the_end_at_every_step(self):
        for verb, step in [
            ("GREETING", Step.GREETING),
            ("EHLO", Step.HELLO),
            ("MAIL", Step.MAIL),
            ("RCPT", Step.RCPT),
            ("DATA", Step.DATA),
            ("MESSAGE", Step.MESSAGE),
        ]:
            for end in (leave, reset):
                for offers in OFFERS:
                    if verb == "DATA" and "CHUNKING" in offers:
                        continue
                    attempts = await self.one(Polite(*offers, **{verb: end}))
                    if end is leave:
                        assert_deferred(attempts[BOB], "4.4.2")
                        assert attempts[BOB].step is step
                        assert attempts[BOB].is_uncertain == (step is Step.MESSAGE)
                    else:  # which takes with it what was said before
                        assert attempts[BOB].outcome.reply.enhanced in ("4.4.1", "4.4.2")
                        assert step is Step.MESSAGE or not attempts[BOB].is_uncertain

    @pytest.mark.row(29)
    async def test_silence_at_every_step(self):
        for verb, step in [
            ("GREETING", Step.GREETING),
            ("EHLO", Step.HELLO),
            ("MAIL", Step.MAIL),
            ("RCPT", Step.RCPT),
            ("DATA", Step.DATA),
            ("MESSAGE", Step.MESSAGE),
        ]:
            attempts = await self.one(Polite(**{verb: silent}), seconds=0.1)
            assert_deferred(attempts[BOB], "4.4.2")
            assert attempts[BOB].step is step
            assert attempts[BOB].is_uncertain == (step is Step.MESSAGE)

    @pytest.mark.row(29)
    async def test_an_answer_that_comes_too_late(self):
        """Row 29: 250 after we have given up is not heard; that it may be so is told."""

        def late(peer):
            time.sleep(0.3)
            return b"250 OK"

        polite = Polite(MESSAGE=late)
        attempts = await self.one(polite, seconds=0.15)
        assert_deferred(attempts[BOB], "4.4.2")
        assert attempts[BOB].is_uncertain
        await deferToThread(self.server.close)
        assert len(polite.messages) == 1

    @pytest.mark.row(24)
    @pytest.mark.row(29)
    async def test_a_reply_in_drops(self):
        """Each octet comes in time, the reply as a whole does not."""

        def drip(peer):
            for octet in b"250 an answer that takes its time\r\n":
                peer.socket.sendall(bytes([octet]))
                time.sleep(0.05)

        began = time.monotonic()
        attempts = await self.one(Polite(MAIL=drip), seconds=0.3)
        assert_deferred(attempts[BOB], "4.4.2")
        assert time.monotonic() - began < 3

    @pytest.mark.row(29)
    async def test_a_server_that_keeps_each_deadline_but_never_ends(self):
        def slow(peer):
            time.sleep(0.1)
            return b"250 OK"

        many = [BOB, EVE]
        attempts = await self.one(
            Polite(MAIL=slow, RCPT=slow), *many, seconds=5, deadlines={"message_seconds": 0.25}
        )
        assert_deferred(attempts[EVE], "4.4.2")

    @pytest.mark.row(29)
    async def test_a_server_that_does_not_take_the_message(self):
        """It reads nothing of a large one; and one that says no in the middle is heard."""

        def no_then_wait(peer):
            peer.say(b"354 go")
            peer.say(b"552 5.3.4 too big for me")
            peer.wait()

        def read_nothing(peer):
            peer.say(b"354 go")
            time.sleep(1)
            raise OSError

        letter = (b"x" * 70 + b"\r\n") * 200_000
        attempts = await self.one(Polite(*ALL[:1], DATA=no_then_wait), letter=letter)
        assert_failed(attempts[BOB], "5.3.4")
        attempts = await self.one(Polite(*ALL[:1], DATA=read_nothing), letter=letter, seconds=0.3)
        assert_deferred(attempts[BOB], "4.4.2")
        assert not attempts[BOB].is_uncertain

    @pytest.mark.row(29)
    async def test_421_at_any_time(self):
        for verb in ("GREETING", "EHLO", "MAIL", "RCPT", "DATA", "MESSAGE"):
            attempts = await self.one(Polite(*ALL, **{verb: b"421 4.3.2 bye"}))
            assert_deferred(attempts[BOB], "4.3.2")
            assert not attempts[BOB].is_uncertain

    async def test_refused_after_the_first_of_two_recipients(self):
        """What was settled stays so when the session ends."""
        attempts = await self.one(Polite(RCPT=[b"550 5.1.1 unknown", b"421 4.3.2 bye"]), BOB, EVE)
        assert_failed(attempts[BOB], "5.1.1")
        assert_deferred(attempts[EVE], "4.3.2")

    async def test_lmtp_that_ends_between_two_answers(self):
        from mailsys.config.nexthop import parse_route
        from mailsys.send.routes import Routes

        polite = Polite("PIPELINING", lmtp=True, MESSAGE=[b"250 OK", leave])
        port = self.serve(polite).port
        routes = Routes(None, {"example.test": parse_route(f"lmtp://127.0.0.1:{port}")})
        attempts = await self.deliver(self.delivery(1, routes=routes), BOB, EVE)
        assert attempts[BOB].is_uncertain is attempts[EVE].is_uncertain is True

    async def test_words_are_bounded_and_printable(self):
        attempts = await self.one(Polite(RCPT=b"550 5.1.1 \x1b[2J\xff" + b"x" * 1500))
        assert len(attempts[BOB].said) <= 1000
        assert "\x1b" not in attempts[BOB].said
