"""A run from a zip that was made elsewhere: checked before it is believed."""

from __future__ import annotations

import contextlib
import json
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from layerviz import runs
from layerviz.config import check_run_id, run_id
from layerviz.disks import free_bytes
from layerviz.errors import DiskFullError, LayervizError, RunError
from layerviz.export.checking import check_contents, check_record
from layerviz.progress import UNPACKING, OnProgress, Progress, ignore
from layerviz.runs import Run, layout
from layerviz.runs.layout import RECORD, Layout
from layerviz.wording import data_size, quote

MOST_BYTES = 10_000_000_000  # that a run may unpack to
MOST_RECORD_BYTES = 5_000_000
MOST_ENTRIES = 10_000
MOST_RATIO, RATIO_FROM = 200, 1_000_000  # of a file's size to its size in the zip; and from where
CHUNK = 1 << 20
# Of kinds that are read whole: a run's are far smaller, and memory is not.
MOST_OF_KIND = {".csv": 200_000_000, ".json": 60_000_000, ".txt": 60_000_000, ".model": 60_000_000}
ROOM_TO_IMPORT = "Free some space (delete runs that are no longer needed), then import it again."
ANOTHER_FILE = "Open a zip that layerviz made with 'Whole run', unchanged."


def unzip_run(
    stream: Path | BinaryIO,
    root: Path,
    *,
    max_bytes: int = MOST_BYTES,
    on_progress: OnProgress = ignore,
) -> Run:
    """Open a run that was zipped elsewhere.

    Names, sizes and the record are checked before anything is written, the contents in a
    temporary folder; only a sound run is added to the others.

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
        runs.expect_not_of_others(record["config"]["encoder"], root)
        target = root / record["run_id"]
        if target.exists():
            return _same_run(root, record, entries)
        runs.make_root(root)
        try:
            _unpack(archive, entries, record, target, on_progress)
        except _BegunMeanwhile:
            with contextlib.suppress(RunError):  # by somebody who imported the same zip
                return _same_run(root, record, entries)
            raise
    return runs.read(root, record["run_id"])


class _BegunMeanwhile(RunError):
    """A run came to be while a zip with its id was unpacked."""


def _unpack(
    archive: zipfile.ZipFile,
    entries: dict[str, zipfile.ZipInfo],
    record: dict[str, Any],
    target: Path,
    on_progress: OnProgress,
) -> None:
    # The run is held while it is put in its place, and not while it is unpacked.
    with (
        contextlib.ExitStack() as held,
        _damage_as_error(),
        runs.replacing(target, way_out=ROOM_TO_IMPORT) as folder,
    ):
        _extract(archive, entries, folder, on_progress)
        text = json.dumps(record, indent=2, ensure_ascii=False)
        Layout(folder).record.write_text(text, encoding="utf-8")
        check_contents(folder, runs.parse(target, record))
        held.enter_context(runs.taking(target, "Wait for it to finish, then import again."))
        if target.exists():
            raise _BegunMeanwhile(
                f"A run {quote(target.name)} was started here while the zip was being unpacked.",
                "Import the zip again once that run is done, or delete that run first.",
            )


@contextlib.contextmanager
def _opened(stream: Path | BinaryIO) -> Iterator[zipfile.ZipFile]:
    try:
        archive = zipfile.ZipFile(stream)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise RunError("This file is not a zip that can be read.", ANOTHER_FILE) from error
    with archive:
        yield archive


@contextlib.contextmanager
def _damage_as_error() -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise RunError(f"The zip is damaged ({error}).", "Copy or download it again.") from error


def _checked_entries(archive: zipfile.ZipFile, max_bytes: int) -> dict[str, zipfile.ZipInfo]:
    """Return the files of a zip under their names in a run folder, all of a run and plain."""
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
        if not layout.is_portable(name):
            raise RunError(f"The zip holds {quote(name)}, which is no part of a run.", ANOTHER_FILE)
        if name in entries:
            raise RunError(f"The zip holds {quote(name)} twice.", ANOTHER_FILE)
        if info.file_size > MOST_OF_KIND.get(Path(name).suffix, max_bytes):
            raise RunError(f"{quote(name)} in the zip is larger than any of a run.", ANOTHER_FILE)
        entries[name] = info
    return entries


def _check_plain(info: zipfile.ZipInfo) -> None:
    """Refuse what could leave the folder, or is anything but a plain file or folder."""
    name = info.orig_filename  # as the zip has it: zipfile cleans up the other
    parts = name.removesuffix("/").split("/")
    if (
        name != info.filename
        or "\\" in name
        or ":" in name
        or not name.isprintable()
        or any(part in ("", ".", "..") for part in parts)
    ):
        raise RunError(f"The zip holds the unsafe name {quote(name)}.", ANOTHER_FILE)
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFDIR if info.is_dir() else stat.S_IFREG):
        raise RunError(f"{quote(name)} in the zip is a link or no plain file.", ANOTHER_FILE)
    if info.flag_bits & 0x1:
        raise RunError("The zip is encrypted.", "Unpack it, and zip the run without a password.")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise RunError(f"{quote(name)} in the zip is packed in an unusual way.", ANOTHER_FILE)
    if info.file_size > max(RATIO_FROM, MOST_RATIO * info.compress_size):
        raise RunError(
            f"{quote(name)} in the zip would unpack to over {MOST_RATIO} times its size, as no "
            "file of a run does.",
            ANOTHER_FILE,
        )


def _top_folder(names: list[str]) -> str:
    """Return the folder, with a slash, in which the run lies within the zip, if any."""
    if RECORD in names:
        return ""
    tops = {name.split("/")[0] for name in names}
    top = next(iter(tops)) if len(tops) == 1 else ""
    if f"{top}/{RECORD}" not in names:
        raise RunError(f"The zip holds no run: there is no {RECORD} in it.", ANOTHER_FILE)
    return f"{top}/"


def _check_room(root: Path, needed: int) -> None:
    free = free_bytes(root)
    if free is not None and needed > free:
        raise DiskFullError(
            f"The run in the zip needs {data_size(needed)} of disk, "
            f"{data_size(needed - free)} more than is free.",
            ROOM_TO_IMPORT,
        )


def _record(archive: zipfile.ZipFile, entries: dict[str, zipfile.ZipInfo]) -> dict[str, Any]:
    """Return the run's record, checked, as it is to be stored here."""
    entry = entries[RECORD]
    if entry.file_size > MOST_RECORD_BYTES:
        raise RunError(f"{RECORD} in the zip is too large to be one.", ANOTHER_FILE)
    try:
        with _damage_as_error(), archive.open(entry) as source:
            record = runs.parse_record(source.read(MOST_RECORD_BYTES).decode("utf-8"))
        id_in_record = check_run_id(record["run_id"])
        if record["status"] in runs.LIVE:
            record["status"], record["reason"] = "cancelled", ""
        record["process"] = {"pid": 0, "created": 0.0}  # that of another machine
        check_record(runs.upgrade(record))
        run = runs.parse(Path(id_in_record), record)
        id_of_settings = run_id(run.config, run.dataset["name"], run.dataset["fingerprint"])
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
        raise RunError(
            f"{RECORD} in the zip is no run's record: it lacks or garbles an entry ({why}).",
            ANOTHER_FILE,
        ) from error
    if id_in_record != id_of_settings:
        raise RunError(
            f"The run in the zip is named {quote(id_in_record)}, but its settings and data make "
            f"{quote(id_of_settings)}.",
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
                    raise RunError(
                        f"{quote(name)} in the zip is larger than it says.", ANOTHER_FILE
                    )
                sink.write(chunk)
                done += len(chunk)
                on_progress(Progress(UNPACKING, done, total))


def _same_run(root: Path, record: dict[str, Any], entries: dict[str, zipfile.ZipInfo]) -> Run:
    """Return the run of this id that already exists, if the zip holds the same one."""
    existing = runs.read(root, record["run_id"])
    differ = existing.created != runs.parse(existing.path, record).created
    for name, entry in entries.items():
        if differ:
            break
        path = existing.path / name
        # The record may differ in where the run was made; maps, drawn when somebody looks, in how
        # many there are and in their last bits, which other machines round otherwise.
        if name == RECORD or layout.is_optional(name):
            continue
        differ = (
            not path.exists() or path.stat().st_size != entry.file_size or _crc(path) != entry.CRC
        )
    if differ:
        raise RunError(
            f"Another run {quote(existing.run_id)} already exists here: same settings and data, "
            "trained at another time.",
            "Delete it first if you want the one in the zip.",
        )
    return existing


def _crc(path: Path) -> int:
    crc = 0
    with path.open("rb") as source:
        while chunk := source.read(CHUNK):
            crc = zlib.crc32(chunk, crc)
    return crc
