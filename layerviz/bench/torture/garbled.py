"""Records with one entry garbled: each either says so, or everything in it can be looked at."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from layerviz import runs
from layerviz.bench.torture.looking import look_at_all
from layerviz.bench.torture.ordeal import Attempt, Ordeal, expect
from layerviz.bench.torture.toys import toy_run

GONE = object()
WRONG_VALUES: dict[str, object] = {
    "missing": GONE,
    "null": None,
    "a switch": True,
    "zero": 0,
    "negative": -1,
    "half": 0.5,
    "huge": 10**18,
    "beyond floats": 10**400,
    "no text": "",
    "a word": "x",
    "markup": "![x](http://127.0.0.1:9/x.png) <b>x</b>",
    "a path": "../../../etc/passwd",
    "half a letter": "\ud800",
    "a long text": "x" * 2_000_000,
    "no list": [],
    "a list": [1, "x", None],
    "no entries": {},
    "nested": {"a": {"b": [{"c": None}]}},
}
WHOLE_TEXTS: dict[str, bytes] = {
    "empty": b"",
    "cut": b'{"format": 1, "status": "do',
    "no object": b"[]",
    "nested deeply": b"[" * 200_000,
    "an entry twice": b'{"format": 1, "format": 1}',
    "no number": b'{"format": NaN}',
    "a number without end": b'{"format": ' + b"9" * 10_000 + b"}",
    "UTF-16": '{"format": 1}'.encode("utf-16"),
    "no UTF-8": b'{"format": "\xff"}',
    "zeros": bytes(1000),
}


def filled_record(root: Path) -> Path:
    """Return the folder of a run whose record holds every entry that there is."""
    run = toy_run(root)
    n_snapshots = 3
    runs.update(
        run.path,
        status="done",
        recurs=False,
        title="A title",
        encoder={"label": "BERT", "family": "BERT", "layers": 2, "hidden_size": 8, "parameters": 9},
        training={
            "total_steps": 6,
            "steps_per_epoch": 3,
            "learning_rate": 1e-3,
            "precision": "fp32",
            "device": "cpu",
            "world_size": 1,
            "n_snapshots": n_snapshots,
            "trained_parameters": 9,
            "timed_steps": 6,
            "train_seconds": 1.5,
            "model_step": 6,
            "n_truncated": {"train": 0, "val": 0},
            "stopped_early": {"epoch": 1, "epochs": 2, "patience": 1, "step": 3},
            "pace": {"model": 1, "device": "x", "cores": 2, "step": 1.0, "capture": 1.0},
        },
        snapshots=[
            {"index": index, "step": 3 * index, "epoch": float(index)}
            for index in range(n_snapshots)
        ],
    )
    return run.path


def garbled_records(values: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield copies of a record with one entry replaced, wherever it lies, by each wrong value."""
    for place in _places(values):
        for name, wrong in WRONG_VALUES.items():
            changed = copy.deepcopy(values)
            holder: Any = changed
            for step in place[:-1]:
                holder = holder[step]
            if wrong is GONE:
                del holder[place[-1]]
            else:
                holder[place[-1]] = wrong
            yield f"{'.'.join(map(str, place))}: {name}", changed


def _places(node: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    entries = node.items() if isinstance(node, dict) else enumerate(node)
    for name, value in entries:
        yield (*at, name)
        if isinstance(value, dict | list):
            yield from _places(value, (*at, name))


def _attempts(seed: int, shared: Path) -> Iterator[Attempt]:  # noqa: ARG001  there is no chance in it
    path = filled_record(shared)
    values = json.loads(runs.Layout(path).record.read_text(encoding="utf-8"))
    for name, changed in garbled_records(values):
        content = json.dumps(changed).encode()
        yield Attempt(name, partial(_try, content=content, name=path.name, must_say=False))
    for name, content in WHOLE_TEXTS.items():
        yield Attempt(name, partial(_try, content=content, name=path.name, must_say=True))


def _try(folder: Path, content: bytes, name: str, must_say: bool) -> None:
    run_folder = folder / name
    run_folder.mkdir()
    runs.Layout(run_folder).record.write_bytes(content)
    said = look_at_all(folder, name)
    expect(said or not must_say, "it passes for a record")
    expect(all(len(sentence) < 1000 for sentence in said), "a sentence goes on and on")


GARBLED = Ordeal(
    "garbled",
    "each entry of a record is replaced by values that it cannot have: one sentence says so",
    _attempts,
    in_suite=200,
)
