"""Texts in, pooled hidden states of every layer out, streamed batch by batch."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from transformers import BatchEncoding, PreTrainedModel, PreTrainedTokenizerBase

from layerviz.config import FP32
from layerviz.memory import return_what_is_free
from layerviz.pairs import parts_of_pair
from layerviz.poolings import MEAN, POOLINGS, Pooling
from layerviz.precision import computing_in
from layerviz.progress import (
    CAPTURING,
    OnProgress,
    Progress,
    ShouldStop,
    ignore,
    never,
    stop_if_asked,
)
from layerviz.tokenising import WHOLE, Share, Tokenised, batches_by_length, rows_of_share, tokenise

log = logging.getLogger(__name__)

TOKENS_PER_BATCH = 2048
ON_CPU = 768  # with fewer, two cores are a quarter slower; with more, memory holds more at once
FLOAT16_MAX = float(np.finfo(np.float16).max)


@dataclass(frozen=True)
class Capture:
    """What one pass over the captured examples yields.

    Parameters
    ----------
    pooled : dict of str to ndarray
        For each pooling a float16 array of shape (L + 1, N, D);
        index 0 is the embedding output, index L the last layer; rows in the order of the texts.
    logits : ndarray of shape (N, n_classes), float32
        The classifier's outputs.
    n_clipped : int
        Values beyond float16's range that were clipped to it (0 for ordinary encoders).
    """

    pooled: dict[str, np.ndarray]
    logits: np.ndarray
    n_clipped: int


def pool(
    hidden: torch.Tensor, attention_mask: torch.Tensor, poolings: Iterable[str] = POOLINGS
) -> dict[str, torch.Tensor]:
    """Pool one layer's token vectors to one vector per example, in each of several ways.

    Parameters
    ----------
    hidden : Tensor of shape (B, T, D)
        Hidden states of one layer.
    attention_mask : Tensor of shape (B, T)
        1 where there is a token, 0 where there is padding (on the right).
    poolings : iterable of str
        Names of `layerviz.poolings.POOLINGS`, by default all of them.

    Returns
    -------
    dict of str to Tensor of shape (B, D)

    Raises
    ------
    UnknownNameError
        If there is no pooling of a name.
    """
    return {name: POOLINGS[name].pool(hidden, attention_mask) for name in poolings}


def capture(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str] | Tokenised,
    *,
    max_length: int,
    poolings: Iterable[str] = POOLINGS,
    precision: str = FP32,
    tokens_per_batch: int | None = None,
    share: Share = WHOLE,
    on_progress: OnProgress = ignore,
    should_stop: ShouldStop = never,
) -> Capture:
    """Run `texts` through `model` and pool every layer, without touching its training.

    Texts are sorted by length and padded per batch only; each batch is pooled as soon as it
    is computed, so that memory holds one batch and the result, never (L, N, T, D). The forward
    pass is in evaluation mode and without gradients; states are pooled in float32; no random
    number is drawn, and the model returns to the mode it was in.

    Parameters
    ----------
    model : PreTrainedModel
        A sequence classifier.
    tokenizer : PreTrainedTokenizerBase
        Its tokenizer.
    texts : sequence of str, or Tokenised
        N texts; if they are captured repeatedly, `tokenise` them once.
    max_length : int
        Tokens kept of each text, special tokens included; unused for tokenised texts.
    poolings : iterable of str
        As in `pool`.
    precision : str
        ``fp32``, or ``bf16`` for the layers' products, as in `computing_in`.
    tokens_per_batch : int, optional
        Most tokens, padding included, in one batch; by default `tokens_at_once`.
    share : Share
        Which of the batches are computed here; all of them unless several processes share them.
    on_progress : callable
        Called with a `Progress` that counts texts, after each batch.
    should_stop : callable
        Asked before each batch.

    Returns
    -------
    Capture
        Of a share, only its rows: those of `rows_of_share`, in that order.

    Raises
    ------
    Cancelled
        If `should_stop` answers true.
    UnknownNameError
        If there is no pooling of a name.
    ValueError
        If there are no texts.
    """
    if not len(texts):
        raise ValueError("capture needs at least one text")
    wanted = [POOLINGS[name] for name in poolings]
    if not isinstance(texts, Tokenised):
        texts = tokenise(tokenizer, texts, max_length)
    if tokens_per_batch is None:
        tokens_per_batch = tokens_at_once(model)
    rows_here = rows_of_share(texts, share, tokens_per_batch)
    place = np.zeros(len(texts), dtype=np.int64)
    place[rows_here] = np.arange(len(rows_here))
    out = _Rows(wanted, len(rows_here))
    with _evaluation(model), computing_in(model, model.base_model, model.device.type, precision):
        batches = _padded_batches(model, tokenizer, texts, tokens_per_batch, share)
        for rows, batch in _watched(batches, len(rows_here), on_progress, should_stop):
            output = model(**batch, output_hidden_states=True, return_dict=True)
            out.write(place[rows], output.hidden_states, output.logits, batch["attention_mask"])
            del output  # before the next batch is computed, not after
            # The next one's shapes are others, and would find no room in what this one leaves.
            return_what_is_free()
    if out.n_clipped:
        log.warning("%d hidden-state values exceed float16 and were clipped", out.n_clipped)
    return Capture(out.pooled, out.logits, out.n_clipped)


def tokens_at_once(model: PreTrainedModel) -> int:
    """Return how many tokens, padding included, make a batch that suits the model's device."""
    return ON_CPU if model.device.type == "cpu" else TOKENS_PER_BATCH


