"""Certificates are renewed under our feet: whole, in halves, by links, and never without a word."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from authority import Authority
from twisted.internet.task import Clock
from twisted.logger import globalLogPublisher

from mailsys.net.certificate_watch import LOOK_SECONDS, REMARK_SECONDS, CertificateWatch
from mailsys.net.tls import HostTLS
from mailsys.threads import NoThreads
from mailsys.tls import faults
from mailsys.tls.certificate import read_certificates
from mailsys.tls.files import CertificateFiles

HOST = "mail.example.org"
KEPT = "The certificate in force stays; the files are read again when they change."


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


class House:
    """A watch over two certificates; ``said`` is what the log has."""

    def __init__(self, authority, folder):
        self.authority, self.folder = authority, folder
        self.paths = [self.issue("one", HOST), self.issue("two", "*.example.net")]
        self.tls = HostTLS(read_certificates([CertificateFiles(*paths) for paths in self.paths]))
        self.clock = Clock()
        self.days_later = 0
        self.watch = CertificateWatch(self.tls, NoThreads(), self.clock, self._now, HOST)
        self.said = []

    def _now(self):
        return datetime.now(UTC) + timedelta(days=self.days_later)

    def issue(self, name, *names, **options):
        return self.authority.issue(name, *names, folder=self.folder, **options)

    def hear(self, event):
        if event.get("log_namespace") == "mailsys":
            self.said.append(event["log_format"].format(**event))

    def look(self, times=1):
        """Let so many looks pass; returns what was said meanwhile."""
        begin = len(self.said)
        for _ in range(times):
            self.clock.advance(LOOK_SECONDS)
        return self.said[begin:]

    def serial(self, number=0):
        return self.tls.table.certificates[number].own.serial_number


@pytest.fixture
def house(authority, tmp_path):
    house = House(authority, tmp_path)
    globalLogPublisher.addObserver(house.hear)
    try:
        yield house
    finally:
        globalLogPublisher.removeObserver(house.hear)


@pytest.fixture
def watched(house):
    house.watch.start()
    house.look(2)
    house.said.clear()
    return house


def test_at_the_start_it_says_what_is_in_force(house):
    house.watch.start()
    assert [line[: line.index("; by")] for line in house.said] == [
        f"Certificate {house.paths[0][0]}: for mail.example.org",
        f"Certificate {house.paths[1][0]}: for *.example.net",
    ]
    assert house.look(10) == []


def test_a_renewed_one_is_used_and_the_other_stays(watched):
    before, other = watched.serial(0), watched.serial(1)
    watched.issue("one", HOST)
    assert watched.look(1) == []
    [line] = watched.look(1)
    assert line.startswith(f"Renewed: certificate {watched.paths[0][0]}: for mail.example.org; by")
    assert watched.serial(0) != before
    assert watched.serial(1) == other
    assert watched.look(5) == []


def test_files_that_are_still_being_written_are_let_alone(watched):
    before = watched.serial()
    pem, _key = watched.authority.make(HOST)
    for octets in range(100, 1000, 100):
        Path(watched.paths[0][0]).write_bytes(pem[:octets])
        assert watched.look(1) == []
    assert watched.serial() == before


@pytest.mark.parametrize("trouble", ["half a certificate", "the key has not come", "no file"])
def test_what_cannot_be_used_is_told_once_and_changes_nothing(watched, trouble):
    certificate, key = map(Path, watched.paths[0])
    before, pem, old_key = watched.serial(), certificate.read_bytes(), key.read_bytes()
    watched.issue("one", HOST)
    match trouble:
        case "half a certificate":
            certificate.write_bytes(certificate.read_bytes()[:200])
            wrong = f"The certificate {certificate} holds no certificate; "
        case "the key has not come":
            key.write_bytes(old_key)
            wrong = f"The key {key} does not belong to the certificate; "
        case "no file":
            key.unlink()
            wrong = f"The key {key} cannot be read (no such file or directory); "
    said = watched.look(20)
    assert len(said) == 1
    assert said[0].startswith(wrong)
    assert said[0].endswith(KEPT)
    assert watched.serial() == before
    watched.issue("one", HOST)
    [line] = watched.look(2)
    assert line.startswith("Renewed: ")
    certificate.write_bytes(pem)
    key.write_bytes(old_key)
    watched.look(2)
    assert watched.serial() == before


def test_one_that_is_broken_does_not_keep_the_other_from_being_renewed(watched):
    Path(watched.paths[0][1]).write_text("nothing")
    watched.issue("two", "*.example.net")
    said = watched.look(2)
    assert [line.split(" ")[0] for line in said] == ["The", "Renewed:"]


def test_links_that_are_moved_one_after_the_other(authority, house, tmp_path):
    """As certbot does it."""
    live, archive = tmp_path / "live", tmp_path / "archive"
    live.mkdir()
    archive.mkdir()
    for number in ("1", "2"):
        authority.issue(number, HOST, folder=archive)
    paths = [live / "fullchain.pem", live / "privkey.pem"]
    for path, suffix in zip(paths, ("pem", "key"), strict=True):
        path.symlink_to(archive / f"1.{suffix}")
    house.tls.renew(read_certificates([CertificateFiles(*map(str, paths))]))
    house.watch.start()
    house.look(2)
    before = house.serial()
    for path, suffix in zip(paths, ("pem", "key"), strict=True):
        path.unlink()
        assert not any("Renewed" in line for line in house.look(1))
        path.symlink_to(archive / f"2.{suffix}")
    [line] = house.look(2)
    assert line.startswith("Renewed: ")
    assert house.serial() != before


def test_after_root_was_given_up_the_log_says_what_the_user_needs(watched, monkeypatch):
    """What only root may read is told at once, not at the first renewal."""
    true_access, true_open = faults.os.access, open
    _certificate, key = watched.paths[0]

    def refuse(path, *arguments):
        if path == key:
            raise PermissionError(13, "Permission denied", path)
        return true_open(path, *arguments)

    monkeypatch.setattr("os.access", lambda path, mode: path != key and true_access(path, mode))
    monkeypatch.setattr("builtins.open", refuse)
    before = watched.serial()
    [line] = watched.look(20)
    assert line.startswith(f"The key {key} cannot be read by the user ")
    assert "(permission denied); let " in line
    assert line.endswith("a renewed certificate is used only after a restart.")
    assert watched.serial() == before


def test_what_will_end_soon_is_told_once_a_day(watched):
    watched.days_later = 80
    assert watched.look(5) == []
    said = watched.look(int(REMARK_SECONDS / LOOK_SECONDS))
    assert [line.partition(" expires in ")[2][:7] for line in said] == ["9 days ", "9 days "]
    assert watched.look(100) == []


def test_what_goes_wrong_in_a_look_does_not_end_the_looking(watched, monkeypatch):
    before = watched.serial()
    monkeypatch.setattr(watched.tls, "replace", None)
    watched.issue("one", HOST)
    said = watched.look(2)
    assert "could not be looked at" in said[-1]
    monkeypatch.undo()
    shutil.copy(watched.paths[0][0], f"{watched.paths[0][0]}.new")
    Path(f"{watched.paths[0][0]}.new").replace(watched.paths[0][0])
    watched.look(2)
    assert watched.serial() != before
