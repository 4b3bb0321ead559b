"""What is said of a run that trains nothing, and only looks at an encoder as it is."""

from __future__ import annotations

from layerviz.runs import Run
from layerviz.wording import at_epoch


def untrained_sentence(run: Run) -> str:
    """Say that nothing was trained, and what the model's own predictions are worth; "" otherwise.

    Of a training that was not seen from its start, it says what stands for its start.

    Parameters
    ----------
    run : Run
    """
    if run.trains:
        if not run.snapshots or run.snapshots[0].epoch == 0:
            return ""
        return (
            f"What was captured begins {at_epoch(run.snapshots[0].epoch)}: what is said of gains "
            "and changes since before training is since then."
        )
    if run.kept_its_head:
        return (
            "Nothing was trained: this run shows the model as it is, with the classification head "
            "that it came with."
        )
    return (
        "Nothing was trained: this run shows the encoder as it is. Its classification head is new, "
        "so that the model's own predictions say nothing; the probes of the layers do without it."
    )
