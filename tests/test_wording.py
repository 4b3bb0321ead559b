"""Small words that every room shares."""

from __future__ import annotations

import pytest

from layerviz import wording
from layerviz.wording import epoch_name

pytestmark = pytest.mark.fast


@pytest.mark.parametrize(
    ("epoch", "name"),
    [
        (0, "before training"),
        (1, "epoch 1"),
        (10.0, "epoch 10"),
        (100, "epoch 100"),
        (0.5, "epoch 0.5"),
        (1 / 3, "epoch 0.33"),
        (2.999, "epoch 3"),
    ],
)
def test_epochs_are_named_for_people(epoch: float, name: str) -> None:
    assert epoch_name(epoch) == name


def test_equal_names_are_told_apart_and_no_other_name_is_taken() -> None:
    assert wording.free_name("town", {"land"}) == "town"
    assert wording.free_name("town", {"town", "town (2)"}) == "town (3)"
    names = ["a", "b", "a", "a (2)", "a"]
    assert wording.told_apart(names) == ["a", "b", "a (3)", "a (2)", "a (4)"]


def test_a_moment_is_named_in_the_middle_of_a_sentence() -> None:
    assert wording.at_epoch(0) == "before training"
    assert wording.at_epoch(2.5) == "at epoch 2.5"
    assert wording.epoch_name(3, newest=True) == "epoch 3 (newest)"


@pytest.mark.parametrize(
    ("n", "words"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (12345, "12,345 rows")]
)
def test_counts_agree_with_their_nouns(n: int, words: str) -> None:
    assert wording.count(n, "row") == words


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ([3], "3"),
        ([4, 3], "3 and 4"),
        ([1, 2, 3], "1–3"),
        ([9, 3, 5, 4, 6], "3–6 and 9"),
        ([1, 3, 5], "1, 3 and 5"),
    ],
)
def test_numbers_in_a_row_are_a_range(numbers: list[int], words: str) -> None:
    assert wording.number_ranges(numbers) == words


@pytest.mark.parametrize(
    ("names", "words"),
    [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")],
)
def test_names_are_enumerated(names: list[str], words: str) -> None:
    assert wording.enumeration(names) == words


def test_of_two_that_are_joined_by_or_one_is_meant() -> None:
    assert wording.enumeration(["a", "b", "c"], "or") == "a, b or c"
    assert wording.layer_list([11, 12], "or") == "layer 11 or 12"
    assert wording.layer_list([2, 3, 4, 9], "or") == "layers 2–4 or 9"
    assert wording.epoch_list([0, 1, 2.5], "or") == "before training or epoch 1 or 2.5"


def test_files_have_the_size_that_people_read() -> None:
    sizes = [wording.file_size(n) for n in (99_999, 1_234_567, 1_234_567_890)]
    assert sizes == ["under 0.1 MB", "1.2 MB", "1.2 GB"]


def test_only_the_first_letter_is_raised() -> None:
    assert wording.sentence_case("t-SNE of [CLS]") == "T-SNE of [CLS]"
    assert wording.sentence_case("") == ""


def test_nothing_is_written_as_a_negative_zero() -> None:
    assert wording.signed(-0.0004) == "+0.000"
    assert wording.signed(-0.015) == "−0.015"
    assert wording.decimal(-0.004) == "0.00"
    assert wording.decimal(-0.02) == "−0.02"
