"""Which certificate a client gets, whatever it writes into its hello."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsys.tls.table import CertificateTable


def holding(*names):
    return SimpleNamespace(names=names)


DEFAULT = holding("mail.example.org")
NET = holding("mail.example.net", "*.example.net", "pop.example.org")
WIDE = holding("*.example.org", "mail.example.org", "*", "f*.example.com", "")
TABLE = CertificateTable([DEFAULT, NET, WIDE])


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        (None, DEFAULT),
        (b"", DEFAULT),
        (b"mail.example.org", DEFAULT),  # the first of those that have the name
        (b"MAIL.Example.NET", NET),
        (b"mail.example.net.", NET),
        (b"smtp.example.net", NET),
        (b"a.b.example.net", DEFAULT),  # a wildcard is one label
        (b".example.net", NET),
        (b"example.net", DEFAULT),
        (b"pop.example.org", NET),  # the name itself before a wildcard
        (b"imap.example.org", WIDE),
        (b"foo.example.com", DEFAULT),  # a wildcard is a whole label
        (b"localhost", DEFAULT),  # and not all there is
        (b"unknown.example", DEFAULT),
        (b"192.0.2.1", DEFAULT),
        (b"mail.example.net\0.evil.example", DEFAULT),
        (b"m\xe4il.example.net", NET),  # under the wildcard, and as good as any
        (b"x" * 300 + b".example.net", DEFAULT),
        (b"%{password}.example.org", WIDE),
        (b"../../etc/passwd", DEFAULT),
    ],
)
def test_by_name(asked, given):
    assert TABLE.choose(asked) is given


@given(st.binary(max_size=600))
def test_any_octets_choose_one_of_them(asked):
    assert TABLE.choose(asked) in TABLE.certificates


def test_a_host_without_its_name():
    assert CertificateTable([NET]).find("mail.example.org") is None
    assert TABLE.find("imap.example.org") is WIDE
