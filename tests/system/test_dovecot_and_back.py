"""Dovecot over the same Maildirs, and back: nobody's messages change their number, in neither direction."""

import os
import pwd

import pytest
from exchange import assert_one, deliver, mailbox, needs, run, unique_ids
from real_host import new_host

pytestmark = needs("doveadm")


@pytest.fixture
def own_host(open_folder):
    host = new_host(open_folder / "own")
    host.start()
    try:
        host.wait_until_ready()
        yield host
    finally:
        host.stop()


@pytest.fixture
def doveadm(own_host, open_folder):
    """Runs doveadm on the mailbox of a person.  It wants not to be root, so nobody is given the mail."""
    settings = open_folder / "doveadm.conf"

    def call(someone, *arguments):
        user, _, domain = someone.address.partition("@")
        settings.write_text(
            f"mail_location = maildir:{own_host.directory}/data/mail/{domain}/{user}\n"
            f"first_valid_uid = 0\nfirst_valid_gid = 0\nssl = no\nbase_dir = {open_folder}\n"
        )
        environment = os.environ | {"USER": user, "HOME": str(open_folder)}
        identity = give_away(own_host.directory / "data") if os.geteuid() == 0 else {}
        return run(
            "doveadm", "-c", settings, "-f", "flow", *arguments, env=environment, cwd=open_folder, **identity
        )  # fmt: skip

    return call


def give_away(folder):
    """Make all of it nobody's; return how to run a program as nobody."""
    nobody = pwd.getpwnam("nobody")
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def uids(host, someone):
    return [int(unique_id[:8], 16) for unique_id in unique_ids(host, someone)]


def dovecot_uids(doveadm, someone):
    lines = doveadm(someone, "fetch", "uid", "mailbox", "INBOX", "all").decode().splitlines()
    return [int(line.removeprefix("uid=")) for line in lines]


def test_dovecot_reads_what_we_delivered(own_host, doveadm, letter):
    someone = own_host.organisation.people[0]
    for _ in range(3):
        deliver(own_host, someone, letter)
    ours = uids(own_host, someone)
    assert dovecot_uids(doveadm, someone) == ours
    whole = doveadm(someone, "fetch", "text", "mailbox", "INBOX", "uid", str(ours[0]))
    assert_one([whole.removeprefix(b"text=").removesuffix(b"\n")], letter)


def test_what_dovecot_changed_is_seen_here(own_host, doveadm, letter):
    someone = own_host.organisation.people[0]
    for _ in range(3):
        deliver(own_host, someone, letter)
    before = uids(own_host, someone)
    saved = own_host.directory / "saved"
    saved.write_bytes(letter.replace(b"the end", b"saved by another program"))
    doveadm(someone, "save", "-m", "INBOX", str(saved))
    doveadm(someone, "flags", "add", r"\Seen", "mailbox", "INBOX", "uid", str(before[2]))
    doveadm(someone, "expunge", "mailbox", "INBOX", "uid", str(before[0]))
    after = uids(own_host, someone)
    assert after[:2] == before[1:]
    assert len(after) == 3
    assert after[2] > before[2]
    assert b"saved by another program" in mailbox(own_host, someone)[2]
    assert dovecot_uids(doveadm, someone) == after
