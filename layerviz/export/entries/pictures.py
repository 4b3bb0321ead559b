"""Maps at one epoch as pictures; any other chart of the page can be one, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from layerviz.export.entry import DrawChart, Export, ExportRequest, Section, WriteExport
from layerviz.progress import OnProgress

if TYPE_CHECKING:
    from altair.typing import ChartType

    from layerviz.runs import Run

PICTURE = Section(
    name="picture",
    title="Maps at one epoch",
    caption="Every other chart has its own *Save* menu.",
)


def _drawer(kind: str) -> DrawChart:
    def draw(chart: ChartType, dark: bool) -> bytes:
        from layerviz.export.pictures import picture

        return picture(chart, kind, theme="dark" if dark else "light")

    return draw


def _writer(draw: DrawChart) -> WriteExport:
    def write(run: Run, request: ExportRequest, stream: BinaryIO, on_progress: OnProgress) -> None:
        from layerviz.export.run_charts import requested_chart

        stream.write(draw(requested_chart(run, request, on_progress), request.dark))

    return write


def _picture(name: str, label: str, suffix: str, mime: str, help: str, kind: str) -> Export:
    draw = _drawer(kind)
    return Export(
        name=name,
        help=help,
        label=label,
        section=PICTURE,
        suffix=suffix,
        mime=mime,
        write=_writer(draw),
        stem="{run_id}-maps-{snapshot}",
        has_dark=True,
        has_epoch=True,
        draw=draw,
    )


PNG = _picture(
    "png", "PNG", ".png", "image/png", "picture of the maps, or of the heat map", kind="png"
)
SVG = _picture("svg", "SVG", ".svg", "image/svg+xml", "the same, as SVG", kind="svg")
VEGA_LITE = _picture(
    "vega_lite",
    "Vega-Lite",
    ".vl.json",
    "application/json",
    "the same, as a Vega-Lite specification",
    kind="json",
)
