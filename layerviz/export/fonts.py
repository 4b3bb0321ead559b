"""Fonts for pictures that are drawn with Pillow: whichever has the letters of a text."""

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
Typeface = ImageFont.FreeTypeFont | ImageFont.ImageFont


@lru_cache(maxsize=64)
def _font_of(size: float, name: str) -> Typeface | None:
    if not name:
        return ImageFont.load_default(size)
    try:
        return ImageFont.truetype(name, size)
    except OSError:  # this system does not have it
        return None


@lru_cache(maxsize=4096)
def _lacks(name: str, letter: str) -> bool:
    typeface = _font_of(16, name)
    if typeface is None:
        return True
    return bytes(typeface.getmask(letter)) == bytes(typeface.getmask(NO_LETTER))


def font(size: float, text: str) -> Typeface:
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


def wrapped(text: str, typeface: Typeface, room: float) -> list[str]:
    """Return `text` in lines of at most a width in pixels; a longer word has a line of its own."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".lstrip()
        if lines[-1] and typeface.getlength(longer) > room:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def cut(text: str, typeface: Typeface, room: float) -> str:
    """Return `text` on one line, cut to a width in pixels."""
    text = " ".join(text[:400].split())
    if typeface.getlength(text) <= room:
        return text
    while text and typeface.getlength(text + "…") > room:
        text = text[:-1]
    return text + "…"
