"""What the command line understands, and the settings that it makes of it."""

from __future__ import annotations

import argparse
from pathlib import Path

from layerviz.commands.bench_arguments import add_bench
from layerviz.commands.wording import FORMATS_MARK, RUNS_HELP, Help
from layerviz.config import (
    CLASS_WEIGHTINGS,
    FAMILIES,
    METHOD_NAMES,
    POOLINGS,
    PRECISIONS,
    PretrainConfig,
    RunConfig,
)


def parser() -> argparse.ArgumentParser:
    """Return the parser; what it parses carries the name of the ``command``."""
    top = argparse.ArgumentParser(
        prog="python -m layerviz",
        description="Fine-tune a text classifier and capture how each layer separates its classes.",
    )
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    _add_fit(commands)
    _add_report(commands)
    _add_compare(commands)
    _add_export(commands)
    _add_import(commands)
    _add_pretrain(commands)
    add_bench(commands)
    return top


DATA_HELP = f"file with all examples, or train: {FORMATS_MARK}"
CORPUS_HELP = f"text file (a text per line) or {FORMATS_MARK}; may be .gz"


def _add_fit(commands: argparse._SubParsersAction) -> None:
    fit = commands.add_parser(
        "fit",
        help="fine-tune an encoder on a CSV and capture every layer",
        formatter_class=Help,
    )
    fit.set_defaults(command="fit")
    fit.add_argument(
        "--encoder",
        required=True,
        help="scratch-bert, scratch-roberta, scratch-distilbert, a bundled starter, "
        "a Hub id or a local folder",
    )
    fit.add_argument("--data", required=True, type=Path, help=DATA_HELP)
    _add_run_settings(fit)


def _add_run_settings(fit: argparse.ArgumentParser) -> None:
    """Add what decides how a run is made, its encoder and its data apart."""
    fit.add_argument("--val", type=Path, help="file with the val examples")
    fit.add_argument("--test", type=Path, help="file with the test examples")
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
    fit.add_argument("--seed", type=int, default=0, help="of the head's weights and the order")
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
    fit.add_argument(
        "--keep-weights", action="store_true", help="those of every snapshot, not the newest alone"
    )
    fit.add_argument("--runs", type=Path, help=RUNS_HELP)


def _add_report(commands: argparse._SubParsersAction) -> None:
    report = commands.add_parser(
        "report", help="say which layer of a run generalises, at which epoch, and how sure that is"
    )
    report.set_defaults(command="report")
    report.add_argument("which", metavar="RUN", help="a run's id or its folder")
    report.add_argument("--pooling", choices=POOLINGS, help="look at one pooling only")
    report.add_argument("--json", action="store_true", help="print one JSON object")
    report.add_argument("--runs", type=Path, help=RUNS_HELP)


def _add_compare(commands: argparse._SubParsersAction) -> None:
    compare = commands.add_parser(
        "compare",
        help="say which encoder does better on the same data, in which layer, and how sure that is",
        description="Compare runs that are there (RUN ...), or make them first: one for each "
        "--encoder and seed. Runs that exist with the same settings are not made again.",
        formatter_class=Help,
    )
    compare.set_defaults(command="compare")
    compare.add_argument("which", metavar="RUN", nargs="*", help="ids or folders of runs")
    compare.add_argument(
        "--encoder", action="append", default=[], help="as in fit; give it once for each encoder"
    )
    compare.add_argument("--data", type=Path, help=DATA_HELP)
    compare.add_argument("--seeds", type=int, default=1, help="runs per encoder, from --seed on")
    compare.add_argument("--pooling", choices=POOLINGS, help="look at one pooling only")
    compare.add_argument("--json", action="store_true", help="print one JSON object")
    _add_run_settings(compare)


# What export writes, in this order, and what the help says of it.
EXPORTS = {
    "gif": "maps over the epochs, animated",
    "webp": "the same, as WebP",
    "html": "the whole run as one page that needs no network",
    "png": "picture of the maps, or of the heat map",
    "svg": "the same, as SVG",
    "vega_lite": "the same, as a Vega-Lite specification",
    "csv": "coordinates of the maps",
    "parquet": "the same, as parquet",
    "measures": "CSV of all measures",
    "model_zip": "the fine-tuned model, for from_pretrained",
    "run_zip": "the whole run, for `import` elsewhere",
}


