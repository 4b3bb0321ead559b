"""A run's record, ``run.json``: created, read, changed by several threads, deleted."""

from __future__ import annotations

import json
import os
import platform
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from layerviz import __version__
from layerviz.config import RunConfig, check_run_id, run_id
from layerviz.data import Dataset, ReadingChoices, RowChoices, reading_of
from layerviz.errors import RunError, did_you_mean, reason
from layerviz.poolings import POOLINGS
from layerviz.rereading import known_text
from layerviz.runs.layout import RECORD, Layout
from layerviz.runs.naming import checked_title
from layerviz.runs.schema import MOST_RECORD_BYTES, check_record, moment_of, parse_record
from layerviz.runs.upgrading import FORMAT, choices_before_asking, upgrade
from layerviz.runs.writing import replacing, writing

RUNS_FOLDER = Path(__file__).resolve().parents[2] / "checkpoints" / "runs"
RUNS_VARIABLE = "LAYERVIZ_RUNS"  # environment variable that names another runs folder
LIVE = ("queued", "running")
STATUSES = (*LIVE, "done", "cancelled", "failed")
CLOSED = (
    "layerviz was closed while this run was going on. "
    "Start it again with the same data and settings: it continues where it stopped."
)
CLOCK_TOLERANCE = 5.0  # seconds by which a process's start may seem to move

_run_json_lock = threading.Lock()


@dataclass(frozen=True)
class Snapshot:
    """One captured moment of a run.

    Parameters
    ----------
    index : int
        Its folder's number; 0 is before training.
    step : int
        Optimizer steps done by then.
    epoch : float
        Passes over the training examples done by then.
    """

    index: int
    step: int
    epoch: float


@dataclass(frozen=True)
class Run:
    """What ``run.json`` says, in today's format, read once.

    Parameters
    ----------
    path : Path
        The run's folder; its name is the run id.
    config : RunConfig
        The settings.
    status : str
        ``queued``, ``running``, ``done``, ``cancelled`` or ``failed``. A run that claims to be
        live while its process is gone reads as ``failed``.
    reason : str
        Why it failed; empty otherwise.
    label_names : tuple of str
        Class names; position = class index.
    poolings : tuple of str
        Those of its hidden states, whatever `layerviz.poolings` offers today.
    dataset : dict
        ``name``, ``fingerprint``, ``files`` (role -> name; empty where it is not known),
        ``contents`` (role -> SHA-256 of the file; missing in earlier runs), ``columns``,
        ``id_column`` (of the ids that the data give, or None; missing in earlier runs),
        ``row_choices`` (see `data.RowChoices`; missing in earlier runs),
        ``reading`` (role -> how the file was said to be read, see `data.ReadingChoices`; missing
        where all was guessed),
        ``val_fraction`` (cut from train, or None), ``counts`` (split -> label -> n), ``notes``.
    encoder : dict
        ``label``, ``family``, ``layers``, ``hidden_size``, ``parameters``; empty until loaded.
    training : dict
        ``total_steps``, ``steps_per_epoch``, ``learning_rate``, ``precision``, ``device``,
        ``world_size`` (processes), ``n_snapshots`` (planned), ``timed_steps`` and the
        ``train_seconds`` they took (captures not included), ``trained_parameters`` (head included,
        without what is frozen), ``model_step`` (of the weights in ``model/``), ``stopped_early``
        (see `training.EarlyStop`; only where it was), ``pace`` (see `training.learned_pace`),
        ``n_truncated`` per split; empty until training is set up.
    snapshots : tuple of Snapshot
        Those that are on disk, in order.
    created : str
        ISO 8601 time in UTC.
    versions : dict of str to str
        Of the libraries that began the run, Python and layerviz included.
    recurs : bool
        Whether it failed for a reason that the same data and settings would meet again.
    title : str
        What a reader calls it; empty for what it is called by itself.
    """

    path: Path
    config: RunConfig
    status: str
    reason: str
    label_names: tuple[str, ...]
    poolings: tuple[str, ...]
    dataset: dict[str, Any]
    encoder: dict[str, Any]
    training: dict[str, Any]
    snapshots: tuple[Snapshot, ...]
    created: str
    versions: dict[str, str] = field(default_factory=dict)
    recurs: bool = False
    title: str = ""

    @property
    def run_id(self) -> str:
        return self.path.name

    @property
    def layout(self) -> Layout:
        """Where its files lie."""
        return Layout(self.path)

    @property
    def trained_steps(self) -> int:
        """Optimizer steps of the whole run: those planned, or fewer if it was stopped early."""
        total: int = self.training["total_steps"]
        return self.training.get("stopped_early", {}).get("step", total)

    @property
    def contents(self) -> dict[str, str]:
        """SHA-256 of the files its data came from, by role; empty for runs that recorded none."""
        contents: dict[str, str] = self.dataset.get("contents", {})
        return contents

    @property
    def reads_pairs(self) -> bool:
        """Whether its examples are pairs of texts."""
        return bool(self.dataset["columns"].get("text_pair"))

    @property
    def row_choices(self) -> RowChoices:
        """What was chosen about the rows, or what earlier runs did without asking."""
        if "row_choices" in self.dataset:
            return RowChoices.from_dict(self.dataset["row_choices"])
        return choices_before_asking(self.label_names, self.dataset.get("counts", {}))

    @property
    def reading_choices(self) -> dict[str, ReadingChoices]:
        """How its files were said to be read, by their role; what is not there was guessed."""
        return reading_of(self.dataset)

    @property
    def live(self) -> bool:
        """Whether the run is queued or going on."""
        return self.status in LIVE


