"""Several labels per row: folded where that is one label, refused with the reason where not."""

from __future__ import annotations

import pandas as pd
import pytest

from layerviz.commands import parser
from layerviz.commands.choosing import columns_of, row_choices_of
from layerviz.data import Dataset, RowChoices, Table, build_dataset, suggest_columns
from layerviz.errors import DataError
from layerviz.export.recipe import options_of_choices

pytestmark = pytest.mark.fast

N = 60
TEXTS = [f"the {i}th sentence of a number of quite different ones" for i in range(N)]


def table(**columns: list[object]) -> Table:
    cells = {name: [str(some[i % len(some)]) for i in range(N)] for name, some in columns.items()}
    return Table("data.csv", pd.DataFrame({"text": TEXTS, **cells}), "made here", (), "")


def built(given: Table, *options: str) -> Dataset:
    parsed = parser().parse_args(["fit", *options])
    columns = columns_of(parsed, given)
    choices = row_choices_of(parsed, given, columns, {"data": given})
    return build_dataset(given, columns, choices=choices)


COMBINED = [
    ["bike;cake", "cake;bike", "bike", "cake", "late;cake", "late"],
    ["bike, cake", "cake", "bike", "cake, late", "late, bike"],
    ["rock|pop", "pop", "rock", "pop|jazz", "jazz"],
    ["rock/pop", "pop", "rock", "pop/jazz", "jazz/rock"],
    ["2,6", "2", "6", "17,2", "17", "6,17"],
    ["['bike', 'cake']", "['cake']", "['bike']"],
    ['["bike", "cake"]', '["cake"]', '["bike"]'],
    ["[1 2]", "[1]", "[2]"],
    ["joy+fear", "joy", "fear", "fear+joy"],
]


@pytest.mark.parametrize(
    "vectors",
    [
        ["[0 1 0]", "[1 0 0]", "[0 0 1]"], ["[0, 1]", "[1, 0]"], ["[0., 1.]", "[1., 0.]"],
        ["[False, True]", "[True, False]"], ["0,1,0", "1,0,0", "0,0,1"], ["0 0 1", "0 1 0"],
    ],
)  # fmt: skip
def test_of_a_vector_with_one_1_its_place_is_the_label(vectors):
    given = table(target=vectors)
    dataset = built(given, "--label-column=target")
    assert len(dataset.label_names) == len(vectors)
    assert set(dataset.label_names) <= {"0", "1", "2"}
    assert any(f"vectors such as {vectors[0]!r}" in note for note in dataset.notes)
    # As it was before: each vector a class.
    whole = built(given, "--label-column=target", "--combined-labels")
    assert set(whole.label_names) == set(vectors)


def test_vectors_with_several_ones_and_decimal_numbers_are_no_places():
    with pytest.raises(DataError, match="several labels"):
        built(table(target=["[0 1 1]", "[1 0 0]", "[0 0 1]"]), "--label-column=target")
    halves = built(table(grade=["0,5", "1,0"]), "--label-column=grade")
    assert set(halves.label_names) == {"0,5", "1,0"}


@pytest.mark.parametrize("labels", COMBINED)
def test_several_labels_in_one_cell_are_refused_with_the_reason_and_the_fix(labels):
    given = table(tags=labels)
    with pytest.raises(DataError, match=r"'tags' holds several labels in \d+ of 60 rows") as caught:
        built(given, "--label-column=tags")
    assert "one class per text" in caught.value.message
    assert caught.value.options == ("--combined-labels",)
    dataset = built(given, "--label-column=tags", "--combined-labels")
    assert any("a class of their own" in note for note in dataset.notes)
    assert dataset.row_choices == RowChoices(combined_labels=True)
    assert options_of_choices(dataset.row_choices) == ["--combined-labels"]
    assert RowChoices.from_dict(dataset.row_choices.as_dict()) == dataset.row_choices


@pytest.mark.parametrize(
    "labels",
    [
        ["Food, drink", "Sports, leisure", "Work"],
        ["Home/Garden", "Cars/Bikes"],
        ["en/pos", "en/neg", "de/pos", "de/neg"],
        ["comp.graphics", "rec/autos", "rec/sport"],
        ["1,5", "2,5", "2,0", "1,0"],
        ["1,25", "2,75"],
        ["and/or", "not"],
        ["C++", "C", "C#"],
        ["A+", "A", "B+", "B"],
    ],
)
def test_other_labels_with_such_characters_are_classes(labels):
    assert len(built(table(tags=labels), "--label-column=tags").label_names) == len(labels)


@pytest.mark.parametrize(
    "labels", [["['bike']", "['cake']"], ['["bike"]', '["cake"]', "[]"], ["[bike]", "[cake]"]]
)
def test_lists_of_one_label_are_that_label(labels):
    assert built(table(tags=labels), "--label-column=tags").label_names == ("bike", "cake")


@pytest.mark.parametrize(("yes", "no"), [(1, 0), ("1.0", "0.0"), ("True", "False"), ("yes", "no")])
def test_columns_of_which_each_row_has_exactly_one_1_are_one_label(yes, no):
    given = table(joy=[yes, no, no], fear=[no, yes, no], calm=[no, no, yes])
    dataset = built(given)
    assert dataset.label_names == ("calm", "fear", "joy")
    assert any("exactly one 1 in the columns 'joy', 'fear', 'calm'" in n for n in dataset.notes)
    assert dataset.row_choices == RowChoices(one_hot=True)
    assert options_of_choices(dataset.row_choices) == ["--one-hot"]
    alone = built(given, "--label-column=fear")
    assert len(alone.label_names) == 2
    assert alone.row_choices == RowChoices(one_hot=False)
    again = built(given, "--label-column=fear", "--one-hot")
    assert again.fingerprint == dataset.fingerprint
    assert RowChoices.from_dict(again.row_choices.as_dict()) == again.row_choices


def test_several_columns_of_0_and_1_are_refused_unless_one_is_named():
    given = table(toxic=[1, 0, 0, 1], insult=[1, 1, 0, 0], threat=[0, 1, 0, 0])
    with pytest.raises(DataError, match="'toxic', 'insult', 'threat' are several labels") as caught:
        built(given)
    assert "30 rows with more than one, 15 with none" in caught.value.message
    assert "--label-column" in caught.value.hint
    assert built(given, "--label-column=threat").label_names == ("0", "1")
    assert suggest_columns(given.frame).text == "text"


def test_details_of_a_label_and_other_facts_are_no_labels_beside_it():
    hateval = table(HS=[1, 1, 0, 0], TR=[1, 0, 0, 0], AG=[0, 1, 0, 0])
    assert suggest_columns(hateval.frame).label == "HS"
    facts = table(spam=[1, 0, 0, 1], is_reply=[1, 1, 0, 0], has_link=[0, 1, 0, 1])
    assert suggest_columns(facts.frame).label == "spam"
    named = table(label=[1, 0, 0, 1], a=[1, 1, 0, 0], b=[0, 1, 0, 1])
    assert suggest_columns(named.frame).label == "label"


def test_amounts_are_refused_with_the_reason():
    scores = table(score=[f"{i / 8:.3f}" for i in range(30)])
    with pytest.raises(DataError, match=r"30 numbers on a scale, such as .*amounts") as caught:
        built(scores, "--label-column=score")
    assert "low, middle and high" in caught.value.hint
    assert len(built(table(grade=["1.0", "1.5", "2.0"]), "--label-column=grade").label_names) == 3
