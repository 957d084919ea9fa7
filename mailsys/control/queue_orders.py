"""Gives an order to the queue: to the server where one runs, else it is done here and at once."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Sequence

from mailsys.config import Configuration
from mailsys.control.at_once import at_once
from mailsys.control.command import CannotDo
from mailsys.disk import Disk
from mailsys.interfaces import Order, Selection, Verb
from mailsys.journal import FILE_NAME as JOURNAL
from mailsys.journal.writer import Journal
from mailsys.process.data import CannotUse, claim, owner_of_claim
from mailsys.queue import FILE_NAME, FOLDER, orders
from mailsys.queue.contents import Contents
from mailsys.queue.database import BUSY_SECONDS, QueueDatabase
from mailsys.queue.spool import Spool
from mailsys.queue.story import tell_order
from mailsys.queue.writer import DirectWriter

PATIENCE_SECONDS = 15.0
ASK_AGAIN_SECONDS = 0.1


def carry_out(configuration: Configuration, verb: Verb, selections: Sequence[Selection]) -> int:
    """For how many recipients it was done; raises CannotDo."""
    try:
        if owner_of_claim(configuration.data) is None:
            return _do(configuration, verb, selections)
        return _have_done(os.path.join(configuration.data, FILE_NAME), verb, selections)
    except CannotUse as error:
        raise CannotDo(str(error)) from error
    except (OSError, sqlite3.Error) as error:
        raise CannotDo(f"The queue cannot be changed ({error}); try as the server's user.") from error


def _do(configuration: Configuration, verb: Verb, selections: Sequence[Selection]) -> int:
    """While no server runs, nor can begin."""
    data = configuration.data
    held = claim(data, configuration.process.user)
    database = QueueDatabase(os.path.join(data, FILE_NAME))
    spool = Spool(Contents(Disk(), os.path.join(data, FOLDER)), DirectWriter(database), _domain_of, _at_once)
    now, count = time.time(), 0
    journal = Journal(os.path.join(data, JOURNAL))
    journal.start()
    try:
        for selection in selections:
            order = Order(verb, selection)
            changed = at_once(spool.carry_out(order, now, ()))
            tell_order(journal, order, changed, now)
            count += len(changed)
    finally:
        journal.close()
        database.close()
        os.close(held)
    return count


def _have_done(path: str, verb: Verb, selections: Sequence[Selection]) -> int:
    """Leave orders for the server, and wait until it has done them."""
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        numbers = [orders.give(connection, verb, selection, time.time()) for selection in selections]
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            answers = [orders.answer_to(connection, number) for number in numbers]
            if None not in answers:
                return sum(answer or 0 for answer in answers)
            time.sleep(ASK_AGAIN_SECONDS)
        for number in numbers:
            orders.withdraw(connection, number)
    finally:
        connection.close()
    raise CannotDo("The server runs, but has not done it within 15 seconds; its log may tell why.")


def _domain_of(address: object) -> str:
    raise AssertionError("no order puts anything into the queue")


def _at_once(function: Callable[..., object], *arguments: object) -> None:
    function(*arguments)
