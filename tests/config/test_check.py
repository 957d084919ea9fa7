import os

import pytest
from plugin_makers import greylist, installed

from mailsys.config import ConfigurationError, load
from mailsys.tls.files import CertificateFiles


def test_every_mistake_is_told_at_once(mistakes):
    lines = mistakes(
        """data = "/etc/passwd"
[process]
user = "no-such-user"
[[listen]]
service = "smpt"
endpoint = "tcp:25"
tls = "starttls"
[store]
maildir = "/mail/{domain}"
[limits]
message_size = "50 MB"
recipients = 10
[judge]
judges = ["early_talkr", "x"]
"""
    )
    assert [line.split(" ")[0] for line in lines] == [
        "listen[1].service",
        "store.maildir",
        "limits.message_size",
        "limits.recipients",
        "data",
        "process.user",
        "listen[1].tls",
        "judge.judges",
        "judge.judges",
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[limits]\nmesage_size = 1", "limits.mesage_size = 1 is not known; did you mean message_size?"),
        ("message_size = 1", "message_size = 1 is not known; it belongs below [limits]."),
        (
            '[process]\nhostname = "x"',
            'process.hostname = "x" is not known; it belongs at the top of the file, before the first [',
        ),
        ("[auth]\ncolour = 'red'", 'auth.colour = "red" is not known; known here are: '),
        ("[[listener]]", "listener = [{}] is not known; did you mean listen?"),
        ("[listen]\nservice = 'smtp'", "listen is not a list of tables; write [[listen]]"),
        ("limits = 3", "limits = 3 is not a table; write [limits], and its settings below."),
        ("[[listen]]\nendpoint = 'tcp:25'", "listen[1].service is missing; "),
        (
            "[[listen]]\nservice = 'web'\nendpoint = 'tcp:80'\ntls = 'starttls'",
            'listen[1].tls = "starttls" does not',
        ),
        (
            "[[listen]]\nservice = 'smtp'\nendpoint = 'tcp:25'\ntls = 'implicit'",
            'listen[1].tls = "implicit" needs a',
        ),
        (
            "[auth]\nplaintext = 'sometimes'",
            'auth.plaintext = "sometimes" is not known here; write one of: never, ',
        ),
        (
            "[auth]\nhashing_threads = true",
            "auth.hashing_threads = true is not possible here; write a whole number",
        ),
        ("[limits]\nerrors = 1.5", "limits.errors = 1.5 is not possible here"),
        ("[limits]\nmessage_size = 0", "limits.message_size = 0 would allow nothing"),
        ("[limits]\ncommand_seconds = '0s'", 'limits.command_seconds = "0s" would wait for nothing'),
        ("[receive]\nseparator = '@'", 'receive.separator = "@" cannot separate a tag'),
        (
            "[receive]\ntrusted_networks = '10.0.0.0/8'",
            'receive.trusted_networks = "10.0.0.0/8" is not a list',
        ),
        (
            "[receive]\ntrusted_networks = ['10.0.0.1/8']",
            'receive.trusted_networks = ["10.0.0.1/8"] has "10.0.0.1/8"',
        ),
        (
            "[receive]\ntrusted_networks = ['::/0']",
            'receive.trusted_networks = ["::/0"] has "::/0", which is everybody',
        ),
        (
            "[dns]\nservers = ['localhost']",
            'dns.servers = ["localhost"] has "localhost", which is no address',
        ),
        (
            "[dns]\nservers = ['127.0.0.1:99999']",
            'dns.servers = ["127.0.0.1:99999"] has "127.0.0.1:99999", which has no',
        ),
        ("[dns]\ntrust_ad = 'yes'", 'dns.trust_ad = "yes" is neither true nor false'),
        (
            "[send]\nport = 70000",
            "send.port = 70000 is not possible here; write a whole number from 1 to 65535.",
        ),
        ("[send]\nretry = 'often'", 'send.retry = "often" has "often", which is no time; write times as in'),
        (
            "[send]\nsmarthost = 'smtp://me@relay'",
            'send.smarthost = "smtp://me@relay:25" has a user without a password',
        ),
        (
            "[send]\nsmarthost_password_file = '/nowhere'",
            'send.smarthost_password_file = "/nowhere" does not exist',
        ),
        ("[send]\nauthorities = '/etc/hostname'", 'send.authorities = "/etc/hostname" holds no certificates'),
        ("[send]\nauthorities = '/nowhere'", 'send.authorities = "/nowhere" does not exist'),
        ("[send]\nsource_addresses = ['mx']", 'send.source_addresses = ["mx"] has "mx", which is no address'),
        ("[send]\nsource_addresses = ['::1', '::2']", "send.source_addresses"),
        ("[imap.without]\n'ann' = []", 'imap.without has "ann", which is no address'),
        ("[imap.without]\n'*' = 'QRESYNC'", 'imap.without has for "*" what is no list of capabilities'),
        ("[imap.without]\n'*' = ['a b']", 'imap.without has for "*" what is no list of capabilities'),
        ("[imap.without]\n'*' = ['IMAP4rev1']", 'imap.without has for "*" IMAP4rev1 or IMAP4rev2'),
        ("[send.routes]\n'a b' = 'mx'", 'send.routes has "a b", which is no domain'),
        (
            "[send.routes]\n'b.example' = 'x'",
            'send.routes has for "b.example" what does not begin with smtp://',
        ),
        (
            "[judge]\njudges = ['early_talkr']",
            'judge.judges = "early_talkr" is no judge that is installed; did you mean early_',
        ),
        (
            "[judge]\njudges = ['zzz']",
            'judge.judges = "zzz" is no judge that is installed; known are: dkim, dmarc, dns_lists, ',
        ),
        (
            "[judge]\njudges = ['dmarc']",
            'judge.judges = ["dmarc"] has "dmarc" without spf and dkim before it; name "spf"',
        ),
        (
            "[judge]\njudges = ['spf', 'dmarc', 'dkim']",
            'judge.judges = ["spf", "dmarc", "dkim"] has "dmarc" without dkim before it; name "spf" and',
        ),
        ("[judge]\nblocklists = ['a b']", 'judge.blocklists = ["a b"]'),
        ("[judge]\ntrusted_forwarders = ['0.0.0.0/0']", "which is everybody"),
        ("[judge]\ntrusted_forwarders = ['a b']", "judge.trusted_forwarders"),
        (
            "[judge]\njudges = ['one_from', 'one_from']",
            'judge.judges = ["one_from", "one_from"] has "one_from" twice',
        ),
        (
            "[[listen]]\nservice = 'smtp'\nendpoint = 'tcp:25'\nproxy_from = ['0.0.0.0/0']",
            'listen[1].proxy_from = ["0.0.0.0/0"] has "0.0.0.0/0", which is everybody',
        ),
        ("data = '/srv/{user}'", 'data = "/srv/{user}" has {user} in its name; name another folder.'),
        ("[plugins]\nx = 1", "plugins has something that is not a table"),
        ("[plugins.nobody]", "plugins.nobody is no plugin that is installed; known are: greylist."),
        ("[plugins.graylist]", "plugins.graylist is no plugin that is installed; did you mean greylist?"),
        ("[plugins.greylist]\nwait = 'long'", 'plugins.greylist.wait = "long" is not a time; write a number'),
        ("[plugins.greylist]\nwaits = 1", "plugins.greylist.waits = 1 is not known; did you mean wait?"),
        ("[plugins.greylist]\npassword = 7", "plugins.greylist.password is not a text; write it in quotes."),
        ("[plugins.greylist]\ndeadline = 0", "plugins.greylist.deadline = 0 would wait for nothing"),
        (
            "[plugins.greylist]\nmode = 'hard'\nwait = '1s'",
            'plugins.greylist has mode "hard" and a wait below a minute; write a longer wait.',
        ),
        (
            "[judge]\njudges = ['mine']\n[plugins.mine]\nplugin = 'grelist'",
            'judge.judges = "mine" is no judge that is installed; did you mean greylist?',
        ),
        (
            "[route]\nrouters = ['greylist']",
            'route.routers = "greylist" is no router but a judge; name it in judge.judges.',
        ),
        (
            "[route.deliveries]\n'a@b.example' = 'pipe'",
            'route.deliveries."a@b.example" = "pipe" is no delivery that is installed; install the plugin',
        ),
        ("[route.deliveries]\n'a b' = 'pipe'", 'route.deliveries has "a b", which is no address or domain'),
        ('data = "a\\u0000b"\n', "has a control character"),
    ],
)
def test_a_mistake_says_what_is_wrong_and_what_would_be_right(mistakes, text, line):
    [told] = mistakes(text)
    assert line in told


