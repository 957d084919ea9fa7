"""RFCS.rst says which RFCs are kept and where; it must be true both ways.

In code a reference has one form, ``RFC 5321 4.5.2``, so that it can be found.
"""

import re
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent
SOURCES = sorted(REPOSITORY.glob("mailsys/**/*.py"))

REFERENCE = re.compile(r"\bRFC (\d{3,5})\b")
# IMAP has items that are called RFC822, RFC822.SIZE and so on.
OTHER_FORM = re.compile(r"\bRFC-?(?!822\b)\d|(?<!/)\brfc ?\d{3,5}(?!;)|\bRFC \d+ ?(?:§|[Ss]ec\.)", re.ASCII)
ROW = re.compile(
    r"^   \* - (\d{3,5})\n     - (.*)\n     - (Yes|Partial|Not yet)\n     - (.*)$",
    re.MULTILINE,
)
MODULE = re.compile(r"``(mailsys/[^`]+)``")


def rows():
    return ROW.findall((REPOSITORY / "RFCS.rst").read_text())


def test_every_rfc_that_the_code_names_is_in_the_table():
    known = {number for number, *_ in rows()}
    missing = {}
    for path in SOURCES:
        for number in REFERENCE.findall(path.read_text()):
            if number not in known:
                missing.setdefault(number, set()).add(str(path.relative_to(REPOSITORY)))
    assert not missing


def test_references_have_the_one_form():
    wrong = {str(path.relative_to(REPOSITORY)): OTHER_FORM.findall(path.read_text()) for path in SOURCES}
    assert {path: found for path, found in wrong.items() if found} == {}


def test_the_table_is_in_order_and_names_each_once():
    numbers = [int(number) for number, *_ in rows()]
    assert numbers == sorted(set(numbers))
    assert len(numbers) == (REPOSITORY / "RFCS.rst").read_text().count("   * - ") - 1  # one is the head


def test_the_modules_of_each_row_exist_and_name_the_rfc():
    """What is kept says so in its code; what is not yet kept has no module."""
    for number, _title, status, where in rows():
        modules = MODULE.findall(where)
        assert bool(modules) == (status != "Not yet"), number
        for module in modules:
            path = REPOSITORY / module
            files = [path] if path.is_file() else sorted(path.glob("**/*.py"))
            assert files, f"there is no {module}"
            named = any(number in REFERENCE.findall(file.read_text()) for file in files)
            assert named, f"{module} does not name RFC {number}"
