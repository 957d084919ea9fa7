"""The line for ``systemctl status``."""

from types import SimpleNamespace

import pytest

from mailsys.status import HostStatus


def line(connections, depth, trouble=""):
    status = HostStatus(SimpleNamespace(connections=connections), "mail.example.org")
    status.phase = "serving"
    queue = SimpleNamespace(upkeep=SimpleNamespace(depth=depth))
    status.stations = SimpleNamespace(
        outgoing=SimpleNamespace(queue=queue),
        space=SimpleNamespace(trouble=trouble),
        journal=SimpleNamespace(is_failing=False),
    )
    return status.line()


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ((0, 0), "serving: 0 connections"),
        ((1, 1), "serving: 1 connection; 1 message in the queue"),
        ((2, 1234), "serving: 2 connections; 1,234 messages in the queue"),
        ((2, 3, "no room"), "serving: 2 connections; 3 messages in the queue; new mail is refused: no room"),
    ],
)
def test_what_it_tells(facts, said):
    assert line(*facts) == said


def test_before_there_is_a_queue():
    assert HostStatus(SimpleNamespace(connections=0), "mail.example.org").line() == "starting: 0 connections"
