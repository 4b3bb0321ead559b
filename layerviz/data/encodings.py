"""Which encodings people may choose, and which one a text that is not UTF-8 probably has.

Which bytes a text in an Asian, Cyrillic or Western encoding has is told apart by chardet, which
knows the languages; what is known of tables helps it: only lines that are not plain ASCII tell
anything, only encodings that tables are found in are considered, and a language that mixes no
scripts within its words is not taken for one that does.
"""

from __future__ import annotations

import codecs
import re

import chardet

from layerviz.errors import DataError, did_you_mean
from layerviz.wording import quote

# The codecs to choose from, with what people call them; a codec that is a part of another one
# (GBK of GB 18030, Shift-JIS of its Windows form) is read by the larger one.
ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16, little-endian",
    "utf-16-be": "UTF-16, big-endian",
    "cp1252": "Western European (Windows-1252)",
    "iso8859-1": "Western European (Latin-1)",
    "mac-roman": "Western European (Mac)",
    "cp850": "Western European (DOS)",
    "cp1250": "Central European (Windows-1250)",
    "iso8859-2": "Central European (Latin-2)",
    "cp1257": "Baltic (Windows-1257)",
    "cp1251": "Cyrillic (Windows-1251)",
    "koi8-r": "Cyrillic (KOI8-R)",
    "koi8-u": "Cyrillic (KOI8-U)",
    "cp866": "Cyrillic (DOS)",
    "iso8859-5": "Cyrillic (ISO 8859-5)",
    "mac-cyrillic": "Cyrillic (Mac)",
    "cp1253": "Greek (Windows-1253)",
    "iso8859-7": "Greek (ISO 8859-7)",
    "cp1254": "Turkish (Windows-1254)",
    "cp1255": "Hebrew (Windows-1255)",
    "cp1256": "Arabic (Windows-1256)",
    "cp1258": "Vietnamese (Windows-1258)",
    "cp874": "Thai (Windows-874)",
    "gb18030": "Chinese (GB 18030, GBK)",
    "big5hkscs": "Chinese (Big5)",
    "cp932": "Japanese (Shift-JIS)",
    "euc-jp": "Japanese (EUC-JP)",
    "iso2022-jp": "Japanese (ISO 2022-JP)",
    "cp949": "Korean (EUC-KR)",
}
_LARGER = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "big5hkscs",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "tis_620": "cp874",
    "ascii": "utf-8",
}
# What chardet calls Japanese text of two families: their largest member, and a rare one.
_USUAL = {"euc_jis_2004": "euc-jp", "shift_jis_2004": "cp932"}
_OF_NO_FILES = ("idna", "punycode", "unicode-escape", "raw-unicode-escape")  # names, source code
_OF_LATIN = ("cp1252", "cp1250", "cp1254", "cp1257", "iso8859-2", "mac-roman", "cp850")
_OF_SEVERAL_BYTES = ("gb18030", "big5hkscs", "cp932", "euc-jp", "cp949")
_OF_OTHER_SCRIPTS = (
    *("cp1251", "koi8-r", "koi8-u", "cp866", "mac-cyrillic", "iso8859-5"),
    *("cp1253", "iso8859-7", "cp1255", "cp1256", "cp1258", "cp874", "tis-620"),
    *_OF_SEVERAL_BYTES,
    *("gbk", "gb2312", "big5", "shift_jis", "euc-kr"),
)
_FEW = 3  # bytes beyond ASCII tell no language: they are taken for the most usual one
_FEW_BYTES = 4096
_NEARLY = 0.98  # of the best candidate's confidence: then it is the most usual one
_WORD = re.compile(r"[^\W\d_]+")
_RUN = re.compile(rb"[\x80-\xff]+")
_MIXED = re.compile(r"[a-zA-Z][^\x00-\x7f]|[^\x00-\x7f][a-zA-Z]")


def codec_of(encoding: str) -> str | None:
    """Return the name in `ENCODINGS`, or else Python's, of an encoding; None if there is none."""
    try:
        name = codecs.lookup(encoding.strip()).name
        "a".encode(name)  # not all codecs are of texts
    except (LookupError, ValueError):
        return None
    if name.replace("_", "-") in _OF_NO_FILES:
        return None
    name = _LARGER.get(name.replace("-", "_"), name)
    ours = {codecs.lookup(codec).name: codec for codec in ENCODINGS}
    return ours.get(codecs.lookup(name).name, name)


def known_codec(encoding: str) -> str:
    """Return what `codec_of` does.

    Raises
    ------
    DataError
        If there is no such encoding.
    """
    codec = codec_of(encoding)
    if codec is None:
        hint = did_you_mean(encoding, ENCODINGS, "Use for example utf-8, cp1252 or gb18030.")
        raise DataError(f"There is no encoding {quote(encoding)}.", hint)
    return codec


def encoding_name(codec: str) -> str:
    """Return what people call an encoding."""
    return ENCODINGS.get(codec, codec)


def guess_encoding(lines: bytes) -> str:
    """Return the codec, in `ENCODINGS`, that lines with bytes outside ASCII are probably in."""
    if sum(byte > 127 for byte in lines[:_FEW_BYTES]) <= _FEW:
        return "cp1252"
    ranks = _ranked(lines, (*_OF_LATIN, *_OF_OTHER_SCRIPTS))
    best = next(iter(ranks), "cp1252")
    if best not in _OF_LATIN and best not in _OF_SEVERAL_BYTES and _mixes_scripts(lines, best):
        ranks = _ranked(lines, _OF_LATIN)
        best = next(iter(ranks), "cp1252")
    if best in _OF_LATIN and all(len(run) % 2 == 0 for run in _RUN.findall(lines)):
        # Western letters beyond ASCII stand alone; Asian characters have two bytes each.
        return next(iter(_ranked(lines, _OF_SEVERAL_BYTES)), best)
    if best in _OF_LATIN and ranks.get("cp1252", 0) >= _NEARLY * ranks.get(best, 0):
        return "cp1252"
    return best


def _ranked(lines: bytes, codecs_: tuple[str, ...]) -> dict[str, float]:
    """Return codecs in `ENCODINGS` with chardet's confidence, the best first."""
    found = chardet.detect_all(
        lines,
        ignore_threshold=True,
        compat_names=False,
        include_encodings=codecs_,
        no_match_encoding=codecs_[0],  # the most usual one
    )
    ranks: dict[str, float] = {}
    for one in found:
        codec = codec_of(_USUAL.get(one["encoding"] or "", one["encoding"] or ""))
        if codec in ENCODINGS:
            ranks.setdefault(codec, one["confidence"])
    return ranks


def _mixes_scripts(lines: bytes, codec: str) -> bool:
    """Tell whether many words would have letters of another script beside Latin ones."""
    words = [word for word in _WORD.findall(lines.decode(codec, "replace")) if not word.isascii()]
    return sum(bool(_MIXED.search(word)) for word in words) >= len(words) / 4
