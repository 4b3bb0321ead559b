"""Damaged files of a run: what opens one says so with its name, and all else works."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from safetensors.numpy import load_file, save_file

from layerviz import projection, runs
from layerviz.bench.made_run import made_run
from layerviz.bench.torture.looking import look_at_all
from layerviz.bench.torture.ordeal import Attempt, Ordeal, expect
from layerviz.bench.torture.toys import toy_dataset
from layerviz.export.checking import first_damage
from layerviz.projection import of_run

WRONG_NUMBERS = (np.nan, np.inf, -1e30)


def _missing(file: Path) -> None:
    file.unlink()


def _empty(file: Path) -> None:
    file.write_bytes(b"")


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def _random_bytes(file: Path) -> None:
    file.write_bytes(random.Random(0).randbytes(300))


def _flipped_bytes(file: Path) -> None:
    content = bytearray(file.read_bytes())
    for at in random.Random(0).sample(range(len(content)), min(20, len(content))):
        content[at] ^= 0xFF
    file.write_bytes(content)


def _folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def _link_to_nothing(file: Path) -> None:
    file.unlink()
    file.symlink_to("nowhere")


def _link_to_itself(file: Path) -> None:
    file.unlink()
    file.symlink_to(file.name)


def _half_a_letter(file: Path) -> None:
    if file.suffix in (".csv", ".json"):
        file.write_bytes(b'{"a": "\\ud800"}\n')
    else:
        _random_bytes(file)


def _fewer_rows(file: Path) -> None:
    if file.suffix == ".parquet":
        pd.read_parquet(file).head(3).to_parquet(file, index=False)
    elif file.suffix == ".safetensors":
        save_file({name: a[..., :1].copy() for name, a in load_file(file).items()}, file)
    else:
        _cut(file)


def _other_kinds(file: Path) -> None:
    if file.suffix == ".parquet":
        pd.read_parquet(file).map(str).to_parquet(file, index=False)
    elif file.suffix == ".safetensors":
        with np.errstate(all="ignore"):
            save_file({name: a.astype(np.int64) for name, a in load_file(file).items()}, file)
    else:
        _half_a_letter(file)


def _no_numbers(file: Path, number: float) -> None:
    if file.suffix == ".parquet":
        table = pd.read_parquet(file)
        for name in table.select_dtypes("number"):
            table[name] = number
        table.to_parquet(file, index=False)
    elif file.suffix == ".safetensors":
        with np.errstate(all="ignore"):
            save_file({name: np.full_like(a, number) for name, a in load_file(file).items()}, file)
    else:
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace("0.5", str(number)), encoding="utf-8")


def _other_names(file: Path) -> None:
    if file.suffix == ".parquet":
        pd.read_parquet(file).add_prefix("x").to_parquet(file, index=False)
    elif file.suffix == ".safetensors":
        save_file({f"x{name}": array for name, array in load_file(file).items()}, file)
    else:
        file.write_text("a,b\n1,2\n", encoding="utf-8")


def _very_wide(file: Path) -> None:
    if file.suffix == ".csv":
        file.write_text(",".join(map(str, range(200_000))) + "\n", encoding="utf-8")
    else:
        _random_bytes(file)


DAMAGES: dict[str, Callable[[Path], None]] = {
    "missing": _missing,
    "empty": _empty,
    "cut": _cut,
    "random bytes": _random_bytes,
    "some bytes flipped": _flipped_bytes,
    "a folder": _folder,
    "a link to nothing": _link_to_nothing,
    "a link to itself": _link_to_itself,
    "half a letter": _half_a_letter,
    "fewer rows": _fewer_rows,
    "other kinds": _other_kinds,
    "other names": _other_names,
    "very wide": _very_wide,
    **{str(number): partial(_no_numbers, number=number) for number in WRONG_NUMBERS},
}


def whole_run(root: Path) -> Path:
    """Return the folder of a made-up run that holds every kind of file."""
    run = made_run(root, toy_dataset(), n_layers=2, width=8, n_snapshots=2)
    of_run.quick_maps(run, projection.DEFAULT_PROJECTION, run.poolings[0], 1, [0, 1])
    mix = {"layers": [1], "how": "average", "weights": [1.0], "single": 1}
    mix |= dict.fromkeys(("score", "single_score", "difference", "low", "high"), 0.5)
    runs.write_mix(run.path, 1, run.poolings[0], mix)
    runs.write_label_ranking(run.path, pd.DataFrame({"row": [0]}), {"n_snapshots": 99})
    return run.path


def opened_files(path: Path) -> list[str]:
    """Return the files of a run that pages open, but its record, by their path in its folder."""
    named = (str(file.relative_to(path)) for file in path.rglob("*") if file.is_file())
    suffixes = (".parquet", ".safetensors", ".csv", ".json")
    record = runs.Layout(path).record.name
    return sorted(name for name in named if name.endswith(suffixes) and name != record)


def _attempts(seed: int, shared: Path) -> Iterator[Attempt]:  # noqa: ARG001  there is no chance in it
    path = whole_run(shared)
    for name in opened_files(path):
        for kind, damage in DAMAGES.items():
            work = partial(_try, source=path, name=name, damage=damage)
            yield Attempt(f"{name}: {kind}", work)


def _try(folder: Path, source: Path, name: str, damage: Callable[[Path], None]) -> None:
    path = folder / source.name
    shutil.copytree(source, path)
    damage(path / name)
    said = look_at_all(folder, path.name)
    first_damage(runs.open_folder(path))  # is asked where a part of the page fails all the same
    others = [sentence for sentence in said if Path(name).name not in sentence]
    # Where examples are lacking, nothing tells whether they are wrong or all the others.
    is_told = name == runs.Layout(path).examples.name or not others
    expect(is_told, f"another file is named: {others}")
    expect(all(len(sentence) < 500 for sentence in said), "a sentence goes on and on")


DAMAGED = Ordeal(
    "damaged",
    "each file of a run is damaged in turn: whatever opens it works, or names it in one sentence",
    _attempts,
    in_suite=60,
)
