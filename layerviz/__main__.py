"""The same work without a page: ``python -m layerviz fit | pretrain | bench``."""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from layerviz.config import CLASS_WEIGHTINGS, FAMILIES, PRECISIONS, PretrainConfig, RunConfig
from layerviz.errors import Cancelled, DataError, EncoderError, LayervizError

EXIT_OK, EXIT_BAD_INPUT, EXIT_CANCELLED = 0, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    parsed = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    try:
        return parsed.run(parsed)
    except LayervizError as error:
        print(f"layerviz: {error}", file=sys.stderr)
        return EXIT_BAD_INPUT


class _Help(argparse.ArgumentDefaultsHelpFormatter):
    """Names the defaults that there are."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        return action.help if action.default is None else super()._get_help_string(action)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m layerviz",
        description="Fine-tune a text classifier and capture how each layer separates its classes.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_fit(commands)
    _add_pretrain(commands)
    _add_bench(commands)
    return parser


def _add_fit(commands: argparse._SubParsersAction) -> None:
    fit = commands.add_parser(
        "fit",
        help="fine-tune an encoder on a CSV and capture every layer",
        formatter_class=_Help,
    )
    fit.set_defaults(run=_fit)
    fit.add_argument(
        "--encoder",
        required=True,
        help="scratch-bert, scratch-roberta, scratch-distilbert, a bundled starter, "
        "a Hub id or a local folder",
    )
    fit.add_argument("--data", required=True, type=Path, help="CSV file: all examples, or train")
    fit.add_argument("--val", type=Path, help="CSV file of the val examples")
    fit.add_argument("--test", type=Path, help="CSV file of the test examples")
    fit.add_argument("--text-column", help="guessed when not given")
    fit.add_argument("--label-column", help="guessed when not given")
    fit.add_argument("--split-column", help="guessed when not given; 'none' ignores it")
    fit.add_argument("--val-fraction", type=float, default=0.2, help="cut from train if need be")
    fit.add_argument("--epochs", type=int, default=5, help="passes over the train examples")
    fit.add_argument("--batch-size", type=int, default=32, help="examples per step")
    fit.add_argument("--learning-rate", type=float, help="by default what suits the encoder's size")
    fit.add_argument("--max-length", type=int, default=128, help="tokens kept of each text")
    fit.add_argument("--max-captured", type=int, default=2000, help="examples captured per split")
    fit.add_argument("--snapshots-per-epoch", type=int, default=1, help="and one before epoch 1")
    fit.add_argument("--seed", type=int, default=0, help="of head, order and captured examples")
    fit.add_argument("--weight-decay", type=float, default=0.01, help="of AdamW")
    fit.add_argument("--warmup-ratio", type=float, default=0.1, help="part of all steps")
    fit.add_argument(
        "--class-weighting",
        choices=CLASS_WEIGHTINGS,
        default="none",
        help="balanced: rare classes count more in the loss",
    )
    fit.add_argument(
        "--precision", choices=PRECISIONS, default="auto", help="auto: bf16 where hardware has it"
    )
    fit.add_argument("--runs", type=Path, help="runs folder (default: checkpoints/runs)")


def _add_pretrain(commands: argparse._SubParsersAction) -> None:
    pretrain = commands.add_parser(
        "pretrain",
        help="pre-train an encoder on unlabelled texts, or train one on",
        formatter_class=_Help,
    )
    pretrain.set_defaults(run=_pretrain)
    add = pretrain.add_argument
    add("--family", required=True, choices=FAMILIES, help="architecture and tokenization")
    add("--data", required=True, type=Path, help="text file (a text per line) or CSV; may be .gz")
    add("--out", required=True, type=Path, help="folder for the encoder; resumes what is there")
    add("--text-column", help="of a CSV; guessed when not given")
    add("--max-texts", type=int, help="train on a random sample of this size")
    add("--from", dest="start", metavar="ENCODER", help="begin with its weights and tokenizer")
    add("--teacher", metavar="ENCODER", help="match its mean-pooled sentence vectors, too")
    add("--teacher-weight", type=float, default=3.0, help="beside the masked-token loss")
    add("--teacher-cache", type=Path, help="keep the teacher's vectors here for further calls")
    add("--layers", type=int, help="12, for distilbert 6 (sizes are unused with --from)")
    add("--hidden-size", type=int, default=128, help="width of a layer")
    add("--heads", type=int, default=2, help="of attention; they divide the width")
    add("--vocab-size", type=int, default=8192, help="most entries of the tokenizer")
    add("--epochs", type=int, default=2, help="passes over the texts")
    add("--batch-size", type=int, default=64, help="texts per step")
    add(
        "--learning-rate",
        type=float,
        help="peak rate of AdamW; by default 6e-4, less for wide ones",
    )
    add("--warmup-steps", type=int, default=500, help="at most a fifth of all steps")
    add("--max-length", type=int, default=64, help="tokens kept of each text")
    add("--seed", type=int, default=0, help="of weights, order, masks and sample")
    add("--precision", choices=PRECISIONS, default="auto", help="auto: bf16 where hardware has it")


def _add_bench(commands: argparse._SubParsersAction) -> None:
    bench = commands.add_parser("bench", help="measure layerviz against the plain way")
    benches = bench.add_subparsers(required=True, metavar="WHAT")
    capture = benches.add_parser(
        "capture", help="time and memory of capturing hidden states against padding and keeping all"
    )
    capture.set_defaults(run=_bench_capture)
    capture.add_argument("--data", type=Path, help="CSV file with texts (default: the sample)")
    capture.add_argument("--n", type=int, default=2000, help="texts, repeated if there are fewer")
    capture.add_argument("--layers", type=int, default=6)
    capture.add_argument("--hidden-size", type=int, default=384)
    capture.add_argument("--max-length", type=int, default=128)
    capture.add_argument("--json", action="store_true", help="print one JSON object")
    starters = benches.add_parser(
        "starters",
        help="val macro-F1 of the bundled starters against twins with random weights",
        formatter_class=_Help,
    )
    starters.set_defaults(run=_bench_starters)
    add = starters.add_argument
    add("--data", type=Path, nargs="+", required=True, help="CSV files, each measured by itself")
    add("--encoder", nargs="+", help="instead of the bundled starters")
    add("--n-train", type=int, default=2000)
    add("--n-val", type=int, default=1000)
    add("--epochs", type=int, default=4)
    add("--seeds", type=int, default=3)
    add("--rates", type=float, nargs="+", default=[2e-4, 5e-4, 1e-3], help="learning rates to try")
    add("--work", type=Path, help="keep the scores here, to go on after an interruption")
    add("--json", action="store_true", help="print one JSON object")


# --- fit ------------------------------------------------------------------------------------


def _fit(parsed: argparse.Namespace) -> int:
    # Data and settings are checked before torch is imported: bad input answers at once.
    config = _config(parsed)
    dataset = _dataset(parsed)

    from layerviz import encoders, runs, training

    root = (parsed.runs or runs.runs_folder()).expanduser().resolve()
    known = encoders.describe(config.encoder)
    if known.source != "hub" and not known.on_disk:
        raise EncoderError(known.note)
    run = runs.create(root, training.with_defaults(config), dataset)
    for note in dataset.notes:
        print(note, file=sys.stderr)
    if run.status == "done":
        print("This very run is there already; nothing to compute.", file=sys.stderr)
    else:
        with _Bar() as bar:
            run = training.fit(run, dataset, on_progress=bar.show, should_stop=_stop_on_interrupt())
    print(run.path)
    return EXIT_OK if run.status == "done" else EXIT_CANCELLED


def _config(parsed: argparse.Namespace) -> RunConfig:
    names = (
        "encoder",
        "epochs",
        "batch_size",
        "learning_rate",
        "max_length",
        "seed",
        "weight_decay",
        "warmup_ratio",
        "class_weighting",
        "precision",
        "snapshots_per_epoch",
        "max_captured",
    )
    return RunConfig(**{name: getattr(parsed, name) for name in names})


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
        elif progress.loss is not None:
            bar.set_postfix_str(
                f"epoch {progress.epoch:.2f}, loss {progress.loss:.3f}", refresh=False
            )
        bar.total = progress.total_steps or None
        bar.update(progress.step - bar.n)


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


if __name__ == "__main__":
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    sys.exit(main())
