"""Encoders that predict masked tokens: new ones, continued ones, and their teachers."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

from layerviz.encoders.configs import read_config
from layerviz.encoders.describing import locate
from layerviz.encoders.folders import (
    check_fit,
    check_folder,
    read_body,
    read_masked_lm,
    read_tokenizer,
)
from layerviz.encoders.info import FAMILY_LABELS, EncoderSize
from layerviz.encoders.scratch import draft_encoder
from layerviz.encoders.silencing import quiet
from layerviz.encoders.weight_files import check_weight_files
from layerviz.errors import EncoderError, did_you_mean
from layerviz.starters import starter_names

_BERT_TO_DISTILBERT = {  # of a layer; Sanh et al. (2019), section 3
    "attention.self.query": "attention.q_lin",
    "attention.self.key": "attention.k_lin",
    "attention.self.value": "attention.v_lin",
    "attention.output.dense": "attention.out_lin",
    "attention.output.LayerNorm": "sa_layer_norm",
    "intermediate.dense": "ffn.lin1",
    "output.dense": "ffn.lin2",
    "output.LayerNorm": "output_layer_norm",
}
_HEAD = {
    "transform.dense": "vocab_transform",
    "transform.LayerNorm": "vocab_layer_norm",
    "decoder": "vocab_projector",
}
_SPELLING = ("do_lower_case", "strip_accents", "tokenize_chinese_chars")


@dataclass(frozen=True)
class MaskedLM:
    """A masked language model in float32 on the CPU, and its tokenizer."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase

    @property
    def family(self) -> str:
        return self.model.config.model_type

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """Return the vocabulary's logits for token vectors.

        Parameters
        ----------
        hidden : Tensor of shape (n, D)
            Last hidden states of any tokens: only the masked ones need be given.

        Returns
        -------
        Tensor of shape (n, vocabulary)
        """
        model: Any = self.model  # what its head is called depends on the family
        if self.family == "bert":
            return model.cls(hidden)
        if self.family == "roberta":
            return model.lm_head(hidden)
        hidden = model.activation(model.vocab_transform(hidden))
        return model.vocab_projector(model.vocab_layer_norm(hidden))


def new_masked_lm(family: str, size: EncoderSize, texts: Sequence[str], *, seed: int) -> MaskedLM:
    """Return a masked language model with random weights, its tokenizer trained on ``texts``.

    Its position vectors start at zero, so that positions which no text reaches in training add
    nothing later, instead of noise.

    Raises
    ------
    EncoderError
        If the family is unknown, or there is nothing to train the tokenizer on.
    """
    tokenizer, config = draft_encoder(family, size, texts)
    transformers.set_seed(seed)
    model = transformers.AutoModelForMaskedLM.from_config(config, dtype=torch.float32)
    torch.nn.init.zeros_(model.base_model.embeddings.position_embeddings.weight)
    return MaskedLM(model, tokenizer)


def continued_masked_lm(name: str, family: str, *, max_length: int, seed: int) -> MaskedLM:
    """Return the encoder ``name`` ready to be trained on, as one of ``family``.

    A DistilBERT may start from a BERT: it takes every other layer, the last one among them.

    Raises
    ------
    EncoderError
        If it is not on this disk, cannot be read, is of another family, or cannot read texts of
        ``max_length`` tokens.
    """
    folder = _folder_on_disk(name)
    start_family = read_config(name, folder).model_type
    if start_family != family and (start_family, family) != ("bert", "distilbert"):
        start_label = FAMILY_LABELS.get(start_family, start_family)
        raise EncoderError(
            f"{name} is a {start_label}, from which a {FAMILY_LABELS[family]} cannot start.",
            "Start from one of the same family; a DistilBERT may also start from a BERT.",
        )
    check_folder(name, folder)
    tokenizer = read_tokenizer(name, folder)
    model = read_masked_lm(name, folder, seed)
    check_fit(name, tokenizer, model.config, max_length)
    if start_family != family:
        if not isinstance(tokenizer, transformers.BertTokenizer):
            raise EncoderError(
                f"{name} has a {type(tokenizer).__name__}, which a DistilBERT cannot use.",
                "Start from a BERT with a WordPiece tokenizer.",
            )
        model, tokenizer = _every_other_layer(model, tokenizer)
    return MaskedLM(model, tokenizer)


