"""Opening a run on the page and going through all its tabs."""

from __future__ import annotations

from collections.abc import Iterator

from pages import answered, error_text, open_page
from streamlit.testing.v1 import AppTest

from layerviz.ui.parts.state import OPEN_TAB
from layerviz.ui.run.page import TABS


def every_tab(run_id: str) -> Iterator[tuple[str, AppTest]]:
    """Yield each tab of a run and the page on which it is open, once it shows no error."""
    app = open_page(run=run_id)
    for tab in TABS:
        app.session_state[OPEN_TAB] = tab
        app.run()
        answered(app)
        assert not app.exception, (tab, app.exception)
        assert not error_text(app), tab
        yield tab, app
