"""``export``: write results of a run to files."""

from __future__ import annotations

import argparse
from pathlib import Path

from layerviz.commands.bar import Bar
from layerviz.commands.command import EXIT_OK, Command
from layerviz.commands.inputs import (
    add_pooling_argument,
    add_run_argument,
    add_runs_folder,
    open_run,
    runs_root,
)
from layerviz.config import METHOD_NAMES
from layerviz.errors import ConfigError
from layerviz.poolings import POOLINGS

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


def _flag(kind: str) -> str:
    return f"--{kind.replace('_', '-')}"


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_run_argument(parser)
    add = parser.add_argument
    for kind, what in EXPORTS.items():
        add(_flag(kind), type=Path, metavar="FILE", help=what)
    add_pooling_argument(
        parser,
        f"of the hidden states; by default the run's first, as a rule {next(iter(POOLINGS))}",
    )
    add("--projection", choices=tuple(METHOD_NAMES), default="pca", help="of the maps")
    add(
        "--colour-by",
        choices=("label", "prediction", "right or wrong", "confidence"),
        default="label",
        help="what the colours of points mean",
    )
    add(
        "--layers",
        type=_numbers,
        metavar="1,2,11,12",
        help="by default the first four and the last four",
    )
    add("--chart", choices=("maps", "heat-map"), default="maps", help="what pictures show")
    add("--dark", action="store_true", help="pictures on a dark background")
    add_runs_folder(parser)


def _numbers(text: str) -> tuple[int, ...]:
    """Return the numbers of a list such as 1,2,11,12."""
    try:
        return tuple(dict.fromkeys(int(part) for part in text.split(",")))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list such as 1,2,11,12") from None


def _export(parsed: argparse.Namespace) -> int:
    paths = {kind: path for kind in EXPORTS if (path := getattr(parsed, kind)) is not None}
    if not paths:
        options = ", ".join(_flag(kind) for kind in EXPORTS)
        raise ConfigError("Nothing to write is named.", f"Give one or more of {options}.")
    if len({path.expanduser().resolve() for path in paths.values()}) < len(paths):
        raise ConfigError("Two of the files have the same name.", "Give each one its own.")

    from layerviz.export import MapsView, Wish, write

    run = open_run(parsed.which, runs_root(parsed))
    pooling = parsed.pooling or run.poolings[0]
    view = MapsView(pooling, parsed.projection, parsed.colour_by, parsed.layers or ())
    for kind, path in paths.items():
        wish = Wish(kind, path.expanduser(), view, parsed.dark, parsed.chart)
        with Bar(path.name) as bar:
            write(run, wish, bar.show)
        print(wish.path)
    return EXIT_OK


EXPORT = Command(
    "export",
    "export results: animation, page, pictures, tables, zips",
    _add_arguments,
    _export,
    description="Write results of a run to files. Several may be named at once; existing files "
    "are overwritten.",
)
