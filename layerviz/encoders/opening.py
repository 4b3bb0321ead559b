"""The one door through which files become a tokenizer or a model.

All calls of ``from_pretrained`` are here. transformers never sees the folder itself, which may hold
anything: it sees a folder beside it, with links to the files that were checked and with settings
that were read and written anew. So weights come from safetensors, code that comes with an encoder
is never run, nothing is fetched, and no adapter, pickle or further file is found.
"""

from __future__ import annotations

import copy
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerviz.disks import temporary_folder
from layerviz.encoders.info import count_parameters
from layerviz.encoders.silencing import quiet
from layerviz.encoders.weight_files import (
    INDEX,
    WHOLE,
    check_inside,
    check_weight_files,
    damaged,
    stored_arrays,
)
from layerviz.errors import EncoderError, LayervizError, reason
from layerviz.memory import free_memory

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

_CONFIG = "config.json"
_BYTES_PER_WEIGHT = 4  # in float32


def open_config(settings: Mapping[str, Any], folder: Path) -> PreTrainedConfig:
    """Return the config of these settings, as if it had been read from a folder.

    Raises
    ------
    Exception
        Whatever the family's class says of settings that it cannot be made of.
    """
    from transformers.models.auto import configuration_auto

    kind = configuration_auto.CONFIG_MAPPING[settings["model_type"]]
    return kind.from_dict(copy.deepcopy(dict(settings)), name_or_path=str(folder))


def open_tokenizer(
    name: str,
    folder: Path,
    config: PreTrainedConfig,
    jsons: Mapping[str, Mapping[str, Any]],
    files: Sequence[Path],
) -> PreTrainedTokenizerBase:
    """Return a tokenizer.

    Parameters
    ----------
    name : str
        Of its encoder, for messages.
    folder : Path
        Where it lies.
    config : PreTrainedConfig
        Of its encoder: the family decides on the class.
    jsons : mapping of str to mapping
        By their names, what its files of settings may say.
    files : sequence of Path
        Its other files.

    Raises
    ------
    EncoderError
        If it cannot be made of them.
    """
    import transformers

    check_inside(name, folder, list(files))

    def as_error(error: BaseException) -> EncoderError:
        return EncoderError(
            f"The tokenizer of {name} cannot be read: {said(error)}.",
            "Save it as tokenizer.json, which needs no further package, or choose another encoder.",
        )

    written = {_CONFIG: {"model_type": config.model_type}, **jsons}
    with _sealed({file.name: file for file in files}, written) as sealed, library_errors(as_error):
        tokenizer = transformers.AutoTokenizer.from_pretrained(
            sealed, config=config, local_files_only=True, trust_remote_code=False
        )
        if not isinstance(tokenizer, transformers.PreTrainedTokenizerBase):
            raise TypeError(f"{type(tokenizer).__name__} is no tokenizer")
        _name_after(tokenizer, sealed, folder)
        return tokenizer


def open_model(
    auto: Any, name: str, folder: Path, config: PreTrainedConfig, *, outline: bool = False
) -> tuple[PreTrainedModel, dict[str, Any]]:
    """Return a model in float32 and what transformers says of loading it.

    Parameters
    ----------
    auto : type
        ``AutoModel`` or one of its kin.
    name : str
        For messages.
    folder : Path
        Where its weights lie.
    config : PreTrainedConfig
    outline : bool
        Make a model of shapes without contents, which takes no memory and draws no random number.

    Returns
    -------
    model : PreTrainedModel
    loading_info : dict
        ``missing_keys`` and ``mismatched_keys`` among others.

    Raises
    ------
    EncoderError
        If its files are damaged or of another kind, do not hold as many weights as the config
        describes, or do not fit into memory.
    """
    import torch

    files = check_weight_files(name, folder)
    arrays = stored_arrays(name, files)
    check_size(auto, name, config, sum(_size(array.shape) for array in arrays.values()))
    if files[0].name == WHOLE:
        links, index = {WHOLE: files[0]}, {}
    else:
        links = {
            f"model-{number:05d}-of-{len(files):05d}.safetensors": file
            for number, file in enumerate(files, start=1)
        }
        places = {key: new for new, file in links.items() for key in stored_arrays(name, [file])}
        index = {INDEX: {"metadata": {}, "weight_map": places}}

    def as_error(error: BaseException) -> EncoderError:
        return damaged(name, ValueError(said(error)))

    with _sealed(links, index) as sealed, library_errors(as_error), quiet():
        model, loading_info = auto.from_pretrained(
            sealed,
            config=config,
            dtype=torch.float32,
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=True,
            ignore_mismatched_sizes=True,  # a head fine-tuned for other classes
            output_loading_info=True,
            device_map="meta" if outline else None,
        )
        _name_after(model, sealed, folder)
        model.config.name_or_path = str(folder)
        return model, loading_info


