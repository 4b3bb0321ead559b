"""What the words of a split column mean: known, guessed or asked for."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from layerviz.config import SPLITS
from layerviz.data.columns import SAMPLE_ROWS, has_word
from layerviz.data.labels import without_label
from layerviz.data.wording import quoted
from layerviz.errors import DataError
from layerviz.wording import LONGEST_NAMED, count, enumeration, quote

if TYPE_CHECKING:
    import pandas as pd

LEAVE_OUT = "leave out"
MEANINGS = (*SPLITS, LEAVE_OUT)
SPLIT_WORDS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev", "development"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}
# Words whose meaning is a guess, which is told; without spaces, "-", "_", and without "set" or
# "data" at their end.
_GUESSES = {
    **SPLIT_WORDS,
    **dict.fromkeys(
        ("trn", "tr", "learn", "learning", "fit", "trainval", "traindev", "treino",
         "entrenamiento", "entrainement", "entraînement"),
        "train",
    ),
    **dict.fromkeys(
        ("vld", "validate", "validierung", "validación", "validacion", "validação", "tune",
         "tuning", "publictest", "devtest"),
        "val",
    ),
    **dict.fromkeys(("tst", "privatetest", "blind", "blindtest", "finaltest"), "test"),
    **dict.fromkeys(
        ("unsup", "unsupervised", "unlabeled", "unlabelled", "unused", "exclude", "excluded",
         "ignore", "ignored", "discard", "discarded", "drop", "dropped", "skip", "skipped"),
        LEAVE_OUT,
    ),
}  # fmt: skip
# These are val where nothing else is, else test where nothing else is.
_HELD_OUT = ("eval", "evaluation", "evaluate", "holdout", "heldout")
_USUAL_NAME = "split|splits|set|subset|partition|fold|folds|kfold|usage|phase|part"
_SURE_NAME, _FEW_WORDS = "splits?|datasplit", 6  # then no word has to mean anything
_FOLD_NAME = "fold|folds|kfold"
_FLAG = re.compile(r"(?:is|in|for)?[ _-]?(train|val|dev|test)(?:ing|id|idation)?(?:[ _-]?set)?")
_YES, _NO = {"1", "1.0", "true", "yes", "y", "t"}, {"0", "0.0", "false", "no", "n", "f"}
MOST_WORDS = 20  # that a column of splits has


@dataclass(frozen=True)
class SplitWord:
    """A word of a split column.

    Parameters
    ----------
    word : str
        As it is written most often; words that differ in case are one.
    n_rows : int
    meaning : str
        Train, val, test or leave out; empty where it is not known.
    is_guess : bool
        Whether the meaning is not that of a usual word.
    """

    word: str
    n_rows: int
    meaning: str = ""
    is_guess: bool = True

    @property
    def key(self) -> str:
        """What all its spellings have in common."""
        return split_word_key(self.word)


def split_word_key(word: str) -> str:
    """Return what words that differ in case or space around them have in common."""
    return word.strip().casefold()


def split_words(name: str, cells: pd.Series) -> tuple[SplitWord, ...]:
    """Return the words of a split column, most frequent first; empty and missing cells are none.

    Parameters
    ----------
    name : str
        Of the column.
    cells : Series of str
    """
    written = cells.str.strip().value_counts()
    written = written[~without_label(written.index.to_series(), surely=True).to_numpy()]
    n_rows: Counter[str] = Counter()
    spelling: dict[str, str] = {}
    for word, n in written.items():
        n_rows[split_word_key(str(word))] += int(n)
        spelling.setdefault(split_word_key(str(word)), str(word))
    words = [SplitWord(spelling[key], n) for key, n in n_rows.most_common()]
    return tuple(_with_meanings(name, words)) if len(words) <= MOST_WORDS else tuple(words)


def _with_meanings(name: str, words: Sequence[SplitWord]) -> list[SplitWord]:
    keys = [one.key for one in words]
    special = _flags(name, keys) or _folds(name, keys)
    if special:
        return [replace(one, meaning=special[one.key]) for one in words]
    meanings = {key: _GUESSES.get(_stem(key), "") for key in keys}
    for key in keys:
        free = [split for split in ("val", "test") if split not in meanings.values()]
        if _stem(key) in _HELD_OUT and free:
            meanings[key] = free[0]
    return [
        replace(one, meaning=meanings[one.key], is_guess=one.key not in SPLIT_WORDS)
        for one in words
    ]


def _stem(key: str) -> str:
    """Return "train" for "train_set", "Train data" and "trainset"."""
    stem = re.sub(r"[\W_]+", "", key)
    return re.sub(r"(?<=.)((set|data|split|part)?\d*)$", "", stem)


def _flags(name: str, keys: Sequence[str]) -> dict[str, str]:
    """Return the meanings of yes and no in a column such as "is_test"."""
    flag = _FLAG.fullmatch(name.strip().casefold())
    yes, no = set(keys) & _YES, set(keys) & _NO
    if flag is None or len(yes) != 1 or len(no) != 1 or len(keys) != 2:
        return {}
    split = SPLIT_WORDS[flag[1]]
    return {yes.pop(): split, no.pop(): "train" if split != "train" else "test"}


def _folds(name: str, keys: Sequence[str]) -> dict[str, str]:
    """Return the meanings of numbered folds: the last is val, the others train."""
    numbers = {key: re.fullmatch(r"(?:k?-?fold)?[ _-]?(\d+)(?:\.0)?", key) for key in keys}
    folds = {key: int(number[1]) for key, number in numbers.items() if number}
    if not has_word(name, _FOLD_NAME) or len(folds) < max(2, len(keys)):
        return {}
    last = max(folds, key=folds.__getitem__)
    return {key: "val" if key == last else "train" for key in folds}


def looks_like_split(name: str, cells: pd.Series) -> bool:
    """Tell whether a column says of each row whether it belongs to train, val or test.

    Under any name, if all its words mean something and one is train; under a usual name, if one
    of them does, so that the others are asked for; if it is called "split", whatever its few words.
    """
    words = split_words(name, cells.head(SAMPLE_ROWS))
    if not 0 < len(words) <= MOST_WORDS:
        return False
    words = split_words(name, cells) if len(cells) > SAMPLE_ROWS else words
    if len(words) > MOST_WORDS:
        return False
    known = any(not word.is_guess for word in words)
    if has_word(name, _USUAL_NAME) and (known or all(word.meaning for word in words)):
        return True
    if has_word(name, _SURE_NAME) and 1 < len(words) <= _FEW_WORDS:
        return True
    is_flag = bool(_flags(name, [word.key for word in words]))
    means_train = any(word.meaning == "train" and not word.is_guess for word in words)
    return is_flag or (means_train and all(word.meaning for word in words))


def meanings_of(words: Sequence[SplitWord], chosen: Mapping[str, str]) -> dict[str, str]:
    """Return what each word means by its key: what was chosen, else the guess, else ""."""
    by_key = {split_word_key(word): meaning for word, meaning in chosen.items()}
    return {word.key: by_key.get(word.key, word.meaning) for word in words}


def check_meanings(column: str, words: Sequence[SplitWord], meanings: Mapping[str, str]) -> None:
    """Raise a DataError unless each word of a split column means something, and one train."""
    unknown = [word for word in words if not meanings[word.key]]
    if unknown:
        raise DataError(
            f"Column {quote(column)} holds words that name no split: "
            f"{quoted(word.word for word in unknown)}.",
            f"Say what they mean: train, val, test or {LEAVE_OUT}. Or pick no split column.",
            [*_option(unknown[0].word, "val"), "--split-column none"],
        )
    if words and "train" not in meanings.values():
        counts = ", ".join(f"{count(word.n_rows, 'row')} {quote(word.word)}" for word in words[:5])
        raise DataError(
            f"Column {quote(column)} marks no rows as train ({counts}).",
            "Say which of them are train, or pick no split column to cut val from all rows.",
            [*_option(words[0].word, "train"), "--split-column none"],
        )


def _option(word: str, meaning: str) -> list[str]:
    """Return what to type for a word; nothing for one that is too long to be typed."""
    return [f"--split-word {shlex.quote(word)}={meaning}"] if len(word) <= LONGEST_NAMED else []


def split_notes(column: str, words: Sequence[SplitWord], meanings: Mapping[str, str]) -> list[str]:
    """Say what the words mean that are not usual ones, but for those that are left out."""
    told = []
    for split in SPLITS:
        of_split = [word for word in words if meanings[word.key] == split]
        unusual = [word for word in of_split if SPLIT_WORDS.get(word.key) != split]
        if unusual:
            is_or_are = "is" if len(unusual) == 1 else "are"
            n_rows = count(sum(word.n_rows for word in unusual), "row")
            names = quoted((word.word for word in unusual), 10)
            told.append(f"{names} {is_or_are} taken for {split} ({n_rows})")
    return [f"In column {quote(column)}, {enumeration(told)}."] if told else []
