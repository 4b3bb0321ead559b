"""Pairs of texts: two columns, read, shown and judged as one example."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from layerviz import instrument
from layerviz.commands import parser
from layerviz.commands.choosing import columns_of, row_choices_of
from layerviz.data import Columns, Dataset, RowChoices, Table, build_dataset, suggest_columns
from layerviz.errors import DataError
from layerviz.export.recipe import options_of_choices
from layerviz.pairs import (
    BAR,
    PAIR_MARK,
    is_pair,
    pair_as_typed,
    pair_of,
    parts_of_pair,
    text_cut_to,
)
from layerviz.ui.parts.text_columns import text_columns

pytestmark = pytest.mark.fast

N = 40
FIRST = [f"the {i}th sentence of a number of quite different ones" for i in range(N)]
SECOND = [f"what is said of number {i} in other words" for i in range(N)]


def table(name: str = "data.csv", /, **columns: list[str]) -> Table:
    return Table(name, pd.DataFrame(columns), "made here", (), name)


def built(given: Table, *options: str, **others: Table) -> Dataset:
    parsed = parser().parse_args(["fit", *options])
    columns = columns_of(parsed, given)
    choices = row_choices_of(parsed, given, columns, others)
    return build_dataset(given, columns, choices=choices, val=others.get("val"))


@pytest.mark.parametrize(
    ("first", "second"),
    [("sentence1", "sentence2"), ("Premise", "Hypothesis"), ("text_a", "text_b"),
     ("question", "answer")],
)  # fmt: skip
def test_usual_pairs_are_guessed_in_their_order_and_told(first, second):
    cells = {second: SECOND, first: FIRST, "label": ["yes", "no"] * (N // 2)}
    given = table("data.csv", **cells)
    dataset = built(given)
    assert dataset.columns == Columns(first, "label", None, second)
    assert Columns(**dataset.columns.as_dict()) == dataset.columns  # type: ignore[arg-type]
    assert any(f"columns {first!r} and {second!r}, as pairs" in note for note in dataset.notes)
    text = dataset.examples["text"].iloc[0]
    assert is_pair(text)
    assert parts_of_pair(text)[0] in FIRST
    assert parts_of_pair(text)[1] in SECOND
    named = built(given, f"--text-column={first}")  # as in the commands of earlier runs
    assert named.columns.text_pair is None
    assert set(named.examples["text"]) == set(FIRST)
    assert built(given, "--text-pair-column=none").columns.text_pair is None


def test_any_two_columns_can_be_a_pair_and_one_is_not_guessed():
    given = table(left=FIRST, right=SECOND, label=["yes", "no"] * (N // 2))
    assert suggest_columns(given.frame).text_pair is None
    dataset = built(given, "--text-column=left", "--text-pair-column=right")
    assert dataset.columns.texts == ("left", "right")


def test_leaks_are_judged_by_the_pair_and_half_a_pair_is_no_text():
    labels = ["yes", "no"] * (N // 2)
    train = table(sentence1=FIRST, sentence2=SECOND, label=labels)
    val = table("v.csv", S1=FIRST[:20], S2=[*SECOND[:2], *SECOND[3:20], ""], label=labels[:20])
    options = ("--val-text-column=S1", "--val-text-pair-column=S2")
    dataset = built(train, *options, val=val)
    assert "1 row of v.csv without a text was left out." in dataset.notes
    assert "2 rows of train also found in val or test were left out." in dataset.notes
    assert "In v.csv, texts from 'S1' and 'S2', labels from 'label'." in dataset.notes
    assert RowChoices.from_dict(dataset.row_choices.as_dict()) == dataset.row_choices
    assert "--val-text-pair-column" in options_of_choices(dataset.row_choices)


def test_a_second_text_under_another_name_is_kept_and_named_where_it_is_missing():
    labels = ["yes", "no"] * (N // 2)
    train = table(sentence1=FIRST, sentence2=SECOND, label=labels)
    val = table("v.csv", sentence1=FIRST, other=SECOND[::-1], label=labels)
    dataset = built(train, "--val-text-pair-column=other", val=val)
    assert "--val-text-pair-column" in options_of_choices(dataset.row_choices)
    val = table("v.csv", sentence1=FIRST, sentences2=SECOND, label=labels)
    with pytest.raises(DataError, match="no column 'sentence2'") as caught:
        built(train, val=val)
    assert "Did you mean sentences2?" in caught.value.hint


def test_a_text_that_holds_the_mark_is_no_pair():
    texts = [f"{text} {PAIR_MARK} more" for text in FIRST]
    dataset = built(table(text=texts, label=["yes", "no"] * (N // 2)))
    assert not dataset.examples["text"].map(is_pair).any()
    assert dataset.examples["text"].iloc[0] in [f"{text} {BAR} more" for text in FIRST]
    with_bars = [f"{text} {bar} more" for text, bar in zip(FIRST, [BAR, "||"] * 20, strict=True)]
    dataset = built(table(text=with_bars, label=["yes", "no"] * (N // 2)))
    assert set(dataset.examples["text"]) == set(with_bars)
    assert not dataset.examples["text"].map(is_pair).any()


def test_a_pair_comes_apart_as_it_was_put_together():
    for pair in (("a", "b"), (" a ", " b "), ("a", "")):
        assert parts_of_pair(pair_of(*pair)) == pair
    assert parts_of_pair("a b") == ("a b",)


@pytest.mark.parametrize("typed", ["a || b", "a‖b", "a ‖ b", f"a {PAIR_MARK} b"])
def test_a_bar_that_is_typed_parts_a_pair(typed):
    assert pair_as_typed(typed) == pair_of("a", "b")
    assert pair_as_typed("a | b") == "a | b"


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("a" * 50, "b" * 50, ("a" * 9 + "…", "b" * 9 + "…")),
        ("short", "b" * 50, ("short", "b" * 14 + "…")),
        ("a" * 50, "short", ("a" * 14 + "…", "short")),
        ("two\nlines", "too", ("two lines", "too")),
    ],
)
def test_of_a_pair_that_is_shortened_both_texts_are_seen(first, second, expected):
    assert text_cut_to(pair_of(first, second), 20) == pair_of(*expected)
    assert text_cut_to("c" * 50, 20) == "c" * 19 + "…"


def test_tables_have_a_column_for_the_second_texts_of_pairs():
    texts = pd.Series(["one", pair_of("two", "three")], index=[7, 3])
    columns = text_columns(texts)
    assert list(columns) == ["text", "second text"]
    assert columns["text"].to_dict() == {7: "one", 3: "two"}
    assert columns["second text"].to_dict() == {7: "", 3: "three"}
    assert list(text_columns(texts[:1])) == ["text"]


def test_the_maps_in_the_browser_know_what_is_between_the_texts_of_a_pair():
    between = pair_of("", "").replace("\N{INVISIBLE SEPARATOR}", r"\u2063")
    script = Path(instrument.__file__).parent / "maps" / "pane.js"
    assert f'const BETWEEN_TEXTS = "{between}";' in script.read_text(encoding="utf-8")
