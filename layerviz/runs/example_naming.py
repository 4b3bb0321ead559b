"""What a run's examples are called for people."""

from __future__ import annotations

import numpy as np
import pandas as pd

from layerviz import data
from layerviz.runs.record import Run


def names_of(run: Run, examples: pd.DataFrame) -> np.ndarray:
    """Name examples of a run's data for people, such as "row 324 of train.csv (val)".

    Parameters
    ----------
    run : Run
    examples : DataFrame
        ``id``, ``split`` and perhaps ``own_id``, n rows.

    Returns
    -------
    ndarray of shape (n,), object
    """
    return data.example_names(
        examples, run.dataset.get("files") or {}, run.dataset.get("id_column") or ""
    )
