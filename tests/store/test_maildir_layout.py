"""Paths from addresses and folder names: safe, reversible, and the same as other programs use."""

import os
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsys.message.address import Address
from mailsys.store.maildir.folders import (
    FolderNameError,
    folder_directories,
    folder_directory,
)
from mailsys.store.maildir.layout import Layout, path_element

BAD_TEXTS = [
    "../x",
    "/etc/passwd",
    "a/../b",
    "a\0b",
    ".",
    "..",
    "",
    "-rf",
    "~root",
    ".hidden",
    "é" * 32,
    "%2e%2e",
]


@pytest.mark.parametrize(
    ("text", "element"),
    [
        ("user1", "user1"),
        ("ann.bee+tag=x_y-z", "ann.bee+tag=x_y-z"),
        ("../x", "%2E.%2Fx"),
        ("a\0b", "a%00b"),
        ("~ann", "%7Eann"),
        ("josé", "jos%C3%A9"),
        ("50%", "50%25"),
        ("", "%"),
    ],
)
def test_plain_names_stay_and_others_are_escaped(text, element):
    assert path_element(text) == element


@pytest.mark.row(49)
@given(st.one_of(st.text(st.characters(exclude_categories=["Cs"]), max_size=64), st.sampled_from(BAD_TEXTS)))
def test_any_text_is_one_element_and_can_be_read_back(text):
    """Row 49, paths: whatever an address holds, it is one element of the path and no other's."""
    element = path_element(text)
    assert ("" if element == "%" else unquote(element)) == text
    assert element.isascii()
    assert element.isprintable()
    assert "/" not in element
    assert not element.startswith((".", "~"))
    assert element not in ("", ".", "..")


@pytest.mark.row(49)
@pytest.mark.parametrize("text", BAD_TEXTS)
def test_no_account_lies_outside_the_base(tmp_path, text):
    """Row 49, paths: a hostile user or domain stays two levels below the folder of all mail."""
    layout = Layout("{data}/mail/{domain}/{user}", str(tmp_path))
    path = os.path.realpath(layout.root(Address(text, text)))
    assert os.path.dirname(os.path.dirname(path)) == os.path.realpath(tmp_path / "mail")


def test_the_longest_local_part_fits_a_file_name():
    assert len(path_element("\U0010ffff" * 16)) <= 255


@pytest.mark.parametrize(
    ("template", "base", "root"),
    [
        ("{data}/mail/{domain}/{user}", "/d/mail", "/d/mail/example.org/ann"),
        ("{data}/mail/{user}", "/d/mail", "/d/mail/ann"),
        ("/home/{user}/.maildir", "/home", "/home/ann/.maildir"),
        ("/mail/{user}@{domain}", "/mail", "/mail/ann@example.org"),
        ("/{user}", "/", "/ann"),
    ],
)
def test_templates(template, base, root):
    layout = Layout(template, "/d")
    address = Address("ann", "example.org")
    assert layout.base == base
    assert layout.root(address) == root
    assert layout.elements(root)[-1] == root
    assert all(os.path.dirname(path) == base for path in layout.elements(root)[:1])


@pytest.mark.parametrize(
    ("name", "directory"),
    [
        ("INBOX", ""),
        ("inbox", ""),
        ("Work", ".Work"),
        ("Work/Plans", ".Work.Plans"),
        ("Sub/Deep ä", ".Sub.Deep &AOQ-"),
        ("R&D", ".R&-D"),
        ("台北", ".&U,BTFw-"),
    ],
)
def test_folder_directories_are_those_of_maildir_plus_plus(name, directory):
    assert folder_directory(name) == directory


@pytest.mark.row(49)
@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "/etc/passwd",
        "a/../b",
        "a//b",
        "a\0b",
        "a\nb",
        ".",
        "..",
        "",
        "a/",
        "/",
        "x" * 10_000,
        "/".join("x" * 1000),
        "e\N{COMBINING ACUTE ACCENT}",
        "~user",
        "space ",
        " space",
        "dot.",
        "\udc80",
        "\x85",
    ],
)
def test_folder_names_that_the_disk_cannot_hold_are_refused(name):
    """Row 49, folder names: no path outside the account, no name that two programs read differently."""
    with pytest.raises(FolderNameError):
        folder_directory(name)


def test_folders_of_a_maildir(tmp_path):
    for name in (".Work", ".Work.Plans", "cur", "other"):
        (tmp_path / name).mkdir()
    (tmp_path / ".file").touch()
    (tmp_path / ".Link").symlink_to(tmp_path / ".Work")
    found = folder_directories(str(tmp_path))
    assert found == [str(tmp_path), str(tmp_path / ".Work"), str(tmp_path / ".Work.Plans")]
