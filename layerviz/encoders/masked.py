"""Encoders that predict masked tokens: new ones, continued ones, and what teaches them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import transformers
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from layerviz.encoders.folders import (
    check_fit,
    check_folder,
    quiet,
    read_body,
    read_config,
    read_masked_lm,
    read_tokenizer,
    weight_files,
)
from layerviz.encoders.info import FAMILIES
from layerviz.encoders.loading import locate
from layerviz.encoders.scratch import draft_encoder
from layerviz.errors import EncoderError

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
        if self.family == "bert":
            return self.model.cls(hidden)
        if self.family == "roberta":
            return self.model.lm_head(hidden)
        hidden = self.model.activation(self.model.vocab_transform(hidden))
        return self.model.vocab_projector(self.model.vocab_layer_norm(hidden))


def new_masked_lm(
    family: str,
    texts: Sequence[str],
    *,
    layers: int,
    hidden_size: int,
    heads: int,
    vocab_size: int,
    seed: int,
) -> MaskedLM:
    """Return a masked language model with random weights, its tokenizer trained on ``texts``.

    It can read 512 tokens. Its position vectors start at zero, so that positions which no text
    reaches in training add nothing later, instead of noise.
    """
    tokenizer, config = draft_encoder(family, texts, layers, hidden_size, heads, vocab_size, 512)
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
    found = read_config(name, folder).model_type
    if found != family and (found, family) != ("bert", "distilbert"):
        told = FAMILIES.get(found, found)
        raise EncoderError(
            f"{name} is a {told}, from which a {FAMILIES[family]} cannot start.",
            "Start from one of the same family; a DistilBERT may start from a BERT, too.",
        )
    check_folder(name, folder)
    tokenizer = read_tokenizer(name, folder)
    model = read_masked_lm(name, folder, seed)
    check_fit(name, tokenizer, model.config, max_length)
    if found != family:
        if not isinstance(tokenizer, transformers.BertTokenizerFast):
            raise EncoderError(
                f"{name} has a {type(tokenizer).__name__}, which a DistilBERT does not read.",
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
    for path in weight_files(name, _folder_on_disk(name)):
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
            "Give a bundled starter, a local folder, or a Hub id that was used before.",
        )
    return folder


def _every_other_layer(
    bert: PreTrainedModel, tokenizer: PreTrainedTokenizerBase
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Return a DistilBERT of layers L, L - 2, ... of a BERT (Sanh et al., 2019), in order."""
    known = bert.config
    chosen = range(known.num_hidden_layers - 1, -1, -2)[::-1]
    config = transformers.DistilBertConfig(
        vocab_size=known.vocab_size,
        max_position_embeddings=known.max_position_embeddings,
        dim=known.hidden_size,
        n_layers=len(chosen),
        n_heads=known.num_attention_heads,
        hidden_dim=known.intermediate_size,
        activation=known.hidden_act,
        dropout=known.hidden_dropout_prob,
        attention_dropout=known.attention_probs_dropout_prob,
        initializer_range=known.initializer_range,
        pad_token_id=known.pad_token_id,
        tie_word_embeddings=known.tie_word_embeddings,
    )
    model = transformers.AutoModelForMaskedLM.from_config(config, dtype=torch.float32)
    body, distilled = bert.bert, model.distilbert
    _copy(body.embeddings.word_embeddings, distilled.embeddings.word_embeddings)
    _copy(body.embeddings.LayerNorm, distilled.embeddings.LayerNorm)
    _copy(body.embeddings.position_embeddings, distilled.embeddings.position_embeddings)
    with torch.no_grad():  # DistilBERT has no token types: the only one used joins the positions
        distilled.embeddings.position_embeddings.weight += (
            body.embeddings.token_type_embeddings.weight[0]
        )
    for index, layer in enumerate(chosen):
        for source, target in _BERT_TO_DISTILBERT.items():
            _copy(
                body.encoder.layer[layer].get_submodule(source),
                distilled.transformer.layer[index].get_submodule(target),
            )
    for source, target in _HEAD.items():
        _copy(bert.cls.predictions.get_submodule(source), model.get_submodule(target))
    model.tie_weights()
    spelling = {
        key: tokenizer.init_kwargs[key] for key in _SPELLING if key in tokenizer.init_kwargs
    }
    same = transformers.DistilBertTokenizerFast(vocab=tokenizer.get_vocab(), **spelling)
    same.model_max_length = tokenizer.model_max_length
    return model, same


def _copy(source: torch.nn.Module, target: torch.nn.Module) -> None:
    target.load_state_dict(source.state_dict())
