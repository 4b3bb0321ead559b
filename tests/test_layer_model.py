"""A layer that was taken away does elsewhere what its probe did here.

Models are loaded and used as their cards say, in a process that cannot import layerviz.
"""

from __future__ import annotations

import copy
import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from made_runs import dataset_of, made
from pages import answered, open_page
from toy import as_csv, toy_rows

from layerviz import data, encoders, runs, separability, training
from layerviz.commands import main
from layerviz.config import RunConfig
from layerviz.errors import ConfigError, EncoderError, LayervizError, RunError
from layerviz.export import EXPORTS, CellRequest, ExportRequest, layer_model
from layerviz.export.layer_model import folder_name, requested_cell
from layerviz.export.model_card import escaped
from layerviz.export.timing import race
from layerviz.export.zip_writing import zip_model
from layerviz.pairs import pair_of
from layerviz.progress import ignore
from layerviz.runs import Run
from layerviz.separability import Cell, cell_name
from layerviz.views import MapsRequest
from layerviz.wording import sentence_case

FAMILIES = ("bert", "roberta", "distilbert")
HOSTILE = "<b>fruit</b> | *tool* `x` [a](http://b)"
LONG = "and the rest of it is cut off because nobody reads this far " * 3

READER = """
import json, sys
from pathlib import Path

try:
    import layerviz
except ImportError:
    pass
else:
    raise SystemExit("layerviz can be imported here")
for task in sorted(Path().glob("*.json")):
    texts_to_read = json.loads(task.read_text(encoding="utf-8"))
    card = Path(task.stem, "README.md").read_text(encoding="utf-8")
    parts = [part.split("```")[0] for part in card.split("```python\\n")[1:]]
    as_written = {}
    for part in parts:
        exec(part, as_written)
    code = "\\n".join(parts).replace('["your text", "another text"]', "texts_to_read")
    read = {"texts_to_read": texts_to_read}
    exec(code, read)
    id2label = read["id2label"] if "id2label" in read else read["model"].config.id2label
    answer = {
        "predicted": [id2label[label] for label in read["scores"].argmax(1).tolist()],
        "scores": read["scores"].tolist(),
        "embeddings": read["embeddings"].tolist(),
    }
    task.with_suffix(".answer").write_text(json.dumps(answer))
"""


@pytest.fixture(scope="module")
def small() -> Iterator[None]:
    """Shrink the encoders from scratch; one thread does for them."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        size = encoders.EncoderSize(layers=4, hidden_size=32, heads=2, vocab_size=2000)
        for family in FAMILIES:
            patch.setitem(encoders.SCRATCH_SIZES, family, size)
        yield
    torch.set_num_threads(n_threads)


def toy_data() -> data.Dataset:
    """Return three classes, one with a name that Markdown could take for markup; long texts too."""
    rows = [(f"{text} {LONG}" if at % 9 == 0 else text, label) for at, (text, label) in
            enumerate(toy_rows(120))]  # fmt: skip
    named = [(text, HOSTILE if label == "fruit" else label) for text, label in rows]
    splits = ["train"] * 78 + ["val"] * 27 + ["test"] * 15
    lines = [(*row, split) for row, split in zip(named, splits, strict=True)]
    table = data.read_table(as_csv(lines, "text,label,split"), "toys_and *tools*.csv")
    return data.build_dataset(table, data.Columns("text", "label", "split"))


def trained(root: Path, family: str, **settings: object) -> Run:
    config = RunConfig(
        f"scratch-{family}",
        **{
            "epochs": 2,
            "batch_size": 16,
            "learning_rate": 3e-3,
            "max_length": 24,
            "precision": "fp32",
            "batching": "random",  # of which [CLS] learns enough for a probe without huge weights
            **settings,
        },  # type: ignore[arg-type]
    )
    dataset = toy_data()
    return training.fit(runs.create(root, config, dataset), dataset)


@pytest.fixture(scope="module")
def bert(small: None, tmp_path_factory) -> Run:
    return trained(tmp_path_factory.mktemp("runs"), "bert")


def taken(run: Run, to: Path, cell: CellRequest) -> Path:
    """Export a layer, unpack the zip and return the model's folder."""
    stream = io.BytesIO()
    EXPORTS["layer_model"].write(run, ExportRequest(MapsRequest(), cell=cell), stream, ignore)
    with zipfile.ZipFile(stream) as archive:
        archive.extractall(to)
        tops = {name.split("/")[0] for name in archive.namelist()}
    assert len(tops) == 1
    return to / tops.pop()


