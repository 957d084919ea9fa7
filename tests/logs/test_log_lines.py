"""Row 63: a line of the log ends where we say, whatever strangers write into it."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.logger import LogLevel
from twisted.python.failure import Failure

from mailsys.config.schema import Log
from mailsys.logs.lines import json_line, text_line
from mailsys.logs.output import LogOutput

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
EVIL = "x\r\n2026-01-01T00:00:00+0000 [mailsys#info] forged\x1b[31m\u202eabc\ud800\x00\x85\u2028"


def event(text, **more):
    return {
        "log_format": "{words}",
        "words": text,
        "log_time": 1_764_000_000.5,
        "log_level": LogLevel.info,
        "log_namespace": "mailsys",
        **more,
    }


def failed(words):
    try:
        raise ValueError(words)
    except ValueError:
        return Failure()


class Lines:
    def __init__(self):
        self.lines = []

    def write(self, line):
        self.lines.append(line)

    def reopen(self):
        pass


def test_a_line_of_text():
    line = text_line(event("smtp listens at tcp:25"))
    assert re.fullmatch(r"2025-11-24T\d\d:\d\d:00[+-]\d{4} \[mailsys#info\] smtp listens at tcp:25", line)


def test_a_line_of_json():
    assert json.loads(json_line(event("höre", id="ABC.1"))) == {
        "time": "2025-11-24T16:00:00.500+00:00",
        "level": "info",
        "namespace": "mailsys",
        "text": "höre",
        "id": "ABC.1",
    }


@pytest.mark.row(63)
@given(st.text() | st.just(EVIL))
def test_what_strangers_write_stays_in_its_line(text):
    for line in (text_line(event(text, id=text)), json_line(event(text, id=text))):
        assert not CONTROL.search(line)
        assert "\n" not in line
        line.encode()
    assert json_line(event(text)).isascii()
    assert not CONTROL.search(json.loads(json_line(event(text, id=text)))["text"])


@pytest.mark.row(63)
def test_nor_can_a_traceback_forge_a_line():
    trouble = event("It broke", log_failure=failed(EVIL), log_level=LogLevel.critical)
    first, *rest = text_line(trouble).split("\n")
    assert first.endswith("[mailsys#critical] It broke")
    assert len(rest) > 2
    assert all(line.startswith("\t") for line in rest)
    assert not CONTROL.search(text_line(trouble).replace("\n\t", ""))
    told = json.loads(json_line(trouble))
    assert "\n" not in json_line(trouble)
    assert any("ValueError" in line for line in told["traceback"])
    assert not any(CONTROL.search(line) for line in told["traceback"])


def test_an_old_error_of_twisted_is_told_with_its_traceback():
    old = {
        "log_format": "{log_text}",
        "log_text": "Unhandled\nTraceback: many\nlines",
        "log_namespace": "log_legacy",
        "isError": 1,
        "why": None,
        "log_time": 0.0,
        "log_failure": failed("no"),
    }
    assert text_line(old).split("\n")[0].endswith("[log_legacy#critical] Unhandled error")
    assert "ValueError" in text_line(old)


def test_an_event_that_cannot_be_formatted_is_still_a_line():
    assert "\n" not in text_line({"log_format": "{nothing}", "log_time": None})
    assert json.loads(json_line({"log_format": "{nothing}"}))["level"] == "info"


def test_levels_by_namespace():
    lines = Lines()
    output = LogOutput(Log(level="warn", levels={"mailsys.net": "debug"}), lines)
    for namespace, level in (
        ("mailsys", LogLevel.info),
        ("mailsys", LogLevel.error),
        ("mailsys.net", LogLevel.debug),
        ("mailsys.net.factory", LogLevel.debug),
        ("mailsys.network", LogLevel.debug),
    ):
        output(event("x", log_namespace=namespace, log_level=level))
    assert [line.split("[")[1].split("]")[0] for line in lines.lines] == [
        "mailsys#error", "mailsys.net#debug", "mailsys.net.factory#debug"
    ]  # fmt: skip
    output.configure(Log(format="json"))
    output(event("x"))
    assert json.loads(lines.lines[-1])["text"] == "x"


def test_remarks_of_twisted_on_its_ports_are_left_out():
    lines = Lines()
    output = LogOutput(Log(), lines)
    output(
        {
            "log_format": "{log_text}",
            "log_text": "Starting factory",
            "log_namespace": "log_legacy",
            "isError": 0,
        }
    )
    assert lines.lines == []
