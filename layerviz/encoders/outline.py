"""What a page needs to know of a BERT, RoBERTa or DistilBERT, without loading transformers.

transformers takes a second of processor time to load. The starters' files are written by layerviz
itself, so their numbers stand in them under known names, and ``tokenizer.json`` is a whole
tokenizer. Whatever is not as expected is left to transformers, which says what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tokenizers import Tokenizer

from layerviz.encoders.info import FAMILY_LABELS
from layerviz.errors import EncoderError
from layerviz.starters import STARTERS, starter_names

_LAYERS, _WIDTH = "num_hidden_layers", "hidden_size"
_OTHER_NAMES = {"distilbert": {_LAYERS: "n_layers", _WIDTH: "dim"}}


@dataclass(frozen=True)
class Outline:
    """Of an encoder's config, what describes it; the names are those of transformers."""

    model_type: str
    num_hidden_layers: int
    hidden_size: int
    max_position_embeddings: int
    pad_token_id: int


def outline_of(settings: Mapping[str, Any]) -> Outline | None:
    """Return the outline of a ``config.json`` that was checked; None where transformers is needed.

    Parameters
    ----------
    settings : mapping
        As `configs.checked_settings` returns them.
    """
    family = settings.get("model_type")
    if family not in FAMILY_LABELS or settings.get("is_decoder"):
        return None
    names = _OTHER_NAMES.get(family, {})
    keys = (_LAYERS, _WIDTH, "max_position_embeddings", "pad_token_id")
    values = [settings.get(names.get(key, key)) for key in keys]
    numbers = [value for value in values if type(value) is int and value >= 0]
    return Outline(family, *numbers) if len(numbers) == len(keys) else None


def starter_tokenizer(name: str) -> Tokenizer | None:
    """Return a starter's tokenizer, which cuts and pads nothing; None for any other encoder.

    Raises
    ------
    EncoderError
        If its file cannot be read.
    """
    if name not in starter_names(STARTERS):
        return None
    file = STARTERS / name / "tokenizer.json"
    try:
        tokenizer = Tokenizer.from_file(str(file))
    except Exception as error:  # the library raises nothing more special
        raise EncoderError(
            f"The tokenizer of {name} cannot be read: {error}.", "Copy the whole folder again."
        ) from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer
