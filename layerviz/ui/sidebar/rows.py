"""What step 1 asks about the rows of the files: only what they leave open."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from layerviz import data
from layerviz.data import (
    MEANINGS,
    MOST_WORDS,
    SPLIT_WORDS,
    Columns,
    Dataset,
    RowChoices,
    RowQuestions,
    SplitWord,
)
from layerviz.data.wording import quoted, quoted_apart
from layerviz.ui.parts.controls import COMBINED_LABELS
from layerviz.ui.parts.mending import cut_key, merge_key
from layerviz.ui.parts.state import plain
from layerviz.ui.sidebar.address import check_address
from layerviz.wording import count

_GROUPS_SHOWN = 10  # of labels that look alike


def ask_about_rows(
    questions: RowQuestions,
    others: Mapping[str, Columns],
    one_hot: bool | None,
    key: str,
    place: DeltaGenerator,
) -> RowChoices | None:
    """Ask what the rows leave open, and return what was chosen.

    Parameters
    ----------
    questions : RowQuestions
    others : mapping of str to Columns
        Of val and test files whose columns have other names.
    one_hot : bool or None
        What `ask_about_one_hot` returned.
    key : str
        What tells the widgets of the train file from those of others.
    place : DeltaGenerator
        Where the pickers of columns are.

    Returns
    -------
    RowChoices or None
        None until all that has no answer of its own is answered.
    """
    meanings = _split_words(questions, key)
    if meanings is None:
        return None
    with place:
        meanings |= _recut(questions, meanings, key)
    return RowChoices(
        columns_of=tuple(others.items()),
        keep_missing_labels=_keeps_missing(questions, key),
        split_words=tuple(meanings.items()),
        merge_labels=_merges(questions, key),
        one_hot=one_hot,
        combined_labels=_combines(questions, key),
        no_near_repeats=_is_on(_near_key(key)),
        corrections=_corrections(key),
    )


def ask_about_near_repeats(dataset: Dataset, key: str) -> None:
    """Ask whether texts that are nearly the same are kept in one split, if there are any.

    That shows only in the data set, so that what is chosen is read before it is asked.
    """
    if dataset.n_near_repeats or _is_on(_near_key(key)):
        _toggle(
            _near_key(key),
            "Keep near repeats in one split",
            default=False,
            help="Texts that are the same but for case, punctuation, numbers and links: val is cut "
            "so that they are on one side; where the splits are given, rows of train are left out.",
        )


def preset_rows(key: str, choices: RowChoices) -> dict[str, object]:
    """Return by widget what it shows where these are the choices."""
    values: dict[str, object] = {_corrections_key(key): choices.corrections}
    if choices.corrections:
        values[_corrected_key(key)] = True
    if choices.keep_missing_labels is not None:
        values[_missing_key(key)] = choices.keep_missing_labels
    if choices.one_hot is not None:
        values[_one_hot_key(key)] = choices.one_hot
    if choices.combined_labels:
        values[_combined_key(key)] = True
    if choices.merge_labels:
        values[merge_key(key)] = True
    if choices.no_near_repeats:
        values[_near_key(key)] = True
    for word, meaning in choices.split_words:
        if SPLIT_WORDS.get(data.split_word_key(word)) == "val" and meaning == "train":
            values[cut_key(key)] = True
        else:
            values[_word_key(key, word)] = meaning
    return values


def ask_about_one_hot(questions: RowQuestions, key: str) -> bool | None:
    """Ask whether columns of 0 and 1 are one label together; None where there are none."""
    if not questions.one_hot:
        return None
    return _toggle(
        _one_hot_key(key),
        "Columns of 0 and 1 are one label",
        default=True,
        help=f"Each row has exactly one 1 in {plain(quoted(questions.one_hot, 10))}.",
    )


def _corrections_key(key: str) -> str:
    return f"corrections-{key}"  # of no widget: they come with a run


def _corrected_key(key: str) -> str:
    return f"corrected-{key}"


def _corrections(key: str) -> tuple[tuple[str, str], ...]:
    """Ask whether labels are corrected as those of the run that was opened last."""
    corrections: tuple[tuple[str, str], ...] = st.session_state.get(_corrections_key(key), ())
    if not corrections:
        return ()
    wanted = st.toggle(
        f"Use {count(len(corrections), 'corrected label')}",
        value=True,
        key=_corrected_key(key),
        help="Those of the open run. Without, the labels of the file are taken.",
    )
    return corrections if wanted else ()


def _one_hot_key(key: str) -> str:
    return f"onehot-{key}"


def _near_key(key: str) -> str:
    return f"near-{key}"


def _is_on(widget: str) -> bool:
    """Tell whether a switch that may not be drawn yet is on, by the reader or by the address."""
    return bool(st.session_state.get(widget, st.query_params.get(widget) == "true"))


def _combined_key(key: str) -> str:
    return f"combined-{key}"


def _combines(questions: RowQuestions, key: str) -> bool:
    found = questions.combinations
    return found is not None and _toggle(
        _combined_key(key),
        COMBINED_LABELS,
        default=False,
        help=f"{count(found.n_rows, 'row')} hold several labels, such as {plain(found.example)}.",
    )


def _merges(questions: RowQuestions, key: str) -> bool:
    groups = questions.look_alikes
    if not groups:
        return False
    return _toggle(
        merge_key(key),
        "Merge labels that look alike",
        default=False,
        help=plain("; ".join(quoted_apart(group) for group in groups[:_GROUPS_SHOWN])),
    )


def _word_key(key: str, word: str) -> str:
    return f"word-{key}-{hashlib.sha256(data.split_word_key(word).encode()).hexdigest()[:8]}"


def _split_words(questions: RowQuestions, key: str) -> dict[str, str] | None:
    """Ask for the meaning of words that are not usual ones; of all, where none means train."""
    words = questions.split_words
    is_trained = any(word.meaning == "train" for word in words)
    asked = [word for word in words if word.is_guess or not is_trained]
    if not asked or len(words) > MOST_WORDS:
        return {}
    st.caption(f"What do the words of column “{plain(questions.split_column)}” mean?")
    meanings = {word.word: _meaning(word, _word_key(key, word.word)) for word in asked}
    missing = [word for word, meaning in meanings.items() if meaning is None]
    if missing:
        st.warning(
            f"Choose what {plain(quoted(missing))} means, or pick no split column.",
            icon=":material/warning:",
        )
        return None
    return {word: meaning for word, meaning in meanings.items() if meaning is not None}


def _meaning(word: SplitWord, key: str) -> str | None:
    title = f"“{plain(word.word)}” ({count(word.n_rows, 'row')})"
    check_address(key, f"“{word.word}”", MEANINGS.__contains__, "Choose a split.")
    preset = MEANINGS.index(word.meaning) if word.meaning else None
    return st.selectbox(
        title, MEANINGS, preset, key=key, placeholder="Choose a split", bind="query-params"
    )


def _recut(questions: RowQuestions, chosen: Mapping[str, str], key: str) -> dict[str, str]:
    """Ask whether val is cut anew from train and val; return the words that then mean train."""
    if questions.has_val_file:
        return {}
    meanings = data.meanings_of(questions.split_words, chosen)
    val = [word.word for word in questions.split_words if meanings[word.key] == "val"]
    if not val or "train" not in meanings.values():
        return {}
    cut = _toggle(
        cut_key(key),
        "Cut val at random",
        default=False,
        help="From the rows that are train or val, instead of those that the column names. "
        "Test stays as it is.",
    )
    return dict.fromkeys(val, "train") if cut else {}


def _missing_key(key: str) -> str:
    return f"missing-{key}"


def _keeps_missing(questions: RowQuestions, key: str) -> bool | None:
    words = questions.missing_words
    if not words:
        return None
    return _toggle(
        _missing_key(key),
        f"{plain(quoted(words, 3))} {'is a class' if len(words) == 1 else 'are classes'}",
        default=questions.are_classes,
        help="Usually such labels say that there is none, and their rows are left out.",
    )


def _toggle(key: str, label: str, *, default: bool, help: str) -> bool:
    check_address(key, label, ("true", "false").__contains__, "Give true or false.")
    return st.toggle(label, default, key=key, help=help, bind="query-params")
