"""Tiny encoders with random weights, built on the spot; their tokenizers learn from the texts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedConfig, PreTrainedTokenizerBase

from layerviz.encoders.info import (
    FAMILIES,
    NOTES,
    EncoderInfo,
    LoadedEncoder,
    count_parameters,
    label_settings,
)
from layerviz.errors import EncoderError

SCRATCH_LAYERS = {"bert": 8, "roberta": 8, "distilbert": 4}
SCRATCH_SIZES = {"hidden_size": 128, "heads": 2, "vocab_size": 8192}
MOST_TOKENIZER_TEXTS, MOST_TOKENIZER_CHARACTERS = 50_000, 2_000  # characters of each text


def build_scratch(
    family: str,
    texts: Sequence[str],
    *,
    layers: int,
    hidden_size: int,
    heads: int,
    vocab_size: int,
    max_length: int,
    label_names: Sequence[str],
    seed: int,
) -> LoadedEncoder:
    """Return a classifier with random weights and a tokenizer trained on ``texts``.

    Parameters
    ----------
    family : {"bert", "roberta", "distilbert"}
        Whose architecture and tokenization to take.
    texts : sequence of str
        Up to 50,000 of them, evenly spaced, are read, and of each the first 2,000 characters.
    layers, hidden_size, heads : int
        Blocks, width, and attention heads, which must divide the width; the inner width is 4x.
    vocab_size : int
        Most entries of the vocabulary; small data gives fewer.
    max_length : int
        Most tokens that will be fed; there is room for 512 at least.
    label_names : sequence of str
        Two or more distinct class names, in the order of the label ids.
    seed : int
        Sets the global random state, from which all weights are drawn.

    Raises
    ------
    EncoderError
        If the sizes contradict each other, or there is nothing to train the tokenizer on.
    """
    labels = label_settings(label_names)
    tokenizer, config = draft_encoder(
        family, texts, layers, hidden_size, heads, vocab_size, max_length
    )
    config.update(labels)
    transformers.set_seed(seed)
    auto = transformers.AutoModelForSequenceClassification
    model = auto.from_config(config, dtype=torch.float32).eval()
    info = scratch_info(family, layers, hidden_size, count_parameters(model))
    return LoadedEncoder(model, tokenizer, info)


def draft_encoder(
    family: str,
    texts: Sequence[str],
    layers: int,
    hidden_size: int,
    heads: int,
    vocab_size: int,
    max_length: int,
) -> tuple[PreTrainedTokenizerBase, PreTrainedConfig]:
    """Train a tokenizer on ``texts`` and return it with the config of an encoder that fits it."""
    if family not in FAMILIES or layers < 1 or heads < 1 or hidden_size % heads:
        raise EncoderError(
            f"There is no {family} encoder of {layers} layers, {hidden_size} wide, {heads} heads.",
            f"Take one of {', '.join(FAMILIES)}, and heads that divide the width.",
        )
    tokenizer = train_tokenizer(family, texts, vocab_size)
    tokenizer.model_max_length = max(512, max_length)
    return tokenizer, _scratch_config(family, tokenizer, layers, hidden_size, heads)


def train_tokenizer(family: str, texts: Sequence[str], size: int) -> PreTrainedTokenizerBase:
    """Train lower-cased WordPiece, or byte-level BPE for RoBERTa: the same texts, the same ids."""
    step = max(1, -(-len(texts) // MOST_TOKENIZER_TEXTS))
    kept = [text[:MOST_TOKENIZER_CHARACTERS] for text in texts[::step]]
    if not any(text.strip() for text in kept):
        raise EncoderError(
            "There are no texts to train a tokenizer on.",
            "Give a file with texts, or choose an encoder that brings its own tokenizer.",
        )
    settings = {"vocab_size": size, "min_frequency": 2, "show_progress": False}
    if family != "roberta":
        draft = _train_wordpiece(kept, settings)
        bert, distilbert = transformers.BertTokenizerFast, transformers.DistilBertTokenizerFast
        return (bert if family == "bert" else distilbert)(vocab=draft.get_vocab())
    draft = Tokenizer(models.BPE())
    draft.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    settings["special_tokens"] = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    settings["initial_alphabet"] = sorted(pre_tokenizers.ByteLevel.alphabet())
    draft.train_from_iterator(kept, trainers.BpeTrainer(**settings))
    merges = [tuple(pair) for pair in json.loads(draft.to_str())["model"]["merges"]]
    return transformers.RobertaTokenizerFast(vocab=draft.get_vocab(), merges=merges)


def scratch_info(family: str, layers: int, width: int, parameters: int | None) -> EncoderInfo:
    """Describe a scratch encoder of these sizes."""
    name, label = f"scratch-{family}", f"{FAMILIES[family]} from scratch"
    sizes = (layers, width, parameters)
    return EncoderInfo(name, label, FAMILIES[family], "scratch", *sizes, True, NOTES["scratch"])


def _scratch_config(
    family: str, tokenizer: PreTrainedTokenizerBase, layers: int, width: int, heads: int
) -> PreTrainedConfig:
    """Return a config whose special ids and positions are the tokenizer's."""
    positions = tokenizer.model_max_length
    common = {
        "vocab_size": len(tokenizer),
        "pad_token_id": tokenizer.pad_token_id,
        # BERT's 0.02 belongs to its width of 768; narrower layers start proportionally wider
        # (variance ~ 1 / width; Glorot & Bengio, 2010), or deep post-norm stacks hardly move.
        "initializer_range": 0.02 * (768 / width) ** 0.5,
    }
    if family == "distilbert":
        sizes = {"dim": width, "n_layers": layers, "n_heads": heads, "hidden_dim": 4 * width}
        return transformers.DistilBertConfig(**common, **sizes, max_position_embeddings=positions)
    sizes = {"hidden_size": width, "num_hidden_layers": layers, "num_attention_heads": heads}
    common |= {**sizes, "intermediate_size": 4 * width}
    if family == "bert":
        return transformers.BertConfig(**common, max_position_embeddings=positions)
    common |= {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    positions += tokenizer.pad_token_id + 1
    return transformers.RobertaConfig(
        **common, max_position_embeddings=positions, type_vocab_size=1
    )


def _train_wordpiece(texts: Sequence[str], settings: dict[str, Any]) -> Tokenizer:
    draft = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    draft.normalizer = normalizers.BertNormalizer(lowercase=True)
    draft.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    counts = Counter(char for text in texts for char in draft.normalizer.normalize_str(text))
    counted = sorted(counts, key=lambda char: (-counts[char], char))
    alphabet = [c for c in counted if not c.isspace()][: min(1000, settings["vocab_size"] // 4)]
    # Left alone, the trainer numbers the "##" characters (and so breaks ties) in the order of a
    # hash map, new in each process: number them beforehand, as if they were special tokens.
    first = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"##{c}" for c in sorted(alphabet))]
    letters = {"initial_alphabet": alphabet, "limit_alphabet": len(alphabet)}
    trainer = trainers.WordPieceTrainer(**settings, **letters, special_tokens=first)
    draft.train_from_iterator(texts, trainer)
    return draft
