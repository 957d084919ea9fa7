import json
import re
from collections import defaultdict

from journal_scenes import ANN, BOB, BOB_X, NOON, accepted, copy, delivered, session

from mailsys.interfaces import Attempt, Peer, QueueAction
from mailsys.journal import events, queue_events
from mailsys.journal.flood import Flood
from mailsys.journal.names import names_of, search_name
from mailsys.message import reply as replies
from mailsys.message.envelope import Envelope
from mailsys.message.outcome import Deferred, Delivered, Step


def test_a_received_message_tells_all_that_support_is_asked_for():
    event = accepted(to=(BOB_X,), via={BOB_X: ("bob+x@example.org is bob@example.org with a tag",)})
    assert event.facts == {
        "event": "received",
        "from": "ann@example.net",
        "to": ["bob+x@example.org"],
        "size": 10_240,
        "service": "smtp",
        "peer": "192.0.2.7",
        "greeting": "mail.example.net",
        "protocol": "ESMTPS",
        "tls": "TLSv1.3 TLS_AES_256_GCM_SHA384",
        "via": {"bob+x@example.org": ["bob+x@example.org is bob@example.org with a tag"]},
        "checked": ["one From mailbox", "2 hops"],
        "judgement": "accept",
        "reply": "250 2.0.0 OK",
        "message_id": "<lunch@example.net>",
        "subject": "Lunch",
    }


def test_facts_survive_json():
    for event in (accepted(), delivered(), accepted(sender=None, of=session(login=BOB))):
        assert json.loads(json.dumps(event.facts)) == event.facts


def test_telling_twice_gives_the_same_keys():
    assert accepted().key == accepted(at=NOON + 60).key
    assert delivered().key == delivered(at=NOON + 60).key


def test_the_events_of_one_message_have_different_keys():
    bob, ann = delivered(), events.delivered("4k2m9x7qa.1", copy(account=ANN), NOON)
    tries = [events.deferred("4k2m9x7qa.1", BOB, n, "452 4.2.2 full", NOON) for n in (1, 2)]
    end = events.failed("4k2m9x7qa.1", BOB, "550 5.1.1 gone", NOON)
    keys = [event.key for event in (accepted(), bob, ann, *tries, end)]
    assert len(set(keys)) == len(keys)


def test_refusals_of_one_moment_are_kept_apart():
    def refused(recipient):
        return events.refused(
            "4k2m9x7qa.1", session(), "RCPT", replies.NO_SUCH_USER, NOON, recipient=recipient
        )

    assert refused("a@example.org").key != refused("b@example.org").key


def test_what_was_not_said_is_not_a_fact():
    event = events.refused("4k2m9x7qa", session(greeting="", tls=""), "CONNECT", replies.SHUTTING_DOWN, NOON)
    assert not event.facts.keys() & {"from", "recipient", "checked", "greeting", "tls", "login"}


def test_the_null_reverse_path_is_a_fact():
    event = events.refused("4k2m9x7qa.1", session(), "MAIL", replies.BAD_SENDER, NOON, sender="")
    assert event.facts["from"] == ""


def test_strangers_cannot_make_an_event_large():
    long = "x" * 100_000
    loud = session(greeting=long)
    told = [
        accepted(of=loud, subject=long, message_id=long),
        events.refused(
            "4k2m9x7qa.1",
            loud,
            "DATA",
            replies.BARE_IN_MESSAGE,
            NOON,
            sender=long,
            recipient=long,
            reasons=[long],
        ),
        events.login(loud, long, False, NOON),
        events.failed("4k2m9x7qa.1", BOB, long, NOON),
    ]
    assert all(len(json.dumps(event.facts)) < 3000 for event in told)
    assert len(told[0].facts["subject"]) == events.HEADER_CHARACTERS


def test_a_story_is_found_by_sender_recipient_account_login_and_message_id():
    assert names_of(accepted(to=(BOB_X,), of=session(login=ANN)).facts) == {
        "ann@example.net",
        "bob+x@example.org",
        "lunch@example.net",
    }
    assert names_of(delivered(recipient=BOB_X).facts) == {"bob+x@example.org", "bob@example.org"}
    assert names_of(events.login(session(), "Bob@Example.org", False, NOON).facts) == {"bob@example.org"}


