"""The confusion matrix of the model's own classifier: a tile selects its examples in the maps."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import pandas as pd
import streamlit as st

from layerviz import charts, separability
from layerviz.runs import Run
from layerviz.separability import MOST_CLASSES
from layerviz.ui.parts.examples_table import chosen_examples
from layerviz.ui.parts.figure import figure
from layerviz.ui.parts.selection import clear_selection, how_selected, select
from layerviz.ui.parts.state import open_maps, plain
from layerviz.wording import at_epoch, count, epoch_name

CONFUSION = "confusion"  # the selection of the chart
PAIR = "confused_pair"  # session state: of which data, the label, and what it is predicted as
CHOSEN_HERE = "in the confusion matrix"  # how what is selected was selected
MOST_PAIRS = 10
MOST_BESIDE = 12  # classes whose matrix leaves room for the list beside it


@dataclass(frozen=True)
class Predicted:
    """What the classifier predicts for the examples of one split at one snapshot.

    Parameters
    ----------
    run : Run
    snapshot : int
    split : str
    examples, predictions : DataFrame
        Of the split alone, under one index.
    """

    run: Run
    snapshot: int
    split: str
    examples: pd.DataFrame
    predictions: pd.DataFrame

    @property
    def when(self) -> str:
        """The epoch in words."""
        return epoch_name(self.run.snapshots[self.snapshot].epoch)

    @property
    def classes(self) -> tuple[np.ndarray, np.ndarray]:
        """The classes that examples have, and those that they are predicted as: indices."""
        return self.examples["label"].to_numpy(), self.predictions["predicted"].to_numpy()

    @cached_property
    def table(self) -> pd.DataFrame:
        """How often each class is predicted as each, as far as there is room to draw them."""
        return separability.confusion_table(*self.classes, self.run.label_names)

    def mistakes(self) -> pd.DataFrame:
        """Return all pairs that are confused, the most confused one first, drawn or not."""
        return separability.mistaken_pairs(*self.classes, self.run.label_names)

    def of_pair(self, label: str, predicted: str) -> pd.DataFrame:
        """Return the examples of a tile; a column that is no class stands for all others."""
        labels, classes = (
            np.asarray(self.run.label_names, dtype=object)[indices] for indices in self.classes
        )
        if predicted in self.run.label_names:  # of another split or epoch, it may not be drawn
            chosen = classes == predicted
        else:
            chosen = ~np.isin(classes, list(self.table["predicted"].unique()))
        return self.examples[(labels == label) & chosen]


def confusion(shown: Predicted) -> None:
    """Show the matrix, the most frequent mistakes and the examples of the chosen tile."""
    pair = _chosen_pair(shown.run)
    if pair and how_selected(shown.run).startswith(CHOSEN_HERE):
        _choose(shown, *pair)  # at another epoch, or of another split, the tile holds others
    if shown.table["label"].nunique() > MOST_BESIDE:
        _matrix(shown)
        _mistakes(shown)
    else:
        left, right = st.columns([3, 2], gap="medium")
        with left:
            _matrix(shown)
        with right:
            _mistakes(shown)
    if pair:
        _examples_of(shown, *pair)


# --- which tile is chosen -------------------------------------------------------------------


def _chosen_pair(run: Run) -> tuple[str, str] | None:
    fingerprint, *pair = st.session_state.get(PAIR, ("", "", ""))
    if fingerprint != run.dataset["fingerprint"] or pair[0] not in run.label_names:
        return None
    return pair[0], pair[1]


def _choose(shown: Predicted, label: str, predicted: str) -> None:
    """Remember a tile and select its examples."""
    st.session_state[PAIR] = (shown.run.dataset["fingerprint"], label, predicted)
    how = f"{CHOSEN_HERE}: {label} predicted as {predicted}, {shown.split}, {shown.when}"
    select(shown.run, shown.of_pair(label, predicted)["id"].tolist(), how)


def _leave(run: Run) -> None:
    """Forget the tile, and what is selected if that came from it."""
    st.session_state.pop(PAIR, None)
    if how_selected(run).startswith(CHOSEN_HERE):
        clear_selection()


# --- what is drawn --------------------------------------------------------------------------


def _matrix(shown: Predicted) -> None:
    run, key = shown.run, f"{CONFUSION}-{shown.run.run_id}"

    def take_tile() -> None:
        tiles = st.session_state[key]["selection"].get(CONFUSION) or ()
        for tile in list(tiles)[:1]:
            _choose(shown, tile["label"], tile["predicted"])
            return
        _leave(run)

    figure(
        partial(
            charts.confusion_heat_map,
            shown.table,
            chosen=_chosen_pair(run),
            dark=st.context.theme.type == "dark",
        ),
        key=key,
        title="**Confusion matrix**",
        alt=f"Heat map: how many {shown.split} examples of each class are predicted as each class.",
        name=f"{run.run_id}-confusion-{shown.split}-{shown.snapshot}",
        frame=shown.table,
        on_select=take_tile,
        selection_mode=[CONFUSION],
    )
    n_classes = len(np.union1d(*shown.classes))
    cut = ""
    if n_classes > MOST_CLASSES:
        cut = f" The {MOST_CLASSES} most frequent of {n_classes} classes are drawn."
    st.caption(
        plain(
            f"{count(len(shown.examples), f'{shown.split} example')} "
            f"{at_epoch(run.snapshots[shown.snapshot].epoch)}. Rows are labels, columns "
            "what the model itself predicts; each row adds up to 100 %."
            f"{cut} Click a tile to select its examples."
        )
    )


def _mistakes(shown: Predicted) -> None:
    """List the most frequent mistakes, with their direction; a tick chooses one."""
    st.markdown("**Most confused classes**")
    wrong = shown.mistakes().head(MOST_PAIRS)
    if wrong.empty:
        st.caption("No example is predicted as another class.")
        return
    pairs = list(zip(wrong["label"], wrong["predicted"], strict=True))
    key = f"mistakes-{shown.run.run_id}-{shown.split}-{shown.snapshot}"

    def tick() -> None:
        if rows := st.session_state[key]["selection"]["rows"]:
            _choose(shown, *pairs[rows[0]])
        else:
            _leave(shown.run)

    st.dataframe(
        pd.DataFrame(
            {
                "examples": [
                    f"{n:,} of {of:,}" for n, of in zip(wrong["n"], wrong["n_label"], strict=True)
                ],
                "share": 100 * wrong["share"],
                "label": wrong["label"],
                "predicted as": wrong["predicted"],
            }
        ),
        hide_index=True,
        width="stretch",
        height="content",
        key=key,
        on_select=tick,
        selection_mode="single-row",
        column_config={
            "label": st.column_config.TextColumn("Label"),
            "predicted as": st.column_config.TextColumn("Predicted as"),
            "examples": st.column_config.TextColumn("Examples", width=90),
            "share": st.column_config.NumberColumn("Share", format="%.0f %%", width=70),
        },
    )
    first = wrong.iloc[0]
    st.caption(
        plain(
            f"First: {first['label']} is predicted as {first['predicted']} for {first['n']:,} of "
            f"its {count(int(first['n_label']), 'example')}, at least {100 * first['least']:.0f} % "
            "of all such texts; rows are ordered by that low end (95 %, over all pairs). Tick a "
            "row to select its examples."
        )
    )


def _examples_of(shown: Predicted, label: str, predicted: str) -> None:
    part = shown.of_pair(label, predicted)
    chosen_examples(
        shown.run,
        part,
        shown.predictions,
        f"**{count(len(part), f'{shown.split} example')}** of {plain(label)} predicted as "
        f"{plain(predicted)}, {shown.when}, hardest first",
        CONFUSION,
        partial(_show_in_maps, shown, label, predicted),
        partial(_leave, shown.run),
        none="There are none at this epoch.",
    )


def _show_in_maps(shown: Predicted, label: str, predicted: str) -> None:
    _choose(shown, label, predicted)
    open_maps([shown.split])
