"""A model to the Hugging Face Hub, from the Export tab."""

from __future__ import annotations

import streamlit as st
from huggingface_hub import get_token

from layerviz import runs
from layerviz.errors import LayervizError
from layerviz.export import EXPORTS
from layerviz.runs import Run
from layerviz.ui.parts.progress import bar_while_waiting
from layerviz.ui.parts.signing_in import is_login_wanted
from layerviz.ui.parts.state import keep, plain, show_error

PUSHED = "pushed"  # session state: the run that was pushed last, and what became of it


def push_section(run: Run) -> None:
    """Offer to push the model of a run, with the token of whoever started this server.

    Where that may be somebody else than the reader, nothing is offered.
    """
    if runs.is_read_only() or is_login_wanted():
        return
    with st.container(border=True):
        st.markdown("**To the Hugging Face Hub**")
        st.caption(
            "The model as a repository, with a card: the answer, the scores, a heat map and how to "
            "load it. A new repository is private unless you say otherwise, and none of your texts "
            "go there."
            + (
                " The words of this encoder's tokenizer are from them."
                if run.config.encoder.startswith("scratch-")
                else ""
            )
        )
        if unmet := EXPORTS["model_zip"].unmet_need(run):
            st.caption(unmet)
            return
        if get_token() is None:
            st.caption("Run `hf auth login` where this app runs, with a token that may write.")
            return
        _form(run)
        of, address, sentence = st.session_state.get(PUSHED, ("", "", ""))
        if of == run.run_id:
            st.success(plain(sentence), icon=":material/check:")
            st.link_button("Open it on the Hub", address, icon=":material/open_in_new:")


def _form(run: Run) -> None:
    repo = st.text_input("Repository", key=keep("push_repo"), placeholder="owner/name").strip()
    with st.container(horizontal=True):
        public = st.checkbox("Public", key=keep("push_public"))
        with_run = st.checkbox(
            "With the whole run",
            key=keep("push_with_run"),
            help="For another layerviz to open. It contains your texts.",
        )
    if not st.button("Push", icon=":material/cloud_upload:", key="push", disabled=not repo):
        return
    from layerviz.export.pushing import push_run

    st.session_state.pop(PUSHED, None)
    try:
        with bar_while_waiting("Starting") as on_progress:
            pushed = push_run(
                run, repo, private=not public, with_run=with_run, on_progress=on_progress
            )
    except LayervizError as error:
        show_error(error)
        return
    kind = "private" if pushed.is_private else "public"
    st.session_state[PUSHED] = (run.run_id, pushed.address, f"Pushed to {repo}, which is {kind}.")
