"""Reading an encoder's ``config.json``: nothing that it says is passed on unlooked at."""

from __future__ import annotations

import inspect
import json
import math
from collections.abc import Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerviz.encoders.below import ADAPTER, CONFIG
from layerviz.encoders.config_keys import (
    FASTER_ATTENTION,
    FETCH_KERNELS,
    IMPLEMENTATIONS,
    KEYS,
    NO_TEXT_ENCODERS,
    NOT_ENCODERS,
    PADDING_COUNTS,
    REFUSED,
)
from layerviz.encoders.info import FAMILY_LABELS
from layerviz.encoders.opening import library_errors, open_config, said
from layerviz.encoders.outline import Outline, outline_of
from layerviz.encoders.weight_files import check_inside
from layerviz.errors import EncoderError
from layerviz.rereading import State, settled_state
from layerviz.wording import quote

if TYPE_CHECKING:
    from transformers import PreTrainedConfig

MOST_LAYERS = 200
MOST_CLASSES = 100_000
_MOST_NUMBER = 10_000_000
_MOST_PARTS = 10_000  # of anything that a layer has several of
_MOST_BYTES = 20_000_000  # 100,000 labels of 100 letters, twice
_LAYERS = {
    "num_hidden_layers", "n_layers", "num_hidden_groups", "inner_group_num",
    "num_feedforward_networks",
}  # fmt: skip
_POSITIVE = {
    "dim", "emb_dim", "hidden_dim", "hidden_size", "intermediate_size", "max_position_embeddings",
    "n_heads", "n_layers", "num_attention_heads", "num_hidden_layers", "num_key_value_heads",
    "vocab_size",
}  # fmt: skip
_TABLES = {"id2label", "label2id", "rope_parameters", "rope_scaling"}


def read_config(name: str, folder: Path) -> PreTrainedConfig:
    """Return the config of an encoder that layerviz can use; anything else is an error."""
    config = read_trained_config(name, folder)
    check_mask(name, config)
    return config


def read_trained_config(name: str, folder: Path) -> PreTrainedConfig:
    """Return the config of an encoder that layerviz can use, or could when a run was made."""
    settings = read_settings(name, folder)
    model_type = str(settings.get("model_type", "nameless"))[:80]
    _check_kind(name, model_type)
    settings = checked_settings(name, settings)
    with library_errors(partial(_unreadable, folder / "config.json")):
        config = open_config(settings, folder)
        layers, width = int(config.num_hidden_layers), int(config.hidden_size)
        if layers < 1 or width < 1:
            raise ValueError(f"it describes {layers} layers with a hidden size of {width}")
    if getattr(config, "is_encoder_decoder", False):
        raise _not_an_encoder(name, model_type)
    if getattr(config, "is_decoder", False):
        raise EncoderError(
            f"{name} is a {model_type} model that is set up as a decoder (is_decoder in its "
            "config.json): each token sees those before it alone.",
            "Set is_decoder to false there if it was trained as an encoder, or choose another one.",
        )
    return config


def read_settings(name: str, folder: Path) -> dict[str, Any]:
    """Return what a folder's ``config.json`` holds; see `checked_settings` before using it.

    Raises
    ------
    EncoderError
        If there is none, it is a link out of the folder, or it cannot be read.
    """
    path = folder / "config.json"
    refuse_adapter(name, folder)
    if not path.is_symlink() and not path.exists():
        raise EncoderError(
            f"{name} has no config.json.", "Point to a folder that save_pretrained wrote."
        )
    check_inside(name, folder, [path])
    with library_errors(partial(_unreadable, path)):
        if (size := path.stat().st_size) > _MOST_BYTES:
            raise ValueError(f"it has {size / 1e6:,.0f} MB")
        settings = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(settings, dict):
            raise ValueError("it holds no settings")
        return settings


