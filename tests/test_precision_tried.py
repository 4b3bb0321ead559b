"""Whether an encoder can be trained in bf16 is found out before a run begins."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tiny_encoders import TEXTS, build
from transformers import AutoModelForSequenceClassification, DebertaConfig

from layerviz.config import BF16, FP32
from layerviz.encoders import LoadedEncoder
from layerviz.errors import EncoderError
from layerviz.tokenising import tokenise
from layerviz.training import trying

LABELS = np.array([0, 1] * 10)


@pytest.fixture(autouse=True)
def native(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the machine be one that multiplies bf16."""
    monkeypatch.setattr(trying, "resolve_precision", {"auto": BF16, BF16: BF16, FP32: FP32}.get)


def deberta() -> LoadedEncoder:
    encoder = build()
    config = DebertaConfig(
        vocab_size=400, hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=64,
    )  # fmt: skip
    model = AutoModelForSequenceClassification.from_config(config)
    return LoadedEncoder(model, encoder.tokenizer, encoder.info)


def tried(encoder: LoadedEncoder, precision: str) -> tuple[str, str]:
    tokens = tokenise(encoder.tokenizer, TEXTS[:20], 32)
    return trying.usable_precision(encoder, tokens, LABELS, precision)


def test_what_fails_in_bf16_is_trained_in_fp32_and_that_is_said() -> None:
    precision, sentence = tried(deberta(), "auto")
    assert precision == FP32
    assert "cannot be trained in bf16 (" in sentence
    assert sentence.endswith(": training is in fp32.")
    with pytest.raises(EncoderError, match="cannot be trained in bf16"):
        tried(deberta(), BF16)
    assert tried(deberta(), FP32) == (FP32, "")


def test_trying_leaves_no_trace() -> None:
    encoder = build()
    modes = [part.training for part in encoder.model.modules()]
    state = torch.get_rng_state()
    assert tried(encoder, "auto") == (BF16, "")
    assert torch.equal(torch.get_rng_state(), state)
    assert [part.training for part in encoder.model.modules()] == modes
    assert all(weight.grad is None for weight in encoder.model.parameters())
