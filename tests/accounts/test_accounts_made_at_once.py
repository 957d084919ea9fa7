"""Several commands make the accounts' file at the same moment: each waits for the others, and none fails."""

import multiprocessing
import os

from mailsys.accounts.database import open_database

PROCESSES, FILES = 6, 15


def make_files(folder, number, all_ready):
    """In a process of its own: with the others, make one file after the other, and add a domain to each."""
    for name in range(FILES):
        all_ready.wait(30)
        database = open_database(os.path.join(folder, f"{name}.sqlite3"))
        database.domains.add(f"d{number}.test")
        database.close()


def test_commands_that_make_the_file_at_once(tmp_path):
    context = multiprocessing.get_context("spawn")
    all_ready = context.Barrier(PROCESSES)
    processes = [
        context.Process(target=make_files, args=(str(tmp_path), number, all_ready), daemon=True)
        for number in range(PROCESSES)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * PROCESSES
    for name in range(FILES):
        database = open_database(str(tmp_path / f"{name}.sqlite3"))
        assert all(database.domains.has(f"d{number}.test") for number in range(PROCESSES))
        database.close()