def refuse_adapter(name: str, folder: Path) -> None:
    """Refuse an adapter, such as PEFT's, and say of which model it is.

    Raises
    ------
    EncoderError
    """
    path = folder / ADAPTER
    if not path.exists() or (folder / CONFIG).exists():
        return
    check_inside(name, folder, [path])
    with library_errors(partial(_unreadable, path)):
        if path.stat().st_size > _MOST_BYTES:
            raise ValueError("it is far too large")
        settings = json.loads(path.read_text(encoding="utf-8"))
        base = settings.get("base_model_name_or_path") if isinstance(settings, dict) else None
    of = f" of {quote(str(base))}" if base else ""
    raise EncoderError(
        f"{name} is an adapter{of} and no whole model: it holds only the weights that were added.",
        "Merge it with its model first (merge_and_unload of peft, then save_pretrained with the "
        "tokenizer), and choose the folder of that.",
    )


def known_config(name: str, folder: Path, *, is_local: bool = True) -> PreTrainedConfig | Outline:
    """As `read_trained_config`, for who only looks at it: it may be one that was read before.

    Of a usual encoder that is no folder of the user's own (`is_local`), the outline is enough.
    """
    outline = None if is_local else outline_of(checked_settings(name, read_settings(name, folder)))
    if outline is not None:
        return outline
    state = settled_state(folder / "config.json")
    return read_trained_config(name, folder) if state is None else _config_in(name, folder, state)


@lru_cache(maxsize=64)
def _config_in(name: str, folder: Path, state: State) -> PreTrainedConfig:
    del state  # part of the key alone
    return read_trained_config(name, folder)


def brings_code(name: str, folder: Path) -> bool:
    """Return whether an encoder comes with code of its own, which is left out."""
    return bool(read_settings(name, folder).get("auto_map"))


