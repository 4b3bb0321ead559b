"""Data sets of the Hugging Face Hub: found, downloaded and packed into one file.

The Hub keeps a Parquet version of most data sets, on a branch of its own, whatever they were
written in; it has the splits and the names of classes, and needs neither the `datasets` package nor
anybody's code. Where there is none, the tables in the repository are taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerviz.data.arrow_tables import ARROW, PARQUET
from layerviz.data.file_format import MOST_EXPANDED
from layerviz.data.formats import is_table_name, table_suffixes
from layerviz.data.json_records import LINES
from layerviz.data.naming import HUB_PREFIX
from layerviz.data.opening import PROSE, by_split_of_files
from layerviz.data.packing import Origin, member_names, pack, split_files
from layerviz.data.unpacking import without_compression
from layerviz.data.wording import quoted
from layerviz.errors import DataError, did_you_mean
from layerviz.progress import FETCHING, OnProgress, ShouldStop, ignore, never
from layerviz.wording import quote

if TYPE_CHECKING:
    from huggingface_hub.hf_api import DatasetInfo

PARQUET_BRANCH = "refs/convert/parquet"
DEFAULT = "default"  # the configuration of a data set that has one alone
_PART = r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}"
_NAME = re.compile(rf"(?P<repository>{_PART}/{_PART}|{_PART})(?::(?P<configuration>[^:/@\s]+))?"
                   r"(?:@(?P<revision>[A-Za-z0-9][A-Za-z0-9._/-]{0,99}))?")  # fmt: skip
_ADDRESS = re.compile(r"(https?://)?(www\.)?(huggingface\.co|hf\.co)/datasets/")
_CONVERTED = re.compile(r"(?P<configuration>[^/]+)/(partial-)?(?P<split>[^/]+)/\d+\.parquet")
# What a repository has beside its tables, or has several times over: tried in this order.
_KINDS = tuple(dict.fromkeys((*PARQUET.suffixes, *ARROW.suffixes, *LINES, *table_suffixes())))
_NO_DATA = {"dataset_infos.json", "dataset_info.json", "dataset_dict.json", "state.json"}


@dataclass(frozen=True)
class HubName:
    """Which data set.

    Parameters
    ----------
    repository : str
        "owner/name".
    configuration : str or None
        The only one, or the default, if None.
    revision : str or None
        A commit or a branch; the newest data if None.
    """

    repository: str
    configuration: str | None = None
    revision: str | None = None

    def __str__(self) -> str:
        configuration = f":{self.configuration}" if self.configuration else ""
        revision = f"@{self.revision}" if self.revision else ""
        return f"{HUB_PREFIX}{self.repository}{configuration}{revision}"


def is_hub_name(text: str) -> bool:
    """Return whether a text names a data set of the Hub and not a file."""
    return text.startswith(HUB_PREFIX)


def parse_hub_name(text: str) -> HubName:
    """Return which data set "hf:owner/name:configuration@commit" is, with or without "hf:".

    The address of its page on huggingface.co does as well.

    Raises
    ------
    DataError
        If it names none.
    """
    plain = _ADDRESS.sub("", text.strip().removeprefix(HUB_PREFIX)).strip("/ ")
    match = _NAME.fullmatch(plain)
    if match is None or ".." in plain:
        raise DataError(
            f"{quote(text.strip())} is no data set of the Hugging Face Hub.",
            "Write owner/name or owner/name:configuration, as in cardiffnlp/tweet_eval:irony.",
        )
    return HubName(match["repository"], match["configuration"], match["revision"])


@dataclass(frozen=True)
class Found:
    """The files of a data set that are to be downloaded.

    Parameters
    ----------
    configuration : str or None
    commit : str
    parts : dict of str to list of str
        Files by the name that the data set gives their split.
    """

    configuration: str | None
    commit: str
    parts: dict[str, list[str]]


def download_dataset(
    name: HubName,
    on_progress: OnProgress = ignore,
    should_stop: ShouldStop = never,
    most_bytes: int = MOST_EXPANDED,
) -> bytes:
    """Return a data set as one file, which `read_table` reads.

    What was downloaded stays in the Hugging Face cache, so that the next time is fast.

    Parameters
    ----------
    name : HubName
    on_progress : callable
        Called with a `Progress` that counts bytes.
    should_stop : callable
        Asked for each MiB; the download ends when it returns True.
    most_bytes : int
        What is larger is not downloaded.

    Raises
    ------
    DataError
        If there is no such data set or configuration, it cannot be read without code or is too
        large, access is not granted, or the Hub cannot be reached.
    Cancelled
        If ``should_stop`` returned True; files that came whole are kept.
    """
    from huggingface_hub import HfApi, errors, hf_hub_download

    from layerviz import hub

    repository = name.repository
    wanted = hub.Download(
        str(name), f"datasets/{repository}", "give a file", refused=DataError, failed=DataError
    )
    with hub.hub_errors(wanted), hub.interruptible():
        api = HfApi()
        info = api.dataset_info(repository, timeout=hub.HUB_TIMEOUT, files_metadata=True)
        try:
            source = api.dataset_info(
                repository,
                revision=name.revision or PARQUET_BRANCH,
                timeout=hub.HUB_TIMEOUT,
                files_metadata=True,
            )
        except errors.RevisionNotFoundError as error:
            if name.revision is not None:
                raise DataError(
                    f"{repository} has no revision {quote(name.revision)}.",
                    f"Leave it out: {replace(name, revision=None)}.",
                ) from error
            source = info
        sizes = _sizes(source)
        is_converted = any(map(_CONVERTED.fullmatch, sizes))
        of_card = source if name.revision and not is_converted else info  # a branch has no card
        card = of_card.card_data.to_dict() if of_card.card_data else {}
        if is_converted:
            found = _in_conversion(name, sizes, str(source.sha))
        else:
            source = source if name.revision else info
            sizes = _sizes(source)
            found = _in_repository(name, sizes, card, str(source.sha))
        chosen, left_out = split_files(found.parts)
        members = list(member_names(chosen))
        total = sum(sizes[file] for file, _, _ in members)
        if total > most_bytes:
            raise DataError(
                f"{name} is {total / 1e6:,.0f} MB, more than the {most_bytes / 1e6:,.0f} MB that "
                "are read.",
                "Choose a smaller configuration, or save a part of it as a file.",
            )
        bar = hub.DownloadBar(total, on_progress, should_stop, FETCHING)
        bar_factory: Any = bar  # called like the tqdm class that is expected
        files = []
        for file, _, member in members:
            path = hf_hub_download(
                repository,
                file,
                repo_type="dataset",
                revision=found.commit,
                etag_timeout=hub.HUB_TIMEOUT,
                tqdm_class=bar_factory,
            )
            bar.finish_file(sizes[file])
            files.append((member, Path(path).read_bytes()))
    of_which = f", configuration {found.configuration}" if found.configuration else ""
    origin = Origin(
        f"{repository} on the Hugging Face Hub{of_which}, commit {found.commit}",
        splits={member: split for _, split, member in members} if len(found.parts) > 1 else {},
        class_names=_class_names(card, found.configuration),
        left_out=left_out,
    )
    return pack(files, origin)


def _sizes(info: DatasetInfo) -> dict[str, int]:
    return {file.rfilename: file.size or 0 for file in info.siblings or []}


def _in_conversion(name: HubName, sizes: Mapping[str, int], commit: str) -> Found:
    """Find a configuration among the Parquet files that the Hub made."""
    by_configuration: dict[str, dict[str, list[str]]] = {}
    for file in sorted(sizes):
        if match := _CONVERTED.fullmatch(file):
            parts = by_configuration.setdefault(match["configuration"], {})
            parts.setdefault(match["split"], []).append(file)
    configuration = _choose(name, by_configuration)
    return Found(configuration, commit, by_configuration[configuration])


def _choose(name: HubName, configurations: Mapping[str, object]) -> str:
    """Return the configuration that is meant."""
    wanted = name.configuration
    if wanted in configurations:
        return str(wanted)
    listed = quoted(configurations, 20)
    if wanted is not None or not configurations:
        raise DataError(
            f"{name.repository} has no configuration {quote(wanted)}.",
            did_you_mean(wanted, configurations, f"It has {listed}."),
        )
    if len(configurations) == 1:
        return next(iter(configurations))
    if DEFAULT in configurations:
        return DEFAULT
    first = replace(name, configuration=next(iter(configurations)))
    raise DataError(
        f"{name.repository} has several configurations: {listed}.",
        f"Name one of them, as in {first}.",
    )


def _in_repository(
    name: HubName, sizes: Mapping[str, int], card: Mapping[str, Any], commit: str
) -> Found:
    """Find tables in the repository: those that its card names, else by their own names."""
    described = {
        str(entry.get("config_name", DEFAULT)): entry["data_files"]
        for entry in _entries(card, "configs")
        if entry.get("data_files")
    }
    configuration = name.configuration
    if described:
        configuration = _choose(name, described)
        parts = _described_parts(described[configuration], sizes)
    else:
        inside = f"/{name.configuration}/" if name.configuration else ""
        tables = [
            file for file in sorted(sizes)
            if is_table_name(file) and file not in _NO_DATA and (inside in f"/{file}" or not inside)
        ]  # fmt: skip
        if name.configuration and not tables:
            raise DataError(
                f"{name.repository} has no configuration {quote(name.configuration)}.",
                f"Leave it out: {replace(name, configuration=None)}.",
            )
        parts = _named_parts(tables)
    if not parts:
        needs_code = any(file.endswith(".py") for file in sizes)
        raise DataError(
            f"{name.repository} "
            + ("is read by code of its own, which is never run here."
               if needs_code else "holds no table that can be read."),
            "Load it elsewhere and save it as a file, such as CSV or Parquet.",
        )  # fmt: skip
    return Found(configuration, commit, parts)


def _described_parts(data_files: object, sizes: Mapping[str, int]) -> dict[str, list[str]]:
    """Return the files of a card's ``data_files``: patterns, perhaps by split."""
    entries: Iterable[Any] = data_files if isinstance(data_files, list) else [data_files]
    parts: dict[str, list[str]] = {}
    for entry in entries:
        split, paths = "train", entry
        if isinstance(entry, dict):
            split, paths = str(entry.get("split", "train")), entry.get("path", [])
        patterns = [str(path) for path in (paths if isinstance(paths, list) else [paths])]
        files = [
            file
            for file in sorted(sizes)
            if is_table_name(file) and any(_matches(file, pattern) for pattern in patterns)
        ]
        if files:
            parts.setdefault(split, []).extend(files)
    return parts


