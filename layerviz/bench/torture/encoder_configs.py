"""Odd configs of local encoders: every key with every kind of wrong value, and damaged files."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from layerviz.bench.torture.encoder_folders import (
    FAMILIES,
    Damage,
    broken_files,
    opens_or_refuses,
    tiny_encoder,
)
from layerviz.bench.torture.ordeal import Attempt, Ordeal

CONFIG = "config.json"
WRONG: dict[str, Any] = {
    "null": None,
    "a word": "wide",
    "true": True,
    "-1": -1,
    "0": 0,
    "1": 1,
    "1.5": 1.5,
    "7": 7,
    "a million": 10**6,
    "a billion": 10**9,
    "beyond 64 bits": 10**30,
    "NaN": math.nan,
    "infinity": math.inf,
    "a list": [1, 2],
    "an object": {"a": 1},
}
ADDED: dict[str, Any] = {
    "num_labels": 10**9,
    "attn_implementation": "kernels-community/flash-attn2",
    "_attn_implementation": "evil/kernel@main:attention",
    "experts_implementation": "evil/experts",
    "quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": True},
    "auto_map": {"AutoModelForSequenceClassification": "evil--modeling.Evil"},
    "transformers_weights": "evil.safetensors",
    "configuration_files": ["config.4.0.0.json"],
    "base_model_name_or_path": "evil/base",
    "per_layer_config": {"0": {"hidden_size": 7}},
    "fusion_config": {"patch_embeddings": True},
    "is_decoder": True,
    "is_encoder_decoder": True,
    "add_cross_attention": True,
    "output_hidden_states": True,
    "output_attentions": True,
    "return_dict": False,
    "torchscript": True,
    "tie_word_embeddings": False,
    "pruned_heads": {"0": [0]},
    "chunk_size_feed_forward": 7,
    "dtype": "float8_e4m3fn",
    "torch_dtype": "no_such_type",
    "id2label": {"x": "y"},
    "label2id": {"y": "x"},
    "problem_type": "none of them",
    "architectures": ["Evil"],
    "tokenizer_class": "RagTokenizer",
    "rope_parameters": {"rope_type": "none"},
    "unknown_key": "something",
    "": 1,
}


def _attempts(seed: int, shared: Path) -> Iterator[Attempt]:
    for family in FAMILIES:
        origin = tiny_encoder(shared / family, family)
        settings = json.loads((origin / CONFIG).read_text(encoding="utf-8"))
        cases: list[tuple[str, Damage]] = list(broken_files(CONFIG, seed))
        for key in settings:
            cases.append((f"without {key}", partial(_change, remove=key)))
            cases += [
                (f"{key} is {words}", partial(_change, add={key: value}))
                for words, value in WRONG.items()
            ]
        cases += [(f"with {key}", partial(_change, add={key: ADDED[key]})) for key in ADDED]
        cases.append(("with a key twice", _twice))
        for words, damage in cases:
            yield Attempt(
                f"{family}, {words}", partial(opens_or_refuses, origin=origin, damage=damage)
            )


def _change(folder: Path, add: dict[str, Any] | None = None, remove: str = "") -> None:
    settings = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    settings |= add or {}
    settings.pop(remove, None) if remove else None
    (folder / CONFIG).write_text(json.dumps(settings), encoding="utf-8")


def _twice(folder: Path) -> None:
    text = (folder / CONFIG).read_text(encoding="utf-8")
    (folder / CONFIG).write_text(text.replace("{", '{"hidden_size": 9,', 1), encoding="utf-8")


ENCODER_CONFIGS = Ordeal(
    "encoder_configs",
    "configs of local encoders are odd; each encoder works or is refused before a run begins",
    _attempts,
    in_suite=8,
)
