"""Every parser of what strangers write, fed with anything: a value or the declared exception, nothing else.

Real messages, cut, joined and with octets changed, come from a collection that lies beside some
checkouts; without it those tests are skipped, and random octets remain.
"""

import base64

import pytest
from cutting import flipped, flips, pieces, tried
from hypothesis import given
from hypothesis import strategies as st

from mailsys.message.address import Address, AddressError, parse_address, parse_domain
from mailsys.message.content import MemoryContent
from mailsys.message.encoded_words import decode_words
from mailsys.message.headers import HeaderLimits, parse_headers, read_headers
from mailsys.message.mailboxes import parse_address_list, parse_mailboxes
from mailsys.wire.proxy import MalformedHeader, read_proxy_header
from mailsys.wire.sasl import base64_lines
from mailsys.wire.sasl.mechanisms import MECHANISMS, exchange
from mailsys.wire.sasl.steps import Challenge, Credentials, Failed, KeysWanted, Proven, ScramKeys
from mailsys.wire.smtp.commands import COMMANDS, LMTP_COMMANDS
from mailsys.wire.smtp.grammar import Malformed

pytestmark = pytest.mark.row(66)

header_bits = st.sampled_from(
    [
        b"From",
        b"to: ",
        b":",
        b"\r\n",
        b"\n",
        b" ",
        b"\t",
        b"\r\n\r\n",
        b"a@b.example",
        b"=?utf-8?q?x=C3?=",
        b"\0",
        b"\xff",
    ]
)
headers = st.lists(header_bits | st.binary(max_size=6), max_size=30).map(b"".join) | st.binary(max_size=200)
list_bits = st.sampled_from(
    [
        b"<",
        b">",
        b"(",
        b")",
        b'"',
        b"\\",
        b",",
        b";",
        b":",
        b"@",
        b"a",
        b"b.c",
        b" ",
        b"\r\n ",
        b"[1.2.3.4]",
        b"=?utf-8?q?a,?=",
        b"\xc3\xa4",
    ]
)
lists = st.lists(list_bits, max_size=40).map(b"".join) | st.binary(max_size=100)


@pytest.fixture(scope="session")
def letters(shared_data):
    """Real messages."""
    found = [path.read_bytes() for path in sorted((shared_data / "cpython-test-email").glob("*.txt"))]
    if not found:
        pytest.skip("there are no sample messages in ../shared/data/cpython-test-email")
    return found


def check_headers(block):
    """Whatever it holds: fields in their places, read again they are the same, and text is one line."""
    found = parse_headers(block)
    for field in found.fields:
        assert block[field.start : field.end].startswith(field.name)
        assert field.text.isprintable() or not any(ord(c) < 32 for c in field.text)
        again = parse_headers(block[field.start : field.end]).fields
        assert [(one.name, one.value) for one in again] == [(field.name, field.value)]
    kept = b"".join([block[field.start : field.end] for field in found.fields])
    if kept.endswith(b"\n"):
        once = [(one.name, one.value) for one in parse_headers(kept).fields]
        assert once == [(one.name, one.value) for one in found.fields]
    assert found.count(b"from") == len(found.all(b"from"))
    read = read_headers(MemoryContent([block]))
    assert [one.value for one in read.fields] == [one.value for one in found.fields]
    limited = parse_headers(block, HeaderLimits(octets=40, fields=3))
    assert len(limited.fields) + len(limited.stray) <= 3


def check_mailboxes(value):
    """Whatever it holds: what has an address can be written plainly, and is read as the same."""
    for mailbox in parse_mailboxes(value):
        assert not any(ord(character) < 32 for character in mailbox.display_name)
        address = mailbox.address
        if address is not None:
            (again,) = parse_mailboxes(b"Name <" + str(address).encode() + b">")
            assert again.address == address
    assert len(parse_address_list(value, limit=2).entries) <= 3


@given(headers)
def test_headers(block):
    check_headers(block)


@given(lists)
def test_address_lists(value):
    check_mailboxes(value)


@given(st.data())
def test_real_messages_cut_joined_and_spoilt(letters, data):
    one, other = data.draw(st.sampled_from(letters)), data.draw(st.sampled_from(letters))
    message = flipped(
        one[: data.draw(st.integers(0, 3000))] + other[data.draw(st.integers(0, 3000)) :], data.draw(flips)
    )
    check_headers(message[:20_000])
    found = read_headers(MemoryContent([message]))
    for name in (b"from", b"to", b"cc", b"subject", b"message-id", b"date", b"received"):
        for field in found.all(name)[:5]:
            check_mailboxes(field.value)
            decode_words(field.value)


