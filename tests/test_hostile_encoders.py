"""An encoder's files open nothing but weights, run no code and fetch nothing, whatever they say."""

from __future__ import annotations

import json
import os
import pickle
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_encoders import TEXTS, build, change_config, change_json, save
from transformers import AutoModelForSequenceClassification

from layerviz import encoders
from layerviz.encoders import config_keys, opening
from layerviz.errors import EncoderError

INDEX = "model.safetensors.index.json"


class Evil:
    """What runs when it is unpickled."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[object, ...]]:
        return os.mkdir, (str(Path(os.environ["EVIL"]) / "ran"),)


@pytest.fixture(autouse=True)
def nothing_is_unpickled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hub_cache: None) -> None:
    """No test may reach ``torch.load`` or a Hub."""

    def refuse(*arguments: object, **settings: object) -> None:
        raise AssertionError(f"torch.load was called with {arguments}")

    monkeypatch.setattr(torch, "load", refuse)
    monkeypatch.setenv("EVIL", str(tmp_path))


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(build(), tmp_path_factory.mktemp("saved") / "bert")


@pytest.fixture(scope="module")
def sharded(saved: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, its weights in several files."""
    folder = Path(shutil.copytree(saved, tmp_path_factory.mktemp("sharded") / "bert"))
    (folder / "model.safetensors").unlink()
    model = AutoModelForSequenceClassification.from_pretrained(saved)
    model.save_pretrained(folder, max_shard_size="60KB")
    return folder


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(saved, tmp_path / "folder"))


def load(folder: Path | str) -> encoders.LoadedEncoder:
    return encoders.load(str(folder), label_names=["a", "b"], seed=0, texts=TEXTS, max_length=64)


def refused(folder: Path) -> str:
    """Return what everyone who opens the folder is told, the same and with a hint."""
    said = set()
    for read in (
        load,
        encoders.load_trained,
        lambda place: encoders.load_body(str(place)),
        lambda place: encoders.continued_masked_lm(str(place), "bert", max_length=9, seed=0),
    ):
        with pytest.raises(EncoderError) as caught:
            read(folder)
        assert caught.value.hint
        said.add(caught.value.message.replace(str(folder), "/".join(folder.parts[-2:])))
    assert len(said) == 1, said
    assert encoders.describe(str(folder)).note.startswith(caught.value.message)
    return said.pop()


def name_in_index(folder: Path, name: object) -> None:
    """Let the index say that one of the arrays is in another file."""
    index = json.loads((folder / INDEX).read_text())
    index["weight_map"][next(iter(index["weight_map"]))] = name
    (folder / INDEX).write_text(json.dumps(index))


@pytest.mark.parametrize(
    "name",
    [
        "evil.bin", "evil.pt", "evil.safetensors.bin", "evil", "../outside.safetensors",
        "/etc/passwd", "{outside}/outside.safetensors", "sub/inside.safetensors", ".safetensors/",
        "a\\b.safetensors", "c:model.safetensors", "a\nb.safetensors", "", None, 7, ["x"],
    ],
)  # fmt: skip
def test_an_index_names_nothing_but_safetensors_in_its_folder(
    name: Any, sharded: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(sharded, tmp_path / "folder"))
    (folder / "sub").mkdir()
    for place in (tmp_path / "outside.safetensors", folder / "sub" / "inside.safetensors"):
        shutil.copy(next(folder.glob("model-*")), place)
    for ending in ("bin", "pt", "safetensors.bin"):
        (folder / f"evil.{ending}").write_bytes(pickle.dumps(Evil()))
    if isinstance(name, str):
        name = name.replace("{outside}", str(tmp_path))
    name_in_index(folder, name)
    message = refused(folder)
    assert "no safetensors file in its folder" in message or "cannot be read" in message
    assert not (tmp_path / "ran").exists()


def test_an_index_from_the_hub_is_checked_before_any_weights_are_fetched(
    hub: tuple[Path, list[str]], sharded: Path
) -> None:
    root, requests = hub
    folder = Path(shutil.copytree(sharded, root / "owner" / "evil"))
    (folder / "evil.bin").write_bytes(pickle.dumps(Evil()))
    name_in_index(folder, "evil.bin")
    with pytest.raises(EncoderError, match="no safetensors file in its folder"):
        load("owner/evil")
    assert not any(line.endswith((".bin", ".safetensors")) for line in requests)


def test_weights_in_several_files_of_any_names_are_read(sharded: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(sharded, tmp_path / "folder"))
    index = json.loads((folder / INDEX).read_text())
    for path in folder.glob("model-*.safetensors"):
        path.rename(folder / f"part {path.name}")
    places = {key: f"part {file}" for key, file in index["weight_map"].items()}
    (folder / INDEX).write_text(json.dumps({"weight_map": places}))  # without its "metadata"
    for one in (load(folder), load(sharded)):
        for key, weight in load(sharded).model.state_dict().items():
            assert torch.equal(weight, one.model.state_dict()[key])


