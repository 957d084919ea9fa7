"""Mail servers that we did not write, each run from a folder of its own on a free port of loopback.

Each class starts its program, tells its ``port``, and gives the messages that arrived as octets, without
what the program put in front of them.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from mailsys.lab.host import Host
from mailsys.lab.organisation import Organisation, Person
from mailsys.lab.ports import choose_port_base

SECONDS = 20
MAILBOX_USER = 65534  # nobody
DOMAIN = "example.test"


def program(*names, folder="/usr/sbin"):
    """The path of the first that is installed, in ``folder`` if not on PATH, or skip."""
    for name in names:
        if found := shutil.which(name, path=f"{os.environ['PATH']}:{folder}"):
            return found
    pytest.skip(f"{names[0]} is not installed")


def needs_root(user=None):
    """Skip where it is not possible to become another user."""
    if os.getuid() != 0:
        pytest.skip("only root can start it")
    try:
        return pwd.getpwnam(user) if user else None
    except KeyError:
        pytest.skip(f"there is no user {user}")


class Program:
    """One server in ``folder``; ``stop`` ends it and removes the folder."""

    seconds = SECONDS
    address = "127.0.0.1"

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="mailsys-peer-"))
        self.folder.chmod(0o755)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.mail = self.folder / "mail"
        self.mail.mkdir()
        self._log = open(self.folder / "log", "wb")  # noqa: SIM115 - as long as the program runs
        try:
            self._process = subprocess.Popen(
                self.prepare(), stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log, cwd=self.folder,
                start_new_session=True,
            )  # fmt: skip
        except BaseException:
            self._log.close()
            shutil.rmtree(self.folder)
            raise
        self._wait()

    def prepare(self):
        """Write the configuration; return the command, which stays in the foreground."""
        raise NotImplementedError

    def _wait(self):
        until = time.monotonic() + self.seconds
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                if self._process.poll() is not None or time.monotonic() > until:
                    said = (self.folder / "log").read_text()
                    self.stop()
                    raise AssertionError(f"{type(self).__name__} does not start: {said}") from None
                time.sleep(0.05)

    def stop(self):
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait(SECONDS)
        self._log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def files(self):
        """What lies in Maildirs below ``mail``."""
        return [
            path for path in self.mail.rglob("*") if path.parent.name in ("new", "cur") and path.is_file()
        ]

    def arrived(self, count):
        """So many messages, once they are there."""
        until = time.monotonic() + self.seconds
        while len(files := self.files()) < count and time.monotonic() < until:
            time.sleep(0.05)
        assert len(files) == count, (self.folder / "log").read_text()
        return sorted(path.read_bytes() for path in files)

    def _write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o644)
        return str(path)


class Sink(Program):
    """Debian's smtp-sink, which takes everything; the options choose what it offers."""

    def __init__(self, *options):
        self._options = options
        super().__init__()

    def prepare(self):
        user = ["-u", pwd.getpwuid(MAILBOX_USER).pw_name] if os.getuid() == 0 else []
        self.mail.chmod(0o777)
        dump = str(self.mail / "new" / "%M.")
        (self.mail / "new").mkdir()
        (self.mail / "new").chmod(0o777)
        return [program("smtp-sink"), *user, *self._options, "-d", dump, f"127.0.0.1:{self.port}", "20"]


