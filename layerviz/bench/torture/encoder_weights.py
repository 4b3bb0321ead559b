"""Damaged weights of local encoders: files, headers, arrays, and indices of several files."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from layerviz.bench.torture.encoder_folders import (
    FAMILIES,
    Damage,
    broken_files,
    opens_or_refuses,
    tiny_encoder,
)
from layerviz.bench.torture.ordeal import Attempt, Ordeal

WHOLE, INDEX = "model.safetensors", "model.safetensors.index.json"
Weights = dict[str, torch.Tensor]
_TYPES = (
    torch.float64, torch.float16, torch.bfloat16, torch.float8_e4m3fn, torch.int8, torch.int64,
    torch.bool,
)  # fmt: skip


def _attempts(seed: int, shared: Path) -> Iterator[Attempt]:
    for family in FAMILIES:
        origin = tiny_encoder(shared / family, family)
        cases = [
            *((f"{WHOLE} {words}", damage) for words, damage in broken_files(WHOLE, seed)),
            *_headers(),
            *_arrays(seed),
            *_indices(),
        ]
        for words, damage in cases:
            yield Attempt(
                f"{family}, {words}", partial(opens_or_refuses, origin=origin, damage=damage)
            )


def _headers() -> Iterator[tuple[str, Damage]]:
    huge, array = 2**62, {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}
    empty = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
    headers: dict[str, bytes] = {
        "a header that would be huge": b"\xff" * 8,
        "a header beyond the end": (10_000).to_bytes(8, "little") + b"{}",
        "a header that is no JSON": _stored(b"not JSON at all"),
        "a header of many arrays": _stored(
            json.dumps(dict.fromkeys(map(str, range(10**4)), empty))
        ),
        "no arrays": _stored("{}"),
        "arrays that overlap": _stored(json.dumps({"a": array, "b": array}), bytes(16)),
        "an array beyond the end": _stored(
            json.dumps({"a": array | {"shape": [huge, huge], "data_offsets": [0, huge]}})
        ),
        "an array of a negative length": _stored(
            json.dumps({"a": array | {"shape": [-1, 4]}}), bytes(16)
        ),
        "an array of no type": _stored(json.dumps({"a": array | {"dtype": "X99"}}), bytes(16)),
        "a pickle": b"\x80\x04\x95" + bytes(100),
        "a zip": b"PK\x03\x04" + bytes(100),
    }
    for words, content in headers.items():
        yield words, partial(_write, file=WHOLE, content=content)
    yield "a header of 90 MB", lambda folder: _write(folder, WHOLE, _stored(b" " * 90_000_000))


def _stored(header: str | bytes, data: bytes = b"") -> bytes:
    text = header.encode() if isinstance(header, str) else header
    return len(text).to_bytes(8, "little") + text + data


def _arrays(seed: int) -> Iterator[tuple[str, Damage]]:
    for kind in _TYPES:
        yield f"all as {kind}", partial(_edit, change=partial(_as_type, kind=kind))
    changes: dict[str, Callable[[Weights], None]] = {
        "no body": lambda weights: _keep(weights, lambda key: "classifier" in key),
        "no head": lambda weights: _keep(weights, lambda key: "classifier" not in key),
        "no embeddings": lambda weights: _keep(weights, lambda key: "embeddings" not in key),
        "no second layer": lambda weights: _keep(weights, lambda key: ".1." not in key),
        "more than there should be": lambda weights: weights.update(more=torch.zeros(99, 99)),
        "all under other names": lambda weights: _rename(weights, lambda key: f"x.{key}"),
        "without their prefix": lambda weights: _rename(
            weights, lambda key: key.partition(".")[2] or key
        ),
        "all zero": lambda weights: _each(weights, torch.zeros_like),
        "all huge": lambda weights: _each(weights, lambda one: torch.full_like(one, 1e38)),
        "all NaN": lambda weights: _each(weights, lambda one: torch.full_like(one, torch.nan)),
        "all turned": lambda weights: _each(
            weights, lambda one: one.mT.contiguous() if one.dim() > 1 else one
        ),
        "all in a row": lambda weights: _each(weights, torch.flatten),
        "all without contents": lambda weights: _each(weights, lambda one: one[:0].contiguous()),
    }
    for words, change in changes.items():
        yield words, partial(_edit, change=change)
    draws = random.Random(f"{seed} weights")
    for value in (torch.nan, torch.inf, -torch.inf, 3e38):
        for number in range(2):
            change = partial(_one_value, value=value, seed=draws.randrange(2**32))
            yield f"one is {value}, {number}", partial(_edit, change=change)


def _indices() -> Iterator[tuple[str, Damage]]:
    contents: dict[str, Any] = {
        "empty": {},
        "a list": [],
        "a map in a list": {"weight_map": ["a"]},
        "a map of nothing": {"weight_map": {}},
        "numbers for names": {"weight_map": {"a": 1}},
        "lists for names": {"weight_map": {"a": ["x"]}},
        "an absolute name": {"weight_map": {"a": "/etc/passwd"}},
        "a name further up": {"weight_map": {"a": "../x.safetensors"}},
        "a pickle": {"weight_map": {"a": "pytorch_model.bin"}},
        "a part that is missing": {"weight_map": {"a": "model-00009-of-00009.safetensors"}},
        "itself": {"weight_map": {"a": INDEX}},
        "metadata of no kind": {"metadata": 7, "weight_map": {"a": "part.safetensors"}},
    }
    for words, content in contents.items():
        yield f"an index with {words}", partial(_index, content=content)
    yield "an index and the whole", partial(_write, file=INDEX, content=b"garbage")


def _write(folder: Path, file: str, content: bytes) -> None:
    (folder / file).write_bytes(content)


def _index(folder: Path, content: Any) -> None:
    (folder / WHOLE).rename(folder / "part.safetensors")
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04\x95")
    (folder / INDEX).write_text(json.dumps(content), encoding="utf-8")


def _edit(folder: Path, change: Callable[[Weights], None]) -> None:
    weights = load_file(folder / WHOLE)
    change(weights)
    save_file(weights, folder / WHOLE, metadata={"format": "pt"})


def _each(weights: Weights, change: Callable[[torch.Tensor], torch.Tensor]) -> None:
    weights.update({key: change(weight).contiguous() for key, weight in weights.items()})


def _as_type(weights: Weights, kind: torch.dtype) -> None:
    _each(weights, lambda one: one.to(kind))


def _keep(weights: Weights, is_kept: Callable[[str], bool]) -> None:
    for key in [key for key in weights if not is_kept(key)]:
        del weights[key]


def _rename(weights: Weights, rename: Callable[[str], str]) -> None:
    renamed = {rename(key): weight for key, weight in weights.items()}
    weights.clear()
    weights.update(renamed)


def _one_value(weights: Weights, value: float, seed: int) -> None:
    draws = random.Random(seed)
    weight = weights[draws.choice(sorted(weights))].view(-1)
    weight[draws.randrange(len(weight))] = value


ENCODER_WEIGHTS = Ordeal(
    "encoder_weights",
    "weights of local encoders are damaged; each encoder works or is refused before a run begins",
    _attempts,
    in_suite=8,
)
