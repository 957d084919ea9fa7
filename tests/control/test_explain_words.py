"""``mailsys explain``: what a person at a help desk reads."""

import pytest
from test_explain import explained, host, message  # noqa: F401 - fixtures


def text(host, *words):  # noqa: F811
    status, said = host("explain", *words)
    assert status == 0
    return said.out


def test_every_judge_is_named_even_when_all_accept(host, message, tmp_path):  # noqa: F811
    told = text(host, "--from", "friend@client.example", "--to", "ann@our.example", message())
    assert "  Checked: one_from: accept." in told
    assert "  Checked: hop_count: accept." in told
    assert told.endswith("  No judge objects.\n")
    config = tmp_path / "host" / "mailsys.toml"
    judges = '[judge]\njudges = ["early_talker", "one_from", "hop_count"]\n'
    config.write_text(config.read_text().replace("[judge]\n", judges))
    found = explained(host, "--ip", "192.0.2.9", "--from", "", "--to", "ann@our.example", message())
    assert found["checked"] == [
        "early_talker: accept (waited for the greeting)",
        "one_from: accept",
        "hop_count: accept",
    ]


def test_an_odd_address_is_refused_as_a_session_would_and_explained(host):  # noqa: F811
    said = explained(host, "--from", "", "--to", "an n@our.example", "--to", "nonsense")["recipients"]
    assert [one["outcome"] for one in said] == ["refused", "refused"]
    assert said[0]["reply"].startswith("501 5.1.3 ")
    assert [one["why"] for one in said] == [["character 3 is a space"], ["there is no @"]]


def test_an_odd_sender_ends_it(host):  # noqa: F811
    found = explained(host, "--from", "friend@@client.example", "--to", "ann@our.example")
    assert found["verdict"]["reply"].startswith("501 5.1.7 ")
    assert "the sender is no address: character 7, @," in found["verdict"]["reason"]
    assert found["recipients"] == []


def test_who_may_be_meant_is_told_to_the_operator(host):  # noqa: F811
    told = text(
        host, "--from", "", "--to", "anm@our.example", "--to", "ann@ours.example", "--to", "zzz@our.example"
    )
    assert told.count("Is ann@our.example meant?") == 2
    assert told.count("meant?") == 2


def test_names_and_brackets_that_were_pasted_along(host):  # noqa: F811
    found = explained(host, "--from", "<>", "--to", '"Ann, of old" <ann@our.example>', "--to", "<postmaster>")
    assert [one["address"] for one in found["recipients"]] == ["ann@our.example", "postmaster@our.example"]
    assert {one["outcome"] for one in found["recipients"]} == {"delivered"}


def test_size_and_room(host):  # noqa: F811
    assert host("account", "quota", "bob@our.example", "1M")[0] == 0
    told = text(host, "--from", "", "--size", "2M", "--to", "ann@our.example", "--to", "bob@our.example")
    assert told.startswith("A message of 2.1 MB from <>, handed in by localhost [127.0.0.1] at ")
    assert 'bob@our.example would be refused; the client is told "552 5.2.2' in told
    assert "Its size is 2.1 MB; up to 52.4 MB are taken (limits.message_size)." in told
    told = text(host, "--from", "", "--to", "bob@our.example")
    assert "    bob@our.example uses 0 bytes of 1.0 MB." in told
    found = explained(host, "--from", "", "--size", "60M", "--to", "ann@our.example")
    assert found["verdict"]["reply"].startswith("552 5.3.4 ")


def test_a_name_in_helo_that_cannot_be_read(host):  # noqa: F811
    found = explained(host, "--helo", "two words", "--from", "", "--to", "ann@our.example")
    assert found["verdict"]["reply"].startswith("501 5.5.4 ")


@pytest.mark.row(63)
def test_what_was_typed_or_pasted_does_no_harm_to_a_terminal(host):  # noqa: F811
    """Row 63: control characters and marks of direction never reach the terminal."""
    told = text(
        host, "--helo", "a\x1b[2Jb", "--from", "x\u202e@client.example", "--to", "y\r\n\x07@our.example"
    )
    assert "\x1b" not in told
    assert all(line.isprintable() for line in told.splitlines())


def test_what_is_no_ip_address_is_wrong_usage(host, capsys):  # noqa: F811
    with pytest.raises(SystemExit) as ended:
        host("explain", "--ip", "elsewhere", "--from", "", "--to", "ann@our.example")
    assert ended.value.code == 2
    assert '"elsewhere" is no IP address' in capsys.readouterr().err


def test_what_is_forwarded(host):  # noqa: F811
    """To whom, and as from whom; and what would happen to a notice about it."""
    asked = ("--from", "eve@writer.example", "--to", "both@our.example")
    (said,) = explained(host, *asked)["recipients"]
    assert (said["outcome"], said["accounts"], said["forwarded"]) == (
        "delivered", ["ann@our.example"], ["bob@far.example"],
    )  # fmt: skip
    assert said["sent_as"].endswith("=writer.example=eve@our.example")
    assert (
        "both@our.example would be delivered to ann@our.example, folder INBOX, and forwarded to"
        f" bob@far.example as from <{said['sent_as']}>."
    ) in text(host, *asked)
    told = text(host, "--from", "", "--to", said["sent_as"], "--to", "SRS0=abcd=ab=a.example=b@our.example")
    assert "forwarded to eve@writer.example as from <>." in told
    assert "is the return address of eve@writer.example, whose mail was forwarded" in told
    assert "is no return address: this host has not made it" in told