@dataclass(frozen=True)
class Taken:
    """A layer that was taken away, and what it says of the captured texts elsewhere."""

    run: Run
    cell: Cell
    folder: Path

    @property
    def answer(self) -> dict[str, list]:
        return json.loads(self.folder.with_suffix(".answer").read_text())

    @property
    def stored(self) -> np.ndarray:
        """The names of the classes that the stored probe predicts."""
        probes = runs.read_probes(self.run.path, self.cell.snapshot)
        return np.array(self.run.label_names)[probes[self.cell.pooling][self.cell.layer]]

    @property
    def states(self) -> np.ndarray:
        cell = self.cell
        states = runs.read_hidden_states(self.run.path, cell.snapshot, cell.pooling, cell.layer)
        return states.astype(float)


def two_classes(root: Path) -> Run:
    frame = pd.DataFrame(toy_rows(90), columns=["text", "label"])
    frame = frame[frame["label"] != "river"]
    table = data.read_table(frame.to_csv(index=False).encode(), "two.csv")
    dataset = data.build_dataset(table, data.guess_columns(table.frame))
    config = RunConfig(
        "scratch-distilbert", epochs=1, batch_size=4, learning_rate=5e-3, max_length=24
    )
    return training.fit(runs.create(root, config, dataset), dataset)


def kept(root: Path) -> Run:
    return trained(root, "roberta", keep="all")


TAKEN = [(family, CellRequest(layer, 2.0, pooling)) for family in FAMILIES
         for pooling, layer in (("cls", 2), ("mean", 3), ("max", 1))]  # fmt: skip
TAKEN += [("two classes", CellRequest(2, 1.0, "cls")), ("kept", CellRequest(2, 1.0, "cls"))]


@pytest.fixture(scope="module")
def everything_taken(
    small: None, bert: Run, tmp_path_factory: pytest.TempPathFactory
) -> dict[tuple[str, CellRequest], Taken]:
    """Take layers of several runs and read the captured texts with all of them, elsewhere."""
    root, elsewhere = (tmp_path_factory.mktemp(name) for name in ("runs", "elsewhere"))
    made_runs = {"bert": bert, "two classes": two_classes(root), "kept": kept(root / "kept")}
    made_runs |= {family: trained(root, family) for family in FAMILIES[1:]}
    everything = {}
    for name, request in TAKEN:
        run = made_runs[name]
        cell = requested_cell(run, request, separability.answer_of(run).best)
        folder = taken(run, elsewhere, request)
        everything[name, request] = Taken(run, cell, folder)
        texts = runs.read_examples(run.path)["text"].tolist()
        # A folder's name has a dot nowhere, so that a suffix can be added to it.
        folder.with_suffix(".json").write_text(json.dumps(texts), encoding="utf-8")
    (elsewhere / "reader.py").write_text(READER, encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "reader.py"],
        cwd=elsewhere,
        env=environment | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "newly initialized" not in done.stderr
    assert "MISSING" not in done.stderr
    return everything


def card_of(folder: Path) -> str:
    return (folder / "README.md").read_text(encoding="utf-8")


# --- what it predicts -----------------------------------------------------------------------


@pytest.mark.parametrize("which", TAKEN, ids=lambda it: f"{it[0]}-{it[1].pooling}")
def test_elsewhere_it_predicts_what_the_stored_probe_predicts(
    everything_taken: dict[tuple[str, CellRequest], Taken], which: tuple[str, CellRequest]
) -> None:
    one = everything_taken[which]
    answer, states = one.answer, one.states
    assert (np.array(answer["predicted"]) == one.stored).mean() >= 0.999
    # A probe that always says the same would prove little.
    assert set(one.stored) == set(one.run.label_names)
    np.testing.assert_allclose(answer["embeddings"], states, atol=2e-3 * np.abs(states).max())
    scores = separability.refit_probe(one.run, one.cell).scores(states)
    np.testing.assert_allclose(answer["scores"], scores, atol=5e-3 * np.abs(scores).max())
    whole = (one.run.path / "model" / "model.safetensors").stat().st_size
    assert sum(path.stat().st_size for path in one.folder.rglob("*.safetensors")) < whole


