"""``mailsys send`` as cron and other programs call it, with a server and without one."""

import os
import pwd
import socket
import subprocess
import sys
import threading
from email import message_from_bytes
from email.message import EmailMessage

import pytest
from exchange import SECONDS, mailbox
from far_host import bobs_mail, configure, story_with, until, way_to
from real_host import new_host

HELLO = b"Subject: hello\n\nhello\n"


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A host for all tests of this file that read only what they sent."""
    host = new_host(tmp_path_factory.mktemp("house") / "house")
    configure(host, auth='default_domain = "system.test"')
    host.start()
    try:
        host.wait_until_ready(("smtp", "pop3"))
        yield host
    finally:
        host.stop()


def send(host, *arguments, told=HELLO, program=("-m", "mailsys"), **options):
    command = [sys.executable, *program, "--config", str(host.config), "send", *arguments]
    done = subprocess.run(command, input=told, capture_output=True, timeout=SECONDS, check=False, **options)
    return done.returncode, done.stderr.decode()


def last_mail(host, number=0):
    return message_from_bytes(mailbox(host, host.organisation.people[number])[-1])


def test_as_cron_calls_it(house):
    text = b"From: root (Cron Daemon)\nTo: user0\nSubject: Cron <root@here> date\nX-Cron: <A=b>\n\nToday\n"
    said = send(house, "-FCronDaemon", "-i", "-B8BITMIME", "-oem", "user0", told=text)
    assert said == (0, "")
    mail = last_mail(house)
    assert mail["Subject"] == "Cron <root@here> date"
    assert mail["From"] == "root@system.test (Cron Daemon)"
    assert mail["Message-ID"].endswith("@system.test>")
    assert mail.get_payload() == "Today\r\n"


def test_a_message_of_pythons_email(house):
    written = EmailMessage()
    written["From"], written["To"], written["Bcc"] = (
        "ann@system.test",
        "user0@system.test",
        "user1@system.test",
    )
    written["Subject"] = "grüße"
    written.set_content("ein Gruß\n", cte="8bit")
    assert send(house, "-t", "-oi", told=bytes(written)) == (0, "")
    for number in (0, 1):
        mail = last_mail(house, number)
        assert mail.get_payload(decode=True).decode() == "ein Gruß\r\n"
        assert mail["Bcc"] is None


@pytest.mark.parametrize(("options", "body"), [((), "one\r\n"), (("-i",), "one\r\n.\r\ntwo\r\n")])
def test_a_dot_ends_the_message_unless_it_is_to_be_taken(house, options, body):
    assert send(house, *options, "user0", told=b"Subject: x\n\none\n.\ntwo\n") == (0, "")
    assert last_mail(house).get_payload() == body


def test_nobody_gets_it_when_one_is_refused(house):
    before = len(mailbox(house, house.organisation.people[1]))
    status, words = send(house, "user1", "nobody-here")
    assert status == os.EX_NOUSER
    assert words.startswith("mailsys send: the server said for <nobody-here@system.test>: 550 5.1.1 ")
    assert words.endswith("; nothing was sent.\n")
    assert len(mailbox(house, house.organisation.people[1])) == before


def test_to_another_host_only_for_whom_the_server_trusts(house):
    status, words = send(house, "bob@far.test")
    assert status == os.EX_NOPERM
    assert "receive.trusted_networks" in words


def test_to_another_host(own_host, far):
    configure(own_host, receive='trusted_networks = ["127.0.0.0/8"]', send=way_to(far))
    for host in (own_host, far):
        host.start()
    for host in (own_host, far):
        host.wait_until_ready(("smtp", "pop3"))
    assert send(own_host, "-f", "user0@system.test", "bob@far.test") == (0, "")
    (mail,) = until(lambda: bobs_mail(far))
    assert mail.startswith(b"Return-Path: <user0@system.test>\r\n")


@pytest.fixture
def sockets(open_folder):
    """A host with a local socket, and the way to another host."""
    host = new_host(open_folder / "own")
    with open(host.config, "a") as file:
        file.write(f'[[listen]]\nservice = "smtp"\nendpoint = "unix:{open_folder}/smtp"\ntls = "none"\n')
    host.config.chmod(0o644)
    try:
        yield host
    finally:
        host.stop()


def test_to_another_host_over_a_local_socket(sockets, far):
    """The server's own user may; the story names the user."""
    configure(sockets, send=way_to(far))
    for host in (sockets, far):
        host.start()
    for host in (sockets, far):
        host.wait_until_ready(("smtp", "pop3"))
    assert send(sockets, "-f", "user0@system.test", "bob@far.test") == (0, "")
    assert until(lambda: bobs_mail(far))
    story = until(lambda: story_with(sockets, "bob@far.test", "Sent to"))
    assert f"a local socket of {pwd.getpwuid(os.getuid()).pw_name}" in story


