"""Whether there are enough examples of every class, in train and in val."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from layerviz.checks.check import Check, Finding, Mend, RunPlan
from layerviz.config import TRAIN_AND_VAL
from layerviz.data import MOST_VAL_FRACTION
from layerviz.wording import count, named, quote

FEWEST_IN_VAL = 5  # rows of a class: with fewer, one mistake moves its score by more than 0.2
MOST_UNEVEN = 3.0  # times as many train rows as the rarest class has
FEW_ROWS = 10.0  # train rows per class, on average
FEWEST_STEPS = 200  # optimizer steps, where rows are few
STEPS_PER_CLASS = 5
SMALL_BATCH = 8
MOST_EPOCHS = 40
NAMED = 3  # classes, in a sentence
VAL_STEP = 0.05  # from one share that is suggested to the next


def _few_in_val(plan: RunPlan) -> Finding | None:
    rows = _per_class(plan, "val")
    few = rows[(rows > 0) & (rows < FEWEST_IN_VAL)]
    if few.empty:
        return None
    which = _named([f"{named(name)}: {n:,}" for name, n in few.items()])
    has, its = ("has", "its") if len(few) == 1 else ("have", "their")
    sentence = (
        f"{_classes(len(few))} {has} fewer than {FEWEST_IN_VAL} val rows ({which}): {its} scores "
        "will say little."
    )
    return _with_more_val(plan, sentence, list(few.index), FEWEST_IN_VAL)


def _none_in_val(plan: RunPlan) -> Finding | None:
    rows = _per_class(plan, "val")
    absent = [str(name) for name in rows.index[rows == 0]]
    if not absent:
        return None
    has, it = ("has", "it") if len(absent) == 1 else ("have", "they")
    sentence = (
        f"{_classes(len(absent))} {has} no val rows ({_named(absent)}): how well {it} "
        f"{'is' if len(absent) == 1 else 'are'} told apart cannot be measured."
    )
    return _with_more_val(plan, sentence, absent, 1)


def _with_more_val(plan: RunPlan, sentence: str, names: Sequence[str], rows: int) -> Finding:
    """Return the finding, with the smallest share of val that leaves every class so many rows."""
    dataset = plan.dataset
    from_column = dataset.val_fraction is None and dataset.columns.split is not None
    can_cut = dataset.val_fraction is not None or from_column
    share = _val_share(plan, names, rows) if can_cut and "val" not in dataset.files else None
    if share is not None:
        percent = round(100 * share)
        label = f"Cut {percent} % for val at random" if from_column else f"Hold out {percent} %"
        words = dataset.val_words if from_column else ()
        return Finding(sentence, len(names), Mend(label, {}, share, val_words=words))
    few = "Add rows of such classes" if can_cut else "Add rows of such classes to val"
    return Finding(f"{sentence} {few}, or merge them with others in the file.", len(names))


def _val_share(plan: RunPlan, names: Sequence[str], rows: int) -> float | None:
    """Return the smallest share, in steps of the page's slider, that gives so many val rows."""
    examples, label_names = plan.dataset.examples, plan.dataset.label_names
    cut = examples[examples["split"].isin(TRAIN_AND_VAL)]
    texts = cut.groupby("label")["text"].nunique()  # val is cut by distinct text
    fewest = min(int(texts[label_names.index(name)]) for name in names)
    now = plan.dataset.val_fraction or 0.0
    for step in range(1, round(MOST_VAL_FRACTION / VAL_STEP) + 1):
        share = round(step * VAL_STEP, 2)
        n_val = max(1, np.round(fewest * share))
        if share > now and rows <= n_val < fewest:
            return share
    return None


def _none_in_train(plan: RunPlan) -> Finding | None:
    left_out = plan.dataset.untrained_labels
    if not left_out:
        return None
    has = "has" if len(left_out) == 1 else "have"
    sentence = (
        f"{_classes(len(left_out))} {has} no train rows ({_named(left_out)}): the val and test "
        "rows were left out."
    )
    in_files = {"val", "test"} & set(plan.dataset.files)
    words = plan.dataset.val_words
    if words and not in_files and "test" not in plan.counts:
        mend = Mend("Cut val at random", {}, plan.dataset.val_fraction, val_words=words)
        return Finding(sentence, len(left_out), mend)
    return Finding(f"{sentence} Add train rows of such classes.", len(left_out))


def _uneven(plan: RunPlan) -> Finding | None:
    rows = _per_class(plan, "train")
    most, fewest = int(rows.max()), int(rows.min())
    trains = plan.config.epochs != 0
    if not trains or plan.config.class_weighting != "none" or most < MOST_UNEVEN * fewest:
        return None
    n_rare = int((rows * MOST_UNEVEN <= most).sum())
    sentence = (
        f"Classes are uneven: {most:,} train rows of {named(rows.idxmax())}, {fewest:,} of "
        f"{named(rows.idxmin())}. Without weights, training hardly looks at rare classes."
    )
    return Finding(sentence, n_rare, Mend("Balance the classes", {"class_weighting": "balanced"}))


def _few_rows_per_class(plan: RunPlan) -> Finding | None:
    rows = _per_class(plan, "train")
    n_train, n_classes = int(rows.sum()), len(rows)
    config = plan.config
    if config.epochs == 0 or n_train / n_classes >= FEW_ROWS:
        return None
    needed = max(FEWEST_STEPS, STEPS_PER_CLASS * n_classes)
    steps = -(-n_train // config.batch_size) * (config.epochs or 1)
    if steps >= needed:
        return None
    batch = min(config.batch_size, SMALL_BATCH)
    per_epoch = -(-n_train // batch)
    epochs = max(config.epochs or 1, min(MOST_EPOCHS, math.ceil(needed / per_epoch)))
    sentence = (
        f"{n_classes:,} classes in {n_train:,} train rows: about {n_train / n_classes:.0f} rows "
        f"per class, and {count(steps, 'step')} to learn them in. Add rows, merge classes, or "
        f"take the labels from another column than {quote(plan.dataset.columns.label)}."
    )
    if epochs * per_epoch < needed:
        return Finding(sentence, n_classes)
    mend = Mend(f"Train {epochs} epochs in batches of {batch}",
                {"epochs": epochs, "batch_size": batch})  # fmt: skip
    return Finding(sentence, n_classes, mend)


def _per_class(plan: RunPlan, split: str) -> pd.Series:
    counts = plan.counts
    return counts[split] if split in counts else pd.Series(0, index=counts.index)


def _classes(n: int) -> str:
    return "1 class" if n == 1 else f"{n:,} classes"


def _named(names: Sequence[str]) -> str:
    """Name a few classes."""
    more = [f"{len(names) - NAMED:,} more"] if len(names) > NAMED else []
    return ", ".join([*map(named, names[:NAMED]), *more])


FEW_IN_VAL = Check("few in val", _few_in_val)
NONE_IN_VAL = Check("none in val", _none_in_val)
NONE_IN_TRAIN = Check("none in train", _none_in_train)
UNEVEN = Check("uneven classes", _uneven)
FEW_ROWS_PER_CLASS = Check("few rows per class", _few_rows_per_class)