def checked_settings(name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a ``config.json`` says of its encoder, and nothing else.

    Parameters
    ----------
    name : str
        Of the encoder, for messages.
    settings : mapping
        As the file has them.

    Raises
    ------
    EncoderError
        If a setting makes transformers fetch or run something, read another file, or need an
        impossible amount of memory.
    """
    for key, why in REFUSED.items():
        if settings.get(key):
            raise EncoderError(
                f"{name} {why} ({key} in its config.json), which layerviz does not open.",
                "Choose another encoder, or save this one with save_pretrained without it.",
            )
    kept = {key: value for key, value in settings.items() if key in KEYS}
    if kept.get("num_labels", 0) is None:
        del kept["num_labels"]
    for key, allowed in IMPLEMENTATIONS.items():
        value = settings.get(key)
        if value is None or value in FASTER_ATTENTION:
            continue
        _check_implementation(name, key, value, allowed)
        kept[key.removeprefix("_").removesuffix("_internal")] = value
    if kept.get("is_folding_model"):
        raise EncoderError(f"{name} folds proteins.", "Choose an encoder of texts.")
    for key, value in kept.items():
        if (wrong := _what_is_wrong(key, value)) is not None:
            raise EncoderError(
                f"{key} in the config.json of {name} {wrong}.",
                "Download the file again, or choose another encoder.",
            )
    return kept


def check_mask(name: str, config: PreTrainedConfig | Outline) -> None:
    """Refuse an encoder that takes no attention mask, such as FNet.

    To it padding is text: the states of an example would depend on the batch that it was in.
    """
    if isinstance(config, Outline) or config.model_type in FAMILY_LABELS:
        return  # they take one, and importing their code takes a while
    from transformers.models.auto import modeling_auto

    if config.model_type in PADDING_COUNTS:
        raise EncoderError(
            f"{name} is a {config.model_type} model, in which padding changes the vectors of a "
            "text: they depend on the other texts in the batch.",
            "Choose another one, such as a BERT, RoBERTa, DistilBERT or ELECTRA.",
        )
    model: Any = modeling_auto.MODEL_MAPPING[type(config)]
    if "attention_mask" not in inspect.signature(model.forward).parameters:
        raise EncoderError(
            f"{name} is a {config.model_type} model, which takes no attention mask: its vectors of "
            "a text depend on the other texts in the batch.",
            "Choose another one, such as a BERT, RoBERTa, DistilBERT or ELECTRA.",
        )


def _unreadable(path: Path, error: BaseException) -> EncoderError:
    return EncoderError(f"{path} cannot be read: {said(error)}.", "Download the file again.")


def _check_implementation(name: str, key: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise EncoderError(
            f"{name} asks for {quote(str(value))} ({key} in its config.json), which may name code "
            "on the Hub.",
            f"Take {key} out of its config.json, or choose another encoder.",
        )


def _what_is_wrong(key: str, value: object) -> str | None:
    """Return what is wrong with a setting whatever its family, or None."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        most = MOST_LAYERS if key in _LAYERS else _MOST_NUMBER
        if key.startswith("num_"):
            most = min(most, _MOST_PARTS)
        if key == "num_labels":
            most = MOST_CLASSES
        if key in _POSITIVE and value < 1:
            return f"is {_short(value)}, and is 1 or more in any encoder"
        return None if abs(value) <= most else f"is {_short(value)}, and may be {most:,} at most"
    if isinstance(value, float):
        return _what_is_wrong_with_fraction(key, value)
    if isinstance(value, str):
        return None if len(value) <= 1_000 else "is too long"
    if isinstance(value, dict):
        if key not in _TABLES:
            return "holds settings of its own, where there should be one value"
        if len(value) > MOST_CLASSES:
            return f"has {len(value):,} entries, and may have {MOST_CLASSES:,} at most"
        return None
    if isinstance(value, list):
        plain = all(item is None or isinstance(item, bool | int | float | str) for item in value)
        return None if plain and len(value) <= _MOST_PARTS else "is no list of numbers or words"
    return "is nothing that a config holds"


def _what_is_wrong_with_fraction(key: str, value: float) -> str | None:
    if not math.isfinite(value):
        return "is no number"
    if ("dropout" in key or key == "layerdrop") and not 0 <= value <= 1:
        return f"is {value:g}, and a share that is dropped is between 0 and 1"
    if key.endswith("_eps") and not 0 < value < 1:
        return f"is {value:g}, and keeps a division from zero between 0 and 1"
    if key in ("initializer_range", "init_std", "embed_init_std") and value < 0:
        return f"is {value:g}, and no spread is negative"
    return None


def _short(number: int) -> str:
    return f"{number:,}" if abs(number) < 10**12 else "beyond all bounds"


def _check_kind(name: str, model_type: str) -> None:
    from transformers.models.auto import configuration_auto, modeling_auto
    from transformers.utils import is_kernels_available

    if model_type not in configuration_auto.CONFIG_MAPPING_NAMES:
        raise EncoderError(
            f"{name} is a {model_type} model, which transformers cannot build by itself.",
            "Choose one that needs no code of its own: layerviz never runs downloaded code.",
        )
    masked = modeling_auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES.keys() - NO_TEXT_ENCODERS
    classifiers = modeling_auto.MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES.keys()
    if model_type not in masked & classifiers:
        raise _not_an_encoder(name, model_type)
    if model_type in FETCH_KERNELS and is_kernels_available():
        raise EncoderError(
            f"{name} is a {model_type} model, which fetches native code from the Hub while the "
            "package kernels is installed.",
            "Uninstall kernels, or choose another encoder.",
        )


def _not_an_encoder(name: str, model_type: str) -> EncoderError:
    why = f": it {NOT_ENCODERS[model_type]}" if model_type in NOT_ENCODERS else ""
    return EncoderError(
        f"{name} is a {model_type} model that is not a text encoder{why}.",
        "Choose another one, such as a BERT, RoBERTa, DistilBERT or ELECTRA.",
    )
