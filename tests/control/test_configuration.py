import json
import tomllib

import pytest
from authority import DAY, NOW, Authority

from mailsys.config.schema import Judge
from mailsys.control import main


@pytest.fixture
def config(tmp_path, capsys):
    """Run ``mailsys config …`` with a text as configuration: exit status, output, errors."""

    def config(action, text, *words):
        path = tmp_path / "mailsys.toml"
        path.write_text(text)
        status = main(["--config", str(path), "config", action, *words])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return config


def test_a_configuration_in_order(config, tmp_path):
    text = "hostname = 'mail.example.org'\n[[listen]]\nservice = 'smtp'\nendpoint = 'tcp:25'\n"
    assert config("check", text) == (0, f"{tmp_path}/mailsys.toml is in order.\n", "")


def test_what_has_no_effect_is_noted(config):
    status, told, _errors = config(
        "check", "hostname = 'mail.example.org'\n[[listen]]\nservice = 'web'\nendpoint = 'tcp:8080'\n"
    )
    assert status == 0
    assert "Note: listen[1] is not opened: web is not built yet." in told
    assert "Note: there is no [[listen]]" in config("check", "hostname = 'mail.example.org'\n")[1]


def test_every_mistake_is_on_a_line_of_its_own(config, tmp_path):
    status, told, errors = config("check", "hostnam = 'x'\n[limits]\nerrors = 0\n")
    assert status == 1
    assert told == ""
    assert errors.splitlines() == [
        f"mailsys: {tmp_path}/mailsys.toml has 3 mistakes:",
        '  hostnam = "x" is not known; did you mean hostname?',
        '  hostname is missing; write hostname = "…".',
        "  limits.errors = 0 is not possible here; write a whole number from 1 to 1000.",
    ]


def test_a_missing_file_is_one_sentence(tmp_path, capsys):
    assert main(["--config", str(tmp_path / "none.toml"), "config", "check"]) == 1
    problem = f"{tmp_path}/none.toml cannot be read (no such file or directory)"
    assert capsys.readouterr().err == f"mailsys: {problem}; name a file that can be.\n"


def test_show_prints_what_is_in_force(config, tmp_path):
    status, told, _errors = config("show", "hostname = 'MAIL.example.org'\n")
    assert status == 0
    shown = tomllib.loads(told)
    assert shown["hostname"] == "mail.example.org"
    assert shown["data"] == str(tmp_path / "data")
    assert shown["limits"]["message_size"] == "50M"
    assert config("show", told)[1] == told


def test_show_as_json(config):
    _status, told, _errors = config("show", "hostname = 'mail.example.org'\n", "--json")
    assert json.loads(told)["judge"]["judges"] == list(Judge().judges)


def test_show_refuses_what_check_refuses(config):
    assert config("show", "")[0] == 1


def test_certificates_are_told_with_what_will_not_work(config, tmp_path):
    authority = Authority(tmp_path)
    one = authority.issue("one", "mail.example.org", days=10.5, age=79.5)
    two = authority.issue("two", "*.example.net", alone=True)
    status, told, errors = config("check", tls_of(one, two))
    assert (status, errors) == (0, "")
    until = [(NOW + days * DAY).strftime("%Y-%m-%d") for days in (10.5, 90)]
    assert told.splitlines()[1:] == [
        "Note: there is no [[listen]], so a server would open no port.",
        f"Certificate {one[0]}: for mail.example.org; by Test Authority Test Issuer; until {until[0]}.",
        f"Certificate {two[0]}: for *.example.net; by Test Authority Test Issuer; until {until[1]}.",
        f"Warning: The certificate {one[0]} expires in 10 days ({until[0]}): see that it is renewed.",
        f"Warning: The certificate {two[0]} comes without that of its issuer, so that others"
        " may not trust it: name the file with the full chain (certbot calls it fullchain.pem).",
    ]


def test_each_certificate_is_checked(config, tmp_path):
    authority = Authority(tmp_path)
    one, two = (authority.issue(name, "mail.example.org") for name in ("one", "two"))
    _status, _told, errors = config("check", tls_of(one, (two[0], one[1])))
    assert "tls.certificates[1].key = " in errors
    assert " does not belong to the certificate; " in errors
    _status, _told, errors = config("check", tls_of(one, two).replace("[tls]\n", "[tls]\nkeys = 1\n"))
    assert "tls.keys = 1 is not known; did you mean key?" in errors
    _status, _told, errors = config("check", tls_of(("", ""), two))
    assert "tls.certificate is missing, though there are [[tls.certificates]]; " in errors
    status, told, _errors = config("show", tls_of(one, two))
    assert status == 0
    assert config("show", told)[1] == told


def tls_of(first, further):
    return (
        "hostname = 'mail.example.org'\n"
        f"[tls]\ncertificate = '{first[0]}'\nkey = '{first[1]}'\n"
        f"[[tls.certificates]]\ncertificate = '{further[0]}'\nkey = '{further[1]}'\n"
    )
