"""``import``: open a run that was zipped elsewhere."""

from __future__ import annotations

import argparse
from pathlib import Path

from layerviz.commands.bar import Bar
from layerviz.commands.command import EXIT_OK
from layerviz.commands.inputs import add_runs_folder, runs_root


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="RUN.zip", type=Path, help="as export --run-zip writes it")
    add_runs_folder(parser)


def run_command(parsed: argparse.Namespace) -> int:
    from layerviz.export.zip_reading import unzip_run

    with Bar(parsed.file.name) as bar:
        run = unzip_run(parsed.file.expanduser(), runs_root(parsed), on_progress=bar.show)
    print(run.path)
    return EXIT_OK
