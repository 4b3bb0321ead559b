"""Everything that a run says is plain text on the page, wherever it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hostile_runs import MARKUP, made_hostile
from made_runs import dataset_of, made
from pages import open_page
from streamlit.testing.v1 import AppTest

from layerviz import exploring, runs
from layerviz.ui.parts.state import plain
from layerviz.ui.run.layer_details import DETAIL_TABS
from layerviz.ui.run.page import TABS

UNESCAPED = re.compile(r"\]\(http|<b>|:red\[|(?<!\\)\$x|(?<!\\)`x`|www\.evil|me@evil|(?<!\\)http:")
# Fields of elements that Streamlit shows as they are, or shows nowhere.
AS_THEY_ARE = {
    "id", "form_id", "value", "placeholder", "default", "raw_value", "url", "spec", "json", "bytes",
    "code_text", "language", "arrow_data", "data", "columns", "element_id", "icon", "alt", "key",
    "component_name", "query_param_key", "file_name", "mime", "raw_values",
}  # fmt: skip
PLAIN_OPTIONS = {"selectbox", "multiselect"}  # their options are no Markdown


def markdown_in(app: AppTest) -> Iterator[str]:
    """Yield all that the page would read as Markdown."""
    for table in app.table:  # st.table reads its cells as Markdown; st.dataframe does not
        yield from (str(cell) for cell in [*table.value.columns, *table.value.to_numpy().ravel()])
    for node in nodes(app._tree):
        if getattr(node, "type", "") == "bidi_component":  # its scripts, and texts for them
            continue
        proto = getattr(node, "proto", None)
        if hasattr(proto, "ListFields"):  # a message of protobuf
            yield from strings(proto, getattr(node, "type", "") in PLAIN_OPTIONS)


def nodes(node: Any) -> Iterator[Any]:
    yield node
    for child in getattr(node, "children", {}).values():
        yield from nodes(child)


def strings(message: Any, plain_options: bool) -> Iterator[str]:
    for field, value in message.ListFields():
        if field.name in AS_THEY_ARE or (plain_options and field.name == "options"):
            continue
        parts = value if field.is_repeated else [value]
        for part in parts:
            if hasattr(part, "ListFields"):
                yield from strings(part, plain_options)
            elif isinstance(part, str):
                yield part


def expect_plain(app: AppTest, where: str) -> None:
    assert not app.exception, where
    markup = [text[:300] for text in markdown_in(app) if UNESCAPED.search(text)]
    assert not markup, f"{where}: {markup}"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(runs.RUNS_VARIABLE, str(tmp_path))
    return tmp_path


def test_no_text_of_a_run_is_markup_on_any_tab(root: Path) -> None:
    run = made_hostile(made(root, dataset_of("toy"), "one", {1: 0.5, 4: 2.0}))
    exploring.store_suspicious_labels(run)
    chosen: dict[str, object] = {"selected": (run.dataset["fingerprint"], ("val-1",), MARKUP)}
    for tab in TABS:
        expect_plain(open_page(run=run.run_id, tabs=tab, state=chosen), tab)
    app = open_page(run=run.run_id, tabs="Layers")
    for tab in DETAIL_TABS:
        app.session_state["detail_tabs"] = tab
        expect_plain(app.run(), tab)
    runs.update(run.path, status="failed")
    expect_plain(open_page(run=run.run_id, tabs="Run"), "failed")
    runs.update(run.path, title=MARKUP[:120])
    expect_plain(open_page(view="runs"), "all runs")
    expect_plain(open_page(run=MARKUP), "an address")


def test_no_text_of_a_run_is_markup_in_a_comparison(root: Path) -> None:
    made_runs = [made(root, dataset_of("toy"), name, {1: 0.5, 4: 2.0}) for name in ("one", "two")]
    ids = ",".join(made_hostile(run).run_id for run in made_runs)
    for tab in ("Maps", "Scores", "Agreement", "Export", "Runs"):
        expect_plain(open_page(compare=ids, state={"compare_tabs": tab}), tab)


@pytest.mark.parametrize(
    "text", ["1. one", "12) two", "&lt;b&gt;", "www.evil.example", "a@evil.example", "# x", MARKUP]
)
def test_plain_text_is_no_markdown(text: str) -> None:
    shown = plain(text)
    assert re.sub(r"\\(?=[!-/:-@\[-`{-~])", "", shown) == text
    assert not re.search(r"(?<!\\)[&@]|www\.|^\d+[.)]", shown)
