"""The folder that pre-training writes, and its record."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from layerviz.config import PretrainConfig
from layerviz.data import Corpus
from layerviz.errors import RunError
from layerviz.training import last_checkpoint

RECORD = "pretraining.json"


def open_folder(config: PretrainConfig, corpus: Corpus, out: Path) -> dict[str, Any]:
    """Return the record of this very work, new or under way; anything else is refused."""
    record = {
        "settings": config.as_dict(),
        "texts": {"name": corpus.name, "n": len(corpus.texts), "fingerprint": corpus.fingerprint},
        "status": "running",
    }
    path = out / RECORD
    try:
        if path.is_file():
            earlier = json.loads(path.read_text(encoding="utf-8"))
            same = all(earlier.get(key) == record[key] for key in ("settings", "texts"))
            if same:
                return earlier
            # What failed before its first checkpoint must not block the corrected call.
            begun = earlier.get("status") == "done" or last_checkpoint(out / "resume")
            if not begun:
                path.write_text(json.dumps(record, indent=2), encoding="utf-8")
                return record
            raise RunError(
                f"{out} holds a pre-training with other settings or texts.",
                "Give another --out, or the same settings to go on with that one.",
            )
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise RunError(f"{out} is there already and holds something else.", "Give a new --out.")
        out.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(record, indent=2), encoding="utf-8")
    except (OSError, ValueError) as error:
        raise RunError(f"{out} cannot be used: {error}.", "Give another --out.") from error
    return record


def close_folder(record: dict[str, Any], out: Path) -> dict[str, Any]:
    """Say that the work is done, and remove what was needed only to go on with it."""
    record["status"] = "done"
    draft = out / f"{RECORD}.part"
    draft.write_text(json.dumps(record, indent=2), encoding="utf-8")
    draft.replace(out / RECORD)
    shutil.rmtree(out / "resume", ignore_errors=True)
    return record
