"""``push``: the fine-tuned model of a run to the Hugging Face Hub."""

from __future__ import annotations

import argparse
import sys

from layerviz import interrupts
from layerviz.commands.bar import Bar
from layerviz.commands.command import EXIT_OK
from layerviz.commands.inputs import add_run_argument, add_runs_folder, open_run, runs_root
from layerviz.errors import Cancelled


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_run_argument(parser)
    add = parser.add_argument
    add("repo", metavar="OWNER/NAME", help="where on the Hub; made if it is not there")
    add("--public", action="store_true", help="a new repository is for everyone, not only for you")
    add(
        "--with-run",
        action="store_true",
        help="the whole run goes with it, for `import` elsewhere; it contains your texts, and "
        "nothing else does",
    )
    add_runs_folder(parser)


def run_command(parsed: argparse.Namespace) -> int:
    from layerviz.export.pushing import push_run

    run = open_run(parsed.which, runs_root(parsed))
    should_stop = interrupts.stop_in_good_order()
    try:
        with Bar(parsed.repo) as bar:
            pushed = push_run(
                run,
                parsed.repo,
                private=not parsed.public,
                with_run=parsed.with_run,
                on_progress=bar.show,
                should_stop=should_stop,
            )
    except Cancelled:
        return interrupts.exit_status()
    finally:
        interrupts.work_is_over()
    if pushed.is_private == parsed.public:
        kind = "private" if pushed.is_private else "public"
        print(f"The repository was there before, and stays {kind}.", file=sys.stderr)
    print(pushed.address)
    return EXIT_OK
