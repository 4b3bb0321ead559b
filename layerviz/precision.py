"""The arithmetic of a capture: float32, or bfloat16 where the hardware multiplies it natively."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any

import torch

from layerviz.config import BF16


@contextmanager
def computing_in(
    model: torch.nn.Module, body: torch.nn.Module, device: str, precision: str
) -> Iterator[None]:
    """Let a model's layers compute in a precision, and its head in float32.

    In bf16 the matrix products of the layers are those of ``torch.autocast``, as in training;
    sums, norms and softmax stay in float32. The head costs next to nothing, and logits of eight
    bits would make two classes draw level.

    Parameters
    ----------
    model : Module
        With or without a head.
    body : Module
        The model without its head; the model itself where it has none.
    device : str
        Type of the device that it is on.
    precision : str
        ``bf16`` or ``fp32``.
    """
    if precision != BF16:
        yield
        return
    with ExitStack() as undo, torch.autocast(device, torch.bfloat16):
        for part in model.children() if body is not model else ():
            if part is not body and "forward" not in vars(part):
                part.forward = _in_float32(part.forward, device)
                undo.callback(delattr, part, "forward")
        yield


def _in_float32(forward: Callable[..., Any], device: str) -> Callable[..., Any]:
    def raised(value: Any) -> Any:
        is_number = isinstance(value, torch.Tensor) and value.is_floating_point()
        return value.float() if is_number else value

    @wraps(forward)
    def in_float32(*args: Any, **keywords: Any) -> Any:
        with torch.autocast(device, enabled=False):
            in_full = {name: raised(value) for name, value in keywords.items()}
            return forward(*(raised(value) for value in args), **in_full)

    return in_float32
