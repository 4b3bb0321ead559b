"""What is found before a run is started, and that the mend makes it disappear."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest
from toy import as_csv, toy_rows

from layerviz import checks, data, encoders, training
from layerviz.checks import Check, Finding, Mend, RunPlan, plans
from layerviz.config import RunConfig
from layerviz.data import Columns, Dataset
from layerviz.errors import ConfigError
from layerviz.training import MODELLED, Pace, RunSeconds

CONFIG = RunConfig("scratch-distilbert")
SAMPLE = data.sample_table()


def dataset_of_rows(
    rows: Sequence[tuple[str, ...]],
    split: str | None = None,
    val_fraction: float = 0.2,
    choices: data.RowChoices = data.NOTHING_CHOSEN,
) -> Dataset:
    header = "text,label,split" if split else "text,label"
    table = data.read_table(as_csv(rows, header), "rows.csv")
    columns = Columns("text", "label", split)
    return data.build_dataset(table, columns, val_fraction=val_fraction, choices=choices)


def rows_of(**sizes: int) -> list[tuple[str, str]]:
    """Return distinct texts, so many of each class."""
    return [(f"{name} text {n}", name) for name, size in sizes.items() for n in range(size)]


def names_found(plan: RunPlan) -> list[str]:
    return [check.name for check in checks.CHECKS.values() if check.find(plan)]


def finding_of(name: str, plan: RunPlan) -> Finding:
    finding = checks.CHECKS[name].find(plan)
    assert finding is not None
    return finding


def mend_of(name: str, plan: RunPlan) -> Mend:
    mend = finding_of(name, plan).mend
    assert mend is not None
    return mend


def mended(config: RunConfig, mend: Mend) -> RunConfig:
    return dataclasses.replace(config, **mend.settings)


def test_the_sample_has_no_findings() -> None:
    dataset = data.build_dataset(SAMPLE, data.guess_columns(SAMPLE.frame))
    for name in ("bert-mini", "roberta-mini", "distilbert-mini"):
        lengths = checks.token_lengths(name, dataset)
        plan = checks.plan_for(RunConfig(name), dataset, lengths, MODELLED)
        assert checks.findings_of(plan) == []
        assert plan.most_tokens == 512
        assert plan.seconds is not None
        assert 10 < plan.seconds.total < 600


def test_a_class_with_few_val_rows_gets_a_larger_share() -> None:
    rows = rows_of(often=60, rare=12, rarer=13)
    plan = checks.plan_for(CONFIG, dataset_of_rows(rows))
    finding = finding_of("few in val", plan)
    assert finding.count == 2
    assert "(rare: 2, rarer: 3)" in finding.sentence
    mend = mend_of("few in val", plan)
    assert mend.val_fraction == pytest.approx(0.4)
    assert checks.options_of(mend) == ["--val-fraction", "0.4"]
    larger = dataset_of_rows(rows, val_fraction=0.4)
    assert "few in val" not in names_found(checks.plan_for(CONFIG, larger))


def test_where_no_share_helps_the_sentence_says_what_does() -> None:
    plan = checks.plan_for(CONFIG, dataset_of_rows(rows_of(often=60, rare=6)))
    finding = finding_of("few in val", plan)
    assert finding.mend is None
    assert "Add rows" in finding.sentence


def split_rows(rare_val: int, *further: tuple[str, str, str]) -> list[tuple[str, ...]]:
    rows = [(*row, "val" if n % 5 == 0 else "train") for n, row in enumerate(rows_of(often=60))]
    rare = rows_of(rare=20)
    return [*rows, *((*row, "val" if n < rare_val else "train") for n, row in enumerate(rare)),
            *further]  # fmt: skip


def test_a_class_that_a_column_leaves_out_of_val_is_mended_by_cutting_it_anew() -> None:
    rows = split_rows(0, ("no such row", "often", "unsure"))
    left_out = data.RowChoices(split_words=(("unsure", "leave out"),))
    dataset = dataset_of_rows(rows, "split", choices=left_out)
    plan = checks.plan_for(CONFIG, dataset)
    finding = finding_of("none in val", plan)
    assert "1 class has no val rows (rare)" in finding.sentence
    mend = mend_of("none in val", plan)
    assert mend.val_words == ("val",)
    assert checks.options_of(mend)[:2] == ["--split-word", "val=train"]
    assert mend.val_fraction is not None
    anew = data.RowChoices(split_words=(("unsure", "leave out"), ("val", "train")))
    cut = dataset_of_rows(rows, "split", mend.val_fraction, anew)
    assert "none in val" not in names_found(checks.plan_for(CONFIG, cut))
    assert "no such row" not in set(cut.examples["text"])
    few = checks.plan_for(CONFIG, dataset_of_rows(split_rows(3), "split"))
    assert mend_of("few in val", few).val_words == ("val",)


def test_a_test_split_is_never_mixed_into_train() -> None:
    rows = split_rows(0, ("another text", "often", "test"), ("one more", "rare", "test"))
    plan = checks.plan_for(CONFIG, dataset_of_rows(rows, "split"))
    mend = mend_of("none in val", plan)
    assert checks.options_of(mend) == ["--split-word", "val=train", "--val-fraction", "0.05"]
    cut = dataset_of_rows(rows, "split", 0.05, data.RowChoices(split_words=(("val", "train"),)))
    assert "none in val" not in names_found(checks.plan_for(CONFIG, cut))
    assert sorted(cut.split("test")["text"]) == ["another text", "one more"]


def test_a_class_without_train_rows_is_told() -> None:
    rows = split_rows(5, ("only here", "new", "val"))
    plan = checks.plan_for(CONFIG, dataset_of_rows(rows, "split"))
    finding = finding_of("none in train", plan)
    assert "1 class has no train rows (new)" in finding.sentence
    assert mend_of("none in train", plan).val_words == ("val",)
    assert "none in train" not in names_found(
        checks.plan_for(CONFIG, dataset_of_rows(split_rows(5), "split"))
    )


def test_uneven_classes_are_mended_by_weights() -> None:
    dataset = dataset_of_rows(rows_of(often=200, rare=40))
    plan = checks.plan_for(CONFIG, dataset)
    assert "160 train rows of often, 32 of rare" in finding_of("uneven classes", plan).sentence
    mend = mend_of("uneven classes", plan)
    assert checks.options_of(mend) == ["--class-weighting", "balanced"]
    assert names_found(checks.plan_for(mended(CONFIG, mend), dataset)) == []


def test_few_rows_per_class_get_more_steps() -> None:
    rows = rows_of(**{f"class {n}": 5 for n in range(40)})
    dataset = dataset_of_rows(rows)
    plan = checks.plan_for(RunConfig("bert-mini"), dataset)
    finding = finding_of("few rows per class", plan)
    assert finding.sentence.startswith("40 classes in 160 train rows: about 4 rows per class")
    mend = mend_of("few rows per class", plan)
    assert mend.settings["batch_size"] == 8
    after = checks.plan_for(mended(RunConfig("bert-mini"), mend), dataset)
    assert "few rows per class" not in names_found(after)


def test_texts_that_are_cut_get_a_length_that_holds_them() -> None:
    dataset = dataset_of_rows(toy_rows(90))
    lengths = np.array([20] * 90 + [300] * 10)
    config = RunConfig("bert-mini")
    plan = checks.plan_for(config, dataset, lengths)
    finding = finding_of("texts that are cut", plan)
    assert "(10 %) are cut at max length 128; the longest has 300 tokens." in finding.sentence
    mend = mend_of("texts that are cut", plan)
    assert checks.options_of(mend) == ["--max-length", "384"]
    after = checks.plan_for(mended(config, mend), dataset, lengths)
    assert "texts that are cut" not in names_found(after)


def test_no_length_beyond_the_encoders_limit_is_suggested() -> None:
    dataset = dataset_of_rows(toy_rows(90))
    lengths = np.array([20] * 90 + [900] * 10)
    plan = checks.plan_for(RunConfig("bert-mini"), dataset, lengths)
    assert mend_of("texts that are cut", plan).settings == {"max_length": 512}
    assert "BERT mini reads at most 512" in finding_of("texts that are cut", plan).sentence
    most = checks.plan_for(RunConfig("bert-mini", max_length=512), dataset, lengths)
    assert "texts that are cut" not in names_found(most)  # no setting would help


def test_a_number_of_cut_texts_is_about_right_only_where_a_sample_was_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dataset = dataset_of_rows([(f"{'word ' * (60 * (n % 9 == 0))}{n}", "ab"[n % 2])
                               for n in range(90)])  # fmt: skip
    n_train = len(dataset.split("train"))
    config = RunConfig("bert-mini", max_length=32)
    lengths = checks.token_lengths("bert-mini", dataset)
    n_cut = int((lengths > 32).sum())
    sentence = finding_of("texts that are cut", checks.plan_for(config, dataset, lengths)).sentence
    assert sentence.startswith(f"{n_cut} train texts (")
    assert "counted in" not in sentence
    monkeypatch.setattr(plans, "LENGTHS_SAMPLE", 20)
    sampled = checks.token_lengths("bert-mini", dataset)
    assert len(sampled) < n_train
    sentence = finding_of("texts that are cut", checks.plan_for(config, dataset, sampled)).sentence
    assert sentence.startswith("About ")
    assert f"at max length 32 (counted in {len(sampled)} of {n_train}); the longest of" in sentence


def test_a_length_over_the_limit_is_refused_with_the_fix(toy_dataset: Dataset) -> None:
    config = RunConfig("roberta-mini", max_length=600)
    plan = checks.plan_for(config, toy_dataset, np.array([20, 40]))
    with pytest.raises(ConfigError, match=r"reads at most 512 tokens\. Set max length to 512"):
        checks.refuse(plan)
    after = checks.plan_for(mended(config, mend_of("over the encoder's limit", plan)), toy_dataset)
    checks.refuse(after)
    hub = RunConfig("google-bert/bert-base-uncased", max_length=513)
    with pytest.raises(ConfigError, match="512"):
        checks.refuse(checks.plan_for(hub, toy_dataset))
    checks.refuse(checks.plan_for(RunConfig("scratch-bert", max_length=2000), toy_dataset))


def test_the_limit_without_the_tokenizer_is_the_one_with_it() -> None:
    for name in ("bert-mini", "roberta-mini", "distilbert-mini"):
        loaded = encoders.load(name, label_names=("a", "b"), seed=0, texts=[], max_length=8)
        assert encoders.most_tokens(name) == encoders.max_positions(loaded.model, loaded.tokenizer)


def test_a_long_run_says_so_and_offers_fewer_captures(toy_dataset: Dataset) -> None:
    plan = checks.plan_for(CONFIG, toy_dataset, None, MODELLED)
    assert "time" not in names_found(plan)
    slow = RunSeconds(step=1.0, capture=3600.0, measure=600.0, n_steps=10, n_snapshots=3)
    long_run = dataclasses.replace(plan, seconds=slow)
    finding = finding_of("time", long_run)
    assert "about 3.5 h, nearly all of it capturing and measuring" in finding.sentence
    assert "fewer epochs" in finding.sentence  # 72 texts: capturing fewer would not help


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (RunSeconds(0.5, 2, 10, 400, 4), "about 4 min, of which 50 s capturing and measuring"),
        (RunSeconds(0.01, 2, 50, 50, 4), "about 3 min, nearly all of it capturing and measuring"),
        (RunSeconds(0.1, 0.2, 0.3, 96, 5), "about 10 s, of which 5 s capturing and measuring"),
    ],
)
def test_time_is_said_no_more_exactly_than_it_is_known(seconds: RunSeconds, words: str) -> None:
    assert checks.time_words(seconds) == words


def test_time_follows_the_pace_of_earlier_runs(toy_dataset: Dataset) -> None:
    modelled = checks.plan_for(CONFIG, toy_dataset, None, MODELLED).seconds
    learned = checks.plan_for(CONFIG, toy_dataset, None, Pace(2.0, 3.0, 4.0, n_runs=1)).seconds
    assert modelled is not None
    assert learned is not None
    assert learned.training == pytest.approx(2 * modelled.training)
    assert learned.capturing == pytest.approx(3 * modelled.capturing)
    assert learned.measuring == pytest.approx(4 * modelled.measuring)
    ratios = training.learned_pace(learned, modelled)
    assert (ratios["step"], ratios["capture"], ratios["measure"]) == (2.0, 3.0, 4.0)


def test_a_further_check_is_one_entry(toy_dataset: Dataset) -> None:
    def find(plan: RunPlan) -> Finding:
        return Finding(f"{plan.encoder.label} is fine.", 1, Mend("Seed 7", {"seed": 7}))

    plan = checks.plan_for(CONFIG, toy_dataset)
    with checks.CHECKS.extended(Check("further", find)):
        assert checks.findings_of(plan)[-1].sentence.endswith("is fine.")
