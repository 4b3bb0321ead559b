"""Streamlit's settings: the page starts by itself and answers this machine alone."""

from __future__ import annotations

import tomllib
from itertools import chain
from pathlib import Path

import pytest
import streamlit as st
from streamlit import config
from streamlit.byte_util import config_max_cache_data_size_to_bytes
from streamlit.runtime.caching import get_data_cache_stats_provider
from streamlit.runtime.caching.global_cache_budget import GlobalCacheBudget
from streamlit.runtime.caching.storage import in_memory_cache_storage_wrapper as in_memory
from streamlit.runtime.stats import CacheStat

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


def test_what_the_page_keeps_is_limited_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    limit = config_max_cache_data_size_to_bytes(SETTINGS["server"]["maxCacheDataSize"])
    assert limit is not None
    assert limit <= 512 * 2**20
    budget = GlobalCacheBudget(max_bytes=50_000)  # Streamlit does what it says
    monkeypatch.setattr(in_memory, "get_global_cache_budget", lambda: budget)

    @st.cache_data(show_spinner=False)
    def kept(n: int) -> bytes:
        return bytes(20_000 + n)

    for n in range(10):
        kept(n)
    stats = chain.from_iterable(get_data_cache_stats_provider().get_stats().values())
    found = [one for one in stats if isinstance(one, CacheStat) and "kept" in one.cache_name]
    sizes = [one.byte_length for one in found]
    assert 0 < sum(sizes) <= 50_000
