"""Benchmarks of what is said: probes, bundled starters, and how often answers are true."""

from __future__ import annotations

import argparse
from pathlib import Path

from layerviz.commands.arguments import FORMATS_MARK
from layerviz.commands.bench_entry import TEXTS_HELP, Bench, Measured, bench_table, print_line
from layerviz.commands.help import RUNS_HELP
from layerviz.commands.inputs import open_run, runs_root, table_of

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
        bench_table(parsed),
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


ANSWER_BENCHES = (
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
)
