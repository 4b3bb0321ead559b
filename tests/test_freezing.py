"""Frozen layers do not move, and a cut encoder is the first layers of the whole one."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file
from transformers import AutoModelForSequenceClassification, PreTrainedModel

from layerviz import comparison, encoders, runs, training
from layerviz.commands import main
from layerviz.config import RunConfig
from layerviz.data import Dataset
from layerviz.errors import ConfigError, EncoderError, LayervizError
from layerviz.runs import Run

SIZE = encoders.EncoderSize(layers=4, hidden_size=16, heads=2, vocab_size=300, positions=64)
TEXTS = [f"the {noun} number {number}" for noun in ("cat", "dog", "eel") for number in range(9)]
SMALL: Any = {
    "hidden_size": 16,
    "num_hidden_layers": 4,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "vocab_size": 400,
    "pad_token_id": 0,
}
SPECIAL: Any = {"bos_token_id": 2, "eos_token_id": 3, "cls_token_id": 2, "sep_token_id": 3}
FAMILIES = [
    transformers.BertConfig(**SMALL),
    transformers.RobertaConfig(**SMALL),
    transformers.DistilBertConfig(dim=16, n_layers=4, n_heads=2, hidden_dim=32, vocab_size=400),
    transformers.ElectraConfig(embedding_size=8, **SMALL),
    transformers.DebertaV2Config(relative_attention=True, pos_att_type=["p2c", "c2p"], **SMALL),
    transformers.ModernBertConfig(**SMALL, **SPECIAL),
    transformers.MPNetConfig(**SMALL),
    transformers.LongformerConfig(attention_window=[8] * 4, **SMALL),
]
each_family = pytest.mark.parametrize("config", FAMILIES, ids=lambda config: config.model_type)


def saved(config: transformers.PreTrainedConfig, folder: Path) -> Path:
    """Write an encoder of a family with random weights, and a tokenizer."""
    torch.manual_seed(0)
    config.num_labels = 2
    if config.model_type == "deberta-v2":
        config.pooler_hidden_size = config.hidden_size
    AutoModelForSequenceClassification.from_config(config).save_pretrained(folder)
    built = encoders.build_scratch("bert", SIZE, TEXTS, label_names=["no", "yes"], seed=0)
    built.tokenizer.save_pretrained(folder)
    return folder


def loaded(folder: Path, keep_layers: int | None = None) -> encoders.LoadedEncoder:
    return encoders.load(
        str(folder),
        label_names=["no", "yes"],
        seed=0,
        texts=TEXTS,
        max_length=16,
        keep_layers=keep_layers,
    )


def a_batch(encoder: encoders.LoadedEncoder) -> dict[str, torch.Tensor]:
    return encoders.example_batch(encoder.tokenizer(TEXTS[0]).input_ids)


def states_of(model: PreTrainedModel, batch: dict[str, torch.Tensor]) -> tuple[torch.Tensor, ...]:
    with torch.inference_mode():
        return model.eval()(**batch, output_hidden_states=True).hidden_states


# --- any family -----------------------------------------------------------------------------


@each_family
@pytest.mark.parametrize("freeze", [1, 3, 4])
def test_states_of_frozen_layers_stay_and_all_others_move(
    config: transformers.PreTrainedConfig, freeze: int, tmp_path: Path
) -> None:
    encoder = loaded(saved(config, tmp_path / "encoder"))
    model, batch = encoder.model, a_batch(encoder)
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    first = states_of(model, batch)
    frozen = encoders.freeze_layers(model, batch, freeze)
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1, weight_decay=0.5)
    model(**batch, labels=torch.tensor([1])).loss.backward()
    optimizer.step()
    for name, weight in model.named_parameters():
        unmoved = weight.grad is None or not weight.grad.any()  # not used, or without effect
        assert torch.equal(weight, before[name]) or name not in frozen, name
        assert not torch.equal(weight, before[name]) or name in frozen or unmoved, name
    last = states_of(model, batch)
    same = [torch.equal(one, other) for one, other in zip(first, last, strict=True)]
    assert same == [layer <= freeze for layer in range(5)]


@each_family
def test_a_cut_encoder_is_the_first_layers_of_the_whole(
    config: transformers.PreTrainedConfig, tmp_path: Path
) -> None:
    folder = saved(config, tmp_path / "encoder")
    whole, cut = loaded(folder), loaded(folder, keep_layers=3)
    assert (cut.info.layers, cut.info.label) == (3, f"{whole.info.label}, first 3 layers")
    assert cut.info.parameters == encoders.count_parameters(cut.model)
    assert cut.info.parameters < (whole.info.parameters or 0)
    batch = a_batch(cut)
    states, of_whole = states_of(cut.model, batch), states_of(whole.model, batch)
    assert len(states) == 4
    for one, other in zip(states[:3], of_whole, strict=False):
        torch.testing.assert_close(one, other)
    cut.model.save_pretrained(tmp_path / "cut")
    again = AutoModelForSequenceClassification.from_pretrained(tmp_path / "cut")
    assert again.config.num_hidden_layers == 3
    torch.testing.assert_close(again(**batch).logits, cut.model(**batch).logits)


def test_nothing_is_frozen_unless_it_is_asked_for(tmp_path: Path) -> None:
    encoder = loaded(saved(FAMILIES[0], tmp_path / "encoder"))
    assert encoders.freeze_layers(encoder.model, a_batch(encoder), 0) == []
    assert all(weight.requires_grad for weight in encoder.model.parameters())


def test_layers_that_share_their_weights_cannot_be_frozen_but_cut(tmp_path: Path) -> None:
    config = transformers.AlbertConfig(embedding_size=8, **SMALL)
    folder = saved(config, tmp_path / "encoder")
    info = encoders.describe(str(folder))
    with pytest.raises(ConfigError, match="share their weights"):  # before it is loaded
        encoders.check_layers(info, freeze=2, keep_layers=None)
    encoder = loaded(folder)
    for freeze in (2, 4):
        with pytest.raises(ConfigError, match="share their weights"):
            encoders.freeze_layers(encoder.model, a_batch(encoder), freeze)
    assert len(states_of(loaded(folder, keep_layers=2).model, a_batch(encoder))) == 3


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (
            transformers.AlbertConfig(embedding_size=8, num_hidden_groups=2, **SMALL),
            "divides its layers into groups",
        ),
        (
            transformers.EsmConfig(position_embedding_type="absolute", **SMALL),
            "depend on the number of layers",
        ),
    ],
    ids=["albert", "esm"],
)
def test_an_encoder_that_would_compute_something_else_is_not_cut(
    config: transformers.PreTrainedConfig, reason: str, tmp_path: Path
) -> None:
    with pytest.raises(EncoderError, match=reason) as caught:
        loaded(saved(config, tmp_path / "encoder"), keep_layers=2)
    assert "Keep all layers" in caught.value.hint


def test_a_cut_that_changes_what_layers_compute_is_noticed(tmp_path: Path) -> None:
    folder = saved(FAMILIES[0], tmp_path / "encoder")
    whole, cut = loaded(folder), loaded(folder, keep_layers=2)
    with torch.no_grad():
        cut.model.get_parameter("bert.encoder.layer.0.output.dense.bias")[0] += 1
    with pytest.raises(EncoderError, match="depends on how many"):
        encoders.depth.check_cut(cut.model.eval(), whole.model.eval(), a_batch(cut))


# --- in a run -------------------------------------------------------------------------------

CONFIG = RunConfig(
    "scratch-bert", epochs=1, batch_size=16, learning_rate=1e-2, max_length=16, weight_decay=0.5
)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for family in ("bert", "distilbert"):
        monkeypatch.setitem(encoders.SCRATCH_SIZES, family, SIZE)


def fit(root: Path, dataset: Dataset, **changes: Any) -> Run:
    config = training.with_defaults(dataclasses.replace(CONFIG, **changes))
    return training.fit(runs.create(root, config, dataset), dataset)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_frozen_weights_are_bit_identical_after_a_run(
    small: None, toy_dataset: Dataset, tmp_path: Path, precision: str
) -> None:
    run = fit(tmp_path, toy_dataset, freeze=3, keep="all", precision=precision)
    first, last = (weights(run.layout.snapshot_weights(index)) for index in (0, 1))
    frozen = ("bert.embeddings", *(f"bert.encoder.layer.{layer}." for layer in range(3)))
    for name in first:
        assert torch.equal(first[name], last[name]) == name.startswith(frozen), name
    model = AutoModelForSequenceClassification.from_pretrained(run.layout.model)
    trained = sum(
        weight.numel() for name, weight in model.named_parameters() if not name.startswith(frozen)
    )
    assert run.training["trained_parameters"] == trained
    for layer in range(5):
        states = [runs.read_hidden_states(run.path, index, "mean", layer) for index in (0, 1)]
        assert (states[0] == states[1]).all() == (layer <= 3)


def test_a_run_without_frozen_layers_is_what_it_was(
    small: None, toy_dataset: Dataset, tmp_path: Path
) -> None:
    whole, frozen = fit(tmp_path, toy_dataset), fit(tmp_path, toy_dataset, freeze=4)
    assert whole.training["trained_parameters"] > frozen.training["trained_parameters"]
    one, other = weights(whole.layout.model), weights(frozen.layout.model)
    assert not torch.equal(
        one["bert.embeddings.word_embeddings.weight"],
        other["bert.embeddings.word_embeddings.weight"],
    )
    named = {contender.name for contender in comparison.contenders_of([whole, frozen])}
    assert named == {"BERT from scratch (freeze 0)", "BERT from scratch (freeze 4)"}


def test_a_run_of_a_cut_encoder_says_so(small: None, toy_dataset: Dataset, tmp_path: Path) -> None:
    run = fit(tmp_path, toy_dataset, keep_layers=2, freeze=1)
    assert run.encoder["layers"] == 2
    assert run.encoder["label"] == "BERT from scratch, first 2 layers"
    assert runs.read_pooled(run.path, 1)["mean"].shape[0] == 3
    trained = encoders.load_trained(run.layout.model)
    assert trained.info.layers == 2
    assert trained.info.parameters == run.encoder["parameters"]
    queued = runs.create(tmp_path / "queue", run.config, toy_dataset)
    assert comparison.encoder_label(queued) == run.encoder["label"]


# --- what cannot be -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"freeze": 5}, "BERT from scratch has 4 layers, so that 5 cannot be frozen."),
        ({"keep_layers": 5}, "BERT from scratch has 4 layers, so that 5 cannot be kept."),
        ({"freeze": 3, "keep_layers": 2}, "Freeze is 3, and only 2 layers are kept."),
    ],
)
def test_layers_that_there_are_not_are_refused_before_there_is_a_run(
    small: None, toy_dataset: Dataset, tmp_path: Path, changes: dict[str, int], message: str
) -> None:
    with pytest.raises(LayervizError) as caught:
        fit(tmp_path, toy_dataset, **changes)
    assert caught.value.message == message
    assert not list(tmp_path.iterdir())


def test_the_command_line_refuses_before_it_makes_any_run(
    small: None, toy_csv: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, root = tmp_path / "toy.csv", tmp_path / "runs"
    data.write_bytes(toy_csv)
    arguments = [f"--data={data}", f"--runs={root}", "--freeze=7"]
    for command in (
        ["fit", "--encoder=scratch-bert"],
        ["compare", "--encoder=scratch-roberta", "--encoder=scratch-bert"],
    ):
        assert main([*command, *arguments]) == 2
        assert "BERT from scratch has 4 layers" in capsys.readouterr().err
    assert not root.exists()


def test_what_was_not_known_of_an_encoder_is_refused_once_it_is_loaded(
    small: None, toy_dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown = dataclasses.replace(encoders.describe("scratch-bert"), layers=None)
    monkeypatch.setattr(encoders, "describe", lambda name: unknown)
    config = dataclasses.replace(CONFIG, freeze=5)
    run = runs.create(tmp_path, training.with_defaults(config), toy_dataset)
    with pytest.raises(ConfigError, match="4 layers, so that 5 cannot be frozen"):
        training.fit(run, toy_dataset)
    assert runs.open_folder(run.path).snapshots == ()
