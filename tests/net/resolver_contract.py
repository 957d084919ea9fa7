"""What every IZoneResolver does, over one zone.  A subclass sets ``self.resolver`` to one that knows ZONE."""

from zope.interface.verify import verifyObject

from mailsys.interfaces import (
    IZoneResolver,
    MailExchange,
    NamesUnavailable,
    NoSuchName,
    ServiceRecord,
    TLSARecord,
)

ZONE = """
example.test.            300 MX    10 mx1.example.test.
example.test.            300 MX    20 MX2.Example.Test.
example.test.            300 TXT   "v=spf1 a:" "mx.example.test -all"
example.test.            300 TXT   "second"
mx1.example.test.        300 A     192.0.2.1
mx1.example.test.        300 AAAA  2001:db8::1
mx2.example.test.        300 A     192.0.2.2
mx2.example.test.        300 A     192.0.2.3
silent.test.             300 MX    0 .
bare.test.               300 A     192.0.2.9
www.example.test.        300 CNAME mx1.example.test.
1.2.0.192.in-addr.arpa.  300 PTR   mx1.example.test.
_imaps._tcp.example.test. 300 SRV 0 1 993 MX1.example.test.
_pop3._tcp.example.test. 300 SRV 0 0 0 .
example.test.            300 NS    NS1.example.test.
_25._tcp.mx1.example.test. 300 TLSA 3 1 1 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
"""
FINGERPRINT = bytes.fromhex("00112233445566778899aabbccddeeff" * 2)


class ResolverContract:
    """Mixed into a TestCase."""

    async def refuses(self, asked, kind):
        try:
            outcome = await asked
        except (NamesUnavailable, NoSuchName) as error:
            outcome = error
        assert type(outcome) is kind, outcome
        return str(outcome)

    async def test_it_provides_the_interface(self):
        verifyObject(IZoneResolver, self.resolver)

    async def test_mail_exchanges(self):
        answer = await self.resolver.mail_exchanges("example.test")
        assert sorted(answer.records, key=lambda one: one.preference) == [
            MailExchange(10, "mx1.example.test"),
            MailExchange(20, "mx2.example.test"),
        ]
        assert answer.name == "example.test"
        assert 0 < answer.ttl_seconds <= 300

    async def test_a_null_mx_is_the_empty_host(self):
        assert (await self.resolver.mail_exchanges("silent.test")).records == (MailExchange(0, ""),)

    async def test_no_mx_is_not_no_name(self):
        assert (await self.resolver.mail_exchanges("bare.test")).records == ()

    async def test_a_name_that_does_not_exist(self):
        await self.refuses(self.resolver.mail_exchanges("nothing.example.test"), NoSuchName)
        await self.refuses(self.resolver.addresses("nothing.example.test"), NoSuchName)

    async def test_what_can_be_no_name(self):
        for name in ("a..test", "x" * 64 + ".test", ".".join(["x" * 60] * 5)):
            await self.refuses(self.resolver.addresses(name), NoSuchName)

    async def test_addresses_of_both_kinds(self):
        assert sorted((await self.resolver.addresses("mx1.example.test")).records) == [
            "192.0.2.1",
            "2001:db8::1",
        ]
        assert sorted((await self.resolver.addresses("MX2.example.test")).records) == [
            "192.0.2.2",
            "192.0.2.3",
        ]

    async def test_addresses_of_one_kind(self):
        assert (await self.resolver.ipv4_addresses("mx1.example.test")).records == ("192.0.2.1",)
        assert (await self.resolver.ipv6_addresses("mx1.example.test")).records == ("2001:db8::1",)
        assert (await self.resolver.ipv6_addresses("bare.test")).records == ()
        await self.refuses(self.resolver.ipv4_addresses("nothing.example.test"), NoSuchName)

    async def test_an_alias_is_followed(self):
        answer = await self.resolver.addresses("www.example.test")
        assert sorted(answer.records) == ["192.0.2.1", "2001:db8::1"]
        assert answer.name == "mx1.example.test"

    async def test_the_strings_of_a_text_are_joined(self):
        answer = await self.resolver.text("example.test")
        assert sorted(answer.records) == [b"second", b"v=spf1 a:mx.example.test -all"]

    async def test_pointers(self):
        assert (await self.resolver.pointers("192.0.2.1")).records == ("mx1.example.test",)
        await self.refuses(self.resolver.pointers("no address"), NoSuchName)

    async def test_services(self):
        answer = await self.resolver.services("_imaps._tcp.example.test")
        assert answer.records == (ServiceRecord(0, 993, "mx1.example.test"),)
        assert (await self.resolver.services("_pop3._tcp.example.test")).records == (ServiceRecord(0, 0, ""),)

    async def test_name_servers(self):
        assert (await self.resolver.name_servers("example.test")).records == ("ns1.example.test",)
        assert (await self.resolver.name_servers("mx1.example.test")).records == ()

    async def test_tls_records(self):
        answer = await self.resolver.tls_records("_25._tcp.mx1.example.test")
        assert answer.records == (TLSARecord(3, 1, 1, FINGERPRINT),)
