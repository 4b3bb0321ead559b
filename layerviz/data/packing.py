"""Several files that are one data set, packed into one, which is read and kept like any other.

A data set of the Hugging Face Hub and a folder are packed into a zip archive that is the same
whenever its files are. A file beside them says where they come from.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from layerviz.data.joining import split_in

ORIGIN = "layerviz.json"  # of a packed data set: says what its files are
_BEGINNING = (1980, 1, 1, 0, 0, 0)  # of time, in zip archives


@dataclass(frozen=True)
class Origin:
    """Where the files of a packed data set come from, and what they do not say themselves.

    Parameters
    ----------
    source : str
        For people: "owner/name on the Hugging Face Hub, configuration default, commit 0123abc".
    splits : dict of str to str
        By file: what its rows belong to; empty where there is one split alone.
    class_names : dict of str to list of str
        Names of the classes by column, in the order of their numbers.
    left_out : tuple of str
        What else there is.
    """

    source: str
    splits: Mapping[str, str] = field(default_factory=dict)
    class_names: Mapping[str, Sequence[str]] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()


def pack(files: Iterable[tuple[str, bytes]], origin: Origin | None = None) -> bytes:
    """Return files as one archive; without an origin, their names say what they are."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        if origin is not None:
            about = json.dumps(vars(origin), ensure_ascii=False, sort_keys=True)
            archive.writestr(zipfile.ZipInfo(ORIGIN, _BEGINNING), about)
        for name, content in files:
            archive.writestr(zipfile.ZipInfo(name, _BEGINNING), content)
    return out.getvalue()


def parse_origin(content: bytes) -> Origin | None:
    """Return what `pack` wrote; None if it is something else of that name."""
    try:
        values = json.loads(content)
        splits, class_names = values["splits"], values["class_names"]
        texts = [values["source"], *values["left_out"], *splits, *splits.values()]
        texts += [name for names in class_names.values() for name in names]
        if not all(isinstance(text, str) for text in texts):
            return None
        return Origin(values["source"], splits, class_names, tuple(values["left_out"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def split_files(parts: Mapping[str, Sequence[str]]) -> tuple[dict[str, list[str]], tuple[str, ...]]:
    """Return the splits that are read, under the word for the split column, and the others.

    Parameters
    ----------
    parts : mapping of str to sequence of str
        Files by the name that the data set gives their split.

    Returns
    -------
    chosen : dict of str to list of str
        Files by split. Without train among the splits, all are chosen under their own names:
        people say what they mean.
    left_out : tuple of str
        Names of splits.
    """
    chosen: dict[str, list[str]] = {}
    left_out = []
    for part, files in parts.items():
        split = split_in(part)
        if split is None:
            left_out.append(part)
        else:
            chosen.setdefault(split, []).extend(files)
    if "train" not in chosen:
        return {part: list(files) for part, files in parts.items()}, ()
    return chosen, tuple(left_out)


def member_names(chosen: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str, str]]:
    """Yield file, split and name in the archive of what was chosen."""
    for split, files in chosen.items():
        for index, file in enumerate(files):
            name = file.rpartition("/")[2]
            endings = name[name.index(".") :] if "." in name else ""
            yield file, split, f"{split}-{index:05d}{endings}"
