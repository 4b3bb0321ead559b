"""What can be taken away, each as a file of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from layerviz import runs
from layerviz.errors import RunError
from layerviz.export.animation import animation
from layerviz.export.archive import zip_model, zip_run
from layerviz.export.page import offline_page
from layerviz.export.pictures import picture
from layerviz.export.run_charts import heat_map_chart, maps_chart
from layerviz.export.tables import as_csv, as_parquet, coordinates, measures
from layerviz.export.views import MapsView
from layerviz.progress import OnProgress, ignore
from layerviz.runs import Run


@dataclass(frozen=True)
class Wish:
    """What to write, and how it is to look.

    Parameters
    ----------
    kind : str
        A key of `KINDS`.
    path : Path
        Where; a file that is there is replaced.
    view : MapsView
    dark : bool
        Whether pictures have a dark background.
    chart : {"maps", "heat-map"}
        What pictures show.
    """

    kind: str
    path: Path
    view: MapsView
    dark: bool = False
    chart: str = "maps"


def write(run: Run, wish: Wish, on_progress: OnProgress = ignore) -> None:
    """Write one file; what was there before stays until the new one is whole.

    Raises
    ------
    RunError
        If there is a folder of this name, or the file cannot be written; and as the kinds raise.
    """
    path = wish.path
    if path.is_dir():
        raise RunError(f"{path} is a folder.", "Give the name of a file.")
    if wish.kind in ZIPS:
        ZIPS[wish.kind](run, path, on_progress=on_progress)
        return
    content = KINDS[wish.kind](run, wish, on_progress)
    with runs.replacing(path) as temporary:
        temporary.write_bytes(content)


def _animation(kind: str) -> Callable[[Run, Wish, OnProgress], bytes]:
    def made(run: Run, wish: Wish, on_progress: OnProgress) -> bytes:
        return animation(run, wish.view, kind, dark=wish.dark, on_progress=on_progress)

    return made


def _picture(kind: str) -> Callable[[Run, Wish, OnProgress], bytes]:
    def made(run: Run, wish: Wish, on_progress: OnProgress) -> bytes:
        if wish.chart == "heat-map":
            chart = heat_map_chart(run, pooling=wish.view.pooling, dark=wish.dark)
        else:
            chart = maps_chart(run, wish.view, dark=wish.dark, on_progress=on_progress)
        return picture(chart, kind, theme="dark" if wish.dark else "light")

    return made


def _page(run: Run, wish: Wish, on_progress: OnProgress) -> bytes:
    return offline_page(run, wish.view, on_progress=on_progress)


def _csv(run: Run, wish: Wish, on_progress: OnProgress) -> bytes:
    return as_csv(coordinates(run, wish.view, on_progress=on_progress))


def _parquet(run: Run, wish: Wish, on_progress: OnProgress) -> bytes:
    return as_parquet(coordinates(run, wish.view, on_progress=on_progress))


def _measures(run: Run, *_) -> bytes:
    return as_csv(measures(run))


ZIPS = {"model_zip": zip_model, "run_zip": zip_run}
KINDS: dict[str, Callable[..., bytes | None]] = {
    "gif": _animation("gif"),
    "webp": _animation("webp"),
    "html": _page,
    "png": _picture("png"),
    "svg": _picture("svg"),
    "vega_lite": _picture("json"),
    "csv": _csv,
    "parquet": _parquet,
    "measures": _measures,
    **ZIPS,
}
