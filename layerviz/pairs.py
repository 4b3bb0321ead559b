"""Two texts that belong together, as one: shown and searched whole, encoded as a pair."""

from __future__ import annotations

from layerviz.wording import cut_to

BAR, TYPED_BARS = "‖", "||"  # how the mark looks, and what a keyboard has for it
# Between the texts of a pair, and in no other text: a bar may be in any, these separators are not.
PAIR_MARK = f"\N{INVISIBLE SEPARATOR}{BAR}\N{INVISIBLE SEPARATOR}"
_BETWEEN = f" {PAIR_MARK} "


def pair_of(first: str, second: str) -> str:
    """Return a pair of texts as one."""
    return f"{first}{_BETWEEN}{second}"


def is_pair(text: str) -> bool:
    """Tell whether a text is a pair of texts."""
    return PAIR_MARK in text


def parts_of_pair(text: str) -> tuple[str, ...]:
    """Return the two texts of a pair, or the one of any other text."""
    if not is_pair(text):
        return (text,)
    first, _, second = text.partition(PAIR_MARK)
    return first.removesuffix(" "), second.removeprefix(" ")


def text_cut_to(text: str, most: int) -> str:
    """Return a text on one line, cut to `most` characters; of a pair, beside the mark.

    Neither text of a pair is cut below its half for the other one.
    """
    parts = parts_of_pair(text)
    if len(parts) == 1:
        return cut_to(text, most)
    first, second = (" ".join(part.split()) for part in parts)
    half = most // 2
    return pair_of(
        cut_to(first, most - min(len(second), half)),
        cut_to(second, most - min(len(first), half)),
    )


def without_mark(text: str) -> str:
    """Return a text that is not taken for a pair, and looks as it did."""
    return text.replace(PAIR_MARK, BAR)


def pair_as_typed(text: str) -> str:
    """Return what a person typed as a pair where it has a bar, or two strokes, between texts."""
    first, bar, second = without_mark(text).replace(TYPED_BARS, BAR, 1).partition(BAR)
    return pair_of(first.strip(), second.strip()) if bar else text
