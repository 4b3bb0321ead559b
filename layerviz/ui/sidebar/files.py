"""The files of step 1: uploaded, kept, named in the address, removed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import streamlit as st

from layerviz import cache, data, runs
from layerviz.config import SPLITS
from layerviz.data import GUESS, ReadingChoices, Table
from layerviz.errors import DataError, LayervizError, ReadingError, RunError
from layerviz.ui.parts.state import go_to, jobs, plain, run_id_in_address
from layerviz.ui.sidebar.reading import ask_how_to_read, chosen_reading
from layerviz.wording import count

FILES = "files"  # session state: the kept files by their role
FILES_NOTE = "files_note"  # session state: what is to be said instead of a file that is not here
_UPLOADERS = "uploaders"  # session state: how often the uploaders were emptied
LABELS = {
    "train": "File (all of the data, or train)",
    "val": "Val file",
    "test": "Test file (optional)",
}


@dataclass(frozen=True)
class KeptFile:
    """A file that is kept with the runs.

    Parameters
    ----------
    key : str
        See `runs.keep_table`.
    name : str
    """

    key: str
    name: str


def kept_files() -> dict[str, KeptFile]:
    """Return the kept files that are chosen, by their role."""
    files: dict[str, KeptFile] = st.session_state.setdefault(FILES, {})
    return files


def choose_files(files: Mapping[str, KeptFile], note: str = "") -> None:
    """Choose these kept files in place of all others; `note` is said where train is missing."""
    st.session_state[FILES] = dict(files)
    st.session_state[FILES_NOTE] = note
    # An uploader cannot be emptied, but another one can take its place.
    st.session_state[_UPLOADERS] = st.session_state.get(_UPLOADERS, 0) + 1


def files_in_address() -> dict[str, str]:
    """Return the keys of files that the address names, by their role; they may be anything."""
    return {role: st.query_params[role] for role in SPLITS if role in st.query_params}


def write_files_into_address(*, wanted: bool) -> None:
    """Let the address name the chosen files, or none."""
    files = kept_files() if wanted else {}
    for role in SPLITS:
        if role in files:
            if st.query_params.get(role) != files[role].key:
                st.query_params[role] = files[role].key
        elif role in st.query_params:
            del st.query_params[role]


def ask_for_files() -> dict[str, Table]:
    """Show the uploaders, and in their place what is kept; return the tables by their role."""
    show_note()
    tables = {"train": _ask("train")}
    others = kept_files().keys() - {"train"}
    with st.expander("Separate val and test files", expanded=bool(others)):
        tables |= {role: _ask(role) for role in ("val", "test")}
    return {role: table for role, table in tables.items() if table is not None}


def show_note() -> None:
    """Say what became of a file that should be here."""
    note = st.session_state.get(FILES_NOTE)
    if note and "train" not in kept_files():
        st.info(note, icon=":material/search_off:")


def has_train_file() -> bool:
    """Return whether there is a file, which may be of no use."""
    return "train" in kept_files() or st.session_state.get(_uploader("train")) is not None


def _uploader(role: str) -> str:
    """Return the key of the uploader that is shown."""
    emptied = st.session_state.get(_UPLOADERS, 0)
    return f"upload_{role}-{emptied}" if emptied else f"upload_{role}"


def _ask(role: str) -> Table | None:
    key = _uploader(role)
    kept = kept_files().get(role)
    if kept is not None and data.is_hub_name(kept.name):
        kept = None  # of the Hub's own field
    if kept is not None and st.session_state.get(key) is None:
        return show_kept_file(role, kept, LABELS[role])
    file = st.file_uploader(
        LABELS[role],
        key=key,
        on_change=_changed,
        args=(role, key),
    )
    if file is None:
        return None
    upload_key = cache.upload_key(file)
    table = _read(role, upload_key, lambda choices: cache.table(file, choices))
    if kept is None or kept.key != runs.table_key(table.content_hash) or kept.name != file.name:
        _keep(role, file.getvalue(), file.name)
    return table


def show_kept_file(role: str, kept: KeptFile, label: str) -> Table | None:
    """Show a file that came back, and a button that removes it."""
    st.caption(label)
    st.markdown(f":material/description: {plain(kept.name)}")
    line = st.container(horizontal=True, vertical_alignment="center", gap="small")
    with line:
        size = st.container(width="stretch")
        st.button(
            "Remove",
            key=f"remove_{role}",
            type="tertiary",
            help="The file stays with the runs that were made from it.",
            on_click=_removed,
            args=(role,),
        )
    root = str(jobs().root)
    table = _read(
        role, kept.key, lambda choices: cache.kept_table(root, kept.key, kept.name, choices)
    )
    size.caption(f"{count(len(table.frame), 'row')}, kept with the runs.")
    return table


def _read(role: str, key: str, read: Callable[[ReadingChoices], Table]) -> Table:
    """Read a file as it is chosen, and ask how; also where it cannot be read as it was guessed."""
    choices = chosen_reading(role, key)
    try:
        table = read(choices)
    except DataError as error:
        if isinstance(error, ReadingError) or choices != GUESS:
            ask_how_to_read(role, key, None, error.choices)
        raise
    ask_how_to_read(role, key, table)
    return table


def _keep(role: str, content: bytes, name: str) -> None:
    try:
        key = runs.keep_table(jobs().root, content, name)
    except RunError as error:
        st.caption(plain(str(error)))
        kept_files().pop(role, None)
    else:
        kept_files()[role] = KeptFile(key, name)


def _changed(role: str, key: str) -> None:
    """Leave the open run, unless the file is one of its own."""
    file = st.session_state.get(key)
    kept_files().pop(role, None)
    if file is None:
        _removed(role)
    elif file.name not in _names_of_open_run():
        go_to(None)


def _removed(role: str) -> None:
    kept_files().pop(role, None)
    st.session_state[FILES_NOTE] = ""
    go_to(None)


def _names_of_open_run() -> set[str]:
    run_id = run_id_in_address()
    if run_id is None:
        return set()
    try:
        return set(runs.read(jobs().root, run_id).dataset["files"].values())
    except LayervizError:
        return set()