@pytest.mark.parametrize(
    "name", ["", "[192.0.2.1]", "mail example", "a..b", "-", "x" * 300, "mail.example.org."]
)
def test_what_is_no_hostname(mistakes, name):
    [told] = mistakes("", hostname=f'hostname = "{name}"\n')
    assert told.startswith("hostname = ")


def test_a_hostname_must_be_said(mistakes):
    assert mistakes("", hostname="") == ['hostname is missing; write hostname = "…".']


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("/mail/{domain}", "no {user}"),
        ("/mail/{user}/{home}", "unknown field {home}"),
        ("/mail/{user", "not closed"),
        ("/mail/{}/{user}", "unknown field {}"),
        ("/mail/{user!r}", "unknown field {user!r}"),
        ("/mail/{{x/{user}", "not closed"),
        ("/mail/{user.x}", "unknown field"),
        ("/mail/{user!r}", "unknown field"),
        ("/mail/{user:>20}", "unknown field"),
        ("/mail/{0}{user}", "unknown field {0}"),
    ],
)
def test_what_is_no_template_of_a_maildir(mistakes, template, said):
    [told] = mistakes(f'[store]\nmaildir = "{template}"\n')
    assert said in told


def test_every_wrong_item_of_a_list_is_told(mistakes):
    lines = mistakes("[receive]\ntrusted_networks = ['a', '127.0.0.0/8', 'b']\n")
    assert len(lines) == 2