@pytest.mark.parametrize("file", ["model.safetensors", "config.json", "tokenizer.json"])
def test_links_out_of_the_folder_are_not_followed(file: str, folder: Path, tmp_path: Path) -> None:
    (folder / file).rename(tmp_path / "elsewhere")
    (folder / file).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(EncoderError, match="a link out of its folder"):
        load(folder)
    assert "a link out of its folder" in encoders.describe(str(folder)).note
    (folder / file).unlink()
    (folder / file).symlink_to("/dev/zero")
    assert "no plain file" in encoders.describe(str(folder)).note
    (folder / file).unlink()
    os.mkfifo(folder / file)
    assert "no plain file" in encoders.describe(str(folder)).note
    (folder / file).unlink()
    (folder / file).symlink_to("nowhere")
    assert not encoders.describe(str(folder)).on_disk
    assert encoders.version(str(folder))


def test_links_within_the_folder_and_those_of_the_hubs_cache_are(
    folder: Path, tmp_path: Path
) -> None:
    (folder / "model.safetensors").rename(folder / "weights")
    (folder / "model.safetensors").symlink_to("weights")
    load(folder)
    cached = tmp_path / "models--owner--name" / "snapshots" / "0123"
    cached.mkdir(parents=True)
    blobs = cached.parents[1] / "blobs"
    blobs.mkdir()
    for number, path in enumerate(sorted(folder.glob("*.json"))):
        shutil.copy(path, blobs / str(number))
        (cached / path.name).symlink_to(f"../../blobs/{number}")
    shutil.copy(folder / "weights", blobs / "weights")
    (cached / "model.safetensors").symlink_to("../../blobs/weights")
    assert load(cached).info.on_disk


def test_what_lies_beside_the_weights_is_not_looked_at(folder: Path, tmp_path: Path) -> None:
    """Pickles, adapters, other configs, templates and code: transformers does not see them."""
    before = load(folder).model.state_dict()
    for name in ("pytorch_model.bin", "adapter_model.bin", "tf_model.h5", "flax_model.msgpack"):
        (folder / name).write_bytes(pickle.dumps(Evil()))
    for name in ("shard-00001-model-00001-of-00001.safetensors", "adapter_model.safetensors"):
        (folder / name).write_bytes(b"no weights")
    (folder / "evil.py").write_text("raise SystemExit('code was run')")
    (folder / "adapter_config.json").write_text(
        json.dumps({"base_model_name_or_path": "evil/base", "peft_type": "LORA", "auto_mapping": 1})
    )
    (folder / "generation_config.json").write_text('{"custom_generate": "evil/repository"}')
    (folder / "chat_template.jinja").symlink_to("/dev/zero")
    (folder / "additional_chat_templates").mkdir()
    (folder / "additional_chat_templates" / "x.jinja").symlink_to("/dev/zero")
    after = load(folder).model.state_dict()
    assert all(torch.equal(weight, after[key]) for key, weight in before.items())
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("key", [*config_keys.REFUSED, *config_keys.IMPLEMENTATIONS])
def test_a_config_that_fetches_or_runs_something_is_refused(key: str, folder: Path) -> None:
    change_config(folder, **{key: None})
    load(folder)
    change_config(folder, **{key: "evil/kernels@main:attention"})
    assert key in refused(folder)


@pytest.mark.parametrize("value", ["paged|evil/kernels", "flash_attention", {"": "evil/kernels"}])
def test_only_known_attention_is_let_through(value: Any, folder: Path) -> None:
    for allowed in ("eager", "sdpa"):
        change_config(folder, attn_implementation=allowed)
        assert load(folder).model.config._attn_implementation == allowed
    for faster in config_keys.FASTER_ATTENTION:  # it only says how fast
        change_config(folder, attn_implementation=faster)
        assert load(folder).model.config._attn_implementation == "sdpa"
    change_config(folder, attn_implementation=value)
    assert "may name code on the Hub" in refused(folder)


