"""Questions that come before a run or a comparison is renamed or goes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import streamlit as st

from layerviz import runs
from layerviz.errors import LayervizError
from layerviz.runs import OpenedComparison, Run
from layerviz.ui.parts.run_actions import title
from layerviz.ui.parts.state import jobs, plain, show_error
from layerviz.wording import count, file_size

MOST_NAMED = 12
_NEW_NAME = "new_name"  # session state
_FAILED = "failed_actions"  # session state: errors


@st.dialog("Rename the run")
def rename_run(run: Run) -> None:
    """Ask for a title; the run's id and folder stay as they are."""
    _ask_for_name(title(run), lambda name: runs.rename(jobs().root, run.run_id, name))


@st.dialog("Rename the comparison")
def rename_comparison(comparison: OpenedComparison, called: str) -> None:
    """Ask for a title."""
    _ask_for_name(
        called, lambda name: runs.rename_comparison(jobs().root, comparison.run_ids, name)
    )


@st.dialog("Delete for good?")
def confirm_deletion(chosen: Sequence[Run]) -> None:
    """Name the runs that would go and what is lost with them, then delete them."""
    size = file_size(sum(_n_bytes(run.path) for run in chosen))
    st.markdown(
        f"Maps, hidden states and weights of **{count(len(chosen), 'run')}** ({size}) go from the "
        "disk and cannot be brought back:"
    )
    _list([title(run) for run in chosen])
    ids = {run.run_id for run in chosen}
    lost = [one for one in runs.list_comparisons(jobs().root) if ids & set(one.run_ids)]
    if lost:
        st.caption(
            f"{count(len(lost), 'comparison')} on your list "
            f"{'holds' if len(lost) == 1 else 'hold'} such a run and will lack it."
        )
    _ask_whether(
        f"Delete {count(len(chosen), 'run')}",
        [partial(runs.delete, jobs().root, run.run_id) for run in chosen],
    )


@st.dialog("Take off the list?")
def confirm_forgetting(chosen: Sequence[tuple[OpenedComparison, str]]) -> None:
    """Name the comparisons that would go; their runs stay."""
    st.markdown("Their runs stay, and so do the addresses that open them:")
    _list([called for _, called in chosen])
    forgotten = [one.run_ids for one, _ in chosen]
    _ask_whether("Take off the list", [lambda: runs.forget_comparisons(jobs().root, forgotten)])


def show_what_failed() -> None:
    """Show why something that was confirmed could not be done, once."""
    for error in st.session_state.pop(_FAILED, ()):
        show_error(error)


def _ask_for_name(now: str, rename: Callable[[str], object]) -> None:
    """Ask for a name and hand it on once it is confirmed."""
    st.text_input("Name", now, key=_NEW_NAME, help="Leave it empty for the usual name.")
    pressed = st.button(
        "Rename",
        type="primary",
        key="rename_now",
        on_click=lambda: _do([lambda: rename(st.session_state[_NEW_NAME])]),
    )
    if pressed:
        st.rerun()  # closes the dialog


def _ask_whether(label: str, actions: Sequence[Callable[[], object]]) -> None:
    """Ask for a confirmation and then do something."""
    with st.container(horizontal=True, gap="small"):
        pressed = st.button(label, type="primary", key="confirm_now", on_click=_do, args=(actions,))
        kept = st.button("Keep", key="confirm_not")
    if pressed or kept:
        st.rerun()  # closes the dialog


def _do(actions: Sequence[Callable[[], object]]) -> None:
    """Do each of these, and note those that fail."""
    for action in actions:
        try:
            action()
        except LayervizError as error:
            st.session_state.setdefault(_FAILED, []).append(error)


def _list(names: Sequence[str]) -> None:
    lines = [f"- {plain(name)}" for name in names[:MOST_NAMED]]
    if len(names) > MOST_NAMED:
        lines.append(f"- and {len(names) - MOST_NAMED:,} more")
    st.markdown("\n".join(lines))


def _n_bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
