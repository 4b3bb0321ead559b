"""At which epoch the slider of a run's maps stands: kept in the session and in the address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from layerviz.runs import Run
from layerviz.ui.parts.state import EPOCH, RUN
from layerviz.wording import epoch_number

PLACE = "epoch_place"  # session state: of which run, which snapshot, and the number of the wish


def place_of(run: Run, slots: Sequence[int]) -> dict[str, Any]:
    """Return where the slider is to stand, for the script of the maps: the newest, at first."""
    run_id, snapshot, asked = st.session_state.get(PLACE, ("", None, 0))
    if run_id != run.run_id:
        snapshot, asked = _in_address(run), 0
    wanted = slots[-1] if snapshot is None else snapshot
    nearest = min(slots, key=lambda slot: abs(slot - wanted))
    return {"snapshot": nearest, "asked": f"{run.run_id} {asked}"}


def keep_place(run: Run, slots: Sequence[int], moved: dict[str, Any] | None) -> None:
    """Take over where a reader has put the slider; for callbacks."""
    if not moved or moved.get("of") != run.run_id:
        return
    _, _, asked = st.session_state.get(PLACE, ("", None, 0))
    _keep(run, int(moved["snapshot"]), asked, slots[-1])


def go_to_epoch(run: Run, snapshot: int) -> None:
    """Put the slider at a snapshot; for callbacks, it takes effect in the rerun."""
    _, _, asked = st.session_state.get(PLACE, ("", None, 0))
    _keep(run, snapshot, asked + 1, run.snapshots[-1].index)


def _keep(run: Run, snapshot: int, asked: int, last: int) -> None:
    """Keep a place; `last` is the slider's end, at which it goes on with what is newest."""
    newest = snapshot >= last
    st.session_state[PLACE] = (run.run_id, None if newest else snapshot, asked)
    if st.query_params.get(RUN) != run.run_id:
        return
    if newest:
        st.query_params.pop(EPOCH, None)
    else:
        st.query_params[EPOCH] = epoch_number(run.snapshots[snapshot].epoch)


def _in_address(run: Run) -> int | None:
    """Return the snapshot at the epoch that the address names, None where it names none."""
    if st.query_params.get(RUN) != run.run_id:
        return None
    try:
        epoch = float(st.query_params.get(EPOCH, ""))
    except ValueError:
        return None
    return min(run.snapshots, key=lambda snapshot: abs(snapshot.epoch - epoch)).index
