"""Deciding on one label after another on the page."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest


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
