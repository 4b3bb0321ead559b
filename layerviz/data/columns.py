"""Which columns carry text, label and split: guessed from names and cells, and checked."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerviz.data.reading import SAMPLE_ROWS
from layerviz.data.wording import quoted
from layerviz.errors import DataError

SPLIT_WORDS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev", "development"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}
_TEXT = r"""text|tweet|sentence|review|comment|message|content|body|question|utterance|document|post
    |description|headline|abstract|statement|query|v2"""
_LABEL = r"""labels?|class|category|target|sentiment|emotion|hs|intent|type|topic|stance|toxic|hate
    |hateful|spam|polarity|rating|stars|score|genre|tag|y|v1|classindex"""
_ID = r"id|idx|uuid|guid|url|link|date|time|timestamp|created|user|username"


@dataclass(frozen=True)
class Columns:
    """The columns of a table that carry the text, the label and, if there is one, the split."""

    text: str
    label: str
    split: str | None = None


def guess_columns(frame: pd.DataFrame) -> Columns:
    """Guess text, label and split from column names and from up to 5,000 evenly spaced rows.

    A DataError is raised if no column reads like a text, or no other one like a label.
    """
    split = next((column for column in frame if _is_split(frame[column])), None)
    sample = _some_rows(frame).drop(columns=split or [])
    text = _best_text(sample)
    ranks = {column: _label_rank(sample[column]) for column in sample if column != text}
    labels = {column: rank for column, rank in ranks.items() if rank is not None}
    if text is None or not labels:
        what = "text" if text is None else "label"
        hint = "Pick the columns yourself: texts vary, labels are few values that recur."
        raise DataError(f"No column of {quoted(frame, 20)} looks like a {what}.", hint)
    return Columns(text, min(labels, key=labels.__getitem__), split)


def guess_text_column(frame: pd.DataFrame) -> str:
    """Guess the column of texts alone, where no label is needed; a DataError if there is none."""
    text = _best_text(_some_rows(frame))
    if text is None:
        hint = "Name the column of the texts."
        raise DataError(f"No column of {quoted(frame, 20)} looks like a text.", hint)
    return text


def check_columns(frame: pd.DataFrame, columns: Columns) -> None:
    """Raise a DataError unless ``frame`` has all of ``columns`` and they differ."""
    picked = [name for name in (columns.text, columns.label, columns.split) if name is not None]
    there = f"Pick from the columns that are there: {quoted(frame.columns, 20)}."
    if missing := sorted(set(picked) - set(frame.columns)):
        raise DataError(f"There is no column {quoted(missing)}.", there)
    if len(set(picked)) < len(picked):
        raise DataError("Text, label and split are not in columns of their own.", there)


def _best_text(sample: pd.DataFrame) -> str | None:
    texts = {column: _text_score(sample[column]) for column in sample}
    best = max(texts, key=texts.__getitem__, default="")
    return best if texts.get(best) else None


def _some_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """Return up to 5,000 evenly spaced rows."""
    return frame.iloc[np.linspace(0, len(frame) - 1, min(len(frame), SAMPLE_ROWS)).astype(int)]


def _hint(name: str, usual: str) -> int:
    """Return 2 if the whole name is a usual one, 1 if a word of it is, else 0."""
    words = re.findall(r"[^\W_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).casefold())
    known = re.compile(usual, re.VERBOSE)
    return 2 if known.fullmatch("".join(words)) else int(any(map(known.fullmatch, words)))


def _text_score(cells: pd.Series) -> float:
    """Return 0 for no text; long and varied cells score high, more so under a usual name."""
    filled, hint = cells[cells.str.strip() != ""], _hint(cells.name, _TEXT)
    is_numeric = pd.to_numeric(filled, errors="coerce").notna().all()  # of no cells at all, too
    if is_numeric or (_hint(cells.name, _ID) and hint < 2):
        return 0.0
    return float(filled.str.len().sum() * filled.nunique() / len(filled) * 2.0**hint)


def _label_rank(cells: pd.Series) -> tuple[int, int] | None:
    """Return None for no label, else what sorts first: a usual name, then few values."""
    filled, hint = cells[cells.str.strip() != ""], _hint(cells.name, _LABEL)
    n_filled, n_distinct = len(filled), filled.nunique()
    most = n_filled / 2 if hint else min(n_filled / 2, max(50, n_filled / 3))
    numbers = pd.to_numeric(filled, errors="coerce")
    is_score = bool(numbers.notna().all() and (numbers % 1 != 0).any())
    is_id = bool(_hint(cells.name, _ID)) and not hint
    if 2 <= n_distinct <= most and n_filled >= len(cells) / 2 and not is_score and not is_id:
        return -hint, n_distinct
    # A column called "label" is a last resort: building then says what is wrong with it.
    return (1, n_distinct) if hint == 2 else None


def _is_split(cells: pd.Series) -> bool:
    for some in (cells.head(SAMPLE_ROWS), cells):
        values = set(some.str.strip().str.lower().unique()) - {""}
        if not values <= set(SPLIT_WORDS):
            return False
    return "train" in {SPLIT_WORDS[value] for value in values}
