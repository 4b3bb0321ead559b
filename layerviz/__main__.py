"""The same work without a page: ``python -m layerviz fit``, ``report``, ``compare`` and others."""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from layerviz.arguments import parser
from layerviz.config import POOLINGS, PretrainConfig, RunConfig
from layerviz.errors import Cancelled, ConfigError, DataError, EncoderError, LayervizError

EXIT_OK, EXIT_BAD_INPUT, EXIT_CANCELLED = 0, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    parsed = parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    try:
        return COMMANDS[parsed.command](parsed)
    except LayervizError as error:
        print(f"layerviz: {error}", file=sys.stderr)
        return EXIT_BAD_INPUT


# --- fit ------------------------------------------------------------------------------------


def _fit(parsed: argparse.Namespace) -> int:
    # Data and settings are checked before torch is imported: bad input answers at once.
    config = _config(parsed, parsed.encoder, parsed.seed)
    dataset = _dataset(parsed)
    _check_encoders([config])
    run = _begun(config, dataset, _root(parsed))
    _tell_notes(dataset)
    run = _finished(run, dataset, _stop_on_interrupt())
    if run.status == "done":
        from layerviz import separability

        print(" ".join(separability.answer_of(run).sentences), file=sys.stderr)
    print(run.path)
    return EXIT_OK if run.status == "done" else EXIT_CANCELLED


def _root(parsed: argparse.Namespace) -> Path:
    from layerviz import runs

    return (parsed.runs or runs.runs_folder()).expanduser().resolve()


def _check_encoders(configs: Sequence[RunConfig]) -> None:
    """Refuse at once what is not on this disk, unless it may be on the Hub."""
    from layerviz import encoders

    for config in configs:
        known = encoders.describe(config.encoder)
        if known.source != "hub" and not known.on_disk:
            raise EncoderError(known.note)


def _begun(config: RunConfig, dataset, root: Path):
    """Return a run, new or as it is there; a folder that cannot be used is told here."""
    from layerviz import runs, training

    return runs.create(root, training.with_defaults(config), dataset)


def _tell_notes(dataset) -> None:
    for note in dataset.notes:
        print(note, file=sys.stderr)


def _finished(run, dataset, should_stop: Callable[[], bool]):
    """Return the run when it is done, or was stopped."""
    from layerviz import training

    if run.status == "done":
        print(f"{run.run_id} is there already; nothing to compute.", file=sys.stderr)
        return run
    with _Bar() as bar:
        return training.fit(run, dataset, on_progress=bar.show, should_stop=should_stop)


def _config(parsed: argparse.Namespace, encoder: str, seed: int) -> RunConfig:
    names = (
        "epochs",
        "batch_size",
        "learning_rate",
        "max_length",
        "weight_decay",
        "warmup_ratio",
        "class_weighting",
        "precision",
        "snapshots_per_epoch",
        "max_captured",
    )
    given = {name: getattr(parsed, name) for name in names}
    return RunConfig(encoder=encoder, seed=seed, **given)


def _dataset(parsed: argparse.Namespace):
    from layerviz import data

    train = data.read_table(_bytes(parsed.data), parsed.data.name)
    tables = {
        role: data.read_table(_bytes(path), path.name)
        for role, path in (("val", parsed.val), ("test", parsed.test))
        if path is not None
    }
    columns = _columns(parsed, train)
    return data.build_dataset(train, columns, **tables, val_fraction=parsed.val_fraction, seed=0)


def _columns(parsed: argparse.Namespace, table):
    """Take the columns that were named and guess the others."""
    from layerviz import data

    named = (parsed.text_column, parsed.label_column)
    if all(named):
        guess = data.Columns(*named, split=_split_or_none(table))
    else:
        guess = data.guess_columns(table.frame)
    split = guess.split if parsed.split_column is None else parsed.split_column
    columns = data.Columns(
        text=parsed.text_column or guess.text,
        label=parsed.label_column or guess.label,
        split=None if parsed.split_column == "none" else split,
    )
    data.check_columns(table.frame, columns)
    return columns


def _split_or_none(table) -> str | None:
    from layerviz import data

    try:
        return data.guess_columns(table.frame).split
    except DataError:  # the named columns say what the guess could not
        return None


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(
            f"{path} cannot be read ({error.strerror}).", "Check the path and its permissions."
        ) from error


