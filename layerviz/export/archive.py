"""Runs and models as zip files, out and in; what comes in is checked before it is believed."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from layerviz import runs
from layerviz.config import check_run_id, run_id
from layerviz.errors import LayervizError, RunError
from layerviz.export.checking import check_contents, check_record
from layerviz.poolings import NAME
from layerviz.progress import PACKING, UNPACKING, OnProgress, Progress, ignore
from layerviz.runs import Run

MOST_BYTES = 10_000_000_000  # that a run may unpack to
MOST_RECORD_BYTES = 5_000_000
MOST_ENTRIES = 10_000
MOST_RATIO, RATIO_FROM = 200, 1_000_000  # of a file's size to its size in the zip; and from where
CHUNK = 1 << 20
PACKED = (".json", ".csv", ".txt")  # the rest is numbers in binary, which hardly get smaller
STATES = "hidden_states.safetensors"
# Everything of a run folder that goes elsewhere. What the Trainer needs to resume stays where it
# is, and labels.* are made anew where somebody asks for them.
LAYOUT = re.compile(
    r"run\.json|examples\.parquet|history\.csv|separability\.csv"
    r"|snapshots/\d{3,4}/(hidden_states\.safetensors|predictions\.parquet|probes\.safetensors)"
    rf"|maps/[a-z]{{1,10}}-{NAME}-\d{{2,3}}\.safetensors"
    rf"|mixes/\d{{3,4}}-{NAME}\.json"
    r"|(model|weights/\d{3,4})/[A-Za-z0-9_][A-Za-z0-9_.-]{0,80}\.(json|safetensors|txt|model)",
    re.ASCII,
)
# Of kinds that are read whole: a run's are far smaller, and memory is not.
MOST_OF_KIND = {".csv": 200_000_000, ".json": 60_000_000, ".txt": 60_000_000, ".model": 60_000_000}
ANOTHER_FILE = "Open a zip that layerviz made with 'Whole run', unchanged."
MODEL_README = """\
{label}, fine-tuned on {data} by layerviz ({run_id}).

Unzip, then in Python:

    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    folder = "{folder}"
    model = AutoModelForSequenceClassification.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    inputs = tokenizer(["your text"], truncation=True, max_length={max_length}, return_tensors="pt")
    print(model.config.id2label[int(model(**inputs).logits.argmax())])

