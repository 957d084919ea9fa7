"""A real host that is guessed at, by hydra and from many addresses at once (rows 20 and 21).

Its clients have addresses of loopback, which stand for networks: 127.40.n.1 is in 127.40.n.0/24.
"""

import base64
import contextlib
import itertools
import re
import socket
import statistics
import threading
import time

import pytest
from exchange import SECONDS, needs, run
from real_host import new_host, put_probe

from mailsys.lab.organisation import Person

HOME = "127.41.0.7"
PEOPLE = tuple(Person(f"person{number}@system.test", f"geheim {number}") for number in range(26))


@pytest.fixture(scope="module")
def guessed(tmp_path_factory):
    host = new_host(tmp_path_factory.mktemp("guessed") / "host", people=1)
    host.run("account", "import", "-", told="".join(f"{p.address}:{{PLAIN}}{p.password}\n" for p in PEOPLE))
    text = host.config.read_text()
    assert '# plaintext = "loopback"' in text
    host.config.write_text(text.replace('# plaintext = "loopback"', "never_blocked = []"))
    probe = put_probe(host)
    host.start()
    try:
        host.wait_until_ready(("submission", "pop3"))
        yield host
    finally:
        host.stop()
    probe.assert_no_stall()


@pytest.fixture(scope="module")
def _everybody(guessed):
    return iter(PEOPLE)


@pytest.fixture
def owner(_everybody):
    """Somebody who has not logged in yet."""
    return next(_everybody)


# Where passwords are asked for, by the name that hydra has for the protocol.
PORTS = {"smtp": "submission", "pop3": "pop3"}


def ask(host, service, lines, source):
    """Say some lines from this address; returns the last answer, and the seconds that it took."""
    where = host.organisation
    address = where.address, where.port(PORTS[service])
    with socket.create_connection(address, SECONDS, (source, 0)) as connection:
        file = connection.makefile("rb")
        file.readline()
        for line in lines:
            begun = time.monotonic()
            connection.sendall(line.encode() + b"\r\n")
            heard = file.readline().decode()
            while heard[3:4] == "-" and heard[:3].isdigit():
                heard = file.readline().decode()
        return heard, time.monotonic() - begun


def pop3(host, name, password, source):
    return ask(host, "pop3", (f"USER {name}", f"PASS {password}"), source)


def gets_in(host, someone, source):
    return pop3(host, someone.address, someone.password, source)[0].startswith("+OK")


def at_once(calls):
    """All of them at one time; their results in order."""
    results = [None] * len(calls)

    def keep(number, call):
        with contextlib.suppress(OSError):
            results[number] = call()

    threads = [threading.Thread(target=keep, args=item, daemon=True) for item in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(3 * SECONDS)
    return results


@needs("hydra")
@pytest.mark.row(21)
@pytest.mark.parametrize("service", ["pop3", "smtp"])
def test_hydra_finds_nothing_and_is_blocked(guessed, owner, tmp_path, service):
    """Row 21: its list lacks the password; when it has it at the end, it does not come that far."""
    assert gets_in(guessed, owner, HOME)
    guesses = tmp_path / "guesses"
    guesses.write_text("".join(f"guess{number}\n" for number in range(60)) + f"{owner.password}\n")
    where = guessed.organisation
    log = guessed.log.stat().st_size
    seen = []
    over = threading.Event()

    def live_at_home():
        while not over.is_set():
            seen.append(gets_in(guessed, owner, HOME))
            over.wait(0.5)

    home = threading.Thread(target=live_at_home, daemon=True)
    home.start()
    try:
        said = run(
            "timeout", "8", "hydra", "-I", "-t", "8", "-W", "1", "-f", "-l", owner.address, "-P", guesses,
            "-s", where.port(PORTS[service]), where.address, service, accepted=(0, 124, 255), cwd=tmp_path,
        ).decode()  # fmt: skip
    finally:
        over.set()
        home.join(SECONDS)
    assert owner.password not in said
    assert len(seen) > 2
    assert all(seen)
    told = guessed.log.read_text()[log:]
    assert re.search(r"Too many wrong passwords: address 127\.0\.0\.1 is blocked for \d+ minutes", told)
    story = guessed.run("logins", owner.address)
    assert "address 127.0.0.1 is blocked" in story
    assert f"from {HOME}" in story
    guessed.run("logins", owner.address, "--forgive")
    time.sleep(1.2)
    assert gets_in(guessed, owner, "127.0.0.1")


@pytest.mark.row(21)
def test_many_addresses_on_one_user(guessed, owner):
    """Row 21: 200 networks at once; strangers are blocked, home is not, and is served soon."""
    assert gets_in(guessed, owner, HOME)
    calls = [
        lambda n=n: pop3(guessed, owner.address, f"guess {n}", f"127.42.{n}.1")[0] for n in range(1, 201)
    ]
    threading.Thread(target=at_once, args=(calls,), daemon=True).start()
    waits = []
    while len(waits) < 40:
        begun = time.monotonic()
        assert gets_in(guessed, owner, HOME)
        waits.append(time.monotonic() - begun)
        time.sleep(0.05)
    assert statistics.median(waits) < 1
    heard, _seconds = pop3(guessed, owner.address, owner.password, "127.43.0.1")
    assert heard.startswith("-ERR [SYS/TEMP]")
    assert gets_in(guessed, owner, HOME)


@pytest.mark.row(21)
@pytest.mark.parametrize("service", ["pop3", "smtp"])
def test_unknown_names_fail_alike_and_in_the_same_time(guessed, service):
    """Row 21: the same words, and within 10 percent; each from a network of its own, all at once."""
    people = [someone.address for someone in (PEOPLE[-10:] if service == "pop3" else PEOPLE[-20:-10])]
    strangers = [f"nobody{number}-{service}@system.test" for number in range(10)]
    calls = []
    for number, name in enumerate(itertools.chain(*zip(people, strangers, strict=True))):
        source = f"127.{44 if service == 'pop3' else 45}.{number}.1"
        lines = wrong_password(service, name)
        calls.append(lambda lines=lines, source=source: ask(guessed, service, lines, source))
    answers = at_once(calls)
    assert len({words for words, _ in answers}) == 1
    # The quicker ones: what a busy machine adds to the others is no measure of ours.
    known, unknown = (sorted(seconds for _, seconds in answers[begin::2])[2] for begin in (0, 1))
    assert abs(known / unknown - 1) < 0.1


def wrong_password(service, name):
    if service == "pop3":
        return f"USER {name}", "PASS wrong"
    return "EHLO client.example", "AUTH PLAIN " + base64.b64encode(f"\0{name}\0wrong".encode()).decode()


@pytest.mark.row(20)
def test_responses_without_end_beside_others(guessed, owner):
    """Row 20: 100 kB inside AUTH, on many connections; another logs in within a second."""

    def drown():
        where = guessed.organisation
        with socket.create_connection(
            (where.address, where.port("submission")), SECONDS, ("127.46.0.1", 0)
        ) as line:
            line.sendall(b"EHLO x\r\nAUTH PLAIN\r\n")
            with contextlib.suppress(OSError):
                line.sendall(b"A" * 100_000)
                line.recv(65536)

    flood = threading.Thread(target=at_once, args=([drown] * 20,), daemon=True)
    flood.start()
    begun = time.monotonic()
    assert gets_in(guessed, owner, HOME)
    assert time.monotonic() - begun < 1
    flood.join(SECONDS)
