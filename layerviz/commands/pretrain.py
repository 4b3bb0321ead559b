"""``pretrain``: pre-train an encoder on unlabelled texts, or train one on."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from layerviz.commands.bar import Bar
from layerviz.commands.command import EXIT_CANCELLED, EXIT_OK, Command
from layerviz.commands.help import FORMATS_MARK
from layerviz.commands.inputs import print_notes, read_bytes
from layerviz.commands.making import stop_on_interrupt
from layerviz.config import FAMILIES, PRECISIONS, PretrainConfig
from layerviz.errors import Cancelled

CORPUS_HELP = f"text file (a text per line) or {FORMATS_MARK}; may be .gz"


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
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


def pretrain_config(parsed: argparse.Namespace) -> PretrainConfig:
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


def _pretrain(parsed: argparse.Namespace) -> int:
    config = pretrain_config(parsed)

    from layerviz import data

    corpus = data.read_corpus(
        read_bytes(parsed.data),
        parsed.data.name,
        text_column=parsed.text_column,
        max_texts=parsed.max_texts,
        seed=parsed.seed,
    )
    print_notes(corpus.notes)

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
                should_stop=stop_on_interrupt(),
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


PRETRAIN = Command(
    "pretrain",
    "pre-train an encoder on unlabelled texts, or train one on",
    _add_arguments,
    _pretrain,
)
