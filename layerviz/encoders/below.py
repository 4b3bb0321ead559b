"""The folder below the one that was given, in which an encoder really lies.

A Trainer saves in folders called checkpoint-500, and sentence-transformers once kept the encoder in
one called 0_Transformer beside its poolings.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

CONFIG, ADAPTER, MODULES = "config.json", "adapter_config.json", "modules.json"
_CHECKPOINT = re.compile(r"checkpoint-(\d{1,12})", re.ASCII)
_MOST_BYTES = 1_000_000  # of a list of modules


def model_folder(folder: Path) -> Path:
    """Return the folder of the encoder: the one that was given, or the one below that has it.

    Of several checkpoints it is the newest. A folder that has an encoder of its own is taken.
    """
    try:
        if (folder / CONFIG).exists() or (folder / ADAPTER).exists():
            return folder
        below = [_named_by_modules(folder), *_newest_first(folder)]
        held = [one for one in below if one is not None and _holds_model(folder, one)]
    except OSError:
        return folder
    return held[0] if held else folder


def _named_by_modules(folder: Path) -> Path | None:
    file = folder / MODULES
    try:
        if not file.is_file() or file.stat().st_size > _MOST_BYTES:
            return None
        modules = json.loads(file.read_text(encoding="utf-8"))
        named = [one["path"] for one in modules if str(one["type"]).endswith(".Transformer")]
    except (ValueError, TypeError, KeyError):
        return None
    return folder / str(named[0]) if named and named[0] else None


def _newest_first(folder: Path) -> list[Path]:
    steps = {
        int(match[1]): path
        for path in folder.iterdir()
        if (match := _CHECKPOINT.fullmatch(path.name))
    }
    return [steps[step] for step in sorted(steps, reverse=True)]


def _holds_model(folder: Path, below: Path) -> bool:
    inside = below.resolve().is_relative_to(folder.resolve())
    return inside and any((below / name).is_file() for name in (CONFIG, ADAPTER))
