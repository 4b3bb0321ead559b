"""What ``run.json`` may hold: the kind and bounds of each entry, said once, checked at the door.

Records of earlier formats are upgraded first. Entries that are not named here are kept as they are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from layerviz.config import MOST_ENCODER_LETTERS, SPLITS, TRAIN_AND_VAL, RunConfig
from layerviz.data import RowChoices, reading_of
from layerviz.poolings import RESERVED
from layerviz.registry import NAME_PATTERN
from layerviz.wording import quote

MOST_RECORD_BYTES = 50_000_000
MOST_LAYERS, MOST_SNAPSHOTS, MOST_CLASSES = 200, 10_000, 100_000
LARGEST = 10**12  # of numbers that count something; none comes near
MOST_SHOWN = 80  # letters of where an error is

Text = Annotated[str, Field(max_length=1_000)]
LongText = Annotated[str, Field(max_length=100_000)]
Label = Annotated[str, Field(max_length=1_000_000)]
PoolingName = Annotated[str, Field(pattern=f"^{NAME_PATTERN}$")]
Count = Annotated[int, Field(ge=0, le=LARGEST)]
Step = Annotated[str, Field(pattern="^[0-9]{1,12}$")]  # as a key
AtLeastOne = Annotated[int, Field(ge=1, le=LARGEST)]
Amount = Annotated[float, Field(ge=0, le=LARGEST)]
Split = Literal[SPLITS]  # type: ignore[valid-type]


class GarbledError(ValueError):
    """An entry of a record is missing, of the wrong kind or out of bounds; it says which."""


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="allow", allow_inf_nan=False)


class _Columns(_Part):
    model_config = ConfigDict(strict=True, extra="forbid")
    text: LongText
    label: LongText
    split: LongText | None = None
    text_pair: LongText | None = None


def _counts_of_splits(counts: Mapping[str, object]) -> Mapping[str, object]:
    if missing := [split for split in TRAIN_AND_VAL if split not in counts]:
        raise ValueError(f"lacks {missing[0]}")
    return counts


class _Dataset(_Part):
    name: Text
    fingerprint: Annotated[str, Field(min_length=1, max_length=200)]
    files: dict[Split, LongText]
    contents: dict[Split, Text] = {}
    columns: _Columns
    id_column: LongText | None = None
    val_fraction: Annotated[float, Field(ge=0, le=1)] | None = None
    counts: Annotated[dict[Split, dict[Label, Count]], AfterValidator(_counts_of_splits)]
    notes: Annotated[list[Label], Field(max_length=10_000)]


class _Encoder(_Part):
    label: Text
    family: Text
    layers: Annotated[int, Field(ge=1, le=MOST_LAYERS)]
    hidden_size: Annotated[int, Field(ge=1, le=1_000_000)]
    parameters: Count


class _EarlyStop(_Part):
    model_config = ConfigDict(strict=True, extra="forbid")
    epoch: Count
    epochs: Count
    patience: Count
    step: Count


class _Pace(_Part):
    model: Count | None = None
    device: Text | None = None
    cores: Count | None = None
    step: Amount | None = None
    capture: Amount | None = None
    measure: Amount | None = None


class _Training(_Part):  # little by little
    total_steps: Count = 0
    steps_per_epoch: AtLeastOne = 1
    n_snapshots: Annotated[int, Field(ge=1, le=MOST_SNAPSHOTS)] = 1
    learning_rate: Amount = 0.0
    precision: Text = ""
    device: Text = ""
    world_size: AtLeastOne = 1
    devices: dict[Text, AtLeastOne] = {}
    nodes: AtLeastOne = 1
    timed_steps: Count = 0
    train_seconds: Amount = 0.0
    trained_parameters: Count = 0
    model_step: Count = 0
    stopped_early: _EarlyStop | None = None
    pace: _Pace = _Pace()
    n_truncated: dict[Split, Count] = {}
    not_measured: dict[Text, LongText] = {}
    not_captured: dict[Step, LongText] = {}
    snapshot_steps: Annotated[list[Count], Field(max_length=MOST_SNAPSHOTS)] = []
    passed_over: LongText = ""
    fell_back: LongText = ""
    diverged: bool = False


class _Snapshot(_Part):
    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
    index: Annotated[int, Field(ge=0, lt=MOST_SNAPSHOTS)]
    step: Count
    epoch: Amount


def _in_order(snapshots: list[_Snapshot]) -> list[_Snapshot]:
    indices = [snapshot.index for snapshot in snapshots]
    if indices != sorted(set(indices)):
        raise ValueError("are not in order, or one comes twice")
    return snapshots


def _distinct(names: list[str]) -> list[str]:
    if len(set(names)) < len(names):
        raise ValueError("holds a name twice")
    return names


def _free(names: list[str]) -> list[str]:
    if reserved := set(RESERVED) & set(names):
        raise ValueError(f"holds {min(reserved)}, which is no pooling")
    return names


def _moment(text: str) -> str:
    year = int(moment_of(text)[:4])
    if not 1900 <= year <= 9000:
        raise ValueError(f"is of the year {year}")
    return text


class _Process(_Part):
    pid: Annotated[int, Field(ge=0, lt=2**31)]
    created: Amount
    host: Text = ""


class _Config(_Part):
    encoder: Annotated[str, Field(min_length=1, max_length=MOST_ENCODER_LETTERS)]
    encoder_version: Text = ""


class _Nothing(_Part):
    """What is known of an encoder before it is loaded."""

    model_config = ConfigDict(extra="forbid")


class _Record(_Part):
    layerviz: Text
    created: Annotated[Text, AfterValidator(_moment)]
    status: Literal["queued", "running", "done", "cancelled", "failed"]
    reason: LongText
    process: _Process | None = None
    config: _Config
    label_names: Annotated[
        list[Label], Field(min_length=2, max_length=MOST_CLASSES), AfterValidator(_distinct)
    ]
    poolings: Annotated[
        list[PoolingName],
        Field(min_length=1, max_length=50),
        AfterValidator(_distinct),
        AfterValidator(_free),
    ]
    dataset: _Dataset
    encoder: _Encoder | _Nothing
    training: _Training | _Nothing
    snapshots: Annotated[
        list[_Snapshot], Field(max_length=MOST_SNAPSHOTS), AfterValidator(_in_order)
    ]
    versions: dict[Text, Text]
    recurs: bool = False
    title: Annotated[str, Field(max_length=120)] = ""


def moment_of(text: str) -> str:
    """Return an ISO 8601 time with its zone: what says nothing of it was written in UTC."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat()


