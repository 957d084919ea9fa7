"""An organisation forgot its records: the other refuses its mail, and the notice says what to publish."""

import email
import email.policy
import time

from mailsys.lab.internet import Internet
from mailsys.lab.letter import write
from mailsys.lab.mail_program import read_inbox, submit, trust
from mailsys.lab.names import ADDRESS, published
from mailsys.lab.organisation import organisations
from mailsys.lab.ports import DNS, kept_port_base

SECONDS = 60.0


def forgetful(host):
    """Nothing says who sends for the domain, and that all else be refused."""
    for line in published(host):
        if "_domainkey" not in line and "v=spf1" not in line:
            yield line.replace("p=quarantine", "p=reject")


def notice_to(host, person):
    """The only message in a mailbox, once it is there."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        if found := read_inbox(host.organisation, trust(host.certificate), person):
            return email.message_from_bytes(found[0], policy=email.policy.default)
        time.sleep(0.2)
    raise AssertionError(f"nothing came to {person.address}; its host says: {host.log_tail()}")


def test_what_is_missing_is_told_with_the_line_to_publish(tmp_path):
    with (
        kept_port_base(["127.0.1.1", "127.0.1.2", ADDRESS]) as base,
        Internet(organisations(2, base), tmp_path, base + DNS) as internet,
    ):
        internet.start()
        alpha, beta = internet.hosts
        internet.names.write([*forgetful(alpha), *published(beta)])
        ada, bea = alpha.organisation.people[0], beta.organisation.people[0]
        letter = write(ada, bea, "Hello", "Are you there?")
        submit(alpha.organisation, trust(alpha.certificate), ada, bea.address, letter.octets)
        notice = notice_to(alpha, ada)
        story = alpha.run("trace", bea.address)
    text = " ".join(next(notice.iter_parts()).get_content().split())
    assert notice["Subject"] == "Not delivered to bea@beta.test"
    assert "What this mail host found in the DNS then, for whoever runs it:" in text
    assert "alpha.test (TXT) is missing: nobody can tell its mail from forged mail (SPF)." in text
    assert 'Publish: alpha.test. 3600 TXT "v=spf1 mx ip4:127.0.1.1 -all"' in text
    assert text.count("is missing: nobody can verify our signatures (DKIM).") == 2
    assert "_dmarc" not in text
    assert "Looked up then: alpha.test (TXT) is missing" in " ".join(story.split())
