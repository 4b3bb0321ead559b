"""Every setting of a pre-training, as `config` has those of a run."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from layerviz.config import FAMILIES, PRECISIONS, RATES, SEEDS
from layerviz.errors import ConfigError
from layerviz.registry import Registry
from layerviz.settings import Choice, Name, Number, Setting, Whole, check_all, setting, settings_of


@dataclass(frozen=True)
class PretrainConfig:
    """Everything that decides what pre-training computes, apart from the texts themselves.

    The fields are described by their entries in `PRETRAIN_SETTINGS`. Sizes (`layers`,
    `hidden_size`, `heads`, `vocab_size`) are those of a new encoder, unused with `start`; its
    inner width is four times the hidden size. `start` is of the same family, or a BERT of which
    a DistilBERT takes every other layer.

    Raises
    ------
    ConfigError
        If a value is out of range, or two contradict each other.
    """

    family: str = setting(Choice(FAMILIES), help="architecture and tokenization", required=True)
    layers: int = setting(
        Whole(1, 48),
        12,
        help="of a new encoder; by default 12, for distilbert 6 (sizes are not used with --from)",
        resolved_late=True,
    )
    hidden_size: int = setting(Whole(8, 4096), 128, help="width of a new encoder")
    heads: int = setting(Whole(1, 64), 2, help="attention heads; they must divide the hidden size")
    vocab_size: int = setting(
        Whole(300, 200_000), 8192, help="largest number of entries of the tokenizer"
    )
    start: str | None = setting(Name(), help="start from its weights and tokenizer", flag="--from")
    teacher: str | None = setting(Name(), help="also match its mean-pooled sentence vectors")
    teacher_weight: float = setting(
        Number(0.0, 1000.0), 3.0, help="of the match, beside the masked-token loss"
    )
    word_epochs: int = setting(
        Whole(0, 1000),
        0,
        help="passes, before all others, in which the word vectors alone learn from the teacher, "
        "as a bag of words; 5 is plenty",
    )
    epochs: int = setting(Whole(1, 1000), 2, help="passes over the texts")
    batch_size: int = setting(Whole(2, 4096), 64, help="texts per optimizer step")
    learning_rate: float = setting(
        RATES,
        6e-4,
        help="peak rate of AdamW; by default 6e-4, less for wide encoders",
        resolved_late=True,
    )
    warmup_steps: int = setting(
        Whole(0, 1_000_000),
        500,
        help="over which the learning rate rises from 0; at most a fifth of all steps",
    )
    max_length: int = setting(
        Whole(8, 512), 64, help="tokens kept of each text, special ones included"
    )
    seed: int = setting(SEEDS, 0, help="of the weights, the order, the masks and the sample")
    precision: str = setting(
        Choice(PRECISIONS),
        "auto",
        help="arithmetic of training; auto takes bf16 where the hardware supports it",
    )

    def __post_init__(self) -> None:
        check_all(self)
        if self.hidden_size % self.heads:
            raise ConfigError(
                f"A hidden size of {self.hidden_size} cannot be divided among {self.heads} heads.",
                "Choose a hidden size that is a multiple of the number of heads.",
            )
        if self.word_epochs and self.teacher is None:
            raise ConfigError(
                "Word epochs need a teacher, and none is named.",
                "Name a teacher, or leave word epochs at 0.",
            )

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as plain JSON values."""
        return dataclasses.asdict(self)


PRETRAIN_SETTINGS: Registry[Setting] = Registry("pre-training setting", settings_of(PretrainConfig))
