"""Certificates and keys as operators hand them over: in order, or with a mistake that is named."""

import os

import pytest
from authority import Authority, rsa_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from mailsys.tls.certificate import read_certificate, read_certificates
from mailsys.tls.faults import CertificateError
from mailsys.tls.files import CertificateFiles


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def one(authority):
    return authority.issue("one", "mail.example.org", "*.Example.net", "192.0.2.1")


def faults(certificate, key):
    with pytest.raises(CertificateError) as caught:
        read_certificate(CertificateFiles(str(certificate), str(key)))
    return [(fault.setting, fault.wrong) for fault in caught.value.faults]


def test_names_are_those_in_it(one):
    found = read_certificate(CertificateFiles(*one))
    assert found.names == ("mail.example.org", "*.example.net")
    assert found.addresses == ("192.0.2.1",)
    assert len(found.chain) == 2
    assert not found.is_self_signed


def test_the_common_name_says_nothing(authority):
    assert read_certificate(CertificateFiles(*authority.issue("nameless"))).names == ()


@pytest.mark.parametrize(
    ("trouble", "expected"),
    [
        ("no certificate", [("certificate", "cannot be read (no such file or directory)")]),
        ("no key", [("key", "cannot be read (no such file or directory)")]),
        ("neither", [("certificate", "cannot be read (no such file or directory)"),
                     ("key", "cannot be read (no such file or directory)")]),
        ("no PEM", [("certificate", "holds no certificate")]),
        ("half a certificate", [("certificate", "holds no certificate")]),
        ("garbage for a key", [("key", "holds no private key")]),
        ("a key of another", [("key", "does not belong to the certificate")]),
        ("a locked key", [("key", "is locked with a password")]),
    ],
)  # fmt: skip
def test_what_cannot_be_used(authority, one, tmp_path, trouble, expected):
    certificate, key = one
    made = tmp_path / "made.pem"
    match trouble:
        case "no certificate":
            certificate = made
        case "no key":
            key = made
        case "neither":
            certificate = key = made
        case "no PEM":
            certificate = made
            made.write_text("nothing of the kind")
        case "half a certificate":
            certificate = made
            made.write_bytes(authority.make("mail.example.org", alone=True)[0][:300])
        case "garbage for a key":
            key = made
            made.write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
        case "a key of another":
            _certificate, key = authority.issue("other", "mail.example.org")
        case "a locked key":
            key = made
            made.write_bytes(locked(key=one[1]))
    assert faults(certificate, key) == expected


def locked(key):
    with open(key, "rb") as file:
        private = load_pem_private_key(file.read(), None)
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))


def test_a_key_that_is_too_weak_is_refused_before_a_client_does(authority):
    [(setting, wrong)] = faults(*authority.issue("weak", "mail.example.org", key=rsa_key(1024)))
    assert setting == "certificate"
    assert wrong.startswith("is refused by OpenSSL (")
    assert "key too small" in wrong


def test_a_key_of_rsa_is_in_order(authority):
    read_certificate(CertificateFiles(*authority.issue("rsa", "mail.example.org", key=rsa_key(2048))))


def test_files_that_may_no_longer_be_read_keep_the_certificate(one, tmp_path, monkeypatch):
    """As after root was given up; here by a pretended refusal, since root may read everything."""
    files = CertificateFiles(*one)
    held = read_certificates([files])
    true = open

    def refuse(path, *arguments):
        if path == files.key:
            raise PermissionError(13, "Permission denied", path)
        return true(path, *arguments)

    monkeypatch.setattr("builtins.open", refuse)
    assert read_certificates([files], held) == held
    with pytest.raises(CertificateError) as caught:
        read_certificates([files])
    assert caught.value.is_denied
    assert "(permission denied); let " in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may enter every folder")
def test_the_folder_that_bars_the_way_is_named(one, tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir()
    key = closed / "key.pem"
    key.write_bytes(b"")
    closed.chmod(0)
    with pytest.raises(CertificateError, match=f"enter {closed}, and read the file"):
        read_certificate(CertificateFiles(one[0], str(key)))


def test_a_stamp_changes_with_either_file(authority, tmp_path):
    folders = [tmp_path / name for name in ("first", "second")]
    for folder in folders:
        folder.mkdir()
        authority.issue("c", "mail.example.org", folder=folder)
    live = tmp_path / "live"
    live.symlink_to(folders[0])
    files = CertificateFiles(str(live / "c.pem"), str(live / "c.key"))
    stamps = [files.stamp(), files.stamp()]
    assert stamps[0] == stamps[1]
    (tmp_path / "new").symlink_to(folders[1])
    (tmp_path / "new").rename(live)
    stamps.append(files.stamp())
    os.utime(folders[1] / "c.key", ns=(1, 1))
    stamps.append(files.stamp())
    (folders[1] / "c.pem").unlink()
    stamps.append(files.stamp())
    assert len(set(stamps)) == len(stamps) - 1