def sentence_vectors(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    *,
    max_length: int,
    tokens_per_batch: int | None = None,
    on_progress: OnProgress = ignore,
    should_stop: ShouldStop = never,
) -> np.ndarray:
    """Return the last layer of an encoder without a head, mean-pooled (Reimers & Gurevych, 2019).

    Batches, arithmetic, arguments and errors are those of :func:`capture`.

    Returns
    -------
    ndarray of shape (N, D), float32
    """
    if not len(texts):
        raise ValueError("sentence_vectors needs at least one text")
    tokens = tokenise(tokenizer, texts, max_length)
    order, vectors = [], []
    with _evaluation(model):
        size = tokens_per_batch or tokens_at_once(model)
        batches = _padded_batches(model, tokenizer, tokens, size)
        for rows, batch in _watched(batches, len(texts), on_progress, should_stop):
            hidden = model(**batch, return_dict=True).last_hidden_state.float()  # (B, T, D)
            vectors.append(MEAN.pool(hidden, batch["attention_mask"]).cpu().numpy())
            order.append(rows)
    return np.concatenate(vectors)[np.argsort(np.concatenate(order))]


def token_states(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    text: str,
    *,
    max_length: int,
) -> tuple[list[str], np.ndarray]:
    """Return the tokens of one text and the states of each of them in every layer.

    The arithmetic is that of :func:`capture`.

    Parameters
    ----------
    model : PreTrainedModel
        With or without a head.
    tokenizer : PreTrainedTokenizerBase
        Its tokenizer.
    text : str
    max_length : int
        Tokens kept, special ones included.

    Returns
    -------
    tokens : list of T str
        As they are written in the text; ``…`` before those that go on with a word. Special
        tokens, and what the vocabulary lacks, by their names.
    states : ndarray of shape (L + 1, T, D), float32
        Index 0 is the embedding output.
    """
    parts = parts_of_pair(text)
    encoded = tokenizer(*parts, truncation=True, max_length=max_length, verbose=False)
    types = None
    if len(parts) > 1 and "token_type_ids" in tokenizer.model_input_names:
        types = [encoded["token_type_ids"]]
    batch = _pad([encoded["input_ids"]], tokenizer.pad_token_id or 0, model.device, types)
    with _evaluation(model):
        output = model(**batch, output_hidden_states=True, return_dict=True)
    states = torch.stack([hidden[0].float() for hidden in output.hidden_states])
    return _token_texts(parts, encoded, tokenizer), states.cpu().numpy()


def _token_texts(
    parts: Sequence[str], encoded: BatchEncoding, tokenizer: PreTrainedTokenizerBase
) -> list[str]:
    """Return tokens as a reader knows them, instead of "##ing", "Ġthe" or "ĠÃ±"."""
    names = list(tokenizer.convert_ids_to_tokens(encoded["input_ids"]))
    if not encoded.is_fast:  # it does not know where in the text a token is
        return names
    special = set(tokenizer.all_special_ids)
    tokens, words, of_parts = [], encoded.word_ids(), encoded.sequence_ids()
    for position, (token_id, name) in enumerate(zip(encoded["input_ids"], names, strict=True)):
        if token_id in special or words[position] is None:
            tokens.append(name)
            continue
        span = encoded.token_to_chars(position)
        part = of_parts[position] or 0
        piece = parts[part][slice(*span)].strip() if span else ""
        continues = (
            position > 0
            and words[position] == words[position - 1]
            and part == of_parts[position - 1]
        )
        tokens.append(("…" if continues else "") + (piece or "␣"))
    return tokens


