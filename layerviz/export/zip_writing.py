"""A run, or its fine-tuned model, as a zip."""

from __future__ import annotations

import contextlib
import zipfile
from pathlib import Path
from typing import BinaryIO

from layerviz import runs
from layerviz.errors import RunError
from layerviz.progress import PACKING, OnProgress, Progress, ignore
from layerviz.projection import PROJECTIONS
from layerviz.runs import Run, layout
from layerviz.wording import at_epoch

CHUNK = 1 << 20
PACKED = (".json", ".csv", ".txt")  # the rest is numbers in binary, which hardly get smaller
MODEL_README = """\
{label}, fine-tuned on {data} by layerviz ({run_id}), as it was {moment}.

Unzip, then in Python:

    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    folder = "{folder}"
    model = AutoModelForSequenceClassification.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    inputs = tokenizer({texts}, truncation=True, max_length={max_length}, return_tensors="pt")
    print(model.config.id2label[int(model(**inputs).logits.argmax())])

Classes: {classes}
Data fingerprint: {fingerprint}
Versions: {versions}
"""


def zip_model(run: Run, to: Path | BinaryIO, on_progress: OnProgress = ignore) -> None:
    """Write the fine-tuned model as a zip: a folder for ``from_pretrained``, and how to load it.

    Parameters
    ----------
    run : Run
    to : Path or binary file
        Where to write; a path is replaced when the zip is whole.
    on_progress : callable
        Called with a `Progress` that counts bytes.

    Raises
    ------
    RunError
        If the run holds no model, or the file cannot be written.
    """
    files = sorted(path for path in run.layout.model.glob("*") if path.is_file())
    if not files:
        raise RunError(
            "This run holds no model yet.", "A model is stored when training ends or is stopped."
        )
    folder = f"{run.run_id}-model"
    readme = MODEL_README.format(
        label=run.encoder["label"],
        data=run.dataset["name"],
        moment=_moment_of_model(run),
        run_id=run.run_id,
        folder=folder,
        texts='["first text"], ["second text"]' if run.reads_pairs else '["your text"]',
        max_length=run.config.max_length,
        classes=", ".join(run.label_names),
        fingerprint=run.dataset["fingerprint"],
        versions=", ".join(f"{name} {number}" for name, number in run.versions.items()),
    )
    write_zip(
        to,
        {f"{folder}/{path.name}": path for path in files},
        {f"{folder}/README.txt": readme},
        on_progress,
    )


def _moment_of_model(run: Run) -> str:
    step, per_epoch = run.training.get("model_step"), run.training.get("steps_per_epoch")
    return at_epoch(step / per_epoch) if step is not None and per_epoch else "at the end"


def zip_run(
    run: Run,
    to: Path | BinaryIO,
    *,
    with_states: bool = True,
    on_progress: OnProgress = ignore,
) -> None:
    """Write a whole run as a zip that `unzip_run` opens elsewhere.

    Parameters
    ----------
    run : Run
        One that is not going on.
    to, on_progress
        As in `zip_model`.
    with_states : bool
        Whether hidden states are in it. Without them it is small, for reading with pandas, but
        layerviz does not open it: maps and nearest neighbours are made from them.

    Raises
    ------
    RunError
        If the run is going on, or the file cannot be written.
    """
    if run.live:
        raise RunError(
            "This run is still in progress.", "Wait until it has finished, or cancel it first."
        )
    files = {
        f"{run.run_id}/{name}": path
        for name, path in files_of(run).items()
        if with_states or path.name != layout.HIDDEN_STATES
    }
    write_zip(to, files, {}, on_progress)


def files_of(run: Run) -> dict[str, Path]:
    """Return the files of a run that go into its zip, by their names in its folder.

    Maps that are quick to draw are not among them: whoever opens the zip has them at once.
    """
    paths = {path.relative_to(run.path).as_posix(): path for path in sorted(run.path.rglob("*"))}
    return {
        name: path
        for name, path in paths.items()
        if layout.is_portable(name) and path.is_file() and not _is_quick_map(path)
    }


def _is_quick_map(path: Path) -> bool:
    if path.parent.name != layout.MAPS:
        return False
    projection = PROJECTIONS.get(layout.map_parts(path)[0])
    return projection is not None and not projection.stored


def write_zip(
    to: Path | BinaryIO,
    files: dict[str, Path],
    texts: dict[str, str],
    on_progress: OnProgress = ignore,
) -> None:
    """Write files and texts, by their names in it, as a zip.

    Parameters
    ----------
    to, on_progress
        As in `zip_model`.
    files : dict of str to Path
    texts : dict of str to str
    """
    total, done = sum(path.stat().st_size for path in files.values()), 0
    with contextlib.ExitStack() as stack:
        target = stack.enter_context(runs.replacing(to)) if isinstance(to, Path) else to
        archive = stack.enter_context(zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED))
        for name, text in texts.items():
            archive.writestr(name, text)
        for name, path in files.items():
            entry = zipfile.ZipInfo.from_file(path, name, strict_timestamps=False)
            packed = path.suffix in PACKED
            entry.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
            entry.file_size = path.stat().st_size  # decides whether 64 bits are needed
            with path.open("rb") as source, archive.open(entry, "w") as sink:
                while chunk := source.read(CHUNK):
                    sink.write(chunk)
                    done += len(chunk)
                    on_progress(Progress(PACKING, done, total))
