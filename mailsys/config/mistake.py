"""What is wrong with a configuration, told so that a person can put it right."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

SHOWN_CHARACTERS = 60

_PASSWORD_IN_URL = re.compile(r"(//[^/:@\s]*:)[^/\s]*@")


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake.  Of several ``[[listen]]`` tables the first is ``listen[1]``; ``value`` is as shown."""

    key: str
    value: str
    wrong: str
    right: str

    def __str__(self) -> str:
        said = f"{self.key} = {self.value}" if self.value else self.key
        ending = "" if self.right.endswith("?") else "."
        sentence = f"{said} {self.wrong}; {self.right}{ending}"
        return sentence if sentence.isprintable() else _visible(sentence)


def _visible(text: str) -> str:
    """Nothing that a file holds moves a terminal's cursor, or turns the direction of writing."""
    return "".join([character if character.isprintable() else ascii(character)[1:-1] for character in text])


class ConfigurationError(Exception):
    """The configuration cannot be used; its text is one line a mistake."""

    def __init__(self, path: str, mistakes: Iterable[Mistake]) -> None:
        self.path = path
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(map(str, self.mistakes)))


def shown(value: object) -> str:
    """A value as it stands in the file, on one line: cut when long, without passwords, empty for tables."""
    if isinstance(value, dict):
        return ""
    text = json.dumps(value, ensure_ascii=False, default=str)
    text = _PASSWORD_IN_URL.sub(r"\1…@", text)
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"
