"""Texts, and pairs of texts, as token ids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from layerviz.pairs import is_pair, parts_of_pair

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerBase

TEXTS_AT_ONCE = 1000  # tokenised together: a tokenizer's output is far larger than its ids


@dataclass(frozen=True)
class Tokenised:
    """Texts as token ids, for any number of passes.

    Parameters
    ----------
    input_ids : tuple of N ndarrays of shape (T_i,), int32
        At most the requested number of tokens of each text, special ones included.
    cut : ndarray of shape (N,), bool
        Which texts had more.
    token_type_ids : tuple of N ndarrays of shape (T_i,), int32; or None
        Which of two texts each token is from, where there are pairs and the encoder is told that.
    """

    input_ids: tuple[np.ndarray, ...]
    cut: np.ndarray
    token_type_ids: tuple[np.ndarray, ...] | None = None

    def __len__(self) -> int:
        return len(self.input_ids)

    def rows(self, rows: Sequence[int] | np.ndarray) -> Tokenised:
        """Return some of the texts."""
        types = self.token_type_ids
        return Tokenised(
            tuple(self.input_ids[row] for row in rows),
            self.cut[rows],
            None if types is None else tuple(types[row] for row in rows),
        )

    def as_arrays(self) -> dict[str, np.ndarray]:
        """Return the ids end to end and where each text ends, as `from_arrays` takes them."""
        arrays = {
            "input_ids": _end_to_end(self.input_ids),
            "ends": np.cumsum([len(ids) for ids in self.input_ids], dtype=np.int64),
            "cut": self.cut,
        }
        if self.token_type_ids is not None:
            arrays["token_type_ids"] = _end_to_end(self.token_type_ids)
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Tokenised:
        """Return the texts that `as_arrays` wrote."""
        ends = arrays["ends"][:-1]
        types = arrays.get("token_type_ids")
        return cls(
            tuple(np.split(arrays["input_ids"], ends)),
            arrays["cut"],
            None if types is None else tuple(np.split(types, ends)),
        )


def _end_to_end(parts: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int32)


def tokenise(
    tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], max_length: int
) -> Tokenised:
    """Return texts as token ids, cut to `max_length`.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizerBase
    texts : sequence of str
    max_length : int
        Tokens kept of each text, special tokens included. Of a pair, the longer one is cut first.
    """
    if any(is_pair(text) for text in texts):
        return _tokenise_pairs(tokenizer, texts, max_length)
    input_ids: list[np.ndarray] = []
    cut = np.zeros(len(texts), dtype=bool)
    for start in range(0, len(texts), TEXTS_AT_ONCE):
        part = list(texts[start : start + TEXTS_AT_ONCE])
        encoded = tokenizer(
            part,
            truncation=True,
            max_length=max_length,
            return_overflowing_tokens=tokenizer.is_fast,
            return_attention_mask=False,  # all ones, and as long as the ids
            return_token_type_ids=False,
        )
        # What was cut off comes back as further rows of the same text.
        text_of_row = np.array(encoded.get("overflow_to_sample_mapping", range(len(part))))
        rows, firsts, pieces = np.unique(text_of_row, return_index=True, return_counts=True)
        input_ids += [np.array(encoded["input_ids"][row], dtype=np.int32) for row in firsts]
        longer = pieces > 1
        if not tokenizer.is_fast:
            longer = token_lengths(tokenizer, part) > max_length
        cut[start + rows] = longer
    return Tokenised(tuple(input_ids), cut)


def _tokenise_pairs(
    tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], max_length: int
) -> Tokenised:
    """Return pairs of texts as token ids, as the tokenizer writes pairs; single texts may be among
    them.
    """
    names = tokenizer.model_input_names
    input_ids: list[np.ndarray] = []
    types: list[np.ndarray] = []
    for start in range(0, len(texts), TEXTS_AT_ONCE):
        part = texts[start : start + TEXTS_AT_ONCE]
        for encoded in _encoded(tokenizer, part, truncation=True, max_length=max_length):
            ids = np.array(encoded["input_ids"], dtype=np.int32)
            input_ids.append(ids)
            types.append(np.array(encoded.get("token_type_ids", np.zeros_like(ids)), np.int32))
    # Only those that fill their place may have had more.
    full = [row for row, ids in enumerate(input_ids) if len(ids) >= max_length]
    cut = np.zeros(len(texts), dtype=bool)
    cut[full] = token_lengths(tokenizer, [texts[row] for row in full]) > max_length
    has_types = "token_type_ids" in names
    return Tokenised(tuple(input_ids), cut, tuple(types) if has_types else None)


def _encoded(
    tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], **options: Any
) -> list[dict[str, list[int]]]:
    """Return what a tokenizer makes of each text or pair of texts."""
    if all(is_pair(text) for text in texts):
        firsts, seconds = zip(*(parts_of_pair(text) for text in texts), strict=True)
        encoded = tokenizer(list(firsts), list(seconds), verbose=False, **options)
        return [{name: encoded[name][row] for name in encoded} for row in range(len(texts))]
    return [dict(tokenizer(*parts_of_pair(text), verbose=False, **options)) for text in texts]


@dataclass(frozen=True)
class Share:
    """Which batches of a capture are computed: one in `of`, from the one of this number on."""

    number: int = 0
    of: int = 1


WHOLE = Share()


def rows_of_share(texts: Tokenised, share: Share, tokens_per_batch: int) -> np.ndarray:
    """Return which rows a process captures, in ascending order: those of every `share.of`-th batch.

    The batches are those of one process that captures everything, so that states are the same.
    """
    batches = list(batches_by_length([len(ids) for ids in texts.input_ids], tokens_per_batch))
    own = batches[share.number :: share.of]
    return np.sort(np.concatenate(own)) if own else np.zeros(0, dtype=np.int64)


def batches_by_length(lengths: Sequence[int], tokens_per_batch: int) -> Iterator[np.ndarray]:
    """Yield row numbers, longest texts first, each batch within the token budget."""
    order = np.argsort(-np.asarray(lengths), kind="stable")
    start = 0
    while start < len(order):
        size = max(1, tokens_per_batch // max(1, lengths[order[start]]))
        yield order[start : start + size]
        start += size


def token_lengths(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> np.ndarray:
    """Return each text's number of tokens, special tokens included and nothing cut.

    Returns
    -------
    ndarray of shape (N,), int64
    """
    if not len(texts):
        return np.zeros(0, dtype=np.int64)
    if any(is_pair(text) for text in texts):
        pairs = _encoded(tokenizer, list(texts), truncation=False)
        return np.array([len(pair["input_ids"]) for pair in pairs], dtype=np.int64)
    encoded = tokenizer(list(texts), truncation=False, verbose=False)["input_ids"]
    return np.array([len(ids) for ids in encoded], dtype=np.int64)


def lengths_by(tokenizer: Tokenizer, texts: Sequence[str]) -> np.ndarray:
    """Return what `token_lengths` does, by a tokenizer that transformers has not wrapped.

    Returns
    -------
    ndarray of shape (N,), int64
    """
    inputs = [parts_of_pair(text) if is_pair(text) else text for text in texts]
    return np.array([len(one.ids) for one in tokenizer.encode_batch(inputs)], dtype=np.int64)
