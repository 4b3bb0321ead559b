"""The same work without a page: ``python -m layerviz fit``, ``report``, ``compare`` and others."""

from __future__ import annotations

import argparse
import functools
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from layerviz.commands import (
    EXPORTS,
    Bar,
    config_of,
    dataset_of,
    parser,
    pretrain_config_of,
    read_bytes,
)
from layerviz.config import POOLINGS, RunConfig
from layerviz.errors import Cancelled, ConfigError, LayervizError

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


# --- fit ---------------------------------------------------------------------------------------


def fit(parsed: argparse.Namespace) -> int:
    """Make a run and say what it answers."""
    # Data and settings are checked before torch is imported: bad input answers at once.
    config = config_of(parsed, parsed.encoder, parsed.seed)
    dataset = dataset_of(parsed)

    from layerviz import encoders

    encoders.expect_on_disk(config.encoder)
    run = begun(config, dataset, runs_root(parsed))
    tell_notes(dataset.notes)
    run = finished(run, dataset, stop_on_interrupt())
    if run.status == "done":
        from layerviz import separability

        print(" ".join(separability.answer_sentences(separability.answer_of(run))), file=sys.stderr)
    print(run.path)
    return EXIT_OK if run.status == "done" else EXIT_CANCELLED


def runs_root(parsed: argparse.Namespace) -> Path:
    """Return the folder of all runs."""
    from layerviz import runs

    return (parsed.runs or runs.runs_folder()).expanduser().resolve()


def begun(config: RunConfig, dataset, root: Path):
    """Return a run, new or as it is there; a folder that cannot be used is told here."""
    from layerviz import runs, training

    return runs.create(root, training.with_defaults(config), dataset)


def finished(run, dataset, should_stop: Callable[[], bool]):
    """Return the run when it is done, or was stopped."""
    from layerviz import training

    if run.status == "done":
        print(f"{run.run_id} is there already; nothing to compute.", file=sys.stderr)
        return run
    with Bar() as bar:
        return training.fit(run, dataset, on_progress=bar.show, should_stop=should_stop)


def tell_notes(notes: Iterable[str]) -> None:
    """Say what was guessed, cut and left out."""
    for note in notes:
        print(note, file=sys.stderr)


def stop_on_interrupt() -> Callable[[], bool]:
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


# --- report ------------------------------------------------------------------------------------


def report(parsed: argparse.Namespace) -> int:
    """Say which layer of a run generalises."""
    from layerviz import separability

    run = opened(parsed.which, runs_root(parsed))
    if run.status != "done":
        planned = run.training.get("n_snapshots", len(run.snapshots))
        so_far = f"{len(run.snapshots)} of {planned} snapshots so far"
        print(f"{run.run_id} is {run.status}: {so_far}.", file=sys.stderr)
    poolings = (parsed.pooling,) if parsed.pooling else POOLINGS
    answer = separability.answer_of(run, poolings)
    table = separability.report_table(run, answer.best.pooling)
    if parsed.json:
        rows = json.loads(table.to_json(orient="records"))
        print(json.dumps(separability.as_dict(answer) | {"run": run.run_id, "cells": rows}))
    else:
        print(separability.as_text(run, answer, table))
    return EXIT_OK


def opened(which: str, root: Path):
    """Return a run given by its id or its folder, and measure what of it is not measured."""
    from layerviz import runs, separability

    given = Path(which).expanduser()
    if (given / "run.json").is_file():
        run = runs.open_folder(given.resolve())
    else:
        run = runs.read(root, which)
    for index in runs.unmeasured_snapshots(run):
        print(f"Measuring snapshot {index} of {run.run_id}", file=sys.stderr)
        separability.measure_snapshot(run, index)
    return run


# --- compare -----------------------------------------------------------------------------------


