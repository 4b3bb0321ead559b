"""The first layers of a classifier stand alone, and their logits are a probe's scores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from transformers import PreTrainedModel

from layerviz import encoders
from layerviz.encoders import truncating
from layerviz.errors import EncoderError

WIDTH, LAYERS, VOCABULARY = 16, 4, 40


def classifier(family: str, n_classes: int = 3) -> PreTrainedModel:
    """Return a tiny classifier with random weights whose gains and biases are not 1 and 0."""
    config = transformers.AutoConfig.for_model(
        family,
        vocab_size=VOCABULARY,
        hidden_size=WIDTH,
        num_hidden_layers=LAYERS,
        num_attention_heads=2,
        max_position_embeddings=64,
        num_labels=n_classes,
    )
    for name in ("intermediate_size", "hidden_dim"):
        if hasattr(config, name):
            setattr(config, name, 2 * WIDTH)
    torch.manual_seed(0)
    model = transformers.AutoModelForSequenceClassification.from_config(config)
    with torch.no_grad():
        for parameter in model.base_model.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return model.eval()


def texts() -> dict[str, torch.Tensor]:
    """Return the ids of texts of two lengths, padded."""
    ids = torch.randint(5, VOCABULARY, (12, 9), generator=torch.Generator().manual_seed(1))
    mask = torch.ones_like(ids)
    mask[6:, 5:] = 0
    return {"input_ids": torch.where(mask == 1, ids, 1), "attention_mask": mask}


def shortened(model: PreTrainedModel, n_layers: int, folder: Path) -> PreTrainedModel:
    """Return a classifier of the first layers as files give it: `load_trained` less a tokenizer."""
    model.save_pretrained(folder)
    config = transformers.AutoConfig.from_pretrained(folder)
    config.num_hidden_layers = n_layers
    auto = transformers.AutoModelForSequenceClassification
    return auto.from_pretrained(folder, config=config, use_safetensors=True).eval()


@torch.inference_mode()
def states_of(model: PreTrainedModel) -> list[torch.Tensor]:
    return list(model(**texts(), output_hidden_states=True).hidden_states)


def probe(n_classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the weights and intercepts of a probe whose first class never wins."""
    rng = np.random.default_rng(0)
    weights, intercepts = rng.normal(size=(n_classes, WIDTH)), rng.normal(size=n_classes)
    weights[0], intercepts[0] = 0.0, -1e4
    return weights, intercepts


@pytest.mark.parametrize("family", truncating.SHORTENED)
@pytest.mark.parametrize("n_layers", [1, 3, LAYERS])
def test_the_last_of_fewer_layers_has_the_states_it_had(
    family: str, n_layers: int, tmp_path: Path
) -> None:
    model = classifier(family)
    short = shortened(model, n_layers, tmp_path)
    assert len(states_of(short)) == n_layers + 1
    torch.testing.assert_close(states_of(short)[-1], states_of(model)[n_layers])
    with torch.inference_mode():
        body = encoders.body_of(short)(**texts()).last_hidden_state
    torch.testing.assert_close(body, states_of(model)[n_layers])


@pytest.mark.parametrize("family", truncating.SHORTENED)
@pytest.mark.parametrize("n_classes", [2, WIDTH // 2, WIDTH // 2 + 1, WIDTH + 5])
def test_the_logits_are_the_scores_of_the_probe(
    family: str, n_classes: int, tmp_path: Path
) -> None:
    model = shortened(classifier(family, n_classes), 2, tmp_path)
    weights, intercepts = probe(n_classes)
    encoders.put_probe_in_head(model, weights, intercepts)
    scores = states_of(model)[-1][:, 0].double().numpy() @ weights.T + intercepts
    with torch.inference_mode():
        logits = model(**texts()).logits
    spread = scores[:, 1:].std()
    np.testing.assert_allclose(logits[:, 1:], scores[:, 1:], atol=2e-5 * spread)
    np.testing.assert_allclose(logits[:, 0], scores[:, 0], rtol=1e-6)
    half = model.bfloat16()  # as people load models on a GPU
    with torch.inference_mode():
        rough = half(**texts()).logits.float()
    assert n_classes > WIDTH // 2 or (rough - logits)[:, 1:].abs().max() < 0.2 * spread


@pytest.mark.parametrize("family", ["bert", "roberta", "distilbert", "electra"])
def test_states_as_large_as_they_can_be_do_not_bend(family: str, tmp_path: Path) -> None:
    model = shortened(classifier(family), 1, tmp_path)
    entry = truncating.SHORTENED[family]
    norm: Any = model.base_model.get_submodule(entry.norm.format(0))
    with torch.no_grad():  # one dimension takes all of the variance, and a large gain
        norm.weight.fill_(30.0)
        norm.bias.fill_(-5.0)
    weights, intercepts = probe(3)
    encoders.put_probe_in_head(model, weights, intercepts)
    states = torch.zeros(1, 1, WIDTH)
    states[0, 0, 3] = 1e6
    states = norm(states)
    assert states.max() > 100
    parts: list[Any] = [model.get_submodule(name) for name in (entry.first, entry.second)]
    bend = {"distilbert": torch.relu, "electra": torch.nn.functional.gelu}.get(family, torch.tanh)
    with torch.inference_mode():
        logits = parts[1](bend(parts[0](states[:, 0])))
    scores = states[:, 0].double().detach().numpy() @ weights.T + intercepts
    np.testing.assert_allclose(logits.numpy(), scores, rtol=2e-5)


def test_the_body_takes_no_random_number(tmp_path: Path) -> None:
    model = classifier("roberta")
    torch.manual_seed(5)
    encoders.body_of(model)
    after = torch.rand(1)
    torch.manual_seed(5)
    assert torch.rand(1) == after


def test_a_family_whose_layers_do_not_stand_alone_is_refused() -> None:
    encoders.check_can_shorten("RoBERTa")  # as run.json names it
    encoders.check_can_shorten("electra")
    with pytest.raises(EncoderError, match="No layer of this albert") as refused:
        encoders.check_can_shorten("albert")
    assert "BERT, RoBERTa, DistilBERT" in refused.value.message
    assert refused.value.hint
