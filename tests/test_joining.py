"""Tables that are splits of one data set become one."""

from __future__ import annotations

import pandas as pd
import pytest

from layerviz.data.joining import joined
from layerviz.data.splits import looks_like_split

pytestmark = pytest.mark.fast


def test_the_column_of_splits_has_a_name_of_its_own() -> None:
    part = pd.DataFrame({"text": ["a", "b"], "split": "x", "split of the file": "y"})
    words = {"train.csv": "train", "test.csv": "test"}
    whole = joined({"train.csv": part, "test.csv": part}, words)
    name = whole.columns[0]
    assert list(whole.columns) == [name, *part.columns]
    assert whole[name].tolist() == ["train", "train", "test", "test"]
    assert looks_like_split(name, whole[name])