def load_body(name: str) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Return an encoder of this disk without a head, in evaluation mode, and its tokenizer."""
    folder = _folder_on_disk(name)
    check_folder(name, folder)
    return read_body(name, folder), read_tokenizer(name, folder)


def weights_digest(name: str) -> str:
    """Return SHA-256, in hexadecimal digits, of the weight files of an encoder of this disk."""
    digest = hashlib.sha256()
    for path in check_weight_files(name, _folder_on_disk(name)):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def save_random_twin(name: str, folder: Path, seed: int) -> None:
    """Write an encoder with the config and the tokenizer of ``name``, and random weights.

    Raises
    ------
    EncoderError
        If ``name`` is not on this disk or cannot be read.
    """
    source = _folder_on_disk(name)
    config, tokenizer = read_config(name, source), read_tokenizer(name, source)
    transformers.set_seed(seed)
    model = transformers.AutoModel.from_config(config, dtype=torch.float32)
    with quiet():
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)


def save_masked_lm(masked: MaskedLM, folder: Path) -> None:
    """Write weights (float16 safetensors), config and tokenizer for any ``from_pretrained``."""
    with quiet():
        masked.model.half().save_pretrained(folder)
        masked.tokenizer.save_pretrained(folder)


def _folder_on_disk(name: str) -> Path:
    source, folder = locate(name)
    if source == "scratch" or folder is None:
        raise EncoderError(
            f"{name} is not on this disk.",
            did_you_mean(
                name,
                starter_names(),
                "Give a bundled starter, a local folder, or a Hub id that was used before.",
            ),
        )
    return folder


def _every_other_layer(
    bert: PreTrainedModel, tokenizer: PreTrainedTokenizerBase
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Return a DistilBERT of layers L, L - 2, ... of a BERT (Sanh et al., 2019), in order."""
    chosen = range(bert.config.num_hidden_layers - 1, -1, -2)[::-1]
    model = transformers.AutoModelForMaskedLM.from_config(
        _distilbert_config(bert.config, len(chosen)), dtype=torch.float32
    )
    body, distilled = bert.base_model, model.base_model
    _copy_embeddings(body.embeddings, distilled.embeddings)
    for index, layer in enumerate(chosen):
        for source, target in _BERT_TO_DISTILBERT.items():
            _copy(
                body.get_submodule(f"encoder.layer.{layer}.{source}"),
                distilled.get_submodule(f"transformer.layer.{index}.{target}"),
            )
    for source, target in _HEAD.items():
        _copy(bert.get_submodule(f"cls.predictions.{source}"), model.get_submodule(target))
    model.tie_weights()
    spelling = {
        key: tokenizer.init_kwargs[key] for key in _SPELLING if key in tokenizer.init_kwargs
    }
    same = transformers.DistilBertTokenizer(vocab=tokenizer.get_vocab(), **spelling)
    same.model_max_length = tokenizer.model_max_length
    return model, same


def _distilbert_config(bert: PreTrainedConfig, n_layers: int) -> PreTrainedConfig:
    """Return the config of a DistilBERT that is like a BERT, with another number of layers."""
    return transformers.DistilBertConfig(
        vocab_size=bert.vocab_size,
        max_position_embeddings=bert.max_position_embeddings,
        dim=bert.hidden_size,
        n_layers=n_layers,
        n_heads=bert.num_attention_heads,
        hidden_dim=bert.intermediate_size,
        activation=bert.hidden_act,
        dropout=bert.hidden_dropout_prob,
        attention_dropout=bert.attention_probs_dropout_prob,
        initializer_range=bert.initializer_range,
        pad_token_id=bert.pad_token_id,
        tie_word_embeddings=bert.tie_word_embeddings,
    )


def _copy_embeddings(bert: Any, distilbert: Any) -> None:
    _copy(bert.word_embeddings, distilbert.word_embeddings)
    _copy(bert.LayerNorm, distilbert.LayerNorm)
    _copy(bert.position_embeddings, distilbert.position_embeddings)
    with torch.no_grad():  # DistilBERT has no token types: the only one used joins the positions
        distilbert.position_embeddings.weight += bert.token_type_embeddings.weight[0]


def _copy(source: torch.nn.Module, target: torch.nn.Module) -> None:
    target.load_state_dict(source.state_dict())
