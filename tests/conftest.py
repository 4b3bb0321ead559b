"""What several tests need."""

from __future__ import annotations

import os

import pytest
from toy import as_csv, toy_rows

from layerviz import data
from layerviz.data import Dataset


def pytest_configure() -> None:
    """Share the cores among pytest-xdist's processes: each would take all of them."""
    if workers := os.environ.get("PYTEST_XDIST_WORKER_COUNT"):
        share = max(1, (os.cpu_count() or 1) // int(workers))
        os.environ.setdefault("OMP_NUM_THREADS", str(share))


@pytest.fixture(scope="session")
def toy_csv() -> bytes:
    return as_csv(toy_rows(90))


@pytest.fixture(scope="session")
def toy_dataset(toy_csv: bytes) -> Dataset:
    """72 train and 18 val examples in three classes."""
    table = data.read_table(toy_csv, "toy.csv")
    return data.build_dataset(table, data.guess_columns(table.frame))