@given(
    st.text(max_size=80) | st.from_regex(r'("?)[a-zä. \\"]{0,9}\1@(\[[0-9a-fvIP:.]{0,20}\]|[a-zß.-]{0,12})')
)
def test_addresses(text):
    address, error = tried(AddressError, parse_address, text)
    if error:
        assert str(error).isprintable()
        return
    assert parse_address(str(address)) == address
    assert address.folded().folded() == address.folded()
    assert address.without_tag().without_tag() == address.without_tag()
    assert parse_address(address.display()).domain == address.domain
    assert "\n" not in str(address)


@given(st.text(max_size=60))
def test_domains(text):
    try:
        domain = parse_domain(text)
    except AddressError:
        return
    assert domain.isascii()
    assert parse_domain(domain) == domain


word_bits = st.sampled_from(
    [
        b"=?",
        b"?=",
        b"?",
        b"utf-8",
        b"hz",
        b"iso-2022-jp",
        b"?q?",
        b"?b?",
        b"=C3",
        b"=",
        b"YQ==",
        b" ",
        b"\r\n ",
        b"*en",
        b"_",
    ]
)


@given(st.lists(word_bits | st.binary(max_size=4), max_size=25).map(b"".join))
def test_encoded_words(value):
    text = decode_words(value)
    assert not any(ord(character) < 32 or character in "\x7f\u2028\u2029" for character in text)
    text.encode()
    if "=?" not in text:
        assert decode_words(text.encode()) == text


sasl_line = st.binary(max_size=60) | st.binary(max_size=60).map(base64.b64encode)
scram_text = st.lists(
    st.sampled_from(
        [
            b"n,,",
            b"p=tls-exporter,,",
            b"y,,",
            b"n=a",
            b",",
            b"r=",
            b"c=biws",
            b"p=AAAA",
            b"=2C",
            b"=",
            b"x",
            b"a=b",
            b"i=1",
        ]
    ),
    max_size=9,
).map(b"".join)


@given(st.sampled_from(MECHANISMS), st.none() | sasl_line, st.lists(sasl_line | scram_text, max_size=4))
def test_sasl(mechanism, initial, lines):
    machine = exchange(mechanism, MECHANISMS, {"tls-exporter": b"bound"}.get, lambda octets: b"x" * octets)
    step = base64_lines.begin(machine, initial)
    for line in lines:
        if isinstance(step, KeysWanted):
            assert step.name
            step = machine.keys(ScramKeys(b"salt", 4096, b"s" * 32, b"k" * 32))
        elif isinstance(step, Challenge):
            base64_lines.encode(step)
            step = base64_lines.step(machine, line)
        else:
            break
    assert isinstance(step, Challenge | Credentials | Failed | KeysWanted | Proven)
    assert not isinstance(step, Proven), "nobody knows the keys"


@given(st.sampled_from(sorted(COMMANDS.keys() | LMTP_COMMANDS.keys())), st.binary(max_size=80) | lists)
def test_arguments_of_commands(verb, argument):
    row = COMMANDS.get(verb) or LMTP_COMMANDS[verb]
    _, malformed = tried(Malformed, row.parse, argument)
    if malformed:
        assert malformed.reply.code >= 500
        assert malformed.reply.render().count(b"\r\n") == 1


proxy_bits = st.sampled_from(
    [
        b"PROXY ",
        b"TCP4 ",
        b"TCP6 ",
        b"UNKNOWN",
        b"192.0.2.1 ",
        b"::1 ",
        b"25 ",
        b"70000",
        b"\r\n",
        b"\r\n\r\n\0\r\nQUIT\n",
        b"!\x11\0\x0c",
        b"!\x21\0\x24",
        b"\0" * 12,
    ]
)


@given(st.lists(proxy_bits | st.binary(max_size=5), max_size=8).map(b"".join), st.integers(1, 9))
def test_proxy_headers(data, step):
    def outcome(whole):
        try:
            return read_proxy_header(whole)
        except MalformedHeader:
            return "malformed"

    end = outcome(data)
    so_far, found = b"", None
    for piece in pieces(data, [step]):
        so_far += piece
        found = outcome(so_far)
        if found is not None:
            break
    if found not in (None, "malformed"):
        header, rest = found
        assert (header, rest + data[len(so_far) :]) == end
    elif found is None:
        assert end is None


def test_an_address_is_what_the_tests_above_render():
    assert str(Address("a b", "c.example")) == '"a b"@c.example'