def _stop_on_interrupt():
    """Let the first Ctrl-C stop the run in good order; a second one ends the program."""
    stop = threading.Event()

    def on_interrupt(number, frame) -> None:  # noqa: ARG001
        print(
            "Stopping; what is done is kept, and the same command goes on from there. "
            "Ctrl-C again ends at once.",
            file=sys.stderr,
        )
        stop.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, on_interrupt)
    return stop.is_set


class _Bar:
    """A progress bar on stderr that follows a run through its phases."""

    def __enter__(self):
        from tqdm import tqdm

        self._bar = tqdm(file=sys.stderr, unit="step", dynamic_ncols=True, mininterval=0.5)
        return self

    def __exit__(self, *_) -> None:
        self._bar.close()

    def show(self, progress) -> None:
        bar = self._bar
        bar.set_description(progress.phase, refresh=False)
        if progress.phase == "downloading":
            bar.set_postfix_str(f"{progress.done / 1e6:.0f}/{progress.total / 1e6:.0f} MB")
        elif progress.phase == "teaching":
            bar.set_postfix_str(f"{progress.done:,}/{progress.total:,} texts", refresh=False)
        elif progress.phase == "capturing":
            bar.set_postfix_str(f"{progress.done}/{progress.total} examples", refresh=False)
        elif progress.phase == "measuring":
            bar.set_postfix_str(f"{progress.done}/{progress.total} layers", refresh=False)
        elif progress.loss is not None:
            bar.set_postfix_str(
                f"epoch {progress.epoch:.2f}, loss {progress.loss:.3f}", refresh=False
            )
        bar.total = progress.total_steps or None
        bar.update(progress.step - bar.n)


# --- report ---------------------------------------------------------------------------------


def _report(parsed: argparse.Namespace) -> int:
    from layerviz import separability

    run = _opened(parsed.which, _root(parsed))
    poolings = (parsed.pooling,) if parsed.pooling else POOLINGS
    answer = separability.answer_of(run, poolings)
    table = separability.report_table(run, answer.best.pooling)
    if parsed.json:
        rows = json.loads(table.to_json(orient="records"))
        print(json.dumps(separability.as_dict(answer) | {"run": run.run_id, "cells": rows}))
    else:
        print(separability.as_text(run, answer, table))
    return EXIT_OK


def _opened(which: str, root: Path):
    """Return a run given by its id or its folder, and measure what of it is not measured."""
    from layerviz import runs, separability

    given = Path(which).expanduser()
    if (given / "run.json").is_file():
        run = runs.open_folder(given.resolve())
    else:
        run = runs.read(root, which)
    for index in separability.missing_measures(run):
        print(f"Measuring snapshot {index} of {run.run_id}", file=sys.stderr)
        separability.measure_snapshot(run, index)
    return run


# --- compare --------------------------------------------------------------------------------


def _compare(parsed: argparse.Namespace) -> int:
    if bool(parsed.which) == bool(parsed.encoder):
        raise ConfigError(
            "Nothing to compare is named, or both runs and encoders are.",
            "Give the ids of two runs or more, or --data and --encoder for each encoder.",
        )
    if parsed.which:
        compared = [_opened(which, _root(parsed)) for which in parsed.which]
        compared = list({run.path: run for run in compared}.values())
    else:
        compared = _made_for_comparison(parsed)
        if any(run.status != "done" for run in compared):
            return EXIT_CANCELLED

    from layerviz import comparison

    contenders = comparison.contenders_of(compared)
    poolings = (parsed.pooling,) if parsed.pooling else POOLINGS
    compared_now = comparison.compare(contenders, poolings)
    table = comparison.table_of(compared_now, contenders)
    if parsed.json:
        print(json.dumps(comparison.as_dict(compared_now, table)))
    else:
        print(comparison.as_text(compared_now, table))
    return EXIT_OK


def _made_for_comparison(parsed: argparse.Namespace) -> list:
    """Make a run for every encoder and seed, one after the other, until one is stopped."""
    if parsed.data is None:
        raise ConfigError("There are no data to compare on.", "Name a CSV file with --data.")
    if parsed.seeds < 1:
        raise ConfigError(f"Seeds is {parsed.seeds}.", "Give 1 or more.")
    configs = [
        _config(parsed, encoder, parsed.seed + more)
        for encoder in dict.fromkeys(parsed.encoder)
        for more in range(parsed.seeds)
    ]
    dataset = _dataset(parsed)
    _check_encoders(configs)
    root, should_stop, made = _root(parsed), _stop_on_interrupt(), []
    for place, config in enumerate(configs):
        run = _begun(config, dataset, root)
        if not place:
            _tell_notes(dataset)
        which = f"Run {place + 1} of {len(configs)}: {config.encoder}, seed {config.seed}"
        print(which, file=sys.stderr)
        made.append(_finished(run, dataset, should_stop))
        if made[-1].status != "done":
            break
    return made


