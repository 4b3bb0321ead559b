"""How contenders stand: each at its best layer, scored on the same val examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from layerviz import runs, separability
from layerviz.comparison.contenders import Contender, common_examples, shared_poolings
from layerviz.config import SPLITS
from layerviz.errors import RunError
from layerviz.separability import Cell, Difference, Score, few_examples

SEED = 0  # of the resamples, as in a run whose seed is 0


@dataclass(frozen=True)
class Standing:
    """One contender at its best layer.

    Parameters
    ----------
    name : str
    run_ids : tuple of str
        The runs that were scored.
    seeds : tuple of int
    n_layers, n_cells : int
        Layers there are; cells (layer, epoch, pooling) among which the best was picked.
    last_epoch : float
        Of its newest snapshot.
    best : Cell
        That with the highest val macro-F1 of the probe, mean over the seeds.
    val : Score
        Mean over the seeds; its 95 % interval covers examples and, where there are several, seeds.
    by_seed : tuple of float
        Val macro-F1 of each seed in that cell.
    test : Score or None
        The same cell on test, which played no part in choosing it.
    corrected : float
        What picking the best cell in this way earns on unseen examples (BBC-CV), mean over seeds.
    head : float
        The model's own classifier on val at the newest snapshot, mean over the seeds.
    gap : float
        Train minus val of the best cell.
    lead : Difference or None
        Macro-F1 by which the best contender leads, with its simultaneous 95 % interval over all
        contenders; None for the best itself.
    beaten_by : tuple of int
        The best contender's layers, at its best epoch and pooling, that clearly beat this one.
    """

    name: str
    run_ids: tuple[str, ...]
    seeds: tuple[int, ...]
    n_layers: int
    n_cells: int
    last_epoch: float
    best: Cell
    val: Score
    by_seed: tuple[float, ...]
    test: Score | None
    corrected: float
    head: float
    gap: float
    lead: Difference | None
    beaten_by: tuple[int, ...]

    @property
    def tied(self) -> bool:
        """Whether it cannot be told from the best, or is the best."""
        return self.lead is None or not self.lead.clear

    @property
    def spread(self) -> float | None:
        """Standard deviation over the seeds; None with one seed."""
        return float(np.std(self.by_seed, ddof=1)) if len(self.by_seed) > 1 else None


@dataclass(frozen=True)
class Comparison:
    """Contenders on the same examples.

    Parameters
    ----------
    standings : tuple of Standing
        In the order in which they were given.
    verdict : {"found", "chance", "few"}
        As in `separability.Answer`.
    p_chance : float
        How often the best cell of all would score as high under shuffled val labels.
    n_val : int
        Val examples that all runs captured.
    smallest_class : tuple of str and int
        The val class with the fewest examples.
    profiles : DataFrame
        ``name``, ``layer``, ``depth`` (layer / L), ``value``, ``low``, ``high``, ``spread``: the
        probe's val macro-F1 in every layer, 1 to L, at the contender's best epoch and pooling.
    epochs : DataFrame
        ``name``, ``epoch``, ``snapshot``, ``layer``, ``of`` ("probe" or "head"), ``value``,
        ``low``, ``high``: val macro-F1 at every epoch, of the best layer's probe and of the model's
        own classifier.
    """

    standings: tuple[Standing, ...]
    verdict: str
    p_chance: float
    n_val: int
    smallest_class: tuple[str, int]
    profiles: pd.DataFrame
    epochs: pd.DataFrame

    @property
    def best(self) -> Standing:
        return next(standing for standing in self.standings if standing.lead is None)


def compare_contenders(
    contenders: Sequence[Contender], poolings: Sequence[str] | None = None
) -> Comparison:
    """Compare contenders, each at its best layer, by a paired bootstrap on the same val examples.

    Every contender's best cell is picked by val macro-F1 (mean over its seeds) among layers 1 to L,
    its snapshots and `poolings`. The differences to the best contender carry simultaneous 95 %
    intervals (max-T bootstrap, as in `separability.find_best`), so that "not clearly behind" is a
    tie however many are compared. Seeds, where there are several, are resampled with the examples,
    each contender's own; deviations are widened by sqrt(S / (S - 1)), as S seeds resampled vary
    less than S new ones would.

    Parameters
    ----------
    contenders : sequence of Contender
        Two or more, each with a measured snapshot.
    poolings : sequence of str, optional
        Among which to search; by default those that all runs have.

    Returns
    -------
    Comparison

    Raises
    ------
    RunError
        If there are fewer than two contenders, one is not measured yet or lacks a pooling, or
        they have no val example, or no pooling, in common.
    """
    if len(contenders) < 2:
        raise RunError(
            "A comparison needs two different runs.", "Add another run on the same data."
        )
    scored = [run for contender in contenders for run in contender.measured]
    for contender in contenders:
        if not contender.snapshots:
            raise RunError(f"{contender.name} is not measured yet.", "Wait for its first snapshot.")
    examples, rows = common_examples(scored)
    places = dict(zip((run.path for run in scored), rows, strict=True))
    common = _Common.of(examples)
    if poolings is None:
        poolings = shared_poolings(contenders)
    sides = [
        _Side(contender, common, places, poolings, number)
        for number, contender in enumerate(contenders)
    ]
    return _judge(sides, common, scored[0].label_names)


@dataclass(frozen=True)
class _Common:
    """The examples that all runs captured: their rows and classes by split, and the resamples."""

    rows: dict[str, np.ndarray]
    true: dict[str, np.ndarray]
    weights: dict[str, np.ndarray]  # of val and test

    @classmethod
    def of(cls, examples: pd.DataFrame) -> _Common:
        splits, labels = examples["split"].to_numpy(), examples["label"].to_numpy()
        rows = {split: np.flatnonzero(splits == split) for split in SPLITS}
        weights = {
            split: separability.resampling_weights(len(rows[split]), SEED)
            for split in ("val", "test")
            if len(rows[split])
        }
        return cls(rows, {split: labels[at] for split, at in rows.items()}, weights)


class _Side:
    """A contender's predictions for the common examples, and what follows from them alone."""

    def __init__(
        self,
        contender: Contender,
        common: _Common,
        places: dict[Path, np.ndarray],
        poolings: Sequence[str],
        number: int,
    ) -> None:
        self.name, self.runs, self.number = contender.name, contender.measured, number
        self.rows, self.true, self.weights = common.rows, common.true, common.weights
        wanted = set(contender.snapshots)
        predicted, heads = [], []
        for run in self.runs:
            cells, found = separability.cells_of(run, poolings)
            kept = [row for row, cell in enumerate(cells) if cell.snapshot in wanted]
            predicted.append(found[kept][:, places[run.path]])
            heads.append(
                np.stack(
                    [
                        runs.read_predictions(run.path, index)["predicted"].to_numpy()
                        for index in contender.snapshots
                    ]
                )[:, places[run.path]]
            )
        self.cells = [cells[row] for row in kept]
        self.predicted = np.stack(predicted)  # (S, K, N)
        self.head = np.stack(heads)  # (S, n_snapshots, N)
        self.scores = self._score(self.predicted, "val")  # (S, K)
        self.at = int(self.scores.mean(axis=0).argmax())
        self.best = self.cells[self.at]
        self.n_layers = max(cell.layer for cell in self.cells)

    def _score(self, predicted: np.ndarray, split: str) -> np.ndarray:
        """Return macro-F1, (S, K) of predictions (S, K, N)."""
        true, rows = self.true[split], self.rows[split]
        return np.stack([separability.macro_f1(true, one[:, rows]) for one in predicted])

    def draws(self, predicted: np.ndarray, split: str = "val") -> np.ndarray:
        """Return bootstrap draws of the mean over seeds, (R, K) of predictions (S, K, N)."""
        true, rows = self.true[split], self.rows[split]
        by_seed = np.stack(
            [separability.macro_f1(true, one[:, rows], self.weights[split]) for one in predicted],
            axis=1,
        )  # (R, S, K)
        mean = by_seed.mean(axis=1)
        n_resamples, n_seeds, _ = by_seed.shape
        if n_seeds == 1:
            return mean
        # The same draw whatever is scored: cells of one encoder are compared on the same seeds.
        shares = _seed_shares(n_seeds, n_resamples, self.number)
        resampled = np.einsum("rs,rsk->rk", shares, by_seed)
        return mean + (resampled - mean) * (n_seeds / (n_seeds - 1)) ** 0.5

    def layers(self) -> list[int]:
        """Return the rows of the best cell's epoch and pooling, layer by layer."""
        return [
            row
            for row, cell in enumerate(self.cells)  # those of a snapshot and pooling by layer
            if (cell.snapshot, cell.pooling) == (self.best.snapshot, self.best.pooling)
        ]

    def profile(self, draws: np.ndarray) -> pd.DataFrame:
        """Return the layers at the best epoch and pooling; `draws` are theirs, (R, L)."""
        rows = self.layers()
        low, high = separability.interval(draws)
        layers = np.array([self.cells[row].layer for row in rows])
        scores = self.scores[:, rows]
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
            row
            for row, cell in enumerate(self.cells)
            if (cell.layer, cell.pooling) == (self.best.layer, self.best.pooling)
        ]
        frames = []
        for of, predicted in (("probe", self.predicted[:, same]), ("head", self.head)):
            low, high = separability.interval(self.draws(predicted))
            frames.append(
                pd.DataFrame(
                    {
                        "name": self.name,
                        "epoch": [self.cells[row].epoch for row in same],
                        "snapshot": [self.cells[row].snapshot for row in same],
                        "layer": self.best.layer if of == "probe" else self.n_layers,
                        "of": of,
                        "value": self._score(predicted, "val").mean(axis=0),
                        "low": low,
                        "high": high,
                    }
                )
            )
        return pd.concat(frames, ignore_index=True)

    def test_score(self) -> Score | None:
        n = len(self.true["test"])
        if not n:
            return None
        chosen = self.predicted[:, self.at : self.at + 1]
        low, high = separability.interval(self.draws(chosen, "test"))
        value = self._score(chosen, "test").mean()
        return Score(float(value), float(low[0]), float(high[0]), n)

    def standing(
        self, draws: np.ndarray, lead: Difference | None, beaten_by: Sequence[int]
    ) -> Standing:
        """Put together what is known; `draws` are those of the best cell, (R,)."""
        low, high = separability.interval(draws)
        by_seed = self.scores[:, self.at]
        chosen = self.predicted[:, self.at : self.at + 1]
        return Standing(
            name=self.name,
            run_ids=tuple(run.run_id for run in self.runs),
            seeds=tuple(run.config.seed for run in self.runs),
            n_layers=self.n_layers,
            n_cells=len(self.cells),
            last_epoch=max(cell.epoch for cell in self.cells),
            best=self.best,
            val=Score(float(by_seed.mean()), float(low), float(high), len(self.true["val"])),
            by_seed=tuple(float(score) for score in by_seed),
            test=self.test_score(),
            corrected=float(
                np.mean(
                    [
                        separability.corrected_for_choice(
                            self.true["val"], one[:, self.rows["val"]], self.weights["val"]
                        )
                        for one in self.predicted
                    ]
                )
            ),
            head=float(self._score(self.head[:, -1:], "val").mean()),
            gap=float(self._score(chosen, "train").mean() - by_seed.mean()),
            lead=lead,
            beaten_by=tuple(beaten_by),
        )


