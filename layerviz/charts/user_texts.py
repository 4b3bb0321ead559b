"""A user's texts in a specification: they stay what they are, whatever they read like.

Streamlit renames what looks like the names that Altair gives to views and parameters, wherever it
stands in a specification apart from its rows: a class called ``view_3`` would become another one.
Nor do arrays for sorting hold a user's texts (Vega-Lite makes names of them, and fails at
``constructor``): order comes from domains.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_LIKE_ALTAIRS_NAMES = re.compile(r"(?:view|param)_[0-9a-f]+(?:_[0-9]+)?")
WORD_JOINER = "\N{WORD JOINER}"  # is not seen


def domain_of(names: Sequence[str]) -> list[str | dict[str, str]]:
    """Return the domain of a scale whose values are a user's texts."""
    return [
        # Only letters, digits and underscores match: nothing in there can end the string.
        {"expr": f"'{name}'"} if _LIKE_ALTAIRS_NAMES.fullmatch(name) else name
        for name in names
    ]


def shown(text: str) -> str:
    """Return a user's text that is shown and compared with nothing."""
    return text + WORD_JOINER if _LIKE_ALTAIRS_NAMES.fullmatch(text) else text
