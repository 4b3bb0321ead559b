"""``pretrain``: pre-train an encoder on unlabelled texts, or train one further."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from layerviz import interrupts
from layerviz.commands.arguments import FORMATS_MARK
from layerviz.commands.bar import Bar
from layerviz.commands.command import EXIT_OK
from layerviz.commands.files import read_bytes
from layerviz.commands.inputs import print_notes
from layerviz.commands.reading_options import (
    add_reading_arguments,
    reading_choices_of,
    reading_switches,
)
from layerviz.commands.setting_arguments import add_settings, pretrain_config
from layerviz.errors import Cancelled
from layerviz.pretrain_config import PRETRAIN_SETTINGS

CORPUS_HELP = f"text file (a text per line) or {FORMATS_MARK}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--data", required=True, type=Path, help=CORPUS_HELP)
    add(
        "--out",
        required=True,
        type=Path,
        help="folder for the encoder; unfinished work in it is resumed",
    )
    add("--text-column", help="of a table; guessed if not given")
    add_reading_arguments(parser, roles=())
    add("--max-texts", type=int, help="train on a random sample of this size")
    add_settings(parser, PRETRAIN_SETTINGS)
    add(
        "--teacher-cache", type=Path, help="folder that keeps the teacher's vectors for later calls"
    )


def run_command(parsed: argparse.Namespace) -> int:
    config = pretrain_config(parsed)

    from layerviz import data

    corpus = data.read_corpus(
        read_bytes(parsed.data),
        parsed.data.name,
        text_column=parsed.text_column,
        max_texts=parsed.max_texts,
        seed=parsed.seed,
        choices=reading_choices_of(parsed, "data"),
    )
    print_notes([*corpus.notes, *reading_switches(corpus.doubts)])

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
                should_stop=interrupts.stop_in_good_order(),
            )
        except Cancelled:
            return interrupts.exit_status()
    interrupts.work_is_over()
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
