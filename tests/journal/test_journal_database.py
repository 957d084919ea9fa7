import json
import math
import os
import sqlite3
import stat
from dataclasses import replace
from types import MappingProxyType

import pytest
from journal_scenes import BOB, NOON, accepted, delivered, message

from mailsys.interfaces import JournalEvent
from mailsys.journal.database import JournalDatabase, is_damage, read_facts

DAY = 86_400


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "journal.sqlite3")


@pytest.fixture
def database(path):
    database = JournalDatabase(path)
    yield database
    database.close()


def query(path, statement, *values):
    connection = sqlite3.connect(path)
    try:
        return connection.execute(statement, values).fetchall()
    finally:
        connection.close()


def test_what_is_written_can_be_read_with_sqlite3(database, path):
    database.write(message())
    rows = query(path, "SELECT id, at, facts FROM events ORDER BY key")
    assert [(id_, at) for id_, at, _ in rows] == [("4k2m9x7qa.1", NOON)] * 2
    assert [json.loads(facts)["event"] for *_, facts in rows] == ["delivered", "received"]
    names = [name for (name,) in query(path, "SELECT name FROM names ORDER BY name")]
    assert names == ["ann@example.net", "bob@example.org", "lunch@example.net"]


def test_writing_again_changes_nothing(database, path):
    database.write(message())
    before = query(path, "SELECT * FROM events")
    database.write([*message(at=NOON + 99), *message()])
    assert query(path, "SELECT * FROM events") == before
    assert query(path, "SELECT count(*) FROM names") == [(3,)]


@pytest.mark.parametrize("count", [1, 99, 100, 101, 500])
def test_a_batch_of_any_size_is_written_whole(database, path, count):
    database.write([delivered(f"4k2m9x7qa.{number}") for number in range(count)])
    assert query(path, "SELECT count(*) FROM events") == [(count,)]


def test_only_the_owner_may_read_it(database, path):
    database.write(message())
    modes = {stat.S_IMODE(os.stat(path + part).st_mode) for part in ("", "-wal", "-shm")}
    assert modes == {0o600}


@pytest.mark.parametrize(
    "facts",
    [
        {"event": "odd", "value": math.nan},
        {"event": "odd", "value": {1, 2}},
        {"event": "odd", ("a", "tuple"): 1},
        {"event": "odd", "value": "\ud800 \x00 \x1b"},
        {"event": "odd", "from": "\ud800@x", "to": ["\x00"]},
        {"event": "odd", "value": 10**400},
        MappingProxyType({"event": "odd", "inner": MappingProxyType({"a": 1})}),
    ],
    ids=lambda facts: str(facts)[:40],
)
def test_odd_facts_do_not_hold_up_the_others(database, path, facts):
    database.write([JournalEvent("odd", "odd", NOON, facts), *message()])
    rows = query(path, "SELECT facts FROM events")
    assert len(rows) == 3
    assert "odd" in [json.loads(row[0])["event"] for row in rows]


def test_facts_that_contain_themselves_are_replaced(database, path):
    facts = {"event": "odd"}
    facts["self"] = facts
    database.write([JournalEvent("odd", "odd", NOON, facts)])
    assert "unreadable" in query(path, "SELECT facts FROM events")[0][0]


def test_old_events_and_their_names_are_forgotten_in_slices(database, path):
    old = [replace(accepted(f"4k2m9x7qa.{n}", NOON - n), key="received") for n in range(10)]
    new = accepted("4k2m9x7qz.1", NOON + DAY)
    database.write([*old, new])
    assert database.prune(NOON + 1, 4) == 4
    assert query(path, "SELECT min(at) FROM events") == [(NOON - 5,)]  # the oldest go first
    assert database.prune(NOON + 1, 100) == 6
    assert database.prune(NOON + 1, 100) == 0
    assert query(path, "SELECT id FROM events") == [("4k2m9x7qz.1",)]
    assert query(path, "SELECT DISTINCT id FROM names") == [("4k2m9x7qz.1",)]


def test_pruning_and_finding_use_indexes(database, path):
    database.write(message())
    for statement in (
        "SELECT id, key, facts FROM events WHERE at < 1 ORDER BY at LIMIT 9",
        "SELECT id, key, at, facts FROM events WHERE id = 'x' ORDER BY at",
        "SELECT id FROM names WHERE name = 'x' ORDER BY id DESC LIMIT 9",
    ):
        plan = " ".join(row[3] for row in query(path, f"EXPLAIN QUERY PLAN {statement}"))
        assert "SEARCH" in plan
        assert "SCAN" not in plan


def test_a_sync_commits_at_the_level_that_waits_for_the_disk(path):
    statements = []

    def connect(*arguments, **options):
        connection = sqlite3.connect(*arguments, **options)
        connection.set_trace_callback(statements.append)
        return connection

    database = JournalDatabase(path, connect)
    database.write(message())
    statements.clear()
    database.sync(NOON)
    levels = [statement for statement in statements if "synchronous" in statement or "INSERT" in statement]
    assert [level.split()[0] for level in levels] == ["PRAGMA", "INSERT", "PRAGMA"]
    assert "FULL" in levels[0]
    database.close()
    assert query(path, "SELECT until FROM durable") == [(NOON,)]


def test_a_file_that_is_no_database_is_told_apart_from_a_full_disk(path):
    with open(path, "wb") as file:
        file.write(b"this is not a database at all, not even a bit of one" * 100)
    database = JournalDatabase(path)
    with pytest.raises(sqlite3.DatabaseError) as caught:
        database.write(message())
    assert is_damage(caught.value)
    assert not is_damage(sqlite3.OperationalError("database or disk is full"))
    assert not is_damage(OSError("no"))


def test_a_damaged_file_is_kept_beside_the_new_one(database, path):
    with open(path, "wb") as file:
        file.write(b"damaged" * 1000)
    aside = database.set_aside("damaged-1")
    database.write([delivered(recipient=BOB)])
    assert os.path.getsize(aside) == 7000
    assert query(path, "SELECT count(*) FROM events") == [(1,)]


def test_spoilt_rows_are_read_as_empty():
    assert read_facts("{") == read_facts("[1]") == read_facts("") == {}
