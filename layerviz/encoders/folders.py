"""An encoder's files in one folder: which are needed, whether they are complete, and reading them.

All calls of ``from_pretrained`` are here. Weights are read from safetensors only, code that comes
with a checkpoint is never run, and nothing here reaches the network.
"""

from __future__ import annotations

import inspect
import json
import logging
import math
import re
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
import transformers
from huggingface_hub import errors
from safetensors import SafetensorError, safe_open
from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase
from transformers.models.auto import configuration_auto, modeling_auto
from transformers.utils import logging as transformers_logging

from layerviz.encoders.info import FAMILY_LABELS, max_positions
from layerviz.errors import EncoderError, reason
from layerviz.rereading import State, settled_state

# Masked language models that need more than text, or whose layers keep no vector per token.
_NOT_PER_TOKEN = frozenset({"funnel", "layoutlm", "perceiver", "reformer", "tapas"})
_SHARD = re.compile(r"model-\d+-of-\d+\.safetensors")
_WEIGHTS_FILE = re.compile(rf"model\.safetensors(\.index\.json)?|{_SHARD.pattern}")
_TOKENIZER_FILE = re.compile(r"tokenizer\.json|vocab\.(txt|json)|[\w.-]+\.(model|spm)")
_TOKENIZER_EXTRA = re.compile(
    r"(tokenizer_config|special_tokens_map|added_tokens)\.json|merges\.txt|bpe\.codes"
)
_TALKATIVE = ("modeling_utils", "trainer", "trainer_utils")  # about tied weights, file dates, ...
_UNREADABLE = (OSError, ValueError, RuntimeError, LookupError, TypeError, ImportError)


def is_wanted(file: str) -> bool:
    """Tell config, tokenizer and safetensors files from all else that a repository holds."""
    patterns = (_WEIGHTS_FILE, _TOKENIZER_FILE, _TOKENIZER_EXTRA)
    return file == "config.json" or any(pattern.fullmatch(file) for pattern in patterns)


def read_config(name: str, folder: Path) -> PreTrainedConfig:
    """Return the config of an encoder that layerviz can use; anything else is an error."""
    config = read_trained_config(name, folder)
    check_mask(name, config)
    return config


def read_trained_config(name: str, folder: Path) -> PreTrainedConfig:
    """Return the config of an encoder that layerviz can use, or could when a run was made."""
    path = folder / "config.json"
    try:
        model_type = json.loads(path.read_text(encoding="utf-8")).get("model_type", "nameless")
        _check_kind(name, model_type)
        config = transformers.AutoConfig.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
    except FileNotFoundError as error:
        raise EncoderError(
            f"{name} has no config.json.", "Point to a folder that save_pretrained wrote."
        ) from error
    except (*_UNREADABLE, AttributeError, errors.StrictDataclassError) as error:
        raise EncoderError(
            f"{path} cannot be read: {reason(error)}.", "Download the file again."
        ) from error
    if any(getattr(config, key, False) for key in ("is_decoder", "is_encoder_decoder")):
        raise _not_an_encoder(name, model_type)
    return config


def known_config(name: str, folder: Path) -> PreTrainedConfig:
    """As `read_trained_config`, for who only looks at it: it may be one that was read before."""
    state = settled_state(folder / "config.json")
    return read_trained_config(name, folder) if state is None else _config_in(name, folder, state)


@lru_cache(maxsize=64)
def _config_in(name: str, folder: Path, state: State) -> PreTrainedConfig:
    del state  # part of the key alone
    return read_trained_config(name, folder)


def check_mask(name: str, config: PreTrainedConfig) -> None:
    """Refuse an encoder that takes no attention mask, such as FNet.

    To it padding is text: the states of an example would depend on the batch that it was in.
    """
    if config.model_type in FAMILY_LABELS:  # they take one, and importing their code takes a while
        return
    model: Any = modeling_auto.MODEL_MAPPING[type(config)]
    if "attention_mask" not in inspect.signature(model.forward).parameters:
        raise EncoderError(
            f"{name} is a {config.model_type} model, which takes no attention mask: its vectors of "
            "a text depend on the other texts in the batch.",
            "Choose another one, such as a BERT, RoBERTa, DistilBERT or ELECTRA.",
        )


def read_tokenizer(name: str, folder: Path) -> PreTrainedTokenizerBase:
    """Return the tokenizer of a folder, which pads and truncates on the right."""
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
    except _UNREADABLE as error:
        raise EncoderError(
            f"The tokenizer of {name} cannot be read: {reason(error)}.",
            "Save it as tokenizer.json, which needs no further package, or choose another encoder.",
        ) from error
    tokenizer.padding_side = tokenizer.truncation_side = "right"
    return tokenizer