def runs_folder() -> Path:
    """Return the folder of all runs: ``LAYERVIZ_RUNS`` if set, else ``checkpoints/runs``."""
    return Path(os.environ.get(RUNS_VARIABLE) or RUNS_FOLDER).expanduser().resolve()


def create(root: Path, config: RunConfig, dataset: Dataset) -> Run:
    """Make the folder of a run, or take up the one that already exists.

    The same data with the same config has the same id: a finished run is returned as it is,
    an unfinished one is queued again and will go on from what it holds.

    Raises
    ------
    RunError
        If another process is computing this run, or the folder cannot be written.
    """
    path = root / run_id(config, dataset.name, dataset.fingerprint)
    if (Layout(path).record).exists():
        run = read(root, path.name)
        if run.status == "done":
            return run
        if run.live and not _is_this_process(_read_json(path)["process"]):
            raise RunError(
                "Another layerviz process is already computing this run.",
                "Wait for it to finish, or change a setting to start a different run.",
            )
        return update(path, status="queued", reason="", process=_this_process())
    counts = dataset.counts()
    with writing(path):
        path.mkdir(parents=True, exist_ok=True)
        _write_json(
            path,
            {
                "format": FORMAT,
                "layerviz": __version__,
                "run_id": path.name,
                "created": datetime.now(UTC).isoformat(timespec="seconds"),
                "status": "queued",
                "reason": "",
                "process": _this_process(),
                "seed": config.seed,
                "config": config.as_dict(),
                "label_names": list(dataset.label_names),
                "poolings": list(POOLINGS),
                "dataset": {
                    "name": dataset.name,
                    "fingerprint": dataset.fingerprint,
                    "files": dataset.files,
                    "contents": dataset.contents,
                    "val_fraction": dataset.val_fraction,
                    "id_column": dataset.id_column,
                    "columns": dataset.columns.as_dict(),
                    "row_choices": dataset.row_choices.as_dict(),
                    "reading": {
                        role: choices.as_dict() for role, choices in dataset.reading_choices.items()
                    },
                    "counts": {
                        split: {str(name): int(n) for name, n in counts[split].items()}
                        for split in counts.columns
                    },
                    "notes": list(dataset.notes),
                },
                "encoder": {},
                "training": {},
                "snapshots": [],
                "versions": _versions(),
            },
        )
    return read(root, path.name)


def read(root: Path, run_id: str) -> Run:
    """Read ``run.json`` of the run with this id.

    Raises
    ------
    ConfigError
        If the id is malformed (and could lead out of `root`).
    RunError
        If there is no such run, or its ``run.json`` is damaged.
    """
    path = root / check_run_id(run_id)
    return _as_run(path, _read_json(path, known_text))


