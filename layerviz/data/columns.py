"""Which columns carry text, label and split: guessed from names and cells, and checked."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerviz.data.wording import quoted
from layerviz.errors import DataError, did_you_mean

SAMPLE_ROWS = 5_000
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)", re.ASCII)
SPLIT_WORDS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev", "development"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}
_TEXT = r"""text|tweet|sentence|review|comment|message|content|body|question|utterance|document|post
    |description|headline|abstract|statement|query|v2"""
_LABEL = r"""labels?|class|category|target|sentiment|emotion|hs|intent|type|topic|stance|toxic|hate
    |hateful|spam|polarity|rating|stars|score|genre|tag|y|v1|classindex"""
_OWN_ID = r"id|idx|uid|uuid|guid"
_ID = _OWN_ID + r"|url|link|date|time|timestamp|created|user|username"


@dataclass(frozen=True)
class Columns:
    """The columns of a table that carry the text, the label and, if there is one, the split."""

    text: str
    label: str
    split: str | None = None


def guess_columns(frame: pd.DataFrame) -> Columns:
    """Guess text, label and split from column names and from up to 5,000 evenly spaced rows.

    Raises
    ------
    DataError
        If no column looks like texts, or no other one like labels.
    """
    names = column_names(frame)
    split = next((name for name in names if _is_split(frame[name])), None)
    sample = _some_rows(frame).drop(columns=split or [])
    text = _best_text(sample)
    ranks = {name: _label_rank(name, sample[name]) for name in column_names(sample) if name != text}
    labels = {name: rank for name, rank in ranks.items() if rank is not None}
    if text is None or not labels:
        what = "texts" if text is None else "labels"
        hint = "Pick the columns yourself: texts vary, labels are a few recurring values."
        raise DataError(f"None of the columns {quoted(names, 20)} looks like {what}.", hint)
    return Columns(text, min(labels, key=labels.__getitem__), split)


def guess_text_column(frame: pd.DataFrame) -> str:
    """Guess the column of texts alone, where no label is needed.

    Raises
    ------
    DataError
        If no column looks like texts.
    """
    text = _best_text(_some_rows(frame))
    if text is None:
        names = quoted(column_names(frame), 20)
        raise DataError(f"None of the columns {names} looks like texts.", "Name the text column.")
    return text


def guess_id_column(frame: pd.DataFrame, columns: Columns) -> str | None:
    """Return the column that gives each row an id of its own, or None without one.

    Parameters
    ----------
    frame : DataFrame
    columns : Columns
        Those that are taken for something else.
    """
    taken = (columns.text, columns.label, columns.split)
    scores = {name: _name_score(name, _OWN_ID) for name in column_names(frame) if name not in taken}
    by_name = sorted((name for name in scores if scores[name]), key=lambda name: -scores[name])
    return next((name for name in by_name if _all_differ(frame[name])), None)


def _all_differ(cells: pd.Series) -> bool:
    return bool((cells.str.strip() != "").all() and cells.is_unique)


def check_columns(frame: pd.DataFrame, columns: Columns) -> None:
    """Raise a DataError unless ``frame`` has all of ``columns`` and they differ."""
    picked = [name for name in (columns.text, columns.label, columns.split) if name is not None]
    if missing := sorted(set(picked) - set(frame.columns)):
        hint = did_you_mean(missing[0], column_names(frame), pick_from(frame))
        raise DataError(f"There is no column {quoted(missing)}.", hint)
    if len(set(picked)) < len(picked):
        raise DataError("Text, label and split must be different columns.", pick_from(frame))


def pick_from(frame: pd.DataFrame) -> str:
    """Return the hint that lists the columns that can be picked."""
    return f"Choose from the columns of the file: {quoted(column_names(frame), 20)}."


def column_names(frame: pd.DataFrame) -> list[str]:
    """Return the names of the columns in their order."""
    return [str(name) for name in frame.columns]


def _best_text(sample: pd.DataFrame) -> str | None:
    scores = {name: _text_score(name, sample[name]) for name in column_names(sample)}
    best = max(scores, key=scores.__getitem__, default="")
    return best if scores.get(best) else None


def _some_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """Return up to 5,000 evenly spaced rows."""
    return frame.iloc[np.linspace(0, len(frame) - 1, min(len(frame), SAMPLE_ROWS)).astype(int)]


def _name_score(name: str, usual: str) -> int:
    """Return 2 if the whole name is a usual one, 1 if a word of it is, else 0."""
    words = re.findall(r"[^\W_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).casefold())
    pattern = re.compile(usual, re.VERBOSE)
    return 2 if pattern.fullmatch("".join(words)) else int(any(map(pattern.fullmatch, words)))


def _text_score(name: str, cells: pd.Series) -> float:
    """Return 0 for no text; long and varied cells score high, more so under a usual name."""
    filled, name_score = cells[cells.str.strip() != ""], _name_score(name, _TEXT)
    is_numeric = pd.to_numeric(filled, errors="coerce").notna().all()  # also of no cells at all
    if is_numeric or (_name_score(name, _ID) and name_score < 2):
        return 0.0
    return float(filled.str.len().sum() * filled.nunique() / len(filled) * 2.0**name_score)


def _label_rank(name: str, cells: pd.Series) -> tuple[int, int] | None:
    """Return None for no label, else what sorts first: a usual name, then few values."""
    filled, name_score = cells[cells.str.strip() != ""], _name_score(name, _LABEL)
    n_filled, n_distinct = len(filled), filled.nunique()
    most = n_filled / 2 if name_score else min(n_filled / 2, max(50, n_filled / 3))
    numbers = pd.to_numeric(filled, errors="coerce")
    is_score = bool(numbers.notna().all() and (numbers % 1 != 0).any())
    is_id = bool(_name_score(name, _ID)) and not name_score
    if 2 <= n_distinct <= most and n_filled >= len(cells) / 2 and not is_score and not is_id:
        return -name_score, n_distinct
    # A column called "label" is a last resort: building then says what is wrong with it.
    return (1, n_distinct) if name_score == 2 else None


def _is_split(cells: pd.Series) -> bool:
    """Tell whether all cells say train, val or test, looking at the first ones first."""
    for some in (cells.head(SAMPLE_ROWS), cells):
        values = set(some.str.strip().str.lower().unique()) - {""}
        if not values <= set(SPLIT_WORDS):
            return False
    return "train" in {SPLIT_WORDS[value] for value in values}


def gives_val(frame: pd.DataFrame, split: str | None) -> bool:
    """Tell whether a split column says of any row that it belongs to val."""
    if split is None:
        return False
    words = frame[split].str.strip().str.lower().unique()
    return any(SPLIT_WORDS.get(word) == "val" for word in words)
