"""Tiny encoders with random weights, built on the spot, with tokenizers trained on the texts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

from layerviz.encoders.info import (
    FAMILY_LABELS,
    SOURCE_NOTES,
    EncoderInfo,
    EncoderSize,
    LoadedEncoder,
    count_parameters,
    label_settings,
)
from layerviz.errors import EncoderError, did_you_mean
from layerviz.pairs import parts_of_pair
from layerviz.wording import quote

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedTokenizerBase

SCRATCH_SIZES = {
    "bert": EncoderSize(layers=8, hidden_size=128, heads=2, vocab_size=8192),
    "roberta": EncoderSize(layers=8, hidden_size=128, heads=2, vocab_size=8192),
    "distilbert": EncoderSize(layers=4, hidden_size=128, heads=2, vocab_size=8192),
}
MOST_TOKENIZER_TEXTS, MOST_TOKENIZER_CHARACTERS = 50_000, 2_000  # characters of each text
_MIN_FREQUENCY = 2  # of a pair that a tokenizer merges


def build_scratch(
    family: str,
    size: EncoderSize,
    texts: Sequence[str],
    *,
    label_names: Sequence[str],
    seed: int,
) -> LoadedEncoder:
    """Return a classifier with random weights and a tokenizer trained on ``texts``.

    Parameters
    ----------
    family : {"bert", "roberta", "distilbert"}
        Whose architecture and tokenization to take.
    size : EncoderSize
    texts : sequence of str
        Up to 50,000 of them, evenly spaced, are read, and of each the first 2,000 characters.
    label_names : sequence of str
        Two or more distinct class names, in the order of the label ids.
    seed : int
        Sets the global random state, from which all weights are drawn.

    Raises
    ------
    EncoderError
        If the family is unknown, or there is nothing to train the tokenizer on.
    """
    import torch
    import transformers

    labels = label_settings(label_names)
    tokenizer, config = draft_encoder(family, size, texts)
    config.update(labels)
    transformers.set_seed(seed)
    auto = transformers.AutoModelForSequenceClassification
    model = auto.from_config(config, dtype=torch.float32).eval()
    return LoadedEncoder(model, tokenizer, scratch_info(family, size, count_parameters(model)))


def draft_encoder(
    family: str, size: EncoderSize, texts: Sequence[str]
) -> tuple[PreTrainedTokenizerBase, PreTrainedConfig]:
    """Train a tokenizer on ``texts`` and return it with the config of an encoder that fits it."""
    if family not in FAMILY_LABELS:
        raise EncoderError(
            f"There is no encoder family {quote(family)}.",
            did_you_mean(family, FAMILY_LABELS, f"Choose one of {', '.join(FAMILY_LABELS)}."),
        )
    tokenizer = train_tokenizer(family, texts, size.vocab_size)
    tokenizer.model_max_length = size.positions
    return tokenizer, _scratch_config(family, size, tokenizer)


def train_tokenizer(family: str, texts: Sequence[str], vocab_size: int) -> PreTrainedTokenizerBase:
    """Train lower-cased WordPiece, or byte-level BPE for RoBERTa: the same texts, the same ids."""
    import transformers

    step = max(1, -(-len(texts) // MOST_TOKENIZER_TEXTS))
    sample = [
        part[:MOST_TOKENIZER_CHARACTERS] for text in texts[::step] for part in parts_of_pair(text)
    ]
    if not any(text.strip() for text in sample):
        raise EncoderError(
            "There are no texts to train a tokenizer on.",
            "Give a file with texts, or choose an encoder that brings its own tokenizer.",
        )
    if family == "roberta":
        return _train_byte_pairs(sample, vocab_size)
    kind = transformers.BertTokenizer if family == "bert" else transformers.DistilBertTokenizer
    return kind(vocab=_train_wordpiece(sample, vocab_size).get_vocab())


def scratch_info(family: str, size: EncoderSize, parameters: int | None = None) -> EncoderInfo:
    """Describe a scratch encoder of this size."""
    return EncoderInfo(
        name=f"scratch-{family}",
        label=f"{FAMILY_LABELS[family]} from scratch",
        family=FAMILY_LABELS[family],
        source="scratch",
        layers=size.layers,
        hidden_size=size.hidden_size,
        parameters=parameters,
        on_disk=True,
        note=SOURCE_NOTES["scratch"],
    )


def _scratch_config(
    family: str, size: EncoderSize, tokenizer: PreTrainedTokenizerBase
) -> PreTrainedConfig:
    """Return a config whose special ids and positions are the tokenizer's."""
    import transformers

    common: dict[str, Any] = {
        "vocab_size": len(tokenizer),
        "pad_token_id": tokenizer.pad_token_id,
        # BERT's 0.02 belongs to its width of 768; narrower layers start proportionally wider
        # (variance ~ 1 / width; Glorot & Bengio, 2010), or deep post-norm stacks hardly move.
        "initializer_range": 0.02 * (768 / size.hidden_size) ** 0.5,
    }
    if family == "distilbert":
        return transformers.DistilBertConfig(
            **common,
            dim=size.hidden_size,
            n_layers=size.layers,
            n_heads=size.heads,
            hidden_dim=size.intermediate_size,
            max_position_embeddings=size.positions,
        )
    common |= {
        "hidden_size": size.hidden_size,
        "num_hidden_layers": size.layers,
        "num_attention_heads": size.heads,
        "intermediate_size": size.intermediate_size,
    }
    if family == "bert":
        return transformers.BertConfig(**common, max_position_embeddings=size.positions)
    return transformers.RobertaConfig(
        **common,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        max_position_embeddings=size.positions + tokenizer.pad_token_id + 1,
        type_vocab_size=1,
    )


def _train_wordpiece(texts: Sequence[str], vocab_size: int) -> Tokenizer:
    draft = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    normalizer = normalizers.BertNormalizer(lowercase=True)
    draft.normalizer = normalizer
    draft.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    counts = Counter(char for text in texts for char in normalizer.normalize_str(text))
    by_count = sorted(counts, key=lambda char: (-counts[char], char))
    alphabet = [char for char in by_count if not char.isspace()][: min(1000, vocab_size // 4)]
    # Left alone, the trainer numbers the "##" characters (and so breaks ties) in the order of a
    # hash map, new in each process: number them in advance, as if they were special tokens.
    first = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"##{c}" for c in sorted(alphabet))]
    trainer = trainers.WordPieceTrainer(
        vocab_size=vocab_size,
        min_frequency=_MIN_FREQUENCY,
        show_progress=False,
        initial_alphabet=alphabet,
        limit_alphabet=len(alphabet),
        special_tokens=first,
    )
    draft.train_from_iterator(texts, trainer)
    return draft


def _train_byte_pairs(texts: Sequence[str], vocab_size: int) -> PreTrainedTokenizerBase:
    from transformers import RobertaTokenizer

    draft = Tokenizer(models.BPE())
    draft.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        min_frequency=_MIN_FREQUENCY,
        show_progress=False,
        special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
    )
    draft.train_from_iterator(texts, trainer)
    # Any: the signature says strings, but what is underneath takes pairs.
    merges: Any = [tuple(pair) for pair in json.loads(draft.to_str())["model"]["merges"]]
    return RobertaTokenizer(vocab=draft.get_vocab(), merges=merges)
