"""The stories that the lab tells: letters go their ways between the hosts, and are read at the end."""

from __future__ import annotations

import imaplib
import poplib
import smtplib
from collections.abc import Callable

from mailsys.lab.failure import LabFailed
from mailsys.lab.host import Host
from mailsys.lab.internet import SMALL, Internet
from mailsys.lab.letter import Letter, in_queue, write
from mailsys.lab.stations import Stations
from mailsys.lab.telling import Telling

HELLO = "Are you there?"


def show_mail(internet: Internet, telling: Telling) -> None:
    """Tell as many of the stories as there are hosts for; raises LabFailed."""
    hosts = internet.hosts
    stations = Stations(internet.names, telling)
    if len(hosts) == 1:
        _told(lambda: _inside(hosts[0], stations), hosts[0])
        return
    _told(lambda: _end_to_end(hosts[0], hosts[1], stations), *hosts[:2])
    if len(hosts) > SMALL:
        _told(lambda: _over_a_relay(hosts[SMALL], hosts[0], hosts[1], stations), *hosts[:3])
    _told(lambda: _delayed(hosts[0], hosts[1], stations), *hosts[:2])
    _told(lambda: _forged(hosts[0], hosts[1], stations), *hosts[:2])


def _told(act: Callable[[], None], *hosts: Host) -> None:
    try:
        act()
    except (smtplib.SMTPException, poplib.error_proto, imaplib.IMAP4.error, OSError, LabFailed) as error:
        logs = "\n".join(f"{host.name}:\n{host.log_tail()}" for host in hosts)
        raise LabFailed(f"{error}\n{logs}") from error


def _letter(one: Host, other: Host, person: int, subject: str) -> Letter:
    return write(one.organisation.people[0], other.organisation.people[person], subject, HELLO)


def _inside(host: Host, stations: Stations) -> None:
    letter = _letter(host, host, 1, "Next door")
    stations.telling.heading(f"Inside one house: {_from_to(letter)}")
    stations.submit(letter, host)
    stations.read(letter, host, implicit=True)
    stations.tell_story(letter, host)


def _end_to_end(one: Host, other: Host, stations: Stations) -> None:
    letter = _letter(one, other, 0, "End to end")
    stations.telling.heading(f"1. End to end: {_from_to(letter)}")
    stations.submit(letter, one)
    stations.ask_names(other)
    stations.send(letter, one)
    stations.read(letter, other, implicit=False)
    stations.tell_story(letter, one, "Sent to")
    stations.tell_story(letter, other)


def _over_a_relay(small: Host, large: Host, other: Host, stations: Stations) -> None:
    letter = _letter(small, other, 0, "Store and forward")
    stations.telling.heading(f"2. Store and forward: {_from_to(letter)}, over {large.organisation.domain}")
    stations.submit(letter, small, in_short=True)
    stations.step("route", f"{small.organisation.domain} looks for nobody: its smarthost takes all mail")
    stations.send(letter, small)
    stations.step("relay", f"{large.organisation.domain} trusts the address that this comes from, keeps it,")
    stations.step("", "answers for it, and sends it on by itself")
    stations.ask_names(other)
    stations.send(letter, large)
    stations.show_way(stations.read(letter, other, implicit=True))


def _delayed(one: Host, other: Host, stations: Stations) -> None:
    letter = _letter(one, other, 1, "Delayed")
    stations.telling.heading(f"3. The other host is away: {_from_to(letter)}")
    gone = other.pid
    other.stop()
    stations.step("host", f"{other.name} (process {gone}) has been stopped")
    stations.submit(letter, one, in_short=True)
    in_queue(one, letter, finished=False, attempts=1)
    stations.run("queue", one, "queue", "list")
    other.start()
    other.wait_until_ready()
    stations.step("host", f"{other.name} is back, as process {other.pid}")
    stations.run("queue", one, "queue", "retry", other.organisation.domain)
    stations.send(letter, one)
    stations.read(letter, other, implicit=True)
    stations.tell_story(letter, one, "Sent to")


def _forged(one: Host, other: Host, stations: Stations) -> None:
    letter = _letter(one, other, 0, "Forged")
    stations.telling.heading(f"4. A forgery: somebody else writes as {letter.sender.address}")
    stations.forge(letter, other)
    stations.tell_story(letter, other, "5.7.26")


def _from_to(letter: Letter) -> str:
    return f"{letter.sender.address} writes to {letter.recipient.address}"
