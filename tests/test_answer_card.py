"""The answer card: what it says in every state of a run, and that what is stored stays true."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from made_runs import dataset_of, made

from layerviz import separability
from layerviz.runs import Run
from layerviz.runs.layout import is_portable
from layerviz.separability import (
    UNSEEN,
    AnswerSheet,
    CardLine,
    Score,
    card_lines,
    current_sheet,
    most_confused,
    read_sheet,
    sheet_figures,
    sheet_of,
)

NAMES = ["anger", "joy", "fear"]


def lines_of(sheet: AnswerSheet, *, live: bool = False) -> dict[str, CardLine]:
    return {line.question: line for line in card_lines(sheet, live=live)}


@pytest.fixture(scope="module")
def ahead(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run whose fourth layer is clearly the best, with a test split."""
    root = tmp_path_factory.mktemp("ahead")
    return made(root, dataset_of(n_test=150), "enc", {1: 0.3, 4: 2.5}, before={1: 0.3})


# --- what it says ---------------------------------------------------------------------------


def test_a_clear_winner_is_named_with_its_score_on_test(ahead: Run) -> None:
    sheet = sheet_of(ahead)
    layer = lines_of(sheet)["layer"]
    assert (layer.value, layer.is_winner) == ("Layer 4", True)
    assert sheet.answer.test is not None
    value, interval = sheet.answer.test.value_and_interval
    assert f"macro-F1 {value} on test ({interval})" in layer.certainty
    assert lines_of(sheet)["epoch"].value == "Epoch 1"


def test_a_tie_is_no_winner_and_names_the_layers_that_may_be_best(tmp_path: Path) -> None:
    run = made(tmp_path, dataset_of(), "enc", {2: 1.5, 3: 1.5, 4: 1.5})
    sheet = sheet_of(run)
    layer = lines_of(sheet)["layer"]
    assert not layer.is_winner
    assert layer.value == "No clear winner: layers 2–4"
    assert f"recommended: layer {sheet.answer.best.layer}; expect" in layer.certainty


def test_where_fine_tuning_did_not_help_the_model_is_used_as_it_is(tmp_path: Path) -> None:
    run = made(tmp_path, dataset_of(), "enc", {1: 0.5, 4: 0.6}, before={4: 2.5})
    sheet = sheet_of(run)
    lines = lines_of(sheet)
    assert lines["layer"].value == "Layer 4 as it was before training"
    assert lines["epoch"].value == "Use the model as it is"
    assert "fine-tuning did not help" in lines["epoch"].certainty
    assert "stop" not in " ".join(map(str, lines.values())).lower().replace("stop at", "")
    # The whole model's classifier is untrained there: nothing can be measured against it.
    assert sheet.decisions == ()
    assert lines["depth"].value == "Not known before training"


def test_a_perfect_score_tells_its_low_end_and_the_examples(tmp_path: Path) -> None:
    sheet = sheet_of(made(tmp_path, dataset_of(), "enc", {4: 30.0}))
    assert sheet.answer.val.value == 1
    layer = lines_of(sheet)["layer"]
    assert "no mistakes in 240 val examples; expect at least 0.9" in layer.certainty
    assert "1.00 (1.00" not in str(layer)
    assert lines_of(sheet)["confusion"].value == "No mistakes in 240 val examples"


def test_chance_and_too_few_examples_name_no_layer(tmp_path: Path) -> None:
    nothing = lines_of(sheet_of(made(tmp_path / "1", dataset_of(), "enc", {})))
    assert nothing["layer"].value == "None does better than chance"
    assert nothing["depth"].value == nothing["epoch"].value == "Nothing to go by"
    few = made(tmp_path / "2", dataset_of(), "enc", {4: 2.0}, keep=slice(0, 270))
    lines = lines_of(sheet_of(few))
    assert lines["layer"].value == "Too few val examples to say"
    assert "only 30 val examples" in lines["layer"].certainty


def test_one_snapshot_and_one_pooling_leave_nothing_to_compare(tmp_path: Path) -> None:
    run = made(tmp_path, dataset_of(), "enc", {}, n_snapshots=1, before={2: 1.0, 4: 2.5})
    lines = lines_of(sheet_of(run, ["mean"]))
    assert lines["epoch"].value == "Only one snapshot"
    assert (lines["pooling"].value, lines["pooling"].certainty) == (
        "Mean",
        "the only one searched",
    )
    assert lines["layer"].value.startswith("Layer 4")


def test_a_live_run_says_so_far_and_has_no_winner_yet(ahead: Run) -> None:
    layer = lines_of(sheet_of(ahead), live=True)["layer"]
    assert layer.certainty.startswith("so far, 2 of 2 snapshots; clearly the best")
    assert not layer.is_winner


