"""The pages: well-formed, their links lead somewhere, and no page is out of reach."""

import io
import re
from pathlib import Path

import pytest
from docutils.core import publish_doctree
from docutils.nodes import literal, reference, system_message

REPOSITORY = Path(__file__).parent.parent
PAGES = sorted([*REPOSITORY.glob("*.rst"), *REPOSITORY.glob("docs/**/*.rst")])
NAMES = [str(path.relative_to(REPOSITORY)) for path in PAGES]
every_page = pytest.mark.parametrize("path", PAGES, ids=NAMES)


def parsed(path):
    settings = {
        "warning_stream": io.StringIO(),
        "report_level": 2,
        "halt_level": 5,
        "input_encoding": "utf-8",
    }
    return publish_doctree(path.read_text(), source_path=str(path), settings_overrides=settings)


def local_targets(path):
    for node in parsed(path).findall(reference):
        target = node.get("refuri", "")
        if target and not re.match(r"[a-z]+:", target):
            yield target.partition("#")[0]


@every_page
def test_a_page_is_well_formed(path):
    problems = [node.astext() for node in parsed(path).findall(system_message) if node["level"] >= 2]
    assert not problems


# What these pages name as a file of ours: below the checkout, the package or the tests.
DEVELOPERS_PAGES = ("ARCHITECTURE.rst", "CONTRIBUTING.rst", "RFCS.rst")
ROOTS = (REPOSITORY, REPOSITORY / "mailsys", REPOSITORY / "tests")
IN_A_MAILDIR = {"tmp/", "new/"}
TO_COME = {"wire/imap/"}


def files_named_in(path):
    for node in parsed(path).findall(literal):
        if re.fullmatch(r"[\w./]+(?:\.(?:py|rst|toml)|/)|\.?[a-z]*/[a-z]+", node.astext()):
            yield node.astext()


@pytest.mark.parametrize("name", DEVELOPERS_PAGES)
def test_files_that_a_page_names_are_there(name):
    named = set(files_named_in(REPOSITORY / name)) - IN_A_MAILDIR - TO_COME
    assert len(named) > 5
    assert [file for file in sorted(named) if not any((root / file).exists() for root in ROOTS)] == []


@every_page
def test_links_between_files_lead_somewhere(path):
    missing = [target for target in local_targets(path) if target and not (path.parent / target).exists()]
    assert not missing


def test_every_page_can_be_reached_from_the_readme():
    reached, waiting = set(), [REPOSITORY / "README.rst"]
    while waiting:
        path = waiting.pop()
        if path in reached or path.suffix != ".rst" or not path.exists():
            continue
        reached.add(path)
        waiting += [(path.parent / target).resolve() for target in local_targets(path) if target]
    assert sorted(set(PAGES) - reached) == []
