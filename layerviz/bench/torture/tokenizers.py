"""Damaged tokenizers of local encoders: every file, every setting, and what they hold."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from layerviz.bench.torture.encoder_configs import WRONG
from layerviz.bench.torture.encoder_folders import (
    FAMILIES,
    Damage,
    broken_files,
    opens_or_refuses,
    tiny_encoder,
)
from layerviz.bench.torture.ordeal import Attempt, Ordeal

MAIN, SETTINGS = "tokenizer.json", "tokenizer_config.json"
PARTS = ("normalizer", "pre_tokenizer", "post_processor", "decoder", "truncation", "padding")
ODD_PARTS: dict[str, Any] = {
    "null": None,
    "of no kind": {"type": "NoSuchThing"},
    "a list": [],
    "a word": "x",
}
ADDED_SETTINGS: dict[str, Any] = {
    "auto_map": {"AutoTokenizer": ["evil--tokenization.Evil", None]},
    "fast_tokenizer_files": ["../../evil.json"],
    "init_inputs": ["/etc/passwd"],
    "added_tokens_decoder": {"100000": {"content": "[NEW]", "special": True}},
    "extra_special_tokens": {"new_token": "[NEW]"},
    "additional_special_tokens": [f"[NEW{n}]" for n in range(50)],
    "tokenizer_class": "MistralCommonBackend",
    "chat_template": "{{ evil }}",
    "tokenizer_file": "/etc/passwd",
    "vocab_file": "/etc/passwd",
    "vocab": {"a": 0},
    "encode": "a method's name",
    "model_input_names": ["nothing"],
    "padding_side": "middle",
}


def _attempts(seed: int, shared: Path) -> Iterator[Attempt]:
    for family in FAMILIES:
        origin = tiny_encoder(shared / family, family)
        for words, damage in (*_files(seed), *_settings(origin), *_contents()):
            yield Attempt(
                f"{family}, {words}", partial(opens_or_refuses, origin=origin, damage=damage)
            )
        files = _as_earlier_files(origin, shared / f"{family}-earlier")
        for file in files:
            for words, damage in broken_files(file, seed):
                yield Attempt(
                    f"{family} as earlier, {file} {words}",
                    partial(opens_or_refuses, origin=shared / f"{family}-earlier", damage=damage),
                )


def _as_earlier_files(origin: Path, folder: Path) -> list[str]:
    """Copy an encoder with the files that tokenizers had before ``tokenizer.json``; name them."""
    shutil.copytree(origin, folder)
    model = json.loads((folder / MAIN).read_text(encoding="utf-8"))["model"]
    (folder / MAIN).unlink()
    if "merges" in model:
        (folder / "vocab.json").write_text(json.dumps(model["vocab"]), encoding="utf-8")
        merges = "\n".join(" ".join(pair) for pair in model["merges"])
        (folder / "merges.txt").write_text(f"#version: 0.2\n{merges}\n", encoding="utf-8")
        return ["vocab.json", "merges.txt"]
    words = sorted(model["vocab"], key=model["vocab"].__getitem__)
    (folder / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    return ["vocab.txt"]


def _files(seed: int) -> Iterator[tuple[str, Damage]]:
    for file in (MAIN, SETTINGS):
        for words, damage in broken_files(file, seed):
            yield f"{file} {words}", damage
    for file in ("special_tokens_map.json", "added_tokens.json", "vocab.txt", "merges.txt"):
        for content in ("", "null", "[[[[", '{"[PAD]": 100000, "pad_token": "[NOT]"}'):
            yield f"{file} beside it: {content[:9]!r}", partial(_write, file=file, content=content)


def _settings(origin: Path) -> Iterator[tuple[str, Damage]]:
    settings = json.loads((origin / SETTINGS).read_text(encoding="utf-8"))
    for key in settings:
        yield f"without {key}", partial(_change, file=SETTINGS, change=partial(_without, key=key))
        for words, value in WRONG.items():
            new = {key: value}
            yield f"{key} is {words}", partial(_change, file=SETTINGS, change=partial(_with, new))
    for key, value in ADDED_SETTINGS.items():
        new = {key: value}
        yield f"with {key}", partial(_change, file=SETTINGS, change=partial(_with, new))


def _contents() -> Iterator[tuple[str, Damage]]:
    for part in PARTS:
        for words, value in ODD_PARTS.items():
            new = {part: value}
            yield f"{part} is {words}", partial(_change, file=MAIN, change=partial(_with, new))
    fixed = {"strategy": {"Fixed": 10**9}, "direction": "Right", "pad_to_multiple_of": 10**6,
             "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"}  # fmt: skip
    grown = {"type": "Replace", "pattern": {"String": "a"}, "content": "a" * 100_000}
    for words, new in (
        ("padding to a billion tokens", {"padding": fixed}),
        ("a normalizer that makes texts long", {"normalizer": grown}),
        ("a version of another time", {"version": "9.9"}),
    ):
        yield words, partial(_change, file=MAIN, change=partial(_with, new))
    changes: dict[str, Callable[[dict[str, Any]], Any]] = {
        "a model of no kind": lambda one: one["model"].update(type="NoSuchThing"),
        "no model": lambda one: one.pop("model"),
        "no vocabulary": lambda one: one["model"].pop("vocab"),
        "an empty vocabulary": lambda one: one["model"].update(vocab={}),
        "a vocabulary in a list": lambda one: one["model"].update(vocab=[*one["model"]["vocab"]]),
        "ids that are words": lambda one: _renumber(one, str),
        "ids below zero": lambda one: _renumber(one, lambda number: -number),
        "ids beyond the embedding": lambda one: _renumber(one, lambda number: number + 10_000),
        "ids that are huge": lambda one: _renumber(one, lambda number: number + 4_000_000_000),
        "all ids the same": lambda one: _renumber(one, lambda number: 0 * number),
        "ids with gaps": lambda one: _renumber(one, lambda number: 3 * number),
        "another vocabulary": lambda one: one["model"].update(vocab={"a": 0, "b": 1}),
        "one more word": lambda one: one["model"]["vocab"].update(more=len(one["model"]["vocab"])),
        "no word for unknown ones": _without_unknown,
        "no added tokens": lambda one: one.update(added_tokens=[]),
        "an added token with a huge id": lambda one: one["added_tokens"][0].update(id=10**9),
        "an added token that is empty": lambda one: one["added_tokens"][0].update(content=""),
        "merges that are no pairs": lambda one: one["model"].update(merges=["a", "b c d"]),
        "merges of unknown words": lambda one: one["model"].update(merges=[["zzz", "yyy"]]),
        "a prefix that is long": lambda one: one["model"].update(
            continuing_subword_prefix="#" * 10_000
        ),
    }  # fmt: skip
    for words, change in changes.items():
        yield words, partial(_change, file=MAIN, change=change)


def _write(folder: Path, file: str, content: str) -> None:
    (folder / file).write_text(content, encoding="utf-8")


def _change(folder: Path, file: str, change: Callable[[dict[str, Any]], Any]) -> None:
    content = json.loads((folder / file).read_text(encoding="utf-8"))
    change(content)
    (folder / file).write_text(json.dumps(content), encoding="utf-8")


def _with(new: dict[str, Any], content: dict[str, Any]) -> None:
    content |= new


def _without(content: dict[str, Any], key: str) -> None:
    content.pop(key, None)


def _renumber(content: dict[str, Any], number: Callable[[int], Any]) -> None:
    vocabulary = content["model"]["vocab"]
    content["model"]["vocab"] = {word: number(index) for word, index in vocabulary.items()}


def _without_unknown(content: dict[str, Any]) -> None:
    for word in ("[UNK]", "<unk>"):
        content["model"]["vocab"].pop(word, None)
    content["added_tokens"] = [
        token for token in content["added_tokens"] if token["content"] not in ("[UNK]", "<unk>")
    ]


TOKENIZERS = Ordeal(
    "tokenizers",
    "tokenizers of local encoders are damaged; each works or is refused before a run begins",
    _attempts,
    in_suite=8,
)
