"""A whole run as one page."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from layerviz.export.entry import Export, ExportRequest, Section
from layerviz.progress import OnProgress

if TYPE_CHECKING:
    from layerviz.runs import Run

PAGE = Section(
    name="page",
    title="The run as one page (HTML)",
    caption="The answer, maps with a working slider, heat map and settings in one file that opens "
    "from disk without a network: for a colleague or a paper's supplement. It contains the "
    "texts of the drawn examples.",
    make_label="Make the page",
    make_icon=":material/web:",
)


def _write(run: Run, request: ExportRequest, stream: BinaryIO, on_progress: OnProgress) -> None:
    from layerviz.export.page import offline_page

    stream.write(offline_page(run, request.maps, on_progress=on_progress))


HTML = Export(
    name="html",
    help="the whole run as one page that needs no network",
    label="HTML",
    section=PAGE,
    suffix=".html",
    mime="text/html",
    write=_write,
    slow=True,
)
