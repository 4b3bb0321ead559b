"""An encoder whose files do not hold together is refused before a run begins, in one sentence."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_encoders import TEXTS, build, change_config, change_json, save

from layerviz import encoders
from layerviz.bench.torture import encoder_configs, encoder_weights, tokenizers
from layerviz.bench.torture.ordeal import Ordeal
from layerviz.encoders import trying
from layerviz.errors import EncoderError

Weights = dict[str, torch.Tensor]


@pytest.fixture(autouse=True)
def _no_hub(hub_cache: None) -> None:
    """No test sees this machine's own cache or reaches the real Hub."""


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """By family an encoder of two layers, as save_pretrained writes it."""
    root = tmp_path_factory.mktemp("saved")
    return {family: save(build(family), root / family) for family in ("bert", "roberta")}


@pytest.fixture
def folder(saved: dict[str, Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved["bert"], tmp_path / "folder"))


def refused(folder: Path) -> str:
    """Return what is said before a run begins; a run that began would be told the same."""
    with pytest.raises(EncoderError) as early:
        encoders.expect_on_disk(str(folder))
    with pytest.raises(EncoderError) as late:
        encoders.load(str(folder), label_names=["a", "b"], seed=0, texts=TEXTS, max_length=16)
    assert early.value.message.startswith(late.value.message)
    return late.value.message


def change_weights(folder: Path, change: Callable[[Weights], None]) -> None:
    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def change_tokenizer(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = folder / "tokenizer.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 3e38])
def test_weights_that_are_no_numbers_are_refused(value: float, folder: Path) -> None:
    def change(weights: Weights) -> None:
        weights["bert.embeddings.word_embeddings.weight"][7, 3] = value

    change_weights(folder, change)
    assert "word_embeddings" in refused(folder)


def test_a_layer_that_is_missing_is_found_from_the_headers_alone(folder: Path) -> None:
    def change(weights: Weights) -> None:
        for key in [key for key in weights if ".layer.1." in key]:
            del weights[key]

    change_weights(folder, change)
    assert "do not fit its config.json" in refused(folder)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda one: one["model"]["vocab"].update({"the": 5_000}), "up to number 5,000"),
        (lambda one: one["model"]["vocab"].pop("[UNK]"), "annot"),
        (lambda one: one.update(normalizer={"type": "Replace", "pattern": {"String": "a"},
                                            "content": "b " * 5_000}), "tokens of"),
        (lambda one: one["model"].update(type="None"), "cannot be read"),
    ],
)  # fmt: skip
def test_a_tokenizer_that_does_not_fit_is_refused(
    change: Callable[[dict[str, Any]], object], said: str, folder: Path
) -> None:
    change_json(folder / "tokenizer_config.json", tokenizer_class="PreTrainedTokenizerFast")
    change_tokenizer(folder, change)
    message = refused(folder)
    assert "tokenizer" in message
    assert said in message


def test_a_tokenizer_without_padding_takes_another_token_or_is_refused(folder: Path) -> None:
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    settings["tokenizer_class"] = "PreTrainedTokenizerFast"
    del settings["pad_token"]
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    assert encoders.expect_on_disk(str(folder)).on_disk
    of_config = json.loads((folder / "config.json").read_text())["pad_token_id"]
    assert encoders.load_tokenizer(str(folder)).pad_token_id == of_config
    change_json(folder / "config.json", pad_token_id=None)
    assert encoders.load_tokenizer(str(folder)).pad_token == settings["sep_token"]
    for name in ("eos_token", "sep_token", "unk_token"):
        settings.pop(name, None)
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    assert "no token to pad short texts with" in refused(folder)


@pytest.mark.parametrize(
    ("family", "changes", "said"),
    [
        ("bert", {"num_attention_heads": -1}, "is -1"),
        ("bert", {"num_attention_heads": 3}, "No model can be made"),
        ("bert", {"hidden_act": "none"}, "No model can be made"),
        ("bert", {"pad_token_id": 10**6}, "No model can be made"),
        ("bert", {"hidden_dropout_prob": 1.5}, "between 0 and 1"),
        ("bert", {"layer_norm_eps": float("nan")}, "is no number"),
        ("bert", {"initializer_range": -0.5}, "no spread is negative"),
        ("roberta", {"pad_token_id": None}, "no pad_token_id"),
    ],
)
def test_a_config_that_makes_no_encoder_is_refused(
    family: str, changes: dict[str, Any], said: str, saved: dict[str, Path], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(saved[family], tmp_path / "odd"))
    change_config(folder, **changes)
    assert said in refused(folder)


def test_what_only_computing_shows_is_told_when_the_run_begins(folder: Path) -> None:
    loaded = encoders.load(str(folder), label_names=["a", "b"], seed=0, texts=TEXTS, max_length=16)
    with torch.no_grad():
        next(loaded.model.parameters()).fill_(torch.inf)
    with pytest.raises(EncoderError, match="layer 0 computes is infinite or no number"):
        trying.check_states("it", loaded.model, loaded.tokenizer)


def test_trying_draws_nothing_at_random_and_reads_each_state_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another thread may be training, whose random numbers would be others."""
    state = torch.random.get_rng_state()
    encoders.expect_on_disk(str(folder))
    assert torch.equal(torch.random.get_rng_state(), state)
    monkeypatch.setattr(trying, "open_model", None)  # would fail
    encoders.expect_on_disk(str(folder))
    change_json(folder / "tokenizer_config.json", model_max_length=40)
    with pytest.raises(TypeError):
        encoders.expect_on_disk(str(folder))


@pytest.mark.parametrize(
    ("ordeal", "least"),
    [
        (encoder_configs.ENCODER_CONFIGS, 3 * 186),
        (tokenizers.TOKENIZERS, 3 * 70),
        (encoder_weights.ENCODER_WEIGHTS, 3 * 21),
    ],
)
def test_the_ordeals_try_every_file_and_key(ordeal: Ordeal, least: int, tmp_path: Path) -> None:
    names = [attempt.name for attempt in ordeal.attempts(0, tmp_path)]
    assert len(set(names)) == len(names) >= least
