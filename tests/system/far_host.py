"""Another host, to which mail goes out, and how to see what waits for it."""

import json
import time

import pytest
from exchange import SECONDS, mailbox
from real_host import ADDRESS

from mailsys.lab.failure import LabFailed
from mailsys.lab.host import Host
from mailsys.lab.organisation import Organisation, Person
from mailsys.lab.ports import choose_port_base

FAR_ADDRESS = ADDRESS.replace("127.20.", "127.21.")


def new_far_host(folder):
    """One that does not run yet, where bob@far.test lives."""
    people = (Person("bob@far.test", "secret"),)
    base = choose_port_base([FAR_ADDRESS], None)
    host = Host(Organisation("far", "far.test", people, FAR_ADDRESS, base), folder)
    host.make()
    return host


@pytest.fixture
def far(tmp_path):
    """The other host, made and not started."""
    host = new_far_host(tmp_path / "far")
    try:
        yield host
    finally:
        host.stop()


def configure(host, **tables):
    """Put lines into tables of a host's configuration."""
    for table, settings in tables.items():
        host.set(table, settings)


def way_to(far):
    """Settings of [send]: how the other host is reached, and that it is tried often."""
    route = f'"far.test" = "smtp://{FAR_ADDRESS}:{far.organisation.port("smtp")}"'
    return f'retry = "1s 1s 2s then 2s until 1h"\n[send.routes]\n{route}'


def waiting(host, *options):
    return json.loads(host.run("queue", "list", "--json", *options))


def until(condition):
    deadline = time.monotonic() + SECONDS
    while not (value := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return value


def story_with(host, id_, words):
    try:
        story = host.run("trace", id_)
    except LabFailed:  # nothing is written of it yet
        return None
    return story if words in story else None


def bobs_mail(far):
    return mailbox(far, far.organisation.people[0])
