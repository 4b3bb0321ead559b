"""The documentation that the page offers: whole, without what only its folder has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from layerviz.ui.parts import reading

pytestmark = pytest.mark.fast


def _maps() -> None:
    from layerviz.ui.parts.reading import how_to_read_maps

    how_to_read_maps()


def _answers() -> None:
    from layerviz.ui.parts.reading import how_to_read_answers

    how_to_read_answers()


def _comparisons() -> None:
    from layerviz.ui.parts.reading import how_to_read_comparisons

    how_to_read_comparisons()


@pytest.mark.parametrize(
    ("show", "subject", "elsewhere"),
    [
        (_maps, "trustworthiness", "McNemar"),
        (_answers, "linear probe", "McNemar"),
        (_comparisons, "McNemar", "linear probe"),
    ],
)
def test_the_page_shows_the_text_of_the_documentation(show, subject, elsewhere) -> None:
    app = AppTest.from_function(show).run()
    assert not app.exception
    (text,) = (element.value for element in app.markdown)
    assert subject in text
    assert elsewhere not in text
    assert not re.search(r"\]\(|^#", text, flags=re.MULTILINE)  # no links, pictures, headings


@pytest.mark.parametrize("show", [_maps, _answers, _comparisons])
def test_without_documentation_nothing_is_shown(
    show, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(reading, "DOCUMENTATION", tmp_path)
    app = AppTest.from_function(show).run()
    assert not app.exception
    assert not app.markdown
