"""A contender's scores over its layers and over the epochs."""

from __future__ import annotations

import numpy as np
import pandas as pd

from layerviz.comparison.contender_scores import ContenderScores
from layerviz.comparison.seed_variance import SeedVariance


def profile_of(contender: ContenderScores, variance: SeedVariance) -> pd.DataFrame:
    """Return the layers at the best epoch and pooling; columns as in `Comparison.profiles`."""
    rows = contender.profile_rows
    scores = contender.scores[:, rows]
    low, high = variance.interval(
        contender.means[rows], contender.draws[:, rows], len(contender.seeds)
    )
    layers = np.array([contender.cells[row].layer for row in rows])
    return pd.DataFrame(
        {
            "name": contender.name,
            "layer": layers,
            "depth": layers / contender.n_layers,
            "value": contender.means[rows],
            "low": low,
            "high": high,
            "spread": scores.std(axis=0, ddof=1) if len(scores) > 1 else np.nan,
        }
    )


def curves_over_epochs(contender: ContenderScores, variance: SeedVariance) -> pd.DataFrame:
    """Return the best layer and the model's own classifier at every epoch, as in `Comparison`."""
    rows = contender.epoch_rows
    cells = [contender.cells[row] for row in rows]
    heads = [contender.of_head(cell.snapshot) for cell in cells]
    curves = {
        "probe": (contender.means[rows], contender.draws[:, rows]),
        "head": (
            np.array([contender.score(head) for head in heads]),
            np.stack([contender.draws_of(head) for head in heads], axis=1),
        ),
    }
    frames = []
    for of, (values, draws) in curves.items():
        low, high = variance.interval(values, draws, len(contender.seeds))
        frames.append(
            pd.DataFrame(
                {
                    "name": contender.name,
                    "epoch": [cell.epoch for cell in cells],
                    "snapshot": [cell.snapshot for cell in cells],
                    "layer": contender.best.layer if of == "probe" else contender.n_layers,
                    "of": of,
                    "value": values,
                    "low": low,
                    "high": high,
                }
            )
        )
    return pd.concat(frames, ignore_index=True)
