"""Labels that look alike and repeated texts: told, merged on request, said in the answer."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from layerviz import checks, data, separability
from layerviz.config import RunConfig
from layerviz.data import Columns, Dataset, RowChoices, Table, build_dataset, look_alikes
from layerviz.data.repeats import near_keys, near_repeats_in
from layerviz.export.recipe import options_of_choices

pytestmark = pytest.mark.fast

TEXT_LABEL = Columns("text", "label")
CONFIG = RunConfig("scratch-distilbert")


def built(
    rows: list[tuple[str, str]], choices: RowChoices = data.NOTHING_CHOSEN, **others: Table
) -> Dataset:
    return build_dataset(table(rows), TEXT_LABEL, choices=choices, val=others.get("val"))


def table(rows: list[tuple[str, str]]) -> Table:
    return Table("data.csv", pd.DataFrame(rows, columns=["text", "label"]), "made here", (), "")


def rows_of(*labels: str, n: int = 20) -> list[tuple[str, str]]:
    words = ["apple", "pear", "plum", "fig", "kiwi", "lime", "date"]
    return [
        (f"{words[at]} {'very ' * number}good", label)
        for number in range(n)
        for at, label in enumerate(labels)
    ]


@pytest.mark.parametrize(
    "labels",
    [
        ("1", "1.0"), ("01", "1"), ("1,0", "1"), ("+1", "1"), ("Spam", "spam"), ("A b", "A  b"),
        ("caf\u00e9", "cafe\u0301"), ("good\u200b", "good"), ("good.", "good"), ("'good'", "good"),
        ("very good", "very_good"), ("very good", "Very-Good"), ("\ufb01ne", "fine"),
        ("good\u00ad", "good"), ("a\u00a0b", "a b"), ("\uff21", "A"), ("stra\u00dfe", "STRASSE"),
        ("\u200fgood", "good"),
    ],
)  # fmt: skip
def test_look_alikes_are_told_and_merged_on_request(labels):
    rows = [*rows_of(*labels, "other"), ("one more text", labels[0])]
    dataset = built(rows)
    assert len(dataset.label_names) == 3
    assert any(note.startswith("Labels look alike: ") for note in dataset.notes)
    [mend] = [
        finding.mend
        for finding in checks.findings_of(checks.plan_for(CONFIG, dataset))
        if finding.sentence.startswith("Labels look alike")
    ]
    assert mend is not None
    assert checks.options_of(mend) == ["--merge-labels"]
    merged = built(rows, RowChoices(merge_labels=True))
    assert set(merged.label_names) == {labels[0], "other"}  # the more frequent spelling stays
    assert any(note.startswith("Labels that look alike were merged: ") for note in merged.notes)
    assert RowChoices.from_dict(merged.row_choices.as_dict()).merge_labels
    assert options_of_choices(merged.row_choices) == ["--merge-labels"]


@pytest.mark.parametrize(
    "labels",
    [("A+", "A-"), ("-1", "1"), ("C", "C++", "C#"), ("1", "10"), ("1.5", "15"), ("+", "-"),
     ("no", "non"), (":)", ":("), ("resume", "r\u00e9sum\u00e9"), ("?", "!"), ("1-2", "1 2x")],
)  # fmt: skip
def test_labels_that_differ_are_not_alike(labels):
    assert look_alikes(pd.Series(1, index=list(labels))) == ()


def test_nothing_is_merged_or_recorded_where_nothing_is_alike():
    dataset = built(rows_of("a", "b"), RowChoices(merge_labels=True))
    assert dataset.row_choices == RowChoices()


def test_the_same_text_under_several_labels_is_counted_and_shown():
    rows = [*rows_of("a", "b"), ("apple good", "b"), ("apple good", "b")]
    assert "1 text has several labels, in 3 rows: 'apple good' is 'a' and 'b'." in built(rows).notes
    assert not any("several labels" in note for note in built(rows_of("a", "b")).notes)


def test_few_texts_that_are_repeated_are_told_checked_and_said_in_the_answer():
    rows = [("yes", "good"), ("no", "bad"), ("fine", "good"), ("bad", "bad")] * 20
    dataset = built(rows)
    assert any(
        note == "Texts are repeated: only 2 texts in 40 rows of train, 2 texts in 40 rows of val."
        for note in dataset.notes
    )
    found = checks.findings_of(checks.plan_for(CONFIG, dataset))
    assert any("Val has 2 different texts in 40 rows" in finding.sentence for finding in found)
    usual = checks.findings_of(checks.plan_for(CONFIG, built(rows_of("a", "b"))))
    assert not any("different text" in finding.sentence for finding in usual)


@pytest.mark.parametrize(
    ("labels", "alike"),
    [(("85171211", "85171219"), False), (("1,000", "1"), False), (("0,500", "0.5"), True),
     (("-0", "0.0"), True), (("100", "1e2"), False), (("100", "100.00"), True)],
)  # fmt: skip
def test_numbers_are_alike_only_if_all_their_digits_are(labels, alike):
    assert bool(look_alikes(pd.Series(1, index=labels))) is alike


def test_texts_of_val_that_are_nearly_those_of_train_are_counted():
    train = rows_of("a", "b")
    val = [("APPLE... good!", "a"), ("Apple very good https://t.co/x", "b"), ("quite new", "a"),
           ("plum good", "b")]  # fmt: skip
    notes = built(train, val=table(val)).notes
    assert any(note.startswith("2 val texts are nearly the same as a train text") for note in notes)
    assert not any("nearly the same" in note for note in built(train, val=table(val[2:])).notes)


def test_texts_that_are_nearly_the_same_are_kept_in_one_split_on_request():
    apart = RowChoices(no_near_repeats=True)
    train = rows_of("a", "b")
    val = [("APPLE... good!", "a"), ("Apple very good https://t.co/x", "b"), ("quite new", "a")]
    given = built(train, apart, val=table(val))
    assert given.n_near_repeats == 0
    assert (given.examples["split"] == "train").sum() == len(train) - 2
    assert "2 rows of train nearly the same as one of val or test were left out." in given.notes
    # Where val is cut, no row is lost.
    twice = [*train, *((f"{text.upper()}!", label) for text, label in train)]
    assert built(twice).n_near_repeats > 0
    cut = built(twice, apart)
    assert cut.n_near_repeats == 0
    assert len(cut.examples) == len(twice)
    assert list(cut.counts().loc["a"]) == [32, 8]
    assert RowChoices.from_dict(cut.row_choices.as_dict()).no_near_repeats
    assert options_of_choices(cut.row_choices) == ["--no-near-repeats"]


def test_signs_alone_are_nearly_the_same_only_if_they_are_equal():
    keys = near_keys(pd.Series([":-)", ":-(", ":-)", "Yes!", "yes"]))
    assert keys.tolist() == [0, 1, 0, 2, 2]


def test_it_is_said_where_only_some_texts_are_compared(monkeypatch):
    monkeypatch.setattr("layerviz.data.repeats.MOST_CHARACTERS", 10)
    rows = pd.DataFrame({"split": ["train", "val"] * 6, "text": ["Pear", "pear"] * 6})
    rows = rows.assign(key=range(12), label="a")
    [note] = near_repeats_in(rows).notes()
    assert note.startswith("At least ")
    assert note.endswith("Only 1 in 5 texts was compared.")


def test_the_answer_says_that_val_repeats_its_texts():
    cells = [separability.Cell(0, 0.0, "mean", 1), separability.Cell(0, 0.0, "mean", 2)]
    labels = np.array([0, 1] * 100)
    splits = np.array(["train"] * 100 + ["val"] * 100)

    def answer(n_texts: int) -> separability.Answer:
        return separability.find_answer(
            cells, np.stack([labels, labels]), labels, splits, label_names=("bad", "good"), seed=0,
            n_texts=n_texts,
        )  # fmt: skip

    few = answer(2)
    assert few.verdict == "few"
    assert "only 2 different texts in 100 val examples" in separability.lead_sentences(few)[0]
    half = answer(50)
    assert "val has only 50 different texts" in " ".join(separability.lead_sentences(half))
    assert "different" not in " ".join(separability.lead_sentences(answer(99)))
