"""A run's record, ``run.json``: read, and changed by several threads and processes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from layerviz.config import BY_CALLBACK, BY_LAYERVIZ, FP32, NEW_HEAD, RunConfig, check_run_id
from layerviz.data import ReadingChoices, RowChoices, reading_of
from layerviz.errors import ConfigError, RunError, did_you_mean, reason
from layerviz.rereading import known_text
from layerviz.runs.access import expect_changes_allowed
from layerviz.runs.layout import RECORD, Layout
from layerviz.runs.locking import changing
from layerviz.runs.naming import checked_title
from layerviz.runs.processes import is_alive
from layerviz.runs.schema import MOST_RECORD_BYTES, check_record, moment_of, parse_record
from layerviz.runs.snapshots import Snapshot, with_unlisted
from layerviz.runs.upgrading import choices_before_asking, upgrade
from layerviz.runs.writing import replacing, writing
from layerviz.wording import enumeration, epoch_number, quote

RUNS_FOLDER = Path(__file__).resolve().parents[2] / "checkpoints" / "runs"
RUNS_VARIABLE = "LAYERVIZ_RUNS"  # environment variable that names another runs folder
LIVE = ("queued", "running")
STATUSES = (*LIVE, "done", "cancelled", "failed")
CLOSED = (
    "layerviz was closed while this run was going on. "
    "Start it again with the same data and settings: it continues where it stopped."
)

ENDED_ELSEWHERE = (
    "The training that was looked at ended before its last step. What was captured is kept."
)


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
        without what is frozen), ``capture_precision`` (earlier runs have none and captured in
        fp32), ``model_step`` (of the weights in ``model/``), ``stopped_early``
        (see `training.EarlyStop`; only where it was), ``pace`` (see `training.learned_pace`),
        ``n_truncated`` per split, ``not_measured`` and ``not_captured`` (why, by snapshot and by
        step; only where that was so); empty until training is set up.
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
    def capture_precision(self) -> str:
        """In what its hidden states are computed: ``bf16`` or ``fp32``."""
        return self.training.get("capture_precision", FP32)

    @property
    def run_id(self) -> str:
        return self.path.name

    @property
    def layout(self) -> Layout:
        """Where its files lie."""
        return Layout(self.path)

    @property
    def trains(self) -> bool:
        """Whether it is to train at all, and not only to look at an encoder as it is."""
        return self.config.epochs != 0 or self.config.trained_by != BY_LAYERVIZ

    @property
    def kept_its_head(self) -> bool:
        """Whether its model began with the classification head that it came with."""
        return self.config.keep_head != NEW_HEAD

    @property
    def trained_steps(self) -> int:
        """Optimizer steps of the whole run: those planned, or fewer if it was stopped early.

        0 where that is not known, as before training was set up.
        """
        total: int = self.training.get("total_steps", 0)
        return (self.training.get("stopped_early") or {}).get("step", total)

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

    def snapshot_at(self, epoch: float) -> Snapshot:
        """Return the snapshot of an epoch, which is given to two decimals.

        Raises
        ------
        ConfigError
            If there is none.
        """
        for snapshot in self.snapshots:
            if abs(snapshot.epoch - epoch) < 0.005:
                return snapshot
        epochs = enumeration([epoch_number(snapshot.epoch) for snapshot in self.snapshots])
        raise ConfigError(
            f"There is no snapshot at epoch {epoch_number(epoch)}.",
            f"Choose one of {epochs}." if epochs else "Nothing has been captured yet.",
        )

    @property
    def live(self) -> bool:
        """Whether the run is queued or going on."""
        return self.status in LIVE


def runs_folder() -> Path:
    """Return the folder of all runs: ``LAYERVIZ_RUNS`` if set, else ``checkpoints/runs``."""
    return Path(os.environ.get(RUNS_VARIABLE) or RUNS_FOLDER).expanduser().resolve()


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
    return _as_run(path, read_values(path, known_text))


def open_folder(path: Path) -> Run:
    """Read the run in a folder given by its path."""
    return read(path.parent, path.name)


def parse(path: Path, values: dict[str, Any]) -> Run:
    """Return what the entries of a ``run.json`` of any format say, or a RunError."""
    return _as_run(path, values)


def update(path: Path, **changes: Any) -> Run:
    """Change some entries of ``run.json`` and return the run as it is then."""
    with changing(path), writing(path):
        values = read_values(path)
        values.update(changes)
        run = _as_run(path, values)  # what would be refused on reading is not written
        write_values(path, values)
    return run


def rename(root: Path, run_id: str, title: str) -> Run:
    """Call a run something else; its id stays, and an empty title gives it its own name back.

    Raises
    ------
    ConfigError
        If the title is too long.
    """
    expect_changes_allowed()
    return update(read(root, run_id).path, title=checked_title(title))


def write_values(path: Path, values: dict[str, Any]) -> None:
    """Write the entries of ``run.json``."""
    with replacing(Layout(path).record, make_folder=False) as temporary:
        temporary.write_text(json.dumps(values, indent=2, ensure_ascii=False), encoding="utf-8")


def _text_now(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def read_values(path: Path, read_text: Callable[[Path], str] = _text_now) -> dict[str, Any]:
    """Return the entries of ``run.json`` as they are.

    Raises
    ------
    RunError
        If there is none, or it cannot be read.
    """
    file = Layout(path).record
    if not file.exists():
        raise RunError(
            f"There is no run {quote(path.name)} here.",
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
            f"{RECORD} of {quote(path.name)} cannot be read ({reason(error)}).",
            "Delete that run's folder.",
        ) from error


def _as_run(path: Path, values: dict[str, Any]) -> Run:
    try:
        values = upgrade(values)
        config = check_record(values)
        status, why = values["status"], values["reason"]
        if status in LIVE and not is_alive(values["process"], path):
            status, why = "failed", CLOSED
            if config.trained_by == BY_CALLBACK:
                why = ENDED_ELSEWHERE
        return Run(
            path=path,
            config=config,
            status=status,
            reason=why,
            label_names=tuple(values["label_names"]),
            poolings=tuple(values["poolings"]),
            dataset=values["dataset"],
            encoder=values["encoder"],
            training=values["training"],
            snapshots=with_unlisted(
                path,
                [Snapshot(**snapshot) for snapshot in values["snapshots"]],
                values["training"],
            ),
            created=moment_of(values["created"]),
            versions={"layerviz": values["layerviz"], **values["versions"]},
            recurs=status == "failed" and values.get("recurs", False),
            title=checked_title(values.get("title", "")),
        )
    except (AttributeError, LookupError, TypeError, ValueError, OverflowError) as error:
        raise RunError(
            f"{RECORD} of {quote(path.name)} lacks or garbles an entry ({reason(error)}).",
            "Delete that run's folder.",
        ) from error
