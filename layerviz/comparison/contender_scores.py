"""What one contender scores on the examples that all of them captured, seeds included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from layerviz import runs, separability
from layerviz.comparison.contenders import Contender
from layerviz.comparison.standings import Standing
from layerviz.separability import Cell, Difference, Score, SplitResamples

SEED = 0  # of the resamples, as in a run whose seed is 0


class ContenderScores:
    """A contender's predictions for the common examples, and what follows from them alone.

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
    number : int
        Its number among the contenders: of its own resampling of seeds.
    """

    def __init__(
        self,
        contender: Contender,
        resamples: SplitResamples,
        rows: Mapping[Path, np.ndarray],
        poolings: Sequence[str],
        number: int,
    ) -> None:
        self.name, self.runs, self._number = contender.name, contender.measured, number
        self._resamples = resamples
        self.cells: list[Cell] = []
        predicted, heads = [], []
        for run in self.runs:
            cells, of_cells = separability.cells_of(run, poolings)
            shared = [at for at, cell in enumerate(cells) if cell.snapshot in contender.snapshots]
            self.cells = [cells[at] for at in shared]  # the same ones for every run
            predicted.append(of_cells[shared][:, rows[run.path]])
            head = [runs.read_predictions(run.path, index) for index in contender.snapshots]
            heads.append(np.stack([frame["predicted"] for frame in head])[:, rows[run.path]])
        self.predicted = np.stack(predicted)  # (S, K, N)
        self._head = np.stack(heads)  # (S, n_snapshots, N)
        self.scores = self._score(self.predicted, "val")  # (S, K)
        self.best_index = int(self.scores.mean(axis=0).argmax())
        self.best = self.cells[self.best_index]
        self.n_layers = max(cell.layer for cell in self.cells)

    @property
    def value(self) -> float:
        """Val macro-F1 of the best cell, mean over the seeds."""
        return float(self.scores[:, self.best_index].mean())

    @property
    def _of_best(self) -> np.ndarray:
        """What the probe of the best cell predicts, (S, 1, N)."""
        return self.predicted[:, self.best_index : self.best_index + 1]

    def _score(self, predicted: np.ndarray, split: str) -> np.ndarray:
        """Return macro-F1, (S, K) of predictions (S, K, N)."""
        true, rows = self._resamples.labels[split], self._resamples.rows[split]
        return np.stack([separability.macro_f1(true, one[:, rows]) for one in predicted])

    def draws(self, predicted: np.ndarray, split: str = "val") -> np.ndarray:
        """Return bootstrap draws of the mean over seeds, (R, K) of predictions (S, K, N)."""
        true, rows = self._resamples.labels[split], self._resamples.rows[split]
        weights = self._resamples.weights(split)
        by_seed = np.stack(
            [separability.macro_f1(true, one[:, rows], weights) for one in predicted], axis=1
        )  # (R, S, K)
        mean = by_seed.mean(axis=1)
        n_resamples, n_seeds, _ = by_seed.shape
        if n_seeds == 1:
            return mean
        # The same draw whatever is scored: cells of one encoder are compared on the same seeds.
        shares = _seed_shares(n_seeds, n_resamples, self._number)
        resampled = np.einsum("rs,rsk->rk", shares, by_seed)
        return mean + (resampled - mean) * (n_seeds / (n_seeds - 1)) ** 0.5

    def best_layers(self) -> list[int]:
        """Return the indices of the cells at the best epoch and pooling, layer by layer."""
        return [
            at
            for at, cell in enumerate(self.cells)  # those of a snapshot and pooling by layer
            if (cell.snapshot, cell.pooling) == (self.best.snapshot, self.best.pooling)
        ]

    def profile(self, draws: np.ndarray) -> pd.DataFrame:
        """Return the layers at the best epoch and pooling; `draws` are theirs, (R, L)."""
        indices = self.best_layers()
        low, high = separability.interval(draws)
        layers = np.array([self.cells[at].layer for at in indices])
        scores = self.scores[:, indices]
        return pd.DataFrame(
            {
                "name": self.name,
                "layer": layers,
                "depth": layers / self.n_layers,
                "value": scores.mean(axis=0),
                "low": low,
                "high": high,
                "spread": scores.std(axis=0, ddof=1) if len(scores) > 1 else np.nan,
            }
        )

    def over_epochs(self) -> pd.DataFrame:
        """Return the best layer and the model's own classifier at every epoch."""
        same = [
            at
            for at, cell in enumerate(self.cells)
            if (cell.layer, cell.pooling) == (self.best.layer, self.best.pooling)
        ]
        frames = []
        for of, predicted in (("probe", self.predicted[:, same]), ("head", self._head)):
            low, high = separability.interval(self.draws(predicted))
            frames.append(
                pd.DataFrame(
                    {
                        "name": self.name,
                        "epoch": [self.cells[at].epoch for at in same],
                        "snapshot": [self.cells[at].snapshot for at in same],
                        "layer": self.best.layer if of == "probe" else self.n_layers,
                        "of": of,
                        "value": self._score(predicted, "val").mean(axis=0),
                        "low": low,
                        "high": high,
                    }
                )
            )
        return pd.concat(frames, ignore_index=True)

    def standing(
        self, draws: np.ndarray, lead: Difference | None, beaten_by: Sequence[int]
    ) -> Standing:
        """Return how the contender stands; `draws` are those of the best cell, (R,)."""
        low, high = separability.interval(draws)
        by_seed = self.scores[:, self.best_index]
        n_val = len(self._resamples.rows["val"])
        return Standing(
            name=self.name,
            run_ids=tuple(run.run_id for run in self.runs),
            seeds=tuple(run.config.seed for run in self.runs),
            n_layers=self.n_layers,
            n_cells=len(self.cells),
            last_epoch=max(cell.epoch for cell in self.cells),
            best=self.best,
            val=Score(self.value, float(low), float(high), n_val),
            by_seed=tuple(float(score) for score in by_seed),
            test=self._test_score(),
            corrected=self._corrected(),
            head=float(self._score(self._head[:, -1:], "val").mean()),
            gap=self._gap(),
            lead=lead,
            beaten_by=tuple(beaten_by),
        )

    def _test_score(self) -> Score | None:
        if "test" not in self._resamples.rows:
            return None
        low, high = separability.interval(self.draws(self._of_best, "test"))
        value = float(self._score(self._of_best, "test").mean())
        return Score(value, float(low[0]), float(high[0]), len(self._resamples.rows["test"]))

    def _corrected(self) -> float:
        true, rows = self._resamples.labels["val"], self._resamples.rows["val"]
        weights = self._resamples.weights("val")
        neighbourhood = separability.neighbourhood_means(self.cells)
        by_seed = [
            separability.worth_of_pick(
                separability.macro_f1(true, one[:, rows]),
                separability.macro_f1(true, one[:, rows], weights),
                separability.macro_f1(true, one[:, rows], (weights == 0).astype(np.float32)),
                neighbourhood,
            )
            for one in self.predicted
        ]
        return float(np.mean(by_seed))

    def _gap(self) -> float:
        if "train" not in self._resamples.rows:
            return float("nan")
        return float(self._score(self._of_best, "train").mean() - self.value)


def _seed_shares(n_seeds: int, n_resamples: int, contender: int) -> np.ndarray:
    """Return in which shares each resample takes the seeds, (R, S)."""
    rng = np.random.default_rng((SEED, n_seeds, contender))
    return rng.multinomial(n_seeds, np.full(n_seeds, 1 / n_seeds), size=n_resamples) / n_seeds
