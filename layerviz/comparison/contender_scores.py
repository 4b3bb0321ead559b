"""What one contender predicts for the examples that all of them captured, and its best cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from layerviz import runs, separability
from layerviz.comparison.contenders import Contender
from layerviz.separability import Cell, SplitResamples

SEED = 0  # of the resamples, as in a run whose seed is 0


@dataclass(frozen=True)
class ContenderScores:
    """A contender's predictions for the common examples, and what follows from them alone.

    Parameters
    ----------
    name : str
    run_ids : tuple of str
        Of its S runs.
    seeds : tuple of int
    cells : tuple of K Cells
        The same ones in every run.
    predicted : ndarray of shape (S, K, N)
        Class indices that the probes predict.
    heads : dict of int to ndarray of shape (S, N)
        Those of the models' own classifiers, by snapshot.
    resamples : SplitResamples
        Of the N examples that all contenders captured.
    """

    name: str
    run_ids: tuple[str, ...]
    seeds: tuple[int, ...]
    cells: tuple[Cell, ...]
    predicted: np.ndarray
    heads: Mapping[int, np.ndarray]
    resamples: SplitResamples

    @property
    def n_layers(self) -> int:
        return max(cell.layer for cell in self.cells)

    @property
    def labels(self) -> np.ndarray:
        """Class indices of the n val examples."""
        return self.resamples.labels["val"]

    @cached_property
    def on_val(self) -> np.ndarray:
        """What the probes predict for the val examples, (S, K, n)."""
        return self.predicted[:, :, self.resamples.rows["val"]]

    @cached_property
    def scores(self) -> np.ndarray:
        """Val macro-F1 of each seed, (S, K)."""
        return np.stack([separability.macro_f1(self.labels, of_seed) for of_seed in self.on_val])

    @cached_property
    def means(self) -> np.ndarray:
        """Their means over the seeds, (K,)."""
        return self.scores.mean(axis=0)

    @cached_property
    def draws(self) -> np.ndarray:
        """Bootstrap draws of these means over the examples, (R, K)."""
        return self._mean_draws(self.resamples.weights("val"))

    def _mean_draws(self, weights: np.ndarray) -> np.ndarray:
        total = np.zeros((len(weights), len(self.cells)))
        for of_seed in self.on_val:
            total += separability.macro_f1(self.labels, of_seed, weights)
        return total / len(self.on_val)

    @cached_property
    def row(self) -> int:
        """The index of the best cell: the highest mean over it and its neighbours."""
        return int((separability.neighbourhood_means(self.cells) @ self.means).argmax())

    @property
    def best(self) -> Cell:
        return self.cells[self.row]

    @property
    def value(self) -> float:
        """Val macro-F1 of the best cell, which was picked by it."""
        return float(self.means[self.row])

    @cached_property
    def correction(self) -> float:
        """What the pick makes that score too high; negative, or 0.

        See `separability.worth_of_pick`. More cells to pick from are no advantage after it.
        """
        weights = self.resamples.weights("val")
        outside = self._mean_draws((weights == 0).astype(np.float32))
        neighbourhood = separability.neighbourhood_means(self.cells)
        worth = separability.worth_of_pick(self.means, self.draws, outside, neighbourhood)
        return worth - self.value

    @property
    def unseen(self) -> float:
        """What the best cell is worth on unseen examples."""
        return self.value + self.correction

    @property
    def by_seed(self) -> np.ndarray:
        """Val macro-F1 of the best cell, (S,)."""
        return self.scores[:, self.row]

    @cached_property
    def draws_by_seed(self) -> np.ndarray:
        """Its bootstrap draws over the examples, (R, S)."""
        return separability.macro_f1(
            self.labels, self.on_val[:, self.row], self.resamples.weights("val")
        )

    @property
    def profile_rows(self) -> list[int]:
        """The indices of layers 1 to L at the best epoch under the best pooling."""
        best = self.best
        rows = [
            row
            for row, cell in enumerate(self.cells)
            if (cell.snapshot, cell.pooling) == (best.snapshot, best.pooling)
        ]
        return sorted(rows, key=lambda row: self.cells[row].layer)

    @property
    def epoch_rows(self) -> list[int]:
        """The indices of the best layer under the best pooling at every epoch."""
        best = self.best
        return [
            row
            for row, cell in enumerate(self.cells)
            if (cell.layer, cell.pooling) == (best.layer, best.pooling)
        ]

    def of_best(self, split: str) -> np.ndarray:
        """Return what the probe of the best cell predicts for a split, (S, n)."""
        return self.predicted[:, self.row, self.resamples.rows[split]]

    def of_head(self, snapshot: int) -> np.ndarray:
        """Return what the models' own classifiers predict for val, (S, n)."""
        return self.heads[snapshot][:, self.resamples.rows["val"]]

    def score(self, predicted: np.ndarray, split: str = "val") -> float:
        """Return macro-F1, mean over the seeds, of predictions (S, n) for a split."""
        return float(separability.macro_f1(self.resamples.labels[split], predicted).mean())

    def draws_of(self, predicted: np.ndarray, split: str = "val") -> np.ndarray:
        """Return its bootstrap draws over the examples, (R,)."""
        weights = self.resamples.weights(split)
        draws = separability.macro_f1(self.resamples.labels[split], predicted, weights)
        return draws.mean(axis=1)


def contender_scores(
    contender: Contender,
    resamples: SplitResamples,
    rows: Mapping[Path, np.ndarray],
    poolings: Sequence[str],
) -> ContenderScores:
    """Read what a contender's runs predict.

    Parameters
    ----------
    contender : Contender
        With a measured snapshot.
    resamples : SplitResamples
        Of the N examples that all contenders captured.
    rows : mapping of Path to ndarray of shape (N,)
        The indices of these examples among those of each run, by the run's folder.
    poolings : sequence of str
        Among which to search.
    """
    shared: list[Cell] = []
    predicted = []
    for run in contender.measured:
        cells, of_cells = separability.cells_of(run, poolings)
        kept = [at for at, cell in enumerate(cells) if cell.snapshot in contender.snapshots]
        shared = [cells[at] for at in kept]  # the same ones for every run
        predicted.append(of_cells[kept][:, rows[run.path]])
    heads = {
        snapshot: np.stack(
            [
                runs.read_predictions(run.path, snapshot)["predicted"].to_numpy()[rows[run.path]]
                for run in contender.measured
            ]
        )
        for snapshot in contender.snapshots
    }
    return ContenderScores(
        name=contender.name,
        run_ids=tuple(run.run_id for run in contender.measured),
        seeds=tuple(run.config.seed for run in contender.measured),
        cells=tuple(shared),
        predicted=np.stack(predicted),
        heads=heads,
        resamples=resamples,
    )


def probe_scores_of(
    contender: Contender,
    cells: Sequence[Cell],
    rows: Mapping[Path, np.ndarray],
) -> np.ndarray | None:
    """Return the class scores of the probes of all its runs, (S K, n, C); None if not all are kept.

    Parameters
    ----------
    contender : Contender
    cells : sequence of Cell
        Of all layers from 1 up.
    rows : mapping of Path to ndarray of shape (n,)
        As for `contender_scores`, of the examples that are wanted.
    """
    parts = []
    for run in contender.measured:
        for snapshot in dict.fromkeys(cell.snapshot for cell in cells):
            stored = runs.read_probe_scores(run.path, snapshot)
            if stored is None:
                return None
            poolings = dict.fromkeys(cell.pooling for cell in cells)
            parts += [stored[pooling][1:][:, rows[run.path]] for pooling in poolings]
    return np.concatenate(parts)
