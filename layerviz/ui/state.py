"""What the page remembers: which run is open; and the one place where errors are shown."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from layerviz import cache, runs
from layerviz.errors import LayervizError
from layerviz.jobs import Jobs
from layerviz.runs import Run

QUIET_TIMES = 3  # the page rests at least this many times as long as it was drawn
RUN = "run"  # the query parameter that makes an address a permalink


@contextmanager
def redrawing() -> Iterator[None]:
    """Time a costly part of the page; `time_to_redraw` then leaves the page free for clicks."""
    start = time.monotonic()
    yield
    now = time.monotonic()
    st.session_state.redraw_after = now + max(1.0, QUIET_TIMES * (now - start))


def time_to_redraw() -> bool:
    """Return whether the page was at rest long enough to be redrawn for news alone."""
    return time.monotonic() >= st.session_state.get("redraw_after", 0.0)


def jobs() -> Jobs:
    """Return this server's workers."""
    return cache.jobs(str(runs.runs_folder()))


@contextmanager
def told() -> Iterator[None]:
    """Show an error that a user can mend, in place of what it prevents."""
    try:
        yield
    except LayervizError as error:
        show(error)


def show(error: LayervizError) -> None:
    """Show an error as one sentence with its remedy; nothing in it is read as markup."""
    st.error(_plain(str(error)), icon=":material/error:")


def _plain(text: str) -> str:
    """Escape what Markdown would read as markup."""
    return "".join(f"\\{char}" if char in r"\`*_{}[]()<>#+-!|~$:" else char for char in text)


def plain(text: str) -> str:
    """Return a user's text so that `st.markdown` and its kin show it letter by letter."""
    return _plain(" ".join(text.split()))


def open_run() -> Run | None:
    """Return the run that the address names, if any.

    On the first visit without one, the run that is being computed is opened, so that a closed
    tab or a second browser finds it again.
    """
    if "visited" not in st.session_state:
        st.session_state.visited = True
        live = jobs().live_runs()
        if RUN not in st.query_params and live:
            st.query_params[RUN] = live[0]
    run_id = st.query_params.get(RUN)
    if run_id is None:
        return None
    with told():
        return runs.read(jobs().root, run_id)
    return None


def go_to(run_id: str | None) -> None:
    """Open another run (None: the data that is chosen on the left); takes effect on the rerun."""
    if run_id is None:
        st.query_params.pop(RUN, None)
    else:
        st.query_params[RUN] = run_id


def permalink(run_id: str) -> str:
    """Return the address under which a run is found again."""
    here = (st.context.url or "").partition("?")[0]
    return f"{here}?{RUN}={run_id}"


def remember(*prefixes: str) -> None:
    """Keep the values of widgets that are not drawn this time; Streamlit would drop them."""
    for key in list(st.session_state):
        if isinstance(key, str) and key.startswith(prefixes):
            st.session_state[key] = st.session_state[key]


def first_value(key: str, value: object) -> str:
    """Give a widget that is remembered its first value; return its key."""
    st.session_state.setdefault(key, value)
    return key