# --- pretrain -------------------------------------------------------------------------------


def _pretrain(parsed: argparse.Namespace) -> int:
    names = (
        "family",
        "hidden_size",
        "heads",
        "vocab_size",
        "start",
        "teacher",
        "teacher_weight",
        "epochs",
        "batch_size",
        "warmup_steps",
        "max_length",
        "seed",
        "precision",
    )
    layers = (
        (6 if parsed.family == "distilbert" else 12) if parsed.layers is None else parsed.layers
    )
    given = {name: getattr(parsed, name) for name in names}
    if parsed.learning_rate is not None:
        given["learning_rate"] = parsed.learning_rate
    config = PretrainConfig(**given, layers=layers)

    from layerviz import data

    corpus = data.read_corpus(
        _bytes(parsed.data),
        parsed.data.name,
        text_column=parsed.text_column,
        max_texts=parsed.max_texts,
        seed=parsed.seed,
    )
    for note in corpus.notes:
        print(note, file=sys.stderr)

    from layerviz import pretraining

    if parsed.learning_rate is None:
        config = pretraining.with_default_rate(config)
    with _Bar() as bar:
        try:
            record = pretraining.pretrain(
                config,
                corpus,
                parsed.out,
                teacher_cache=parsed.teacher_cache,
                on_progress=bar.show,
                should_stop=_stop_on_interrupt(),
            )
        except Cancelled:
            return EXIT_CANCELLED
    result = record["result"]
    cosine = result["teacher_cosine"]
    print(
        f"Held-out masked loss {result['masked_loss']:.3f}"
        + ("" if cosine is None else f", cosine to the teacher {cosine:.3f}")
        + f" ({result['n_held_out']:,} texts).",
        file=sys.stderr,
    )
    print(parsed.out)
    return EXIT_OK


# --- bench ----------------------------------------------------------------------------------


def _bench_capture(parsed: argparse.Namespace) -> int:
    from layerviz.bench import capture

    texts = None if parsed.data is None else capture.texts_of(_bytes(parsed.data), parsed.data.name)
    result = capture.measure(
        texts,
        n=parsed.n,
        layers=parsed.layers,
        hidden_size=parsed.hidden_size,
        max_length=parsed.max_length,
    )
    print(json.dumps(result, indent=2) if parsed.json else capture.as_text(result))
    return EXIT_OK


def _bench_probes(parsed: argparse.Namespace) -> int:
    from layerviz import data

    if parsed.data is None:
        table = data.sample_table()
    else:
        table = data.read_table(_bytes(parsed.data), parsed.data.name)

    from layerviz.bench import probes

    result = probes.measure(
        table,
        n=parsed.n,
        layers=parsed.layers,
        hidden_size=parsed.hidden_size,
        encoder=parsed.encoder,
    )
    print(json.dumps(result, indent=2) if parsed.json else probes.as_text(result))
    return EXIT_OK


def _bench_starters(parsed: argparse.Namespace) -> int:
    from layerviz import data

    tables = [data.read_table(_bytes(path), path.name) for path in parsed.data]

    from layerviz.bench import starters

    result = starters.measure(
        tables,
        names=parsed.encoder,
        n_train=parsed.n_train,
        n_val=parsed.n_val,
        epochs=parsed.epochs,
        seeds=parsed.seeds,
        rates=parsed.rates,
        work=parsed.work,
        on_progress=lambda line: print(line, file=sys.stderr, flush=True),
    )
    print(json.dumps(result, indent=2) if parsed.json else starters.as_text(result))
    return EXIT_OK


COMMANDS = {
    "fit": _fit,
    "report": _report,
    "compare": _compare,
    "pretrain": _pretrain,
    "bench capture": _bench_capture,
    "bench probes": _bench_probes,
    "bench starters": _bench_starters,
}


if __name__ == "__main__":
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    sys.exit(main())