def test_names_are_written_in_one_form():
    assert search_name(" <Lunch.1@Example.NET> ") == "lunch.1@example.net"
    assert search_name("bu\u0308ro@example.org") == search_name("BÜRO@example.org") == "büro@example.org"
    assert len(search_name("x" * 1000)) == 256


def test_spoilt_facts_have_no_names():
    assert names_of({"from": 7, "to": "x", "recipient": None, "message_id": ["x"]}) == set()


def documented(page):
    """The facts of each kind of event, from the table of the page."""
    table = page.split("``event``")[2].split("=====\n")[1]
    kinds, kind = {}, ""
    for first, rest in re.findall(r"^(``[a-z ]+``|) +(.*)$", table, re.MULTILINE):
        kind = first.strip("`") or kind
        kinds.setdefault(kind, set()).update(re.findall("``([a-z_]+)``", rest))
    return kinds


def counted(known):
    """What is told of refusals and logins that were not kept, of one client and of many."""
    flood = Flood(lambda: 0.0, kept_a_client=1, clients=1)
    other = Peer("192.0.2.9", 1, "smtp")
    for number, peer in enumerate((known.peer, known.peer, other, other)):
        of = session(peer=peer)
        flood.admits(events.refused("a", of, "RCPT", replies.NO_SUCH_USER, NOON + number))
        flood.admits(events.login(of, "bob", False, NOON + number))
    return flood.counts()


def of_the_queue():
    """What is told of a message that waits, with all that an attempt can tell."""
    taken = Attempt(Delivered("mx"), Step.MESSAGE, "mx", "TLSv1.3", "250 OK", forwarded_for=BOB, sent_as=BOB)
    waiting = QueueAction(
        Envelope("4k2m9x7qa.1", None, (BOB,), forwarded={BOB: BOB}),
        NOON,
        b"",
        1,
        NOON + 1,
        "over the limit",
        (BOB,),
    )
    broken = Attempt(Deferred(replies.LOCAL_ERROR), Step.MESSAGE, "mx", "", "451", is_uncertain=True)
    return [
        queue_events.queued("4k2m9x7qa.1", waiting, NOON),
        queue_events.sent("4k2m9x7qa.1", BOB, 1, taken, NOON),
        queue_events.put_off("4k2m9x7qa.1", BOB, 1, broken, "451", NOON + 1, NOON),
        queue_events.given_up("4k2m9x7qa.1", BOB, 1, broken, "451", NOON),
        queue_events.held("4k2m9x7qa.1", BOB, "broke", NOON),
        queue_events.ordered("4k2m9x7qa.1", BOB, "retry", NOON),
    ]


def test_the_page_names_the_facts_of_each_event(repository):
    known = session(login=BOB)
    told = [
        accepted(of=known),
        delivered(),
        events.handed_on("4k2m9x7qa.1", BOB, "pipe", "ticket 17", NOON),
        events.deferred("4k2m9x7qa.1", BOB, 1, "full", NOON),
        events.failed("4k2m9x7qa.1", BOB, "full", NOON),
        events.refused(
            "4k2m9x7qa.1", known, "RCPT", replies.NO_SUCH_USER, NOON, sender="", recipient="", reasons=["why"]
        ),
        events.login(known, "bob", False, NOON, mechanism="PLAIN", why="wrong password"),
        events.mailbox_read(known, 1, 1, NOON, fetched=["a"], removed=["a"]),
        events.folders_used(known, 1, 1, 1, NOON),
        *counted(known),
        *of_the_queue(),
        events.received(Envelope("n.1", None, (ANN,)), 2000, {"continues": "4k2m9x7qa.1"}, NOON),
        queue_events.notice("4k2m9x7qa.1", Envelope("n.1", None, (ANN,)), 2000, NOON),
        queue_events.told("4k2m9x7qa.1", Envelope("n.1", None, (ANN,)), NOON),
    ]
    page = (repository / "docs" / "journal.rst").read_text()
    of_connections = {"service", "peer", "uid", "greeting", "protocol", "tls", "login"}
    of_attempts = {"step", "remote", "said", "uncertain", "forwarded_for", "sent_as"}
    facts = defaultdict(set)
    for event in told:
        facts[event.facts["event"]] |= event.facts.keys() - of_connections - of_attempts - {"event"}
    assert documented(page) == facts
    assert all(f"``{fact}``" in page for fact in of_connections | of_attempts)
