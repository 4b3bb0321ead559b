"""Examples found by part of their text, by their id, or by what they are called."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from layerviz.data import OWN_ID


def matching(examples: pd.DataFrame, names: np.ndarray, wanted: str) -> np.ndarray:
    """Return which examples a reader may mean, shape (n,), bool.

    Those whose text holds `wanted`, in any case; and the one whose id it is (``train-324``), whose
    id in the user's own data it is, or whose name it is or begins ("row 324 of train.csv").

    Parameters
    ----------
    examples : DataFrame
        ``id``, ``text`` and perhaps ``own_id``, n rows.
    names : ndarray of shape (n,)
        What they are called, as `runs.names_of` returns it.
    wanted : str
    """
    wanted = wanted.strip()
    hits = examples["text"].str.contains(wanted, case=False, regex=False).to_numpy(dtype=bool)
    hits = hits | (examples["id"] == wanted).to_numpy(dtype=bool)
    if OWN_ID in examples:
        hits |= (examples[OWN_ID] == wanted).to_numpy(dtype=bool)
    if wanted.casefold().startswith("row "):
        begins = re.compile(re.escape(wanted) + r"(?!\w)", re.IGNORECASE)  # "row 3" is not row 32
        hits |= np.array([begins.match(name) is not None for name in names], dtype=bool)
    return hits
