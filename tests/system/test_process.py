"""The server as a process: stopped in order and started again."""

import smtplib
import time

from exchange import SECONDS, assert_one, deliver, mailbox, unique_ids


def test_a_restart_keeps_mail_and_unique_ids(own_host, letter):
    someone = own_host.organisation.people[0]
    own_host.start()
    own_host.wait_until_ready()
    deliver(own_host, someone, letter)
    deliver(own_host, someone, letter)
    before = unique_ids(own_host, someone)
    assert len(set(before)) == 2
    own_host.stop()
    own_host.start()
    own_host.wait_until_ready()
    assert unique_ids(own_host, someone) == before


def test_a_killed_server_has_what_it_acknowledged(own_host, letter):
    someone = own_host.organisation.people[0]
    own_host.start()
    own_host.wait_until_ready()
    deliver(own_host, someone, letter)
    own_host.kill()
    own_host.start()
    own_host.wait_until_ready()
    assert_one(mailbox(own_host, someone), letter)


def test_sigterm_ends_it_in_order(own_host, letter):
    """It exits with 0, soon, although a client sits there idle."""
    own_host.start()
    own_host.wait_until_ready()
    where = own_host.organisation
    with smtplib.SMTP(where.address, where.port("smtp"), timeout=SECONDS) as client:
        client.ehlo()
        began = time.monotonic()
        assert own_host.stop() == 0
        assert time.monotonic() - began < 10
        client.close()
