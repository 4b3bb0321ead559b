"""Facts about encoders: descriptions, sizes and limits, and the names of their classes."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from layerviz.errors import EncoderError
from layerviz.wording import quote

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

FAMILY_LABELS = {"bert": "BERT", "roberta": "RoBERTa", "distilbert": "DistilBERT"}
SOURCE_NOTES = {
    "bundled": "Small and pre-trained; comes with layerviz, nothing to download.",
    "scratch": "Tiny, with random weights and a tokenizer trained on your texts: the honest "
    "baseline without pre-training.",
    "hub": "Downloaded from the Hugging Face Hub on first use, then read from this disk.",
    "local": "Read from a folder on this machine.",
}
# Positions of these start at pad_token_id + 1, a convention inherited from fairseq.
POSITIONS_AFTER_PAD = frozenset({
    "camembert", "data2vec-text", "esm", "ibert", "longformer", "luke", "mpnet", "roberta",
    "roberta-prelayernorm", "xlm-roberta", "xlm-roberta-xl", "xmod",
})  # fmt: skip


@dataclass(frozen=True)
class EncoderInfo:
    """What is known of an encoder without loading it; None where nothing is known yet.

    Parameters
    ----------
    name : str
        A catalogue name, a Hub id or a local folder.
    label : str
        What people call it.
    family : str
        Its architecture, such as "BERT"; "unknown" before its config is on this disk.
    source : {"bundled", "scratch", "hub", "local"}
    layers, hidden_size : int or None
        Blocks and width.
    parameters : int or None
        Weights, pooler and head left out.
    on_disk : bool
        Whether it is complete on this disk.
    note : str
        A sentence for the page, or what is wrong with its files.
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
class EncoderSize:
    """How large a new encoder is made.

    Parameters
    ----------
    layers : int
        Blocks, 1 or more.
    hidden_size : int
        Width of a layer.
    heads : int
        Attention heads, which must divide the width.
    vocab_size : int
        Most entries of the tokenizer's vocabulary; few texts give fewer.
    positions : int
        Most tokens of a text that it can read, special ones included.

    Raises
    ------
    EncoderError
        If the numbers contradict each other.
    """

    layers: int
    hidden_size: int
    heads: int
    vocab_size: int
    positions: int = 512

    def __post_init__(self) -> None:
        if min(self.layers, self.hidden_size, self.heads) < 1 or self.hidden_size % self.heads:
            raise EncoderError(
                f"There is no encoder of {self.layers} layers with a hidden size of "
                f"{self.hidden_size} and {self.heads} heads.",
                "Choose 1 layer or more, and heads that divide the hidden size.",
            )

    @property
    def intermediate_size(self) -> int:
        """Inner width of a layer's feed-forward part."""
        return 4 * self.hidden_size


@dataclass(frozen=True)
class LoadedEncoder:
    """A classifier in float32 on the CPU, the tokenizer that fits it, and what they are."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    info: EncoderInfo


def family_label(model_type: str) -> str:
    """Return what people call an architecture, from the name that transformers has for it."""
    return FAMILY_LABELS.get(model_type, model_type)


def default_learning_rate(width: int | None) -> float:
    """Return a peak AdamW rate for an encoder's width: narrow ones take larger steps."""
    width = width or 768
    return 5e-4 if width <= 256 else 1e-4 if width <= 512 else 5e-5 if width < 1024 else 2e-5


def lower_learning_rate(rate: float, width: int | None) -> float:
    """Return what to try where this peak rate proved too high: the default, or less than that.

    Parameters
    ----------
    rate : float
    width : int or None
        Hidden size of the encoder.
    """
    default = default_learning_rate(width)
    return default if rate > 1.5 * default else float(f"{rate / 4:.0e}")


def default_epochs(source: str) -> int:
    """Return how many passes suit an encoder: random weights have more to learn."""
    return 10 if source == "scratch" else 4


def suitable_settings(info: EncoderInfo) -> dict[str, Any]:
    """Return what suits an encoder, by name, of the settings of a run that may be left open."""
    return {
        "epochs": default_epochs(info.source),
        "learning_rate": default_learning_rate(info.hidden_size),
    }


def count_parameters(model: PreTrainedModel) -> int:
    """Return the number of the encoder's weights, pooler and head left out."""
    weights = model.base_model.named_parameters()
    return sum(weight.numel() for name, weight in weights if "pooler" not in name)


def max_positions(
    model: Any,
    tokenizer: PreTrainedTokenizerBase | int | None = None,
) -> int | None:
    """Return the most tokens, special ones included, that can be read; None without a limit.

    In place of a tokenizer its own limit can be given, 0 without one.
    """
    config: Any = getattr(model, "config", model)
    positions = getattr(config, "max_position_embeddings", None) or 0
    if config.model_type in POSITIONS_AFTER_PAD:
        positions -= (config.pad_token_id or 0) + 1
    own = tokenizer if isinstance(tokenizer, int) else getattr(tokenizer, "model_max_length", 0)
    limits = (positions, own)
    # transformers writes 10**30 for "not known".
    return min((limit for limit in limits if 0 < limit < 1_000_000), default=None)


def label_settings(label_names: Sequence[str]) -> dict[str, Any]:
    """Return a config's settings for these classes.

    Raises
    ------
    EncoderError
        If there are fewer than two classes, or two have the same name.
    """
    repeated = [label for label, count in Counter(label_names).items() if count > 1]
    if len(label_names) < 2 or repeated:
        raise EncoderError(
            f"Two classes are called {quote(repeated[0])}."
            if repeated
            else "There is only one class.",
            "Choose a label column with two or more classes of different names.",
        )
    return {
        "id2label": dict(enumerate(label_names)),
        "label2id": {label: index for index, label in enumerate(label_names)},
        "problem_type": "single_label_classification",
    }


def fit_inputs(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
    """Leave out what the model does not accept: AutoTokenizer gives DistilBERT a BERT tokenizer."""
    accepted = inspect.signature(model.base_model.forward).parameters
    left_out = set(tokenizer.model_input_names) - set(accepted)
    if getattr(model.config, "type_vocab_size", 2) < 2:  # RoBERTa's: it knows a single type
        left_out.add("token_type_ids")
    tokenizer.model_input_names = [n for n in tokenizer.model_input_names if n not in left_out]
