"""Slices: what is looked at, what is called clearly worse, and how that is said and shown."""

from __future__ import annotations

import json
from functools import partial
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from made_runs import dataset_of, made
from pages import answered, caption_text, markdown_text, open_page
from scipy.stats import binom

from layerviz import runs, separability
from layerviz.__main__ import main
from layerviz.bench import slices as planted
from layerviz.bench import truth
from layerviz.bench.truth import Rate
from layerviz.export import slices_part as slices_part_module
from layerviz.export.entries.tables import SLICES_CSV
from layerviz.export.entry import ExportRequest
from layerviz.export.slices_part import slices_part
from layerviz.pairs import pair_of
from layerviz.runs import Run
from layerviz.separability import SliceFindings, find_slices, slices_notes, slices_sentence
from layerviz.separability.slices import (
    candidate_slices,
    candidates,
    comparable,
    compare_slices,
    comparing,
)
from layerviz.separability.slices.candidates import MOST_SLICES, MOST_VALUES
from layerviz.separability.slices.of_run import slice_columns
from layerviz.separability.slices.traits import guessed_language, n_words, text_traits
from layerviz.ui.parts.filter_box import FILTER
from layerviz.ui.run import confusion as confusion_page
from layerviz.ui.run import slices as slices_page
from layerviz.ui.run.confusion import Predicted
from layerviz.views import MapsRequest

pytestmark = pytest.mark.fast

N = 400


def examples_of(n: int = N, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "id": [f"train-{row}" for row in range(n)],
            "split": "val",
            "text": [f"text {row}" for row in range(n)],
            "label": rng.integers(2, size=n),
        }
    )


def names_of(columns: dict[str, object], n: int = N) -> list[str]:
    labels = np.arange(n) % 2
    found = candidate_slices(pd.DataFrame(columns), np.ones(n, dtype=bool), labels)
    return [one.name for one in found.slices]


def planted_findings(wrong: float = 0.6) -> SliceFindings:
    """Return what is found where phone calls are wrong far more often than all else."""
    examples, rng = examples_of(), np.random.default_rng(1)
    phone = np.arange(N) % 4 == 0
    columns = pd.DataFrame(
        {"channel": np.where(phone, "phone", "mail"), "age": rng.integers(18, 90, N)}
    )
    is_wrong = rng.random(N) < np.where(phone, wrong, 0.1)
    labels = examples["label"].to_numpy()
    predicted = {"the model itself": labels ^ is_wrong, "the probe on layer 3": labels}
    return find_slices(examples, columns, predicted, "val", seed=0)


# --- which slices are looked at -------------------------------------------------------------


def test_values_ranges_dates_and_empty_cells_are_slices() -> None:
    numbers = np.arange(N)
    names = names_of(
        {
            "channel": np.where(numbers % 3 == 0, "phone", ""),
            "year": 1900 + numbers / 4,
            "stars": np.where(numbers % 5, numbers % 5, np.nan),
            "sent": pd.Timestamp("2026-12-31", tz="UTC") - pd.to_timedelta(numbers % 199, "D"),
        }
    )
    assert {"channel: phone", "channel: no value"} <= set(names)
    assert {"stars: 1", "stars: 4", "stars: no value"} <= set(names)
    years = [name for name in names if name.startswith("year")]
    assert years[0] == "year: 1910 or less"
    assert years[-1] == "year: 1990 or more"
    sent = [name for name in names if name.startswith("sent")]
    assert sent[0] == "sent: 2026-07-05 or earlier"
    assert sent[-1].endswith("or later")
    assert len(sent) == 6