class Postfix(Program):
    """A whole Postfix that delivers into Maildirs, or takes all to the host ``onward``: address and port."""

    def __init__(self, onward=None):
        self._onward = onward
        super().__init__()

    def _way(self):
        if self._onward is None:
            return f"""
smtpd_relay_restrictions = reject_unauth_destination
virtual_mailbox_domains = {DOMAIN}
"""
        address, port = self._onward
        return f"""
smtpd_relay_restrictions = permit_mynetworks, reject
relayhost = [{address}]:{port}
"""

    def prepare(self):
        master = program("master", folder="/usr/lib/postfix/sbin")
        needs_root("postfix")
        for name in ("queue", "data"):
            (self.folder / name).mkdir()
        shutil.chown(self.folder / "data", "postfix")
        os.chown(self.mail, MAILBOX_USER, MAILBOX_USER)
        self._write(
            "main.cf",
            f"""
compatibility_level = 3.6
queue_directory = {self.folder}/queue
data_directory = {self.folder}/data
daemon_directory = {os.path.dirname(master)}
command_directory = /usr/sbin
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = postfix.test
mydestination =
mynetworks = 127.0.0.0/8
smtpd_peername_lookup = no
{self._way()}
virtual_mailbox_base = {self.mail}
virtual_mailbox_maps = inline:{{ {{ bob@{DOMAIN} = bob/ }} {{ carl@{DOMAIN} = carl/ }} }}
virtual_uid_maps = static:{MAILBOX_USER}
virtual_gid_maps = static:{MAILBOX_USER}
virtual_minimum_uid = 100
virtual_alias_maps =
alias_maps =
alias_database =
local_recipient_maps =
smtpd_tls_security_level = none
maillog_file_prefixes = {self.folder}
maillog_file = {self.folder}/mail.log
""",
        )
        services = []
        for line in Path("/usr/share/postfix/master.cf.dist").read_text().splitlines():
            words = line.split()
            if not words or line[0] in "# " or words[0] in ("maildrop", "uucp", "ifmail", "bsmtp"):
                continue
            if words[:2] == ["smtp", "inet"]:
                words[0] = f"127.0.0.1:{self.port}"
            elif words[1] == "inet":
                continue
            words[4] = "n"  # no chroot
            services.append(" ".join(words))
        self._write("master.cf", "\n".join(services) + "\n")
        environment = {**os.environ, "MAIL_CONFIG": str(self.folder)}
        subprocess.run(
            ["postfix", "-c", str(self.folder), "check"],
            env=environment,
            timeout=SECONDS,
            capture_output=True,
        )
        return [master, "-c", str(self.folder), "-d"]


class Exim(Program):
    """Exim that delivers into Maildirs, by its own means without a queue runner, or takes all ``onward``."""

    def __init__(self, onward=None):
        self._onward = onward
        super().__init__()

    def _way(self):
        if self._onward is None:
            return """driver = accept
  domains = +local_domains
  transport = maildir"""
        address, port = self._onward
        return f"""driver = manualroute
  route_list = * {address}::{port}
  self = send
  transport = onward"""

    def prepare(self):
        exim = program("exim4", "exim")
        user = needs_root("Debian-exim")
        for name in ("spool", "logs"):
            (self.folder / name).mkdir()
            os.chown(self.folder / name, user.pw_uid, user.pw_gid)
        os.chown(self.mail, user.pw_uid, user.pw_gid)
        path = self._write(
            "exim.conf",
            f"""
exim_path = {exim}
spool_directory = {self.folder}/spool
log_file_path = {self.folder}/logs/%slog
primary_hostname = exim.test
domainlist local_domains = {DOMAIN}
daemon_smtp_ports = {self.port}
local_interfaces = 127.0.0.1
acl_smtp_rcpt = check_rcpt
acl_smtp_data = accept
host_lookup =
rfc1413_query_timeout = 0s
never_users =
tls_advertise_hosts =
smtputf8_advertise_hosts =
begin acl
check_rcpt:
  accept domains = +local_domains
         local_parts = {"*" if self._onward else "bob : carl"}
  deny message = unknown
begin routers
local:
  {self._way()}
begin transports
onward:
  driver = smtp
  hosts_try_dane =
maildir:
  driver = appendfile
  directory = {self.mail}/${{local_part_data}}
  maildir_format
  create_directory
  delivery_date_add = false
  return_path_add = false
  envelope_to_add = false
  mode = 0600
  user = Debian-exim
begin retry
* * F,2h,1m
""".replace("${local_part_data}", "box"),
        )
        return [exim, "-C", path, "-bdf", "-odi"]


