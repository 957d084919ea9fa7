"""``mailsys domain records`` and ``check``, as an operator sees them."""

import json

import pytest
from zones import ZoneResolver

from mailsys.control import main
from mailsys.lab.zone import Zone
from mailsys.net.dns import resolver as resolver_module


@pytest.fixture
def host(tmp_path):
    folder = tmp_path / "host"
    assert main(["init", str(folder), "--domain", "example.org", "--port-base", "20000"]) == 0
    return folder / "mailsys.toml"


@pytest.fixture
def run(host, capsys):
    def run(*arguments):
        capsys.readouterr()
        status = main(["--config", str(host), "domain", *arguments])
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


@pytest.fixture
def dns(monkeypatch):
    """What DNS says; set ``zone.text``."""

    class Told:
        text = ""

    monkeypatch.setattr(
        resolver_module, "open_resolver", lambda *_arguments, **_options: ZoneResolver(Told.text)
    )
    return Told


WHERE = "\nmail.example.org. 60 A 192.0.2.1\n1.2.0.192.in-addr.arpa. 60 PTR mail.example.org.\n"


def test_records_are_lines_of_a_zone(run):
    status, said, _ = run("records", "example.org")
    assert status == 0
    lines = [line for line in said.splitlines() if not line.startswith(";")]
    assert Zone(lines).sets
    assert [line.split()[2] for line in lines][:2] == ["MX", "TXT"]
    assert sum("_domainkey" in line for line in lines) == 2
    assert "; mail.example.org needs an A record" in said


def test_records_as_json(run):
    status, said, _ = run("records", "EXAMPLE.org", "--json")
    records = json.loads(said)
    assert status == 0
    assert records[0] == {
        "name": "example.org",
        "type": "MX",
        "value": "10 mail.example.org.",
        "line": "example.org. 3600 MX 10 mail.example.org.",
        "need": "needed",
        "purpose": "mail for the domain comes to this host",
    }
    assert {record["value"].partition(";")[0] for record in records if "_domainkey" in record["name"]} == {
        "v=DKIM1"
    }


def test_a_domain_that_is_not_ours(run):
    status, _, told = run("records", "example.com")
    assert (status, told) == (
        1,
        "mailsys: The domain example.com is not ours; add it with 'mailsys domain add example.com'.\n",
    )


def test_check_says_that_all_is_well(run, dns):
    _, records, _ = run("records", "example.org")
    dns.text = "\n".join(line for line in records.splitlines() if not line.startswith(";")) + WHERE
    status, said, told = run("check", "example.org")
    assert (status, told) == (0, "")
    assert said.endswith("All that mail for example.org needs is published.\n")
    assert "MISSING" not in said


def test_check_says_what_to_publish(run, dns):
    dns.text = WHERE + "example.org. 60 MX 10 mx.else.example.\n"
    status, said, told = run("check", "example.org")
    assert status == 1
    assert "WRONG    MX   example.org  10 mx.else.example.\n" in said
    assert "         publish: example.org. 3600 MX 10 mail.example.org.\n" in said
    assert '         publish: _dmarc.example.org. 3600 TXT "v=DMARC1; p=quarantine"\n' in said
    assert told == "5 records are to be mended in DNS for example.org.\n"


def test_check_as_json(run, dns):
    dns.text = WHERE
    status, said, _ = run("check", "example.org", "--json")
    assert status == 1
    states = {(one["type"], one["name"]): one["state"] for one in json.loads(said)}
    assert states["A", "mail.example.org"] == "ok"
    assert states["PTR", "1.2.0.192.in-addr.arpa"] == "ok"
    assert states["MX", "example.org"] == "missing"


def test_new_domains_have_keys_and_removed_ones_none(run, host):
    status, said, _ = run("add", "example.net")
    assert status == 0
    assert "'mailsys domain records example.net'" in said
    file = host.parent / "data" / "dkim" / "example.net.json"
    assert file.exists()
    assert run("remove", "example.net")[0] == 0
    assert not file.exists()


def test_keys_that_cannot_be_read_are_named(run, host):
    file = host.parent / "data" / "dkim" / "example.org.json"
    file.write_text("{")
    status, _, told = run("records", "example.org")
    assert status == 1
    assert told.startswith("mailsys: The DKIM keys of example.org cannot be used: ")


def test_without_signatures_no_keys_are_wanted(run, host):
    host.write_text(host.read_text() + "\n[dkim]\nsign = false\n")
    assert "_domainkey" not in run("records", "example.org")[1]


def test_services_are_told_by_the_names_that_programs_look_for(host):
    from mailsys.config import load
    from mailsys.control.configuration import installed
    from mailsys.publish.host import host_of

    found = host_of(load(str(host), installed()))
    assert dict(found.services)["submissions"] == 20465
    assert dict(found.services)["pop3"] == 20110
    assert found.addresses == ()


def test_keys_are_shown_and_changed(run):
    status, said, _ = run("keys", "example.org")
    assert status == 0
    assert [line.split()[1:3] for line in said.splitlines()[1:]] == [
        ["rsa-sha256", "active"],
        ["ed25519-sha256", "active"],
    ]
    assert run("keys", "example.org", "--use-next")[0] == 1
    assert run("keys", "example.org", "--next")[0] == 0
    status, _, told = run("keys", "example.org", "--next")
    assert (status, told.startswith("mailsys: example.org has next keys already")) == (1, True)
    assert run("records", "example.org")[1].count("; a key that will sign once this is published") == 2
    status, said, _ = run("keys", "example.org", "--use-next", "--json")
    assert [key["state"] for key in json.loads(said)] == ["retired"] * 2 + ["active"] * 2
    assert "private" not in said.lower()
