"""Files of a tokenizer beside its main one name no files, no repository and no other class."""

from __future__ import annotations

import json
import shutil
import socket
import sys
from pathlib import Path
from typing import Any

import pytest
from tiny_encoders import TEXTS, build, change_json, save

from layerviz import encoders
from layerviz.errors import EncoderError


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(build(), tmp_path_factory.mktemp("saved") / "bert")


@pytest.fixture
def folder(saved: Path, tmp_path: Path, hub_cache: None) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(saved, tmp_path / "folder"))


def load(folder: Path) -> encoders.LoadedEncoder:
    return encoders.load(str(folder), label_names=["a", "b"], seed=0, texts=TEXTS, max_length=64)


def with_earlier_files(folder: Path) -> None:
    """Give a folder the tokenizer's files of before ``tokenizer.json``."""
    model = json.loads((folder / "tokenizer.json").read_text())["model"]
    words = sorted(model["vocab"], key=model["vocab"].__getitem__)
    (folder / "vocab.txt").write_text("\n".join(words) + "\n")
    (folder / "tokenizer.json").unlink()
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    settings.pop("added_tokens_decoder", None)
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))


@pytest.mark.parametrize(
    "settings",
    [
        {"vocab_file": "OUTSIDE"},
        {"tokenizer_file": "OUTSIDE"},
        {"name_or_path": "evil/repository", "is_local": False, "local_files_only": False},
        {"gguf_file": "x.gguf", "name_or_path": "evil/repository", "local_files_only": False},
        {"cache_dir": "OUTSIDE"},
    ],
)
def test_special_tokens_name_no_files_and_no_repository(
    settings: dict[str, Any], folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_earlier_files(folder)
    before = load(folder).tokenizer.get_vocab()
    outside = tmp_path / "outside.txt"
    outside.write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nsecret\n")
    opened = []

    def connect(*arguments: object, **_settings: object) -> None:
        raise AssertionError(f"reached for {arguments}")

    monkeypatch.setattr(socket, "getaddrinfo", connect)
    sys.addaudithook(
        lambda event, arguments: (
            opened.append(arguments[0])
            if event == "open" and str(arguments[0]) == str(outside)
            else None
        )
    )
    settings = {
        key: str(outside) if value == "OUTSIDE" else value for key, value in settings.items()
    }
    (folder / "special_tokens_map.json").write_text(json.dumps({**settings, "unk_token": "[UNK]"}))
    assert load(folder).tokenizer.get_vocab() == before
    assert not opened


def test_special_tokens_and_added_ones_are_still_read(folder: Path) -> None:
    with_earlier_files(folder)
    special = {"additional_special_tokens": ["[E1]"], "unk_token": "[UNK]"}
    (folder / "special_tokens_map.json").write_text(json.dumps(special))
    assert "[E1]" in encoders.load_tokenizer(str(folder)).all_special_tokens
    (folder / "added_tokens.json").write_text(json.dumps({"[E2]": 10**9}))
    with pytest.raises(EncoderError, match=r"added_tokens\.json: it gives the token '\[E2\]'"):
        load(folder)


@pytest.mark.parametrize("kind", ["ByT5Tokenizer", "RagTokenizer", "BertConfig", "BertModel", 7])
@pytest.mark.parametrize("file", ["config.json", "tokenizer_config.json"])
def test_a_class_that_is_no_tokenizer_of_texts_is_refused(
    kind: object, file: str, folder: Path
) -> None:
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    settings.pop("tokenizer_class", None)
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    change_json(folder / file, tokenizer_class=kind)
    with pytest.raises(EncoderError):
        load(folder)
