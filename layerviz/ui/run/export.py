"""The "Export" tab: whatever the registry of exports offers, section by section."""

from __future__ import annotations

import io
import itertools
import shlex
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import streamlit as st

from layerviz import runs
from layerviz.errors import LayervizError
from layerviz.export import (
    EXPORTS,
    CellRequest,
    Export,
    ExportRequest,
    Section,
    expect_not_deleted,
    write_to,
)
from layerviz.export.recipe import command, snippet
from layerviz.poolings import pooling_label
from layerviz.progress import OnProgress, ignore
from layerviz.projection import DEFAULT_PROJECTION, PROJECTIONS
from layerviz.runs import Run
from layerviz.separability import AnswerSheet, Cell, cell_name
from layerviz.ui.parts.choice import choose_one
from layerviz.ui.parts.formulas import quote_formulas_control
from layerviz.ui.parts.map_controls import pooling_control
from layerviz.ui.parts.measured import epoch_control
from layerviz.ui.parts.polling import draw_while_live
from layerviz.ui.parts.progress import bar_while_waiting
from layerviz.ui.parts.sheets import awaited_sheet
from layerviz.ui.parts.state import keep, plain, show_error
from layerviz.ui.parts.stored_maps import maps_are_ready
from layerviz.ui.parts.verdict import chosen_margin, chosen_poolings
from layerviz.ui.run.maps import view_now
from layerviz.ui.run.push import push_section
from layerviz.views import MapsView
from layerviz.wording import enumeration, file_size, layer_name, sentence_case

MADE = "export_made"  # session state: the newest file of each export that takes long, and its key
# Which layer becomes a model.
RECOMMENDED, ENOUGH, ANOTHER = "The recommended one", "The fewest that are enough", "Another"
SECONDS_UNTIL_TOLD = 3.0  # that somebody else has deleted this run
LARGE = 1_000_000_000  # bytes from which on a file is better made by the command line


def export_tab(run: Run) -> None:
    """Offer every export of a run, and the commands that make it again."""
    # A download is no redraw of the page: where it fails, Streamlit itself says so, and not why.
    draw_while_live(expect_not_deleted, run, live=True, seconds=SECONDS_UNTIL_TOLD)
    view = view_now(run)
    panels = [(run, view.pooling, layer) for layer in view.layers]
    newest = [run.snapshots[-1].index] * len(panels)
    if not maps_are_ready(view.projection, panels, newest):  # a worker draws them, not this page
        view = replace(view, projection=DEFAULT_PROJECTION)
    _describe_view(run, view)
    sheet = awaited_sheet(run, chosen_poolings(run)) if runs.measured_snapshots(run) else None
    sections: dict[Section, list[Export]] = {}
    for export in EXPORTS.values():
        sections.setdefault(export.section, []).append(export)
    columns = st.columns(2)
    for column, (section, exports) in zip(itertools.cycle(columns), sections.items(), strict=False):
        with column, st.container(border=True):
            _section(run, view, sheet, section, exports)
    with columns[0]:
        push_section(run)
    with columns[1]:
        _reproduce(run, sheet)


def _describe_view(run: Run, view: MapsView) -> None:
    n = len(view.layers)
    layers = f"layer {view.layers[0]}" if n == 1 else f"{n} layers"
    st.caption(
        f"Maps are exported as the **Maps** tab shows them: {layers}, "
        f"{pooling_label(view.pooling)} pooling, {PROJECTIONS[view.projection].label}, "
        f"coloured by {plain(view.colouring)}, {enumeration(view.splits)}. Change them there."
        + (" The run is still going on: you get what has been captured so far." if run.live else "")
    )


def _section(
    run: Run,
    view: MapsView,
    sheet: AnswerSheet | None,
    section: Section,
    exports: Sequence[Export],
) -> None:
    st.markdown(f"**{section.title}**")
    st.caption(section.caption)
    slow = [export for export in exports if export.slow]
    quick = [export for export in exports if not export.slow]
    request = ExportRequest(view.as_request())
    if any(export.has_cell for export in exports):
        request = replace(request, cell=_cell_controls(run, sheet, section))
    chosen, request = _controls(run, request, section, exports, slow)
    if chosen is not None:
        _slow_export(run, section, chosen, request)
    if any(export.has_formulas for export in exports):
        request = replace(request, quote_formulas=quote_formulas_control())
    if quick:
        _quick_exports(run, quick, request)


