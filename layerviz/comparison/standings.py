"""How contenders stand, as data: each at its best layer, and all together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerviz.comparison.depth import DepthMatch
from layerviz.separability import Cell, Difference, Score


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
        That whose neighbourhood has the highest val macro-F1, mean over the seeds: the pick of
        `separability.find_best`.
    val : Score
        Mean over the seeds on the examples that helped to pick the cell, which flatters it. Its
        95 % interval covers examples and, where any contender has several, seeds.
    unseen : Score
        What it is worth on unseen examples: `val`, corrected for the pick. Its interval holds for
        all contenders at once.
    by_seed : tuple of float
        Val macro-F1 of each seed in that cell.
    test : Score or None
        The same cell on test, which played no part in choosing it.
    head : float
        The model's own classifier on val at the newest snapshot, mean over the seeds.
    gap : float
        Train minus val of the best cell.
    lead : Difference or None
        Corrected macro-F1 by which the first contender leads, with its simultaneous 95 % interval
        over all contenders; None for the first itself.
    beaten_by : tuple of int
        The first contender's layers, at its best epoch and pooling, that certainly beat this one.
    """

    name: str
    run_ids: tuple[str, ...]
    seeds: tuple[int, ...]
    n_layers: int
    n_cells: int
    last_epoch: float
    best: Cell
    val: Score
    unseen: Score
    by_seed: tuple[float, ...]
    test: Score | None
    head: float
    gap: float
    lead: Difference | None
    beaten_by: tuple[int, ...]

    @property
    def corrected(self) -> float:
        """The corrected macro-F1, without its interval."""
        return self.unseen.value

    @property
    def tied(self) -> bool:
        """Whether it cannot be told from the first, or is the first."""
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
    verdict : {"found", "ranks", "chance", "few"}
        As in `separability.Answer`.
    p_chance : float
        How often the best of all cells would do as well under shuffled val labels: by AUC where
        all runs hold their probes' scores (`by_auc`), else by macro-F1.
    by_auc : bool
    n_val : int
        Val examples that all runs captured.
    n_texts : int
        Different texts among them.
    smallest_class : tuple of str and int
        The val class with the fewest examples.
    seed_deviation : float or None
        The standard deviation of the val scores of seeds, pooled over the contenders, which the
        intervals count; None where each has one seed: what is said then is of these runs alone.
    examples_to_tell : int
        About how many val examples would tell two contenders apart that differ by
        `separability.GAP_TO_TELL`, if their seeds did not vary.
    seeds_weigh_more : bool
        Whether seeds widen the intervals by more than examples do.
    depth : tuple of DepthMatch
        Shorter encoders that certainly do what another one does in full.
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
    by_auc: bool
    n_val: int
    n_texts: int
    smallest_class: tuple[str, int]
    seed_deviation: float | None
    examples_to_tell: int
    seeds_weigh_more: bool
    depth: tuple[DepthMatch, ...]
    profiles: pd.DataFrame
    epochs: pd.DataFrame

    @property
    def best(self) -> Standing:
        """The first: that whose corrected score is highest."""
        return next(standing for standing in self.standings if standing.lead is None)

    @property
    def ranked(self) -> tuple[Standing, ...]:
        """The standings by their corrected scores, the first one first."""
        return tuple(
            sorted(
                self.standings,
                key=lambda standing: (standing.lead is not None, -standing.unseen.value),
            )
        )

    @property
    def has_winner(self) -> bool:
        """Whether one contender, seeds included, certainly does better than all others."""
        others = [standing for standing in self.standings if standing.lead is not None]
        return (
            self.verdict == "found"
            and self.seed_deviation is not None
            and not any(standing.tied for standing in others)
        )
