"""The benchmark: tiny runs that show that it works, and nothing about how fast it is here."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from zones import ZoneResolver

from bench.figures import MEASURED, Figures, Repeated, group
from bench.options import read_options
from bench.own_server import PASSWORD, own_server
from bench.plan import SmtpPlan, read_plan, write_plan
from bench.pop3 import is_listing
from bench.processes import Family
from bench.smtp import SmtpLoad, is_whole
from bench.stopwatch import Stopwatch, percentile
from bench.strangers import unknown_to
from mailsys.control.at_once import at_once
from mailsys.dkim.results import Result
from mailsys.dkim.verify import verify
from mailsys.lab.host import Host
from mailsys.lab.organisation import Organisation
from mailsys.message.content import MemoryContent
from mailsys.threads import NoThreads

TINY = ["--messages", "20", "--sizes", "1", "--sessions", "2", "--accounts", "3", "--syncs", "3"]
TINY += ["--mailbox", "20", "--retrievals", "20", "--settle", "0", "--seconds", "30"]
SECONDS = 100


def command(*arguments):
    return [sys.executable, "-m", "bench", *map(str, arguments)]


def run(repository, *arguments):
    return subprocess.run(
        command(*arguments), cwd=repository, capture_output=True, text=True, timeout=SECONDS, check=False
    )


def results(finished):
    """What the JSON tells, by test and step; of several cases of one test the last."""
    return {
        (result["test"], result["step"]): result["runs"][0]
        for result in json.loads(finished.stdout)["results"]
    }


def left_behind(folder):
    """The command lines of processes that know of the folder."""
    found = []
    for pid in filter(str.isdecimal, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                line = file.read()
        except OSError:
            continue
        if os.fsencode(folder) in line and int(pid) != os.getpid():
            found.append(line)
    return found


@pytest.fixture(scope="module")
def all_tests(repository, tmp_path_factory):
    """Every test of the benchmark, tiny, with the data in ``folder``."""
    folder = tmp_path_factory.mktemp("data")
    return run(repository, *TINY, "--json", "--dir", folder), folder


@pytest.mark.timeout(SECONDS + 20)
def test_every_message_is_counted_and_in_a_mailbox(all_tests):
    finished, _ = all_tests
    assert finished.returncode == 0, finished.stderr
    measured = results(finished)
    for test in ("smtp", "lmtp"):
        message = measured[test, "message"]
        assert (message["count"], message["failed"], message["missing"]) == (20, 0, 0)
        assert message["troubles"] == []
    assert measured["pop3", "RETR"]["count"] == 20
    assert measured["pop3", "visit"]["failed"] == 0
    assert {step for test, step in measured if test == "pop3"} == {
        "visit", "login", "STAT", "UIDL", "LIST", "RETR",
    }  # fmt: skip


def test_the_json_has_all_figures(all_tests):
    finished, _ = all_tests
    told = json.loads(finished.stdout)
    assert set(told["machine"]) == {"date", "cores", "python", "kernel", "file_system", "load"}
    measured = results(finished)
    assert [figure for figure in MEASURED if measured["smtp", "message"][figure] is None] == []
    assert measured["disk", "append"]["per_second"] > 0
    for result in told["results"]:
        assert set(MEASURED) <= set(result)


def test_nothing_is_left_behind(all_tests):
    _, folder = all_tests
    assert list(folder.iterdir()) == []
    assert left_behind(folder) == []


def test_sigterm_ends_it_and_its_server(repository, tmp_path):
    bench = subprocess.Popen(
        command("smtp", "--messages", "1000000", "--dir", tmp_path),
        cwd=repository, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 60
        while not any(b"serve" in line for line in left_behind(tmp_path)):
            assert time.monotonic() < deadline, "no server was started"
            assert bench.poll() is None
            time.sleep(0.05)
        bench.send_signal(signal.SIGTERM)
        assert bench.wait(30) == 130
    finally:
        bench.kill()
        bench.wait()
    assert left_behind(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server that is there already, as far as the benchmark knows."""
    folder = tmp_path_factory.mktemp("server") / "host"
    with own_server(folder, read_options(["pop3", *TINY]), has_judges=False) as target:
        yield target


def at(server, service):
    return ":".join(map(str, server.ports[service]))


def test_another_server_is_measured(repository, server):
    reader = server.retriever.user
    ports = ["--smtp", at(server, "smtp"), "--pop3", at(server, "pop3")]
    finished = run(repository, *TINY, *ports, "--user", reader, "--password", PASSWORD, "--json")
    assert finished.returncode == 0, finished.stderr
    measured = results(finished)
    assert measured["smtp", "message"]["count"] == 20
    assert measured["smtp", "message"]["cpu_ms"] is None  # nobody said which process it is
    assert measured["pop3", "RETR"]["count"] == 20