def test_users_whom_nobody_trusts_write_to_us_alone(sockets, nobody):
    sockets.start()
    sockets.wait_until_ready(("smtp", "pop3"))
    options = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": [], "cwd": "/"}
    status, words = send(sockets, "bob@far.test", **options)
    assert (status, "receive.trusted_users" in words) == (os.EX_NOPERM, True), words
    assert send(sockets, "user0@system.test", **options) == (0, "")
    assert last_mail(sockets)["From"].startswith("nobody <nobody@")


def test_without_its_local_socket_the_server_is_asked_over_tcp(sockets, open_folder):
    sockets.start()
    sockets.wait_until_ready(("smtp", "pop3"))
    (open_folder / "smtp").unlink()
    assert send(sockets, "user0@system.test") == (0, "")


def test_without_a_server_it_is_to_be_tried_again(own_host):
    status, words = send(own_host, "user0")
    assert status == os.EX_TEMPFAIL
    assert "does not answer at 127." in words
    assert words.endswith("(Connection refused); nothing was sent.\n")


def test_a_server_that_hangs_up_has_taken_nothing(own_host):
    where = own_host.organisation
    with socket.create_server((where.address, where.port("smtp"))) as listener:
        thread = threading.Thread(target=lambda: listener.accept()[0].close())
        thread.start()
        status, words = send(own_host, "user0")
        thread.join(SECONDS)
    assert (status, "hung up" in words or "reset" in words) == (os.EX_TEMPFAIL, True)


def test_a_wrong_configuration_has_its_status(own_host):
    own_host.config.write_text("nonsense = 1\n")
    assert send(own_host, "user0")[0] == os.EX_CONFIG


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_anybody_of_this_machine_may(house):
    """Whoever it is needs to read the configuration, and nothing of the data folder."""
    where = house.organisation
    place = f"tcp:{where.port('smtp')}:interface={where.address}"
    shown = f"/tmp/mailsys-send-{os.getpid()}.toml"
    with open(shown, "x") as file:
        file.write(f'hostname = "system.test"\n[[listen]]\nservice = "smtp"\nendpoint = "{place}"\n')
    # Its Python may not be readable for others, so all is imported before.
    become = (
        "import os, sys, pwd, shlex, encodings.idna, mailsys.control.send, mailsys.control.handing_in\n"
        "from mailsys.control.command import main\n"
        f"main(['--config', {shown!r}, 'config', 'check']); sys.stdout.flush()\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        f"sys.exit(main(['--config', {shown!r}, 'send', 'user0']))"
    )
    try:
        done = subprocess.run(
            [sys.executable, "-c", become], input=HELLO, capture_output=True, timeout=SECONDS, check=False
        )
    finally:
        os.unlink(shown)
    assert (done.returncode, done.stderr) == (0, b"")
    assert "nobody@system.test" in last_mail(house)["From"]


def test_in_place_of_sendmail(house, repository, tmp_path):
    """The script for /usr/sbin/sendmail, found by its name, with the configuration from the environment."""
    (tmp_path / "mailsys").write_text(f'#!/bin/sh\nexec {sys.executable} -m mailsys "$@"\n')
    (tmp_path / "mailsys").chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}:/usr/bin:/bin", "MAILSYS_CONFIG": str(house.config)}
    command = [repository / "etc" / "sendmail", "-oi", "-oem", "--", "user0"]
    done = subprocess.run(command, input=b"in its place\n", env=environment, timeout=SECONDS, check=True)
    assert done.returncode == 0
    assert last_mail(house).get_payload() == "in its place\r\n"
