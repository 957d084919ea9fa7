"""The probe itself: it sees work that takes long, says where, and does not take waiting for work."""

import subprocess
import sys

import pytest
import stall_probe

SERVER = """
import sys, time
from twisted.internet import reactor
from stall_probe import StallProbe

def count_sheep():
    until = time.thread_time() + 0.15
    while time.thread_time() < until:
        pass

StallProbe(sys.argv[1]).watch(reactor)
reactor.callLater(0.1, count_sheep if sys.argv[2] == "work" else lambda: time.sleep(0.15))
reactor.callLater(0.4, reactor.stop)
reactor.run()
"""


@pytest.mark.parametrize("how", ["work", "wait"])
def test_what_it_sees(tmp_path, repository, how):
    probe = stall_probe.StallProbe(tmp_path)
    probe.make()
    subprocess.run(
        [sys.executable, "-c", SERVER, tmp_path, how],
        cwd=repository / "tests" / "system",
        check=True,
        timeout=60,
    )
    cpu, wall = probe.longest
    assert wall > 0.1
    if how == "wait":
        probe.assert_no_stall()
    else:
        assert cpu > 0.1
        with pytest.raises(AssertionError, match="count_sheep"):
            probe.assert_no_stall()
    probe.begin()
    assert probe.longest == (0.0, 0.0)
