"""Which columns are taken, and what is chosen where rows leave it open, on the command line."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from layerviz.commands.corrected import HELP, read_corrections
from layerviz.errors import DataError, did_you_mean
from layerviz.wording import quote

if TYPE_CHECKING:
    from layerviz.data import Columns, Dataset, RowChoices, Table

NO_SPLIT = "none"
OF_OWN_FILES = ("val", "test")


def add_row_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the columns, and the choices about rows, labels and splits."""
    add = parser.add_argument
    add("--text-column", help="guessed if not given")
    add(
        "--text-pair-column",
        help=f"the second text, where labels are about pairs; guessed from names such as sentence1 "
        f"and sentence2; '{NO_SPLIT}' reads single texts",
    )
    add("--label-column", help="guessed if not given")
    add("--split-column", help=f"guessed if not given; '{NO_SPLIT}' ignores it")
    for role in OF_OWN_FILES:
        for what in ("text", "text-pair", "label"):
            add(f"--{role}-{what}-column", help=f"of --{role}, if it has another name there")
    add(
        "--split-word",
        action="append",
        default=[],
        metavar="WORD=SPLIT",
        help="what a word of the split column means: train, val, test or 'leave out'; repeat it",
    )
    add(
        "--merge-labels",
        action="store_true",
        help="make one class of labels that look alike, such as 1 and 1.0, or Spam and spam",
    )
    add(
        "--one-hot",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="whether columns of 0 and 1, of which each row has exactly one 1, are one label "
        "together; by default they are, unless --label-column names one of them",
    )
    add(
        "--combined-labels",
        action="store_true",
        help="take several labels of a row, such as bike;cake, for a class of their own",
    )
    add(
        "--no-near-repeats",
        action="store_true",
        help="keep texts that are the same but for case, punctuation, numbers and links in one "
        "split: val is cut so, and where the splits are given, rows of train are left out",
    )
    add(
        "--keep-missing-labels",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="whether nan, NA, NULL, None, - and the like are classes of their own; by default "
        "they are missing labels, but for one that is common and written like the others",
    )
    add("--corrections", type=Path, metavar="FILE", help=HELP)


def columns_of(parsed: argparse.Namespace, train: Table) -> Columns:
    """Take the columns that were named and guess the others.

    Raises
    ------
    DataError
        If one of them is missing, or cannot be guessed.
    """
    from layerviz import data

    named = {
        what: name
        for what in ("text", "label", "split")
        if (name := getattr(parsed, f"{what}_column")) is not None
        and (what, name) != ("split", NO_SPLIT)
    }
    data.expect_columns(train.frame, list(named.values()))
    suggestion = data.suggest_columns(train.frame, **named)
    if suggestion.columns is None:
        missing = "text" if suggestion.text is None else "label"
        raise DataError(suggestion.problem, f"Name one with --{missing}-column.")
    split = None if parsed.split_column == NO_SPLIT else suggestion.split
    pair = suggestion.text_pair if parsed.text_pair_column is None else parsed.text_pair_column
    pair = None if pair == NO_SPLIT else pair
    columns = data.Columns(suggestion.columns.text, suggestion.columns.label, split, pair)
    data.check_columns(train.frame, columns)
    return columns


def row_choices_of(
    parsed: argparse.Namespace, train: Table, columns: Columns, others: Mapping[str, Table]
) -> RowChoices:
    """Return what was chosen about the rows of the files.

    Raises
    ------
    DataError
        If a column that was named is missing.
    """
    from layerviz import data

    own = {}
    for role in OF_OWN_FILES:
        named = {
            what: getattr(parsed, f"{role}_{what}_column")
            for what in ("text", "label", "text_pair")
        }
        if role not in others:
            if any(named.values()):
                raise DataError(f"There is no {role} file.", f"Name it with --{role}.")
            continue
        try:
            own[role] = data.columns_of_file(others[role], train, columns, **named)
        except DataError as error:
            options = f"--{role}-text-column and --{role}-label-column"
            hint = f"{error.hint} Name them with {options}."
            raise DataError(error.message, hint, error.options) from error
    return data.RowChoices(
        columns_of=tuple(own.items()),
        keep_missing_labels=parsed.keep_missing_labels,
        merge_labels=parsed.merge_labels,
        one_hot=False if parsed.one_hot is None and parsed.label_column else parsed.one_hot,
        combined_labels=parsed.combined_labels,
        no_near_repeats=parsed.no_near_repeats,
        corrections=read_corrections(parsed.corrections),
        split_words=tuple(_split_word(given, train, columns) for given in parsed.split_word),
    )


def _split_word(given: str, train: Table, columns: Columns) -> tuple[str, str]:
    """Return word and meaning of a ``WORD=SPLIT``."""
    from layerviz import data

    word, _, meaning = given.rpartition("=")
    meaning = meaning.strip().casefold().replace("-", " ").replace("_", " ")
    if not word or meaning not in data.MEANINGS:
        hint = f"Write WORD=SPLIT, where SPLIT is one of {', '.join(data.MEANINGS)}."
        raise DataError(f"The split word {quote(given)} is not understood.", hint)
    if columns.split is None:
        raise DataError("There is no split column.", "Name it with --split-column.")
    words = {data.split_word_key(cell): cell for cell in train.frame[columns.split].unique()}
    if data.split_word_key(word) not in words:
        hint = did_you_mean(word, words.values(), "Give a word that the column holds.")
        raise DataError(f"Column {quote(columns.split)} does not hold {quote(word)}.", hint)
    return word.strip(), meaning


def switches(dataset: Dataset) -> list[str]:
    """Say with which options what was decided about the rows is decided otherwise."""
    sentences = []
    keep = dataset.row_choices.keep_missing_labels
    if keep is not None:
        sentences.append(
            "Such a label is left out with --no-keep-missing-labels."
            if keep
            else "Labels like these are kept as classes with --keep-missing-labels."
        )
    if dataset.n_near_repeats:
        sentences.append(
            "Texts that are nearly the same are kept in one split with --no-near-repeats."
        )
    return sentences
