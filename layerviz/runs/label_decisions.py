"""What a reader decided about labels that may be wrong, kept with the run."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from layerviz.errors import RunError
from layerviz.runs.access import expect_changes_allowed
from layerviz.runs.layout import Layout
from layerviz.runs.locking import changing
from layerviz.runs.writing import replacing
from layerviz.wording import quote

ACCEPTED: str = "accepted"
EDITED: str = "edited"
SKIPPED: str = "skipped"
DECISIONS = (ACCEPTED, EDITED, SKIPPED)


@dataclass(frozen=True)
class LabelDecision:
    """What was decided about the label of one example.

    Parameters
    ----------
    id : str
        The example's.
    decision : {"accepted", "edited", "skipped"}
        Whether it gets the label that was suggested, another one, or keeps its own.
    label : str
        The one it gets; empty where it keeps its own.
    """

    id: str
    decision: str
    label: str = ""

    def __post_init__(self) -> None:
        sound = self.decision in DECISIONS and (self.label == "") == (self.decision == SKIPPED)
        if not (sound and isinstance(self.id, str) and isinstance(self.label, str)):
            raise ValueError("a decision about a label")


def parse_label_decisions(values: Any) -> dict[str, LabelDecision]:
    """Return the decisions that a file holds, by example, in the order in which they were made.

    Raises
    ------
    KeyError, TypeError, ValueError
        If they are garbled.
    """
    decisions = [LabelDecision(**value) for value in values["decisions"]]
    by_id = {decision.id: decision for decision in decisions}
    if len(by_id) != len(decisions):
        raise ValueError("two decisions about one label")
    return by_id


def read_label_decisions(path: Path) -> dict[str, LabelDecision]:
    """Return what was decided about labels of the run in a folder; nothing without decisions.

    Raises
    ------
    RunError
        If the file is damaged.
    """
    file = Layout(path).label_decisions
    try:
        return parse_label_decisions(json.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise RunError(
            f"{file.name} of {quote(path.name)}, with the decisions about labels, cannot be read.",
            "Restore it, or delete it to decide anew.",
        ) from error


def decide_on_labels(path: Path, decisions: Iterable[LabelDecision]) -> None:
    """Keep decisions; one about an example takes the place of an earlier one."""
    with changing(path):
        kept = read_label_decisions(path)
        for decision in decisions:
            kept.pop(decision.id, None)  # the newest is the last
            kept[decision.id] = decision
        _write(path, kept)


def take_back_decisions(path: Path, examples: Iterable[str]) -> None:
    """Forget what was decided about these examples."""
    forgotten = set(examples)
    with changing(path):
        kept = read_label_decisions(path)
        _write(path, {id: decision for id, decision in kept.items() if id not in forgotten})


def _write(path: Path, decisions: dict[str, LabelDecision]) -> None:
    expect_changes_allowed()
    values = {"decisions": [asdict(decision) for decision in decisions.values()]}
    with replacing(Layout(path).label_decisions, make_folder=False) as temporary:
        temporary.write_text(json.dumps(values, indent=1, ensure_ascii=False), encoding="utf-8")
