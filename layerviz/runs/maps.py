"""Maps that take long to draw, as a run's folder keeps them: one file per projection and layer."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from safetensors import safe_open
from safetensors.numpy import save_file

from layerviz.runs.layout import Layout
from layerviz.runs.writing import replacing


def write_map(path: Path, projection: str, pooling: str, layer: int, arrays: dict) -> None:
    """Store the maps of one layer over the snapshots (arrays as `projection` names them)."""
    with replacing(Layout(path).map(projection, pooling, layer)) as temporary:
        save_file(arrays, temporary)


def map_version(path: Path, projection: str, pooling: str, layer: int) -> int | None:
    """Return what tells one state of a layer's stored maps from another; None without any."""
    return _changed(Layout(path).map(projection, pooling, layer))


def write_placed_test(path: Path, projection: str, pooling: str, layer: int, arrays: dict) -> None:
    """Store where test lies in the stored maps of one layer (arrays as in `PlacedTest`)."""
    with replacing(Layout(path).placed_test(projection, pooling, layer)) as temporary:
        save_file(arrays, temporary)


def remove_placed_test(path: Path, projection: str, pooling: str, layer: int) -> None:
    """Forget where test lies in the maps of one layer."""
    Layout(path).placed_test(projection, pooling, layer).unlink(missing_ok=True)


def placed_test_version(path: Path, projection: str, pooling: str, layer: int) -> int | None:
    """Return what tells one state of that file from another; None where there is none."""
    return _changed(Layout(path).placed_test(projection, pooling, layer))


def _changed(file: Path) -> int | None:
    """Return when a file last changed, in nanoseconds; None if there is none."""
    try:
        return file.stat().st_mtime_ns
    except FileNotFoundError:
        return None


def mapped_snapshots(path: Path, projection: str, pooling: str, layer: int) -> int:
    """Return how many of the first snapshots the stored maps of one layer show.

    For a page that asks again and again which layers are ready: it costs a look at the file's
    date, and reads the header of a file only when that is another one.
    """
    return _n_maps(Layout(path).map(projection, pooling, layer))


def placed_snapshots(path: Path, projection: str, pooling: str, layer: int) -> int:
    """Return in how many of the first maps of one layer test has its place."""
    return _n_maps(Layout(path).placed_test(projection, pooling, layer))


def _n_maps(file: Path) -> int:
    version = _changed(file)
    return 0 if version is None else _n_maps_of(file, version)


@lru_cache(maxsize=4096)
def _n_maps_of(file: Path, version: int) -> int:  # noqa: ARG001
    try:
        with safe_open(file, framework="np") as stored:
            return int(stored.get_slice("xy").get_shape()[0])
    except FileNotFoundError:  # deleted since
        return 0