def test_a_refused_message_is_told_and_fails(repository, server):
    finished = run(repository, *TINY, "--smtp", at(server, "smtp"), "--user", "nobody@bench.test", "--keep")
    assert finished.returncode == 1
    assert "20 failed, 0 were accepted and are missing\n    550 " in finished.stdout


def test_no_server_is_told_and_fails(repository):
    finished = run(repository, *TINY, "--smtp", "127.0.0.1:1", "--user", "nobody@bench.test")
    assert finished.returncode == 1
    assert "Connection refused" in finished.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--smtp", "here", "--user", "a@b.test"], '"here" is no HOST:PORT'),
        (["--smtp", "127.0.0.1:25"], "--user"),
        (["--pop3", "127.0.0.1:110", "--user", "a@b.test"], "--password"),
        (["pop3", "--smtp", "127.0.0.1:25", "--user", "a@b.test"], "--pop3 HOST:PORT"),
        (["--sizes", "1,x"], '"x" is not a number'),
        (["--user", "a@b.test"], "are for --smtp"),
    ],
)
def test_wrong_options_are_told_in_a_sentence(arguments, words, capsys):
    with pytest.raises(SystemExit) as end:
        read_options(arguments)
    assert end.value.code == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("size_octets", [1024, 10 * 1024, 100 * 1024])
def test_a_message_has_the_size_it_should_have(size_octets):
    plan = SmtpPlan("127.0.0.1", 25, ("a@b.test",), 1, 1, size_octets, 1.0)
    assert read_plan(write_plan(plan)).size_octets == size_octets
    (conversation,) = SmtpLoad(plan, Stopwatch()).conversations()
    request, sent = next(conversation), []
    for reply in (b"220 x\r\n", b"250 x\r\n", b"250 x\r\n", b"250 x\r\n", b"354 x\r\n"):
        request = conversation.send(reply)
        sent.append(request.octets)
    content = sent[-1].removesuffix(b".\r\n")
    assert len(content) == size_octets
    assert content.endswith(b"\r\n")
    assert b"\r\n." not in content


def test_mail_of_strangers_is_signed_as_their_dns_says(tmp_path):
    host = Host(Organisation("bench", "bench.test", (), "127.0.2.250", 20000), tmp_path)
    host.config.write_text("\n[judge]\n")
    with unknown_to(host, tmp_path) as key:
        records = (tmp_path / "names.zone").read_text()
    assert "exempt = []" in host.config.read_text()
    plan = SmtpPlan("127.0.0.1", 25, ("a@b.test",), 2, 1, 2048, 1.0, key=key)
    load = SmtpLoad(plan, Stopwatch())
    for number in range(2):
        content = MemoryContent([load._message(number)])
        (result,) = at_once(verify(content, ZoneResolver(records), time.time(), NoThreads()))
        assert (result.result, result.domain) == (Result.PASS, "client.test")


@pytest.mark.parametrize(
    ("reply", "whole"),
    [
        (b"", False),
        (b"250 O", False),
        (b"250-a\r\n", False),
        (b"250-a\r\n250 b\r\n", True),
        (b"250 b\r\n", True),
    ],
)
def test_a_reply_ends_with_the_line_without_hyphen(reply, whole):
    assert is_whole(bytearray(reply)) is whole


@pytest.mark.parametrize(
    ("reply", "whole"),
    [(b"+OK\r\n", False), (b"+OK\r\n1 2\r\n", False), (b"+OK\r\n.\r\n", True), (b"-ERR no\r\n", True)],
)
def test_a_listing_ends_with_the_dot(reply, whole):
    assert is_listing(bytearray(reply)) is whole


def test_percentiles():
    assert percentile([], 50) == 0
    assert percentile([3, 1, 2], 50) == 2
    assert percentile(range(1, 101), 99) == 99
    assert percentile([7], 99) == 7


def test_repetitions_are_put_together():
    figures = [Figures("smtp", "10 kB", "message", 1, per_second=rate) for rate in (30.0, 10.0, 20.0)]
    figures.append(Figures("smtp", "10 kB", "message", 1, judges=False))
    with_judges, without = group(figures)
    spread = with_judges.spread("per_second")
    assert (spread.median, spread.least, spread.most) == (20, 10, 30)
    assert without.spread("per_second") is None
    assert Repeated([Figures("smtp", "10 kB", "message", 1, failed=2, missing=1)]).lost == 3


def test_the_cpu_of_children_counts():
    before = Family(os.getpid()).cpu_seconds()
    subprocess.run(
        [sys.executable, "-c", "import time\nwhile time.process_time() < 0.2: pass"], check=True, timeout=30
    )
    assert Family(os.getpid()).cpu_seconds() - before >= 0.15
    assert Family(os.getpid()).peak_mb() > 1
