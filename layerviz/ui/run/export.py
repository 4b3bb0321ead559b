"""The tab "Export": animations, a page of its own, pictures, tables, the model, the whole run."""

from __future__ import annotations

import io
import shlex
from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from layerviz import export, runs
from layerviz.config import METHOD_NAMES
from layerviz.errors import LayervizError
from layerviz.export import MapsView
from layerviz.poolings import pooling_label
from layerviz.progress import OnProgress
from layerviz.runs import Run
from layerviz.ui.parts.figure import PICTURES
from layerviz.ui.parts.measured import epoch_control
from layerviz.ui.parts.state import first_value, plain, show
from layerviz.ui.parts.stored_maps import maps_are_there
from layerviz.ui.run.maps import view_now

MADE = "export_made"  # session state: what was made last of each kind, and of what
LARGE = 1_000_000_000  # bytes of a run that are better zipped by the command line
MIMES = {"gif": "image/gif", "webp": "image/webp", "html": "text/html"}


def take_away(run: Run) -> None:
    """Offer everything of a run as files."""
    view = _view(run)
    _what(run, view)
    wanted = [(run, view.pooling, layer) for layer in view.layers]
    newest = [run.snapshots[-1].index] * len(wanted)
    if not maps_are_there(view.method, wanted, newest):  # a worker draws them, not this page
        view = replace(view, method="pca")
    left, right = st.columns(2)
    with left:
        _animation(run, view)
        _picture(run, view)
        _archives(run)
    with right:
        _page(run, view)
        _tables(run, view)
        _reproduce(run)


def _view(run: Run) -> MapsView:
    shown = view_now(run)
    layers = shown.layers if shown.focus is None else [shown.focus]
    return MapsView(
        shown.pooling, shown.method, shown.colouring, tuple(layers), tuple(shown.classes)
    )


def _what(run: Run, view: MapsView) -> None:
    n = len(view.layers)
    layers = f"layer {view.layers[0]}" if n == 1 else f"{n} layers"
    st.caption(
        f"Maps are taken as the tab **Maps** shows them: {layers}, {pooling_label(view.pooling)} "
        f"pooling, {METHOD_NAMES[view.method]}, coloured by {view.colouring}. Change them there."
        + (" The run is still going on: you get what is there so far." if run.live else "")
    )


# --- what takes a while -----------------------------------------------------------------------


def _animation(run: Run, view: MapsView) -> None:
    with st.container(border=True):
        st.markdown("**Animation over the epochs**")
        st.caption("Train and val side by side, with epoch and scores; for talks and READMEs.")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            kind = st.segmented_control(
                "Format",
                ["gif", "webp"],
                required=True,
                format_func={"gif": "GIF", "webp": "WebP"}.get,
                key=first_value("export_animation", "gif"),
                help="WebP has all colours and smaller files; GIF opens everywhere.",
            )
            dark = st.toggle("Dark", key="export_animation_dark")
        one = len(run.snapshots) < 2
        if one:
            st.caption("There is one snapshot only: nothing moves yet.")
        content = _made(
            run,
            (kind, view, dark),
            "Make the animation",
            lambda report: export.animation(run, view, kind, dark=dark, on_progress=report),
            disabled=one,
        )
        if content:
            st.image(content, width="stretch")
            _download(run, content, kind)


def _page(run: Run, view: MapsView) -> None:
    with st.container(border=True):
        st.markdown("**The run as one page (HTML)**")
        st.caption(
            "The answer, maps with a working slider, heat map and settings in one file that opens "
            "from the disk, with no network: for a colleague or a paper's supplement. It holds the "
            "texts of the drawn examples."
        )
        content = _made(
            run,
            ("html", view),
            "Make the page",
            lambda report: export.offline_page(run, view, on_progress=report),
        )
        if content:
            _download(run, content, "html")


def _made(
    run: Run,
    what: tuple,
    label: str,
    make: Callable[[OnProgress], bytes],
    disabled: bool = False,
) -> bytes | None:
    """Offer to make something; return it as long as it is of what is chosen."""
    kind, made = what[0], st.session_state.setdefault(MADE, {})
    key = (run.run_id, run.created, len(run.snapshots), runs.measured_snapshots(run), what)
    pressed = st.button(
        label, icon=":material/movie:" if kind != "html" else ":material/web:",
        key=f"make-{'page' if kind == 'html' else 'animation'}", disabled=disabled,
    )  # fmt: skip
    if pressed:
        bar = st.progress(0.0, "Drawing")
        try:
            content = make(lambda now: bar.progress(now.fraction, now.sentence))
        except LayervizError as error:
            show(error)
            return None
        finally:
            bar.empty()
        made[kind] = (key, content)
    there, content = made.get(kind, (None, None))
    return content if there == key else None


