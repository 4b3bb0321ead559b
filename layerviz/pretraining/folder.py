"""The folder that pre-training writes, and its record."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from layerviz.data import Corpus
from layerviz.errors import RunError
from layerviz.pretrain_config import PretrainConfig
from layerviz.training import last_checkpoint

RECORD = "pretraining.json"


def open_record(config: PretrainConfig, corpus: Corpus, out: Path) -> dict[str, Any]:
    """Return the record of this pre-training, new or begun earlier.

    Raises
    ------
    RunError
        If `out` holds anything else or cannot be written.
    """
    record = {
        "settings": config.as_dict(),
        "texts": {"name": corpus.name, "n": len(corpus.texts), "fingerprint": corpus.fingerprint},
        "status": "running",
    }
    path = out / RECORD
    try:
        if path.is_file():
            earlier = json.loads(path.read_text(encoding="utf-8"))
            if all(earlier.get(key) == record[key] for key in ("settings", "texts")):
                return earlier
            # What failed before its first checkpoint must not block the corrected call.
            if earlier.get("status") == "done" or last_checkpoint(out / "resume"):
                raise RunError(
                    f"{out} holds a pre-training with other settings or texts.",
                    "Give another --out, or the same settings to continue that one.",
                )
            path.write_text(json.dumps(record, indent=2), encoding="utf-8")
            return record
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise RunError(f"{out} already exists and holds something else.", "Give a new --out.")
        out.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(record, indent=2), encoding="utf-8")
    except (OSError, ValueError) as error:
        raise RunError(f"{out} cannot be used: {error}.", "Give another --out.") from error
    return record


def close_record(record: dict[str, Any], out: Path) -> dict[str, Any]:
    """Record that the work is done, and remove what was only needed to resume it."""
    record["status"] = "done"
    draft = out / f"{RECORD}.part"
    draft.write_text(json.dumps(record, indent=2), encoding="utf-8")
    draft.replace(out / RECORD)
    shutil.rmtree(out / "resume", ignore_errors=True)
    return record
