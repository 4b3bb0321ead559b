"""Where everything of a run lies: each name of a file or folder, once.

::

    run.json                 the record
    examples.parquet         the captured examples
    history.csv              the learning curve
    separability.csv         all measures
    snapshots/000/           hidden_states.safetensors, predictions.parquet, probes.safetensors
    maps/                    tsne-mean-01.safetensors: maps that take long to draw; and
                             tsne-mean-01-test.safetensors: where test lies in them, if asked for
    mixes/                   001-mean.json: the best mix of layers that was found
    labels.parquet, .json    how suspicious the labels are
    label-decisions.json     what was decided about them
    answers/mean.json        what the page says first, searched among some poolings; and
                             mean.report-0.02.json: what `report` says, for a margin
    model/                   the newest weights
    weights/000/             those of a snapshot, if they are kept
    resume/                  what the Trainer needs to go on
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from layerviz.registry import NAME_PATTERN

RECORD = "run.json"
EXAMPLES = "examples.parquet"
HISTORY = "history.csv"
MEASURES = "separability.csv"
HIDDEN_STATES = "hidden_states.safetensors"
PREDICTIONS = "predictions.parquet"
PROBES = "probes.safetensors"
LABEL_DECISIONS = "label-decisions.json"
MODEL_WEIGHTS = "model.safetensors"  # as save_pretrained names them
SNAPSHOTS, MAPS, MIXES, MODEL, WEIGHTS = "snapshots", "maps", "mixes", "model", "weights"
ANSWERS = "answers"  # made anew where they are lacking: they go nowhere with a run
LABEL_RANKING, LABEL_FACTS, RESUME = "labels.parquet", "labels.json", "resume"
_FILES = (RECORD, EXAMPLES, HISTORY, MEASURES, LABEL_RANKING, LABEL_FACTS, LABEL_DECISIONS)
_PARTS = {*_FILES, SNAPSHOTS, MAPS, MIXES, MODEL, WEIGHTS, ANSWERS, RESUME}

# Everything that goes elsewhere with a run. What the Trainer needs to go on stays where it is, and
# suspicious labels are ranked again when somebody asks for them.
_PORTABLE = re.compile(
    "|".join(
        (
            *map(re.escape, (RECORD, EXAMPLES, HISTORY, MEASURES, LABEL_DECISIONS)),
            rf"{SNAPSHOTS}/\d{{3,4}}/"
            rf"({'|'.join(map(re.escape, (HIDDEN_STATES, PREDICTIONS, PROBES)))})",
            rf"{MAPS}/{NAME_PATTERN}-{NAME_PATTERN}-\d{{2,3}}(-test)?\.safetensors",
            rf"{MIXES}/\d{{3,4}}-{NAME_PATTERN}\.json",
            rf"({MODEL}|{WEIGHTS}/\d{{3,4}})/[A-Za-z0-9_][A-Za-z0-9_.-]{{0,80}}"
            r"\.(json|safetensors|txt|model)",
        )
    ),
    re.ASCII,
)


@dataclass(frozen=True)
class Layout:
    """The paths of a run's files, whether they exist or not.

    Parameters
    ----------
    folder : Path
        The run's.
    """

    folder: Path

    @property
    def record(self) -> Path:
        return self.folder / RECORD

    @property
    def examples(self) -> Path:
        return self.folder / EXAMPLES

    @property
    def history(self) -> Path:
        return self.folder / HISTORY

    @property
    def measures(self) -> Path:
        return self.folder / MEASURES

    @property
    def label_ranking(self) -> Path:
        return self.folder / LABEL_RANKING

    @property
    def label_facts(self) -> Path:
        return self.folder / LABEL_FACTS

    @property
    def label_decisions(self) -> Path:
        return self.folder / LABEL_DECISIONS

    @property
    def snapshots(self) -> Path:
        return self.folder / SNAPSHOTS

    def snapshot(self, index: int) -> Path:
        """Return the folder of a snapshot."""
        return self.snapshots / f"{index:03d}"

    def hidden_states(self, index: int) -> Path:
        return self.snapshot(index) / HIDDEN_STATES

    def predictions(self, index: int) -> Path:
        return self.snapshot(index) / PREDICTIONS

    def probes(self, index: int) -> Path:
        return self.snapshot(index) / PROBES

    @property
    def maps(self) -> Path:
        return self.folder / MAPS

    def map(self, projection: str, pooling: str, layer: int) -> Path:
        """Return the file with the maps of one layer over the snapshots."""
        return self.maps / f"{projection}-{pooling}-{layer:02d}.safetensors"

    def placed_test(self, projection: str, pooling: str, layer: int) -> Path:
        """Return the file with where test lies in the maps of one layer."""
        return self.maps / f"{projection}-{pooling}-{layer:02d}-test.safetensors"

    @property
    def mixes(self) -> Path:
        return self.folder / MIXES

    def mix(self, index: int, pooling: str) -> Path:
        return self.mixes / f"{index:03d}-{pooling}.json"

    def answer(self, poolings: Sequence[str]) -> Path:
        """Return the file with the answer that was searched among some poolings."""
        return self.folder / ANSWERS / f"{'-'.join(poolings)}.json"

    def report(self, poolings: Sequence[str], margin: float) -> Path:
        """Return the file with the report that was searched among some poolings, for a margin."""
        return self.folder / ANSWERS / f"{'-'.join(poolings)}.report-{margin:.15g}.json"

    @property
    def model(self) -> Path:
        """The folder of the newest weights."""
        return self.folder / MODEL

    @property
    def model_weights(self) -> Path:
        """The file of the newest weights."""
        return self.model / MODEL_WEIGHTS

    @property
    def weights(self) -> Path:
        return self.folder / WEIGHTS

    def snapshot_weights(self, index: int) -> Path:
        """Return the folder of the weights that were kept of a snapshot."""
        return self.weights / f"{index:03d}"

    @property
    def resume(self) -> Path:
        return self.folder / RESUME


def is_part(name: str) -> bool:
    """Return whether a file or folder of this name, in a run's folder, is a part of the run."""
    hidden = name.startswith(".") and name.endswith((".tmp", ".old", ".gone"))
    return hidden or name in _PARTS


def is_portable(name: str) -> bool:
    """Return whether a file of this name, relative to the run's folder, goes with the run."""
    return _PORTABLE.fullmatch(name) is not None


def is_optional(name: str) -> bool:
    """Return whether a file of this name is made when somebody looks at the run."""
    return name.startswith((f"{MAPS}/", f"{MIXES}/")) or name == LABEL_DECISIONS


def map_parts(file: Path) -> tuple[str, str, int]:
    """Return projection, pooling and layer of a file of maps, or of where test lies in them."""
    projection, pooling, layer = file.stem.removesuffix("-test").split("-")
    return projection, pooling, int(layer)


def is_placed_test(file: Path) -> bool:
    """Return whether a file in the folder of maps says where test lies in them."""
    return file.stem.endswith("-test")


def mix_parts(file: Path) -> tuple[int, str]:
    """Return snapshot and pooling of a file with a mix."""
    index, pooling = file.stem.split("-")
    return int(index), pooling
