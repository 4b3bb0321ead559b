"""The arithmetic of a capture: float32, or bfloat16 where the hardware multiplies it natively."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any

import torch
from transformers import PreTrainedModel

from layerviz.config import BF16


@contextmanager
def computing_in(model: PreTrainedModel, precision: str) -> Iterator[None]:
    """Let a model's layers compute in a precision, and its head in float32.

    In bf16 the matrix products of the layers are those of ``torch.autocast``, as in training;
    sums, norms and softmax stay in float32. The head costs next to nothing, and logits of eight
    bits would make two classes draw level.

    Parameters
    ----------
    model : PreTrainedModel
        With or without a head.
    precision : str
        ``bf16`` or ``fp32``.
    """
    if precision != BF16:
        yield
        return
    kind = model.device.type
    with ExitStack() as undo, torch.autocast(kind, torch.bfloat16):
        body = model.base_model
        for part in model.children() if body is not model else ():
            if part is not body and "forward" not in vars(part):
                part.forward = _in_float32(part.forward, kind)
                undo.callback(delattr, part, "forward")
        yield


def _in_float32(forward: Callable[..., Any], kind: str) -> Callable[..., Any]:
    def raised(value: Any) -> Any:
        is_number = isinstance(value, torch.Tensor) and value.is_floating_point()
        return value.float() if is_number else value

    @wraps(forward)
    def in_float32(*args: Any, **keywords: Any) -> Any:
        with torch.autocast(kind, enabled=False):
            in_full = {name: raised(value) for name, value in keywords.items()}
            return forward(*(raised(value) for value in args), **in_full)

    return in_float32
