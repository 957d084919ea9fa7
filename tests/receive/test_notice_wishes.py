"""Who may say what its sender wants to be told, and what becomes of it (RFC 3461)."""

from ipaddress import ip_network

import pytest
from dialogs.runner import Play
from fakes import MemoryDelivery
from smtp_house import House
from users_talk import ANN, BOB, FAR, LETTER, talk

from mailsys.interfaces import MailboxAction, QueueAction
from mailsys.message.address import parse_address
from mailsys.message.envelope import NoticeWish, Notify, Return
from mailsys.route.deliveries import DeliveryRouter

SUCCESS = frozenset({Notify.SUCCESS})


@pytest.fixture
def house():
    return House()


def sent(house, *recipients, parameters="", service="submission"):
    """The only message that reached the intake."""
    commands = [f"MAIL FROM:<ann@our.example>{parameters}", *recipients, "DATA", LETTER]
    _, answers = talk(house, *commands, service=service)
    assert [answer[0] for answer in answers] == [*"2" * (len(recipients) + 1), "3", "2"], answers
    [(acceptance, _)] = house.intake.accepted
    return acceptance


def test_it_is_offered_before_the_login():
    """After AUTH over TLS a client need not ask again, and so would never hear of it."""
    play = Play(House().conversation, {"service": "submission"})
    play.connection.take()
    assert b"\r\n250-DSN\r\n" in play.say(b"EHLO laptop.example\r\n")


@pytest.mark.parametrize("parameter", ["RET=HDRS", "ENVID=x", "NOTIFY=NEVER", "ORCPT=rfc822;a@b"])
@pytest.mark.parametrize("service", ["smtp", "lmtp"])
def test_strangers_are_not_offered_it(house, service, parameter):
    """Who makes a sender up must not have us write to it."""
    is_mail = parameter.startswith(("RET", "ENVID"))
    mail = f"MAIL FROM:<a@b.example>{' ' + parameter if is_mail else ''}"
    rcpt = f"RCPT TO:<bob@our.example>{'' if is_mail else ' ' + parameter}"
    hello, answers = talk(house, mail, rcpt, service=service)
    assert "DSN" not in hello
    name = parameter.partition("=")[0]
    assert answers[0 if is_mail else 1] == f"555 5.5.4 Parameter {name} not recognised\r\n"
    told = house.journal.events[-1].facts
    assert (told["event"], told["command"]) == ("refused", "MAIL" if is_mail else "RCPT")


def test_hosts_that_are_trusted_are_offered_it(house):
    house.relays_for = (ip_network("127.0.0.0/8"),)
    hello, _ = talk(house, service="smtp")
    assert "250-DSN\r\n" in hello
    acceptance = sent(house, "RCPT TO:<eve@far.example> NOTIFY=NEVER", service="smtp")
    assert acceptance.envelope.wishes == {FAR: NoticeWish(frozenset({Notify.NEVER}))}


def test_what_a_user_wishes_goes_with_the_message(house):
    acceptance = sent(
        house,
        "RCPT TO:<eve@far.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;Eve+2B@far.example",
        "RCPT TO:<bob@our.example>",
        parameters=" RET=HDRS ENVID=a+2Bb",
    )
    mailbox, waiting = acceptance.actions
    assert isinstance(mailbox, MailboxAction)
    for envelope in (acceptance.envelope, waiting.envelope):
        assert (envelope.notice_return, envelope.notice_id) == (Return.HEADERS, "a+b")
        wish = NoticeWish(frozenset({Notify.SUCCESS, Notify.DELAY}), "rfc822;Eve+@far.example")
        assert envelope.wishes == {FAR: wish}
        assert envelope.is_vouched_for


def test_who_is_named_twice_has_one_wish(house):
    acceptance = sent(
        house, "RCPT TO:<eve@far.example> NOTIFY=NEVER", "RCPT TO:<eve@far.example> NOTIFY=SUCCESS"
    )
    assert acceptance.envelope.wishes == {FAR: NoticeWish(frozenset({Notify.NEVER}))}