class _Rows:
    """The result of a capture, filled batch by batch; the first one tells its shapes."""

    def __init__(self, poolings: Sequence[Pooling], n: int) -> None:
        self.poolings, self.n = poolings, n
        self.pooled: dict[str, np.ndarray] = {}
        self.logits = np.zeros((n, 0), dtype=np.float32)
        self.n_clipped = 0

    def _allocate(self, hidden: Sequence[torch.Tensor], logits: torch.Tensor) -> None:
        shape = (len(hidden), self.n, hidden[-1].shape[-1])  # (L + 1, N, D)
        self.pooled = {one.name: np.zeros(shape, dtype=np.float16) for one in self.poolings}
        self.logits = np.zeros((self.n, logits.shape[-1]), dtype=np.float32)

    def write(
        self,
        rows: np.ndarray,
        hidden_states: Sequence[torch.Tensor],
        logits: torch.Tensor,
        attention_mask: torch.Tensor,
    ) -> None:
        if not self.logits.size:
            self._allocate(hidden_states, logits)
        self.logits[rows] = logits.float().cpu().numpy()
        layers = [hidden.float() for hidden in hidden_states]
        for pooling in self.poolings:
            stored = self.pooled[pooling.name]
            pooled = torch.stack([pooling.pool(layer, attention_mask) for layer in layers])
            values = pooled.cpu().numpy()  # (L + 1, B, D)
            self.n_clipped += int((np.abs(values) > FLOAT16_MAX).sum())
            stored[:, rows] = values.clip(-FLOAT16_MAX, FLOAT16_MAX)


_Batch = tuple[np.ndarray, dict[str, torch.Tensor]]  # row numbers; ids and mask on the device


def _padded_batches(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    texts: Tokenised,
    tokens_per_batch: int,
    share: Share = WHOLE,
) -> Iterator[_Batch]:
    """Yield texts, or a share of them, in padded batches of similar length."""
    batches = batches_by_length([len(ids) for ids in texts.input_ids], tokens_per_batch)
    for rows in islice(batches, share.number, None, share.of):
        input_ids = [texts.input_ids[row] for row in rows]
        types = None
        if texts.token_type_ids is not None:
            types = [texts.token_type_ids[row] for row in rows]
        yield rows, _pad(input_ids, tokenizer.pad_token_id or 0, model.device, types)


def padded_batch(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: Tokenised
) -> dict[str, torch.Tensor]:
    """Return texts as one padded batch on a model's device, of shape (N, T) each."""
    return _pad(texts.input_ids, tokenizer.pad_token_id or 0, model.device, texts.token_type_ids)


def _watched(
    batches: Iterator[_Batch], n: int, on_progress: OnProgress, should_stop: ShouldStop
) -> Iterator[_Batch]:
    """Yield the batches, asking before each whether to stop and counting texts after it."""
    done = 0
    for rows, batch in batches:
        stop_if_asked(should_stop)
        yield rows, batch
        done += len(rows)
        on_progress(Progress(CAPTURING, done, n))


def _pad(
    input_ids: Sequence[Sequence[int] | np.ndarray],
    pad_token_id: int,
    device: torch.device,
    token_type_ids: Sequence[Sequence[int] | np.ndarray] | None = None,
) -> dict[str, torch.Tensor]:
    """Return ids, attention mask and, where given, types on the device, each of shape (B, T)."""
    width = max(len(ids) for ids in input_ids)
    padded = torch.full((len(input_ids), width), pad_token_id, dtype=torch.long)
    attention_mask = torch.zeros((len(input_ids), width), dtype=torch.long)
    for row, ids in enumerate(input_ids):
        padded[row, : len(ids)] = torch.as_tensor(ids)
        attention_mask[row, : len(ids)] = 1
    batch = {"input_ids": padded.to(device), "attention_mask": attention_mask.to(device)}
    if token_type_ids is not None:
        types = torch.zeros_like(padded)
        for row, of_tokens in enumerate(token_type_ids):
            types[row, : len(of_tokens)] = torch.as_tensor(of_tokens)
        batch["token_type_ids"] = types.to(device)
    return batch


@contextmanager
def _evaluation(model: PreTrainedModel) -> Iterator[None]:
    """Hold a model in evaluation mode, in float32 and without gradients."""
    modes = {module: module.training for module in model.modules()}  # parts may be held apart
    # accelerate hides the class's forward behind one that computes in bf16 (as does the Trainer).
    mixed = model.__dict__.pop("forward", None) if hasattr(model, "_original_forward") else None
    model.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        for module, was_training in modes.items():
            module.training = was_training
        if mixed is not None:
            model.forward = mixed
