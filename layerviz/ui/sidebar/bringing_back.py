"""What a reload, an address and the opening of a run bring back into step 1."""

from __future__ import annotations

import streamlit as st

from layerviz import cache, data, runs
from layerviz.config import SPLITS
from layerviz.data import HUB_PREFIX, Columns, Dataset
from layerviz.errors import LayervizError
from layerviz.runs import Run
from layerviz.ui.parts.continuing import is_data_of
from layerviz.ui.parts.state import chosen_data, jobs, plain, run_ids_in_address
from layerviz.ui.sidebar.data import (
    SAMPLE,
    SOURCE,
    UPLOAD,
    choose_columns,
    sample_columns,
    source_of,
)
from layerviz.ui.sidebar.files import KeptFile, choose_files, files_in_address
from layerviz.ui.sidebar.hub import HUB_NAME
from layerviz.wording import enumeration

_DATA_OF = "data_of"  # session state: the run whose data were brought back last
_IS_OPEN = "session_is_open"  # session state


def bring_back_data() -> None:
    """Choose in step 1 what the address names: files, or the data of the run that it opens.

    A session looks once for files, and once at each run that is opened; what the reader chooses
    afterwards stays.
    """
    is_first = _IS_OPEN not in st.session_state
    st.session_state[_IS_OPEN] = True
    if is_first and (named := files_in_address()):
        _bring_back_files(named)
        st.session_state[_DATA_OF] = next(iter(run_ids_in_address()), None)
        return
    for run_id in run_ids_in_address():
        try:
            run = runs.read(jobs().root, run_id)
        except LayervizError:
            continue  # the page says it where the run would stand
        if st.session_state.get(_DATA_OF) != run_id:
            st.session_state[_DATA_OF] = run_id
            _bring_back_data_of(run, keep_columns=is_first)
        return
    st.session_state[_DATA_OF] = None


def say_whose_data(dataset: Dataset | None) -> None:
    """Say below step 1 if the data chosen there are not those of the run that is open."""
    for run_id in run_ids_in_address()[:1]:
        try:
            run = runs.read(jobs().root, run_id)
        except LayervizError:
            return
        if dataset is not None and not is_data_of(run, dataset):
            st.caption(
                ":material/info: Not the data of the open run "
                f"({plain(run.dataset['name'])}): Fine-tune would train on these."
            )


def _bring_back_files(named: dict[str, str]) -> None:
    st.session_state[SOURCE] = UPLOAD
    try:
        kept = {role: runs.read_kept_table(jobs().root, key).name for role, key in named.items()}
    except LayervizError as error:
        choose_files({}, plain(f"The address names a file that cannot be opened. {error}"))
        return
    st.session_state[SOURCE] = source_of(kept.get("train", ""))
    choose_files({role: KeptFile(named[role], name) for role, name in kept.items()})


def _bring_back_data_of(run: Run, *, keep_columns: bool) -> None:
    """Choose the data of a run, or say which they are.

    Parameters
    ----------
    run : Run
    keep_columns : bool
        Whether columns that the address names are left to it.
    """
    if is_data_of(run, chosen_data()):
        return
    if _is_sample(run):
        st.session_state[SOURCE] = SAMPLE
        contents = {"train": cache.sample().content_hash}
        choose_columns(contents, *_columns_of(run), run.row_choices, keep=keep_columns)
        return
    files = {role: run.dataset["files"].get(role, run.dataset["name"]) for role in run.contents}
    kept = {
        role: KeptFile(runs.table_key(run.contents[role]), name) for role, name in files.items()
    }
    st.session_state[SOURCE] = source_of(files.get("train", ""))
    if data.is_hub_name(files.get("train", "")):
        st.session_state[HUB_NAME] = files["train"].removeprefix(HUB_PREFIX)
    missing = [file.name for file in kept.values() if not runs.has_table(jobs().root, file.key)]
    if "train" in kept and not missing:
        choose_files(kept)
    else:
        choose_files({}, _which_files(run))
    if "train" in kept:
        choose_columns(
            run.contents,
            *_columns_of(run),
            run.row_choices,
            run.reading_choices,
            keep=keep_columns,
        )


def _is_sample(run: Run) -> bool:
    if run.contents:
        return run.contents == {"train": cache.sample().content_hash}
    sample = cache.sample()
    return is_data_of(run, cache.dataset(sample, None, None, sample_columns(), 0.2, 0))


def _columns_of(run: Run) -> tuple[Columns, float | None]:
    names = run.dataset["columns"]
    return Columns(**names), run.dataset["val_fraction"]


def _which_files(run: Run) -> str:
    """Say which files the data of a run came from."""
    by_role = run.dataset["files"]
    names = [f"{by_role[role]} ({role})" for role in SPLITS if role in by_role]
    if len(by_role) == 1:
        names = list(by_role.values())
    columns, fraction = _columns_of(run)
    parts = [f"text column “{columns.text}”", f"label column “{columns.label}”"]
    if columns.split:
        parts.append(f"split column “{columns.split}”")
    if fraction is not None:
        parts.append(f"{100 * fraction:g} % held out for val")
    files = (
        enumeration([plain(name) for name in names]) or f"the file of {plain(run.dataset['name'])}"
    )
    return (
        f"The data of the open run are not kept here. To train on them, choose {files}: "
        f"{plain(', '.join(parts))}."
    )
