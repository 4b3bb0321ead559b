"""The first layers of a classifier as a model of their own, with a linear probe as its head.

A head of transformers has a linear map, a non-linearity and another linear map. The two maps are
set so that the non-linearity does nothing: the logits are then the probe's scores, in any program
that loads a classifier.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
import transformers
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from layerviz.encoders.info import FAMILY_LABELS
from layerviz.encoders.silencing import quiet
from layerviz.errors import EncoderError
from layerviz.wording import enumeration

LARGEST_INPUT = 2.0**-8  # of a tanh: tanh(x) = x (1 - x^2 / 3 + ...) is x there, to 5e-6
PAST_THE_BEND = 8.0  # from here on, ReLU and GELU are the identity in float32


class Silence(Protocol):
    """Sets the two linear maps of a head so that the non-linearity between them does nothing."""

    def __call__(
        self,
        first: torch.nn.Linear,
        second: torch.nn.Linear,
        weights: torch.Tensor,
        intercepts: torch.Tensor,
        bound: torch.Tensor,
    ) -> None:
        """Take a probe's weights (C, D) and intercepts (C,), and the largest states (D,)."""
        ...


@dataclass(frozen=True)
class ShortenedFamily:
    """Where a family's classifier keeps what a probe takes the place of, by names of modules.

    Only families belong here whose layer k gives the same states when it is the last one, which
    ends in a LayerNorm, and whose head reads the first token of the last layer.

    Parameters
    ----------
    label : str
        What people call it.
    norm : str
        In the body: the LayerNorm at the end of a layer, whose index stands for ``{}``.
    first, second : str
        In the classifier: the linear maps of its head.
    silence : callable
        Sets both maps; see `_by_small_inputs` and `_by_pairs`.
    """

    label: str
    norm: str
    first: str
    second: str
    silence: Silence


def _by_small_inputs(
    first: torch.nn.Linear,
    second: torch.nn.Linear,
    weights: torch.Tensor,
    intercepts: torch.Tensor,
    bound: torch.Tensor,
) -> None:
    """Make a tanh harmless: what enters it is so small that it is returned as it is.

    The scales are powers of two: dividing by them again loses nothing.
    """
    scales = (LARGEST_INPUT / bound).log2().floor().exp2()  # (D,)
    first.weight.copy_(scales.diag())
    first.bias.zero_()
    second.weight.copy_(weights / scales)
    second.bias.copy_(intercepts)


def _by_pairs(
    first: torch.nn.Linear,
    second: torch.nn.Linear,
    weights: torch.Tensor,
    intercepts: torch.Tensor,
    bound: torch.Tensor,
) -> None:
    """Make ReLU or GELU harmless: f(x) - f(-x) = x for both, so each score goes in as a pair.

    With more classes than there are pairs, the states themselves go in, moved so far that they
    are positive.
    """
    n_classes, width = weights.shape
    for parameter in (*first.parameters(), *second.parameters()):
        parameter.zero_()
    if 2 * n_classes <= width:
        for sign, rows in ((1, slice(n_classes)), (-1, slice(n_classes, 2 * n_classes))):
            first.weight[rows] = sign * weights.float()
            first.bias[rows] = sign * intercepts.float()
            second.weight[:, rows] = sign * torch.eye(n_classes)
        return
    shift = bound + PAST_THE_BEND  # (D,)
    first.weight.copy_(torch.eye(width))
    first.bias.copy_(shift)
    second.weight.copy_(weights)
    second.bias.copy_(intercepts - weights @ first.bias.double())


_BERT = ShortenedFamily(
    label=FAMILY_LABELS["bert"],
    norm="encoder.layer.{}.output.LayerNorm",
    first="base_model.pooler.dense",
    second="classifier",
    silence=_by_small_inputs,
)
_ROBERTA = replace(
    _BERT,
    label=FAMILY_LABELS["roberta"],
    first="classifier.dense",
    second="classifier.out_proj",
)
_DISTILBERT = ShortenedFamily(
    label=FAMILY_LABELS["distilbert"],
    norm="transformer.layer.{}.output_layer_norm",
    first="pre_classifier",
    second="classifier",
    silence=_by_pairs,
)
SHORTENED = {
    "bert": _BERT,
    "roberta": _ROBERTA,
    "distilbert": _DISTILBERT,
    "electra": replace(_ROBERTA, label="ELECTRA", silence=_by_pairs),
    "xlm-roberta": replace(_ROBERTA, label="XLM-RoBERTa"),
    "camembert": replace(_ROBERTA, label="CamemBERT"),
}


def can_shorten(family: str) -> bool:
    """Return whether layers of a family, as a run's record names it, can be a model."""
    return family in {FAMILY_LABELS.get(name, name) for name in SHORTENED}


def check_can_shorten(family: str) -> None:
    """Raise an EncoderError unless layers of a family, as a run's record names it, can."""
    if not can_shorten(family):
        labels = enumeration([entry.label for entry in SHORTENED.values()])
        raise EncoderError(
            f"No layer of this {family} can be taken as a model: that it gives the same states "
            f"without the layers after it has been tested for {labels} only.",
            "Export the whole fine-tuned model, or fine-tune an encoder of one of these families.",
        )


@torch.no_grad()
def put_probe_in_head(model: PreTrainedModel, weights: np.ndarray, intercepts: np.ndarray) -> None:
    """Set a classifier's head so that its logits are the scores of a probe on its last layer.

    Parameters
    ----------
    model : PreTrainedModel
        A classifier of C classes, of one of the families in `SHORTENED`. It is changed.
    weights : ndarray of shape (C, D)
        Of the probe on the first token's states.
    intercepts : ndarray of shape (C,)
    """
    family = SHORTENED[model.config.model_type]
    norm: Any = model.base_model.get_submodule(family.norm.format(n_layers_of(model) - 1))
    # A LayerNorm's output has a mean square of 1 at most before gain and bias.
    bound = norm.weight.abs() * math.sqrt(norm.weight.numel()) + norm.bias.abs()
    first: Any = model.get_submodule(family.first)
    second: Any = model.get_submodule(family.second)
    probe = torch.from_numpy(weights), torch.from_numpy(intercepts)
    family.silence(first, second, *probe, bound=bound)


def n_layers_of(model: PreTrainedModel) -> int:
    """Return how many layers a model has."""
    return int(model.config.num_hidden_layers)


@torch.no_grad()
def body_of(model: PreTrainedModel) -> PreTrainedModel:
    """Return a classifier's encoder as `AutoModel` loads it, in evaluation mode.

    A pooler on top of it, which was trained for the last of all layers or not at all, is set to
    pass on the first token; nothing that pools tokens reads it.
    """
    with torch.random.fork_rng(devices=[]):  # its first weights are drawn, and replaced
        body = transformers.AutoModel.from_config(model.config, dtype=torch.float32)
    body.load_state_dict(model.base_model.state_dict(), strict=False)
    if (pooler := getattr(body, "pooler", None)) is not None:
        pooler.dense.weight.copy_(torch.eye(len(pooler.dense.weight)))
        pooler.dense.bias.zero_()
    return body.eval()


def save_model_and_tokenizer(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    folder: Path,
    max_length: int,
) -> None:
    """Write both for ``from_pretrained``; texts are cut to `max_length` tokens by default then.

    Parameters
    ----------
    model, tokenizer
    folder : Path
    max_length : int
        Special tokens included.
    """
    tokenizer.model_max_length = max_length
    # Otherwise forgotten: AutoTokenizer would give a DistilBERT what only a BERT reads.
    tokenizer.init_kwargs["model_input_names"] = list(tokenizer.model_input_names)
    with quiet():
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
