"""A model that is pushed to the Hub comes back from there, and says how good it is."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hub import OWNER, TOKEN, served
from huggingface_hub import ModelCard, constants
from pages import answered, caption_text, open_page, read_aloud
from toy import as_csv, toy_rows
from trained_runs import fit_once

from layerviz import data, runs, separability
from layerviz.__main__ import main
from layerviz.config import RunConfig
from layerviz.errors import Cancelled, ConfigError, RunError
from layerviz.export import pushing
from layerviz.export.pushing import push_run
from layerviz.export.run_card import run_card
from layerviz.progress import Progress
from layerviz.runs import Run

Hub = tuple[Path, list[str]]

FRESH = """
import sys
import huggingface_hub
from transformers import AutoModelForSequenceClassification, AutoTokenizer

folder = huggingface_hub.snapshot_download(sys.argv[1])
model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
tokenizer = AutoTokenizer.from_pretrained(folder)
for text in sys.argv[2:]:
    logits = model(**tokenizer(text, return_tensors="pt")).logits
    print(model.config.id2label[int(logits.argmax())])
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    table = data.read_table(as_csv(toy_rows(40, 24)), "toy.csv")
    dataset = data.build_dataset(table, data.guess_columns(table.frame))
    config = RunConfig("bert-mini", epochs=1, batch_size=16, max_length=24, learning_rate=1e-3)
    return fit_once(runs.create(tmp_path_factory.mktemp("runs"), config, dataset), dataset)


@pytest.fixture
def its_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    with served(tmp_path / "hub", monkeypatch) as (root, requests):
        root.mkdir()
        yield root, requests


