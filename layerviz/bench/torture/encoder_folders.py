"""Tiny encoders in folders, ways to damage a file, and what must come of a damaged folder.

An encoder opens and works, or it is refused with one sentence before a run begins.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import torch

from layerviz import encoders
from layerviz.bench.torture.ordeal import Broken, expect
from layerviz.encoders import EncoderSize
from layerviz.errors import EncoderError

FAMILIES = tuple(encoders.SCRATCH_SIZES)
TEXTS = [
    f"The {noun} is {verb}, Ñandú number {number}"
    for number in range(12)
    for noun in ("cat", "dog", "sparrow")
    for verb in ("eating", "sleeping")
]
SIZE = EncoderSize(layers=2, hidden_size=32, heads=2, vocab_size=300, positions=64)
MAX_LENGTH = 16
LONGEST_SENTENCE = 700  # characters of a message: paths are in it
MOST_MEMORY = 1_000_000_000  # bytes that an attempt may add

Damage = Callable[[Path], None]


def tiny_encoder(folder: Path, family: str) -> Path:
    """Write an encoder of two layers as ``save_pretrained`` does, and return its folder."""
    built = encoders.build_scratch(family, replace(SIZE), TEXTS, label_names=["no", "yes"], seed=0)
    encoders.save_model_and_tokenizer(built.model, built.tokenizer, folder, SIZE.positions)
    return folder


def opens_or_refuses(folder: Path, origin: Path, damage: Damage) -> None:
    """Copy an encoder, damage the copy, and expect that it works or is refused in time.

    Raises
    ------
    Broken
        If anything but one sentence is said, a run would begin before it, or memory is taken.
    """
    copy = folder / "encoder"
    shutil.copytree(origin, copy)
    damage(copy)
    before = psutil.Process().memory_info().rss
    name = str(copy)
    encoders.describe(name)
    encoders.version(name)
    most = encoders.most_tokens(name) or MAX_LENGTH
    early = _refusal(lambda: encoders.expect_on_disk(name))
    try:
        loaded = encoders.load(
            name, label_names=["a", "b", "c"], seed=0, texts=TEXTS, max_length=min(MAX_LENGTH, most)
        )
    except EncoderError as error:
        _expect_sentence(error)
        expect(early is not None, f"refused only when the run had begun: {error.message}")
    else:
        expect(early is None, f"it loads, but was refused: {early}")
        _expect_work(loaded, min(MAX_LENGTH, most))
    _refusal(lambda: encoders.load_trained(copy))
    taken = psutil.Process().memory_info().rss - before
    expect(taken < MOST_MEMORY, f"it took {taken / 1e9:.1f} GB of memory")


def _refusal(read: Callable[[], Any]) -> str | None:
    try:
        read()
    except EncoderError as error:
        _expect_sentence(error)
        return error.message
    return None


def _expect_sentence(error: EncoderError) -> None:
    said = str(error)
    expect(said.endswith((".", "?")), f"no sentence: {said}")
    expect("\n" not in said and len(said) <= LONGEST_SENTENCE, f"too long: {said}")
    expect("Traceback" not in said, said)


def _expect_work(loaded: encoders.LoadedEncoder, most: int) -> None:
    """Train one step on texts of several lengths, with all states that a capture takes."""
    batch = loaded.tokenizer(
        [*TEXTS[:3], "cat", "☃ 你好"], padding=True, truncation=True, max_length=most,
        return_tensors="pt",
    )  # fmt: skip
    output: Any = loaded.model.train()(
        **batch, labels=torch.tensor([0, 1, 2, 0, 1]), output_hidden_states=True
    )
    output.loss.backward()
    states = output.hidden_states
    expect(len(states) == (loaded.info.layers or 0) + 1, f"it gives {len(states)} states")
    if not all(bool(state.isfinite().all()) for state in (*states, output.loss)):
        raise Broken("its states are no numbers")


def broken_files(file: str, seed: int) -> Iterator[tuple[str, Damage]]:
    """Yield ways to damage any file, each with its name."""

    def write(content: bytes) -> Damage:
        return lambda folder: _overwrite(folder / file, content)

    yield "missing", lambda folder: (folder / file).unlink()
    yield "a folder", lambda folder: _as_folder(folder / file)
    yield "a link to nowhere", lambda folder: _as_link(folder / file, "nowhere")
    yield "a link out of the folder", lambda folder: _as_link(folder / file, "/etc/hostname")
    for words, content in (
        ("empty", b""),
        ("null", b"null"),
        ("a number", b"7"),
        ("a string", b'"text"'),
        ("an empty list", b"[]"),
        ("an empty object", b"{}"),
        ("binary", bytes(range(256)) * 20),
        ("nested deeply", b"[" * 100_000),
        ("nested deeply in an object", b'{"a":' * 50_000 + b"1" + b"}" * 50_000),
        ("a web page", b"<!DOCTYPE html><html><body>404</body></html>"),
        ("a pointer of Git LFS", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n"),
    ):
        yield words, write(content)
    draws = random.Random(f"{seed} {file}")
    for number in range(4):
        yield f"cut off, {number}", _cut(file, draws.random())
    for number in range(4):
        yield f"bytes changed, {number}", _garbled(file, draws.randrange(2**32))


def _overwrite(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _as_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _as_link(path: Path, target: str) -> None:
    path.unlink()
    path.symlink_to(target)


def _cut(file: str, share: float) -> Damage:
    def damage(folder: Path) -> None:
        content = (folder / file).read_bytes()
        (folder / file).write_bytes(content[: int(share * len(content))])

    return damage


def _garbled(file: str, seed: int) -> Damage:
    def damage(folder: Path) -> None:
        content = bytearray((folder / file).read_bytes())
        draws = random.Random(seed)
        for _ in range(12):
            content[draws.randrange(len(content))] = draws.randrange(256)
        (folder / file).write_bytes(bytes(content))

    return damage
