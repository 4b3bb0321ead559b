"""Benchmarks of speed and memory: captures, maps, an epoch, the page, growth."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from layerviz.commands.arguments import FORMATS_MARK
from layerviz.commands.files import read_bytes
from layerviz.commands.help import RUNS_HELP

if TYPE_CHECKING:
    from layerviz.bench.drawing import Sample
from layerviz.commands.bench_entry import (
    DRAWN_HELP,
    TEXTS_HELP,
    Bench,
    Measured,
    bench_table,
    drawn_run,
    print_line,
)
from layerviz.wording import quote

ENCODERS_HELP = "on this disk, or sizes of BERTs with random weights, such as 12x768"

# --- tutorial ----------------------------------------------------------------------------------


def _add_tutorial(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--data", type=Path, help=TEXTS_HELP)
    add("--train", type=int, help="texts to train on (default: 2000, or 200)")
    add("--val", type=int, help="texts held out (default: 1000, or 100)")
    add("--epochs", type=int, help="(default: 5, or 1)")
    add("--seeds", type=int, default=1, help="how often each way is run")
    add("--encoder", nargs="+", default=["bert-mini"], help=ENCODERS_HELP)
    add("--quick", action="store_true", help="one epoch with few texts, for large encoders")


def _measure_tutorial(parsed: argparse.Namespace) -> Measured:
    from layerviz.bench import tutorial

    sizes = dict(tutorial.QUICK if parsed.quick else tutorial.FULL)
    given = {"n_train": parsed.train, "n_val": parsed.val, "epochs": parsed.epochs}
    sizes |= {name: value for name, value in given.items() if value is not None}
    result = tutorial.measure(
        bench_table(parsed),
        encoders=parsed.encoder,
        seeds=parsed.seeds,
        print_line=print_line,
        **sizes,
    )
    return result, tutorial.as_text(result)


# --- capture -----------------------------------------------------------------------------------


def _add_capture(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--data", type=Path, help=f"file with texts, {FORMATS_MARK} (default: the sample)")
    add("--n", type=int, default=2000, help="texts, repeated if there are fewer")
    add(
        "--sizes",
        type=_size,
        nargs="+",
        default=[(6, 384), (12, 768)],
        metavar="LAYERSxWIDTH",
        help="of BERTs with random weights, such as 6x384",
    )
    add("--max-length", type=int, default=128, help="tokens kept of each text")
    add(
        "--growth",
        type=int,
        nargs="*",
        default=[2000, 6000, 20_000],
        help="numbers of texts with which time and memory of the first size are measured, too; "
        "none skips that",
    )


def _size(text: str) -> tuple[int, int]:
    """Return layers and width of a size such as 6x384."""
    layers, _, width = text.partition("x")
    if not (layers.isdecimal() and width.isdecimal()):
        raise argparse.ArgumentTypeError(f"{quote(text)} is not a size such as 6x384")
    return int(layers), int(width)


def _measure_capture(parsed: argparse.Namespace) -> Measured:
    from layerviz.bench import capture

    texts = None
    if parsed.data is not None:
        texts = capture.texts_of(read_bytes(parsed.data), parsed.data.name)
    result = capture.measure(
        texts,
        n=parsed.n,
        sizes=parsed.sizes,
        max_length=parsed.max_length,
        growth=parsed.growth,
    )
    return result, capture.as_text(result)


# --- maps and alignment ------------------------------------------------------------------------


def _add_drawing(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    kept = argparse.SUPPRESS  # what was given before the name of the bench
    add("--run", dest="which", metavar="RUN", default=kept, help=DRAWN_HELP)
    add("--n-train", type=int, default=2000, help="train examples at most")
    add("--n-val", type=int, default=1000, help="val examples at most")
    add("--layers", type=int, default=8, help="evenly spaced, the last included")
    add("--snapshots", type=int, default=6, help="evenly spaced, with both ends")
    add("--seed", type=int, default=0, help="of the maps, and of what is drawn")
    add("--runs", type=Path, default=kept, help=RUNS_HELP)


def _sample(parsed: argparse.Namespace) -> Sample:
    from layerviz.bench import drawing

    return drawing.sample_of(
        drawn_run(parsed),
        n_train=parsed.n_train,
        n_val=parsed.n_val,
        layers=parsed.layers,
        snapshots=parsed.snapshots,
        seed=parsed.seed,
    )


def _measure_maps(parsed: argparse.Namespace) -> Measured:
    from layerviz.bench import maps

    result = maps.measure(_sample(parsed))
    return result, maps.as_text(result)


def _measure_alignment(parsed: argparse.Namespace) -> Measured:
    from layerviz.bench import alignment

    result = alignment.measure(_sample(parsed))
    return result, alignment.as_text(result)


# --- train, epoch, page and growth --------------------------------------------------------------


def _add_train(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--data", type=Path, help=TEXTS_HELP)
    add("--n-train", type=int, default=2000, help="texts to train on")
    names = ["bert-mini", "scratch-distilbert"]
    add("--encoder", nargs="+", default=names, help=ENCODERS_HELP)
    add("--turns", type=int, default=3, help="epochs of each way, of which the quickest counts")


def _measure_train(parsed: argparse.Namespace) -> Measured:
    from layerviz.bench import train

    result = train.measure(
        bench_table(parsed), n_train=parsed.n_train, names=parsed.encoder, turns=parsed.turns
    )
    return result, train.as_text(result)


def _add_epoch(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--data", type=Path, help=TEXTS_HELP)
    add("--n-train", type=int, default=2000, help="texts to train on")
    add("--n-val", type=int, default=1000, help="texts held out")
    names = ["bert-mini", "12x768"]
    add("--encoder", nargs="+", default=names, help=ENCODERS_HELP)


def _measure_epoch(parsed: argparse.Namespace) -> Measured:
    from layerviz.bench import epoch

    result = epoch.measure(
        bench_table(parsed), n_train=parsed.n_train, n_val=parsed.n_val, names=parsed.encoder
    )
    return result, epoch.as_text(result)


def _add_page(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--data", type=Path, help=TEXTS_HELP)
    add("--n-train", type=int, default=2000, help="points of train")
    add("--n-val", type=int, default=1000, help="points of val")
    add("--layers", type=int, default=12, help="of the made-up run")
    add("--hidden-size", type=int, default=256, help="of the made-up run")
    add("--snapshots", type=int, default=6, help="of the made-up run")
    add("--repeats", type=int, default=5, help="times that each click is made with a warm cache")
    add("--starts", type=int, default=2, help="of the server, each with a cold cache")
    add(
        "--marks",
        type=int,
        nargs="*",
        default=[12_000, 24_000],
        help="sizes of charts that are measured on their own",
    )


def _measure_page(parsed: argparse.Namespace) -> Measured:
    from layerviz.bench import page

    result = page.measure(
        bench_table(parsed),
        n_train=parsed.n_train,
        n_val=parsed.n_val,
        n_layers=parsed.layers,
        width=parsed.hidden_size,
        n_snapshots=parsed.snapshots,
        repeats=parsed.repeats,
        starts=parsed.starts,
        marks=parsed.marks,
    )
    return result, page.as_text(result)


def _add_memory(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--data", type=Path, help=TEXTS_HELP)
    add("--runs", type=int, default=10, help="made-up runs that are opened one after another")
    add("--n-train", type=int, default=2000, help="points of train")
    add("--n-val", type=int, default=1000, help="points of val")


def _measure_memory(parsed: argparse.Namespace) -> Measured:
    from layerviz.bench import memory

    result = memory.measure(
        bench_table(parsed), n_runs=parsed.runs, n_train=parsed.n_train, n_val=parsed.n_val
    )
    return result, memory.as_text(result)


def _add_growth(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--data", type=Path, help=TEXTS_HELP)
    numbers = [1000, 4000, 16_000, 64_000]
    add("--sizes", type=int, nargs="+", default=numbers, help="numbers of texts")
    add("--encoder", default="bert-mini", help="on this disk, or a size such as 2x64")
    rows_help = (
        "measure this many rows of a Parquet file instead, such as 1000000, up to the first maps: "
        "seconds and memory of each part"
    )
    add("--rows", type=int, help=rows_help)


def _measure_growth(parsed: argparse.Namespace) -> Measured:
    if parsed.rows is not None:
        from layerviz.bench import rows

        result = rows.measure(bench_table(parsed), rows=parsed.rows, encoder=parsed.encoder)
        return result, rows.as_text(result)
    from layerviz.bench import growth

    result = growth.measure(bench_table(parsed), sizes=parsed.sizes, encoder=parsed.encoder)
    return result, growth.as_text(result)


def _add_scale(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--data", type=Path, help=TEXTS_HELP)
    add("--n-train", type=int, default=1000, help="texts to train on")
    add("--n-val", type=int, default=500, help="texts held out")
    names = ["bert-mini", "12x768"]
    add("--encoder", nargs="+", default=names, help=f"{ENCODERS_HELP}; the last is reckoned with")
    add("--texts", type=int, help="of the task that is reckoned (default: 10,000,000)")
    add("--size", type=_size, metavar="LAYERSxWIDTH", help="of its encoder (default: 24x1024)")
    add("--tflops", type=float, help="that an accelerator achieves in training (default: 200)")


def _measure_scale(parsed: argparse.Namespace) -> Measured:
    from layerviz.bench import scale

    layers, width = parsed.size or (None, None)
    flops = None if parsed.tflops is None else 1e12 * parsed.tflops
    given = {"texts": parsed.texts, "layers": layers, "width": width, "flops": flops}
    task = scale.Task(**{name: value for name, value in given.items() if value is not None})
    result = scale.measure(
        bench_table(parsed),
        n_train=parsed.n_train,
        n_val=parsed.n_val,
        names=parsed.encoder,
        task=task,
    )
    return result, scale.as_text(result)


SPEED_BENCHES = (
    Bench(
        "tutorial",
        "the whole 2021 tutorial, from a CSV to an animation of all maps: time, memory and "
        "macro-F1 against fit and export",
        _add_tutorial,
        _measure_tutorial,
    ),
    Bench(
        "capture",
        "time and memory of capturing hidden states, against padding and keeping all",
        _add_capture,
        _measure_capture,
    ),
    Bench(
        "maps",
        "time and faithfulness of t-SNE maps, against the 2021 notebook's",
        _add_drawing,
        _measure_maps,
        draws=True,
    ),
    Bench(
        "alignment",
        "movement between epochs' maps, against the 2021 notebook's",
        _add_drawing,
        _measure_alignment,
        draws=True,
    ),
    Bench(
        "train",
        "time of an epoch with batches of similar length, against one with random batches",
        _add_train,
        _measure_train,
    ),
    Bench(
        "epoch",
        "time that capture, predictions, measures and maps add to an epoch of training",
        _add_epoch,
        _measure_epoch,
    ),
    Bench(
        "page",
        "time from a click until the page is idle, and of the epoch slider, in Chromium",
        _add_page,
        _measure_page,
    ),
    Bench(
        "memory",
        "memory that a server keeps after it has shown ten runs, in Chromium",
        _add_memory,
        _measure_memory,
    ),
    Bench(
        "growth",
        "how reading, training, capture, maps and the page grow with the number of texts",
        _add_growth,
        _measure_growth,
    ),
    Bench(
        "scale",
        "what each part costs per unit, and what that comes to for millions of texts",
        _add_scale,
        _measure_scale,
    ),
)
