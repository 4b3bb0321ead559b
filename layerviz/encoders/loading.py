"""From a name to an encoder: the catalogue, what is known from this disk, tokenizer and model.

A name is that of a bundled starter or a scratch encoder, a Hub id or a local folder. Only
:func:`load` reaches the network.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from huggingface_hub import try_to_load_from_cache
from huggingface_hub.utils import validate_repo_id
from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

from layerviz.encoders.depth import (
    Batch,
    cannot_be_cut,
    check_cut,
    check_layers,
    example_batch,
    shortened,
    shortened_info,
)
from layerviz.encoders.folders import (
    check_fit,
    check_folder,
    check_mask,
    count_saved,
    is_wanted,
    read_body,
    read_classifier,
    read_config,
    read_model,
    read_tokenizer,
    read_trained_config,
    tokenizer_limit,
)
from layerviz.encoders.hub import download_encoder
from layerviz.encoders.info import (
    FAMILY_LABELS,
    SOURCE_NOTES,
    EncoderInfo,
    LoadedEncoder,
    count_parameters,
    label_settings,
    max_positions,
)
from layerviz.encoders.scratch import (
    SCRATCH_SIZES,
    build_scratch,
    scratch_info,
    train_tokenizer,
)
from layerviz.errors import EncoderError, did_you_mean
from layerviz.progress import OnProgress, ShouldStop, ignore, never, stop_if_asked
from layerviz.starters import STARTERS, starter_names

ALMOST_ALIKE = 0.8  # names of encoders: ids on the Hub resemble those of starters
HUB_POSITIONS = 512  # tokens that the encoders of the catalogue read that are on the Hub
_SCRATCH = "scratch-"


def _hub_info(
    name: str, label: str, family: str, layers: int, hidden_size: int, parameters: int
) -> EncoderInfo:
    note = SOURCE_NOTES["hub"]
    return EncoderInfo(name, label, family, "hub", layers, hidden_size, parameters, False, note)


_HUB = {
    info.name: info
    for info in (
        _hub_info(
            "google-bert/bert-base-uncased", "BERT base (uncased)", "BERT", 12, 768, 108_891_648
        ),
        _hub_info("FacebookAI/roberta-base", "RoBERTa base", "RoBERTa", 12, 768, 124_055_040),
        _hub_info(
            "distilbert/distilbert-base-uncased",
            "DistilBERT base (uncased)",
            "DistilBERT",
            6,
            768,
            66_362_880,
        ),
    )
}


def catalogue() -> list[EncoderInfo]:
    """Return what the page offers: bundled starters, scratch encoders, then three Hub ids."""
    scratch = [f"{_SCRATCH}{family}" for family in SCRATCH_SIZES]
    return [describe(name) for name in (*starter_names(STARTERS), *scratch, *_HUB)]


def describe(name: str) -> EncoderInfo:
    """Return what is known of ``name`` from this disk, without the network.

    Raises
    ------
    EncoderError
        If ``name`` is neither in the catalogue, nor an existing folder, nor a possible Hub id.
    """
    source, folder = locate(name)
    if source == "scratch":
        family = _scratch_family(name)
        return scratch_info(family, SCRATCH_SIZES[family])
    info = _HUB.get(name) or EncoderInfo(
        name=name,
        label=_label(name, source),
        family="unknown",
        source=source,
        layers=None,
        hidden_size=None,
        parameters=None,
        on_disk=False,
        note=SOURCE_NOTES[source],
    )
    if folder is None:
        return info
    try:
        config = read_trained_config(name, folder)
        info = replace(
            info,
            family=FAMILY_LABELS.get(config.model_type, config.model_type),
            layers=config.num_hidden_layers,
            hidden_size=config.hidden_size,
        )
        check_mask(name, config)
        check_folder(name, folder)
        return replace(info, parameters=count_saved(name, folder), on_disk=True)
    except EncoderError as error:
        # A Hub encoder of which a part is missing is simply downloaded; others must be repaired.
        return info if source == "hub" else replace(info, note=str(error))


def expect_on_disk(name: str) -> EncoderInfo:
    """Return what is known of an encoder that is on this disk, or may come from the Hub.

    Raises
    ------
    EncoderError
        If a starter or a local folder is incomplete, or this is almost the name of a starter.
    """
    info = describe(name)
    if info.source == "hub" and not info.on_disk:
        refuse_misspelt(name)
    if info.source != "hub" and not info.on_disk:
        raise EncoderError(info.note)
    return info


def version(name: str) -> str:
    """Return 12 hexadecimal digits for the state of an encoder's files; "" if it has no folder.

    A starter's are taken from its contents, the same on all machines; those of a local folder,
    which may hold gigabytes, from the sizes and times of its files. Scratch encoders and Hub ids
    have none.
    """
    source, folder = locate(name)
    if source not in ("bundled", "local") or folder is None:
        return ""
    stats = {path.name: path.stat() for path in sorted(folder.iterdir()) if is_wanted(path.name)}
    state = tuple((file, stat.st_size, stat.st_mtime_ns) for file, stat in stats.items())
    if source == "bundled":
        return _content_version(folder, state)
    return hashlib.sha256(json.dumps(state).encode()).hexdigest()[:12]


@lru_cache(maxsize=16)
def _content_version(folder: Path, state: tuple[tuple[str, int, int], ...]) -> str:
    digest = hashlib.sha256()
    for file, *_ in state:
        digest.update(file.encode() + (folder / file).read_bytes())
    return digest.hexdigest()[:12]


def most_tokens(name: str) -> int | None:
    """Return the most tokens of a text, special ones included, that an encoder reads.

    None where there is no limit (scratch encoders are made for the length that is asked for), or
    where it is not known before the encoder is on this disk.
    """
    source, folder = locate(name)
    if source == "scratch":
        return None
    if folder is None:
        return HUB_POSITIONS if name in _HUB else None
    try:
        config = read_trained_config(name, folder)
    except EncoderError:
        return None  # loading says what is wrong with it
    return max_positions(config, tokenizer_limit(folder))


def load_tokenizer(name: str, *, texts: Sequence[str] | None = None) -> PreTrainedTokenizerBase:
    """Return the tokenizer of ``name`` from this disk; a scratch one is trained on ``texts``.

    Raises
    ------
    EncoderError
        If it is not on this disk or cannot be read, or if ``texts`` are needed and missing.
    """
    source, folder = locate(name)
    if source == "scratch":
        family = _scratch_family(name)
        return train_tokenizer(family, texts or (), SCRATCH_SIZES[family].vocab_size)
    if folder is None:
        raise EncoderError(f"{name} is not on this disk yet.", "Start a run, which downloads it.")
    return read_tokenizer(name, folder)


def load(
    name: str,
    *,
    label_names: Sequence[str],
    seed: int,
    texts: Sequence[str],
    max_length: int,
    keep_layers: int | None = None,
    on_progress: OnProgress = ignore,
    should_stop: ShouldStop = never,
) -> LoadedEncoder:
    """Return the encoder with a new classification head, and its tokenizer.

    Parameters
    ----------
    name : str
        A catalogue name, a Hub id (looked for on this disk first) or a local folder.
    label_names : sequence of str
        Two or more distinct class names, in the order of the label ids.
    seed : int
        Sets the global random state, from which the head (and scratch weights) are drawn.
    texts : sequence of str
        Train texts, on which a scratch encoder's tokenizer is trained; unused otherwise.
    max_length : int
        Most tokens that will be fed, special ones included.
    keep_layers : int, optional
        Keep only the first so many layers, with the head on top of them; by default all.
    on_progress : callable
        Called with a `Progress` that counts bytes, while files come from the Hub.
    should_stop : callable
        Asked before each step and for each MiB; the work ends when it returns True.

    Raises
    ------
    EncoderError
        If the encoder cannot be had, is of the wrong kind, cannot read ``max_length`` tokens or
        cannot be cut.
    ConfigError
        If it has fewer layers than are to be kept.
    Cancelled
        If ``should_stop`` returned True; files that came whole are kept.
    """
    stop_if_asked(should_stop)
    source, folder = locate(name)
    if source == "scratch":
        family = _scratch_family(name)
        size = SCRATCH_SIZES[family]
        size = replace(size, positions=max(size.positions, max_length))
        check_layers(describe(name), freeze=0, keep_layers=keep_layers)
        if keep_layers is not None:  # without training, the first layers are as good as any
            size = replace(size, layers=keep_layers)
        built = build_scratch(family, size, texts, label_names=label_names, seed=seed)
        return _as_kept(built, keep_layers)
    labels = label_settings(label_names)
    if folder is not None:
        read_config(name, folder)  # refuses the wrong kind without the network
    if folder is None or (source == "hub" and not describe(name).on_disk):
        folder = download_encoder(name, on_progress, should_stop)
    config = read_config(name, folder)
    check_folder(name, folder)
    tokenizer = read_tokenizer(name, folder)
    check_fit(name, tokenizer, config, max_length)
    stop_if_asked(should_stop)
    config.update(labels)
    info = describe(name)
    check_layers(info, freeze=0, keep_layers=keep_layers)
    if keep_layers is None:
        model = read_model(name, folder, config, seed)
    else:
        text = texts[0] if texts else name
        batch = example_batch(tokenizer(text, truncation=True, max_length=max_length).input_ids)
        model = _read_shortened(name, folder, shortened(config, keep_layers), seed, batch)
    _leave_out_inputs(model, tokenizer)
    loaded = LoadedEncoder(model, tokenizer, replace(info, parameters=count_parameters(model)))
    return _as_kept(loaded, keep_layers)


def load_trained(folder: Path, n_layers: int | None = None) -> LoadedEncoder:
    """Return the fine-tuned classifier of a run, head included, in evaluation mode.

    Nothing but this folder is read, and no random number is drawn.

    Parameters
    ----------
    folder : Path
        A run's ``model`` folder, or another that ``save_pretrained`` wrote.
    n_layers : int, optional
        Only the first so many layers are loaded, by default all.

    Raises
    ------
    EncoderError
        If it is missing, or holds anything but a complete classifier with its tokenizer.
    """
    folder = folder.resolve()
    name = f"{folder.parent.name}/{folder.name}"
    if not folder.is_dir():
        raise EncoderError(
            f"There is no fine-tuned model in {name}.",
            "A run saves its model when training ends: wait until then, or start the run again.",
        )
    try:
        config = read_trained_config(name, folder)
        check_folder(name, folder)
        tokenizer = read_tokenizer(name, folder)
        check_fit(name, tokenizer, config, max_length=0)
        if n_layers is not None:
            config = shortened(config, n_layers)
        model = read_classifier(name, folder, config)
    except EncoderError as error:  # its hint is about an encoder that could be downloaded again
        raise EncoderError(
            error.message, "Delete the run and start it again with the same data and settings."
        ) from error
    _leave_out_inputs(model, tokenizer)
    info = replace(describe(str(folder)), label=name, parameters=count_parameters(model))
    return LoadedEncoder(model, tokenizer, info)


def _read_shortened(
    name: str, folder: Path, config: PreTrainedConfig, seed: int, batch: Batch
) -> PreTrainedModel:
    """Load the first layers of an encoder, with a new head, and refuse those that differ alone."""
    whole = read_body(name, folder)
    try:
        model = read_model(name, folder, config, seed)
    except EncoderError as error:  # the whole one could be read
        raise cannot_be_cut("some of its weights depend on the number of layers") from error
    check_cut(model, whole, batch)
    return model


def _as_kept(loaded: LoadedEncoder, keep_layers: int | None) -> LoadedEncoder:
    if keep_layers is None:
        return loaded
    parameters = count_parameters(loaded.model)
    return replace(loaded, info=shortened_info(loaded.info, keep_layers, parameters))


def _leave_out_inputs(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
    """Leave out what the model does not accept: AutoTokenizer gives DistilBERT a BERT tokenizer."""
    accepted = inspect.signature(model.base_model.forward).parameters
    tokenizer.model_input_names = [n for n in tokenizer.model_input_names if n in accepted]


def _scratch_family(name: str) -> str:
    return name.removeprefix(_SCRATCH)


def _label(name: str, source: str) -> str:
    family, dash, size = name.partition("-")
    if source == "bundled" and dash:
        return f"{FAMILY_LABELS.get(family, family)} {size}"
    return Path(name).name if source == "local" else name


def locate(name: str) -> tuple[str, Path | None]:
    """Return the source of ``name`` and its folder, None for scratch and where this disk has none.

    Raises
    ------
    EncoderError
        If ``name`` cannot be the name of an encoder.
    """
    if re.fullmatch(rf"{_SCRATCH}\w*", name):
        if _scratch_family(name) not in SCRATCH_SIZES:
            choices = ", ".join(f"{_SCRATCH}{family}" for family in SCRATCH_SIZES)
            hint = did_you_mean(name, choices.split(", "), f"Choose one of {choices}.")
            raise EncoderError(f"There is no encoder {name}.", hint)
        return "scratch", None
    if (
        re.fullmatch(r"[a-z0-9][\w.-]{0,99}", name, re.ASCII)
        and (STARTERS / name / "config.json").is_file()
    ):
        return "bundled", STARTERS / name
    try:
        if name and name not in _HUB and (folder := Path(name).expanduser()).is_dir():
            return "local", folder
        validate_repo_id(name)
    except (OSError, ValueError, RuntimeError) as error:  # an impossible path, or no Hub id
        raise EncoderError(
            f"{name[:120]!r} is neither an existing folder nor a Hub id.",
            did_you_mean(
                name,
                _folders_beside(name),
                "Enter an id such as google-bert/bert-base-uncased, or the path of a model's "
                "folder.",
            ),
        ) from error
    cached = try_to_load_from_cache(name, "config.json")
    return "hub", Path(cached).parent if isinstance(cached, str) else None


def refuse_misspelt(name: str) -> None:
    """Refuse what is almost the name of a starter or a scratch encoder.

    Ids on the Hub have an owner, but for a few old ones that are no more alike.
    """
    names = [*starter_names(STARTERS), *(f"{_SCRATCH}{family}" for family in SCRATCH_SIZES)]
    guess = "" if "/" in name or name in _HUB else did_you_mean(name, names, alike=ALMOST_ALIKE)
    if guess:
        raise EncoderError(
            f"There is no encoder {name} here.",
            f"{guess} For one on the Hugging Face Hub, type owner/name.",
        )


def _folders_beside(name: str) -> list[str]:
    """Return the folders among which a path that does not exist would be."""
    try:
        parent = Path(name).expanduser().parent
        return [str(path) for path in parent.iterdir() if path.is_dir()] if "/" in name else []
    except (OSError, ValueError, RuntimeError):
        return []
