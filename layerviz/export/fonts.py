"""Fonts for pictures that are drawn with Pillow: whatever has the letters of a text."""

from __future__ import annotations

from functools import lru_cache

from PIL import ImageFont

# Pillow's own font has little more than ASCII; for other letters, what systems tend to have.
OTHER_FONTS = (
    "DejaVuSans.ttf",
    "Arial.ttf",
    "LiberationSans-Regular.ttf",
    "NotoSans-Regular.ttf",
    "NotoSansCJK-Regular.ttc",
    "wqy-zenhei.ttc",
    "msgothic.ttc",
    "Arial Unicode.ttf",
)
NO_LETTER = "\U000fffff"  # in no font: it shows what a font draws for letters that it lacks


@lru_cache(maxsize=64)
def _font_of(size: float, name: str) -> ImageFont.FreeTypeFont | None:
    if not name:
        return ImageFont.load_default(size)
    try:
        return ImageFont.truetype(name, size)
    except OSError:  # this system does not have it
        return None


@lru_cache(maxsize=4096)
def _lacks(name: str, letter: str) -> bool:
    shown = _font_of(16, name)
    return shown is None or bytes(shown.getmask(letter)) == bytes(shown.getmask(NO_LETTER))


def font(size: float, text: str) -> ImageFont.FreeTypeFont:
    """Return the first font that has all letters of `text`, or the one that lacks fewest."""
    letters = {letter for letter in text[:400] if not letter.isspace()}
    fewest, best = len(letters) + 1, ""
    for name in ("", *OTHER_FONTS):
        lacking = sum(_lacks(name, letter) for letter in letters)
        if lacking < fewest:
            fewest, best = lacking, name
        if not lacking:
            break
    return _font_of(size, best) or ImageFont.load_default(size)


def cut(text: str, shown: ImageFont.FreeTypeFont, room: float) -> str:
    """Return `text` on one line, cut to a width in pixels."""
    text = " ".join(text[:400].split())
    if shown.getlength(text) <= room:
        return text
    while text and shown.getlength(text + "…") > room:
        text = text[:-1]
    return text + "…"