def test_no_two_figures_have_one_name_and_unseen_is_only_named_with_an_answer(
    ahead: Run, tmp_path: Path
) -> None:
    names = [figure.name for figure in sheet_figures(sheet_of(ahead))]
    assert len(set(names)) == len(names) == 5
    nothing = sheet_figures(sheet_of(made(tmp_path, dataset_of(), "enc", {})))
    assert UNSEEN not in [figure.name for figure in nothing]


@pytest.mark.parametrize(
    ("score", "text"),
    [
        (Score(0.731, 0.653, 0.789, 80), "0.73 (0.65–0.79, n = 80)"),
        (Score(1.0, 0.981, 1.0, 240), "1.00 (0.98–1.00, no mistakes in 240 examples)"),
        (Score(1.0, 0.9971, 1.0, 2400), "1.000 (0.997–1.000, no mistakes in 2,400 examples)"),
        (Score(0.9962, 0.9931, 0.999, 2400), "0.996 (0.993–0.999, n = 2,400)"),
    ],
)
def test_what_is_below_one_does_not_read_as_one(score: Score, text: str) -> None:
    assert str(score) == text


# --- the most confused pair -----------------------------------------------------------------


def confused(counts: list[list[int]]) -> separability.ConfusedPair | None:
    true = [row for row, of_row in enumerate(counts) for n in of_row for _ in range(n)]
    predicted = [column for of_row in counts for column, n in enumerate(of_row) for _ in range(n)]
    return most_confused(np.array(true), np.array(predicted), NAMES)


def test_the_most_confused_pair_has_a_direction_and_stands_out_where_it_does() -> None:
    pair = confused([[60, 40, 0], [2, 98, 0], [1, 1, 98]])
    assert pair is not None
    assert (pair.label, pair.predicted, pair.n_label) == ("anger", "joy", 100)
    assert pair.stands_out
    assert pair.low < 0.4 < pair.high
    assert pair.high - pair.low > 0.2  # wider than that of one pair alone: 0.20


def test_a_pair_that_leads_by_chance_does_not_stand_out() -> None:
    pair = confused([[80, 12, 8], [9, 81, 10], [11, 10, 79]])
    assert pair is not None
    assert not pair.stands_out
    assert pair.n_rivals == 5


def test_one_of_two_examples_that_is_wrong_is_no_lead() -> None:
    pair = confused([[70, 30, 0], [5, 95, 0], [1, 0, 1]])
    assert pair is not None
    assert (pair.label, pair.predicted) == ("anger", "joy")


def test_nothing_confused_is_no_pair() -> None:
    assert confused([[9, 0, 0], [0, 9, 0], [0, 0, 9]]) is None


def test_of_equally_confused_pairs_one_is_seldom_said_to_stand_out() -> None:
    rng = np.random.default_rng(0)
    claims = 0
    for _ in range(200):
        true = np.repeat(np.arange(3), 60)
        wrong = rng.random(len(true)) < 0.3
        shift = rng.integers(1, 3, size=len(true))
        pair = most_confused(true, np.where(wrong, (true + shift) % 3, true), NAMES)
        claims += pair is not None and pair.stands_out
    assert claims <= 10  # at most 5 %


# --- what is stored -------------------------------------------------------------------------


def test_a_stored_sheet_is_the_one_that_was_made(ahead: Run) -> None:
    sheet = current_sheet(ahead)
    stored = read_sheet(ahead)
    assert stored is not None
    assert stored.is_current
    assert stored.sheet == sheet == sheet_of(ahead)


def test_measures_made_anew_put_the_stored_sheet_out_of_date(tmp_path: Path) -> None:
    run = made(tmp_path, dataset_of(), "enc", {4: 2.5})
    current_sheet(run)
    probes = run.layout.probes(1)
    os.utime(probes, ns=(0, 0))
    stored = read_sheet(run)
    assert stored is not None
    assert not stored.is_current
    current_sheet(run)
    again = read_sheet(run)
    assert again is not None
    assert again.is_current


@pytest.mark.parametrize("content", ["", "{}", '{"format": 1}', "[1]", '{"format": 0}'])
def test_a_spoilt_sheet_is_made_anew(ahead: Run, content: str) -> None:
    sheet = current_sheet(ahead)
    ahead.layout.answer(ahead.poolings).write_text(content)
    assert read_sheet(ahead) is None
    assert current_sheet(ahead) == sheet


def test_a_zip_takes_no_answer_along(ahead: Run) -> None:
    current_sheet(ahead)
    name = ahead.layout.answer(ahead.poolings).relative_to(ahead.path).as_posix()
    assert not is_portable(name)