def test_the_whole_depth_can_be_taken(bert: Run, tmp_path: Path) -> None:
    folder = taken(bert, tmp_path, CellRequest(4, 2.0, "cls"))
    assert json.loads((folder / "config.json").read_text())["num_hidden_layers"] == 4


def test_any_epoch_can_be_taken_whose_weights_were_kept(
    everything_taken: dict[tuple[str, CellRequest], Taken], tmp_path: Path
) -> None:
    one = everything_taken["kept", CellRequest(2, 1.0, "cls")]
    assert "as it was at epoch 1" in " ".join(card_of(one.folder).split())
    start = taken(one.run, tmp_path, CellRequest(2, 0.0, "mean"))
    assert "as it was before training" in " ".join(card_of(start).split())


# --- which cell -----------------------------------------------------------------------------


def test_by_default_it_is_the_cell_of_the_answer(bert: Run, tmp_path: Path) -> None:
    best = Cell(2, 2.0, "max", 3)
    assert requested_cell(bert, CellRequest(), best) == best
    assert requested_cell(bert, CellRequest(layer=1), best) == replace(best, layer=1)
    earlier = requested_cell(bert, CellRequest(epoch=1.0), best)
    assert earlier == Cell(1, 1.0, "max", 3)
    under_cls = separability.answer_of(bert, ["cls"]).best
    assert requested_cell(bert, CellRequest(pooling="cls"), best) == under_cls


