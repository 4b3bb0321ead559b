"""How to make a run again, and how to continue with what it holds."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from layerviz import data, runs
from layerviz.config import BY_CALLBACK, FROM_CHECKPOINTS, LOOK_SETTINGS, SETTINGS
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


def macro_f1(predicted):
    classes = sorted(set(labels[val]))
    return f1_score(labels[val], predicted[val], average="macro", labels=classes, zero_division=0)

{of_page}
probe = make_pipeline(StandardScaler(), LogisticRegression({penalty}max_iter=10_000, tol=1e-6))
probe.fit(states[train], labels[train])
print(f"fitted again with scikit-learn: {{macro_f1(probe.predict(states)):.3f}}")
"""
OF_PAGE = """
with safe_open(folder + "/{probes}", framework="np") as stored:
    predicted = stored.get_slice("{pooling}")[{layer}]  # what the page's probe says, (N,)
print(f"val macro-F1 of layer {layer}: {{macro_f1(predicted):.3f}}")

# The penalty that was chosen within train. Solvers stop at slightly different places: an example
# that lies on the border of two classes may fall on the other side.\
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
    """Return the command line that makes a run with the same settings, where there is one."""
    config = run.config
    if config.trained_by == BY_CALLBACK:
        return "# It was made by layerviz.LayervizCallback in a script of its own: run that again."
    words, names = ["fit", "--encoder"], tuple(SETTINGS)
    if config.trained_by == FROM_CHECKPOINTS:
        words, names = ["probe", "--checkpoints"], LOOK_SETTINGS
    words = ["python", "-m", "layerviz", *words, config.encoder, *_data_options(run)]
    for entry in (SETTINGS[name] for name in names):
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
    if columns.get("text_pair"):
        words += ["--text-pair-column", columns["text_pair"]]
    words += options_of_reading(run.reading_choices, files)
    words += options_of_choices(run.row_choices)
    if run.row_choices.corrections:
        words += ["--corrections", f"{run.run_id}/{run.layout.record.name}"]
    val_fraction = run.dataset["val_fraction"]
    if val_fraction not in (None, data.VAL_FRACTION):
        words += ["--val-fraction", f"{val_fraction:.12g}"]
    return words


def options_of_reading(
    choices: Mapping[str, data.ReadingChoices], roles: Iterable[str]
) -> list[str]:
    """Return what to type for how the files of some roles are to be read."""
    of_all = choices.get("train", data.GUESS)
    words = of_all.words()
    for role in ("val", "test"):
        own = choices.get(role, data.GUESS)
        if role not in roles or own == of_all:
            continue
        guessed = [name for name in of_all.as_dict() if name not in own.as_dict()]
        words += own.words(f"--{role}-")
        for name in guessed:
            words += [f"--{role}-{name.replace('_', '-')}", data.GUESSED]
    return words


def options_of_choices(choices: data.RowChoices) -> list[str]:
    """Return what to type for choices about rows."""
    words = []
    for role, columns in choices.columns_of:
        words += [f"--{role}-text-column", columns.text, f"--{role}-label-column", columns.label]
        if columns.text_pair is not None:
            words += [f"--{role}-text-pair-column", columns.text_pair]
    for word, meaning in choices.split_words:
        words += ["--split-word", f"{word}={meaning}"]
    if choices.keep_missing_labels is not None:
        words.append(f"--{'' if choices.keep_missing_labels else 'no-'}keep-missing-labels")
    if choices.one_hot:  # else the label column says it, which is always named
        words.append("--one-hot")
    for option in ("merge_labels", "combined_labels", "no_near_repeats"):
        if getattr(choices, option):
            words.append(f"--{option.replace('_', '-')}")
    return words


def _sample_path(run: Run) -> str:
    """Return the path of the bundled messages if the run was made on them, else ""."""
    if f"{run.dataset['name']}.csv" != SAMPLE.name:
        return ""
    columns = data.Columns(**run.dataset["columns"])
    val_fraction = run.dataset["val_fraction"] or data.VAL_FRACTION
    try:
        sample = data.build_dataset(
            data.sample_table(),
            columns,
            val_fraction=val_fraction,
            choices=data.RowChoices(corrections=run.row_choices.corrections),
        )
    except DataError:  # a file of the same name that has other columns
        return ""
    return str(SAMPLE) if sample.fingerprint == run.dataset["fingerprint"] else ""


def snippet(run: Run, best: Cell | None = None) -> str:
    """Return Python that loads the states of the best cell, scores its probe and fits it again."""
    snapshot, pooling, layer = _best_cell(run, best)
    epochs = {one.index: one.epoch for one in run.snapshots}
    layout = run.layout
    strength = _strength(run, snapshot, pooling, layer)
    of_page = ""
    if strength is not None:
        probes = layout.probes(snapshot).relative_to(run.path).as_posix()
        of_page = OF_PAGE.format(probes=probes, pooling=pooling, layer=layer)
    return SNIPPET.format(
        folder=repr(str(run.path)),
        examples=layout.examples.relative_to(run.path).as_posix(),
        hidden_states=layout.hidden_states(snapshot).relative_to(run.path).as_posix(),
        moment=epoch_name(epochs.get(snapshot, 0)),
        pooling=pooling,
        layer=layer,
        of_page=of_page,
        penalty="" if strength is None else f"C={strength:g}, ",
    )


def _strength(run: Run, snapshot: int, pooling: str, layer: int) -> float | None:
    """Return the inverse strength of a probe's penalty; None where it was not measured."""
    table = runs.read_separability(run.path)
    cell = table[["snapshot", "pooling", "layer", "measure"]].eq(
        [snapshot, pooling, layer, "strength"]
    )
    value = table["value"][cell.all(axis=1)].dropna()
    return None if value.empty else float(value.iloc[0])


def _best_cell(run: Run, best: Cell | None) -> tuple[int, str, int]:
    """Return snapshot, pooling and layer that the answer recommends, if they are measured."""
    try:
        best = best or answer_of(run).best
    except RunError:
        newest = run.snapshots[-1].index if run.snapshots else 0
        return newest, run.poolings[0], int(run.encoder.get("layers", 1))
    return best.snapshot, best.pooling, best.layer
