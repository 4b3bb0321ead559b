"""What ``python -m layerviz bench`` understands."""

from __future__ import annotations

import argparse
from pathlib import Path

from layerviz.commands.wording import FORMATS_MARK, RUNS_HELP, Help


def add_bench(commands: argparse._SubParsersAction) -> None:
    bench = commands.add_parser(
        "bench",
        help="measure layerviz against the plain way",
        description="Without a name: capture, maps, alignment, epoch, page and growth, as one "
        "table.",
    )
    bench.set_defaults(command="bench", bench=None)
    bench.add_argument("--json", action="store_true", help=JSON_HELP)
    bench.add_argument("--run", dest="which", metavar="RUN", help=DRAWN_HELP)
    bench.add_argument("--runs", type=Path, help=RUNS_HELP)
    benches = bench.add_subparsers(metavar="WHAT")
    _add_bench_capture(benches)
    _add_drawing_bench(
        benches, "maps", "time and faithfulness of t-SNE maps against the 2021 notebook's"
    )
    _add_drawing_bench(
        benches, "alignment", "movement between epochs' maps against the 2021 notebook's"
    )
    _add_bench_epoch(benches)
    _add_bench_page(benches)
    _add_bench_growth(benches)
    _add_bench_probes(benches)
    _add_bench_starters(benches)


JSON_HELP = "print one JSON object"
DRAWN_HELP = "a finished run whose states are drawn (default: bert-mini trained on the sample)"
TEXTS_HELP = f"file with texts and labels, {FORMATS_MARK} (default: the sample)"


def _bench(benches: argparse._SubParsersAction, name: str, what: str) -> argparse.ArgumentParser:
    parser = benches.add_parser(name, help=what, description=what, formatter_class=Help)
    parser.set_defaults(command="bench", bench=name)
    # What is given before the name stands, unless it is given again behind it.
    parser.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=JSON_HELP)
    return parser


def _add_bench_capture(benches: argparse._SubParsersAction) -> None:
    what = "time and memory of capturing hidden states against padding and keeping all"
    add = _bench(benches, "capture", what).add_argument
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
        help="numbers of texts to see how time and memory of the first size grow; none: left out",
    )


def _size(text: str) -> tuple[int, int]:
    """Return layers and width of a size such as 6x384."""
    layers, _, width = text.partition("x")
    if not (layers.isdecimal() and width.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r} is no size such as 6x384")
    return int(layers), int(width)


def _add_bench_epoch(benches: argparse._SubParsersAction) -> None:
    what = "what capture, predictions, measures and maps add to an epoch of training"
    add = _bench(benches, "epoch", what).add_argument
    add("--data", type=Path, help=TEXTS_HELP)
    add("--n-train", type=int, default=2000, help="texts to train on")
    add("--n-val", type=int, default=1000, help="texts held out")
    names = ["bert-mini", "12x768"]
    help_names = "of this disk, or sizes of BERTs with random weights"
    add("--encoder", nargs="+", default=names, help=help_names)


def _add_bench_page(benches: argparse._SubParsersAction) -> None:
    what = "from a click to the page being idle, and the epoch slider, in Chromium"
    add = _bench(benches, "page", what).add_argument
    add("--data", type=Path, help=TEXTS_HELP)
    add("--n-train", type=int, default=2000, help="points of train")
    add("--n-val", type=int, default=1000, help="points of val")
    add("--layers", type=int, default=12, help="of the run that is made up")
    add("--hidden-size", type=int, default=256, help="of the run that is made up")
    add("--snapshots", type=int, default=6, help="of the run that is made up")
    add("--repeats", type=int, default=5, help="of each click with a warm cache")
    add("--starts", type=int, default=2, help="of the server: repeats with a cold cache")
    add("--marks", type=int, nargs="*", default=[12_000, 24_000], help="of charts by themselves")


def _add_bench_growth(benches: argparse._SubParsersAction) -> None:
    what = "how reading, training, capture, maps and the page grow with the number of texts"
    add = _bench(benches, "growth", what).add_argument
    add("--data", type=Path, help=TEXTS_HELP)
    numbers = [1000, 4000, 16_000, 64_000]
    add("--sizes", type=int, nargs="+", default=numbers, help="numbers of texts")
    add("--encoder", default="bert-mini", help="of this disk, or a size such as 2x64")


def _add_bench_probes(benches: argparse._SubParsersAction) -> None:
    what = "the layers' measures against an epoch of training, and probes against scikit-learn's"
    probes = _bench(benches, "probes", what)
    probes.add_argument("--data", type=Path, help=TEXTS_HELP)
    probes.add_argument("--n", type=int, default=2000, help="most examples per split")
    probes.add_argument("--layers", type=int, default=12)
    probes.add_argument("--hidden-size", type=int, default=768)
    probes.add_argument("--encoder", help="instead of a BERT of that size with random weights")


def _add_bench_starters(benches: argparse._SubParsersAction) -> None:
    what = "val macro-F1 of the bundled starters against twins with random weights"
    starters = _bench(benches, "starters", what)
    add = starters.add_argument
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


def _add_drawing_bench(benches: argparse._SubParsersAction, name: str, what: str) -> None:
    bench = _bench(benches, name, what)
    kept = argparse.SUPPRESS
    bench.add_argument("--run", dest="which", metavar="RUN", default=kept, help=DRAWN_HELP)
    bench.add_argument("--n-train", type=int, default=2000, help="most train examples")
    bench.add_argument("--n-val", type=int, default=1000, help="most val examples")
    bench.add_argument("--layers", type=int, default=8, help="evenly spaced, the last included")
    bench.add_argument("--snapshots", type=int, default=6, help="evenly spaced, with both ends")
    bench.add_argument("--seed", type=int, default=0, help="of the maps, and of what is drawn")
    bench.add_argument("--runs", type=Path, default=kept, help=RUNS_HELP)