def tokenizer_limit(folder: Path) -> int:
    """Return the most tokens of a text that a folder's tokenizer gives; 0 without a limit.

    Read from its settings alone: the tokenizer itself takes a while to load.
    """
    try:
        settings = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
        limit = settings.get("model_max_length") or 0
        return int(limit) if 0 < limit < 1_000_000 else 0
    except (OSError, ValueError, AttributeError, TypeError):
        return 0  # none is said; or it cannot be read, and loading says so


def read_model(name: str, folder: Path, config: PreTrainedConfig, seed: int) -> PreTrainedModel:
    """Load in float32 with a new head, and refuse an encoder of which weights are missing."""
    transformers.set_seed(seed)
    auto = transformers.AutoModelForSequenceClassification
    model, loading_info = _from_pretrained(auto, name, folder, config)
    _check_body(name, model, loading_info)
    return model


def read_classifier(name: str, folder: Path, config: PreTrainedConfig) -> PreTrainedModel:
    """Load in float32 with the head that it was fine-tuned with, and refuse one without."""
    auto = transformers.AutoModelForSequenceClassification
    model, loading_info = _from_pretrained(auto, name, folder, config)
    if unset := sorted(_unset_keys(loading_info)):
        raise EncoderError(
            f"{name} is not a complete classifier: {len(unset)} of its weights are missing or have "
            f"another shape, such as {unset[0]}.",
            "Save a fine-tuned model there, with its head.",
        )
    return model.eval()


def read_masked_lm(name: str, folder: Path, seed: int) -> PreTrainedModel:
    """Load in float32 for predicting masked tokens; a missing head gets random weights."""
    config = read_config(name, folder)
    transformers.set_seed(seed)
    model, loading_info = _from_pretrained(transformers.AutoModelForMaskedLM, name, folder, config)
    _check_body(name, model, loading_info)
    return model


def read_body(name: str, folder: Path) -> PreTrainedModel:
    """Load in float32 without any head."""
    config = read_config(name, folder)
    model, loading_info = _from_pretrained(transformers.AutoModel, name, folder, config)
    _check_body(name, model, loading_info)
    return model.eval()


def _from_pretrained(
    auto: Any, name: str, folder: Path, config: PreTrainedConfig
) -> tuple[PreTrainedModel, dict[str, Any]]:
    """Return the model and which of its weights were not in the files."""
    try:
        with quiet():
            return auto.from_pretrained(
                folder,
                config=config,
                dtype=torch.float32,
                use_safetensors=True,
                trust_remote_code=False,
                local_files_only=True,
                ignore_mismatched_sizes=True,  # a head fine-tuned for other classes
                output_loading_info=True,
            )
    except (*_UNREADABLE, SafetensorError) as error:
        raise _damaged(name, error) from error


def _unset_keys(loading_info: dict[str, Any]) -> set[str]:
    """Return the weights that were missing from the files or had another shape there."""
    mismatched = {key for key, *_ in loading_info["mismatched_keys"]}
    return loading_info["missing_keys"] | mismatched


def _check_body(name: str, model: PreTrainedModel, loading_info: dict[str, Any]) -> None:
    """Refuse an encoder of which weights, other than a head's, were not in the files."""
    prefix = f"{model.base_model_prefix}." if model.base_model is not model else ""
    unset = _unset_keys(loading_info)
    body = sorted(key for key in unset if key.startswith(prefix) and "pooler" not in key)
    if body:
        raise EncoderError(
            f"The weights of {name} do not fit its config.json: {len(body)} are missing or have "
            f"another shape, such as {body[0]}.",
            "Download both again from the same place.",
        )