def check_size(auto: Any, name: str, config: PreTrainedConfig, n_stored: int) -> None:
    """Refuse a config that describes more weights than there are, before any is made.

    Parameters
    ----------
    auto : type
        ``AutoModel`` or one of its kin.
    name : str
        For messages.
    config : PreTrainedConfig
    n_stored : int
        How many weights the files hold.

    Raises
    ------
    EncoderError
        If no model can be made of the config, or it is too large.
    """

    import torch

    def as_error(error: BaseException) -> EncoderError:
        return EncoderError(
            f"No model can be made of the config.json of {name}: {said(error)}.",
            "Download the file again, or choose another encoder.",
        )

    # Shapes without contents, for which nothing is drawn at random: another thread may be training.
    with library_errors(as_error), torch.device("meta"), quiet():
        outline = auto.from_config(copy.deepcopy(config), dtype=torch.float32)
        n_body = count_parameters(outline)
        n_all = sum(weight.numel() for weight in outline.parameters())
    if n_body > n_stored:
        raise EncoderError(
            f"The weights of {name} do not fit its config.json, which describes {n_body:,}: its "
            f"files hold {n_stored:,}.",
            "Download both again from the same place.",
        )
    needed, free = n_all * _BYTES_PER_WEIGHT, free_memory()
    if needed > free:
        raise EncoderError(
            f"{name} needs {needed / 1e9:,.1f} GB of memory, and {free / 1e9:,.1f} GB are free.",
            "Choose a smaller encoder, or close what else takes memory.",
        )


@contextmanager
def library_errors(as_error: Callable[[BaseException], EncoderError]) -> Iterator[None]:
    """Turn whatever a library says of files that people brought into one sentence.

    Every kind of error is caught, since damaged files meet every line of the libraries: failed
    assertions, divisions by zero, and panics of Rust code, which are no `Exception`.
    """
    try:
        yield
    except LayervizError:
        raise
    except BaseException as error:
        if isinstance(error, Exception) or type(error).__name__ == "PanicException":
            raise as_error(error) from error
        raise


@contextmanager
def _sealed(links: Mapping[str, Path], jsons: Mapping[str, Any]) -> Iterator[Path]:
    """Yield a folder that holds links to some files and some JSON, and is gone afterwards."""
    with temporary_folder() as sealed:
        for new, file in links.items():
            _link(file.resolve(), sealed / new)
        for new, content in jsons.items():
            (sealed / new).write_text(json.dumps(content), encoding="utf-8")
        yield sealed


def _link(file: Path, new: Path) -> None:
    try:
        new.symlink_to(file)
    except OSError:  # Windows lets few people make links
        try:
            os.link(file, new)
        except OSError:  # on another disk
            shutil.copyfile(file, new)


def _name_after(loaded: Any, sealed: Path, folder: Path) -> None:
    """Let what was loaded remember the folder that its files are from."""
    for values in (vars(loaded), getattr(loaded, "init_kwargs", {})):
        for key, value in values.items():
            if isinstance(value, str) and value.startswith(str(sealed)):
                values[key] = str(folder) + value.removeprefix(str(sealed))


def _size(shape: tuple[int, ...]) -> int:
    size = 1
    for length in shape:
        size *= length
    return size


def said(error: BaseException) -> str:
    """Return what an error of a library says, on one line."""
    return reason(error) if isinstance(error, Exception) else str(error)[:200]
