"""Answer sheets in a run's folder: to make one takes a second, to read one some milliseconds.

A sheet is stored beside what it was made from: the measures of which snapshots, as they lay on disk
then, and by which version of layerviz. Where any of that has changed, it is out of date.
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Sequence
from typing import Any

import numpy as np

from layerviz import __version__, runs
from layerviz.errors import RunError
from layerviz.runs import Run
from layerviz.runs.writing import replacing
from layerviz.separability.sheet import AnswerSheet, sheet_of

SHEET_FORMAT = 2  # raise it when a sheet of the same measures comes out otherwise than before


@dataclasses.dataclass(frozen=True)
class StoredSheet:
    """A sheet as it was stored.

    Parameters
    ----------
    sheet : AnswerSheet
    is_current : bool
        Whether the run's measures are still those that it was made from.
    """

    sheet: AnswerSheet
    is_current: bool


def read_sheet(run: Run, poolings: Sequence[str] | None = None) -> StoredSheet | None:
    """Return the stored sheet of a run, searched among `poolings`, current or not; None without."""
    file = run.layout.answer(run.poolings if poolings is None else poolings)
    try:
        stored = json.loads(file.read_text(encoding="utf-8"))
        if stored["format"] != SHEET_FORMAT or stored["version"] != __version__:
            return None
        sheet = _from_json(AnswerSheet, stored["sheet"])
        return StoredSheet(sheet, stored["made_from"] == _sources(run))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError):  # cut or changed by hand: it is made anew
        return None


def sheet_state(run: Run, poolings: Sequence[str] | None = None) -> str:
    """Return what changes with a run's stored sheet, and with whether that is current.

    Nothing is read for it: files are only looked at from outside.
    """
    file = run.layout.answer(run.poolings if poolings is None else poolings)
    try:
        stat = file.stat()
    except OSError:
        return ""
    return json.dumps([stat.st_mtime_ns, stat.st_size, _sources(run)])


def current_sheet(run: Run, poolings: Sequence[str] | None = None) -> AnswerSheet:
    """Return the sheet of a run: the stored one, or else made now and stored.

    Raises
    ------
    RunError
        As `sheet_of`.
    """
    stored = read_sheet(run, poolings)
    if stored is not None and stored.is_current:
        return stored.sheet
    sources = _sources(run)  # before the sheet is made: what is measured meanwhile is not in it
    sheet = sheet_of(run, poolings)
    content = {
        "format": SHEET_FORMAT,
        "version": __version__,
        "made_from": sources,
        "sheet": dataclasses.asdict(sheet),
    }
    try:
        with replacing(run.layout.answer(sheet.poolings)) as temporary:
            temporary.write_text(json.dumps(content, default=_plain_number), encoding="utf-8")
    except RunError:  # a folder that cannot be written: the next reader makes it again
        return sheet
    return sheet


def _sources(run: Run) -> dict[str, Any]:
    """Return what a sheet depends on, as JSON gives it back."""
    files = {index: run.layout.probes(index).stat() for index in runs.measured_snapshots(run)}
    return {
        "created": run.created,
        "planned": run.training.get("n_snapshots"),
        "model": runs.model_snapshot(run) if run.snapshots else None,
        "measures": [[index, file.st_mtime_ns, file.st_size] for index, file in files.items()],
    }


def _plain_number(value: object) -> object:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} has no place in JSON.")


def _from_json(kind: Any, value: Any) -> Any:
    """Return a value of a type that is made of dataclasses, tuples and plain values."""
    if isinstance(kind, types.UnionType):
        (some,) = (one for one in typing.get_args(kind) if one is not types.NoneType)
        return None if value is None else _from_json(some, value)
    if kind is tuple:
        return tuple(value)
    if typing.get_origin(kind) is tuple:
        kinds = typing.get_args(kind)
        if kinds[-1] is Ellipsis:
            return tuple(_from_json(kinds[0], one) for one in value)
        return tuple(_from_json(one, part) for one, part in zip(kinds, value, strict=True))
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return kind(**{name: _from_json(hints[name], part) for name, part in value.items()})
    return kind(value)
