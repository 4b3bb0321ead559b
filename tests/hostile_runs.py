"""Runs of which every text is a hostile one: markup, addresses, orders to a terminal."""

from __future__ import annotations

import json
from typing import Any

from layerviz import runs
from layerviz.runs import Run

MARKUP = (
    "![x](http://127.0.0.1:9/x.png) <b>x</b> [l](http://127.0.0.1:9) :red[x] $x^2$ `x` "
    "www.evil.example me@evil.example view_3 datum.x"
)
# What is said of the kind of a run, and of the parts that there are, is no text of a user.
FIXED = {
    "format",
    "run_id",
    "created",
    "status",
    "poolings",
    "process",
    "seed",
    "files",
    "contents",
}


def hostile(node: Any, text: str, name: str = "") -> Any:
    """Return an entry of a record in which all texts that may be anything are hostile ones."""
    if isinstance(node, dict):
        return {
            key: part if key in FIXED else hostile(part, text, key) for key, part in node.items()
        }
    if isinstance(node, list):
        return [hostile(part, text, str(at)) for at, part in enumerate(node)]
    return f"{text} {name}" if isinstance(node, str) else node


def made_hostile(run: Run, text: str = MARKUP) -> Run:
    """Change all texts of a finished run, those that are known to be one of a few left out."""
    values = json.loads(run.layout.record.read_text(encoding="utf-8"))
    names = [f"{text} {number}" for number, _ in enumerate(values["label_names"])]
    counts = {
        split: dict(zip(names, of.values(), strict=False))
        for split, of in values["dataset"]["counts"].items()
    }
    dataset = {key: hostile(part, text, key) for key, part in values["dataset"].items()}
    dataset |= {"counts": counts, "files": {"train": text}, "contents": {}, "id_column": text}
    dataset |= {"row_choices": {}, "reading": {}, "fingerprint": text[:190], "notes": [text]}
    runs.update(
        run.path,
        dataset=dataset,
        label_names=names,
        encoder=hostile(values["encoder"], text),
        training=hostile(values["training"], text) | {"device": text, "precision": text},
        versions=dict.fromkeys(values["versions"], text),
        layerviz=text,
        config=values["config"] | {"encoder": text, "encoder_version": text},
        reason=text,
    )
    examples = runs.read_examples(run.path)
    texts = [f"{text} {row}" for row in range(len(examples))]
    runs.write_examples(run.path, examples.assign(text=texts, own_id=texts))
    return runs.open_folder(run.path)
