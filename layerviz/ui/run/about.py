"""The "Run" tab: settings, data, folder and address of a run."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from layerviz import training
from layerviz.runs import Run
from layerviz.ui.parts.run_actions import delete_button
from layerviz.ui.parts.state import permalink, plain


def about(run: Run) -> None:
    """Show what the run was made with, and where it is."""
    left, right = st.columns(2)
    with left:
        st.markdown("**Settings**")
        st.dataframe(_as_table(run.config.as_dict()), hide_index=True, width="stretch")
        if run.training:
            st.markdown("**As trained**")
            st.dataframe(_as_table(run.training), hide_index=True, width="stretch")
            if sentence := training.sharing_sentence(run):
                st.caption(plain(sentence))
    with right:
        st.markdown("**Data**")
        columns = {f"{role} column": name for role, name in run.dataset["columns"].items() if name}
        counts = {f"{s} examples": sum(c.values()) for s, c in run.dataset["counts"].items()}
        facts = {"name": run.dataset["name"], "fingerprint": run.dataset["fingerprint"]}
        st.dataframe(_as_table(facts | columns | counts), hide_index=True, width="stretch")
        st.caption("  \n".join(f":material/info: {plain(note)}" for note in run.dataset["notes"]))
        st.markdown("**Folder**")
        st.code(str(run.path), language=None, wrap_lines=True)
        st.markdown("**Permalink**")
        st.code(permalink(run.run_id), language=None, wrap_lines=True)
        delete_button(run)


def _as_table(values: dict[str, object]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "setting": [name.replace("_", " ") for name in values],
            "value": [
                ", ".join(f"{key} {_as_text(part)}" for key, part in value.items())
                if isinstance(value, dict)
                else ""
                if value is None
                else str(value)
                for value in values.values()
            ],
        }
    )


def _as_text(part: object) -> str:
    return f"{part:,}" if isinstance(part, (int, float)) else str(part)
