"""Which columns look like texts, labels, splits and ids: a suggestion, which people correct."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerviz.data.columns import (
    SAMPLE_ROWS,
    Columns,
    column_names,
    has_word,
    name_score,
    plain_name,
    same_name,
)
from layerviz.data.labels import without_label
from layerviz.data.several_labels import several_columns_problem, zero_one_columns
from layerviz.data.splits import looks_like_split
from layerviz.data.wording import quoted
from layerviz.errors import DataError

_TEXT = r"""text|tweet|sentence|review|comment|message|content|body|question|utterance|document|post
    |description|headline|abstract|statement|query|v2"""
_LABEL = r"""labels?|class|category|target|sentiment|emotion|hs|intent|type|topic|stance|toxic|hate
    |hateful|spam|polarity|rating|stars|score|genre|tag|y|v1|classindex"""
_SURELY_LABEL = "labels?|class|category|target|y|classindex"  # whatever stands beside it
_OWN_ID = r"id|idx|uid|uuid|guid"
_ID = _OWN_ID + r"|url|link|date|time|timestamp|created|user|username"
_NEARLY_ALL = 0.95  # of whole numbers differ where they are ids
_MOST_GAPS = 2  # numbers that counted ids span, per row
_ID_DIGITS = 6
_FEW_VALUES = 20  # of a column that hardly looks like labels but for how few they are
_A_TEXT = 15  # characters, on average, of a column that hardly looks like texts but for its cells


@dataclass(frozen=True)
class Suggestion:
    """The columns that were named, and beside them those that look right.

    Parameters
    ----------
    text, label, split : str or None
        None where nothing looks right; a file need not have a split column.
    problem : str
        A sentence that says what could not be found; empty where text and label were.
    text_pair : str or None
        The second text where names say that there are pairs.
    """

    text: str | None
    label: str | None
    split: str | None
    problem: str = ""
    text_pair: str | None = None

    @property
    def columns(self) -> Columns | None:
        """The columns if they are complete."""
        if self.text is None or self.label is None:
            return None
        return Columns(self.text, self.label, self.split, self.text_pair)


def suggest_columns(
    frame: pd.DataFrame,
    *,
    text: str | None = None,
    label: str | None = None,
    split: str | None = None,
) -> Suggestion:
    """Take the columns that are named, and guess the others from names and cells.

    Parameters
    ----------
    frame : DataFrame
        Up to 5,000 evenly spaced rows are looked at.
    text, label, split : str, optional
        A column that is named is taken, whatever it looks like. Where text and label are named, a
        column of splits is still looked for, but no second text.
    """
    names = column_names(frame)
    named = {name for name in (text, label, split) if name is not None}
    rest = [name for name in names if name not in named]
    if split is None:
        split = next((name for name in rest if looks_like_split(name, frame[name])), None)
        rest = [name for name in rest if name != split]
    sample = _some_rows(frame)
    pair = None
    if text is None:
        text = _best_text(sample[rest])
        rest = [name for name in rest if name != text]
        if text is not None:
            text, pair = _pair_of_columns(sample, text, rest)
            rest = [name for name in rest if name not in (text, pair)]
    problem = ""
    if label is None:
        label = _best_label(sample[rest])
        if label is not None and not has_word(label, _SURELY_LABEL):
            problem = several_columns_problem(frame, label, zero_one_columns(frame, rest))
            label = None if problem else label
    if text is None or (label is None and not problem):
        what = "texts" if text is None else "labels"
        problem = f"None of the columns {quoted(names, 20)} looks like {what}."
    return Suggestion(text, label, split, problem, pair)


def guess_columns(frame: pd.DataFrame) -> Columns:
    """Guess text, label and split from column names and from up to 5,000 evenly spaced rows.

    Raises
    ------
    DataError
        If no column looks like texts, or no other one like labels.
    """
    suggestion = suggest_columns(frame)
    if suggestion.columns is None:
        hint = "Pick the columns yourself: texts vary, labels are a few recurring values."
        raise DataError(suggestion.problem, hint)
    return suggestion.columns


def is_usual_name(name: str) -> bool:
    """Tell whether a column of texts, labels or ids may well be called so."""
    return any(name_score(name, usual) for usual in (_TEXT, _LABEL, _ID))


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
    others = [name for name in column_names(frame) if name not in columns.named]
    scores = {name: name_score(name, _OWN_ID) for name in others}
    by_name = sorted((name for name in scores if scores[name]), key=lambda name: -scores[name])
    return next((name for name in by_name if _all_differ(frame[name])), None)


def are_ids(name: str, cells: pd.Series) -> bool:
    """Tell whether whole numbers are ids, which say which one and not how much.

    They are if the column is called so, or if nearly all differ and they look as counted or dealt
    out: without large gaps, rising from row to row, or with equally many digits, at least six.

    Parameters
    ----------
    name : str
        Of the column.
    cells : Series of str
        Those that hold a number.
    """
    if not cells.str.fullmatch(r"\s*[+-]?\d+(\.0*)?\s*").all():
        return False
    if has_word(name, _OWN_ID):
        return True
    if cells.nunique() < _NEARLY_ALL * len(cells):
        return False
    numbers = cells.astype("float64")  # of those too long for it, the digits tell
    digits = cells.str.strip().str.lstrip("+-").str.partition(".")[0].str.len()
    return bool(
        numbers.max() - numbers.min() < _MOST_GAPS * len(cells)
        or numbers.is_monotonic_increasing
        or (digits.min() == digits.max() >= _ID_DIGITS)
    )


_PAIRS = (
    ("sentence1", "sentence2"), ("sentencea", "sentenceb"), ("text1", "text2"), ("texta", "textb"),
    ("s1", "s2"), ("question1", "question2"), ("q1", "q2"), ("premise", "hypothesis"),
    ("question", "answer"), ("question", "context"), ("question", "passage"),
    ("question", "sentence"), ("query", "passage"), ("query", "document"), ("claim", "evidence"),
    ("context", "response"), ("headline", "body"),
)  # fmt: skip


def _pair_of_columns(
    sample: pd.DataFrame, text: str, others: Iterable[str]
) -> tuple[str, str | None]:
    """Return first and second text, if the names say that there are pairs; else (text, None)."""
    rest = {plain_name(name): name for name in others}
    for first, second in _PAIRS:
        if plain_name(text) == first and second in rest and _is_text(sample, rest[second]):
            return text, rest[second]
        if plain_name(text) == second and first in rest and _is_text(sample, rest[first]):
            return rest[first], text
    return text, None


def _is_text(sample: pd.DataFrame, name: str) -> bool:
    return bool(_text_score(name, sample[name]))


def match_columns(
    frame: pd.DataFrame,
    columns: Columns,
    train_labels: pd.Series,
    *,
    text: str | None = None,
    label: str | None = None,
    text_pair: str | None = None,
) -> Suggestion:
    """Find the text and label columns of the train file in a val or test file.

    Names may be written a little differently; else a column is taken if it is the only one that
    can be meant: it alone looks like texts, or holds nothing but labels of train.

    Parameters
    ----------
    frame : DataFrame
        Of the val or test file.
    columns : Columns
        Of the train file.
    train_labels : Series of str
        The cells of the train file's label column.
    text, label, text_pair : str, optional
        A column that is named is taken.
    """
    if columns.text_pair is not None:
        text_pair = text_pair or same_name(frame, columns.text_pair)
    label = label or same_name(frame, columns.label, [text] if text else [])
    text = text or same_name(frame, columns.text, [label] if label else [])
    sample = _some_rows(frame)
    if label is None:
        known = _distinct(train_labels)
        values = {name: _distinct(sample[name]) for name in column_names(frame) if name != text}
        label = _only(name for name, found in values.items() if found and found <= known)
    if text is None:
        rest = [name for name in column_names(frame) if name != label]
        rest = [name for name in rest if name != text_pair]
        text = _only(name for name in rest if _text_score(name, sample[name]))
    pairs = ((columns.text, text), (columns.label, label), (columns.text_pair, text_pair))
    wanted = [name for name, found in pairs if found is None and name is not None]
    problem = f"There is no column {quoted(wanted)}." if wanted else ""
    return Suggestion(text, label, None, problem, text_pair)


def _only(names: Iterable[str]) -> str | None:
    found = list(names)
    return found[0] if len(found) == 1 else None


def _distinct(cells: pd.Series) -> set[str]:
    return set(cells.str.strip().unique()) - {""}


def _all_differ(cells: pd.Series) -> bool:
    return bool((cells.str.strip() != "").all() and cells.is_unique)


def _some_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """Return up to 5,000 evenly spaced rows."""
    return frame.iloc[np.linspace(0, len(frame) - 1, min(len(frame), SAMPLE_ROWS)).astype(int)]


def _best_text(sample: pd.DataFrame) -> str | None:
    scores = {name: _text_score(name, sample[name]) for name in column_names(sample)}
    best = max(scores, key=scores.__getitem__, default="")
    if scores.get(best):
        return best
    long = {name: _length_score(sample[name]) for name in column_names(sample)}
    best = max(long, key=long.__getitem__, default="")
    return best if long.get(best) else None


def _text_score(name: str, cells: pd.Series) -> float:
    """Return 0 for no text; long and varied cells score high, more so under a usual name."""
    filled, usual = cells[cells.str.strip() != ""], name_score(name, _TEXT)
    is_numeric = pd.to_numeric(filled, errors="coerce").notna().all()  # also of no cells at all
    if is_numeric or (name_score(name, _ID) and usual < 2):
        return 0.0
    return float(filled.str.len().sum() * filled.nunique() / len(filled) * 2.0**usual)


def _length_score(cells: pd.Series) -> float:
    """Return the mean length of cells that are words, whatever their column is called, else 0."""
    filled = cells[cells.str.strip() != ""]
    if filled.empty or not filled.str.strip().str.contains(r"\s").mean() > 0.5:
        return 0.0
    length = float(filled.str.len().mean())
    return length if length >= _A_TEXT and filled.nunique() > len(filled) / 2 else 0.0


def _best_label(sample: pd.DataFrame) -> str | None:
    ranks = {name: _label_rank(name, sample[name]) for name in column_names(sample)}
    labels = {name: rank for name, rank in ranks.items() if rank is not None}
    return min(labels, key=labels.__getitem__) if labels else None


def _label_rank(name: str, cells: pd.Series) -> tuple[int, int] | None:
    """Return None for no label, else what sorts first: a usual name, then few values."""
    filled, usual = cells[~without_label(cells, surely=True)], name_score(name, _LABEL)
    n_filled, n_distinct = len(filled), filled.nunique()
    most = n_filled / 2 if usual else min(n_filled / 2, max(50, n_filled / 3))
    numbers = pd.to_numeric(filled, errors="coerce")
    is_score = bool(numbers.notna().all() and (numbers % 1 != 0).any())
    is_id = bool(name_score(name, _ID)) and not usual
    recurs = 2 <= n_distinct <= most and n_filled >= len(cells) / 2
    if recurs and not is_score and not is_id:
        return -usual, n_distinct
    if recurs and n_distinct <= _FEW_VALUES:  # "lang_id", or halves of a grade
        return 1, n_distinct
    # A column called "label" is a last resort: building then says what is wrong with it.
    return (2, n_distinct) if usual == 2 else None