def test_slices_that_would_be_called_alike_are_told_apart() -> None:
    rows = np.arange(N)
    start, noon = "long " * 20, pd.Timestamp("2026-05-02 12:00", tz="UTC")
    names = names_of(
        {
            "value": [f"{start}{row % 3}" for row in rows],
            f"{start}a": rows // 2 % 3,
            f"{start}b": rows // 2 % 5,
            "empty": np.select([rows % 7 < 2, rows % 7 < 4], ["no value", ""], "x"),
            "sent": noon + pd.to_timedelta(rows // 2, "s"),
            "share": 0.123456 + rows * 1e-7,
            "huge": rows[::-1] // 3 * 3 * 1e246,
            "a": np.where(rows % 11 < 5, "b: c", "d"),
            "a: b": np.where(rows % 13 < 5, "c", "d"),
        }
    )
    assert len(set(names)) == len(names)
    of_value = [name.removeprefix("value: ") for name in names if name.startswith("value: ")]
    assert [name[-5:] for name in of_value] == ["long…", "… (2)", "… (3)"]
    assert {"empty: no value", "empty: no value (2)", "a: b: c", "a: b: c (2)"} <= set(names)
    assert any("… (2): 4" in name for name in names)
    assert any("sent: 2026-05-02 12:00:19 or earlier" in name for name in names)
    assert any("share: 0.123466 to 0.123476" in name for name in names)
    assert any("huge: 4.2e+247 to 9.9e+247" in name for name in names)


def test_a_column_is_compared_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def counted(members: np.ndarray, labels: np.ndarray) -> np.ndarray:
        calls.append(len(members))
        return comparing.can_be_compared(members, labels)

    monkeypatch.setattr(candidates, "can_be_compared", counted)
    names_of({"town": np.arange(N) // 2 % 5, "age": np.arange(N)})
    assert calls == [5, 6]


def test_further_columns_named_like_what_texts_tell_stand_under_free_names() -> None:
    taken = {"Words": "1", "words of the file": "2"}
    columns = slice_columns(examples_of(4).assign(**taken))
    assert list(columns) == [
        "words", "language (guessed)", "Words of the file (2)", "words of the file",
    ]  # fmt: skip


def test_ids_are_cut_into_no_ranges() -> None:
    rows = np.arange(N)
    ids = {
        "tweet": 10**17 + 7 * rows,  # beyond what a float tells apart
        "user_id": 1000 + rows // 2 % 5 * 17,
        "ref": rows + rows // 40,  # a few are lacking, and one comes twice
        "views": np.random.default_rng(0).lognormal(6, 2, N).astype(int),
        "likes": np.random.default_rng(1).permutation(50 * N)[:N],
        "share": rows / N,
    }
    examples = examples_of(N).assign(**{name: values.astype(str) for name, values in ids.items()})
    examples["ref"] = examples["ref"].mask(rows == 3, "4")
    examples["tweet"] = examples["tweet"].mask(rows == 5, "")
    columns = slice_columns(examples).drop(columns=["words", "language (guessed)"])
    found = candidate_slices(columns, np.ones(N, dtype=bool), rows % 2)
    by_column: dict[str, list[str]] = {}
    for one in found.slices:
        by_column.setdefault(one.column, []).append(one.value)
    assert by_column.keys() == {"user_id", "views", "likes", "share"}
    assert by_column["user_id"] == [str(1000 + user * 17) for user in range(5)]
    assert [len(by_column[name]) for name in ("views", "likes", "share")] == [6, 6, 6]
    assert any(note.startswith("“tweet” and “ref” have no value") for note in found.notes)


def test_ranges_of_numbers_hold_every_number_once() -> None:
    numbers = np.r_[np.repeat(1.0, 150), np.arange(250)]
    found = candidate_slices(pd.DataFrame({"x": numbers}), np.ones(N, dtype=bool), np.arange(N) % 2)
    assert (found.members.sum(axis=0) == 1).all()


def test_slices_of_a_split_are_ranges_of_all() -> None:
    examples = examples_of().assign(split=np.where(np.arange(N) < 200, "val", "test"))
    columns = pd.DataFrame({"x": np.random.default_rng(0).random(N)})
    predicted = {"the model itself": examples["label"].to_numpy()}
    of_val, of_test = (
        [one.name for one in find_slices(examples, columns, predicted, split, 0).slices]
        for split in ("val", "test")
    )
    assert set(of_val) & set(of_test)
    assert all(name in of_val for name in of_test if "or less" in name)


def test_what_is_alike_bound_to_a_class_or_too_much_is_told() -> None:
    numbers = np.arange(N)
    labels = numbers % 2
    columns = pd.DataFrame(
        {
            "a": np.where(numbers < 100, "x", "y"),
            "b": np.where(numbers < 100, "u", "w"),
            "class again": np.where(labels, "yes", "no"),
            "user": [f"user {row}" for row in numbers],
        }
    )
    found = candidate_slices(columns, np.ones(N, dtype=bool), labels)
    assert [one.name for one in found.slices] == ["a: x; b: u", "a: y; b: w"]
    said = " ".join(found.notes)
    assert "“user” has no value that 20 examples share" in said
    assert "2 slices are left out: too few examples of the same classes" in said
    assert "2 slices hold the same examples as another one and are shown with it." in said


def test_many_values_and_many_slices_are_cut_and_told() -> None:
    rng = np.random.default_rng(0)
    columns = pd.DataFrame({f"c{number}": rng.integers(8, size=2000) for number in range(20)})
    columns["town"] = [f"town {value}" for value in rng.integers(40, size=2000)]
    found = candidate_slices(columns, np.ones(2000, dtype=bool), np.arange(2000) % 2)
    assert len(found.slices) == MOST_SLICES
    said = " ".join(found.notes)
    assert f"Of “town”, the {MOST_VALUES} most frequent of 40 values are looked at." in said
    assert f"The {MOST_SLICES} largest of" in said


def test_words_are_counted_in_any_script_and_pair() -> None:
    assert n_words("Don't stop, e-mail me at 9!") == 7
    assert n_words("我喜欢这本书。") == 6
    assert n_words("한국어 문장") == 2
    traits = text_traits([pair_of("one two", "three"), pair_of("four", "five six seven")])
    assert traits["words"].tolist() == [3, 4]
    assert traits["words (second text)"].tolist() == [1, 3]


def test_languages_are_guessed_and_what_is_none_is_unclear() -> None:
    assert guessed_language("The delivery came two days late and nobody told me why.") == "en"
    assert guessed_language("Die Lieferung kam zwei Tage zu spät, und niemand sagte etwas.") == "de"
    assert guessed_language("https://x.org/1234 :-) 42") == "unclear"


# --- what is called worse -------------------------------------------------------------------


def test_outside_the_classes_are_mixed_as_inside() -> None:
    labels = np.repeat([0, 1], [60, 40])
    members = np.r_[np.ones(10), np.zeros(50), np.ones(30), np.zeros(10)].astype(bool)
    right = np.r_[np.ones(60), np.zeros(40)]  # the second class is the hard one
    weights = comparable(members[None], labels)
    assert right @ weights.inside == pytest.approx([0.25])
    assert right @ weights.outside == pytest.approx([0.25])
    assert weights.n_inside.tolist() == [40]
    assert weights.n_outside[0] == pytest.approx(1 / (50 * (0.25 / 50) ** 2 + 10 * 0.075**2))


def test_a_class_on_one_side_alone_is_not_compared() -> None:
    labels = np.repeat([0, 1, 2], [40, 40, 20])
    members = np.r_[np.ones(20), np.zeros(20), np.ones(20), np.zeros(20), np.ones(20)].astype(bool)
    weights = comparable(members[None], labels)
    assert weights.n_inside.tolist() == [40]
    assert weights.n_outside[0] == pytest.approx(40)


def test_a_planted_slice_is_found_in_the_model_that_is_wrong_there() -> None:
    findings = planted_findings()
    assert findings.worse["slice"].unique().tolist() == ["channel: phone"]
    assert findings.worse["predictions"].tolist() == ["the model itself"]
    worst = findings.table.iloc[0]
    assert worst["n"] == 100
    assert worst["difference"] == pytest.approx(worst["accuracy"] - worst["elsewhere"])
    assert worst["low"] < worst["difference"] < worst["high"] < 0
    again = planted_findings()
    pd.testing.assert_frame_equal(findings.table, again.table)


def test_no_mistake_and_few_mistakes_make_no_slice_worse() -> None:
    members = np.arange(N)[None] % np.arange(2, 12)[:, None] == 0
    labels = np.random.default_rng(0).integers(2, size=N)
    right = np.ones((1, N), dtype=bool)
    scores = compare_slices(right, labels, members, seed=0)
    assert not scores.is_worse.any()
    assert (scores.high - scores.low > 0.01).all()  # no certainty out of nothing
    right[0, [10, 20]] = False
    assert not compare_slices(right, labels, members, seed=0).is_worse.any()


def test_a_repeated_text_counts_once() -> None:
    one = examples_of(100)
    examples = pd.concat([one] * 4, ignore_index=True)
    columns = pd.DataFrame({"channel": np.where(np.arange(N) % 100 < 30, "phone", "mail")})
    predicted = {"the model itself": examples["label"].to_numpy()}
    findings = find_slices(examples, columns, predicted, "val", seed=0)
    assert findings.table["n"].tolist() == [30, 70]
    assert "300 repeated texts of val are counted once." in slices_notes(findings)


# --- how often that is true -----------------------------------------------------------------


def test_planted_slices_are_found_and_others_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing, "SHUFFLES", 500)
    draws, unlucky = 20, 0.005  # as in test_truth: fixed by their seeds
    kinds = {one.name: one for one in planted.slice_populations()}
    wanted = [
        "slice planted, accuracy 0.7", "no slice, tiny ones, accuracy 0.98",
        "no slice, columns go with hard classes",
    ]  # fmt: skip
    result = truth.measure(
        [kinds[name] for name in wanted], sizes=[60, 500], draws=draws, processes=1,
        print_line=print,
    )  # fmt: skip
    rates = [Rate(**rate) for rate in result["rates"]]
    for claim in planted.SLICE_CLAIMS:
        assert claim.goal is not None
        of_claim = [rate for rate in rates if rate.claim == claim.name]
        assert of_claim
        for rate in of_claim:
            bad = rate.mean if claim.is_false else 1 - rate.mean
            allowed = claim.goal if claim.is_false else 1 - claim.goal
            assert round(bad * rate.draws) <= binom.isf(unlucky, rate.draws, allowed), rate
    assert "a slice of 200" in truth.as_text(result)
    assert {rate.n for rate in rates if "planted" in rate.population} == {500}


# --- in words, on the page, in the report ---------------------------------------------------


def test_a_sentence_says_which_slice_and_by_how_much() -> None:
    said = slices_sentence(planted_findings())
    assert said.startswith("Of 8 slices of val, 1 does clearly worse than the rest, “channel: ph")
    assert "phone”: the model itself gets 40 % of it right (n = 100), and 88 % elsewhere" in said
    none = slices_sentence(planted_findings(wrong=0.1))
    assert none.startswith("Of 8 slices of val, none does clearly worse than the rest (one of ")
    few = examples_of(30)
    predicted = {"the model itself": few["label"].to_numpy()}
    nothing = find_slices(few, pd.DataFrame({"a": ["x", "y"] * 15}), predicted, "val", 0)
    assert slices_sentence(nothing).startswith("No slice of val can be looked at: none has 20")
    assert nothing.table.empty
    assert slices_notes(nothing) == ["“a” has no value that 20 examples share."]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a run whose model is wrong about phone calls."""
    monkeypatch.setenv("LAYERVIZ_RUNS", str(tmp_path))
    run = made(tmp_path, dataset_of(), "bert-a", {3: 4.0})
    examples = runs.read_examples(run.path)
    phone = np.arange(len(examples)) % 4 == 0
    runs.write_examples(
        run.path, examples.assign(channel=np.where(phone, "phone", "=1+1")).convert_dtypes()
    )
    predictions = runs.read_predictions(run.path, 1)
    wrong = np.where(phone, (predictions["predicted"] + 1) % 3, predictions["predicted"])
    predictions.assign(predicted=wrong).to_parquet(run.layout.predictions(1), index=False)
    return run


def test_the_page_lists_slices_and_the_examples_of_one(run: Run) -> None:
    state: dict[str, object] = {"tabs": "Examples", "examples_view": "Slices"}
    app = answered(open_page(run=run.run_id, state=state))
    assert not app.exception
    assert "1 does clearly worse than the rest, “channel: phone”" in markdown_text(app)
    assert "Elsewhere: of the examples outside the slice" in caption_text(app)
    table = app.dataframe[0].value
    assert table["slice"].iloc[0] == "channel: phone"
    assert table["verdict"].tolist().count("clearly worse") == 1
    fingerprint = run.dataset["fingerprint"]
    app.session_state["chosen_slice"] = (fingerprint, "val", "channel: phone")
    app.run()
    assert "60 val examples** of channel: phone" in markdown_text(app)
    app.selectbox(key=FILTER).set_value("channel").run()
    app.multiselect(key=f"filter_values-{run.run_id}-channel").set_value(["=1+1"]).run()
    assert "0 examples; 60 are left out." in caption_text(app)
    app.button(key="slices_maps").click().run()
    assert app.session_state["tabs"] == "Maps"
    assert len(app.session_state["selected"][1]) == 60
    assert not app.exception


def test_what_is_of_test_is_shown_in_the_maps(monkeypatch: pytest.MonkeyPatch) -> None:
    examples = examples_of().assign(split="test")
    labels = examples["label"].to_numpy()
    run: Any = SimpleNamespace(
        dataset={"fingerprint": "0"}, label_names=("a", "b"), snapshots=[SimpleNamespace(epoch=1)]
    )
    channel = pd.DataFrame({"channel": np.where(np.arange(N) % 4, "mail", "phone")})
    findings = find_slices(examples, channel, {"model": labels}, "test", seed=0)
    tile = Predicted(run, 0, "test", examples, pd.DataFrame({"predicted": labels}))
    monkeypatch.setattr(slices_page.cache, "examples", lambda _: examples)
    for show in (
        partial(slices_page._show_in_maps, run, findings, "channel: phone"),
        partial(confusion_page._show_in_maps, tile, "a", "a"),
    ):
        state: dict[str, Any] = {}
        monkeypatch.setattr(st, "session_state", state)
        show()
        assert (state["tabs"], state["show_test"]) == ("Maps", True)


def test_the_table_to_take_away_keeps_formulas_where_that_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    frame = pd.DataFrame({"a": ["=1"]})
    monkeypatch.setattr(slices_part_module, "slices_with_splits", lambda _: frame)
    assert SLICES_CSV.has_formulas
    run: Any = None
    for quotes, cell in ((True, "'=1"), (False, "=1")):
        stream = BytesIO()
        SLICES_CSV.write(run, ExportRequest(MapsRequest(), quote_formulas=quotes), stream, print)
        assert stream.getvalue().decode().splitlines() == ["a", cell]


def test_the_report_says_what_the_page_says(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", run.run_id, "--json"]) == 0
    (of_val,) = json.loads(capsys.readouterr().out)["slices"]
    answer = separability.answer_of(run)
    (findings,) = separability.all_slices_of(run, answer)
    assert of_val["sentence"] == slices_sentence(findings)
    assert [row["slice"] for row in of_val["clearly_worse"]] == ["channel: phone"]
    assert main(["report", run.run_id]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "1 does clearly worse than the rest, “channel: phone”" in said


def test_the_offline_page_and_the_table_to_take_away_have_them(run: Run, tmp_path: Path) -> None:
    answer = separability.answer_of(run)
    part = slices_part(run, answer)
    assert "1 does clearly worse than the rest, “channel: phone”" in part
    assert "<td>channel: phone</td>" in part
    assert slices_part(run, None) == ""
    file = tmp_path / "slices.csv"
    assert main(["export", run.run_id, "--slices", str(file)]) == 0
    table = pd.read_csv(file)
    assert table["split"].unique().tolist() == ["val"]
    assert table["clearly_worse"].sum() == 1
    assert {"low", "high", "predictions", "elsewhere"} <= set(table)