def test_families_that_fetch_native_code_are_refused_where_they_would(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("transformers.utils.is_kernels_available", lambda: True)
    for family in config_keys.FETCH_KERNELS:
        change_config(folder, model_type=family)
        assert "fetches native code" in refused(folder)


def test_code_that_an_encoder_brings_is_left_out(folder: Path, tmp_path: Path) -> None:
    """For families that transformers builds itself; others are refused."""
    (folder / "evil.py").write_text(f"import os; os.mkdir({str(tmp_path / 'ran')!r})")
    brought = dict.fromkeys(("AutoConfig", "AutoModel", "AutoTokenizer"), "evil.Evil")
    brought["AutoModelForSequenceClassification"] = "evil--evil.Evil"
    change_config(folder, auto_map=brought)
    tokenizer = {**brought, "AutoTokenizer": ["evil.Evil", "evil--evil.Evil"]}
    change_json(folder / "tokenizer_config.json", auto_map=tokenizer)
    loaded = load(folder)
    assert not hasattr(loaded.model.config, "auto_map")
    assert loaded.info.note.endswith(
        "Its own code is not run: transformers has code for BERT models."
    )
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"fast_tokenizer_files": ["tokenizer.4.0.json"]}, "fast_tokenizer_files"),
        ({"init_inputs": ["/etc/passwd"]}, "init_inputs"),
        ({"mecab_kwargs": {"mecab_option": "-r /evil"}}, "mecab_kwargs"),
        ({"word_tokenizer_type": "jumanpp"}, "word_tokenizer_type"),
        ({"tokenizer_class": "RagTokenizer"}, "RagTokenizer"),
        ({"tokenizer_class": ["x"]}, "tokenizer"),
        ({"added_tokens_decoder": {"1000000000": {"content": "x"}}}, "1000000000"),
        ({"model_max_length": "long"}, "model_max_length"),
    ],
)
def test_a_tokenizer_that_reads_or_runs_something_else_is_refused(
    settings: dict[str, Any], named: str, folder: Path
) -> None:
    change_json(folder / "tokenizer_config.json", **settings)
    with pytest.raises(EncoderError, match=r"The tokenizer of .* cannot be read") as caught:
        load(folder)
    assert named in caught.value.message
    assert caught.value.message in encoders.describe(str(folder)).note


def test_layers_of_which_weights_would_be_left_over_are_refused(folder: Path) -> None:
    change_config(folder, num_hidden_layers=1)
    assert "of its layers' weights would not be used" in refused_before_training(folder)
    change_config(folder, num_hidden_layers=2)
    weights = load_file(folder / "model.safetensors")
    name = "bert.encoder.layer.0.attention.self.distance_embedding.weight"
    save_file(
        {**weights, name: torch.zeros(7, 16)},
        folder / "model.safetensors",
        metadata={"format": "pt"},
    )
    assert name.removeprefix("bert.") in refused_before_training(folder)


def refused_before_training(folder: Path) -> str:
    with pytest.raises(EncoderError) as caught:
        load(folder)
    with pytest.raises(EncoderError, match=re.escape(caught.value.message)):
        encoders.expect_on_disk(str(folder))
    return caught.value.message


def test_a_config_may_leave_the_number_of_labels_open(folder: Path) -> None:
    change_config(folder, num_labels=None, trust_remote_code=True)
    assert load(folder).model.config.num_labels == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"num_labels": 10**9},
        {"num_hidden_layers": 10**9},
        {"hidden_size": 10**6},
        {"hidden_size": 10**12},
        {"vocab_size": 10**7},
        {"vocab_size": 10**30},
        {"intermediate_size": 9_000_000},
        {"max_position_embeddings": 9_000_000},
        {"type_vocab_size": 9_000_000},
        {"num_attention_heads": 10**9},
    ],
)
def test_sizes_beyond_the_weights_are_refused_before_any_memory_is_taken(
    changes: dict[str, int], folder: Path
) -> None:
    change_config(folder, **changes)
    begun = time.monotonic()
    with pytest.raises(EncoderError, match=r"config\.json"):
        load(folder)
    encoders.describe(str(folder))
    assert time.monotonic() - begun < 20


def test_an_encoder_larger_than_the_memory_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "free_memory", lambda: 1_000)
    with pytest.raises(EncoderError, match="GB of memory"):
        load(folder)


def test_packed_weights_are_refused(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    key = next(key for key, weight in weights.items() if weight.dim() == 2)
    weights[key] = weights[key].to(torch.int8)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    assert "in a packed form" in refused(folder)


def test_what_is_saved_again_names_the_folder_it_came_from(folder: Path, tmp_path: Path) -> None:
    """And nothing of the folder that transformers was shown, which is gone."""
    loaded = load(folder)
    assert loaded.tokenizer.name_or_path == loaded.model.name_or_path == str(folder)
    encoders.save_model_and_tokenizer(loaded.model, loaded.tokenizer, tmp_path / "again", 64)
    saved = {path.name: path.read_text() for path in (tmp_path / "again").glob("*.json")}
    assert not any("layerviz-" in text for text in saved.values())
    assert saved["tokenizer.json"] == (folder / "tokenizer.json").read_text()