def _add_export(commands: argparse._SubParsersAction) -> None:
    export = commands.add_parser(
        "export",
        help="take results away: animation, page, pictures, tables, zips",
        description="Write results of a run to files. Several may be named at once; a file that "
        "is there is replaced.",
        formatter_class=Help,
    )
    export.set_defaults(command="export")
    export.add_argument("which", metavar="RUN", help="a run's id or its folder")
    for kind, what in EXPORTS.items():
        export.add_argument(f"--{kind.replace('_', '-')}", type=Path, metavar="FILE", help=what)
    export.add_argument("--pooling", choices=POOLINGS, default="mean", help="of the hidden states")
    export.add_argument(
        "--projection", choices=tuple(METHOD_NAMES), default="pca", help="of the maps"
    )
    export.add_argument(
        "--colour-by",
        choices=("label", "prediction", "right or wrong", "confidence"),
        default="label",
        help="what colours of points mean",
    )
    export.add_argument(
        "--layers",
        type=_numbers,
        metavar="1,2,11,12",
        help="by default the first four and the last four",
    )
    export.add_argument(
        "--chart", choices=("maps", "heat-map"), default="maps", help="what pictures show"
    )
    export.add_argument("--dark", action="store_true", help="pictures on a dark background")
    export.add_argument("--runs", type=Path, help=RUNS_HELP)


def _numbers(text: str) -> tuple[int, ...]:
    """Return the numbers of a list such as 1,2,11,12."""
    try:
        return tuple(dict.fromkeys(int(part) for part in text.split(",")))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no list such as 1,2,11,12") from None


def _add_import(commands: argparse._SubParsersAction) -> None:
    taken = commands.add_parser("import", help="open a run that was zipped elsewhere")
    taken.set_defaults(command="import")
    taken.add_argument("file", metavar="RUN.zip", type=Path, help="as export --run-zip writes it")
    taken.add_argument("--runs", type=Path, help=RUNS_HELP)


def _add_pretrain(commands: argparse._SubParsersAction) -> None:
    pretrain = commands.add_parser(
        "pretrain",
        help="pre-train an encoder on unlabelled texts, or train one on",
        formatter_class=Help,
    )
    pretrain.set_defaults(command="pretrain")
    add = pretrain.add_argument
    add("--family", required=True, choices=FAMILIES, help="architecture and tokenization")
    add("--data", required=True, type=Path, help=CORPUS_HELP)
    add("--out", required=True, type=Path, help="folder for the encoder; resumes what is there")
    add("--text-column", help="of a table; guessed when not given")
    add("--max-texts", type=int, help="train on a random sample of this size")
    add("--from", dest="start", metavar="ENCODER", help="begin with its weights and tokenizer")
    add("--teacher", metavar="ENCODER", help="match its mean-pooled sentence vectors, too")
    add("--teacher-weight", type=float, default=3.0, help="beside the masked-token loss")
    add(
        "--word-epochs",
        type=int,
        default=0,
        help="first, so many passes teach the word vectors alone (a bag of words; 5 is plenty)",
    )
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


# --- settings -------------------------------------------------------------------------------


def config_of(parsed: argparse.Namespace, encoder: str, seed: int) -> RunConfig:
    """Return the settings of a run."""
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
        "keep_weights",
    )
    given = {name: getattr(parsed, name) for name in names}
    return RunConfig(encoder=encoder, seed=seed, **given)


def pretrain_config_of(parsed: argparse.Namespace) -> PretrainConfig:
    """Return the settings of a pre-training."""
    names = (
        "family",
        "hidden_size",
        "heads",
        "vocab_size",
        "start",
        "teacher",
        "teacher_weight",
        "word_epochs",
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
    return PretrainConfig(**given, layers=layers)
