"""Asks the running server, over its control socket."""

from __future__ import annotations

import json
import socket
from typing import Any

from mailsys.net.control_path import ControlPath


class NoAnswer(Exception):  # noqa: N818 - a sentence for a person
    """There is no answer, or it is that it cannot be done; the text says why."""


def ask(data: str, command: str, seconds: float, **members: Any) -> Any:
    """Ask the server that works on this data, and wait for its answer; raises NoAnswer."""
    try:
        line = _exchange(data, json.dumps({"command": command, **members}).encode() + b"\n", seconds)
    except TimeoutError:
        raise NoAnswer(f"it was silent for {seconds:.0f} seconds") from None
    except OSError as error:
        raise NoAnswer(error.strerror or str(error)) from None
    try:
        said = json.loads(line)
    except ValueError:
        raise NoAnswer("it hung up") from None
    if not said["ok"]:
        raise NoAnswer(said["error"])
    return said["result"]


def _exchange(data: str, request: bytes, seconds: float) -> bytes:
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(seconds)
        with ControlPath(data) as path:
            asking.connect(path)
        asking.sendall(request)
        with asking.makefile("rb") as answers:
            return answers.readline()
