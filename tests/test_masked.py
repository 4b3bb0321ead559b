"""Masked language models are made, continued, halved to a DistilBERT, and saved for anyone."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import transformers
from safetensors import safe_open
from toy import toy_rows

from layerviz import encoders
from layerviz.config import FAMILIES
from layerviz.encoders import EncoderSize, MaskedLM
from layerviz.errors import EncoderError

TEXTS = [text for text, _ in toy_rows(200)]


def build_masked_lm(family: str, layers: int = 4) -> MaskedLM:
    size = EncoderSize(layers, hidden_size=32, heads=2, vocab_size=400)
    return encoders.new_masked_lm(family, size, TEXTS, seed=0)


@pytest.fixture(scope="module")
def bert_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    masked = build_masked_lm("bert")
    torch.manual_seed(1)
    with torch.no_grad():  # as if trained: no bias is zero, no norm is one
        for weight in masked.model.parameters():
            weight.add_(0.1 * torch.randn_like(weight))
    folder = tmp_path_factory.mktemp("bert")
    encoders.save_masked_lm(masked, folder)
    return folder


@pytest.mark.parametrize("family", FAMILIES)
def test_a_saved_one_loads_with_plain_transformers_in_float16(family: str, tmp_path: Path) -> None:
    masked = build_masked_lm(family)
    encoders.save_masked_lm(masked, tmp_path)
    model = transformers.AutoModel.from_pretrained(tmp_path)
    assert type(model).__name__.lower() == f"{family}model"
    assert model.dtype == torch.float16
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path)
    assert tokenizer(TEXTS[0])["input_ids"] == masked.tokenizer(TEXTS[0])["input_ids"]
    with safe_open(tmp_path / "model.safetensors", framework="pt") as file:
        assert {str(file.get_tensor(key).dtype) for key in file.keys()} == {"torch.float16"}  # noqa: SIM118
    info = encoders.describe(str(tmp_path))
    assert (info.on_disk, info.layers, info.hidden_size) == (True, 4, 32)


@pytest.mark.parametrize("family", FAMILIES)
def test_it_can_read_512_tokens_and_unread_positions_add_nothing(family: str) -> None:
    masked = build_masked_lm(family)
    assert encoders.max_positions(masked.model, masked.tokenizer) == 512
    positions = masked.model.base_model.get_submodule("embeddings.position_embeddings")
    assert not torch.cat(list(positions.parameters())).any()


@pytest.mark.parametrize("family", FAMILIES)
def test_continuing_takes_over_all_weights(family: str, tmp_path: Path) -> None:
    masked = build_masked_lm(family)
    encoders.save_masked_lm(masked, tmp_path)
    again = encoders.continued_masked_lm(str(tmp_path), family, max_length=32, seed=5)
    assert again.model.dtype == torch.float32
    for name, weight in again.model.state_dict().items():
        assert torch.equal(weight, masked.model.state_dict()[name].float()), name


def test_a_distilbert_of_a_bert_has_every_other_layer(bert_folder: Path) -> None:
    bert = encoders.continued_masked_lm(str(bert_folder), "bert", max_length=32, seed=0)
    halved = encoders.continued_masked_lm(str(bert_folder), "distilbert", max_length=32, seed=0)
    assert halved.family == "distilbert"
    ids = bert.tokenizer(TEXTS[:8], padding=True, return_tensors="pt")
    assert halved.tokenizer(TEXTS[:8], padding=True)["input_ids"] == ids["input_ids"].tolist()
    assert "token_type_ids" not in halved.tokenizer(TEXTS[0])
    inputs = {"input_ids": ids["input_ids"], "attention_mask": ids["attention_mask"]}
    layers = [bert.model.get_submodule(f"bert.encoder.layer.{index}") for index in (1, 3)]
    bert.model.set_submodule("bert.encoder.layer", torch.nn.ModuleList(layers))
    bert.model.eval()
    halved.model.eval()
    with torch.inference_mode():
        expected = bert.model(**inputs, output_hidden_states=True)
        actual = halved.model(**inputs, output_hidden_states=True)
    assert len(actual.hidden_states) == 3
    real = inputs["attention_mask"].bool()
    for a, b in zip(actual.hidden_states, expected.hidden_states, strict=True):
        torch.testing.assert_close(a[real], b[real], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(actual.logits[real], expected.logits[real], atol=1e-4, rtol=1e-4)


def test_a_distilbert_of_a_cased_bert_keeps_the_case(tmp_path: Path) -> None:
    masked = build_masked_lm("bert")
    vocab = {**masked.tokenizer.get_vocab()}
    vocab["Hammer"] = len(vocab)
    cased = transformers.BertTokenizer(vocab=vocab, do_lower_case=False)
    cased.model_max_length = 512
    masked.model.resize_token_embeddings(len(vocab))
    encoders.save_masked_lm(MaskedLM(masked.model, cased), tmp_path)
    halved = encoders.continued_masked_lm(str(tmp_path), "distilbert", max_length=32, seed=0)
    for text in ("the Hammer", "the hammer"):
        assert halved.tokenizer(text).input_ids == cased(text).input_ids
    assert halved.tokenizer("the Hammer").input_ids != halved.tokenizer("the hammer").input_ids


def test_a_distilbert_of_three_layers_keeps_the_last(tmp_path: Path) -> None:
    masked = build_masked_lm("bert", layers=3)
    encoders.save_masked_lm(masked, tmp_path)
    halved = encoders.continued_masked_lm(str(tmp_path), "distilbert", max_length=32, seed=0)
    expected, actual = masked.model.state_dict(), halved.model.state_dict()
    assert halved.model.config.num_hidden_layers == 2
    for index, layer in enumerate((0, 2)):
        weight = expected[f"bert.encoder.layer.{layer}.intermediate.dense.weight"]
        name = f"distilbert.transformer.layer.{index}.ffn.lin1.weight"
        assert torch.equal(actual[name], weight.float())


def test_texts_longer_than_its_positions_are_refused(bert_folder: Path) -> None:
    with pytest.raises(EncoderError, match="512"):
        encoders.continued_masked_lm(str(bert_folder), "bert", max_length=600, seed=0)


@pytest.mark.parametrize("family", FAMILIES)
def test_logits_of_some_tokens_are_those_of_the_whole_model(family: str) -> None:
    masked = build_masked_lm(family)
    masked.model.eval()
    inputs = masked.tokenizer(TEXTS[:3], padding=True, return_tensors="pt")
    inputs = {name: inputs[name] for name in ("input_ids", "attention_mask")}
    with torch.inference_mode():
        hidden = masked.model.base_model(**inputs).last_hidden_state
        whole = masked.model(**inputs).logits
        torch.testing.assert_close(masked.logits(hidden[:, 2]), whole[:, 2])


@pytest.mark.parametrize(("start", "family"), [("bert", "roberta"), ("roberta", "distilbert")])
def test_another_family_cannot_be_continued(start: str, family: str, tmp_path: Path) -> None:
    encoders.save_masked_lm(build_masked_lm(start), tmp_path)
    with pytest.raises(EncoderError, match="cannot start"):
        encoders.continued_masked_lm(str(tmp_path), family, max_length=32, seed=0)


@pytest.mark.parametrize("name", ["scratch-bert", "nobody/knows-this"])
def test_what_is_not_on_disk_cannot_be_continued_or_teach(name: str) -> None:
    with pytest.raises(EncoderError, match="not on this disk"):
        encoders.continued_masked_lm(name, "bert", max_length=32, seed=0)
    with pytest.raises(EncoderError, match="not on this disk"):
        encoders.load_body(name)


def test_a_random_twin_has_the_config_and_tokenizer_and_other_weights(
    bert_folder: Path, tmp_path: Path
) -> None:
    twins = [tmp_path / name for name in ("a", "b")]
    for seed, folder in enumerate(twins):
        encoders.save_random_twin(str(bert_folder), folder, seed=seed)
    bodies = [encoders.load_body(str(folder)) for folder in (bert_folder, *twins)]
    assert {body.config.num_hidden_layers for body, _ in bodies} == {4}
    assert len({tokenizer(TEXTS[0]).input_ids[1] for _, tokenizer in bodies}) == 1
    words = [next(body.get_input_embeddings().parameters()) for body, _ in bodies]
    assert words[0].shape == words[1].shape == words[2].shape
    assert not any(torch.equal(words[a], words[b]) for a, b in ((0, 1), (1, 2)))
    digests = [encoders.weights_digest(str(folder)) for folder in (bert_folder, *twins)]
    assert len(set(digests)) == 3
