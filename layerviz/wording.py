"""Small words that every room shares: counts, lists, epochs and layers, written for people."""

from __future__ import annotations

import math
from collections.abc import Container, Sequence
from itertools import chain
from itertools import count as numbers
from typing import Literal

Joint = Literal["and", "or"]  # before the last name of a list
NO_VALUE = "no value"  # of a cell that is empty
LONGEST_NAMED = 80  # characters of a label, a cell or the name of anything in a message
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n")  # begin what a spreadsheet would run


def count(n: int, noun: str) -> str:
    """Return "1 row" or "2,000 rows"."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def enumeration(names: Sequence[str], joint: Joint = "and") -> str:
    """Return "A", "A and B" or "A, B and C"; or with "or" in place of "and"."""
    return f" {joint} ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def number_ranges(numbers: Sequence[int], joint: Joint = "and") -> str:
    """Return "3", "3 and 4" or "3–6 and 9"; at least one number is needed."""
    ranges: list[list[int]] = []
    for number in sorted(numbers):
        if ranges and number == ranges[-1][-1] + 1:
            ranges[-1].append(number)
        else:
            ranges.append([number])
    parts: list[str] = []
    for part in ranges:
        parts += [f"{part[0]}–{part[-1]}"] if len(part) > 2 else [str(number) for number in part]
    return enumeration(parts, joint)


def file_size(n_bytes: int) -> str:
    """Write how large a file is: "under 0.1 MB", "12.3 MB" or "1.2 GB"."""
    if n_bytes < 1e5:
        return "under 0.1 MB"
    return f"{n_bytes / 1e6:,.1f} MB" if n_bytes < 1e9 else f"{n_bytes / 1e9:,.1f} GB"


def data_size(n_bytes: int) -> str:
    """Write an amount of data, however small: "2 kB", "12 MB" or "1.2 GB"."""
    if n_bytes < 999_500:
        return f"{math.ceil(max(0, n_bytes) / 1e3):,} kB"
    return f"{n_bytes / 1e6:,.0f} MB" if n_bytes < 999_500_000 else f"{n_bytes / 1e9:,.1f} GB"


def signed(number: float, places: int = 3) -> str:
    """Write a difference with its sign: "+0.042", or "−0.015" with a true minus; no "−0.000"."""
    return f"{_rounded(number, places):+.{places}f}".replace("-", "−")


def decimal(number: float, places: int = 2) -> str:
    """Write a number that may be negative: "0.04", or "−0.02" with a true minus; no "−0.00"."""
    return f"{_rounded(number, places):.{places}f}".replace("-", "−")


def _rounded(number: float, places: int) -> float:
    return round(number, places) + 0.0  # -0.0 becomes 0.0


def sentence_case(text: str) -> str:
    """Return the text with its first letter in upper case and the others as they are."""
    return text[:1].upper() + text[1:]


def cut_to(text: str, most: int) -> str:
    """Return a text on one line, cut to at most as many characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"


def cut_in_middle(text: str) -> str:
    """Return a text cut in its middle where it is too long for a message.

    So both what names begin with and the endings of files stay.
    """
    if len(text) <= LONGEST_NAMED:
        return text
    n_last = LONGEST_NAMED // 4
    return f"{text[: LONGEST_NAMED - n_last - 1]}…{text[-n_last:]}"


def named(name: object) -> str:
    """Return what anything is called, as messages name it: on one line and not too long."""
    return " ".join(cut_in_middle(str(name)).splitlines())


def quote(value: object) -> str:
    """Return a label, a cell, a name or any other value in quotation marks, as messages do."""
    return repr(cut_in_middle(value)) if isinstance(value, str) else cut_in_middle(repr(value))


def free_name(name: str, taken: Container[str]) -> str:
    """Return a name as it is, or with the first number that makes it a free one: "town (2)"."""
    names = chain([name], (f"{name} ({n})" for n in numbers(2)))
    return next(one for one in names if one not in taken)


def told_apart(names: Sequence[str]) -> list[str]:
    """Return names of which equal ones are numbered: "a", "b" and "a (2)"."""
    result: dict[str, None] = {}
    for at, name in enumerate(names):
        result[name if name not in result else free_name(name, {*result, *names[at:]})] = None
    return list(result)


def epoch_number(epoch: float) -> str:
    """Write an epoch as people do: "2", or "0.33"."""
    return f"{epoch:.2f}".rstrip("0").rstrip(".")


def epoch_name(epoch: float, newest: bool = False) -> str:
    """Name a moment of training: "before training", or "epoch 2"."""
    name = "before training" if epoch == 0 else f"epoch {epoch_number(epoch)}"
    return f"{name} (newest)" if newest else name


def at_epoch(epoch: float) -> str:
    """Say when something was: "before training", or "at epoch 2"."""
    return epoch_name(epoch) if epoch == 0 else f"at {epoch_name(epoch)}"


def of_epoch(epoch: float) -> str:
    """Say of when something is: "from before training", or "of epoch 2"."""
    return f"from {epoch_name(epoch)}" if epoch == 0 else f"of {epoch_name(epoch)}"


def epoch_list(epochs: Sequence[float], joint: Joint = "and") -> str:
    """Name moments in the middle of a sentence: "before training and epochs 1–3", "epoch 1 or 2".

    With "or", it is one of two epochs that is meant.
    """
    later = [epoch for epoch in sorted(epochs) if epoch > 0]
    whole = all(epoch == int(epoch) for epoch in later)
    parts = ["before training"] if 0 in epochs else []
    if later:
        names = (
            number_ranges([int(epoch) for epoch in later], joint)
            if whole
            else enumeration([epoch_number(epoch) for epoch in later], joint)
        )
        parts.append(f"epoch{_plural(len(later), joint)} {names}")
    return f" {joint} ".join(parts)


def layer_list(layers: Sequence[int], joint: Joint = "and") -> str:
    """Name layers in the middle of a sentence: "layers 3–6 and 9", or "layer 3 or 4"."""
    return f"layer{_plural(len(layers), joint)} {number_ranges(layers, joint)}"


def _plural(n: int, joint: Joint) -> str:
    """Return the ending of a noun before so many numbers: of "3 or 4", one is meant."""
    return "" if n == 1 or (n == 2 and joint == "or") else "s"


def layer_name(layer: int) -> str:
    """Name a layer; 0 is the embedding output, as the page says where one chooses it."""
    return f"Layer {layer}"


def map_figures(score: float, trust: float, kept: float) -> list[str]:
    """Write what is known of a map: ["F1 0.79", "T 0.93", "kept 38 %"]; NaN is left out.

    Parameters
    ----------
    score : float
        The probe's macro-F1.
    trust, kept : float
        Trustworthiness and share of kept neighbours (`projection.MapQuality`).
    """
    percent = 100 * kept
    figures = {f"F1 {score:.2f}": score, f"T {trust:.2f}": trust, f"kept {percent:.0f} %": kept}
    return [figure for figure, value in figures.items() if not math.isnan(value)]