def test_a_password_is_not_repeated(mistakes):
    assert "secret" not in "".join(mistakes("[send]\nsmarthost = 'smtp://me:secret@relay'\n"))


def test_two_listeners_cannot_share_an_endpoint(mistakes):
    listener = "[[listen]]\nservice = 'smtp'\nendpoint = 'tcp:25'\n"
    [told] = mistakes(listener + listener)
    assert told.startswith('listen[2].endpoint = "tcp:25" is that of listen[1], too')


def test_a_certificate_and_its_key_are_in_order(read, certificates):
    folder, _other = certificates
    read(f"[tls]\ncertificate = '{folder}/cert.pem'\nkey = '{folder}/key.pem'\n")


@pytest.mark.parametrize(
    ("certificate", "key", "said"),
    [
        ("one/cert.pem", "other/key.pem", "tls.key = X does not belong to the certificate"),
        ("one/cert.pem", "", 'tls.key = "" is missing'),
        ("", "one/key.pem", 'tls.certificate = "" is missing'),
        ("one/none.pem", "one/key.pem", "tls.certificate = X cannot be read (no such file or directory)"),
        ("one", "one/key.pem", "tls.certificate = X cannot be read (is a directory)"),
        ("one/key.pem", "one/key.pem", "tls.certificate = X holds no certificate"),
        ("one/cert.pem", "one/cert.pem", "tls.key = X holds no private key"),
        ("/dev/zero", "one/key.pem", "tls.certificate = X is longer than a megabyte"),
    ],
)
def test_mistakes_with_certificates(mistakes, certificates, certificate, key, said):
    places = {"one": certificates[0], "other": certificates[1]}

    def found(path):
        folder, slash, name = path.partition("/")
        return f"{places[folder]}{slash}{name}" if folder in places else path

    [told] = mistakes(f"[tls]\ncertificate = '{found(certificate)}'\nkey = '{found(key)}'\n")
    before, _x, after = said.partition("X")
    assert told.startswith(before)
    assert after in told


def test_a_trusted_user_who_does_not_exist(mistakes):
    [told] = mistakes("[receive]\ntrusted_users = ['root', 'nobody-at-all']\n")
    assert told.startswith('receive.trusted_users = "nobody-at-all" does not exist on this machine')


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_key_that_may_not_be_read(mistakes, certificates, tmp_path):
    key = tmp_path / "key.pem"
    key.write_bytes((certificates[0] / "key.pem").read_bytes())
    key.chmod(0)
    [told] = mistakes(f"[tls]\ncertificate = '{certificates[0]}/cert.pem'\nkey = '{key}'\n")
    assert "permission denied" in told


def test_a_locked_key(mistakes, certificates, tmp_path):
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        PrivateFormat,
        load_pem_private_key,
    )

    key = load_pem_private_key((certificates[0] / "key.pem").read_bytes(), None)
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
    (tmp_path / "key.pem").write_bytes(locked)
    [told] = mistakes(f"[tls]\ncertificate = '{certificates[0]}/cert.pem'\nkey = 'key.pem'\n")
    assert "locked with a password" in told


def test_files_that_may_no_longer_be_read_are_no_mistake_while_their_certificate_is_in_force(
    read, certificates, monkeypatch
):
    """As for a server that has given up root, and is told to read its configuration again."""
    files = CertificateFiles(f"{certificates[0]}/cert.pem", f"{certificates[0]}/key.pem")
    text = f"[tls]\ncertificate = '{files.certificate}'\nkey = '{files.key}'\n"
    path = read(text).path
    true = open

    def refuse(name, *arguments, **more):
        if name == files.key:
            raise PermissionError(13, "Permission denied", name)
        return true(name, *arguments, **more)

    monkeypatch.setattr("builtins.open", refuse)
    assert load(path, installed(greylist()), in_force=[files]).tls.key == files.key
    with pytest.raises(ConfigurationError, match=r"tls.key = .* cannot be read by the user .*; let "):
        load(path, installed(greylist()))
