"""layerviz, the page: 1 data, 2 encoder, 3 training, 4 maps."""

import streamlit as st

from layerviz.runs import is_read_only, remember_comparison
from layerviz.ui.parts.checking import check_run, show_findings, show_time
from layerviz.ui.parts.guard import guarded
from layerviz.ui.parts.libraries import load_behind_the_page, wait_for_libraries
from layerviz.ui.parts.sidebar_button import sidebar_button
from layerviz.ui.parts.signing_in import account, admit
from layerviz.ui.parts.state import (
    COMPARE,
    RUN,
    VIEW,
    errors_shown,
    is_all_runs_in_address,
    jobs,
    open_what_is_computed,
    remember_data,
    run_in_address,
    runs_in_address,
)
from layerviz.ui.parts.style import ICON, style
from layerviz.ui.sidebar.address import show_ignored
from layerviz.ui.sidebar.bringing_back import bring_back_data, say_whose_data
from layerviz.ui.sidebar.data import choose_data
from layerviz.ui.sidebar.encoder import choose_encoder
from layerviz.ui.sidebar.files import has_train_file
from layerviz.ui.sidebar.launch import launch, list_of_runs, unfinished_runs
from layerviz.ui.sidebar.training import choose_training
from layerviz.ui.start import overview

st.set_page_config(page_title="layerviz", page_icon=ICON, layout="wide")
style()

may_look = False
with guarded("Signing in"):
    may_look = admit()
if not may_look:
    st.stop()
with guarded("What is being computed"):
    open_what_is_computed()
with guarded("What the address names"):
    bring_back_data()
dataset = encoder = config = checked = None
can_make_runs = not is_read_only()

with st.sidebar:
    st.header("layerviz", anchor=False)
    st.caption("Watch every layer learn to tell your classes apart.")
    account()
    notes = st.container()
    if can_make_runs:
        # A container for each step: fields that change their place lose their hold on the address.
        with st.container(), guarded("Step 1"):
            dataset = choose_data()
        remember_data(dataset)
        with st.container(), guarded("Whose data these are"):
            say_whose_data(dataset)
        with st.container(), guarded("Step 2"):
            encoder = choose_encoder()
        with st.container(), guarded("Step 3"):
            if encoder is not None:
                config = choose_training(encoder)
        with notes:
            show_ignored()
        is_start = not {RUN, COMPARE, VIEW} & set(st.query_params)
        with guarded("The check of this run"):
            checked = check_run(dataset, encoder, config) if is_start else None
        with guarded("The buttons that start a run"):
            launch(dataset, config, checked)
    else:
        notes.caption("Runs are only looked at here: none can be started, changed or deleted.")
    with guarded("The list of runs"):
        list_of_runs()

run = run_in_address()
compared = runs_in_address()

# What shows runs imports what measures and draws them: the first page does without.
if run is not None or compared or is_all_runs_in_address() or not can_make_runs:
    wait_for_libraries()

if run is not None:
    with guarded("This run", run):
        from layerviz.ui.run.page import run_view

        run_view(run, dataset)
    st.stop()

if compared:
    with errors_shown():
        if can_make_runs:
            remember_comparison(jobs().root, [run.run_id for run in compared])
    with guarded("This comparison", compared):
        from layerviz.ui.compare.page import comparison_view

        comparison_view(compared, dataset)
    st.stop()

if is_all_runs_in_address() or not can_make_runs:
    with guarded("The table of all runs"):
        from layerviz.ui.all_runs.page import all_runs_view

        all_runs_view()
    st.stop()

st.title("Which layer tells your classes apart, and when?", anchor=False)
if dataset is None:
    st.info(
        "The file cannot be used yet: see the message in the sidebar."
        if has_train_file()
        else "Add a file in the sidebar to see it here.",
        icon=":material/upload_file:",
    )
    sidebar_button("no_data")
else:
    st.markdown(
        "Press **Fine-tune**: layerviz trains the encoder on the data chosen in the sidebar and "
        "shows, epoch by epoch, how each layer arranges **train** and **val** examples, side by "
        "side. **Compare** does the same with several encoders and says which one does better, "
        "and where."
    )
    sidebar_button("start")
    if checked is not None:
        show_time(checked)
        show_findings(checked)
    with guarded("What can be continued"):
        unfinished_runs(dataset)
    with guarded("The overview of the data"):
        overview(dataset, encoder, config)
load_behind_the_page()
