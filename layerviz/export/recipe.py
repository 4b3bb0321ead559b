"""How to make a run again, and how to continue with what it holds."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import PurePosixPath

from layerviz import data
from layerviz.config import SETTINGS
from layerviz.errors import DataError, RunError
from layerviz.runs import Run
from layerviz.separability import Cell, answer_of
from layerviz.wording import epoch_name

SAMPLE = PurePosixPath("layerviz/samples/customer_messages.csv")

SNIPPET = """\
import pandas as pd
from safetensors import safe_open
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

folder = {folder}
examples = pd.read_parquet(folder + "/{examples}")  # id, split, text, label
path = folder + "/{hidden_states}"  # {moment}
with safe_open(path, framework="np") as stored:
    states = stored.get_slice("{pooling}")[{layer}].astype("float32")  # layer {layer}: (N, D)

train = (examples["split"] == "train").to_numpy()
val = (examples["split"] == "val").to_numpy()
labels = examples["label"].to_numpy()
# layerviz chooses the penalty by cross-validation inside train; this takes the default, so its
# score is close to the page's, not identical.
probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
probe.fit(states[train], labels[train])
score = f1_score(labels[val], probe.predict(states[val]), average="macro")
print(f"val macro-F1 of layer {layer}: {{score:.3f}}")
"""


@dataclass(frozen=True)
class Recipe:
    """How to reproduce a run.

    Parameters
    ----------
    command : str
        The line for a shell. Data files are named as they were when the run was made.
    versions : dict of str to str
        Of the libraries that made it.
    fingerprint : str
        What the data must give, for the run to have the same id.
    snippet : str
        Python that loads hidden states of the best cell and fits a classifier to them.
    """

    command: str
    versions: dict[str, str]
    fingerprint: str
    snippet: str

    @property
    def note(self) -> str:
        """What to check before running the command."""
        return (
            "Data files have the names they had when the run was made: give their paths. The data "
            f"must have the fingerprint {self.fingerprint}; the run then has the same id."
        )


def recipe(run: Run, best: Cell | None = None) -> Recipe:
    """Return how to make `run` again.

    Parameters
    ----------
    run : Run
    best : Cell, optional
        The cell that the answer recommends, where the caller has it: to find it takes seconds.
    """
    return Recipe(command(run), run.versions, run.dataset["fingerprint"], snippet(run, best))


def command(run: Run) -> str:
    """Return the command line that makes a run with the same settings."""
    config = run.config
    words = ["python", "-m", "layerviz", "fit", "--encoder", config.encoder, *_data_options(run)]
    for entry in SETTINGS.values():
        value = getattr(config, entry.name)
        if entry.always_in_command or value != entry.default:
            words += entry.words(value)
    return shlex.join(words)


def _data_options(run: Run) -> list[str]:
    files, columns = run.dataset["files"], run.dataset["columns"]
    train = files.get("train", f"{run.dataset['name']}.csv")
    words = ["--data", _sample_path(run) or train]
    for role in ("val", "test"):
        if role in files:
            words += [f"--{role}", files[role]]
    words += ["--text-column", columns["text"], "--label-column", columns["label"]]
    words += ["--split-column", columns["split"] or "none"]
    val_fraction = run.dataset["val_fraction"]
    if val_fraction not in (None, data.VAL_FRACTION):
        words += ["--val-fraction", f"{val_fraction:.12g}"]
    return words


def _sample_path(run: Run) -> str:
    """Return the path of the bundled messages if the run was made on them, else ""."""
    if f"{run.dataset['name']}.csv" != SAMPLE.name:
        return ""
    columns = data.Columns(**run.dataset["columns"])
    val_fraction = run.dataset["val_fraction"] or data.VAL_FRACTION
    try:
        sample = data.build_dataset(data.sample_table(), columns, val_fraction=val_fraction)
    except DataError:  # a file of the same name that has other columns
        return ""
    return str(SAMPLE) if sample.fingerprint == run.dataset["fingerprint"] else ""


def snippet(run: Run, best: Cell | None = None) -> str:
    """Return Python that loads the states of the best cell and fits a classifier to them."""
    snapshot, pooling, layer = _best_cell(run, best)
    epochs = {one.index: one.epoch for one in run.snapshots}
    layout = run.layout
    return SNIPPET.format(
        folder=repr(str(run.path)),
        examples=layout.examples.relative_to(run.path).as_posix(),
        hidden_states=layout.hidden_states(snapshot).relative_to(run.path).as_posix(),
        moment=epoch_name(epochs.get(snapshot, 0)),
        pooling=pooling,
        layer=layer,
    )


def _best_cell(run: Run, best: Cell | None) -> tuple[int, str, int]:
    """Return snapshot, pooling and layer that the answer recommends, if they are measured."""
    try:
        best = best or answer_of(run).best
    except RunError:
        newest = run.snapshots[-1].index if run.snapshots else 0
        return newest, run.poolings[0], int(run.encoder.get("layers", 1))
    return best.snapshot, best.pooling, best.layer
