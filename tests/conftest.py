"""What several tests need."""

from __future__ import annotations

import pytest
from toy import as_csv, toy_rows

from layerviz import data
from layerviz.data import Dataset


@pytest.fixture(scope="session")
def toy_csv() -> bytes:
    return as_csv(toy_rows(90))


@pytest.fixture(scope="session")
def toy_dataset(toy_csv: bytes) -> Dataset:
    """72 train and 18 val examples in three classes."""
    table = data.read_table(toy_csv, "toy.csv")
    return data.build_dataset(table, data.guess_columns(table.frame))
