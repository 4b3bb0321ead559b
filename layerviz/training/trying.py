"""Whether an encoder can be trained in bf16, found out on one batch before a run begins."""

from __future__ import annotations

import numpy as np
import torch

from layerviz import hidden_states
from layerviz.config import BF16, FP32
from layerviz.encoders import LoadedEncoder
from layerviz.errors import EncoderError, reason
from layerviz.tokenising import Tokenised
from layerviz.training.own_trainer import unchanged
from layerviz.training.planning import resolve_precision


def usable_precision(
    encoder: LoadedEncoder, tokens: Tokenised, labels: np.ndarray, precision: str
) -> tuple[str, str]:
    """Return in what to train, and what to say where that is not what was meant.

    The longest and the shortest text go forward and back once; no random number is drawn for it
    that training would draw, and no gradient stays.

    Parameters
    ----------
    encoder : LoadedEncoder
    tokens : Tokenised
        The train texts.
    labels : ndarray of shape (N,), int
    precision : str
        The setting: ``auto``, ``bf16`` or ``fp32``.

    Returns
    -------
    precision : str
        ``bf16`` or ``fp32``.
    sentence : str
        That ``auto`` fell back to fp32, and why; "" where it did not.

    Raises
    ------
    EncoderError
        If bf16 was asked for and the encoder cannot compute in it.
    """
    wanted = resolve_precision(precision)
    if wanted != BF16:
        return wanted, ""
    why = _failure_in_bf16(encoder, tokens, labels)
    if not why:
        return BF16, ""
    what = f"{encoder.info.label} cannot be trained in bf16 ({why})"
    if precision == BF16:
        raise EncoderError(f"{what}.", "Set the precision to auto or fp32.")
    return FP32, f"{what}: training is in fp32."


def _failure_in_bf16(encoder: LoadedEncoder, tokens: Tokenised, labels: np.ndarray) -> str:
    """Return what goes wrong in bf16; "" where nothing does."""
    lengths = [len(ids) for ids in tokens.input_ids]
    rows = [int(np.argmax(lengths)), int(np.argmin(lengths))]
    model = encoder.model
    batch = hidden_states.padded_batch(model, encoder.tokenizer, tokens.rows(rows))
    batch["labels"] = torch.as_tensor(labels[rows], device=model.device)
    with unchanged(model):
        model.train()
        try:
            with torch.autocast(model.device.type, torch.bfloat16):
                loss = model(**batch, return_dict=True).loss
            loss.backward()
        except (torch.OutOfMemoryError, MemoryError):
            raise
        except Exception as error:  # of whatever line of a family's code
            return reason(error)
        finally:
            model.zero_grad(set_to_none=True)
    return ""