def count_saved(name: str, folder: Path) -> int:
    """Count like :func:`count_parameters`, from the headers of the weight files alone."""
    shapes: dict[str, list[int]] = {}
    try:
        for path in weight_files(name, folder):
            with safe_open(path, framework="pt") as file:
                shapes |= {key: file.get_slice(key).get_shape() for key in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise _damaged(name, error) from error
    # "bert.embeddings.word_embeddings.weight": whatever lacks the prefix belongs to a head.
    first = next((key for key in shapes if "embeddings" in key), "").partition(".")[0]
    prefix = "" if "embeddings" in first else first
    body = (key for key in shapes if key.startswith(prefix) and "pooler" not in key)
    return sum(math.prod(shapes[key]) for key in body if not key.endswith("position_ids"))


def check_folder(name: str, folder: Path) -> None:
    """Refuse a folder in which weights, some of them, or the tokenizer are missing."""
    check_files(name, [path.name for path in folder.iterdir()])
    if missing := [path.name for path in weight_files(name, folder) if not path.is_file()]:
        files = ", ".join(missing)
        raise EncoderError(f"{name} is missing {files}.", "Copy the whole folder again.")


def check_files(name: str, files: Collection[str]) -> None:
    """Refuse an encoder that, by the names of its files, has no weights or no tokenizer."""
    if not any(file == "model.safetensors" or _SHARD.fullmatch(file) for file in files):
        pickled = any(file.endswith((".bin", ".pt", ".h5", ".msgpack")) for file in files)
        raise EncoderError(
            f"{name} has no weights in safetensors"
            + (", only in a format that layerviz does not open." if pickled else "."),
            "Choose another, or convert it: huggingface.co/spaces/safetensors/convert for the Hub, "
            "save_pretrained for a folder.",
        )
    if not any(_TOKENIZER_FILE.fullmatch(file) for file in files):
        raise EncoderError(
            f"{name} has no tokenizer.",
            "Save its tokenizer next to it (tokenizer.save_pretrained), or choose another encoder.",
        )


def check_fit(
    name: str, tokenizer: PreTrainedTokenizerBase, config: PreTrainedConfig, max_length: int
) -> None:
    """Refuse texts longer than the encoder reads, and a tokenizer with more words than it has."""
    most = max_positions(config, tokenizer)
    if most is not None and max_length > most:
        raise EncoderError(
            f"{name} reads at most {most:,} tokens, and max length is {max_length:,}.",
            f"Set max length to at most {most:,}.",
        )
    if len(tokenizer) > config.vocab_size:
        raise EncoderError(
            f"{name} has {config.vocab_size:,} word vectors for {len(tokenizer):,} tokens.",
            "Save the tokenizer that it was trained with next to it.",
        )


def _check_kind(name: str, model_type: str) -> None:
    if model_type not in configuration_auto.CONFIG_MAPPING_NAMES:
        raise EncoderError(
            f"{name} is a {model_type} model, which transformers cannot build by itself.",
            "Choose one that needs no code of its own: layerviz never runs downloaded code.",
        )
    masked = modeling_auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES.keys() - _NOT_PER_TOKEN
    classifiers = modeling_auto.MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES.keys()
    if model_type not in masked & classifiers:
        raise _not_an_encoder(name, model_type)


def _not_an_encoder(name: str, model_type: str) -> EncoderError:
    return EncoderError(
        f"{name} is a {model_type} model that is not a text encoder.",
        "Choose another one, such as a BERT, RoBERTa, DistilBERT or ELECTRA.",
    )


def weight_files(name: str, folder: Path) -> list[Path]:
    """Return ``model.safetensors``, or the parts that the index lists instead."""
    index = folder / "model.safetensors.index.json"
    if (whole := folder / "model.safetensors").is_file():
        return [whole]
    try:
        parts = json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()
    except _UNREADABLE as error:
        raise _damaged(name, error) from error
    return [folder / part for part in sorted(set(parts)) if _SHARD.fullmatch(part)]


def _damaged(name: str, error: Exception) -> EncoderError:
    return EncoderError(
        f"The files of {name} cannot be read: {reason(error)}.",
        "Delete them (a Hub encoder's are in the Hugging Face cache) and download them again.",
    )


@contextmanager
def quiet() -> Iterator[None]:
    """Suppress transformers' bars, load report and asides, in this thread and nowhere else."""
    quiet_thread = threading.get_ident()

    def is_let_through(record: logging.LogRecord) -> bool:
        return record.thread != quiet_thread or record.levelno >= logging.ERROR

    def make_bar(factory: Callable[..., Any], args: tuple, kwargs: dict[str, Any]) -> Any:
        disabled = {"disable": True} if threading.get_ident() == quiet_thread else {}
        return factory(*args, **{**kwargs, **disabled})

    loggers = [logging.getLogger(f"transformers.{name}") for name in _TALKATIVE]
    for logger in loggers:
        logger.addFilter(is_let_through)
    hook_before = transformers_logging.set_tqdm_hook(make_bar)
    try:
        yield
    finally:
        transformers_logging.set_tqdm_hook(hook_before)
        for logger in loggers:
            logger.removeFilter(is_let_through)
