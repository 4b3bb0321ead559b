"""The fine-tuned model and the whole run as zip files."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from layerviz.export.entry import ENDED, Export, ExportRequest, Need, Section
from layerviz.progress import OnProgress

if TYPE_CHECKING:
    from layerviz.runs import Run

ARCHIVES = Section(
    name="archives",
    title="The model, and the whole run",
    caption="The model is a folder for *AutoModelForSequenceClassification*. The zip of a run can "
    "be opened by another layerviz (in the sidebar, under Runs); it contains your texts.",
)


def _write_model(
    run: Run,
    request: ExportRequest,  # noqa: ARG001
    stream: BinaryIO,
    on_progress: OnProgress,
) -> None:
    from layerviz.export.zip_writing import zip_model

    zip_model(run, stream, on_progress)


def _write_run(
    run: Run,
    request: ExportRequest,  # noqa: ARG001
    stream: BinaryIO,
    on_progress: OnProgress,
) -> None:
    from layerviz.export.zip_writing import zip_run

    zip_run(run, stream, on_progress=on_progress)


def _model_bytes(run: Run) -> int:
    return _bytes_of(run, "model/")


def _bytes_of(run: Run, folder: str = "") -> int:
    from layerviz.export.zip_writing import files_of

    files = files_of(run).items()
    return sum(path.stat().st_size for name, path in files if name.startswith(folder))


MODEL = Need(lambda run: _model_bytes(run) > 0, "This run holds no model.")
MODEL_ZIP = Export(
    name="model_zip",
    help="the fine-tuned model, for from_pretrained",
    label="Model (zip)",
    section=ARCHIVES,
    suffix=".zip",
    mime="application/zip",
    write=_write_model,
    stem="{run_id}-model",
    needs=(ENDED, MODEL),
    size=_model_bytes,
)
RUN_ZIP = Export(
    name="run_zip",
    help="the whole run, for `import` elsewhere",
    label="Whole run (zip)",
    section=ARCHIVES,
    suffix=".zip",
    mime="application/zip",
    write=_write_run,
    needs=(ENDED,),
    size=_bytes_of,
)
