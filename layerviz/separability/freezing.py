"""Which layers fine-tuning hardly moves, so that it may do without training them.

Lower layers change least in fine-tuning (Merchant et al., 2020), and some can be frozen at little
cost (Lee et al., 2019). This only suggests how many: whether the model does as well is for a run
with these layers frozen to show.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from layerviz import runs
from layerviz.runs import Run
from layerviz.separability.epochs import MARGIN
from layerviz.separability.measures import CKA
from layerviz.separability.of_run import cells_of
from layerviz.separability.scored_cells import Cell, CellScores, Difference
from layerviz.separability.simultaneous import mean_draws, simultaneous_interval
from layerviz.wording import at_epoch, layer_list

SIMILAR = 0.9  # CKA to before training, from which on a layer counts as hardly moved


@dataclass(frozen=True)
class FreezingSuggestion:
    """How many layers, from the first on, fine-tuning hardly moves.

    Parameters
    ----------
    layers : int
        The first so many are similar to what they were (CKA of `SIMILAR` or more, the mean over
        the poolings), and none of them has certainly gained `margin` or more; never all layers.
    similarity : tuple of float
        That mean for layers 1 to L, at `epoch`; NaN where it is not measured.
    gains : tuple of Difference
        What their probes gained on val since before training, the mean over the poolings;
        intervals are simultaneous over the layers.
    margin : float
        Of macro-F1.
    epoch : float
        The recommended one, up to which the changes are taken.
    n : int
        Val examples.
    """

    layers: int
    similarity: tuple[float, ...]
    gains: tuple[Difference, ...]
    margin: float
    epoch: float
    n: int

    @property
    def most_gained(self) -> float:
        """What none of the suggested layers gained more than, with 95 % confidence."""
        return max(gain.high for gain in self.gains[: self.layers])


def suggest_freezing(
    scored: CellScores, similarity: Mapping[int, float], best: Cell, margin: float = MARGIN
) -> FreezingSuggestion | None:
    """Suggest how many layers to freeze, from what a run without frozen layers did to them.

    Parameters
    ----------
    scored : CellScores
        Of that run.
    similarity : mapping of int to float
        Per layer, CKA at the epoch of `best` to before training, the mean over the poolings.
    best : Cell
        The recommended one.
    margin : float
        Of macro-F1, that the reader gives away.

    Returns
    -------
    FreezingSuggestion or None
        None where the recommended epoch is before training, so that there is nothing to spare.
    """
    start = scored.snapshots[0][0]
    if best.snapshot == start:
        return None
    layers = list(range(1, scored.n_layers + 1))
    means = {
        snapshot: [
            scored.where(lambda cell: (cell.snapshot, cell.layer) == (snapshot, layer))  # noqa: B023
            for layer in layers
        ]
        for snapshot in (start, best.snapshot)
    }
    values, draws = (
        {at: mean_draws(array, groups) for at, groups in means.items()}
        for array in (scored.scores[None], scored.draws)
    )
    gained = (values[best.snapshot] - values[start])[0]
    bounds = simultaneous_interval(gained, draws[best.snapshot] - draws[start])
    gains = tuple(
        Difference(*map(float, numbers))
        for numbers in zip(bounds.value, bounds.low, bounds.high, strict=True)
    )
    of_layers = tuple(similarity.get(layer, float("nan")) for layer in layers)
    hardly = [
        alike >= SIMILAR and gain.low < margin for alike, gain in zip(of_layers, gains, strict=True)
    ]
    moved = hardly.index(False) if False in hardly else len(layers)
    return FreezingSuggestion(
        min(moved, len(layers) - 1), of_layers, gains, margin, best.epoch, scored.n
    )


def freezing_suggestion_of(
    run: Run, best: Cell, margin: float = MARGIN
) -> FreezingSuggestion | None:
    """Return how many layers of a run to freeze; see `suggest_freezing`."""
    cells, predicted = cells_of(run)
    examples = runs.read_examples(run.path)
    val = (examples["split"] == "val").to_numpy()
    labels = examples["label"].to_numpy()[val]
    scored = CellScores(tuple(cells), predicted[:, val], labels, run.config.seed)
    table = runs.read_separability(run.path)
    rows = table[(table["measure"] == CKA.name) & (table["snapshot"] == best.snapshot)]
    similarity = rows[rows["pooling"].isin(run.poolings)].groupby("layer")["value"].mean()
    by_layer = dict(zip(similarity.index.tolist(), similarity.tolist(), strict=True))
    return suggest_freezing(scored, by_layer, best, margin)


def freezing_sentence(suggestion: FreezingSuggestion) -> str:
    """Say which layers fine-tuning hardly moved, or what the first one did."""
    by = f"up to {at_epoch(suggestion.epoch).removeprefix('at ')}"
    if not suggestion.layers:
        alike, gain = suggestion.similarity[0], suggestion.gains[0]
        if np.isnan(alike):
            return "How much fine-tuning moved the layers was not measured in this run."
        if alike < SIMILAR:
            return (
                f"Fine-tuning rebuilt even layer 1 {by}: its similarity to before training is "
                f"{alike:.2f}. No layer suggests itself for freezing."
            )
        return (
            f"Even layer 1 gained {suggestion.margin:.2f} macro-F1 or more from fine-tuning {by}: "
            f"its probe changed by {gain} (n = {suggestion.n:,}). No layer suggests itself for "
            "freezing."
        )
    layers = list(range(1, suggestion.layers + 1))
    least = min(suggestion.similarity[: suggestion.layers])
    alone = suggestion.layers == 1
    most = max(suggestion.most_gained, 0.0)
    sentence = (
        f"Fine-tuning hardly moved {layer_list(layers)} {by}: "
        f"{'its' if alone else 'their'} similarity to before training is {least:.2f}"
        f"{'' if alone else ' or more'}, and {'its probe' if alone else 'their probes'} gained at "
        f"most {most:.2f} macro-F1 (95 %, n = {suggestion.n:,})."
    )
    if most < suggestion.margin:
        return sentence
    return f"{sentence} That may be more than {suggestion.margin:.2f}: a trial will tell."
