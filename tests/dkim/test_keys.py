"""The keys on the disk: from next over active to retired, and nobody else may read them."""

import json
import os

import pytest
from dkim_parts import NOW, result_of

from mailsys.dkim import keys
from mailsys.dkim.key_file import BadKeyFile, KeyFiles, State
from mailsys.dkim.key_record import parse_key_record
from mailsys.dkim.keyring import Keyring
from mailsys.threads import NoThreads

DAY = 86_400.0


@pytest.fixture
def files(tmp_path):
    return KeyFiles(str(tmp_path))


def states(files):
    return [(key.selector, key.state.value) for key in files.read("example.org")]


def test_the_life_of_keys(files):
    assert files.domains() == []
    assert keys.first_keys(files, "example.org", NOW)
    assert not keys.first_keys(files, "example.org", NOW)
    assert files.domains() == ["example.org"]
    assert states(files) == [("m20270115-rsa", "active"), ("m20270115-ed25519", "active")]
    assert not keys.use_next(files, "example.org", NOW)
    assert keys.prepare_next(files, "example.org", NOW)
    assert not keys.prepare_next(files, "example.org", NOW)
    assert states(files)[2:] == [("m20270115-2-rsa", "next"), ("m20270115-2-ed25519", "next")]
    assert keys.use_next(files, "example.org", NOW + DAY)
    assert [state for _, state in states(files)] == ["retired", "retired", "active", "active"]
    assert keys.forget_retired(files, "example.org", NOW + 30 * DAY) == ()
    gone = keys.forget_retired(files, "example.org", NOW + 32 * DAY)
    assert [key.name for key in gone] == [
        "m20270115-rsa._domainkey.example.org",
        "m20270115-ed25519._domainkey.example.org",
    ]
    assert len(states(files)) == 2
    keys.forget_domain(files, "example.org")
    keys.forget_domain(files, "example.org")
    assert files.domains() == []


def test_records_and_keys_belong_together(files):
    keys.first_keys(files, "example.org", NOW)
    for stored in files.read("example.org"):
        signing = stored.signing_key()
        record = parse_key_record(stored.record.encode(), signing.algorithm.partition("-")[0])
        assert record.verifies(signing.sign(bytes(32)), bytes(32))
        assert (signing.domain, signing.selector) == ("example.org", stored.selector)
    assert files.read("example.org")[0].signing_key().key.key_size == 2048


def test_only_the_owner_may_read(files):
    keys.first_keys(files, "example.org", NOW)
    for name in os.listdir(files.folder):
        assert os.stat(os.path.join(files.folder, name)).st_mode & 0o777 == 0o600
    assert os.stat(files.folder).st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_root_makes_them_for_who_owns_the_data(files, tmp_path):
    os.chown(tmp_path, 65534, 65534)
    keys.first_keys(files, "example.org", NOW)
    for path in (files.folder, *(os.path.join(files.folder, name) for name in os.listdir(files.folder))):
        assert os.stat(path).st_uid == 65534, path


def test_what_a_killed_writer_left_is_in_nobodys_way(files):
    keys.first_keys(files, "example.org", NOW)
    path = os.path.join(files.folder, "example.org.json")
    with open(f"{path}.new", "w") as file:
        file.write("half")
    keys.prepare_next(files, "example.org", NOW)
    assert len(files.read("example.org")) == 4
    assert not os.path.exists(f"{path}.new")


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"version": 2, "keys": []}', '{"version": 1, "keys": [{}]}']
)
def test_a_damaged_file_is_named(files, text):
    keys.first_keys(files, "example.org", NOW)
    path = os.path.join(files.folder, "example.org.json")
    with open(path, "w") as file:
        file.write(text)
    with pytest.raises(BadKeyFile, match=r"example\.org\.json is damaged"):
        files.read("example.org")


def test_the_ring_takes_over_what_changes_and_keeps_what_it_has(files):
    ring = Keyring(files, NoThreads())
    result_of(ring.refresh())
    assert ring.active("example.org") == ()
    keys.first_keys(files, "example.org", NOW)
    result_of(ring.refresh())
    first = ring.active("example.org")
    assert [key.algorithm for key in first] == ["rsa-sha256", "ed25519-sha256"]
    result_of(ring.refresh())
    assert ring.active("example.org") is first  # nothing was read again
    keys.prepare_next(files, "example.org", NOW)
    keys.use_next(files, "example.org", NOW)
    result_of(ring.refresh())
    assert ring.active("example.org")[0].selector == "m20270115-2-rsa"
    in_use = ring.active("example.org")
    path = os.path.join(files.folder, "example.org.json")
    with open(path) as file:
        whole = json.load(file)
    for row in whole["keys"]:
        row["private"] = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
    with open(path, "w") as file:
        json.dump(whole, file)
    result_of(ring.refresh())
    assert ring.active("example.org") == in_use
    os.unlink(path)
    result_of(ring.refresh())
    assert ring.active("example.org") == ()


def test_keys_of_one_state(files):
    keys.first_keys(files, "example.org", NOW)
    assert len(keys.in_state(files.read("example.org"), State.ACTIVE)) == 2
    assert keys.in_state(files.read("example.org"), State.NEXT) == ()