Classes: {classes}
Data fingerprint: {fingerprint}
Versions: {versions}
"""


# --- out ------------------------------------------------------------------------------------


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
    files = sorted(path for path in (run.path / "model").glob("*") if path.is_file())
    if not files:
        raise RunError(
            "This run holds no model yet.", "A model is stored when training ends or is stopped."
        )
    folder = f"{run.run_id}-model"
    readme = MODEL_README.format(
        label=run.encoder["label"],
        data=run.dataset["name"],
        run_id=run.run_id,
        folder=folder,
        max_length=run.config.max_length,
        classes=", ".join(run.label_names),
        fingerprint=run.dataset["fingerprint"],
        versions=", ".join(f"{name} {number}" for name, number in run.versions.items()),
    )
    _write_zip(
        to,
        {f"{folder}/{path.name}": path for path in files},
        {f"{folder}/README.txt": readme},
        on_progress,
    )


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
        raise RunError("This run is still going on.", "Wait for its end, or cancel it first.")
    files = {
        f"{run.run_id}/{name}": path
        for name, path in files_of(run).items()
        if with_states or path.name != STATES
    }
    _write_zip(to, files, {}, on_progress)


def files_of(run: Run) -> dict[str, Path]:
    """Return the files of a run that go into its zip, by their names in its folder."""
    names = {path.relative_to(run.path).as_posix(): path for path in sorted(run.path.rglob("*"))}
    return {name: path for name, path in names.items() if LAYOUT.fullmatch(name) and path.is_file()}


def _write_zip(
    to: Path | BinaryIO,
    files: dict[str, Path],
    texts: dict[str, str],
    on_progress: OnProgress,
) -> None:
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


# --- in -------------------------------------------------------------------------------------


def unzip_run(
    stream: Path | BinaryIO,
    root: Path,
    *,
    max_bytes: int = MOST_BYTES,
    on_progress: OnProgress = ignore,
) -> Run:
    """Open a run that was zipped elsewhere.

    Names, sizes and the record are checked before anything is written, the contents in a
    temporary folder; only a run that is sound comes to stand beside the others.

    Parameters
    ----------
    stream : Path or binary file
        The zip.
    root : Path
        Folder of all runs.
    max_bytes : int
        Most bytes that it may unpack to.
    on_progress : callable
        Called with a `Progress` that counts bytes.

    Returns
    -------
    Run
        As it stands in `root`. One that claims to be going on elsewhere is cancelled here.

    Raises
    ------
    RunError
        If the zip is not a run, or not a sound one, or another run has its id.
    """
    with _opened(stream) as archive:
        entries = _checked_entries(archive, max_bytes)
        _check_room(root, sum(entry.file_size for entry in entries.values()))
        record = _record(archive, entries)
        target = root / record["run_id"]
        if target.exists():
            return _same_run(root, record, entries)
        with _damage_told(), runs.replacing(target) as folder:
            _extract(archive, entries, folder, on_progress)
            text = json.dumps(record, indent=2, ensure_ascii=False)
            (folder / "run.json").write_text(text, encoding="utf-8")
            check_contents(folder, runs.parse(target, record))
    return runs.read(root, record["run_id"])


@contextlib.contextmanager
def _opened(stream: Path | BinaryIO) -> Iterator[zipfile.ZipFile]:
    try:
        archive = zipfile.ZipFile(stream)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise RunError("This file is not a zip that can be read.", ANOTHER_FILE) from error
    with archive:
        yield archive


@contextlib.contextmanager
def _damage_told() -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise RunError(f"The zip is damaged ({error}).", "Copy or download it again.") from error


def _checked_entries(archive: zipfile.ZipFile, max_bytes: int) -> dict[str, zipfile.ZipInfo]:
    """Return the files of a zip under their names in a run folder, all known and plain."""
    infos = archive.infolist()
    if len(infos) > MOST_ENTRIES:
        raise RunError(f"The zip holds {len(infos):,} files, too many for a run.", ANOTHER_FILE)
    for info in infos:
        _check_plain(info)
    size = sum(info.file_size for info in infos)
    if size > max_bytes:
        raise RunError(
            f"The zip would unpack to {size / 1e9:,.1f} GB, more than the {max_bytes / 1e9:,.1f} "
            "GB that a run may take.",
            "Open a smaller run: capture fewer examples or snapshots.",
        )
    files = [info for info in infos if not info.is_dir()]
    top = _top_folder([info.filename for info in files])
    entries: dict[str, zipfile.ZipInfo] = {}
    for info in files:
        name = info.filename.removeprefix(top)
        if not LAYOUT.fullmatch(name):
            raise RunError(f"The zip holds {name[:80]!r}, which is no part of a run.", ANOTHER_FILE)
        if name in entries:
            raise RunError(f"The zip holds {name!r} twice.", ANOTHER_FILE)
        if info.file_size > MOST_OF_KIND.get(Path(name).suffix, max_bytes):
            raise RunError(f"{name!r} in the zip is larger than any of a run.", ANOTHER_FILE)
        entries[name] = info
    return entries


def _check_plain(info: zipfile.ZipInfo) -> None:
    """Refuse what could leave the folder, or is anything but a plain file or folder."""
    name = info.orig_filename  # as the zip has it: zipfile has mended the other
    parts = name.removesuffix("/").split("/")
    if (
        name != info.filename
        or "\\" in name
        or ":" in name
        or not name.isprintable()
        or any(part in ("", ".", "..") for part in parts)
    ):
        raise RunError(f"The zip holds the unsafe name {name[:80]!r}.", ANOTHER_FILE)
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFDIR if info.is_dir() else stat.S_IFREG):
        raise RunError(f"{name[:80]!r} in the zip is a link or no plain file.", ANOTHER_FILE)
    if info.flag_bits & 0x1:
        raise RunError("The zip is encrypted.", "Unpack it, and zip the run without a password.")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise RunError(f"{name[:80]!r} in the zip is packed in an unusual way.", ANOTHER_FILE)
    if info.file_size > max(RATIO_FROM, MOST_RATIO * info.compress_size):
        raise RunError(
            f"{name[:80]!r} in the zip would unpack to over {MOST_RATIO} times its size, as no "
            "file of a run does.",
            ANOTHER_FILE,
        )


def _top_folder(names: list[str]) -> str:
    """Return the folder, with a slash, in which the run lies within the zip, if any."""
    if "run.json" in names:
        return ""
    tops = {name.split("/")[0] for name in names}
    top = next(iter(tops)) if len(tops) == 1 else ""
    if f"{top}/run.json" not in names:
        raise RunError("The zip holds no run: there is no run.json in it.", ANOTHER_FILE)
    return f"{top}/"


def _check_room(root: Path, needed: int) -> None:
    there = next(folder for folder in (root, *root.parents) if folder.exists())
    free = shutil.disk_usage(there).free
    if needed > free:
        raise RunError(
            f"The run needs {needed / 1e9:,.1f} GB, and {free / 1e9:,.1f} GB are free.",
            "Delete runs that are no longer needed.",
        )


def _record(archive: zipfile.ZipFile, entries: dict[str, zipfile.ZipInfo]) -> dict[str, Any]:
    """Return the run's record, checked, as it is to stand here."""
    entry = entries["run.json"]
    if entry.file_size > MOST_RECORD_BYTES:
        raise RunError("run.json in the zip is too large to be one.", ANOTHER_FILE)
    try:
        with _damage_told(), archive.open(entry) as source:
            record = json.loads(source.read(MOST_RECORD_BYTES).decode("utf-8"))
        named = check_run_id(record["run_id"])
        if record["status"] in runs.LIVE:
            record["status"], record["reason"] = "cancelled", ""
        record["process"] = {"pid": 0, "created": 0.0}  # that of another machine
        check_record(runs.upgraded(record))
        run = runs.parse(Path(named), record)
        expected = run_id(run.config, run.dataset["name"], run.dataset["fingerprint"])
    except RunError:
        raise
    except (
        LayervizError,
        AttributeError,
        LookupError,
        TypeError,
        ValueError,
        RecursionError,
    ) as error:
        why = error.message if isinstance(error, LayervizError) else error
        raise RunError(f"run.json in the zip is no run's record ({why}).", ANOTHER_FILE) from error
    if named != expected:
        raise RunError(
            f"The run in the zip is named {named!r}, but its settings and data make {expected!r}.",
            ANOTHER_FILE,
        )
    return record