def compare(parsed: argparse.Namespace) -> int:
    """Say which encoder does better; make the runs first where encoders are named."""
    if bool(parsed.which) == bool(parsed.encoder):
        raise ConfigError(
            "Nothing to compare is named, or both runs and encoders are.",
            "Give the ids of two runs or more, or --data and --encoder for each encoder.",
        )
    if parsed.which:
        compared = [opened(which, runs_root(parsed)) for which in parsed.which]
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
        config_of(parsed, encoder, parsed.seed + more)
        for encoder in dict.fromkeys(parsed.encoder)
        for more in range(parsed.seeds)
    ]
    dataset = dataset_of(parsed)

    from layerviz import encoders

    for config in configs:
        encoders.expect_on_disk(config.encoder)
    root, should_stop, made = runs_root(parsed), stop_on_interrupt(), []
    for place, config in enumerate(configs):
        run = begun(config, dataset, root)
        if not place:
            tell_notes(dataset.notes)
        which = f"Run {place + 1} of {len(configs)}: {config.encoder}, seed {config.seed}"
        print(which, file=sys.stderr)
        made.append(finished(run, dataset, should_stop))
        if made[-1].status != "done":
            break
    return made


# --- export and import -------------------------------------------------------------------------


def export(parsed: argparse.Namespace) -> int:
    """Write what was named of a run to files; print their paths."""
    named = {kind: path for kind in EXPORTS if (path := getattr(parsed, kind)) is not None}
    if not named:
        options = ", ".join(f"--{kind.replace('_', '-')}" for kind in EXPORTS)
        raise ConfigError("Nothing to write is named.", f"Give one or more of {options}.")
    if len({path.expanduser().resolve() for path in named.values()}) < len(named):
        raise ConfigError("Two of the files have the same name.", "Give each one its own.")

    from layerviz.export import MapsView, Wish, write

    run = opened(parsed.which, runs_root(parsed))
    view = MapsView(parsed.pooling, parsed.projection, parsed.colour_by, parsed.layers or ())
    for kind, path in named.items():
        wish = Wish(kind, path.expanduser(), view, parsed.dark, parsed.chart)
        with Bar() as bar:
            write(run, wish, functools.partial(bar.count, path.name))
        print(wish.path)
    return EXIT_OK


def import_run(parsed: argparse.Namespace) -> int:
    """Open a run that was zipped elsewhere; print its folder."""
    from layerviz.export import unzip_run

    with Bar() as bar:
        progress = functools.partial(bar.count, parsed.file.name)
        run = unzip_run(parsed.file.expanduser(), runs_root(parsed), on_progress=progress)
    print(run.path)
    return EXIT_OK


# --- pretrain ----------------------------------------------------------------------------------


def pretrain(parsed: argparse.Namespace) -> int:
    """Pre-train an encoder on unlabelled texts, or train one on."""
    config = pretrain_config_of(parsed)

    from layerviz import data

    corpus = data.read_corpus(
        read_bytes(parsed.data),
        parsed.data.name,
        text_column=parsed.text_column,
        max_texts=parsed.max_texts,
        seed=parsed.seed,
    )
    tell_notes(corpus.notes)

    from layerviz import pretraining

    if parsed.learning_rate is None:
        config = pretraining.with_default_rate(config)
    with Bar() as bar:
        try:
            record = pretraining.pretrain(
                config,
                corpus,
                parsed.out,
                teacher_cache=parsed.teacher_cache,
                on_progress=bar.show,
                should_stop=stop_on_interrupt(),
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


# --- bench -------------------------------------------------------------------------------------


def bench(parsed: argparse.Namespace) -> int:
    """Measure layerviz against the plain way: one bench, or all that have a goal."""
    from layerviz.bench import named

    if parsed.which and parsed.bench not in (None, *named.DRAWING):
        raise ConfigError(f"bench {parsed.bench} draws no run.", "Leave --run out.")
    run = opened(parsed.which, runs_root(parsed)) if parsed.which else None
    result, said = named.measured(
        parsed, run, lambda line: print(line, file=sys.stderr, flush=True)
    )
    print(json.dumps(result, indent=2) if parsed.json else said)
    return EXIT_OK


COMMANDS = {
    "fit": fit,
    "report": report,
    "compare": compare,
    "export": export,
    "import": import_run,
    "pretrain": pretrain,
    "bench": bench,
}


if __name__ == "__main__":
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    sys.exit(main())