def _download(run: Run, content: bytes, kind: str) -> None:
    st.download_button(
        f"Download ({_size(len(content))})",
        data=content,
        file_name=f"{run.run_id}.{kind}",
        mime=MIMES[kind],
        type="primary",
        icon=":material/download:",
        on_click="ignore",
        key=f"take-{kind}",
    )


def _size(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:.1f} MB" if n_bytes < 1e9 else f"{n_bytes / 1e9:.1f} GB"


# --- what is made when it is asked for --------------------------------------------------------


def _picture(run: Run, view: MapsView) -> None:
    with st.container(border=True):
        st.markdown("**Maps at one epoch**")
        st.caption("Every other chart has a *Save* of its own beside it.")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            newest = run.snapshots[-1].index
            every = [snapshot.index for snapshot in run.snapshots]
            snapshot = epoch_control(run, every, f"export_epoch-{run.run_id}-{newest}", newest)
            dark = st.toggle("Dark", key="export_picture_dark")

        def drawn(kind: str) -> bytes:
            theme = "dark" if dark else "light"
            return export.picture(
                export.maps_chart(run, view, dark=dark, start=snapshot), kind, theme=theme
            )

        with st.container(horizontal=True):
            for label, (kind, mime) in PICTURES.items():
                name = f"{run.run_id}-maps-{snapshot}.{'vl.json' if kind == 'json' else kind}"
                _file(label, lambda kind=kind: drawn(kind), name, mime)


def _tables(run: Run, view: MapsView) -> None:
    with st.container(border=True):
        st.markdown("**Numbers**")
        st.caption(
            "Coordinates: a row per example, layer and snapshot, with prediction and confidence. "
            "Measures: a row per snapshot, pooling, layer, measure and split, with its interval."
        )
        name = run.run_id
        with st.container(horizontal=True):
            _file(
                "Coordinates (CSV)",
                lambda: export.as_csv(export.coordinates(run, view)),
                f"{name}-coordinates.csv",
                "text/csv",
            )
            _file(
                "Coordinates (Parquet)",
                lambda: export.as_parquet(export.coordinates(run, view)),
                f"{name}-coordinates.parquet",
                "application/vnd.apache.parquet",
            )
            _file(
                "Measures (CSV)",
                lambda: export.as_csv(export.measures(run)),
                f"{name}-measures.csv",
                "text/csv",
            )


def _archives(run: Run) -> None:
    with st.container(border=True):
        st.markdown("**The model, and the whole run**")
        st.caption(
            "The model is a folder for *AutoModelForSequenceClassification*. A run's zip is opened "
            "by another layerviz (on the left, under Runs); it holds your texts."
        )
        if run.live:
            st.caption("When the run has ended.")
            return
        sizes = {name: path.stat().st_size for name, path in export.files_of(run).items()}
        model = sum(size for name, size in sizes.items() if name.startswith("model/"))
        whole = sum(sizes.values())
        with st.container(horizontal=True):
            _file(
                f"Model (zip, {_size(model)})",
                lambda: _zipped(run, export.zip_model),
                f"{run.run_id}-model.zip",
                "application/zip",
                disabled=not model,
            )
            _file(
                f"Whole run (zip, {_size(whole)})",
                lambda: _zipped(run, export.zip_run),
                f"{run.run_id}.zip",
                "application/zip",
                disabled=whole > LARGE,
            )
        if whole > LARGE:
            st.caption("So large a run is better zipped without the page:")
            st.code(f"python -m layerviz export {run.run_id} --run-zip {run.run_id}.zip")


def _zipped(run: Run, write: Callable[[Run, io.BytesIO], None]) -> bytes:
    content = io.BytesIO()
    write(run, content)
    return content.getvalue()


def _file(
    label: str, make: Callable[[], bytes], name: str, mime: str, disabled: bool = False
) -> None:
    st.download_button(
        label,
        data=make,
        file_name=name,
        mime=mime,
        icon=":material/download:",
        on_click="ignore",
        key=f"take-{label.partition(',')[0]}",
        disabled=disabled,
    )


def _reproduce(run: Run) -> None:
    recipe = export.recipe(run)
    with st.container(border=True):
        st.markdown("**How to reproduce**")
        st.code(recipe.command, language="bash", wrap_lines=True)
        versions = ", ".join(f"{name} {version}" for name, version in recipe.versions.items())
        st.caption(
            plain(
                f"The data must give the fingerprint {recipe.fingerprint}; the same settings on "
                f"them have the run id {run.run_id}. Made with {versions}."
            )
        )
        with st.expander("Its hidden states in Python"):
            st.code(recipe.snippet, language="python")
        files = shlex.quote(run.run_id)
        st.caption("All of this without the page:")
        st.code(
            f"python -m layerviz export {files} --gif run.gif --html run.html --png maps.png",
            language="bash",
            wrap_lines=True,
        )
