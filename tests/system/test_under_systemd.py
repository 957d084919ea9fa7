"""Under systemd itself: a user's manager in namespaces of its own, where root can make them.

What shuts folders off (ProtectSystem= and the like) is left out: it cannot be made everywhere.
"""

import os
import re
import shutil
import subprocess
import sys

import pytest
from real_host import ADDRESS

SYSTEMD = "/lib/systemd/systemd"
FOLDERS = "Protect|Private|ReadWritePaths|DevicePolicy|RemoveIPC|StateDirectory|LogsDirectory"
OURS = f"{FOLDERS}|User|Group|AmbientCapabilities|CapabilityBoundingSet|ExecStart|WatchdogSec|RestartSec"
SCRIPT = """
mount -t tmpfs none /run && mkdir -p /run/systemd/system /run/user/0 && chmod 700 /run/user/0 || exit 77
export XDG_RUNTIME_DIR=/run/user/0 SYSTEMD_UNIT_PATH=$1:/usr/lib/systemd/user
/lib/systemd/systemd --user &
for turn in 1 2 3 4 5 6 7 8 9 10; do sleep 0.5; systemctl --user is-system-running && break; done || exit 77
[ "$(systemctl --user is-system-running)" = running ] || exit 77
show() { systemctl --user show -p ActiveState,StatusText,NRestarts,Result mailsys.service; }
timeout 15 systemctl --user start mailsys.socket mailsys.service; echo "start=$?"; show
timeout 10 systemctl --user reload mailsys.service; echo "reload=$?"
timeout 15 systemctl --user restart mailsys.service; echo "restart=$?"
pid=$(systemctl --user show -p MainPID --value mailsys.service)
[ "$pid" -gt 1 ] || exit 1
grep -E '^(NoNewPrivs|Seccomp):' /proc/$pid/status
kill -STOP $pid
for turn in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
    sleep 1; show | grep -q NRestarts=1 && show | grep -q ActiveState=active && break
done
show
timeout 15 systemctl --user stop mailsys.socket mailsys.service; echo "stop=$?"; show
"""


@pytest.fixture
def units(own_host, repository, tmp_path):
    """The two units, for this host."""
    folder = tmp_path / "units"
    folder.mkdir()
    text = (repository / "etc" / "mailsys.service").read_text()
    kept = "\n".join(line for line in text.splitlines() if not re.match(f"({OURS})[A-Za-z]*=", line))
    own = [
        f"ExecStart={sys.executable} -m mailsys --config {own_host.config} serve",
        f"Environment=PYTHONPATH={os.environ['PYTHONPATH']}",
        "WatchdogSec=3",
        "RestartSec=0",
    ]
    (folder / "mailsys.service").write_text(kept.replace("[Service]\n", "\n".join(["[Service]", *own, ""])))
    where = own_host.organisation
    ports = [f"ListenStream={ADDRESS}:{where.port(name)}" for name in ("smtp", "pop3", "pop3s", "lmtp")]
    text = (repository / "etc" / "mailsys.socket").read_text()
    text = re.sub(r"^ListenStream=.*\n", "", text, flags=re.MULTILINE)
    (folder / "mailsys.socket").write_text(text.replace("[Socket]\n", "\n".join(["[Socket]", *ports, ""])))
    return folder


def test_systemd_starts_reloads_restarts_and_watches_it(units, own_host):
    if os.geteuid() != 0 or not os.path.exists(SYSTEMD) or not shutil.which("unshare"):
        pytest.skip("this needs root, systemd and unshare")
    command = ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child"]
    ended = subprocess.run(
        [*command, "sh", "-c", SCRIPT, "sh", units], capture_output=True, text=True, timeout=100, check=False
    )
    if ended.returncode == 77 or "unshare:" in ended.stderr:
        pytest.skip("systemd cannot be run in namespaces here")
    said = [line.replace(":\t", "=") for line in ended.stdout.splitlines() if re.match(r"\w+[=:]", line)]
    for step in ("start", "reload", "restart", "stop"):
        assert f"{step}=0" in said, (ended.stdout, ended.stderr, own_host.log_tail())
    assert {"NoNewPrivs=1", "Seccomp=2"} <= set(said)
    assert "StatusText=serving: 0 connections" in said
    watched = said[said.index("NoNewPrivs=1") :]
    assert "NRestarts=1" in watched  # it hung, and was started anew
    assert "ActiveState=active" in watched
    assert said[-4:].count("ActiveState=inactive") == 1