def parse_record(text: str) -> dict[str, Any]:
    """Return the entries that the text of a ``run.json`` holds, of whatever format.

    Raises
    ------
    GarbledError
        If it is no JSON, names an entry twice, or holds what is no text or no number.
    """
    text = text.removeprefix("\N{BYTE ORDER MARK}")
    try:
        values = json.loads(text, object_pairs_hook=_once_each, parse_constant=_no_number)
    except RecursionError as error:
        raise GarbledError("it is nested too deeply") from error
    except GarbledError:
        raise
    except ValueError as error:
        raise GarbledError(str(error)) from error
    if not isinstance(values, dict):
        raise GarbledError("it holds no entries")
    if "\\ud" in text.casefold():  # what stands for half a letter, if its other half is missing
        try:
            expect_whole_letters(values)
        except UnicodeEncodeError as error:
            raise GarbledError("it holds half a letter, which is no text") from error
    return values


def expect_whole_letters(values: object) -> None:
    """Raise a UnicodeEncodeError where a text in values of JSON holds half a letter.

    JSON can write half of a surrogate pair, which is no text and cannot be stored again.
    """
    json.dumps(values, ensure_ascii=False).encode("utf-8")


def check_record(values: Mapping[str, Any]) -> RunConfig:
    """Check the entries of a record, in today's format.

    Returns
    -------
    RunConfig
        The settings in it.

    Raises
    ------
    GarbledError
        Which names the first entry that is missing, of the wrong kind or out of bounds.
    LayervizError
        If the settings or choices in it are none.
    """
    try:
        _Record.model_validate(values)
    except ValidationError as error:
        raise GarbledError(_first_of(error)) from error
    dataset = values["dataset"]
    RowChoices.from_dict(dataset.get("row_choices", {}))  # raises where they are garbled
    reading_of(dataset)  # as well
    return RunConfig.from_record(values["config"])


def check_is_whole(values: Mapping[str, Any]) -> None:
    """Check that a record with a snapshot, in today's format, says what pages show of one.

    Raises
    ------
    GarbledError
        Which names the first entry that is missing.
    """
    needed = {"encoder": ("layers",), "training": ("total_steps", "steps_per_epoch", "n_snapshots")}
    for part, names in needed.items():
        for name in names:
            if name not in values[part]:
                raise GarbledError(f"{part}.{name} is missing")


def _first_of(error: ValidationError) -> str:
    """Say where the first error is, and what it is."""
    errors = error.errors(include_url=False, include_input=False)
    # Of the two things that an entry may be, what it should be is told, not what it is before.
    first = next((one for one in errors if "_Nothing" not in one["loc"]), errors[0])
    names = [str(part) for part in first["loc"] if not str(part).startswith("_")]
    where = ".".join(names)[:MOST_SHOWN]
    if first["type"] == "missing":
        return f"{where} is missing"
    what = first["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return f"{where} {what}"[: 3 * MOST_SHOWN]


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in values if names.count(name) > 1)
        raise GarbledError(f"{quote(twice)} comes twice")
    return values


def _no_number(name: str) -> float:
    raise GarbledError(f"{name} is no number")
