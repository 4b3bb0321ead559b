"""A setting is one entry: page, command line, record and run id are made from it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pages import open_page
from streamlit.testing.v1 import AppTest
from waiting import wait_until

from layerviz import commands, encoders, runs, training
from layerviz.commands import main
from layerviz.commands.setting_arguments import pretrain_config
from layerviz.config import FAMILIES, SETTINGS, RunConfig, run_id
from layerviz.data import Dataset
from layerviz.errors import ConfigError
from layerviz.export.recipe import recipe
from layerviz.pretrain_config import PRETRAIN_SETTINGS, PretrainConfig
from layerviz.runs import Run
from layerviz.settings import Choice, Name, Number, Setting, Switch, Whole, Widget

ROOT = Path(__file__).parents[1]
SAMPLE = str(ROOT / "layerviz" / "samples" / "customer_messages.csv")
DAYDREAMS = Setting(
    "daydreams",
    Whole(0, 50),
    3,
    help="moments, at most 50, in which training thinks of something else",
    widget=Widget("Daydreams"),
)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the runs folder of page and command line, where runs are made but not trained."""
    monkeypatch.setenv(runs.RUNS_VARIABLE, str(tmp_path))

    def stop_at_once(run: Run, dataset: Dataset, **_: Any) -> Run:
        return runs.update(run.path, status="cancelled")

    monkeypatch.setattr(training, "fit", stop_at_once)
    return tmp_path


@pytest.fixture
def daydreams() -> Iterator[Setting]:
    with SETTINGS.extended(DAYDREAMS) as entry:
        yield entry


def opened(encoder: str) -> AppTest:
    """Open the page on the sample with an encoder."""
    app = open_page()
    app.selectbox(key="encoder").set_value(encoder).run()
    assert not app.exception
    return app


def started(app: AppTest, root: Path) -> Run:
    """Press Fine-tune and return the run that it makes."""
    before = {run.run_id for run in runs.list_runs(root)}
    app.button(key="fine_tune").click().run()
    assert not app.exception
    assert not app.error
    wait_until(lambda: not any(run.live for run in runs.list_runs(root)))
    (run,) = (run for run in runs.list_runs(root) if run.run_id not in before)
    return run


def fitted(root: Path, encoder: str, *options: str) -> Run:
    """Make a run on the sample by the command line."""
    folder = root / "by command"
    arguments = ["fit", f"--encoder={encoder}", f"--data={SAMPLE}", f"--runs={folder}"]
    assert main([*arguments, *options]) == 130  # stopped before the first step
    (run,) = runs.list_runs(folder)
    return run


@pytest.mark.parametrize("encoder", ["scratch-distilbert", "scratch-bert", "bert-mini"])
def test_page_and_command_line_make_the_same_run_when_nothing_is_touched(
    root: Path, encoder: str
) -> None:
    by_page, by_command = started(opened(encoder), root), fitted(root, encoder)
    assert by_page.config == by_command.config
    assert by_page.run_id == by_command.run_id
    expected = 10 if encoder.startswith("scratch") else 4
    assert by_page.config.epochs == expected


def test_a_comparison_gives_each_encoder_the_epochs_that_suit_it(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ["bert-mini", "scratch-distilbert"]
    app = opened("bert-mini")
    app.multiselect(key="compared_encoders").set_value(names).run()
    app.button(key="compare").click().run()
    assert not app.exception
    wait_until(lambda: not any(run.live for run in runs.list_runs(root)))
    by_page = {run.run_id: run.config.epochs for run in runs.list_runs(root)}
    assert sorted(filter(None, by_page.values())) == [4, 10]
    by_command = {fitted(root / name, name).run_id for name in names}
    assert set(by_page) == by_command


def test_epochs_that_are_chosen_in_step_3_hold_for_all_that_are_compared(root: Path) -> None:
    app = opened("bert-mini")
    app.number_input(key="epochs-bundled").set_value(2).run()
    app.multiselect(key="compared_encoders").set_value(["bert-mini", "scratch-bert"]).run()
    app.button(key="compare").click().run()
    assert not app.exception
    wait_until(lambda: not any(run.live for run in runs.list_runs(root)))
    assert [run.config.epochs for run in runs.list_runs(root)] == [2, 2]


def test_a_further_setting_is_one_entry(
    root: Path, daydreams: Setting, capsys: pytest.CaptureFixture[str]
) -> None:
    app = opened("scratch-distilbert")
    widget = app.number_input(key="daydreams")
    assert (widget.label, widget.value, widget.min, widget.max) == ("Daydreams", 3, 0, 50)
    assert "at most 50" in widget.help
    widget.set_value(7).run()
    run = started(app, root)
    assert run.config.as_dict()["daydreams"] == 7
    assert '"daydreams": 7' in (run.path / "run.json").read_text(encoding="utf-8")

    words = shlex.split(recipe(run).command)
    assert words[words.index("--daydreams") + 1] == "7"
    parsed = commands.parser().parse_args(words[3:])
    assert commands.run_config(parsed, parsed.encoder, parsed.seed).as_dict()["daydreams"] == 7
    assert fitted(root, "scratch-distilbert", "--daydreams=7").run_id == run.run_id
    capsys.readouterr()
    assert main(["fit", "--encoder=scratch-bert", "--data=x.csv", "--daydreams=51"]) == 2
    assert "Daydreams is 51. Give a whole number from 0 to 50." in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["fit", "--help"])
    help_text = " ".join(capsys.readouterr().out.split())
    assert "--daydreams DAYDREAMS moments, at most 50" in help_text
    assert "(default: 3)" in help_text


