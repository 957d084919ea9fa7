"""Reads what strace tells of a process with many threads."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Call:
    """A system call.  ``begin`` and ``end`` are the numbers of the lines that tell of them."""

    name: str
    arguments: str
    result: str
    begin: int
    end: int

    @property
    def strings(self):
        """The quoted arguments, as octets; strace may have cut them short."""
        return [unescape(text) for text in re.findall(r'"((?:[^"\\]|\\.)*)"', self.arguments)]

    @property
    def path(self):
        """What the first descriptor stands for, since strace is told to say it (-y)."""
        found = re.match(r"\d+<(.*?)>(?:, |$)", self.arguments)
        return found[1] if found else ""

    @property
    def succeeded(self):
        return not self.result.startswith(("-", "?"))


def unescape(text):
    return text.encode("latin-1").decode("unicode_escape").encode("latin-1")


WHOLE = re.compile(r"(\d+) +(\w+)\((.*)\) += (.+)")
BEGUN = re.compile(r"(\d+) +(\w+)\((.*?),? *<unfinished \.\.\.>")
RESUMED = re.compile(r"(\d+) +<\.\.\. (\w+) resumed>,? ?(.*)\) += (.+)")


def read_trace(lines):
    """All calls in the order of their ends; one that was cut in two by other threads is put together."""
    calls, open_calls = [], {}
    for number, line in enumerate(lines):
        if found := BEGUN.fullmatch(line):
            thread, name, arguments = found.groups()
            open_calls[thread, name] = (arguments, number)
        elif found := RESUMED.fullmatch(line):
            thread, name, rest, result = found.groups()
            arguments, begin = open_calls.pop((thread, name))
            joined = ", ".join(part for part in (arguments, rest) if part)
            calls.append(Call(name, joined, result, begin, number))
        elif found := WHOLE.fullmatch(line):
            _thread, name, arguments, result = found.groups()
            calls.append(Call(name, arguments, result, number, number))
    return calls