@pytest.mark.row(33)
def test_a_bad_wish_costs_its_command_only(house):
    _, answers = talk(
        house,
        "MAIL FROM:<ann@our.example> ENVID=a+0D+0ABcc:x",
        "MAIL FROM:<ann@our.example> ENVID=a",
        "RCPT TO:<bob@our.example> ORCPT=rfc822;a+0Ab",
        "RCPT TO:<bob@our.example> NOTIFY=NEVER,SUCCESS",
        "RCPT TO:<bob@our.example> NOTIFY=NEVER",
    )
    assert [answer[:9] for answer in answers] == [
        "501 5.5.4", "250 2.1.0", "501 5.5.4", "501 5.5.4", "250 2.1.5"
    ]  # fmt: skip


def test_a_recipient_here_of_whom_we_have_to_tell_goes_through_the_queue(house):
    """For the queue tells exactly once; the others get their copies at once."""
    acceptance = sent(
        house, "RCPT TO:<bob@our.example> NOTIFY=SUCCESS", "RCPT TO:<ann@our.example> NOTIFY=FAILURE"
    )
    mailbox, waiting = acceptance.actions
    assert mailbox.account == ANN
    assert isinstance(waiting, QueueAction)
    assert waiting.envelope.recipients == (BOB,)
    assert waiting.envelope.wishes[BOB].notify == SUCCESS
    assert waiting.head.startswith(b"Received:")
    assert house.limits.counted == []  # it goes to no other host


def test_what_has_no_room_is_said_at_once_all_the_same(house):
    _, answers = talk(
        house,
        "MAIL FROM:<ann@our.example>",
        "RCPT TO:<full@our.example> NOTIFY=SUCCESS",
        "RCPT TO:<small@our.example> NOTIFY=SUCCESS",
        "DATA",
        LETTER.replace("Hello", "Hello" * 50),
    )
    assert [answer[:9] for answer in answers[1:]] == ["452 4.2.2", "250 2.1.5", "354 Go ah", "552 5.2.2"]
    assert house.intake.accepted == []
    assert house.quota.holds == []


def test_mail_to_people_here_goes_out_though_the_rest_is_held(house):
    house.limits.held = "ann sent very much"
    acceptance = sent(house, "RCPT TO:<bob@our.example> NOTIFY=SUCCESS", "RCPT TO:<eve@far.example>")
    [waiting] = acceptance.actions
    assert (waiting.held, waiting.free) == ("ann sent very much", (BOB,))
    assert waiting.envelope.recipients == (BOB, FAR)
    assert house.limits.counted == [("ann@our.example", ["eve@far.example"])]


@pytest.mark.parametrize(("notify", "waits"), [("NOTIFY=SUCCESS", True), ("NOTIFY=FAILURE", False)])
def test_a_recipient_with_a_delivery(house, notify, waits):
    """It is handed on in the session, unless somebody has to tell of it afterwards."""
    house.deliveries = {"pipe": MemoryDelivery()}
    house.routers = [DeliveryRouter({BOB: "pipe"}, "+")]
    _, answers = talk(
        house, "MAIL FROM:<ann@our.example>", f"RCPT TO:<bob@our.example> {notify}", "DATA", LETTER
    )
    assert answers[-1].startswith("250")
    assert len(house.intake.accepted) == waits
    assert len(house.deliveries["pipe"].taken) == (not waits)


def test_of_one_who_only_forwards_the_other_hosts_are_waited_for(house):
    """That the alias was reached is no success; what is wished goes along, and limits do not hold it."""
    house.limits.held = "too much"
    acceptance = sent(
        house, "RCPT TO:<away@our.example> NOTIFY=SUCCESS", "RCPT TO:<eve@far.example>",
        "RCPT TO:<both@our.example> NOTIFY=SUCCESS",
    )  # fmt: skip
    (waiting,) = acceptance.actions
    away, both, target = map(parse_address, ("away@our.example", "both@our.example", "ann@elsewhere.example"))
    assert waiting.envelope.recipients == (FAR, both, target)
    assert waiting.envelope.forwarded == {target: away}
    assert waiting.envelope.wish(target) == NoticeWish(SUCCESS, "rfc822;away@our.example")
    assert waiting.free == (both, target)
