"""Mail programs that no one here wrote, over IMAP.  Those not installed are skipped, and named."""

import imaplib
import os
from pathlib import Path

import pytest
from exchange import SECONDS, as_text, deliver, needs, run, trusting

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def full(host, someone, letter):
    """Somebody with a letter."""
    deliver(host, someone, letter)
    return someone


def client_of(host, someone):
    where = host.organisation
    client = imaplib.IMAP4(where.address, where.port("imap"), timeout=SECONDS)
    client.starttls(ssl_context=trusting(host))
    client.login(someone.address, someone.password)
    return client


def flags_by_subject(host, someone, folder):
    """What is in a folder: the flags of each message, by its subject."""
    with client_of(host, someone) as client:
        status, [count] = client.select(folder, readonly=True)
        if status != "OK" or count == b"0":
            return {}
        _ok, parts = client.fetch("1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
    return {
        part[1].decode().partition(":")[2].strip(): {
            flag.decode() for flag in imaplib.ParseFlags(part[0]) if flag != rb"\Recent"
        }
        for part in parts
        if isinstance(part, tuple)
    }


def url(host, someone, scheme, path):
    return f"{scheme}://{host.organisation.address}:{host.organisation.port(scheme)}/{path}"


@needs("curl")
@pytest.mark.parametrize("way", ["imap", "starttls", "imaps"])
def test_curl(host, full, letter, tmp_path, way):
    scheme = "imaps" if way == "imaps" else "imap"
    options = ("--ssl-reqd",) if way == "starttls" else ()
    base = "curl", "-sS", "--max-time", "30", *options, "--cacert", host.certificate
    login = "--user", f"{full.address}:{full.password}"
    assert run(*base, *login, url(host, full, scheme, "INBOX;MAILINDEX=1")).endswith(letter)
    new = tmp_path / "new"
    new.write_bytes(b"Subject: put there\r\n\r\nby curl\r\n")
    run(*base, *login, "--upload-file", new, url(host, full, scheme, "Drafts"))
    assert b"Drafts" in run(*base, *login, url(host, full, scheme, ""))
    found = run(*base, *login, "--request", "SEARCH SUBJECT there", url(host, full, scheme, "Drafts"))
    assert found.strip() == b"* SEARCH 1"


@needs("fetchmail")
@pytest.mark.parametrize("way", ["imap", "imaps"])
def test_fetchmail(host, full, letter, tmp_path, way):
    where = host.organisation
    tls = {"imap": "sslproto 'tls1.2+'", "imaps": "ssl"}[way]
    settings = tmp_path / "fetchmailrc"
    settings.write_text(
        f"set invisible\npoll {where.address} protocol IMAP port {where.port(way)}\n"
        f"user '{full.address}' password '{full.password}' {tls} sslcertck sslcertfile '{host.certificate}' "
        f"sslcommonname '{where.hostname}' no rewrite fetchall no keep mda '/bin/cat >> {tmp_path}/fetched'\n"
    )
    settings.chmod(0o600)
    run("fetchmail", "--fetchmailrc", settings, env=os.environ | {"HOME": str(tmp_path)})
    assert (tmp_path / "fetched").read_bytes().endswith(as_text(letter))
    assert flags_by_subject(host, full, "INBOX") == {}


@needs("getmail")
def test_getmail(host, full, letter, tmp_path):
    where = host.organisation
    (tmp_path / "getmailrc").write_text(
        f"[retriever]\ntype = SimpleIMAPSSLRetriever\nca_certs = {host.certificate}\n"
        f"server = {where.address}\nport = {where.port('imaps')}\n"
        f"username = {full.address}\npassword = {full.password}\nmailboxes = ('INBOX',)\n"
        "[destination]\ntype = MDA_external\nallow_root_commands = true\n"
        f"path = /usr/bin/tee\narguments = ('{tmp_path}/fetched',)\nignore_stderr = true\n"
        "[options]\ndelete = true\ndelivered_to = false\nreceived = false\n"
    )
    run("getmail", "--getmaildir", tmp_path, "--rcfile", "getmailrc", "--quiet")
    fetched = (tmp_path / "fetched").read_bytes().replace(b"X-getmail-retrieved-from-mailbox: INBOX\n", b"")
    assert fetched.endswith(as_text(letter))
    assert flags_by_subject(host, full, "INBOX") == {}


@needs("mutt")
def test_mutt_moves_and_deletes(host, full, tmp_path):
    """It turns on what it sees: UTF8=ACCEPT, CONDSTORE, QRESYNC and compression."""
    where = host.organisation
    (tmp_path / "muttrc").write_text(
        f"set ssl_force_tls=yes certificate_file={host.certificate} ssl_verify_host=no\n"
        f"set imap_user={full.address} imap_pass='{full.password}' imap_condstore=yes imap_qresync=yes\n"
        "set imap_deflate=yes delete=yes move=no confirmappend=no confirmcreate=no wait_key=no sort=threads\n"
        f"set header_cache={tmp_path}/cache message_cachedir={tmp_path}/messages quit=yes\n"
        f"push '<save-message>=Archive<enter><sync-mailbox><quit>'\n"
        f"set folder=imap://{where.address}:{where.port('imap')}/\n"
    )
    run_on_terminal(tmp_path, "mutt", "-n", "-F", tmp_path / "muttrc", "-f", url(host, full, "imap", "INBOX"))
    assert flags_by_subject(host, full, "INBOX") == {}
    assert len(flags_by_subject(host, full, "Archive")) == 1


def run_on_terminal(tmp_path, *arguments):
    """``script`` gives the program the terminal that it wants."""
    command = " ".join(f"'{argument}'" for argument in map(str, arguments))
    environment = os.environ | {"HOME": str(tmp_path), "TERM": "xterm", "LC_ALL": "C.UTF-8"}
    run("timeout", "40", "script", "-qec", command, tmp_path / "typescript", env=environment, accepted=(0, 1))


@needs("mbsync")
def test_mbsync_both_ways(host, full, tmp_path):
    """Flags, moves, new folders and new mail from either side, until both are the same."""
    box = tmp_path / "box"
    box.mkdir()
    where = host.organisation
    settings = tmp_path / "mbsyncrc"
    settings.write_text(
        f"IMAPAccount a\nHost {where.address}\nPort {where.port('imap')}\n"
        f'User {full.address}\nPass "{full.password}"\n'
        f"SSLType STARTTLS\nCertificateFile {host.certificate}\n\n"
        "IMAPStore far\nAccount a\n\n"
        f"MaildirStore near\nPath {box}/\nInbox {box}/INBOX\nSubFolders Verbatim\n\n"
        "Channel c\nFar :far:\nNear :near:\nPatterns *\nCreate Both\nRemove Both\nExpunge Both\nSyncState *\n"
    )

    def sync():
        run("mbsync", "-c", settings, "c", env=os.environ | {"HOME": str(tmp_path)})

    sync()
    (there,) = [path for name in ("new", "cur") for path in (box / "INBOX" / name).iterdir()]
    there.rename(box / "INBOX" / "cur" / f"{there.name.partition(':')[0]}:2,FS")
    make_maildir(box / "Work")
    (box / "Work" / "new" / "1.near.host").write_bytes(b"Subject: near\n\nfrom here\n")
    with client_of(host, full) as client:
        client.append("Drafts", "(\\Draft)", None, b"Subject: far\r\n\r\nfrom there\r\n")
    sync()
    sync()
    [flags] = flags_by_subject(host, full, "INBOX").values()
    assert flags == {"\\Flagged", "\\Seen"}
    assert set(flags_by_subject(host, full, "Work")) == {"near"}
    assert len(list(messages_in(box / "Drafts"))) == 1
    with client_of(host, full) as client:
        client.select("Work")
        client.store("1", "+FLAGS", "(\\Deleted)")
        client.expunge()
    sync()
    assert list(messages_in(box / "Work")) == []


def make_maildir(path):
    for name in ("cur", "new", "tmp"):
        (path / name).mkdir(parents=True)


def messages_in(folder):
    return (path for name in ("cur", "new") for path in Path(folder, name).iterdir())


@needs("offlineimap")
def test_offlineimap(host, full, letter, tmp_path):
    where = host.organisation
    settings = tmp_path / "offlineimaprc"
    settings.write_text(
        f"[general]\naccounts = a\nmetadata = {tmp_path}/meta\nui = quiet\n"
        "[Account a]\nlocalrepository = near\nremoterepository = far\n"
        f"[Repository near]\ntype = Maildir\nlocalfolders = {tmp_path}/box\nsync_deletes = yes\n"
        f"[Repository far]\ntype = IMAP\nremotehost = {where.address}\nremoteport = {where.port('imap')}\n"
        f"remoteuser = {full.address}\nremotepass = {full.password}\n"
        "ssl = no\nstarttls = no\nauth_mechanisms = PLAIN\n"
    )
    environment = os.environ | {"HOME": str(tmp_path)}
    run("offlineimap", "-c", settings, "-o", env=environment)
    (there,) = messages_in(tmp_path / "box" / "INBOX")
    assert there.read_bytes().endswith(as_text(letter))
    there.rename(there.parent.parent / "cur" / f"{there.name.partition(':')[0]}:2,S")
    run("offlineimap", "-c", settings, "-o", env=environment)
    [flags] = flags_by_subject(host, full, "INBOX").values()
    assert flags == {"\\Seen"}
