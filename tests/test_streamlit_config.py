"""Streamlit's settings: the page starts by itself and answers this machine alone."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from streamlit import config

pytestmark = pytest.mark.fast

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("section", "option", "value"),
    [
        ("server", "showEmailPrompt", False),  # else the first start waits for an answer
        ("server", "address", "127.0.0.1"),
        ("server", "allowedHosts", ["localhost", "127.0.0.1"]),
        ("browser", "gatherUsageStats", False),
    ],
)
def test_a_first_start_asks_nothing_and_tells_nobody(section: str, option: str, value) -> None:
    assert SETTINGS[section][option] == value
    config.get_option(f"{section}.{option}")  # raises if Streamlit does not have it (any more)
