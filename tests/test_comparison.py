"""Encoders are compared on the same examples, ties are ties, and what differs is said."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from made_runs import N_TRAIN, N_VAL, dataset_of, made
from sklearn.metrics import f1_score

from layerviz import comparison, runs, separability
from layerviz.config import RunConfig
from layerviz.data import Dataset
from layerviz.errors import RunError
from layerviz.poolings import POOLINGS
from layerviz.runs import Run
from layerviz.separability import Cell, Difference, Score


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return dataset_of()


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def good(root, dataset) -> Run:
    return made(root, dataset, "good", {3: 3.0, 4: 3.0})


@pytest.fixture(scope="module")
def weak(root, dataset) -> Run:
    return made(root, dataset, "weak", {4: 0.9}, noise=1)


@pytest.fixture(scope="module")
def shallow(root, dataset) -> Run:
    return made(root, dataset, "shallow", {2: 2.7}, n_layers=2, noise=2)


@pytest.fixture(scope="module")
def hopeless(root, dataset) -> Run:
    return made(root, dataset, "hopeless", {}, noise=3)


def judged(*compared: Run, poolings=POOLINGS) -> comparison.Comparison:
    return comparison.compare_contenders(comparison.contenders_of(compared), poolings)


def sentences(found: comparison.Comparison) -> str:
    return " ".join(comparison.comparison_sentences(found))


def lead_of(standing: comparison.Standing) -> Difference:
    """Return what the best contender scores more than this one, which is not the best."""
    assert standing.lead is not None
    return standing.lead


# --- the verdict ----------------------------------------------------------------------------


def test_two_copies_of_a_run_cannot_be_told_apart_and_are_not_called_equal(root, good):
    copy = root / f"{good.run_id}-copy"
    shutil.copytree(good.path, copy, dirs_exist_ok=True)
    found = judged(good, runs.open_folder(copy))
    one, other = found.standings
    assert one.tied
    assert other.tied
    assert one.best == other.best
    lead = next(standing.lead for standing in found.standings if standing.lead is not None)
    assert lead.value == 0
    assert lead.low < 0 < lead.high  # they agree on these examples; others may tell them apart
    assert {one.name, other.name} == {"good", "good #2"}
    assert "cannot be told from" in sentences(found)
    assert "behind by 0.00 (−0.0" in sentences(found)


def test_a_good_encoder_beats_one_that_learnt_nothing(good, hopeless):
    found = judged(hopeless, good)
    assert found.verdict == "found"
    assert found.best.name == "good"
    assert not found.standings[0].tied
    assert lead_of(found.standings[0]).low > 0.2
    assert set(found.standings[0].beaten_by) == {3, 4}
    assert "layers 3 and 4 beat the best of hopeless" in sentences(found)
    lead = comparison.comparison_lead(found)[0]
    assert lead.startswith("This run of good does better than this run of hopeless: about 0.9")
    assert lead.endswith("; another seed may turn that round.")
    assert "In these runs, good's layers 3 and 4 beat" in sentences(found)
    assert not found.has_winner  # of encoders, with one seed each


def test_an_encoder_of_half_the_depth_that_does_as_well_ties(good, shallow):
    found = judged(shallow, good)
    assert all(standing.tied for standing in found.standings)
    assert found.standings[0].best.layer == 2
    assert found.best.name == "good"
    lead = comparison.comparison_lead(found)[0]
    assert "val cannot tell it from this run of shallow" in lead
    assert "with 2 layers instead of 4" in sentences(found)


def test_the_first_is_first_in_every_figure_that_is_compared(good, weak, shallow, hopeless):
    contenders = comparison.contenders_of([weak, hopeless, shallow, good])
    found = comparison.compare_contenders(contenders)
    assert [standing.name for standing in found.standings] == [
        "weak",
        "hopeless",
        "shallow",
        "good",
    ]
    table = comparison.comparison_table(found, contenders)
    assert table["corrected"].is_monotonic_decreasing
    assert table["name"].iloc[0] == found.best.name == found.ranked[0].name
    np.testing.assert_allclose(table["lead"], table["corrected"].iloc[0] - table["corrected"])
    assert f"about {table['corrected'].iloc[0]:.2f} " in comparison.comparison_lead(found)[0]
    for standing in found.standings:
        assert standing.unseen.value <= standing.val.value
        run = next(run for run in (good, weak, shallow, hopeless) if run.run_id in standing.run_ids)
        answer = separability.answer_of(run)
        assert (standing.best, standing.unseen.value) == (
            answer.best,
            pytest.approx(answer.unseen.value, abs=1e-6),
        )
        assert standing.unseen.low <= answer.unseen.low  # it holds for all of them at once
    text = comparison.comparison_text(found, table).splitlines()
    first = next(line for line in text if line.startswith("* "))
    assert first.startswith(f"* {found.best.name} ")


def test_at_most_two_short_sentences_are_in_sight(good, weak, shallow, hopeless):
    for compared in ((good, weak), (good, shallow), (hopeless, good), (weak, shallow, good)):
        lead = comparison.comparison_lead(judged(*compared))
        assert len(lead) <= 2
        assert all(len(sentence) < 220 for sentence in lead)
        assert not set(lead) & set(comparison.comparison_details(judged(*compared)))


def test_a_shorter_encoder_that_does_what_a_longer_one_does_is_named(good, shallow, weak):
    found = comparison.compare_contenders(comparison.contenders_of([shallow, good]), margin=0.1)
    (match,) = [match for match in found.depth if match.name == "shallow"]
    assert (match.cell.layer, match.n_layers, match.other, match.other_layers) == (2, 2, "good", 4)
    assert match.reference == 1.0
    assert -0.1 <= match.loss.low < match.loss.value
    words = (
        "This run of shallow with its 2 layers does what this run of good does at 4: at most 0.10 "
        "macro-F1 below (95 %)."
    )
    assert comparison.depth_sentence(match, found) == words
    assert words in sentences(found)
    strict = judged(weak, good)  # weak is 0.2 below the others' classifiers
    assert all(match.name != "weak" for match in strict.depth)


def test_three_contenders_are_told_apart_at_once(good, weak, hopeless):
    found = judged(weak, good, hopeless)
    assert [standing.tied for standing in found.standings] == [False, True, False]
    assert lead_of(found.standings[2]).value > lead_of(found.standings[0]).value


def test_encoders_that_learnt_nothing_are_at_chance(root, dataset, hopeless):
    other = made(root, dataset, "helpless", {}, noise=4)
    found = judged(hopeless, other)
    assert found.verdict == "chance"
    assert "No encoder tells the classes apart" in sentences(found)


def test_a_comparison_by_rank_alone_chooses_nothing(good, weak):
    found = dataclasses.replace(judged(good, weak), verdict="ranks", by_auc=True)
    lead = comparison.comparison_lead(found)
    assert "rank the classes better than chance (AUC)" in lead[0]
    assert "balanced class weights" in lead[1]
    assert comparison.comparison_details(found) == []


def test_chance_is_judged_by_auc_where_all_runs_hold_probe_scores(monkeypatch, good, weak):
    assert judged(good, weak).by_auc
    stored = runs.read_probe_scores
    monkeypatch.setattr(
        runs,
        "read_probe_scores",
        lambda path, index: None if path == weak.path else stored(path, index),
    )
    assert not judged(good, weak).by_auc  # as for runs of an earlier format


def test_few_val_examples_give_no_verdict(root, dataset, good):
    few = made(root, dataset, "few", {4: 3.0}, keep=slice(0, N_TRAIN + 30))
    found = judged(good, few)
    assert found.n_val == 30
    assert found.verdict == "few"
    assert "only 30 val examples" in sentences(found)


def test_few_different_texts_give_no_winner(monkeypatch, good, weak):
    read = comparison.contenders.runs.read_examples

    def repeated(path):
        examples = read(path)
        return examples.assign(text=[f"text {row % 2}" for row in range(len(examples))])

    monkeypatch.setattr("layerviz.runs.read_examples", repeated)
    found = judged(good, weak)
    assert (found.verdict, found.has_winner) == ("few", False)
    assert "only 2 different texts in" in sentences(found)


def test_scores_are_those_of_the_stored_probes(good, weak):
    found = judged(good, weak)
    for run, standing in zip((good, weak), found.standings, strict=True):
        table = runs.read_separability(run.path)
        best = standing.best
        row = table[
            table[["snapshot", "pooling", "layer", "measure", "split"]]
            .eq([best.snapshot, best.pooling, best.layer, "probe_macro_f1", "val"])
            .all(axis=1)
        ]
        # The same resamples; the low end may reach further, as there are few mistakes to resample.
        value, low, high = row[["value", "low", "high"]].to_numpy()[0]
        assert (standing.val.value, standing.val.high) == pytest.approx((value, high), abs=1e-5)
        assert low - 0.01 < standing.val.low < low + 1e-5
        layers = found.profiles[found.profiles["name"] == standing.name]
        assert list(layers["layer"]) == [1, 2, 3, 4]
        assert layers["depth"].iloc[-1] == 1
        assert standing.head == 1.0  # the classifier is right everywhere at the last epoch
    assert found.standings[0].gap == pytest.approx(
        _f1(good, found.standings[0], "train") - found.standings[0].val.value
    )


def _f1(run: Run, standing: comparison.Standing, split: str) -> float:
    examples = runs.read_examples(run.path)
    rows = (examples["split"] == split).to_numpy()
    best = standing.best
    predicted = runs.read_probes(run.path, best.snapshot)[best.pooling][best.layer]
    return f1_score(examples["label"][rows], predicted[rows], average="macro")


def test_an_encoder_that_is_best_before_training_is_named(good, weak):
    found = judged(good, weak)
    assert "before training" not in sentences(found)
    first = dataclasses.replace(found.standings[1], best=Cell(0, 0.0, "mean", 2))
    found = dataclasses.replace(found, standings=(found.standings[0], first))
    assert "weak is at its best before training" in sentences(found)


def test_one_pooling_alone_can_be_searched(good, weak):
    found = judged(good, weak, poolings=("max",))
    assert {standing.best.pooling for standing in found.standings} == {"max"}
    assert found.standings[0].n_cells == 8


def test_test_scores_stand_beside_where_there_is_a_test_split(tmp_path):
    dataset = dataset_of(n_test=120)
    found = judged(
        made(tmp_path, dataset, "one", {4: 2.0}), made(tmp_path, dataset, "two", {4: 2.0}, noise=1)
    )
    assert [standing.test and standing.test.n for standing in found.standings] == [120, 120]
    assert "On test" in sentences(found)


# --- seeds ----------------------------------------------------------------------------------


def test_runs_that_differ_in_their_seed_alone_are_one_contender(tmp_path, dataset):
    seeds = [made(tmp_path, dataset, "deep", {4: 1.5}, seed=seed) for seed in range(3)]
    other = made(tmp_path, dataset, "other", {4: 1.5}, noise=9)
    contenders = comparison.contenders_of([seeds[1], other, seeds[0], seeds[2]])
    assert [contender.name for contender in contenders] == ["deep", "other"]
    assert [run.config.seed for run in contenders[0].runs] == [0, 1, 2]
    found = comparison.compare_contenders(contenders)
    deep = found.standings[0]
    assert len(deep.by_seed) == 3
    assert deep.val.value == pytest.approx(np.mean(deep.by_seed))
    assert deep.spread == pytest.approx(np.std(deep.by_seed, ddof=1))
    single = comparison.compare_contenders(comparison.contenders_of([seeds[0], other])).standings[0]
    assert single.spread is None
    assert found.profiles.loc[found.profiles["name"] == "deep", "spread"].notna().all()


def test_the_interval_covers_seeds(tmp_path, dataset):
    """Seeds that do very different things make a wide interval, though val is large."""
    far = [
        made(tmp_path, dataset, "moody", {4: distance}, seed=seed, n_snapshots=2)
        for seed, distance in enumerate((3.0, 0.5))
    ]
    other = made(tmp_path, dataset, "other", {4: 1.0}, noise=9)
    moody = comparison.compare_contenders(comparison.contenders_of([*far, other])).standings[0]
    assert moody.val.high - moody.val.low > abs(moody.by_seed[0] - moody.by_seed[1])


def test_with_several_seeds_claims_are_of_encoders(tmp_path, dataset):
    many = [
        made(tmp_path, dataset, name, {4: distance}, seed=seed, noise=noise, n_snapshots=2)
        for noise, (name, distance) in enumerate((("far", 3.0), ("near", 0.6)))
        for seed in range(2)
    ]
    found = comparison.compare_contenders(comparison.contenders_of(many))
    assert found.has_winner
    assert comparison.comparison_lead(found)[0].startswith("far does better than near: about ")
    assert "this run" not in sentences(found).lower()
    assert "Means of 2 seeds" in comparison.seeds_note(found)
    fewer = comparison.compare_contenders(comparison.contenders_of(many[:3]))
    assert "one run of near" in comparison.seeds_note(fewer)
    assert fewer.seed_deviation is not None


def test_the_headline_is_first_in_the_table_and_says_where_another_one_is_ahead(good, hopeless):
    found = judged(hopeless, good)
    first, last = found.ranked
    assert comparison.comparison_lead(found)[0].startswith(f"This run of {first.name} does better")
    assert len(comparison.comparison_lead(found)) == 1  # nothing ranks otherwise
    standings = (
        dataclasses.replace(last, head=0.91, test=Score(0.8, 0.7, 0.9, 90)),
        dataclasses.replace(first, head=0.90, test=Score(0.7, 0.6, 0.8, 90)),
    )
    otherwise = dataclasses.replace(found, standings=standings)
    (_, sentence) = comparison.comparison_lead(otherwise)
    assert sentence == (
        "Other figures rank otherwise: hopeless is ahead on test (0.800 against 0.700) and by its "
        "own predictions on val (0.910 against 0.900)."
    )


@pytest.mark.parametrize("verdict", ["few", "ranks"])
def test_without_a_winner_the_one_that_is_named_is_first_on_unseen_data(good, hopeless, verdict):
    found = judged(hopeless, good)
    first, last = found.ranked
    flattered = dataclasses.replace(last, val=Score(0.99, 0.9, 1.0, 240))
    named = dataclasses.replace(found, standings=(flattered, first), verdict=verdict)
    text = " ".join(comparison.comparison_lead(named))
    assert f"{first.name} comes first with" in text
    assert f"{last.name} is ahead on this val, uncorrected (0.990 against" in text


def test_margins_have_true_minus_signs_and_no_negative_zero():
    assert comparison.margin_of_lead(Difference(0.05, -0.021, 0.12)) == "0.05 (−0.02 to 0.12)"
    assert comparison.margin_of_lead(Difference(0.03, -0.0004, 0.06)) == "0.030 (0.000 to 0.060)"


# --- which runs, which examples -------------------------------------------------------------


def test_runs_on_other_data_are_refused_with_the_reason(tmp_path, good):
    other = made(tmp_path, dataset_of("other", seed=5), "good", {4: 2.0})
    with pytest.raises(RunError, match=r"good was trained on toy, good on other") as refused:
        comparison.contenders_of([good, other])
    assert "same data" in str(refused.value)


def test_one_run_is_no_comparison(good):
    with pytest.raises(RunError, match="two different runs"):
        judged(good)


def test_only_the_examples_that_all_captured_count(root, dataset, good):
    part = made(root, dataset, "part", {4: 2.0}, keep=slice(60, N_TRAIN + 100))
    found = judged(good, part)
    assert found.n_val == 100
    examples, rows = comparison.common_examples([good, part])
    assert len(examples) == N_TRAIN + 100 - 60
    for run, indices in zip((good, part), rows, strict=True):
        captured = runs.read_examples(run.path)
        assert list(captured["id"].iloc[indices]) == list(examples["id"])


def test_a_run_that_goes_on_takes_part_with_what_it_has(root, dataset, good):
    run = made(root, dataset, "late", {4: 2.0}, noise=7)
    shutil.rmtree(run.path / "snapshots" / "001")
    live = runs.update(run.path, status="running", snapshots=[vars(run.snapshots[0])])
    (late,) = comparison.contenders_of([live])
    assert late.snapshots == (0,)
    assert judged(good, live).standings[1].best.snapshot == 0


def test_contenders_of_one_encoder_are_named_by_what_differs(tmp_path, dataset):
    slow = runs.create(tmp_path, RunConfig("scratch-bert", learning_rate=1e-5, epochs=5), dataset)
    fast = runs.create(tmp_path, RunConfig("scratch-bert", learning_rate=1e-3, epochs=7), dataset)
    names = [contender.name for contender in comparison.contenders_of([slow, fast])]
    assert names == [
        "BERT from scratch (epochs 5, learning rate 1e-05)",
        "BERT from scratch (epochs 7, learning rate 0.001)",
    ]


# --- agreement, table, words ----------------------------------------------------------------


def test_agreement_counts_every_val_example_once(good, weak):
    found = judged(good, weak)
    one, other = found.standings
    cells = (one.best, other.best)
    by_probe = comparison.agreement_between(good, weak, cells, by=comparison.BY_PROBE)
    assert sum(by_probe.counts.values()) == N_VAL
    right = by_probe.examples["one"] == by_probe.examples["label"]
    counts = by_probe.counts
    assert counts["both right"] + counts["only the first"] == right.sum()
    assert by_probe.p_value < 0.01
    rows = comparison.disagreements(by_probe, good.label_names)
    assert len(rows) == counts["only the first"] + counts["only the second"]
    assert ((rows["one"] == rows["label"]) == (rows["outcome"] == "only the first")).all()
    by_head = comparison.agreement_between(good, weak, cells, by=comparison.BY_HEAD)
    assert by_head.counts["both right"] == N_VAL  # both classifiers are right everywhere
    assert by_head.p_value == 1.0
    assert comparison.disagreements(by_head, good.label_names).empty


def test_a_run_is_similar_to_itself(good, shallow):
    same, n = comparison.encoder_similarity(good, good, (1, 1), "mean")
    assert n == N_TRAIN
    assert np.diag(same) == pytest.approx(1.0, abs=1e-3)
    across, _ = comparison.encoder_similarity(good, shallow, (1, 1), "mean")
    assert across.shape == (5, 3)
    assert across[4, 2] > 0.4  # both hold the classes
    assert abs(across[1, 1]) < 0.1  # both are noise


def test_table_text_and_json_say_the_same(good, weak):
    contenders = comparison.contenders_of([good, weak])
    found = comparison.compare_contenders(contenders)
    table = comparison.comparison_table(found, contenders)
    assert list(table.columns) == list(comparison.reporting.COMPARISON_COLUMNS)
    assert table["epoch_seconds"].tolist() == [2.0, 2.0]
    assert table["train_seconds"].tolist() == [4.0, 4.0]
    assert table["model_bytes"].isna().all()  # no weights were saved in this test
    text = comparison.comparison_text(found, table)
    assert f"{found.best.val.value:.3f}" in text
    values = comparison.comparison_values(found, table)
    assert json.loads(json.dumps(values))["encoders"][0]["name"] == "good"
    assert values["encoders"][1]["lead_low"] == pytest.approx(
        lead_of(found.standings[1]).low, abs=1e-6
    )
    assert values["encoders"][0]["runs"] == [good.run_id]
    assert [encoder["rank"] for encoder in values["encoders"]] == [1, 2]
    assert values["covers_seeds"] is False
    assert len(values["layers"]) == 8