def _controls(
    run: Run,
    request: ExportRequest,
    section: Section,
    exports: Sequence[Export],
    slow: Sequence[Export],
) -> tuple[Export | None, ExportRequest]:
    """Return which of the exports that take long is chosen, and how files are to look."""
    chosen = slow[0] if slow else None
    has_epoch = any(export.has_epoch for export in exports)
    has_dark = any(export.has_dark for export in exports)
    if not (len(slow) > 1 or has_epoch or has_dark):
        return chosen, request
    key = f"export_{section.name}"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if len(slow) > 1:
            name = choose_one(
                "Format",
                [export.name for export in slow],
                key=key,
                format_func=lambda name: EXPORTS[name].label,
                help=section.format_help or None,
            )
            chosen = EXPORTS[name]
        if has_epoch:
            newest = run.snapshots[-1].index
            every = [snapshot.index for snapshot in run.snapshots]
            epoch_key = f"{key}_epoch-{run.run_id}-{newest}"
            request = replace(request, snapshot=epoch_control(run, every, epoch_key, newest))
        if has_dark:
            request = replace(request, dark=st.toggle("Dark", key=f"{key}_dark"))
    return chosen, request


def _cell_controls(run: Run, sheet: AnswerSheet | None, section: Section) -> CellRequest:
    """Let the reader choose a cell: the answer's, the decision's, or any whose weights are kept."""
    measured = runs.measured_snapshots(run)
    stored = sorted(set(runs.captured_models(run)) & set(measured))
    if not stored or sheet is None:
        return CellRequest()
    answer, poolings, margin = sheet.answer, sheet.poolings, chosen_margin()
    named = {RECOMMENDED: answer.best}
    decision = sheet.decision(margin)
    if decision is not None and decision.cell is not None:
        named |= {ENOUGH: decision.cell}
    kept = [name for name, cell in named.items() if cell.snapshot in stored]
    if lost := [cell for name, cell in named.items() if name not in kept]:
        st.caption(
            f"{sentence_case(cell_name(lost[0]))} is recommended, and its weights were not kept: "
            "set **Keep weights of** to *best* or *all* in later runs."
        )
    key = f"export_{section.name}"
    which = choose_one("Layer to take", [*kept, ANOTHER], key=f"{key}_which-{run.run_id}")
    if len(kept) > 0:
        names = enumeration([pooling_label(name) for name in poolings])
        searched = "all poolings" if len(poolings) == len(run.poolings) else f"{names} pooling"
        st.caption(
            f"Searched among {searched}; fewest layers within {margin:.2f} macro-F1 of the whole "
            "model. Choose otherwise in the **Layers** tab."
        )
    if which != ANOTHER:
        st.caption(f"{sentence_case(cell_name(named[which]))}.")
        return CellRequest(named[which].layer, named[which].epoch, named[which].pooling)
    return _any_cell(run, key, answer.best, stored)


def _any_cell(run: Run, key: str, best: Cell, stored: Sequence[int]) -> CellRequest:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        pooling = pooling_control(f"{key}_pooling-{run.run_id}", run.poolings, best.pooling)
        layer = st.selectbox(
            "Layer",
            range(1, int(run.encoder["layers"]) + 1),
            format_func=layer_name,
            key=keep(f"{key}_layer-{run.run_id}", best.layer),
            width=150,
        )
        first = best.snapshot if best.snapshot in stored else stored[-1]
        snapshot = epoch_control(run, stored, f"{key}_epoch-{run.run_id}-{stored[-1]}", first)
    return CellRequest(layer, run.snapshots[snapshot].epoch, pooling)


def _content(
    run: Run, export: Export, request: ExportRequest, on_progress: OnProgress = ignore
) -> bytes:
    stream = io.BytesIO()
    write_to(run, export, request, stream, on_progress)
    return stream.getvalue()


