"""Hostile encoders: pickles, foreign code and foreign files, in every place that names one.

What would run makes a folder, so that it is seen; ``torch.load`` is watched as well.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from unittest import mock

import torch

from layerviz.bench.torture.encoder_folders import FAMILIES, opens_or_refuses, tiny_encoder
from layerviz.bench.torture.ordeal import Attempt, Ordeal, expect
from layerviz.encoders.config_keys import IMPLEMENTATIONS, REFUSED
from layerviz.encoders.tokenizer_files import REFUSED as REFUSED_OF_TOKENIZERS
from layerviz.encoders.weight_files import INDEX, WHOLE

MARKER = "something-ran"
CODE = "evil.py"
PICKLES = (
    "pytorch_model.bin", "adapter_model.bin", "model.pt", "tf_model.h5", "flax_model.msgpack",
    "training_args.bin", "tokenizer.pkl", "scheduler.pt", "rng_state.pth",
)  # fmt: skip
NAMES = (
    "pytorch_model.bin", "./pytorch_model.bin", "model.pt", "model", "../outside.safetensors",
    "../../../etc/passwd", "/etc/passwd", "sub/inside.safetensors", "sub/../part.safetensors",
    "C:\\part.safetensors", "..\\outside.safetensors", "part.safetensors\0.bin",
    "part.safetensors.bin", "part.safetensors/", "part.SAFETENSORS", "", ".safetensors\n", "~",
    "http://127.0.0.1:9/part.safetensors", "file:///etc/passwd", "evil--repo/part.safetensors",
)  # fmt: skip
ADDRESSES = (
    "evil/repository", "evil/repository@main:attention", "kernels-community/flash-attn2",
    "paged|evil/repository", "flash_attention_3", "../../evil", "evil--modeling.Evil", "evil.Evil",
)  # fmt: skip
LINKED = (
    WHOLE, "config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
    "added_tokens.json", "vocab.txt",
)  # fmt: skip
# transformers passes on all that a special_tokens_map.json says, if no tokens are listed elsewhere.
NAMED_BY_SPECIAL_TOKENS = (
    "vocab_file", "tokenizer_file", "gguf_file", "name_or_path", "cache_dir", "auto_map",
    "tokenizer_class", "trust_remote_code", "merges_file",
)  # fmt: skip
TARGETS = ("/etc/passwd", "/dev/zero", "/dev/stdin", "..", "nowhere", "config.json")


def _pickled(marker: Path) -> bytes:
    """Return a pickle that makes a folder when it is opened."""
    return b"cos\nmkdir\n(V" + str(marker).encode() + b"\ntR."


def _attempts(seed: int, shared: Path) -> Iterator[Attempt]:  # noqa: ARG001  there is no chance in it
    for family in FAMILIES:
        origin = tiny_encoder(shared / family, family)
        for words, damage in _damages():
            yield Attempt(f"{family}, {words}", partial(_try, origin=origin, damage=damage))


def _damages() -> Iterator[tuple[str, Callable[[Path], None]]]:
    for name in NAMES:
        yield f"an index names {name!r}", partial(_index, name=name)
    for address in ADDRESSES:
        for key in (*IMPLEMENTATIONS, "auto_map", *REFUSED):
            yield f"{key} is {address}", partial(_set, "config.json", key, address)
        for key in (*REFUSED_OF_TOKENIZERS, "auto_map", "tokenizer_class", "tokenizer_file"):
            yield (
                f"{key} of the tokenizer is {address}",
                partial(_set, "tokenizer_config.json", key, address),
            )
        for key in NAMED_BY_SPECIAL_TOKENS:
            yield (
                f"special tokens set {key} to {address}",
                partial(_special_token, key=key, value=address),
            )
    for key in ("AutoConfig", "AutoModel", "AutoModelForSequenceClassification", "AutoTokenizer"):
        for file in ("config.json", "tokenizer_config.json"):
            for value in ("evil.Evil", "evil--evil.Evil", ["evil.Evil", "evil.Evil"]):
                yield f"{key} is {value} in {file}", partial(_set, file, "auto_map", {key: value})
    for name in LINKED:
        for target in TARGETS:
            yield f"{name} is a link to {target}", partial(_link, name=name, target=target)
    yield "an adapter lies beside it", _adapter


def _try(folder: Path, origin: Path, damage: Callable[[Path], None]) -> None:
    marker = folder / MARKER

    def arm(copy: Path) -> None:
        for name in PICKLES:
            (copy / name).write_bytes(_pickled(marker))
        code = f"import os\nos.mkdir({str(marker)!r})\n"
        for name in (CODE, "modeling.py", "tokenization.py", "custom_generate.py"):
            (copy / name).write_text(code, encoding="utf-8")
        damage(copy)

    done: list[str] = []  # since what is raised in a library's code may be caught there

    def refuse(what: str, *arguments: object, **_settings: object) -> None:
        done.append(f"{what} was called with {arguments}")
        raise OSError(done[-1])

    with (
        mock.patch.object(torch, "load", partial(refuse, "torch.load")),
        mock.patch.object(socket, "getaddrinfo", partial(refuse, "getaddrinfo")),
    ):
        opens_or_refuses(folder, origin, arm)
    expect(not done, "; ".join(done))
    expect(not marker.exists(), "code of the encoder was run")


def _index(folder: Path, name: str) -> None:
    (folder / "sub").mkdir()
    content = (folder / WHOLE).read_bytes()
    for place in ("part.safetensors", "sub/inside.safetensors", "../outside.safetensors"):
        (folder / place).write_bytes(content)
    (folder / WHOLE).unlink()
    (folder / INDEX).write_text(json.dumps({"metadata": {}, "weight_map": {"a": name}}))


def _set(file: str, key: str, value: object, folder: Path) -> None:
    settings = json.loads((folder / file).read_text(encoding="utf-8"))
    (folder / file).write_text(json.dumps({**settings, key: value}), encoding="utf-8")


def _special_token(folder: Path, key: str, value: str) -> None:
    settings = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    settings.pop("added_tokens_decoder", None)
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    special = {key: value, "local_files_only": False, "is_local": False}
    (folder / "special_tokens_map.json").write_text(json.dumps(special), encoding="utf-8")


def _link(folder: Path, name: str, target: str) -> None:
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(target)


def _adapter(folder: Path) -> None:
    settings = {"base_model_name_or_path": "evil/base", "peft_type": "LORA", "auto_mapping": {}}
    (folder / "adapter_config.json").write_text(json.dumps(settings), encoding="utf-8")
    (folder / "adapter_model.safetensors").write_bytes(b"no weights")


HOSTILE_ENCODERS = Ordeal(
    "hostile_encoders",
    "encoders hold pickles, code and names of others; nothing of it is run, opened or fetched",
    _attempts,
    in_suite=8,
)
