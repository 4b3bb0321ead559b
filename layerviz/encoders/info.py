"""What is told of an encoder: its description, its sizes and limits, the names of its classes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

from layerviz.errors import EncoderError

FAMILIES = {"bert": "BERT", "roberta": "RoBERTa", "distilbert": "DistilBERT"}
NOTES = {
    "bundled": "Small and pre-trained; comes with layerviz, nothing to download.",
    "scratch": "Tiny, random weights, tokenizer trained on your texts: the honest baseline without "
    "pre-training.",
    "hub": "Downloaded from the Hugging Face Hub on first use, then read from this disk.",
    "local": "Read from a folder on this machine.",
}
# Positions of these start at pad_token_id + 1, a convention inherited from fairseq.
_POSITIONS_AFTER_PAD = frozenset({
    "camembert", "data2vec-text", "esm", "ibert", "longformer", "luke", "mpnet", "roberta",
    "roberta-prelayernorm", "xlm-roberta", "xlm-roberta-xl", "xmod",
})  # fmt: skip


@dataclass(frozen=True)
class EncoderInfo:
    """What is known of an encoder without loading it; ``None`` where nothing is known yet.

    ``source`` is "bundled", "scratch", "hub" or "local"; ``parameters`` leaves out pooler and head.
    """

    name: str
    label: str
    family: str
    source: str
    layers: int | None
    hidden_size: int | None
    parameters: int | None
    on_disk: bool
    note: str


@dataclass(frozen=True)
class LoadedEncoder:
    """A classifier in float32 on the CPU, the tokenizer that fits it, and what they are."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    info: EncoderInfo


def default_learning_rate(width: int | None) -> float:
    """Return a peak AdamW rate for an encoder's width: narrow ones bear larger steps."""
    width = width or 768
    return 5e-4 if width <= 256 else 1e-4 if width <= 512 else 5e-5 if width < 1024 else 2e-5


def count_parameters(model: PreTrainedModel) -> int:
    """Return the number of the encoder's weights, pooler and head left out."""
    weights = model.base_model.named_parameters()
    return sum(weight.numel() for name, weight in weights if "pooler" not in name)


def max_positions(
    model: PreTrainedModel | PreTrainedConfig, tokenizer: PreTrainedTokenizerBase | None = None
) -> int | None:
    """Return the most tokens, special ones included, that can be read; None without a limit."""
    config = getattr(model, "config", model)
    positions = getattr(config, "max_position_embeddings", None) or 0
    if config.model_type in _POSITIONS_AFTER_PAD:
        positions -= (config.pad_token_id or 0) + 1
    known = (positions, getattr(tokenizer, "model_max_length", 0))
    # transformers writes 10**30 for "not known".
    return min((limit for limit in known if 0 < limit < 1_000_000), default=None)


def label_settings(label_names: Sequence[str]) -> dict[str, Any]:
    """Return what a config says of the classes, which must be two or more and differ."""
    repeated = [label for label, count in Counter(label_names).items() if count > 1]
    if len(label_names) < 2 or repeated:
        raise EncoderError(
            f"Two classes are called {repeated[0]!r}." if repeated else "There is only one class.",
            "Choose a label column with two or more classes of different names.",
        )
    return {
        "id2label": dict(enumerate(label_names)),
        "label2id": {label: index for index, label in enumerate(label_names)},
        "problem_type": "single_label_classification",
    }
