"""The families of encoders in transformers, and a tiny checkpoint of each to try it with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from layerviz.encoders.info import EncoderSize
from layerviz.encoders.scratch import build_scratch
from layerviz.encoders.silencing import quiet

# No masked language models with a classifier, which have to be refused with the reason.
OTHERS = ("bloom", "funnel", "gpt2", "gpt_neo", "gptj", "opt", "reformer", "t5", "xlnet")
# Of these no small model can be made by the names of sizes below.
LARGE = ("modernvbert", "perceiver", "roc_bert", "ultravbert")
WIDTH, VOCABULARY = 32, 400
SIZES: dict[str, Any] = {
    "vocab_size": VOCABULARY, "hidden_size": WIDTH, "num_hidden_layers": 2,
    "num_attention_heads": 2, "intermediate_size": 64, "max_position_embeddings": 64,
    "embedding_size": WIDTH, "pad_token_id": 0, "d_model": WIDTH, "n_layers": 2, "n_heads": 2,
    "dim": WIDTH, "hidden_dim": 64, "emb_dim": WIDTH, "n_layer": 2, "n_head": 2, "n_embd": WIDTH,
    "num_key_value_heads": 2, "head_dim": 16, "attention_head_size": 16, "block_size": 4,
    "attention_window": 8, "entity_vocab_size": 10, "entity_emb_size": 8, "d_head": 16,
    "d_inner": 64, "d_ff": 64, "d_kv": 16, "n_words": VOCABULARY, "encoder_layers": 2,
    "decoder_layers": 2, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64, "num_layers": 2,
    "encoder_attention_heads": 2, "decoder_attention_heads": 2, "rotary_dim": 8,
    "languages": ("en_XX",), "default_language": "en_XX", "word_embed_proj_dim": WIDTH,
    "ffn_dim": 64,
}  # fmt: skip


def family_names() -> tuple[str, ...]:
    """Return the families that are tried, by the names that transformers has for them."""
    from transformers.models.auto import modeling_auto

    masked = modeling_auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES.keys()
    classifiers = modeling_auto.MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES.keys()
    return tuple(sorted({*(masked & classifiers), *OTHERS} - {*LARGE}))


def tiny_checkpoint(family: str, folder: Path, texts: Sequence[str]) -> None:
    """Write a tiny classifier of a family with random weights, and a tokenizer.

    Parameters
    ----------
    family : str
        One of `family_names`.
    folder : Path
    texts : sequence of str
        On which its tokenizer is trained.

    Raises
    ------
    Exception
        Whatever the family's code says of such sizes.
    """
    import transformers
    from transformers.models.auto import configuration_auto

    kind = configuration_auto.CONFIG_MAPPING[family]
    usual = kind()
    config = kind(**{name: size for name, size in SIZES.items() if hasattr(usual, name)})
    torch.manual_seed(0)
    model = transformers.AutoModelForSequenceClassification.from_config(config)
    with quiet():
        model.save_pretrained(folder)
    size = EncoderSize(2, WIDTH, 2, VOCABULARY)
    scratch = build_scratch("bert", size, texts, label_names=["a", "b"], seed=0)
    scratch.tokenizer.save_pretrained(folder)
