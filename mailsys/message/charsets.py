"""Which charset names of mail we decode, and with what (IANA names, RFC 2978).

The names come from strangers, so they are looked up in a table of our own and never in Python's
codec registry: that one imports a module by the name, keeps every name it did not know for ever,
and has codecs that are no charsets (``unicode_escape``, ``idna``, ``rot13``, ``zlib``).
"""

from __future__ import annotations

from encodings.aliases import aliases

_CODECS = frozenset(
    """
    ascii utf_8 utf_16 utf_16_be utf_16_le latin_1
    iso8859_2 iso8859_3 iso8859_4 iso8859_5 iso8859_6 iso8859_7 iso8859_8 iso8859_9 iso8859_10
    iso8859_11 iso8859_13 iso8859_14 iso8859_15 iso8859_16
    cp1250 cp1251 cp1252 cp1253 cp1254 cp1255 cp1256 cp1257 cp1258
    cp437 cp850 cp852 cp855 cp858 cp862 cp866 cp874 koi8_r koi8_u kz1048 mac_cyrillic mac_roman
    big5 big5hkscs cp932 cp949 cp950 euc_jp euc_kr gb18030 gb2312 gbk hz johab shift_jis tis_620
    iso2022_jp iso2022_jp_1 iso2022_jp_2 iso2022_jp_3 iso2022_jp_ext iso2022_kr
    """.split()  # noqa: SIM905 - as a list it fills a page
)
# Names that mail programs write and Python's table of aliases lacks.
_SEEN_IN_MAIL = {
    "iso_8859_8_i": "iso8859_8",
    "iso_8859_8_e": "iso8859_8",
    "windows_874": "cp874",
    "windows_31j": "cp932",
    "x_sjis": "cp932",
    "x_gbk": "gbk",
    "x_euc_jp": "euc_jp",
    "x_mac_roman": "mac_roman",
    "cp_850": "cp850",
    "unicode_1_1_utf_8": "utf_8",
}
_BY_NAME = {
    **{alias: codec for alias, codec in aliases.items() if codec in _CODECS},
    **{codec: codec for codec in _CODECS},
    **_SEEN_IN_MAIL,
}


def codec_for(charset: str) -> str | None:
    """Python's codec for a charset as mail names it, or None when we do not decode it."""
    return _BY_NAME.get(charset.lower().replace("-", "_").replace(":", "_"))


def decode_text(data: bytes | bytearray, charset: str) -> str | None:
    """The text, with U+FFFD for octets that mean nothing; None when the charset is not known here."""
    codec = codec_for(charset)
    return None if codec is None else data.decode(codec, "replace")
