"""What an operator is told of certificates that work, and of those that will not for long."""

import datetime

import pytest
from authority import DAY, NOW, Authority

from mailsys.control.self_signed import write_self_signed
from mailsys.tls.certificate import read_certificate
from mailsys.tls.files import CertificateFiles
from mailsys.tls.remarks import describe, remarks
from mailsys.tls.table import CertificateTable

HOST = "mail.example.org"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def told(authority):
    """What is said of a certificate with these qualities."""

    def told(*names, now=NOW, **options):
        files = CertificateFiles(*authority.issue("this", *(names or (HOST,)), **options))
        return [
            remark.removeprefix(f"The certificate {files.certificate} ")
            for remark in remarks(CertificateTable([read_certificate(files)]), HOST, now)
        ]

    return told


def test_in_a_line(authority, tmp_path):
    files = CertificateFiles(*authority.issue("some", HOST, "*.example.net", "192.0.2.1", days=45))
    until = (NOW + 45 * DAY).strftime("%Y-%m-%d")
    line = f"for mail.example.org, *.example.net, 192.0.2.1; by Test Authority Test Issuer; until {until}"
    assert describe(read_certificate(files)) == f"{files.certificate}: {line}"
    write_self_signed(str(tmp_path), [HOST], datetime.datetime.now(datetime.UTC))
    own = CertificateFiles(str(tmp_path / "cert.pem"), str(tmp_path / "key.pem"))
    assert "; by itself; " in describe(read_certificate(own))
    many = authority.issue("many", *(f"mail.example{number}.org" for number in range(20)))
    assert "mail.example5.org, 14 more; by" in describe(read_certificate(CertificateFiles(*many)))


def test_nothing_to_say(told):
    assert told() == []
    assert told("*.example.org") == []


@pytest.mark.parametrize(
    ("days", "age", "said"),
    [
        (15, 75, None),
        (13.5, 76, "expires in 13 days ("),
        (1.5, 88, "expires in a day ("),
        (0.5, 89, "expires in less than a day ("),
        (-1, 91, "has expired ("),
        (90, -1, "is valid only from "),
        (4, 2, None),  # one that lives for six days is renewed after four
        (1.9, 4.1, "expires in a day ("),
    ],
)
def test_time(told, days, age, said):
    remarks = told(days=days, age=age)
    assert [remark[: len(said or "")] for remark in remarks] == ([said] if said else [])


def test_a_chain_that_is_not_one(authority, told):
    [remark] = told(alone=True)
    assert "name the file with the full chain" in remark
    certificate, key = authority.issue("turned", HOST)
    with open(certificate) as file:
        ours, end, issuers = file.read().partition("-----END CERTIFICATE-----\n")
    with open(certificate, "w") as file:
        file.write(ours + end + ours + end + issuers)
    found = CertificateTable([read_certificate(CertificateFiles(certificate, key))])
    [remark] = remarks(found, HOST, NOW)
    assert "in the wrong order" in remark


def test_a_certificate_for_somebody_else(told):
    [remark] = told("www.example.org")
    assert remark.startswith("No certificate is for mail.example.org, which is this host's name")


def test_a_certificate_without_names(authority):
    found = CertificateTable([read_certificate(CertificateFiles(*authority.issue("nameless")))])
    said = list(remarks(found, HOST, NOW))
    assert len(said) == 2
    assert "is for no host name" in said[1]
