"""Which encoders there are, where they lie, and what is known of one before it is loaded."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path

from huggingface_hub import try_to_load_from_cache
from huggingface_hub.utils import validate_repo_id

from layerviz.encoders.below import model_folder
from layerviz.encoders.configs import brings_code, check_mask, known_config
from layerviz.encoders.folders import check_folder, count_saved, is_wanted
from layerviz.encoders.info import SOURCE_NOTES, EncoderInfo, family_label, max_positions
from layerviz.encoders.scratch import SCRATCH_SIZES, scratch_info
from layerviz.encoders.tokenizer_files import tokenizer_limit
from layerviz.encoders.weight_files import files_in
from layerviz.errors import EncoderError, did_you_mean
from layerviz.starters import STARTERS, starter_names
from layerviz.wording import quote

ALMOST_ALIKE = 0.8  # names of encoders: ids on the Hub resemble those of starters
HUB_POSITIONS = 512  # tokens that the encoders of the catalogue read that are on the Hub
_SCRATCH = "scratch-"


def _hub_info(
    name: str, label: str, family: str, layers: int, hidden_size: int, parameters: int
) -> EncoderInfo:
    note = SOURCE_NOTES["hub"]
    return EncoderInfo(name, label, family, "hub", layers, hidden_size, parameters, False, note)


_HUB = {
    info.name: info
    for info in (
        _hub_info(
            "google-bert/bert-base-uncased", "BERT base (uncased)", "BERT", 12, 768, 108_891_648
        ),
        _hub_info("FacebookAI/roberta-base", "RoBERTa base", "RoBERTa", 12, 768, 124_055_040),
        _hub_info(
            "distilbert/distilbert-base-uncased",
            "DistilBERT base (uncased)",
            "DistilBERT",
            6,
            768,
            66_362_880,
        ),
    )
}


def catalogue() -> list[EncoderInfo]:
    """Return what the page offers: bundled starters, scratch encoders, then three Hub ids."""
    scratch = [f"{_SCRATCH}{family}" for family in SCRATCH_SIZES]
    return [describe(name) for name in (*starter_names(STARTERS), *scratch, *_HUB)]


def describe(name: str) -> EncoderInfo:
    """Return what is known of ``name`` from this disk, without the network.

    Raises
    ------
    EncoderError
        If ``name`` is neither in the catalogue, nor an existing folder, nor a possible Hub id.
    """
    source, folder = locate(name)
    if source == "scratch":
        family = scratch_family(name)
        return scratch_info(family, SCRATCH_SIZES[family])
    info = _HUB.get(name) or EncoderInfo(
        name=name,
        label=_label(name, source),
        family="unknown",
        source=source,
        layers=None,
        hidden_size=None,
        parameters=None,
        on_disk=False,
        note=SOURCE_NOTES[source],
    )
    if folder is None:
        return info
    try:
        config = known_config(name, folder, is_local=source == "local")
        info = replace(
            info,
            family=family_label(config.model_type),
            layers=config.num_hidden_layers,
            hidden_size=config.hidden_size,
        )
        check_mask(name, config)
        check_folder(name, folder)
        if source == "local" and folder.name != Path(name).expanduser().name:
            info = replace(info, note=f"{info.note} The model is in {folder.name} below it.")
        if brings_code(name, folder):
            own = f"Its own code is not run: transformers has code for {info.family} models."
            info = replace(info, note=f"{info.note} {own}")
        return replace(info, parameters=count_saved(name, folder), on_disk=True)
    except EncoderError as error:
        # A Hub encoder of which a part is missing is simply downloaded; others must be repaired.
        return info if source == "hub" else replace(info, note=str(error))


def version(name: str) -> str:
    """Return 12 hexadecimal digits for the state of an encoder's files; "" if it has no folder.

    A starter's are taken from its contents, the same on all machines; those of a local folder,
    which may hold gigabytes, from the sizes and times of its files. Scratch encoders and Hub ids
    have none.
    """
    source, folder = locate(name)
    if source not in ("bundled", "local") or folder is None:
        return ""
    stats = {
        path.name: path.stat() if path.exists() else path.lstat()  # a link to nowhere
        for path in files_in(name, folder)
        if is_wanted(path.name)
    }
    state = tuple((file, stat.st_size, stat.st_mtime_ns) for file, stat in stats.items())
    if source == "bundled":
        return _content_version(folder, state)
    return hashlib.sha256(json.dumps(state).encode()).hexdigest()[:12]


@lru_cache(maxsize=16)
def _content_version(folder: Path, state: tuple[tuple[str, int, int], ...]) -> str:
    digest = hashlib.sha256()
    for file, *_ in state:
        digest.update(file.encode() + (folder / file).read_bytes())
    return digest.hexdigest()[:12]


def most_tokens(name: str) -> int | None:
    """Return the most tokens of a text, special ones included, that an encoder reads.

    None where there is no limit (scratch encoders are made for the length that is asked for), or
    where it is not known before the encoder is on this disk.
    """
    source, folder = locate(name)
    if source == "scratch":
        return None
    if folder is None:
        return HUB_POSITIONS if name in _HUB else None
    try:
        config = known_config(name, folder, is_local=source == "local")
    except EncoderError:
        return None  # loading says what is wrong with it
    return max_positions(config, tokenizer_limit(folder))


def label_of(name: str) -> str:
    """Return what people call an encoder, from its name alone: it may be gone, or no encoder.

    Of a path it is the last part, of an id on the Hub all of it.
    """
    if name in _HUB:
        return _HUB[name].label
    if name.startswith(_SCRATCH) and scratch_family(name) in SCRATCH_SIZES:
        family = scratch_family(name)
        return scratch_info(family, SCRATCH_SIZES[family]).label
    if name in starter_names(STARTERS):
        return _label(name, "bundled")
    is_path = name.startswith(("/", "~", ".")) or "\\" in name or name.count("/") > 1
    last_part = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    return last_part if is_path and last_part else name


def scratch_family(name: str) -> str:
    """Return the family of a scratch encoder."""
    return name.removeprefix(_SCRATCH)


def _label(name: str, source: str) -> str:
    family, dash, size = name.partition("-")
    if source == "bundled" and dash:
        return f"{family_label(family)} {size}"
    return Path(name).name if source == "local" else name


def locate(name: str) -> tuple[str, Path | None]:
    """Return the source of ``name`` and its folder, None for scratch and where this disk has none.

    Raises
    ------
    EncoderError
        If ``name`` cannot be the name of an encoder.
    """
    if re.fullmatch(rf"{_SCRATCH}\w*", name):
        if scratch_family(name) not in SCRATCH_SIZES:
            choices = ", ".join(f"{_SCRATCH}{family}" for family in SCRATCH_SIZES)
            hint = did_you_mean(name, choices.split(", "), f"Choose one of {choices}.")
            raise EncoderError(f"There is no encoder {name}.", hint)
        return "scratch", None
    if (
        re.fullmatch(r"[a-z0-9][\w.-]{0,99}", name, re.ASCII)
        and (STARTERS / name / "config.json").is_file()
    ):
        return "bundled", STARTERS / name
    try:
        if name and name not in _HUB and (folder := Path(name).expanduser()).is_dir():
            return "local", model_folder(folder)
        validate_repo_id(name)
    except (OSError, ValueError, RuntimeError) as error:  # an impossible path, or no Hub id
        raise EncoderError(
            f"{quote(name)} is neither an existing folder nor a Hub id.",
            did_you_mean(
                name,
                _folders_beside(name),
                "Enter an id such as google-bert/bert-base-uncased, or the path of a model's "
                "folder.",
            ),
        ) from error
    cached = try_to_load_from_cache(name, "config.json")
    return "hub", Path(cached).parent if isinstance(cached, str) else None


def refuse_misspelt(name: str) -> None:
    """Refuse what is almost the name of a starter or a scratch encoder.

    Ids on the Hub have an owner, but for a few old ones that are no more alike.
    """
    names = [*starter_names(STARTERS), *(f"{_SCRATCH}{family}" for family in SCRATCH_SIZES)]
    guess = "" if "/" in name or name in _HUB else did_you_mean(name, names, alike=ALMOST_ALIKE)
    if guess:
        raise EncoderError(
            f"There is no encoder {name} here.",
            f"{guess} For one on the Hugging Face Hub, type owner/name.",
        )


def alike(name: str) -> tuple[str, str]:
    """Return a starter of the family that a name speaks of, and the Hub id that it almost is.

    The id is "" where there is none of its family that is like it.

    Parameters
    ----------
    name : str
        Of an encoder that cannot be had.
    """
    last_part = name.rpartition("/")[2].casefold()
    starters = sorted(starter_names(STARTERS), key=len, reverse=True)
    usual = starters[-1] if starters else f"{_SCRATCH}bert"
    starter = next((one for one in starters if one.partition("-")[0] in last_part), usual)
    family = last_part.partition("-")[0]
    by_part = {one.rpartition("/")[2]: one for one in _HUB if one != name}
    ids = {part: one for part, one in by_part.items() if part.partition("-")[0] == family}
    closest = get_close_matches(last_part, ids, n=1)
    return starter, ids[closest[0]] if closest else ""


def _folders_beside(name: str) -> list[str]:
    """Return the folders among which a path that does not exist would be."""
    try:
        parent = Path(name).expanduser().parent
        return [str(path) for path in parent.iterdir() if path.is_dir()] if "/" in name else []
    except (OSError, ValueError, RuntimeError):
        return []
