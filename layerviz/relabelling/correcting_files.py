"""The files of a run with corrected labels in them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import pandas as pd

from layerviz import data
from layerviz.data import CorrectedFile, Corrections
from layerviz.data.packing import pack
from layerviz.errors import DataError
from layerviz.relabelling.sources import Sources
from layerviz.wording import quote


def corrected_files(
    sources: Sources, examples: pd.DataFrame, label_names: Sequence[str], corrections: Corrections
) -> list[CorrectedFile]:
    """Return the files in which labels change, each with its other bytes as they were.

    Parameters
    ----------
    sources : Sources
    examples : DataFrame
        Those of the run, by whose ids labels are corrected.
    label_names : sequence of str
        The run's.
    corrections : mapping of str to str

    Raises
    ------
    DataError
        If an example is not found in the files, or a file cannot be written.
    """
    in_files = _in_files(sources, examples, label_names, corrections)
    edits = data.label_edits(sources.tables, sources.columns, sources.choices, in_files)
    return [
        data.correct_file(sources.contents[role], sources.tables[role], edits[role])
        for role in sources.tables
        if role in edits
    ]


def archive_of(files: Sequence[CorrectedFile]) -> bytes:
    """Return several files as one zip archive; of the same name, the later are numbered."""
    seen: Counter[str] = Counter()
    named = []
    for file in files:
        seen[file.name] += 1
        prefix = f"{seen[file.name]}-" if seen[file.name] > 1 else ""
        named.append((prefix + file.name, file.content))
    return pack(named)


def _in_files(
    sources: Sources, examples: pd.DataFrame, label_names: Sequence[str], corrections: Corrections
) -> dict[str, str]:
    """Return corrections by the ids that the files give today.

    They are those of the run, but for one that an earlier version made and numbered otherwise: then
    text and label tell an example, if no other has both.
    """
    dataset = sources.dataset({})
    in_files = _text_and_label(dataset.examples, dataset.label_names)
    in_run = _text_and_label(examples, label_names)
    earlier = dict(sources.choices.corrections)  # by the ids of these very files
    ids: dict[tuple[str, str], list[str]] = defaultdict(list)
    for example, both in in_files.items():
        ids[both].append(example)
    found: dict[str, str] = {}
    for example, new in corrections.items():
        is_known = example in earlier or in_files.get(example) == in_run[example]
        found[example if is_known else _only(ids, *in_run[example])] = new
    return found


def _text_and_label(
    examples: pd.DataFrame, label_names: Sequence[str]
) -> dict[str, tuple[str, str]]:
    labels = [label_names[code] for code in examples["label"].tolist()]
    both = zip(examples["text"].tolist(), labels, strict=True)
    return dict(zip(examples["id"].tolist(), both, strict=True))


def _only(ids: Mapping[tuple[str, str], Sequence[str]], text: str, label: str) -> str:
    """Return the only example that has a text and a label."""
    same = ids.get((text, label), ())
    if len(same) != 1:
        where = "in no row" if not same else f"in {len(same)} rows"
        raise DataError(
            f"A text whose label was corrected is found {where} of the files: {quote(text)}.",
            "Take back that decision, or correct the file by hand.",
        )
    return same[0]
