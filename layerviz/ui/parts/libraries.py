"""Loading what trains, measures and draws behind the first page, which is shown without it.

Python imports a module once, whoever asks; but two threads that import the same libraries from
different ends may see one half made. So whoever needs them waits here until they are all there.
"""

from __future__ import annotations

import importlib
import logging
import threading

import streamlit as st

log = logging.getLogger(__name__)

# From here everything is imported that a run, its page and a comparison need.
_NEEDED = (
    "layerviz.training.fitting",
    "layerviz.exploring.labels",
    "layerviz.projection.of_run",
    "layerviz.encoders.trying",
    "layerviz.ui.run.page",
    "layerviz.ui.compare.page",
    "layerviz.ui.all_runs.page",
)
WHILE_LOADING = (
    "Loading PyTorch and other libraries: this takes a few seconds, once after the server starts"
)
_UNTIL_DRAWN = 1.5  # seconds that a browser on the same machine gets to draw the first page

_lock = threading.Lock()
_wanted, _loaded = threading.Event(), threading.Event()
_thread: threading.Thread | None = None


def load_behind_the_page() -> None:
    """Begin to load the libraries in the background, once the browser has drawn what it was sent.

    Nothing happens if that has begun already.
    """
    global _thread
    with _lock:
        if _thread is None:
            _thread = threading.Thread(target=_load, name="layerviz-libraries", daemon=True)
            _thread.start()


def wait_for_libraries() -> None:
    """Return when the libraries are loaded, and say on the page what is waited for."""
    if _loaded.is_set():
        return
    _wanted.set()
    load_behind_the_page()
    with st.spinner(WHILE_LOADING):
        _loaded.wait()


def _load() -> None:
    _wanted.wait(_UNTIL_DRAWN)
    try:
        for module in _NEEDED:
            importlib.import_module(module)
    except Exception:  # whoever needs it imports it again, and the page says what is wrong
        log.exception("the libraries cannot be loaded")
    finally:
        _loaded.set()
