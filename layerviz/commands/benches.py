"""The benches: what each measures, what it understands, and how it is run."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerviz.commands.help import FORMATS_MARK, RUNS_HELP
from layerviz.commands.inputs import open_run, read_bytes, runs_root, table_of
from layerviz.registry import Registry

if TYPE_CHECKING:
    from layerviz.bench.drawing import Sample
    from layerviz.data import Table
    from layerviz.runs import Run

Measured = tuple[dict[str, Any], str]  # a result, and the same for people

DRAWN_HELP = "a finished run whose states are drawn (default: bert-mini trained on the sample)"
TEXTS_HELP = f"file with texts and labels, {FORMATS_MARK} (default: the sample)"


@dataclass(frozen=True)
class Bench:
    """One benchmark.

    Parameters
    ----------
    name : str
        What is typed after ``bench``.
    help : str
        What it measures.
    add_arguments : callable
        Adds what it understands to its parser.
    measure : callable
        Measures with what was parsed.
    draws : bool
        Whether it draws the states of a run.
    """

    name: str
    help: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    measure: Callable[[argparse.Namespace], Measured]
    draws: bool = False


def drawn_run(parsed: argparse.Namespace) -> Run | None:
    """Return the run that was named to be drawn."""
    return open_run(parsed.which, runs_root(parsed)) if parsed.which else None


def print_line(line: str) -> None:
    """Say what is being measured."""
    print(line, file=sys.stderr, flush=True)


def _table(parsed: argparse.Namespace) -> Table:
    """Return the table that was named, or the sample."""
    from layerviz import data

    return data.sample_table() if parsed.data is None else table_of(parsed.data)


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
        raise argparse.ArgumentTypeError(f"{text!r} is not a size such as 6x384")
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


# --- epoch, page and growth --------------------------------------------------------------------


def _add_epoch(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--data", type=Path, help=TEXTS_HELP)
    add("--n-train", type=int, default=2000, help="texts to train on")
    add("--n-val", type=int, default=1000, help="texts held out")
    names = ["bert-mini", "12x768"]
    help_names = "on this disk, or sizes of BERTs with random weights"
    add("--encoder", nargs="+", default=names, help=help_names)


def _measure_epoch(parsed: argparse.Namespace) -> Measured:
    from layerviz.bench import epoch

    result = epoch.measure(
        _table(parsed), n_train=parsed.n_train, n_val=parsed.n_val, names=parsed.encoder
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
        _table(parsed),
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


def _add_growth(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--data", type=Path, help=TEXTS_HELP)
    numbers = [1000, 4000, 16_000, 64_000]
    add("--sizes", type=int, nargs="+", default=numbers, help="numbers of texts")
    add("--encoder", default="bert-mini", help="on this disk, or a size such as 2x64")


def _measure_growth(parsed: argparse.Namespace) -> Measured:
    from layerviz.bench import growth

    result = growth.measure(_table(parsed), sizes=parsed.sizes, encoder=parsed.encoder)
    return result, growth.as_text(result)


# --- probes and starters -----------------------------------------------------------------------


def _add_probes(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--data", type=Path, help=TEXTS_HELP)
    add("--n", type=int, default=2000, help="examples per split at most")
    add("--layers", type=int, default=12)
    add("--hidden-size", type=int, default=768)
    add("--encoder", help="instead of a BERT of that size with random weights")


def _measure_probes(parsed: argparse.Namespace) -> Measured:
    from layerviz.bench import probes

    result = probes.measure(
        _table(parsed),
        n=parsed.n,
        layers=parsed.layers,
        hidden_size=parsed.hidden_size,
        encoder=parsed.encoder,
    )
    return result, probes.as_text(result)


def _add_starters(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--data",
        type=Path,
        nargs="+",
        required=True,
        help=f"files, each measured by itself: {FORMATS_MARK}",
    )
    add("--encoder", nargs="+", help="instead of the bundled starters")
    add("--n-train", type=int, default=2000)
    add("--n-val", type=int, default=1000)
    add("--epochs", type=int, default=4)
    add("--seeds", type=int, default=3)
    add("--rates", type=float, nargs="+", default=[1e-4, 2e-4, 5e-4], help="learning rates to try")
    add("--work", type=Path, help="keep the scores here, to go on after an interruption")


def _measure_starters(parsed: argparse.Namespace) -> Measured:
    from layerviz.bench import starters

    result = starters.measure(
        [table_of(path) for path in parsed.data],
        names=parsed.encoder,
        n_train=parsed.n_train,
        n_val=parsed.n_val,
        epochs=parsed.epochs,
        seeds=parsed.seeds,
        rates=parsed.rates,
        work=parsed.work,
        print_line=print_line,
    )
    return result, starters.as_text(result)


# --- truth -------------------------------------------------------------------------------------


def _add_truth(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    run_help = "runs whose val rows, thousands of them, are the populations (default: made ones)"
    add("--run", dest="populations", metavar="RUN", action="extend", nargs="+", help=run_help)
    add("--sizes", type=int, nargs="+", default=[60, 127, 500, 2000], help="val examples drawn")
    add("--draws", type=int, default=200, help="val sets of each size from each population")
    add("--seed", type=int, default=0, help="of the draws")
    add("--processes", type=int, help="at a time (default: one for each core)")
    add("--runs", type=Path, default=argparse.SUPPRESS, help=RUNS_HELP)


def _measure_truth(parsed: argparse.Namespace) -> Measured:
    from layerviz.bench import truth

    named = [open_run(name, runs_root(parsed)) for name in parsed.populations or ()]
    result = truth.measure(
        truth.populations_of(named),
        sizes=parsed.sizes,
        draws=parsed.draws,
        seed=parsed.seed,
        processes=parsed.processes,
        print_line=print_line,
    )
    return result, truth.as_text(result)


# --- pictures ----------------------------------------------------------------------------------


def _add_pictures(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--out", type=Path, default=Path(".readme"), help="folder that they are written to")
    add("--only", nargs="+", metavar="NAME", help="some of them: page, layers, ..., tour")
    runs_help = "finished runs of all starters on one data set (default: trained on the sample)"
    add("--runs", type=Path, default=argparse.SUPPRESS, help=runs_help)


def _make_pictures(parsed: argparse.Namespace) -> Measured:
    from layerviz.bench import pictures

    result = pictures.measure(parsed.runs, parsed.out, names=parsed.only, print_line=print_line)
    return result, pictures.as_text(result)


# A new bench is a module of layerviz/bench, two functions like those above, and an entry here.
BENCHES: Registry[Bench] = Registry(
    "bench",
    [
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
            "growth",
            "how reading, training, capture, maps and the page grow with the number of texts",
            _add_growth,
            _measure_growth,
        ),
        Bench(
            "probes",
            "time of the layers' measures against an epoch of training, "
            "and of probes against scikit-learn's",
            _add_probes,
            _measure_probes,
        ),
        Bench(
            "starters",
            "val macro-F1 of the bundled starters against twins with random weights",
            _add_starters,
            _measure_starters,
        ),
        Bench(
            "truth",
            "how often what is said of a val set is true of the population it was drawn from",
            _add_truth,
            _measure_truth,
        ),
        Bench(
            "pictures",
            "README's pictures and its tour, made anew from the page as it is",
            _add_pictures,
            _make_pictures,
        ),
    ],
)
