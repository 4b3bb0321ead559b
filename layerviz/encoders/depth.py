"""How many layers of an encoder are kept and how many of those are trained, and what that needs."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from layerviz.encoders.info import EncoderInfo
from layerviz.errors import ConfigError, EncoderError
from layerviz.wording import count

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedConfig, PreTrainedModel

_SHARED = frozenset({"albert"})  # families whose layers share their weights
_BLOCK = re.compile(r".*?\.\d+\.")  # of a weight's name: "bert.encoder.layer.3."
_CLOSE = 1e-4  # of states that are computed twice, on whatever number of threads

Batch: TypeAlias = "Mapping[str, torch.Tensor]"


def kept_label(label: str, keep_layers: int | None) -> str:
    """Return what an encoder is called of which only the first layers are kept."""
    return label if keep_layers is None else f"{label}, first {count(keep_layers, 'layer')}"


def check_layers(info: EncoderInfo, *, freeze: int, keep_layers: int | None) -> None:
    """Refuse to keep or freeze layers that an encoder does not have, as far as is known of it.

    Parameters
    ----------
    info : EncoderInfo
        Of the whole encoder. Where its number of layers is not known, nothing is refused yet.
    freeze : int
        The first so many layers are not trained.
    keep_layers : int or None
        Only the first so many layers are kept; None keeps all.

    Raises
    ------
    ConfigError
        It names the number of layers, or says why the layers cannot be frozen.
    """
    if info.layers is not None:
        for what, wanted in (("keep", keep_layers), ("freeze", freeze)):
            if wanted is not None and wanted > info.layers:
                raise ConfigError(
                    f"{info.label} has {count(info.layers, 'layer')}, so that {wanted} cannot be "
                    f"{'kept' if what == 'keep' else 'frozen'}.",
                    f"{what.capitalize()} at most {info.layers}.",
                )
    if freeze and info.family in _SHARED:
        raise _shared_weights(info.label)


def shortened(config: PreTrainedConfig, keep_layers: int) -> PreTrainedConfig:
    """Return the config of the first layers of an encoder.

    Raises
    ------
    EncoderError
        If its layers take turns with several groups of shared weights, which a cut would reassign.
    """
    n_layers = config.num_hidden_layers
    if getattr(config, "num_hidden_groups", 1) > 1:
        raise cannot_be_cut(
            f"a {config.model_type} model divides its layers into groups by how many there are"
        )
    short = copy.deepcopy(config)
    for name, value in config.to_dict().items():  # what is said of each layer
        if isinstance(value, list) and len(value) == n_layers > 1 and name != "architectures":
            setattr(short, name, value[:keep_layers])
    short.num_hidden_layers = keep_layers
    return short


def check_cut(model: PreTrainedModel, whole: PreTrainedModel, batch: Batch) -> None:
    """Refuse a shortened encoder whose layers do not compute what they do in the whole one.

    Layers before the last kept one are compared: behind the last, some families have a norm.

    Parameters
    ----------
    model, whole : PreTrainedModel
        The shortened encoder and the whole one, in evaluation mode.
    batch : mapping of str to Tensor
        ``input_ids`` and ``attention_mask`` of a text.

    Raises
    ------
    EncoderError
        If a layer behaves differently in the shortened encoder.
    """
    import torch

    keep_layers = model.config.num_hidden_layers
    with torch.inference_mode():
        short, long = (
            one.base_model(**batch, output_hidden_states=True).hidden_states
            for one in (model, whole)
        )
    if len(short) != keep_layers + 1:
        raise cannot_be_cut(
            f"the config of a {model.config.model_type} model does not say how many layers to build"
        )
    same = (
        torch.allclose(one, other, rtol=_CLOSE, atol=_CLOSE)
        for one, other in zip(short[:keep_layers], long, strict=False)
    )
    if not all(same):
        raise cannot_be_cut(
            f"what a layer of a {model.config.model_type} model computes depends on how many there "
            "are"
        )


def example_batch(token_ids: Sequence[int] | np.ndarray) -> dict[str, torch.Tensor]:
    """Return one text as ids and attention mask, each of shape (1, T), from its T token ids."""
    import torch

    input_ids = torch.as_tensor(token_ids, dtype=torch.long)[None]
    return {"input_ids": input_ids, "attention_mask": torch.ones_like(input_ids)}


def freeze_layers(model: PreTrainedModel, batch: Batch, freeze: int) -> list[str]:
    """Take the gradients from the embeddings and the first layers, and return the weights' names.

    Frozen is whatever the states of the last of these layers are computed from, in any family.
    What all layers share, as the relative positions of DeBERTa, is frozen with them. The weights
    stay bit-identical in training, weight decay included, and no backward pass goes through them.

    Parameters
    ----------
    model : PreTrainedModel
        A sequence classifier. No random number is drawn, and it returns to the mode it was in.
    batch : mapping of str to Tensor
        ``input_ids`` and ``attention_mask`` of a text.
    freeze : int
        How many layers, from the first on; 0 freezes nothing, the embeddings neither.

    Raises
    ------
    ConfigError
        If there are fewer layers, or layers share their weights.
    """
    if not freeze:
        return []
    n_layers = model.config.num_hidden_layers
    if freeze > n_layers:
        raise ConfigError(
            f"The encoder has {count(n_layers, 'layer')}, so that {freeze} cannot be frozen.",
            f"Freeze at most {n_layers}.",
        )
    last = min(freeze + 1, n_layers)
    used = _weights_used(model, batch, [last - 1, last, freeze])
    if used[last] <= used[last - 1]:
        raise _shared_weights(model.config.model_type)
    blocks = {match[0] for name in used[freeze] if (match := _BLOCK.match(name))}
    frozen = []
    for name, weight in model.named_parameters():
        # Together with what a block holds for inputs of another kind, such as LUKE's entities.
        in_block = (match := _BLOCK.match(name)) is not None and match[0] in blocks
        if name in used[freeze] or in_block:
            weight.requires_grad_(False)
            frozen.append(name)
    return frozen


def _weights_used(
    model: PreTrainedModel, batch: Batch, layers: list[int]
) -> dict[int, frozenset[str]]:
    """Return the names of the weights from which the states of each of some layers are computed."""
    import torch

    weights = {name: one for name, one in model.named_parameters() if one.requires_grad}
    was_training = model.training
    model.eval()
    try:
        states = model(**batch, output_hidden_states=True).hidden_states
        used = {}
        for layer in set(layers):
            gradients = torch.autograd.grad(
                states[layer].sum(), list(weights.values()), retain_graph=True, allow_unused=True
            )
            used[layer] = frozenset(
                name for name, one in zip(weights, gradients, strict=True) if one is not None
            )
    finally:
        model.train(was_training)
    return used


def shortened_info(info: EncoderInfo, keep_layers: int, parameters: int) -> EncoderInfo:
    """Return the description of an encoder of which only the first layers are kept."""
    return replace(
        info,
        label=kept_label(info.label, keep_layers),
        layers=keep_layers,
        parameters=parameters,
    )


def _shared_weights(label: str) -> ConfigError:
    return ConfigError(
        f"The layers of {label} share their weights, so that some cannot be trained without the "
        "others.",
        "Freeze no layers, or choose an encoder whose layers have weights of their own.",
    )


def cannot_be_cut(why: str) -> EncoderError:
    """Return the error that says why an encoder has to keep all its layers."""
    return EncoderError(
        f"This encoder cannot be cut: {why}.", "Keep all layers, or choose another encoder."
    )