def test_runs_made_before_there_was_a_setting_open_and_keep_their_ids(
    tmp_path: Path, toy_dataset: Dataset
) -> None:
    config = RunConfig("scratch-bert", epochs=5)
    made = runs.create(tmp_path, config, toy_dataset)
    with SETTINGS.extended(DAYDREAMS):
        run = runs.read(tmp_path, made.run_id)
        assert run.config.as_dict()["daydreams"] == 3
        assert run_id(run.config, toy_dataset.name, toy_dataset.fingerprint) == made.run_id
        assert runs.create(tmp_path, run.config, toy_dataset).run_id == made.run_id
        other = RunConfig.from_dict(config.as_dict() | {"daydreams": 4})
        assert run_id(other, toy_dataset.name, toy_dataset.fingerprint) != made.run_id
        later = runs.create(tmp_path, other, toy_dataset)
    with pytest.raises(ConfigError, match="unknown settings: daydreams"):
        runs.read(tmp_path, later.run_id)
    assert [run.run_id for run in runs.list_runs(tmp_path)] == [made.run_id]


@pytest.mark.parametrize("family", FAMILIES)
def test_pretrain_has_an_argument_for_every_setting(family: str) -> None:
    parser = commands.parser()
    command = ["pretrain", f"--family={family}", "--data=x.txt", "--out=x"]
    untouched = pretrain_config(parser.parse_args(command))
    assert untouched == PretrainConfig(family, layers=6 if family == "distilbert" else 12)
    values: dict[str, Any] = {
        "layers": 3, "hidden_size": 64, "heads": 4, "vocab_size": 500, "start": "bert-mini",
        "teacher": "a/teacher", "teacher_weight": 0.5, "word_epochs": 2, "epochs": 7,
        "batch_size": 8, "learning_rate": 1e-3, "warmup_steps": 9, "max_length": 32, "seed": 5,
        "precision": "fp32",
    }  # fmt: skip
    assert {"family", *values} == set(PRETRAIN_SETTINGS)
    words = [
        word for name, value in values.items() for word in PRETRAIN_SETTINGS[name].words(value)
    ]
    assert words[words.index("bert-mini") - 1] == "--from"
    assert pretrain_config(parser.parse_args([*command, *words])) == PretrainConfig(
        family, **values
    )


@pytest.mark.parametrize("info", encoders.catalogue(), ids=lambda info: info.name)
def test_every_setting_that_may_be_left_open_has_a_value_that_suits(
    info: encoders.EncoderInfo,
) -> None:
    left_open = {
        entry.name for entry in SETTINGS.values() if entry.default is None and not entry.empty
    }
    suitable = encoders.suitable_settings(info)
    assert set(suitable) == left_open
    for name, value in suitable.items():
        SETTINGS[name].check(value)
    assert str(suitable["epochs"]) in SETTINGS["epochs"].help


@pytest.mark.parametrize("entry", SETTINGS.values(), ids=SETTINGS)
def test_every_setting_has_a_widget_and_words(entry: Setting) -> None:
    assert (entry.widget is not None) == entry.is_asked
    assert entry.widget is None or entry.widget.label
    assert entry.help[0].islower()
    assert not entry.help.endswith(".")
    entry.check(entry.default)


@pytest.mark.parametrize(
    ("kind", "default", "value", "words"),
    [
        (Whole(0, 9), 1, 2, ["--x-y", "2"]),
        (Number(0, 1), 0.5, 1e-5, ["--x-y", "1e-05"]),
        (Choice(("a", "b")), "a", "b", ["--x-y", "b"]),
        (Switch(), False, True, ["--x-y"]),
        (Switch(), False, False, []),
        (Name(), None, "bert-mini", ["--x-y", "bert-mini"]),
        (Name(), None, None, []),
    ],
)
def test_a_value_is_typed_as_the_command_line_reads_it(
    kind: Any, default: object, value: object, words: list[str]
) -> None:
    entry = Setting("x_y", kind, default, help="what it is")
    entry.check(value)
    assert entry.words(value) == words


def test_a_switch_that_is_on_by_default_is_refused() -> None:
    with pytest.raises(ValueError, match="off by default"):
        Setting("x", Switch(), True, help="what it is")


def test_a_run_that_an_earlier_version_began_is_named_with_what_continues_it(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    begun = fitted(root, "scratch-bert", "--batching", "random")
    capsys.readouterr()
    folder = root / "by command"
    words = ["fit", "--encoder=scratch-bert", f"--data={SAMPLE}", f"--runs={folder}"]
    assert main(words) == 130
    told = [line for line in capsys.readouterr().err.splitlines() if begun.run_id in line]
    assert len(told) == 1
    assert "add --batching random to continue that one" in told[0]
    (other,) = (run for run in runs.list_runs(folder) if run.run_id != begun.run_id)
    assert (begun.config.batching, other.config.batching) == ("random", "length")
    assert "--batching random" in recipe(begun).command
    assert "--batching" not in recipe(other).command
