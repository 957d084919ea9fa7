import json
import tomllib

import pytest

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
        "check", "hostname = 'mail.example.org'\n[send]\nsmarthost = 'smtp://relay'\n"
    )
    assert status == 0
    assert "Note: [send] has no effect yet" in told
    assert "Note: there is no [[listen]]" in told


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
    assert json.loads(told)["judge"]["judges"] == ["early_talker", "one_from", "hop_count"]


def test_show_refuses_what_check_refuses(config):
    assert config("show", "")[0] == 1