def _matches(file: str, pattern: str) -> bool:
    return fnmatch(file, pattern) or fnmatch(file, pattern.replace("**/", ""))


def _named_parts(tables: list[str]) -> dict[str, list[str]]:
    """Return the tables of one kind by split, from their names or those of their folders."""
    by_kind = {
        kind: [file for file in tables if without_compression(file).lower().endswith(kind)]
        for kind in _KINDS
    }
    for files in by_kind.values():
        parts: dict[str, list[str]] = {}
        for file, split in by_split_of_files(files, any_folder=True).items():
            parts.setdefault(split, []).append(file)
        if parts:
            return parts
    for kind in sorted(by_kind, key=lambda kind: kind in PROSE):  # stable
        if len(by_kind[kind]) == 1:
            return {"train": by_kind[kind]}
    return {}


def _entries(card: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """Return what a card lists under a key, where one entry needs no list."""
    value = card.get(key)
    entries = value if isinstance(value, list) else [value]
    return [entry for entry in entries if isinstance(entry, dict)]


def _class_names(card: Mapping[str, Any], configuration: str | None) -> dict[str, list[str]]:
    """Return the names of classes that a card lists, for files that do not say them."""
    entries = _entries(card, "dataset_info")
    of_it = [one for one in entries if one.get("config_name", DEFAULT) == configuration]
    named: dict[str, list[str]] = {}
    for entry in of_it or (entries if len(entries) == 1 else []):
        for feature in _entries(entry, "features"):
            kind = feature.get("dtype", feature.get("sequence", feature.get("list")))
            label = kind.get("class_label") if isinstance(kind, dict) else None
            names = label.get("names") if isinstance(label, dict) else None
            if isinstance(names, dict):  # by number, as str
                numbers = sorted(names, key=lambda number: int(number) if str(number).isdigit()
                                 else 0)  # fmt: skip
                names = [names[number] for number in numbers]
            if isinstance(names, list):
                named[str(feature.get("name"))] = [str(one) for one in names]
    return named
