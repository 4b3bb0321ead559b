"""How contenders stand, as data: each at its best layer, and all together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

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
