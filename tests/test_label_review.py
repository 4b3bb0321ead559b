"""Deciding on one label after another, on the page and in tables."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from layerviz.commands.corrected import read_corrections
from layerviz.errors import DataError


def _page() -> None:
    import streamlit as st

    from layerviz.runs import LabelDecision
    from layerviz.ui.run.label_review import _other_label

    decision = st.session_state.get("decision")
    taken = {"accepted": LabelDecision("train-1", "accepted", "x"), "undone": None}
    for kind, made in taken.items():
        if st.button(kind, key=kind):
            st.session_state["decision"] = made
            st.rerun()
    names = {f"name {i}": str(i) for i in range(12)}
    if chosen := _other_label("train-1", names, decision):
        st.session_state["decision"] = LabelDecision("train-1", "edited", chosen)
        st.rerun()


@pytest.mark.parametrize("kind", ["accepted", "undone"])
def test_another_label_among_many_does_not_come_back_once_overruled(kind: str) -> None:
    page = AppTest.from_function(_page, default_timeout=30).run()
    page.selectbox[0].set_value("name 3").run()
    assert page.session_state["decision"].label == "name 3"
    page.button(key=kind).click().run()
    page.run()
    decision = page.session_state["decision"]
    assert decision is None or decision.decision == kind
    assert page.selectbox[0].value is None


def corrections(tmp_path: Path, table: str) -> dict[str, str]:
    file = tmp_path / "decided.csv"
    file.write_text(table)
    return dict(read_corrections(file))


def test_corrections_are_read_from_a_table_as_decisions_are(tmp_path: Path) -> None:
    table = (
        "id,label,suggested,decision,new_label\n"
        "train-1,1,-1,accept,\ntrain-2,1,-1,skip,0\ntrain-3,1,0,edit,'-1\n"
        "train-4,1,0,,\ntrain-5,1,0,, 0 \n"
    )
    assert corrections(tmp_path, table) == {"train-1": "-1", "train-3": "-1", "train-5": "0"}


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("id,new_label\ntrain-1,a\ntrain-1,b\n", "row 2: 'train-1' is corrected twice"),
        ("id,decision,new_label\ntrain-1,accept,\n", "row 1: .* there is no new one"),
        ("id,decision,new_label\ntrain-1,perhaps,a\n", "row 1: the decision 'perhaps'"),
    ],
)
def test_a_table_of_corrections_that_cannot_be_meant_is_refused(
    table: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=said):
        corrections(tmp_path, table)


def test_the_record_of_a_run_without_corrections_gives_none_in_silence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no corrected labels"):
        corrections(tmp_path, json.dumps({"dataset": {"row_choices": {}}}))
