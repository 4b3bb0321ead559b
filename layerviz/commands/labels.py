"""``labels``: labels that may be wrong, decisions about them, corrected files, and the proof."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from layerviz import interrupts
from layerviz.commands.command import EXIT_FAILED, EXIT_OK
from layerviz.commands.help import JSON_HELP
from layerviz.commands.inputs import (
    add_run_argument,
    add_runs_folder,
    open_run,
    runs_root,
    table_of,
)
from layerviz.commands.making import finish_run
from layerviz.errors import RunError
from layerviz.wording import cut_to, named

if TYPE_CHECKING:
    from layerviz.exploring import Suspicion
    from layerviz.runs import LabelDecision, Run

LISTED, TEXT_SHOWN = 20, 60


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add_run_argument(parser)
    add("--csv", type=Path, help="write the whole list there, with columns decision and new_label")
    add(
        "--decisions",
        type=Path,
        help="keep the decisions of such a CSV with the run: accept, edit (to new_label) or skip",
    )
    add(
        "--accept-flagged",
        action="store_true",
        help="accept what is suggested for every flagged label on which nobody has decided",
    )
    add(
        "--corrected",
        type=Path,
        help="write the data file with the corrected labels there, all else in it as it was; a zip "
        "of several",
    )
    add(
        "--train",
        action="store_true",
        help="train again with the corrected labels, every row in the split in which it was, and "
        "compare on the val rows whose labels nobody corrected",
    )
    add("--json", action="store_true", help=JSON_HELP)
    add_runs_folder(parser)


def run_command(parsed: argparse.Namespace) -> int:
    from layerviz import exploring, relabelling, runs

    run = open_run(parsed.which, runs_root(parsed))
    if run.live:
        raise RunError("This run is still in progress.", "Wait until it has finished.")
    if not exploring.has_current_ranking(run):
        print("Looking for labels that may be wrong", file=sys.stderr)
        exploring.store_suspicious_labels(run)
    suspicion = exploring.stored_suspicious_labels(run)
    if suspicion is None:
        raise RunError("The ranking of labels was not stored.", "Start the command again.")
    if parsed.decisions is not None:
        made = relabelling.decisions_in(table_of(parsed.decisions), run, suspicion.frame)
        runs.decide_on_labels(run.path, made)
    if parsed.accept_flagged:
        _accept_flagged(run, suspicion)
    decisions = runs.read_label_decisions(run.path)
    examples = runs.read_examples(run.path)
    table = relabelling.labels_table(run, suspicion.frame, examples, decisions)
    if parsed.csv is not None:
        from layerviz.export.tables import as_csv

        _write(parsed.csv, as_csv(table))
    if decisions:
        print(f"{relabelling.decisions_words(decisions)}.", file=sys.stderr)
    if parsed.corrected is not None:
        _write_corrected(run, decisions, parsed.corrected)
    if parsed.train:
        return _train(run, decisions)
    if parsed.json:
        rows = json.loads(table.to_json(orient="records"))
        facts = {"noise_rate": suspicion.noise_rate, "n_flagged": suspicion.n_flagged}
        print(json.dumps({"run": run.run_id, **facts, "labels": rows}))
    elif not (parsed.csv or parsed.corrected):
        n = len(table)
        print(
            f"{suspicion.n_flagged:,} of {n:,} labels (train and val) are worth a second look. "
            "The most suspicious:"
        )
        for row in table.head(LISTED).to_dict("records"):
            decided = f" [{row['decision']}]" if row["decision"] else ""
            change = f"{named(row['label'])} -> {named(row['suggested'])}{decided}"
            print(
                f"{row['rank']:>4}{'*' if row['flagged'] else ' '} {row['example']}: "
                f"{change}  {cut_to(row['text'], TEXT_SHOWN)}"
            )
        print("* flagged. --csv FILE writes them all, to be decided on.")
    return EXIT_OK


def _accept_flagged(run: Run, suspicion: Suspicion) -> None:
    from layerviz import runs

    flagged = suspicion.frame[suspicion.frame["issue"]]
    decided = runs.read_label_decisions(run.path)
    suggested = zip(flagged["id"].tolist(), flagged["suggested"].tolist(), strict=True)
    runs.decide_on_labels(
        run.path,
        [
            runs.LabelDecision(example, runs.ACCEPTED, run.label_names[code])
            for example, code in suggested
            if example not in decided
        ],
    )


def _write(path: Path, content: bytes) -> None:
    from layerviz import runs

    with runs.writing_file(path.expanduser()) as stream:
        stream.write(content)
    print(path)


def _corrections(run: Run, decisions: dict[str, LabelDecision]) -> dict[str, str]:
    from layerviz import relabelling

    if not any(decision.label for decision in decisions.values()):
        raise RunError(
            "No label of this run is corrected yet.",
            "Decide with --decisions or --accept-flagged, or on the page.",
        )
    return relabelling.corrections_of(run, decisions)


def _write_corrected(run: Run, decisions: dict[str, LabelDecision], path: Path) -> None:
    from layerviz import relabelling, runs

    corrections = _corrections(run, decisions)
    sources, examples = relabelling.sources_of(run), runs.read_examples(run.path)
    files = relabelling.corrected_files(sources, examples, run.label_names, corrections)
    _write(path, files[0].content if len(files) == 1 else relabelling.archive_of(files))
    for file in files:
        if not file.in_place:
            print(
                f"{file.name} is the whole table as a CSV in UTF-8, as the original cannot be "
                "written back byte for byte; only the corrected labels differ.",
                file=sys.stderr,
            )


def _train(run: Run, decisions: dict[str, LabelDecision]) -> int:
    from layerviz import checks, comparison, relabelling, runs

    corrections = _corrections(run, decisions)
    relabelling.refuse_without_new_train_labels(run, decisions)
    relabelling.expect_same_encoder(run)
    sources = relabelling.sources_of(run)
    dataset = relabelling.relabelled_dataset(run, sources, corrections)
    checks.refuse(checks.plan_for(run.config, dataset))
    relabelled = runs.create(run.path.parent, run.config, dataset)
    if not relabelling.is_relabelled(run, relabelled):  # corrections that were taken back
        is_done = relabelled.status == "done"
        how = "already exists" if is_done else f"is {relabelled.status}; `fit` goes on with it"
        print(f"With these labels the data are those of a run that {how}:")
        print(relabelled.path)
        return EXIT_OK if is_done else EXIT_FAILED
    relabelled = finish_run(relabelled, dataset, interrupts.stop_in_good_order())
    interrupts.work_is_over()
    if relabelled.status == "done":
        verdict = comparison.compare_relabelled(run, relabelled)
        print(" ".join(comparison.relabel_sentences(verdict)))
        print(
            "One run each: another seed may move scores by more than the intervals say.",
            file=sys.stderr,
        )
    print(relabelled.path)
    return EXIT_OK if relabelled.status == "done" else interrupts.exit_status()
