"""The registry of exports: what can be made of a run, and how one is written to a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from layerviz.errors import RunError
from layerviz.export.entries.animations import GIF, WEBP
from layerviz.export.entries.archives import MODEL_ZIP, RUN_ZIP
from layerviz.export.entries.models import LAYER_MODEL
from layerviz.export.entries.pages import HTML
from layerviz.export.entries.pictures import PNG, SVG, VEGA_LITE
from layerviz.export.entries.tables import CSV, MEASURES_CSV, PARQUET, SLICES_CSV
from layerviz.export.entry import Export, ExportRequest
from layerviz.progress import OnProgress, ignore
from layerviz.registry import Registry
from layerviz.wording import quote

if TYPE_CHECKING:
    from layerviz.runs import Run

# A new export is an object in a module like entries/tables.py and an entry here.
EXPORTS: Registry[Export] = Registry(
    "export",
    [
        GIF,
        WEBP,
        HTML,
        PNG,
        SVG,
        VEGA_LITE,
        CSV,
        PARQUET,
        MEASURES_CSV,
        SLICES_CSV,
        LAYER_MODEL,
        MODEL_ZIP,
        RUN_ZIP,
    ],
)


def write_export(
    run: Run, name: str, path: Path, request: ExportRequest, on_progress: OnProgress = ignore
) -> None:
    """Write one export to a file; an existing file stays until the new one is whole.

    Parameters
    ----------
    run : Run
    name : str
        Of the export.
    path : Path
        An existing file is overwritten.
    request : ExportRequest
    on_progress : callable
        Called with a `Progress` that counts what the export is made of.

    Raises
    ------
    UnknownNameError
        If there is no such export.
    RunError
        If there is a folder of this name, or the file cannot be written; and as exports raise.
    """
    from layerviz import runs

    export = EXPORTS[name]
    with runs.writing_file(path) as stream:
        write_to(run, export, request, stream, on_progress)


def write_to(
    run: Run,
    export: Export,
    request: ExportRequest,
    stream: BinaryIO,
    on_progress: OnProgress = ignore,
) -> None:
    """Write one export to a stream.

    Raises
    ------
    RunError
        If the run was deleted since it was opened; and as exports raise.
    """
    expect_not_deleted(run)
    try:
        export.write(run, request, stream, on_progress)
    except (OSError, RunError):
        expect_not_deleted(run)  # if it was meanwhile, that says more than which file is missing
        raise


def expect_not_deleted(run: Run) -> None:
    """Raise a RunError if a run was deleted since it was opened."""
    if not run.layout.record.is_file():
        raise RunError(
            f"The run {quote(run.run_id)} was deleted: there is nothing left to export.",
            "Choose another run from the list.",
        )


def exports_table() -> str:
    """Return README's table of the exports, in Markdown."""
    rows = [("option", "file", "what it holds"), ("---", "---", "---")]
    rows += [(f"`{export.flag}`", f"`{export.suffix}`", export.help) for export in EXPORTS.values()]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