class OpenSmtpd(Program):
    """OpenSMTPD that delivers into Maildirs, or takes all ``onward``."""

    def __init__(self, onward=None):
        self._onward = onward
        super().__init__()

    def _way(self):
        if self._onward is None:
            return f'maildir "{self.mail}/%{{rcpt.user}}" virtual <users>'
        address, port = self._onward
        return f'relay host "smtp://{address}:{port}"'

    def prepare(self):
        smtpd = program("smtpd")
        needs_root("opensmtpd")
        if not os.path.isdir("/usr/libexec/opensmtpd"):
            pytest.skip("OpenSMTPD's own programs are not where it looks for them")
        with socket.socket(socket.AF_UNIX) as control:
            if control.connect_ex("/var/run/smtpd.sock") == 0:
                pytest.skip("another OpenSMTPD runs here, and both would use one spool")
        os.makedirs("/var/spool/smtpd", exist_ok=True)
        os.chmod("/var/spool/smtpd", 0o711)  # noqa: S103 - as it demands
        os.makedirs("/var/lib/opensmtpd/empty", exist_ok=True)
        users = self._write("users", f"@{DOMAIN} nobody\n")
        os.chown(self.mail, MAILBOX_USER, MAILBOX_USER)
        path = self._write(
            "smtpd.conf",
            f"""
table users file:{users}
listen on 127.0.0.1 port {self.port} hostname opensmtpd.test
action "this" {self._way()}
match from any for domain "{DOMAIN}" action "this"
""",
        )
        return [smtpd, "-d", "-f", path]


class Ourselves:
    """mailsys, over SMTP or LMTP."""

    def __init__(self, service):
        self.folder = Path(tempfile.mkdtemp(prefix="mailsys-peer-"))
        address = f"127.21.{os.getpid() >> 8 & 255}.{os.getpid() & 255}"
        people = tuple(Person(f"{name}@{DOMAIN}", f"secret of {name}") for name in ("bob", "carl"))
        organisation = Organisation("peer", DOMAIN, people, address, choose_port_base([address], None))
        self.address = address
        self.port = organisation.port(service)
        self._host = Host(organisation, self.folder / "host")
        self._host.make()
        self._host.start()
        self._host.wait_until_ready((service,))

    def files(self):
        mail = self.folder / "host" / "data" / "mail"
        return [path for path in mail.rglob("*") if path.parent.name == "new" and path.is_file()]

    def arrived(self, count, seconds=0):
        until = time.monotonic() + seconds
        while len(files := self.files()) < count and time.monotonic() < until:
            time.sleep(0.05)
        assert len(files) == count
        return sorted(path.read_bytes() for path in files)

    def stop(self):
        self._host.stop()
        shutil.rmtree(self.folder)


class DovecotLmtp(Program):
    """Dovecot's LMTP server over Maildirs."""

    def prepare(self):
        dovecot = program("dovecot")
        needs_root("dovecot")
        for name in ("run", "home"):
            (self.folder / name).mkdir()
        for folder in (self.folder / "home", self.mail):
            os.chown(folder, MAILBOX_USER, MAILBOX_USER)
        return [
            dovecot, "-F", "-c",
            self._write(
                "dovecot.conf",
                f"""
base_dir = {self.folder}/run
state_dir = {self.folder}/run
protocols = lmtp
listen = 127.0.0.1
ssl = no
log_path = {self.folder}/dovecot.log
mail_location = maildir:{self.mail}/%n
mail_uid = {MAILBOX_USER}
mail_gid = {MAILBOX_USER}
first_valid_uid = 100
first_valid_gid = 100
passdb {{
  driver = static
  args = password=secret
}}
userdb {{
  driver = static
  args = uid={MAILBOX_USER} gid={MAILBOX_USER} home={self.folder}/home/%n allow_all_users=yes
}}
service lmtp {{
  inet_listener lmtp {{
    port = {self.port}
  }}
}}
""",
            ),
        ]  # fmt: skip
