"""What the page remembers: which run is open; and the one place where errors are shown."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import streamlit as st

from layerviz import cache, runs
from layerviz.data import Dataset
from layerviz.errors import LayervizError
from layerviz.jobs import Jobs
from layerviz.runs import Run
from layerviz.ui.parts.controls import controls_of
from layerviz.ui.parts.signing_in import own_runs_folder

QUIET_TIMES = 3  # the page rests at least this many times as long as it was drawn
# The query parameters that make an address a permalink.
RUN, COMPARE, VIEW = "run", "compare", "view"
EPOCH = "epoch"  # of the open run, at which its maps stand
COLOUR = "colour"  # of its maps, where it is not the first one
ALL_RUNS = "runs"  # the view of that name
MOST_COMPARED = 40  # runs
SHOW_TEST = "show_test"  # session state: whether the maps have a column for test
OPEN_TAB = "tabs"  # session state: the name of the tab of a run that is open
CHOSEN_DATA = "chosen_data"  # session state
_MARKUP = r"\`*_{}[]()<>#+-!|~$:&@"
_LINK_OR_LIST = re.compile(r"(?i:www)\.|^\d+\.")  # its last letter is to be escaped
KEPT = "kept"  # session state: the keys of widgets whose values outlive a look at another tab


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
    """Return this server's workers for the runs of whoever looks."""
    return cache.jobs(str(own_runs_folder()))


def remember_data(dataset: Dataset | None) -> None:
    """Keep what is chosen on the left, for parts of the page that start another run on it."""
    st.session_state[CHOSEN_DATA] = dataset


def chosen_data() -> Dataset | None:
    """Return the data that is chosen on the left."""
    return st.session_state.get(CHOSEN_DATA)


@contextmanager
def errors_shown() -> Iterator[None]:
    """Show an error that a user can fix, in place of what it prevents."""
    try:
        yield
    except LayervizError as error:
        show_error(error)


def show_error(error: LayervizError) -> None:
    """Show an error as one sentence with its remedy; nothing in it is read as markup."""
    st.error(_plain(error.with_ways(controls_of(error.options))), icon=":material/error:")


def _plain(text: str) -> str:
    """Escape what Markdown would read as markup, and what it would make a link of."""
    escaped = "".join(f"\\{char}" if char in _MARKUP else char for char in text)
    return _LINK_OR_LIST.sub(lambda found: f"{found[0][:-1]}\\{found[0][-1]}", escaped)


def plain(text: str) -> str:
    """Return a text so that `st.markdown` and the like show it as it is, whoever wrote it.

    A number and its percent sign stay in one line.
    """
    joined = " ".join(text.split())
    return _plain(re.sub(r"(?<=\d) %", "\N{NO-BREAK SPACE}%", joined))


def open_what_is_computed() -> None:
    """On the first visit without a run in the address, open what is being computed.

    So a closed tab or a second browser finds it again.
    """
    if "visited" in st.session_state:
        return
    st.session_state.visited = True
    live = jobs().live_runs()
    if live and not {RUN, COMPARE, VIEW} & set(st.query_params):
        if compared := jobs().compared_now():
            go_to_comparison(compared)
        else:
            go_to(live[0])


def run_id_in_address() -> str | None:
    """Return the id of the run that the address names, if any; it may be anything."""
    return st.query_params.get(RUN)


def run_ids_in_address() -> list[str]:
    """Return the ids of the run or the runs that the address names; they may be anything."""
    run_id = run_id_in_address()
    if run_id is not None:
        return [run_id]
    return list(dict.fromkeys(filter(None, st.query_params.get(COMPARE, "").split(","))))


def run_in_address() -> Run | None:
    """Return the run that the address names, if any; show an error if it is gone."""
    run_id = run_id_in_address()
    if run_id is None:
        return None
    with errors_shown():
        return runs.read(jobs().root, run_id)
    return None


def runs_in_address() -> list[Run]:
    """Return the runs that the address compares, if any; show an error for each that is gone."""
    named = [] if run_id_in_address() is not None else run_ids_in_address()
    compared = []
    for run_id in named[:MOST_COMPARED]:
        with errors_shown():
            compared.append(runs.read(jobs().root, run_id))
    if named and len(compared) < 2:
        st.info("A comparison needs two different runs.", icon=":material/compare_arrows:")
    return compared if len(compared) > 1 else []


def go_to(run_id: str | None) -> None:
    """Open another run (None: the data that is chosen on the left); takes effect on the rerun."""
    _leave()
    if run_id is not None:
        st.query_params[RUN] = run_id


def go_to_comparison(run_ids: Iterable[str]) -> None:
    """Open a comparison; takes effect on the rerun."""
    _leave()
    st.query_params[COMPARE] = ",".join(run_ids)


def go_to_all_runs() -> None:
    """Open the table of all runs; takes effect on the rerun."""
    _leave()
    st.query_params[VIEW] = ALL_RUNS


def _leave() -> None:
    """Take out of the address what is open now."""
    for name in (RUN, COMPARE, VIEW, EPOCH, COLOUR):
        st.query_params.pop(name, None)


def is_all_runs_in_address() -> bool:
    """Return whether the address names the table of all runs."""
    return st.query_params.get(VIEW) == ALL_RUNS


def permalink(run_ids: str | Iterable[str]) -> str:
    """Return the address under which a run, or a comparison of several, is found again."""
    here = (st.context.url or "").partition("?")[0]
    if isinstance(run_ids, str):
        return f"{here}?{RUN}={run_ids}"
    return f"{here}?{COMPARE}={','.join(run_ids)}"


def open_tab(name: str) -> None:
    """Open a tab of the run; for callbacks, it takes effect in the rerun."""
    st.session_state[OPEN_TAB] = name


def open_maps(splits: Iterable[str]) -> None:
    """Open the maps with what is selected there, test as well if that is of it; for callbacks."""
    if "test" in splits:
        st.session_state[SHOW_TEST] = True
    open_tab("Maps")


def keep(key: str, first: object = None) -> str:
    """Return the key of a widget whose value is kept while another part of the page is drawn.

    Parameters
    ----------
    key : str
    first : object, optional
        Its first value; None leaves that to the widget.
    """
    st.session_state.setdefault(KEPT, set()).add(key)
    if first is not None:
        st.session_state.setdefault(key, first)
    return key


def keep_choice(key: str, choices: Sequence[object], first: object) -> str:
    """As `keep`, but a value that is no longer among the choices gives way to the first one."""
    if st.session_state.get(key) not in choices:
        st.session_state[key] = first
    return keep(key)


def keep_values() -> None:
    """Keep the values of widgets that are not drawn this time; Streamlit would drop them."""
    for key in st.session_state.get(KEPT, ()):
        if key in st.session_state:
            st.session_state[key] = st.session_state[key]