def test_the_fewest_layers_that_are_enough_can_be_asked_for(
    bert: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    best = Cell(2, 2.0, "max", 3)
    cannot_tell = separability.decision_of(bert, best)
    assert cannot_tell.cell is None  # 27 val examples are few
    with pytest.raises(ConfigError, match="Choose a layer from 1 to 4"):
        requested_cell(bert, CellRequest(layer="enough"), best)
    decided = replace(cannot_tell, cell=Cell(2, 2.0, "mean", 1))
    monkeypatch.setattr(separability, "decision_of", lambda *_, **__: decided)
    assert requested_cell(bert, CellRequest(layer="enough"), best) == decided.cell


@pytest.mark.parametrize(
    ("cell", "sentence"),
    [
        (CellRequest(layer=0), "Layer 0, the embedding output, .* Choose a layer from 1 to 4"),
        (
            CellRequest(layer=5),
            "There is no layer 5: the encoder has 4. Choose a layer from 1 to 4",
        ),
        (CellRequest(layer=-1), "There is no layer -1"),
        (CellRequest(epoch=7.0), "no snapshot at epoch 7. Choose one of 0, 1 and 2"),
        (CellRequest(epoch=0.5), "no snapshot at epoch 0.5"),
        (CellRequest(pooling="median"), "under 'median' pooling.*Choose one of mean, cls, max"),
        (CellRequest(2, 1.0, "cls"), "Layer 2 at epoch 1 .* at epoch 2,.*keep all weights"),
        (CellRequest(2, 0.0, "cls"), "Layer 2 before training cannot be taken"),
    ],
)
def test_what_cannot_be_taken_is_refused_with_the_way_out(
    bert: Run, cell: CellRequest, sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(LayervizError) as refused:
        taken(bert, tmp_path, cell)
    assert re.search(sentence, str(refused.value))
    assert refused.value.hint
    assert not list(tmp_path.iterdir())


def copied(run: Run, to: Path, **changes: object) -> Run:
    return runs.update(shutil.copytree(run.path, to / run.run_id), **changes)


def test_weights_of_another_moment_are_refused(bert: Run, tmp_path: Path) -> None:
    farther = bert.training | {"model_step": bert.snapshots[-1].step - 1}
    stopped = copied(bert, tmp_path / "stopped", status="cancelled", training=farther)
    with pytest.raises(RunError, match="holds no weights of a snapshot"):
        taken(stopped, tmp_path, CellRequest(2, 2.0, "mean"))
    changed = copied(bert, tmp_path / "changed")
    loaded = encoders.load_trained(changed.layout.model)
    with torch.no_grad():
        loaded.model.get_parameter("bert.encoder.layer.0.output.dense.weight").mul_(-1.0)
    loaded.model.save_pretrained(changed.layout.model)
    with pytest.raises(RunError, match="do not give the states that were captured at epoch 2"):
        taken(changed, tmp_path, CellRequest(2, 2.0, "mean"))


def test_a_run_without_weights_is_refused(tmp_path: Path) -> None:
    run = made(tmp_path, dataset_of(), "bert-a", {3: 4.0})
    with pytest.raises(RunError, match="holds no weights"):
        taken(run, tmp_path, CellRequest())


def test_another_family_is_refused(bert: Run, tmp_path: Path) -> None:
    albert = copied(bert, tmp_path, encoder=bert.encoder | {"family": "albert"})
    with pytest.raises(EncoderError, match="No layer of this albert"):
        taken(albert, tmp_path, CellRequest(2, 2.0, "cls"))


# --- the card -------------------------------------------------------------------------------


def test_the_card_says_what_it_is_and_how_good(
    everything_taken: dict[tuple[str, CellRequest], Taken], tmp_path: Path
) -> None:
    run = everything_taken["kept", CellRequest(2, 1.0, "cls")].run
    best = separability.answer_of(run).best
    folder = taken(run, tmp_path, CellRequest())
    card, answer = card_of(folder), separability.answer_of(run)
    assert folder.name == folder_name(run, best)
    assert card.startswith("---\nlibrary_name: ")
    assert card.count("\n---\n") == 1
    flat = " ".join(card.split())
    for words in (
        f"# Layer {best.layer} of RoBERTa from scratch, fine-tuned on toys\\_and \\*tools\\*",
        escaped(separability.lead_sentences(answer)[0]),
        f"| {separability.PICKED_ON_VAL} | {answer.val.value:.2f} |",
        f"cells | {answer.unseen.value:.2f} | {answer.unseen.low:.2f}–{answer.unseen.high:.2f} |",
        f"| {separability.PICKED_ON_TEST} |",
        "| 15 |",
        "cut to 24 tokens",
        escaped(run.dataset["fingerprint"]),
        f"`{run.run_id}`",
        "as fast as the full model",
        "transformers 5",
    ):
        assert words in flat
    assert "<b>" not in card
    assert escaped(HOSTILE) in card
    assert "read 120 captured examples and predicted the same class as the stored probe" in flat
    assert "for 120 of them" in flat
    sizes = re.search(r"\| weights \| ([\d.]+) MB \| ([\d.]+) MB \|", card)
    assert sizes is not None


def test_a_layer_that_was_chosen_by_hand_is_not_called_the_answer(
    bert: Run, tmp_path: Path
) -> None:
    best = separability.answer_of(bert).best
    layer = 1 if best.layer != 1 else 2
    card = card_of(taken(bert, tmp_path, CellRequest(layer, 2.0, best.pooling)))
    assert "chosen by hand" in card
    assert "corrected for the pick" not in card


def test_markup_in_names_is_text() -> None:
    assert escaped("a|b <i> *c*\n# d `e`") == r"a\|b \<i\> \*c\* \# d \`e\`"


@pytest.mark.parametrize(("pairs", "n_lists"), [(False, 1), (True, 2)])
def test_pairs_are_raced_as_pairs(
    monkeypatch: pytest.MonkeyPatch, *, pairs: bool, n_lists: int
) -> None:
    texts = [pair_of("one", "other") if pairs else "one"] * 20
    monkeypatch.setattr("layerviz.runs.read_examples", lambda path: pd.DataFrame({"text": texts}))
    monkeypatch.setattr("layerviz.encoders.load_trained", lambda path: SimpleNamespace(model=None))
    monkeypatch.setattr(layer_model, "race", lambda whole, short, batches: batches)
    run = SimpleNamespace(path=Path(), config=SimpleNamespace(max_length=8))
    short = SimpleNamespace(tokenizer=lambda *lists, **options: lists)
    batches = layer_model._speed(run, Path(), None, short, np.arange(20))  # type: ignore[arg-type]
    assert batches == [(["one"] * n, ["other"] * n)[:n_lists] for n in (16, 4)]


@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_the_code_of_a_model_of_pairs_gives_pairs(bert: Run, tmp_path: Path, pooling: str) -> None:
    of_pairs = copy.deepcopy(bert)
    of_pairs.dataset["columns"]["text_pair"] = "other"
    card = card_of(taken(of_pairs, tmp_path, CellRequest(1, 2.0, pooling)))
    given = {"cls": "tokenizer(firsts, seconds, ", "mean": "encode(list(zip(firsts, seconds)))"}
    code = "".join(part.split("```")[0] for part in card.split("```python\n")[1:])
    assert given[pooling] in code
    assert "texts = " not in code
    zip_model(of_pairs, tmp_path / "model.zip")
    with zipfile.ZipFile(tmp_path / "model.zip") as archive:
        (readme,) = (name for name in archive.namelist() if name.endswith("README.txt"))
        assert 'tokenizer(["first text"], ["second text"], ' in archive.read(readme).decode()
    answer: dict[str, Any] = {}
    exec(code.replace("folder = ", f"folder = {str(tmp_path)!r} + '/' + "), answer)
    assert answer["scores"].shape == (2, len(bert.label_names))


def test_a_race_is_told_by_its_median() -> None:
    calls: list[str] = []

    def model(name: str):
        def call(**batch: torch.Tensor) -> None:
            calls.append(name)

        return call

    speed = race(model("full"), model("short"), [{"input_ids": torch.zeros(16, 4)}] * 5)
    assert calls == ["full", "short"] * (1 + 3 * 5)
    assert (speed.n_batches, speed.batch_size) == (5, 16)
    assert speed.ratio > 0


# --- command line and page ------------------------------------------------------------------


def test_the_command_line_takes_a_layer(
    bert: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "best.zip"
    command = ["export", str(bert.path), "--layer-model", str(file)]
    options = ["--at-layer", "2", "--at-epoch", "2", "--pooling", "cls"]
    assert main([*command, *options]) == 0
    with zipfile.ZipFile(file) as archive:
        assert any("-layer-2-epoch-2-cls/config.json" in name for name in archive.namelist())
    assert main([*command, "--at-epoch", "1"]) == 2
    assert "--at-epoch 2" in capsys.readouterr().err
    assert file.stat().st_size > 1000  # the earlier one is still there
    maps = ["export", str(bert.path), "--measures", str(tmp_path / "m.csv"), "--at-layer", "2"]
    assert main(maps) == 2
    assert "Give --layer-model as well" in capsys.readouterr().err


def test_the_page_offers_the_recommended_layer_and_others(
    everything_taken: dict[tuple[str, CellRequest], Taken], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = everything_taken["kept", CellRequest(2, 1.0, "cls")].run
    monkeypatch.setenv(runs.RUNS_VARIABLE, str(run.path.parent))
    app = answered(open_page(run=run.run_id, state={"tabs": "Export"}))
    best = separability.answer_of(run).best
    captions = [part.value for part in app.caption]
    assert "**The chosen layer as a model**" in [part.value for part in app.markdown]
    assert sentence_case(cell_name(best)) + "." in captions
    app.segmented_control(key=f"export_layer_which-{run.run_id}").set_value("Another").run()
    layer = app.selectbox(key=f"export_layer_layer-{run.run_id}")
    assert layer.value == best.layer
    assert layer.options == [f"Layer {number}" for number in range(1, 5)]
    epochs = app.selectbox(key=f"export_layer_epoch-{run.run_id}-2")
    assert epochs.options == ["Before training", "Epoch 1", "Epoch 2"]
    layer.set_value(2).run()
    app.button(key="make-layer").click().run(timeout=60)
    assert not app.exception
    assert not app.error


def test_the_page_offers_no_moment_whose_weights_are_gone(
    everything_taken: dict[tuple[str, CellRequest], Taken],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = copied(everything_taken["kept", CellRequest(2, 1.0, "cls")].run, tmp_path)
    best = separability.answer_of(run).best
    runs.remove_weights(run.path, best.snapshot)
    shutil.rmtree(run.layout.model)
    monkeypatch.setenv(runs.RUNS_VARIABLE, str(tmp_path))
    app = answered(open_page(run=run.run_id, state={"tabs": "Export"}))
    name = sentence_case(cell_name(best))
    assert any(part.value.startswith(f"{name} is recommended, and") for part in app.caption)
    which = app.segmented_control(key=f"export_layer_which-{run.run_id}")
    assert "The recommended one" not in which.options


def test_the_page_says_why_no_layer_can_be_taken(
    bert: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    albert = copied(bert, tmp_path, encoder=bert.encoder | {"family": "albert"})
    monkeypatch.setenv(runs.RUNS_VARIABLE, str(tmp_path))
    app = answered(open_page(run=albert.run_id, state={"tabs": "Export"}))
    assert app.button(key="make-layer").disabled
    assert any("have not been tested standing alone" in part.value for part in app.caption)
