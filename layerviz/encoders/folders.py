"""An encoder's files in one folder: which are needed, whether they are complete, and reading them.

Nothing here reaches the network; how files become tokenizers and models is in `opening`.
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerviz.encoders.configs import (
    checked_settings,
    read_config,
    read_settings,
    read_trained_config,
)
from layerviz.encoders.info import POSITIONS_AFTER_PAD, max_positions
from layerviz.encoders.opening import open_model, open_tokenizer
from layerviz.encoders.tokenizer_files import (
    EXTRA_FILE,
    MAIN_FILE,
    check_class,
    tokenizer_files,
    tokenizer_jsons,
)
from layerviz.encoders.weight_files import (
    INDEX,
    SHARD,
    WHOLE,
    check_weight_files,
    files_in,
    parts_of_index,
    stored_arrays,
)
from layerviz.errors import EncoderError

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

log = logging.getLogger(__name__)

# Of the layers of an encoder, not of a head: what is left over there makes another encoder of it.
_IN_A_LAYER = re.compile(
    r"(?!(?:lm_head|cls|classifier|head|predictions|generator_)\b)"
    r"(?:.*\.)?(?:layers?|h|blocks?|\w*layer_groups|\w*_layers)\.\d+\."
)
_BUFFERS = ("position_ids", "inv_freq", "masked_bias")  # are computed anew


def is_wanted(file: str) -> bool:
    """Tell config, tokenizer and safetensors files from all else that a repository holds."""
    patterns = (SHARD, MAIN_FILE, EXTRA_FILE)
    return file in ("config.json", WHOLE, INDEX) or any(one.fullmatch(file) for one in patterns)


def read_tokenizer(name: str, folder: Path) -> PreTrainedTokenizerBase:
    """Return the tokenizer of a folder, which pads and truncates on the right."""
    config = read_trained_config(name, folder)
    check_class(name, getattr(config, "tokenizer_class", None))
    jsons, files = tokenizer_jsons(name, folder), tokenizer_files(name, folder)
    tokenizer = open_tokenizer(name, folder, config, jsons, files)
    tokenizer.padding_side = tokenizer.truncation_side = "right"
    _give_pad_token(name, tokenizer, config)
    return tokenizer


def _give_pad_token(
    name: str, tokenizer: PreTrainedTokenizerBase, config: PreTrainedConfig
) -> None:
    """Let a tokenizer without a padding token take another one for it, and say so.

    Padding is masked, so that any token does: that of the config, or one that ends texts. Where
    there is none, `trying.check_tokens` refuses the encoder.
    """
    if tokenizer.pad_token is not None and tokenizer.pad_token_id is not None:
        return
    own = config.pad_token_id
    candidates = [tokenizer.eos_token, tokenizer.sep_token, tokenizer.unk_token]
    if isinstance(own, int) and 0 <= own < len(tokenizer):
        candidates.insert(0, str(tokenizer.convert_ids_to_tokens(own)))
    token = next((str(one) for one in candidates if one is not None), None)
    if token is not None and tokenizer.convert_tokens_to_ids(token) is not None:
        tokenizer.pad_token = token
        log.info("%s has no padding token: short texts are padded with %s", name, token)


def read_model(
    name: str, folder: Path, config: PreTrainedConfig, seed: int, *, whole: bool = True
) -> PreTrainedModel:
    """Load in float32 with a new head, and refuse an encoder of which weights are missing.

    Unless it is not to be the `whole` one, none may be left over either.
    """
    import transformers

    transformers.set_seed(seed)
    auto = transformers.AutoModelForSequenceClassification
    model, loading_info = open_model(auto, name, folder, config)
    check_body(name, model, loading_info)
    if whole:
        check_all_read(name, loading_info)
    return model


def read_classifier(name: str, folder: Path, config: PreTrainedConfig) -> PreTrainedModel:
    """Load in float32 with the head that it was fine-tuned with, and refuse one without."""
    import transformers

    auto = transformers.AutoModelForSequenceClassification
    model, loading_info = open_model(auto, name, folder, config)
    if unset := sorted(_unset_keys(loading_info)):
        raise EncoderError(
            f"{name} is not a complete classifier: {len(unset)} of its weights are missing or have "
            f"another shape, such as {unset[0]}.",
            "Save a fine-tuned model there, with its head.",
        )
    return model.eval()


def read_finished(name: str, folder: Path, config: PreTrainedConfig, seed: int) -> PreTrainedModel:
    """Load a finished classifier as `read_classifier` does, to train it further or look at it."""
    import transformers

    transformers.set_seed(seed)
    auto = transformers.AutoModelForSequenceClassification
    model, loading_info = open_model(auto, name, folder, config)
    check_body(name, model, loading_info)
    check_all_read(name, loading_info)
    if unset := sorted(_unset_keys(loading_info)):
        raise EncoderError(
            f"{name} has no classification head to keep: {len(unset)} of its weights are missing "
            f"or have another shape, such as {unset[0]}.",
            "Take a new head, or choose a finished classifier.",
        )
    return model.eval()


def read_masked_lm(name: str, folder: Path, seed: int) -> PreTrainedModel:
    """Load in float32 for predicting masked tokens; a missing head gets random weights."""
    import transformers

    config = read_config(name, folder)
    transformers.set_seed(seed)
    model, loading_info = open_model(transformers.AutoModelForMaskedLM, name, folder, config)
    check_body(name, model, loading_info)
    check_all_read(name, loading_info)
    return model


def read_body(name: str, folder: Path) -> PreTrainedModel:
    """Load in float32 without any head."""
    import transformers

    config = read_config(name, folder)
    model, loading_info = open_model(transformers.AutoModel, name, folder, config)
    check_body(name, model, loading_info)
    check_all_read(name, loading_info)
    return model.eval()


def _unset_keys(loading_info: dict[str, Any]) -> set[str]:
    """Return the weights that were missing from the files or had another shape there."""
    mismatched = {key for key, *_ in loading_info["mismatched_keys"]}
    return loading_info["missing_keys"] | mismatched


def check_body(name: str, model: PreTrainedModel, loading_info: dict[str, Any]) -> None:
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


def check_all_read(name: str, loading_info: dict[str, Any]) -> None:
    """Refuse an encoder of whose layers some weights were left over: it is another one.

    A config may describe fewer layers than there are, or a family's code may not know what this
    encoder does, such as BERT with relative positions.
    """
    left = sorted(
        key
        for key in loading_info["unexpected_keys"]
        if _IN_A_LAYER.match(key) and not key.endswith(_BUFFERS)
    )
    if left:
        raise EncoderError(
            f"The weights of {name} do not fit its config.json: {len(left)} of its layers' weights "
            f"would not be used, such as {left[0]}.",
            "Download both again from the same place, or choose another encoder.",
        )


def count_saved(name: str, folder: Path) -> int:
    """Count like :func:`count_parameters`, from the headers of the weight files alone."""
    arrays = stored_arrays(name, check_weight_files(name, folder))
    # "bert.embeddings.word_embeddings.weight": whatever lacks the prefix belongs to a head.
    first = next((key for key in arrays if "embeddings" in key), "").partition(".")[0]
    prefix = "" if "embeddings" in first else first
    body = (key for key in arrays if key.startswith(prefix) and "pooler" not in key)
    return sum(math.prod(arrays[key].shape) for key in body if not key.endswith("position_ids"))


def check_folder(name: str, folder: Path) -> None:
    """Refuse a folder in which weights, some of them, or the tokenizer are missing."""
    check_files(name, [path.name for path in files_in(name, folder)])
    check_weight_files(name, folder)
    tokenizer_jsons(name, folder)
    tokenizer_files(name, folder)


def check_foreign_model(folder: Path) -> None:
    """Refuse the model of a run from elsewhere that would read other files or run other code.

    Raises
    ------
    EncoderError
        That the model is complete is not looked at: a run can be shown without.
    """
    name = f"its {folder.name}"
    if (folder / "config.json").exists():
        checked_settings(name, read_settings(name, folder))
    if (folder / INDEX).exists():
        parts_of_index(name, folder / INDEX)
    tokenizer_jsons(name, folder)


def check_files(name: str, files: Collection[str]) -> None:
    """Refuse an encoder that, by the names of its files, has no weights or no tokenizer."""
    if not any(file in (WHOLE, INDEX) or SHARD.fullmatch(file) for file in files):
        pickled = any(file.endswith((".bin", ".pt", ".h5", ".msgpack")) for file in files)
        raise EncoderError(
            f"{name} has no weights in safetensors"
            + (", only in a format that layerviz does not open." if pickled else "."),
            "Choose another, or convert it: huggingface.co/spaces/safetensors/convert for the Hub, "
            "save_pretrained for a folder.",
        )
    if not any(MAIN_FILE.fullmatch(file) for file in files):
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
    if config.pad_token_id is None and config.model_type in POSITIONS_AFTER_PAD:
        raise EncoderError(
            f"The config.json of {name} has no pad_token_id, from which a {config.model_type} "
            "model counts positions.",
            "Download the file again, or choose another encoder.",
        )
    if len(tokenizer) > config.vocab_size:
        raise EncoderError(
            f"{name} has {config.vocab_size:,} word vectors for {len(tokenizer):,} tokens.",
            "Save the tokenizer that it was trained with next to it.",
        )