def _judge(sides: list[_Side], common: _Common, label_names: Sequence[str]) -> Comparison:
    draws = [side.draws(side.predicted[:, side.layers()]) for side in sides]  # (R, L) each
    values = np.array([side.scores[:, side.at].mean() for side in sides])
    winner = int(values.argmax())
    chosen = np.stack(
        [d[:, side.best.layer - 1] for d, side in zip(draws, sides, strict=True)], axis=1
    )  # (R, number of sides)
    low, high = separability.simultaneous_interval(
        values[winner] - values, chosen[:, [winner]] - chosen
    )
    profile = sides[winner].scores[:, sides[winner].layers()].mean(axis=0)  # (L,)
    layers = np.arange(1, len(profile) + 1)
    standings = []
    for place, side in enumerate(sides):
        if place == winner:
            standings.append(side.standing(chosen[:, place], None, ()))
            continue
        lead = Difference(
            *(float(x) for x in (values[winner] - values[place], low[place], high[place]))
        )
        ahead, _ = separability.simultaneous_interval(
            profile - values[place], draws[winner] - chosen[:, [place]]
        )
        clear = lead.clear & ((ahead > 0) | (layers == sides[winner].best.layer))
        standings.append(side.standing(chosen[:, place], lead, layers[clear].tolist()))
    true = common.true["val"]
    classes, counts = np.unique(true, return_counts=True)
    every = np.concatenate([one[:, common.rows["val"]] for side in sides for one in side.predicted])
    single = max(float(side.scores.max()) for side in sides)  # of one seed, as those shuffled are
    p_chance = separability.p_of_chance(true, every, single, SEED)
    few = few_examples(len(true), int(counts.min()))
    return Comparison(
        standings=tuple(standings),
        verdict="few" if few else "found" if p_chance <= 1 - separability.LEVEL else "chance",
        p_chance=p_chance,
        n_val=len(true),
        smallest_class=(label_names[classes[counts.argmin()]], int(counts.min())),
        profiles=pd.concat(
            [side.profile(d) for side, d in zip(sides, draws, strict=True)], ignore_index=True
        ),
        epochs=pd.concat([side.over_epochs() for side in sides], ignore_index=True),
    )


def _seed_shares(n_seeds: int, n_resamples: int, contender: int) -> np.ndarray:
    """Return in which shares each resample takes the seeds, (R, S)."""
    rng = np.random.default_rng((SEED, n_seeds, contender))
    return rng.multinomial(n_seeds, np.full(n_seeds, 1 / n_seeds), size=n_resamples) / n_seeds