def _extract(
    archive: zipfile.ZipFile,
    entries: dict[str, zipfile.ZipInfo],
    folder: Path,
    on_progress: OnProgress,
) -> None:
    total, done = sum(entry.file_size for entry in entries.values()), 0
    for name, entry in entries.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        size = 0
        with archive.open(entry) as source, path.open("xb") as sink:
            while chunk := source.read(CHUNK):
                size += len(chunk)
                if size > entry.file_size:  # a header can say less than there is
                    raise RunError(f"{name!r} in the zip is larger than it says.", ANOTHER_FILE)
                sink.write(chunk)
                done += len(chunk)
                on_progress(Progress(UNPACKING, done, total))


def _same_run(root: Path, record: dict[str, Any], entries: dict[str, zipfile.ZipInfo]) -> Run:
    """Return the run that is there already, if the zip holds the same."""
    here = runs.read(root, record["run_id"])
    differ = here.created != runs.parse(here.path, record).created
    for name, entry in entries.items():
        if differ:
            break
        path = here.path / name
        # The record may differ in where the run was made; the maps, in how many there are.
        if name != "run.json" and path.exists():
            differ = path.stat().st_size != entry.file_size or _crc(path) != entry.CRC
        elif not path.exists() and not name.startswith(("maps/", "mixes/")):
            differ = True
    if differ:
        raise RunError(
            f"There is another run {here.run_id!r} here already: same settings and data, "
            "trained at another time.",
            "Delete the one that is here first, if you want that of the zip.",
        )
    return here


def _crc(path: Path) -> int:
    crc = 0
    with path.open("rb") as source:
        while chunk := source.read(CHUNK):
            crc = zlib.crc32(chunk, crc)
    return crc