def test_what_is_pushed_comes_back_and_predicts_the_same(run: Run, its_hub: Hub, tmp_path) -> None:
    root, _ = its_hub
    pushed = push_run(run, f"{OWNER}/toy")
    assert pushed.address == f"{constants.ENDPOINT}/{OWNER}/toy"
    assert pushed.is_private
    folder = root / OWNER / "toy"
    stored = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    of_model = {path.name for path in run.layout.model.iterdir()}
    assert stored == of_model | {"README.md", "layerviz/heat-map.png", "PRIVATE"}
    for name in of_model:
        assert (folder / name).read_bytes() == (run.layout.model / name).read_bytes()
    examples = runs.read_examples(run.path).head(6)
    predicted = runs.read_predictions(run.path, runs.model_snapshot(run))["predicted"].head(6)
    environment = {
        "HF_ENDPOINT": constants.ENDPOINT, "HF_HOME": str(tmp_path / "home"),
        "HF_HUB_DISABLE_XET": "1", "PATH": "/usr/bin:/bin", "HF_TOKEN": TOKEN,
    }  # fmt: skip
    ended = subprocess.run(
        [sys.executable, "-c", FRESH, f"{OWNER}/toy", *examples["text"]],
        env=environment, cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert not ended.returncode, ended.stderr
    assert ended.stdout.splitlines() == [run.label_names[label] for label in predicted]


def test_the_card_says_how_good_it_is_and_holds_no_text(run: Run, its_hub: Hub) -> None:
    root, _ = its_hub
    push_run(run, f"{OWNER}/toy")
    folder = root / OWNER / "toy"
    card = (folder / "README.md").read_text(encoding="utf-8")
    about: Any = ModelCard(card).data
    assert (about.model_name, about.pipeline_tag) == ("toy", "text-classification")
    examples = runs.read_examples(run.path)
    predicted = runs.read_predictions(run.path, runs.model_snapshot(run))["predicted"]
    val = (examples["split"] == "val").to_numpy()
    labels, taken = examples["label"][val].to_numpy(), predicted[val].to_numpy()
    score = separability.macro_f1(labels, taken[None])
    (result,) = about.eval_results or []
    assert (result.dataset_name, result.dataset_split, result.metric_type) == ("toy", "val", "f1")
    assert result.metric_value == round(float(score[0]), 4)
    sheet = separability.sheet_of(run)
    decision = sheet.decision(separability.MARGIN)
    for sentence in separability.lead_sentences(sheet.answer, decision):
        assert f"> {sentence}" in card.replace("\\", "")
    assert run.dataset["fingerprint"] in card
    assert (folder / "layerviz" / "heat-map.png").read_bytes().startswith(b"\x89PNG")
    everything = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert not [text for text in examples["text"] if text.encode() in everything]


def test_texts_go_with_it_only_if_asked(run: Run, its_hub: Hub, tmp_path: Path, capsys) -> None:
    root, _ = its_hub
    options = [f"--runs={run.path.parent}", "--public", "--with-run"]
    assert main(["push", run.run_id, f"{OWNER}/open", *options]) == 0
    assert capsys.readouterr().out == f"{constants.ENDPOINT}/{OWNER}/open\n"
    folder = root / OWNER / "open"
    assert not (folder / "PRIVATE").exists()
    whole = folder / "layerviz" / "run.zip"
    with zipfile.ZipFile(whole) as archive:
        assert f"{run.run_id}/examples.parquet" in archive.namelist()
    assert main(["import", str(whole), f"--runs={tmp_path / 'there'}"]) == 0
    there = runs.list_runs(tmp_path / "there")
    assert [one.run_id for one in there] == [run.run_id]
    assert "import run.zip" in (folder / "README.md").read_text(encoding="utf-8")


def test_a_repository_that_was_there_keeps_who_sees_it(run: Run, its_hub: Hub, capsys) -> None:
    root, _ = its_hub
    (root / OWNER / "open").mkdir(parents=True)
    assert main(["push", run.run_id, f"{OWNER}/open", f"--runs={run.path.parent}"]) == 0
    assert "was there before, and stays public" in capsys.readouterr().err


def test_texts_do_not_go_where_others_see_them(run: Run, its_hub: Hub) -> None:
    root, requests = its_hub
    (root / OWNER / "open").mkdir(parents=True)
    with pytest.raises(ConfigError, match="is public, and the whole run contains your texts"):
        push_run(run, f"{OWNER}/open", with_run=True)
    assert not [request for request in requests if "PUT" in request or "/commit/" in request]


def test_a_second_push_leaves_nothing_of_the_first_that_is_not_wanted(run, its_hub: Hub) -> None:
    root, _ = its_hub
    push_run(run, f"{OWNER}/toy", with_run=True)
    folder = root / OWNER / "toy"
    (folder / "model-00001-of-00002.safetensors").write_bytes(b"of a larger encoder")
    (folder / "notes.md").write_text("mine", encoding="utf-8")
    push_run(run, f"{OWNER}/toy")
    assert not (folder / "layerviz" / "run.zip").exists()
    assert not (folder / "model-00001-of-00002.safetensors").exists()
    assert (folder / "notes.md").is_file()
    assert (folder / "model.safetensors").is_file()


def test_the_card_names_no_folder_of_this_machine(run: Run) -> None:
    config = replace(run.config, encoder="/home/ada/secret-client/bert")
    card = run_card(replace(run, config=config), None, f"{OWNER}/toy", with_run=False)
    assert "secret-client" not in card
    assert "--encoder bert " in card


@pytest.mark.parametrize(
    ("repo", "token", "said"),
    [
        ("no name/at all", TOKEN, "is no name for a repository"),
        ("somebody/else", TOKEN, "may not write to"),
        (f"{OWNER}/toy", "hf_wrong", "does not know your token"),
        (f"{OWNER}/toy", "", "not signed in"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(
    run: Run, its_hub: Hub, monkeypatch, repo: str, token: str, said: str
) -> None:
    root, _ = its_hub
    monkeypatch.setattr(pushing, "get_token", lambda: token or None)
    monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(ConfigError, match=said) as caught:
        push_run(run, repo)
    assert "Traceback" not in str(caught.value)
    assert not list(root.glob("*/*/config.json"))


def test_a_hub_that_is_away_or_offline_is_said(run: Run, its_hub: Hub, monkeypatch) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(RunError, match="cannot be reached"):
        push_run(run, f"{OWNER}/toy")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(RunError, match="because HF_HUB_OFFLINE is set"):
        push_run(run, f"{OWNER}/toy")


def test_a_push_that_is_stopped_leaves_nothing_to_be_seen(run: Run, its_hub: Hub) -> None:
    root, requests = its_hub
    seen: list[Progress] = []
    with pytest.raises(Cancelled):
        push_run(run, f"{OWNER}/toy", on_progress=seen.append, should_stop=lambda: len(seen) > 3)
    assert not [request for request in requests if "/commit/" in request]
    assert not list((root / OWNER / "toy").glob("*.safetensors"))
    assert [one.done for one in seen] == sorted(one.done for one in seen)


def test_a_run_without_a_model_is_refused(run: Run, its_hub: Hub, tmp_path: Path) -> None:
    copy = tmp_path / run.run_id
    shutil.copytree(run.path, copy)
    shutil.rmtree(copy / "model")
    with pytest.raises(RunError, match="holds no model"):
        push_run(runs.open_folder(copy), f"{OWNER}/toy")


def test_the_page_pushes_too(run: Run, its_hub: Hub, monkeypatch) -> None:
    root, _ = its_hub
    monkeypatch.setenv(runs.RUNS_VARIABLE, str(run.path.parent))
    page = answered(open_page(state={"tabs": "Export"}, run=run.run_id))
    assert page.button(key="push").disabled
    page.text_input(key="push_repo").set_value(f"{OWNER}/page").run()
    page.button(key="push").click().run()
    assert not page.exception
    assert "Pushed to ada/page, which is private." in read_aloud(one.value for one in page.success)
    assert (root / OWNER / "page" / "README.md").is_file()
    monkeypatch.delenv("HF_TOKEN")
    page.run()
    assert "push" not in {button.key for button in page.button}
    assert "hf auth login" in caption_text(page)
