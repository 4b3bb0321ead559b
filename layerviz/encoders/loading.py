"""From a name to an encoder: its tokenizer and its model.

A name is that of a bundled starter or a scratch encoder, a Hub id or a local folder (see
`describing`). Only :func:`load` reaches the network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

from layerviz.config import HEAD_BY_INDEX, NEW_HEAD
from layerviz.encoders.configs import read_config, read_trained_config
from layerviz.encoders.depth import (
    Batch,
    cannot_be_cut,
    check_cut,
    check_layers,
    example_batch,
    shortened,
    shortened_info,
)
from layerviz.encoders.describing import describe, locate, scratch_family
from layerviz.encoders.folders import (
    check_fit,
    check_folder,
    read_body,
    read_classifier,
    read_finished,
    read_model,
    read_tokenizer,
)
from layerviz.encoders.heads import class_columns, put_in_order
from layerviz.encoders.hub import download_encoder
from layerviz.encoders.info import (
    LoadedEncoder,
    count_parameters,
    fit_inputs,
    label_settings,
)
from layerviz.encoders.scratch import SCRATCH_SIZES, build_scratch, train_tokenizer
from layerviz.encoders.trying import check_states
from layerviz.encoders.weight_files import check_numbers, check_weight_files
from layerviz.errors import EncoderError
from layerviz.progress import OnProgress, ShouldStop, ignore, never, stop_if_asked


def load_tokenizer(name: str, *, texts: Sequence[str] | None = None) -> PreTrainedTokenizerBase:
    """Return the tokenizer of ``name`` from this disk; a scratch one is trained on ``texts``.

    Raises
    ------
    EncoderError
        If it is not on this disk or cannot be read, or if ``texts`` are needed and missing.
    """
    source, folder = locate(name)
    if source == "scratch":
        family = scratch_family(name)
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
    keep_head: str = NEW_HEAD,
    on_progress: OnProgress = ignore,
    should_stop: ShouldStop = never,
) -> LoadedEncoder:
    """Return the encoder with a new classification head, or its own, and its tokenizer.

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
    keep_head : {"no", "by-name", "by-index"}
        Whether a finished classifier keeps its head; see `heads.class_columns`.
    on_progress : callable
        Called with a `Progress` that counts bytes, while files come from the Hub.
    should_stop : callable
        Asked before each step and for each MiB; the work ends when it returns True.

    Raises
    ------
    EncoderError
        If the encoder cannot be had, is of the wrong kind, cannot read ``max_length`` tokens,
        cannot be cut, or has no head to keep that tells the data's classes apart.
    ConfigError
        If it has fewer layers than are to be kept.
    Cancelled
        If ``should_stop`` returned True; files that came whole are kept.
    """
    stop_if_asked(should_stop)
    source, folder = locate(name)
    if source == "scratch" and keep_head != NEW_HEAD:
        raise EncoderError(
            f"{name} is made anew and has no classification head to keep.",
            "Choose a finished classifier, or take a new head.",
        )
    if source == "scratch":
        family = scratch_family(name)
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
    info = describe(name)
    check_layers(info, freeze=0, keep_layers=keep_layers)
    columns = None
    if keep_head != NEW_HEAD:
        columns = class_columns(name, config, label_names, by_index=keep_head == HEAD_BY_INDEX)
    else:
        config.update(labels)
    text = texts[0] if texts else name
    batch = example_batch(tokenizer(text, truncation=True, max_length=max_length).input_ids)
    if columns is not None:
        model = read_finished(name, folder, config, seed)
        put_in_order(name, model, columns, batch)
        model.config.update(labels)
    elif keep_layers is None:
        model = read_model(name, folder, config, seed)
    else:
        model = _read_shortened(name, folder, shortened(config, keep_layers), seed, batch)
    check_numbers(name, check_weight_files(name, folder))
    fit_inputs(model, tokenizer)
    check_states(name, model, tokenizer)
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
        fit_inputs(model, tokenizer)
        check_states(name, model, tokenizer)
    except EncoderError as error:  # its hint is about an encoder that could be downloaded again
        raise EncoderError(
            error.message, "Delete the run and start it again with the same data and settings."
        ) from error
    info = replace(describe(str(folder)), label=name, parameters=count_parameters(model))
    return LoadedEncoder(model, tokenizer, info)


def _read_shortened(
    name: str, folder: Path, config: PreTrainedConfig, seed: int, batch: Batch
) -> PreTrainedModel:
    """Load the first layers of an encoder, with a new head, and refuse those that differ alone."""
    whole = read_body(name, folder)
    try:
        model = read_model(name, folder, config, seed, whole=False)
    except EncoderError as error:  # the whole one could be read
        raise cannot_be_cut("some of its weights depend on the number of layers") from error
    check_cut(model, whole, batch)
    return model


def _as_kept(loaded: LoadedEncoder, keep_layers: int | None) -> LoadedEncoder:
    if keep_layers is None:
        return loaded
    parameters = count_parameters(loaded.model)
    return replace(loaded, info=shortened_info(loaded.info, keep_layers, parameters))
