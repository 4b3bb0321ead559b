"""Which labels of a run are corrected, and which runs were made with corrected labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from layerviz import encoders, runs
from layerviz.data import Corrections
from layerviz.errors import EncoderError, RunError
from layerviz.runs import LabelDecision, Run


def corrections_of(run: Run, decisions: Mapping[str, LabelDecision]) -> dict[str, str]:
    """Return the label of each example whose label was corrected, before the run or after it.

    Parameters
    ----------
    run : Run
    decisions : mapping of str to LabelDecision
        By example.
    """
    new = {id: decision.label for id, decision in decisions.items() if decision.label}
    return dict(run.row_choices.corrections) | new


NOTHING_TO_TRAIN = (
    "All corrected labels are of val rows: a new run would train on the same labels and end in the "
    "same model, so there is nothing to compare."
)


def only_val_is_corrected(
    split_of: Mapping[str, str], decisions: Mapping[str, LabelDecision]
) -> bool:
    """Return whether decisions correct no label that a model is trained on.

    Parameters
    ----------
    split_of : mapping of str to str
        By the ids of the run's examples.
    decisions : mapping of str to LabelDecision
        By example.
    """
    return not any(
        decision.label and split_of.get(id) == "train" for id, decision in decisions.items()
    )


def refuse_without_new_train_labels(run: Run, decisions: Mapping[str, LabelDecision]) -> None:
    """Raise a RunError if a run with the corrected labels would be the same once more."""
    examples = runs.read_examples(run.path)
    if only_val_is_corrected(dict(zip(examples["id"], examples["split"], strict=True)), decisions):
        raise RunError(NOTHING_TO_TRAIN, "Correct labels of train rows, too.")


def expect_same_encoder(run: Run) -> None:
    """Raise an EncoderError if the encoder of a run is gone, or another one by now."""
    encoders.expect_on_disk(run.config.encoder)
    if run.config.encoder_version not in ("", encoders.version(run.config.encoder)):
        raise EncoderError(
            "The files of the encoder have changed since this run, so that a new run could differ "
            "for that reason, too.",
            "Make this run again with Fine-tune, and correct the labels there.",
        )


def is_relabelled(base: Run, other: Run) -> bool:
    """Return whether a run differs from another one in corrected labels alone."""
    ours, theirs = base.row_choices, other.row_choices
    same = ("name", "columns", "val_fraction", "reading")
    return (
        other.config == base.config
        and ours.corrections != theirs.corrections
        and replace(ours, corrections=()) == replace(theirs, corrections=())
        and (other.contents == base.contents or not base.contents)
        and all(base.dataset.get(name) == other.dataset.get(name) for name in same)
        and _includes(dict(theirs.corrections), dict(ours.corrections))
    )


def _includes(later: Corrections, earlier: Corrections) -> bool:
    """Tell whether whatever was corrected earlier is corrected later, perhaps to something else."""
    return later.keys() >= earlier.keys()


def relabelled_runs(base: Run, among: Iterable[Run]) -> list[Run]:
    """Return the runs that were made with corrected labels of another one, in their order."""
    return [other for other in among if is_relabelled(base, other)]
