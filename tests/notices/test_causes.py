"""Why it failed, in words, from what hosts really say."""

import pytest

from mailsys.message.outcome import Step
from mailsys.notices import causes
from mailsys.notices.causes import Said, cause_of

KNOWN = [
    ("550 5.1.1 <bob@far.test>: rejected: User unknown in virtual mailbox table", causes.NO_SUCH_USER),
    ("550-5.1.1 The email account that you tried to reach does not exist.", causes.NO_SUCH_USER),
    ("550 5.4.1 Recipient address rejected: Access denied. AS(201806281)", causes.NO_SUCH_USER),
    ("550 No such user", causes.NO_SUCH_USER),
    ("552 5.2.2 The email account that you tried to reach is over quota.", causes.FULL),
    ("452 4.2.2 Mailbox full", causes.FULL),
    ("552 5.3.4 Message size exceeds fixed limit", causes.TOO_BIG),
    ("550 5.1.2 There is no such domain", causes.NO_DOMAIN),
    ("556 5.1.10 The domain takes no mail", causes.NULL_MX),
    ("554 5.4.6 Too many hops", causes.LOOP),
    ("550 5.6.7 The host does not take addresses or headers beyond ASCII", causes.NEEDS_UTF8),
    ("554 5.6.1 The message is binary, and the host takes only lines", causes.NEEDS_8BIT),
    ("554 5.7.1 Message rejected as spam by Content Filtering", causes.SPAM),
    ("550 5.7.26 This mail is unauthenticated, which poses a security risk", causes.NOT_AUTHENTIC),
    ("550 5.7.515 Access denied, sending domain HOME.TEST does not", causes.NOT_AUTHENTIC),
    ("550 5.7.25 The IP address sending this message does not have a PTR record", causes.NO_REVERSE_NAME),
    ("421 4.7.28 Our system has detected an unusual rate of unsolicited mail", causes.TOO_MUCH_MAIL),
    ("421 4.7.0 [TSS04] Messages temporarily deferred due to user complaints", causes.TOO_MUCH_MAIL),
    ("450 4.7.1 Greylisted, please try again later", causes.GREYLISTED),
    ("530 5.7.0 Must issue a STARTTLS command first", causes.NO_TLS),
    ("554 5.7.1 Service unavailable; blocked using bl.example.net", causes.BLOCKLISTED),
    ("554 5.7.1 Client host is on a DNSBL", causes.BLOCKLISTED),
    ("550 Administrative prohibition", causes.REFUSED),
    ("451 Temporary local problem", causes.NOT_NOW),
]  # fmt: skip


def said(text, step=Step.RCPT):
    code, _, rest = text.replace("-", " ", 1).partition(" ") if text[3] == "-" else text.partition(" ")
    enhanced = rest.split()[0] if rest[:2] in ("4.", "5.") else ""
    return Said(step, int(code), enhanced, text)


@pytest.mark.parametrize(("text", "cause"), KNOWN, ids=[text[:40] for text, _ in KNOWN])
def test_known_texts(text, cause):
    assert cause_of(said(text)) is cause


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org", "Spamhaus"),
        ("550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. (S3150)", "Microsoft"),
        ("550 5.7.606 Access denied, banned sending IP [192.0.2.1]", "Microsoft"),
        ("554 http://www.barracudanetworks.com/reputation/?pr=1&ip=192.0.2.1", "Barracuda"),
    ],
)
def test_the_list_at_fault_is_named(text, name):
    cause = cause_of(said(text))
    assert f"blocklist of {name}" in cause.what
    assert "whoever runs this mail host" in cause.advice


def test_what_nobody_said_goes_by_how_far_it_came():
    for step, cause in (
        (Step.CONNECT, causes.UNREACHABLE),
        (Step.TLS, causes.NO_TLS),
        (Step.LOGIN, causes.OUR_RELAY),
    ):
        assert cause_of(Said(step, 451, "4.0.0", "")) is cause


def test_each_cause_is_a_sentence_and_an_advice():
    for name, cause in vars(causes).items():
        if isinstance(cause, causes.Cause):
            assert cause.what.endswith("."), name
            assert cause.advice.endswith("."), name
            assert cause.what[0].islower(), name