def open_folder(path: Path) -> Run:
    """Read the run in a folder given by its path."""
    return read(path.parent, path.name)


def parse(path: Path, values: dict[str, Any]) -> Run:
    """Return what the entries of a ``run.json`` of any format say, or a RunError."""
    return _as_run(path, values)


def update(path: Path, **changes: Any) -> Run:
    """Change some entries of ``run.json`` and return the run as it is then."""
    with _run_json_lock, writing(path):
        values = _read_json(path)
        values.update(changes)
        _write_json(path, values)
    return _as_run(path, values)


def rename(root: Path, run_id: str, title: str) -> Run:
    """Call a run something else; its id stays, and an empty title gives it its own name back.

    Raises
    ------
    ConfigError
        If the title is too long.
    """
    return update(read(root, run_id).path, title=checked_title(title))


def delete(root: Path, run_id: str) -> None:
    """Remove a run's folder for good.

    Raises
    ------
    RunError
        If the run is queued or going on.
    """
    run = read(root, run_id)
    if run.live:
        raise RunError("This run is still in progress.", "Cancel it first, then delete it.")
    with writing(run.path):
        shutil.rmtree(run.path)


def _write_json(path: Path, values: dict[str, Any]) -> None:
    with replacing(Layout(path).record) as temporary:
        temporary.write_text(json.dumps(values, indent=2, ensure_ascii=False), encoding="utf-8")


def _text_now(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def _read_json(path: Path, read_text: Callable[[Path], str] = _text_now) -> dict[str, Any]:
    file = Layout(path).record
    if not file.exists():
        raise RunError(
            f"There is no run {path.name!r} here.",
            did_you_mean(
                path.name,
                (record.parent.name for record in path.parent.glob(f"*/{RECORD}")),
                "Choose one from the list of runs; it may have been deleted.",
            ),
        )
    try:
        if not file.is_file() or file.stat().st_size > MOST_RECORD_BYTES:
            raise ValueError("it is no file, or far too large")
        return parse_record(read_text(file))
    except (OSError, ValueError) as error:
        raise RunError(
            f"{RECORD} of {path.name!r} cannot be read ({reason(error)}).",
            "Delete that run's folder.",
        ) from error


def _as_run(path: Path, values: dict[str, Any]) -> Run:
    try:
        values = upgrade(values)
        check_record(values)
        status, why = values["status"], values["reason"]
        if status in LIVE and not is_alive(values["process"]):
            status, why = "failed", CLOSED
        return Run(
            path=path,
            config=RunConfig.from_dict(values["config"]),
            status=status,
            reason=why,
            label_names=tuple(values["label_names"]),
            poolings=tuple(values["poolings"]),
            dataset=values["dataset"],
            encoder=values["encoder"],
            training=values["training"],
            snapshots=tuple(Snapshot(**snapshot) for snapshot in values["snapshots"]),
            created=moment_of(values["created"]),
            versions={"layerviz": values["layerviz"], **values["versions"]},
            recurs=status == "failed" and values.get("recurs", False),
            title=checked_title(values.get("title", "")),
        )
    except (AttributeError, LookupError, TypeError, ValueError, OverflowError) as error:
        raise RunError(
            f"{RECORD} of {path.name!r} lacks or garbles an entry ({reason(error)}).",
            "Delete that run's folder.",
        ) from error


def _this_process() -> dict[str, float]:
    return {"pid": os.getpid(), "created": psutil.Process().create_time()}


def _is_this_process(process: dict[str, float]) -> bool:
    return process["pid"] == os.getpid() and is_alive(process)


def is_alive(process: dict[str, float]) -> bool:
    """Return whether the process that a record names is still there."""
    try:
        created = psutil.Process(int(process["pid"])).create_time()
    except psutil.Error:
        return False
    # Farther apart, the number was given to another; nearer, the clock was set meanwhile.
    return abs(created - process["created"]) < CLOCK_TOLERANCE


def _versions() -> dict[str, str]:
    names = ("torch", "transformers", "scikit-learn", "numpy", "pandas", "openTSNE", "safetensors")
    return {"python": platform.python_version()} | {name: version(name) for name in names}