# --- exports that take long -------------------------------------------------------------------


def _slow_export(run: Run, section: Section, export: Export, request: ExportRequest) -> None:
    unmet = export.unmet_need(run)
    if unmet:
        st.caption(unmet)
    content = _made(run, section, export, request, disabled=bool(unmet))
    if content is None:
        return
    if export.mime.startswith("image/"):
        st.image(content, width="stretch")
    _download_button(
        run, export, request, f"Download ({file_size(len(content))})", content, primary=True
    )


def _made(
    run: Run, section: Section, export: Export, request: ExportRequest, *, disabled: bool
) -> bytes | None:
    """Offer to make a file; return it for as long as it is of what is chosen."""
    made = st.session_state.setdefault(MADE, {})
    of = (run.run_id, run.created, len(run.snapshots), runs.measured_snapshots(run), request)
    if st.button(
        section.make_label,
        icon=section.make_icon,
        key=f"make-{section.name}",
        disabled=disabled,
    ):
        try:
            with bar_while_waiting("Starting") as on_progress:
                content = _content(run, export, request, on_progress)
        except LayervizError as error:
            show_error(error)
            return None
        made[export.name] = (of, content)
    made_of, content = made.get(export.name, (None, None))
    return content if made_of == of else None


# --- exports that are made when they are downloaded -------------------------------------------


def _quick_exports(run: Run, exports: Sequence[Export], request: ExportRequest) -> None:
    unmet = {export.name: sentence for export in exports if (sentence := export.unmet_need(run))}
    sizes = {
        export.name: export.size(run)
        for export in exports
        if export.size is not None and export.name not in unmet
    }
    large = [export for export in exports if sizes.get(export.name, 0) > LARGE]
    if len(unmet) < len(exports):
        with st.container(horizontal=True):
            for export in exports:
                size = sizes.get(export.name)
                _download_button(
                    run,
                    export,
                    request,
                    export.label if size is None else f"{export.label}, {file_size(size)}",
                    partial(_content, run, export, request),
                    disabled=export.name in unmet or export in large,
                )
    for sentence in dict.fromkeys(unmet.values()):
        st.caption(sentence)
    for export in large:
        st.caption("A file of this size is better made without the page:")
        file_name = shlex.quote(export.file_name(run, request.snapshot))
        st.code(f"python -m layerviz export {run.run_id} {export.flag} {file_name}")


def _download_button(
    run: Run,
    export: Export,
    request: ExportRequest,
    label: str,
    data: bytes | Callable[[], bytes],
    *,
    primary: bool = False,
    disabled: bool = False,
) -> None:
    st.download_button(
        label,
        data=data,
        file_name=export.file_name(run, request.snapshot),
        mime=export.mime,
        type="primary" if primary else "secondary",
        icon=":material/download:",
        on_click="ignore",
        key=f"take-{export.name}",
        disabled=disabled,
    )


# --- how to make it again ---------------------------------------------------------------------


def _reproduce(run: Run, sheet: AnswerSheet | None) -> None:
    with st.container(border=True):
        st.markdown("**How to reproduce**")
        st.code(command(run), language="bash", wrap_lines=True)
        versions = ", ".join(f"{name} {version}" for name, version in run.versions.items())
        st.caption(
            plain(
                f"The data must have the fingerprint {run.dataset['fingerprint']}; with the same "
                f"settings, the run then has the id {run.run_id}. Made with {versions}."
            )
        )
        if sheet is not None or not runs.measured_snapshots(run):
            _snippet(run, None if sheet is None else sheet.answer.best)
        st.caption("The exports above from the command line:")
        st.code(
            f"python -m layerviz export {shlex.quote(run.run_id)} "
            "--gif run.gif --html run.html --png maps.png",
            language="bash",
            wrap_lines=True,
        )


def _snippet(run: Run, best: Cell | None) -> None:
    code = st.expander("The hidden states in Python", key="python_snippet", on_change="rerun")
    if code.open:
        with code:
            st.code(snippet(run, best), language="python")
