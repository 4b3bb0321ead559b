"""The head that a finished classifier comes with: which of its outputs is which class of the data.

layerviz keeps its classes in an order of its own, the same for every run on the same data. So the
rows of a head's last layer are put into that order, and everything after it works as with a new
one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from layerviz.encoders.info import label_settings
from layerviz.errors import EncoderError
from layerviz.wording import cut_to, enumeration, named, quote

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedConfig, PreTrainedModel

MOST_NAMED = 5  # classes, in a message
_CLOSE = 1e-5  # of logits that are computed twice
_WITHOUT = "Take a new head, or give the labels of the data the names of its classes."


def class_columns(
    name: str, config: PreTrainedConfig, label_names: Sequence[str], *, by_index: bool = False
) -> list[int]:
    """Return at which place of a head's output each class of the data is.

    Parameters
    ----------
    name : str
        Of the model, for messages.
    config : PreTrainedConfig
        Its own, with the classes of its head.
    label_names : sequence of str
        Classes of the data.
    by_index : bool
        The head's classes are called LABEL_0, LABEL_1 and so on, and are those of the data in their
        order; where these are the numbers from 0 on, each is its own place.

    Raises
    ------
    EncoderError
        If its classes are not those of the data, or it tells none apart.
    """
    if config.problem_type in ("regression", "multi_label_classification"):
        raise EncoderError(
            f"The head of {name} is for {config.problem_type.replace('_', ' ')}.",
            "Take a new head.",
        )
    id2label: Mapping[Any, Any] = config.id2label or {}
    own = [str(id2label[place]) for place in sorted(id2label)]
    if len(own) != len(label_names):
        raise EncoderError(
            f"The head of {name} tells {len(own):,} classes apart ({_some(own)}), and the data "
            f"have {len(label_names):,} ({_some(label_names)}).",
            _WITHOUT,
        )
    if by_index:
        numbers = [str(place) for place in range(len(own))]
        if sorted(label_names) == sorted(numbers):
            return [int(label) for label in label_names]
        return list(range(len(own)))
    places = {_key(label): place for place, label in enumerate(own)}
    missing = [label for label in label_names if _key(label) not in places]
    if not missing and len(places) == len(own) == len({_key(label) for label in label_names}):
        return [places[_key(label)] for label in label_names]
    if own == [f"LABEL_{place}" for place in range(len(own))]:
        raise EncoderError(
            f"The classes of {name} have no names ({_some(own)}), so that it is not known which "
            f"are those of the data ({_some(label_names)}).",
            "Keep the head by index if they are in this order, write their names into id2label of "
            "its config.json, or take a new head.",
            ["--keep-head by-index"],
        )
    raise EncoderError(
        f"The classes of {name} ({_some(own)}) are not those of the data ({_some(label_names)}).",
        _WITHOUT,
    )


def put_in_order(
    name: str, model: PreTrainedModel, columns: Sequence[int], batch: Mapping[str, torch.Tensor]
) -> None:
    """Put the classes of a head into the order of the data's.

    Parameters
    ----------
    name : str
        For messages.
    model : PreTrainedModel
        A classifier in evaluation mode.
    columns : sequence of int
        As `class_columns` returns them.
    batch : mapping of str to Tensor
        A text, on which it is tried.

    Raises
    ------
    EncoderError
        If its outputs do not follow from the rows of one layer.
    """
    import torch

    if list(columns) == sorted(columns):
        return
    with torch.no_grad():
        before = model(**batch, return_dict=True).logits
        _reorder(name, model, columns)
        after = model(**batch, return_dict=True).logits
    if not torch.allclose(before[:, list(columns)], after, rtol=_CLOSE, atol=_CLOSE):
        raise _fixed_order(name)


@contextmanager
def in_order(
    name: str, model: PreTrainedModel, columns: Sequence[int], label_names: Sequence[str]
) -> Iterator[None]:
    """Hold the head of a model that is someone else's in the order of the data's classes.

    Afterwards its weights and its config are what they were, bit for bit.

    Parameters
    ----------
    name, model, columns
        As for `put_in_order`.
    label_names : sequence of str
        What its config calls the classes meanwhile.

    Raises
    ------
    EncoderError
        As `put_in_order`.
    """
    import torch

    settings = label_settings(label_names)
    kept = {key: getattr(model.config, key) for key in settings}
    layer, weights = None, {}
    try:
        if list(columns) != sorted(columns):
            layer = _last_layer(name, model, len(columns))
            weights = {key: value.detach().clone() for key, value in layer.named_parameters()}
            _reorder(name, model, columns)
        model.config.update(settings)
        yield
    finally:
        for key, value in kept.items():
            setattr(model.config, key, value)
        if layer is not None:
            with torch.no_grad():
                for key, value in layer.named_parameters():
                    value.copy_(weights[key])


def _reorder(name: str, model: PreTrainedModel, columns: Sequence[int]) -> None:
    import torch

    with torch.no_grad():
        for weight in _last_layer(name, model, len(columns)).parameters():
            weight.copy_(weight[list(columns)].clone())


def _last_layer(name: str, model: PreTrainedModel, n_classes: int) -> torch.nn.Module:
    """Return the layer of the head that has one row for each class."""
    of_body = {id(weight) for weight in model.base_model.parameters()}
    layers = [
        module
        for module in model.modules()
        if (weights := list(module.parameters(recurse=False)))
        and all(len(one) == n_classes and id(one) not in of_body for one in weights)
        and max(one.ndim for one in weights) == 2
    ]
    if not layers:
        raise _fixed_order(name)
    return layers[-1]


def _fixed_order(name: str) -> EncoderError:
    return EncoderError(
        f"The classes of {name} cannot be put into the order of the data's.",
        "Take a new head.",
    )


def _key(label: object) -> str:
    return str(label).strip().casefold()


def _some(labels: Sequence[str]) -> str:
    shown = [quote(cut_to(named(label), 40)) for label in labels[:MOST_NAMED]]
    more = len(labels) - len(shown)
    return enumeration([*shown, f"{more:,} more"] if more > 0 else shown)
