"""What lies on the disk and others may have spoilt: a value or the declared exception, nothing else."""

import pytest
from cutting import flipped, flips, tried
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailsys.config import ConfigurationError, load
from mailsys.control.configuration import installed
from mailsys.intake.scan import scan
from mailsys.journal.database import read_facts
from mailsys.store.maildir import uidlist
from mailsys.store.maildir.names import arrival, base_name, host_part, sizes_in

name_bits = st.sampled_from(
    ["1795447721", ".M1P2Q3.", "host", ",S=", ",W=", "9" * 30, ":2,", "S", ":", "/", "\udcff", " "]
)
file_names = st.lists(name_bits | st.text(max_size=4), max_size=10).map("".join)


@given(st.lists(file_names, max_size=8))
def test_names_of_message_files(names):
    for name in names:
        disk, wire = sizes_in(name)
        assert all(size is None or 0 <= size < 10**18 for size in (disk, wire))
        assert base_name(base_name(name)) == base_name(name)
    assert sorted(names, key=arrival) == sorted(reversed(names), key=arrival)


@given(st.text(max_size=120))
def test_host_in_names(host):
    made = host_part(host.encode(errors="replace").decode())
    assert made
    assert not set(made) & set("/:\0\n ")


uid_bits = st.sampled_from(
    [b"3 V1 N5", b" G0", b"\n", b"1 ", b"2 W5 S4 ", b":a", b":b,S=3", b"9" * 30, b" :", b"\xff", b"\0"]
)


@given(st.lists(uid_bits | st.binary(max_size=6), max_size=20).map(b"".join))
def test_uid_lists(data):
    found = uidlist.parse(data)
    if found is None:
        return
    uids = [entry.uid for entry in found.entries.values()]
    assert uids == sorted(set(uids))
    assert all(uid < found.next_uid for uid in uids), "a UID is never given twice"
    again = uidlist.parse(found.render())
    assert again is not None
    assert again.sound
    assert (again.uid_validity, again.next_uid, again.entries) == (
        found.uid_validity,
        found.next_uid,
        found.entries,
    )


SEGMENT = (
    b"mailsys-intake 1 7 boot fedcba9876543210 00000000\n"
    b"fedcba9876543210 message 7.1 2 3 00000000\n{}\nabc\nfedcba9876543210 laid 7.1 00000000\n"
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300) | st.builds(flipped, st.just(SEGMENT * 2), flips), st.integers(0, 200))
def test_segments_of_the_intake_log(tmp_path, data, cut):
    path = tmp_path / "7.log"
    path.write_bytes(data[cut:])
    found = scan(str(path), str(tmp_path))
    assert found.path == str(path)
    assert all(0 <= place <= len(data) for place in found.damage)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_configurations(tmp_path, repository, data):
    example = (repository / "etc" / "mailsys.toml").read_bytes()
    octets = data.draw(
        st.binary(max_size=200)
        | st.builds(flipped, st.just(example), flips)
        | st.builds(
            lambda cut, more: example[:cut] + more, st.integers(0, len(example)), st.binary(max_size=20)
        )
    )
    path = tmp_path / "mailsys.toml"
    path.write_bytes(octets)
    _, error = tried(ConfigurationError, load, str(path), installed())
    assert error is None or error.mistakes


values = st.sampled_from(
    [
        '""',
        '"x"',
        "0",
        "-1",
        "1e400",
        "nan",
        "9" * 400,
        "[]",
        '["x"]',
        "{}",
        "true",
        "1979-05-27",
        '"\\u0000"',
        '"\\ud7ff"',
        '"1G"',
        '"5m"',
        "[[]]",
    ]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_every_setting_takes_any_value_or_says_what_is_wrong(tmp_path, repository, data):
    lines = (repository / "etc" / "mailsys.toml").read_text().splitlines()
    places = [number for number, line in enumerate(lines) if " = " in line and not line.startswith("#")]
    for number in data.draw(st.lists(st.sampled_from(places), min_size=1, max_size=4)):
        lines[number] = lines[number].partition(" = ")[0] + " = " + data.draw(values)
    path = tmp_path / "mailsys.toml"
    path.write_text("\n".join(lines))
    _, error = tried(ConfigurationError, load, str(path), installed())
    for mistake in error.mistakes if error else ():
        assert mistake.key
        assert not any(ord(character) < 32 for character in str(mistake))


@given(st.text(max_size=60))
def test_facts_of_the_journal(text):
    assert isinstance(read_facts(text), dict)


@pytest.mark.row(66)
def test_deep_and_long_values_in_facts():
    """Row 66: RecursionError and long digit strings are no surprise."""
    assert read_facts("[" * 100_000) == {}
    assert read_facts('{"a":' * 100_000) == {}
    assert isinstance(read_facts('{"a":' + "9" * 100_000 + "}"), dict)
