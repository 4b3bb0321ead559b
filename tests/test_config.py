"""Settings are checked once, and a run is named after all of them."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

import pytest

from layerviz.config import RUN_ID_PATTERN, SETTINGS, RunConfig, check_run_id, run_id, slug
from layerviz.errors import ConfigError
from layerviz.settings import Choice, Number, Setting, Switch, Whole

pytestmark = pytest.mark.fast

FINGERPRINT = "0123456789abcdef"


def other_value(entry: Setting) -> Any:
    """Return a value of a setting that is not its default."""
    match entry.kind:
        case Switch():
            return True
        case Whole(low=low):
            return low if entry.default is None else entry.default + 1
        case Number(low=low, high=high):
            return (low + high) / 2
        case Choice(names=names):
            return names[-1]
        case kind:
            raise TypeError(kind)


OTHER_VALUES: dict[str, Any] = {
    "encoder": "scratch-roberta",
    "encoder_version": "0123456789ab",
    **{name: other_value(entry) for name, entry in SETTINGS.items()},
}


def config_with(name: str, value: Any) -> RunConfig:
    """Return a configuration in which one setting is chosen."""
    values: dict[str, Any] = {name: value}
    return RunConfig("scratch-bert", **values)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("epochs", 0, 100),
        ("batch_size", 1, 1024),
        ("max_length", 8, 8192),
        ("seed", 0, 2**32 - 1),
        ("snapshots_per_epoch", 1, 20),
        ("max_captured", 10, 20_000),
    ],
)
def test_whole_numbers_are_taken_within_their_range_only(name, low, high):
    for value in (low, high):
        assert getattr(config_with(name, value), name) == value
    refused = (low - 1, high + 1, 10**400, float(low), math.nan, True, str(low))
    for value in (*refused, *(() if SETTINGS[name].default is None else (None,))):
        with pytest.raises(ConfigError) as caught:
            config_with(name, value)
        assert name.replace("_", " ") in caught.value.message.lower()
        assert f"{low:,} to {high:,}" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [("learning_rate", 1e-8, 1.0), ("weight_decay", 0.0, 1.0), ("warmup_ratio", 0.0, 0.5)],
)
def test_fractions_are_taken_within_their_range_only(name, low, high):
    for value in (low, high):
        assert getattr(config_with(name, value), name) == value
    for value in (low - 1e-9, high + 1e-9, math.nan, math.inf, -math.inf):
        with pytest.raises(ConfigError):
            config_with(name, value)


@pytest.mark.parametrize("name", ["learning_rate", "weight_decay", "warmup_ratio"])
@pytest.mark.parametrize("value", ["0.1", True, [0.1]])
def test_fractions_that_are_not_numbers_are_a_user_error(name, value):
    with pytest.raises(ConfigError):
        config_with(name, value)


@pytest.mark.parametrize(
    ("name", "value", "choices"),
    [
        ("class_weighting", "Balanced", "none, balanced"),
        ("precision", "fp16", "auto, bf16, fp32"),
    ],
)
def test_a_refused_choice_names_the_possible_ones(name, value, choices):
    with pytest.raises(ConfigError) as caught:
        config_with(name, value)
    assert value in caught.value.message
    assert choices in caught.value.hint


@pytest.mark.parametrize("encoder", ["", "  \n", None, 7])
def test_an_encoder_must_be_named(encoder):
    with pytest.raises(ConfigError, match="encoder"):
        RunConfig(encoder)


def test_settings_cannot_change_after_the_check():
    with pytest.raises(dataclasses.FrozenInstanceError):
        RunConfig("scratch-bert").epochs = 0  # type: ignore[misc]


def test_settings_survive_json():
    others = OTHER_VALUES | {"keep_layers": None}  # a head that is kept belongs to all layers
    for config in (RunConfig("scratch-bert"), RunConfig(**others)):
        assert RunConfig.from_dict(json.loads(json.dumps(config.as_dict()))) == config


def test_settings_of_a_newer_version_are_named_and_refused():
    values = RunConfig("scratch-bert").as_dict() | {"lora_rank": 8, "adapters": True}
    with pytest.raises(ConfigError, match="adapters, lora_rank") as caught:
        RunConfig.from_dict(values)
    assert "update" in caught.value.hint


def test_settings_read_from_a_file_are_checked_too():
    with pytest.raises(ConfigError):
        RunConfig.from_dict(RunConfig("scratch-bert").as_dict() | {"epochs": -1})


# --- run ids --------------------------------------------------------------------------------


def test_the_same_work_has_the_same_id_in_every_session():
    config = RunConfig("google-bert/bert-base-uncased", seed=3)
    again = RunConfig.from_dict(config.as_dict())
    first = run_id(config, "my tweets.csv", FINGERPRINT)
    assert first == run_id(again, "my tweets.csv", FINGERPRINT)
    assert first.startswith("bert-base-uncased-my-tweets-csv-")
    # Pinned: a run made by an earlier session, or on another machine, must be found again.
    config = RunConfig("scratch-bert", epochs=5)
    assert run_id(config, "toy", FINGERPRINT) == "scratch-bert-toy-f1d34a4b"


def test_a_run_made_before_a_setting_keeps_what_it_did_and_its_id():
    record = RunConfig("scratch-bert", epochs=5).as_dict()
    del record["batching"]
    config = RunConfig.from_record(record)
    assert config == RunConfig("scratch-bert", epochs=5, batching="random")
    assert run_id(config, "toy", FINGERPRINT) == "scratch-bert-toy-3806cc0b"
    assert RunConfig.from_record(config.as_dict()) == config
    chosen = RunConfig("scratch-bert", batching="length").as_dict()
    assert RunConfig.from_record(chosen).batching == RunConfig("scratch-bert").batching == "length"


def test_every_setting_and_the_data_change_the_id():
    assert set(OTHER_VALUES) == {field.name for field in dataclasses.fields(RunConfig)}
    base = RunConfig("scratch-bert")
    ids = [run_id(base, "toy", FINGERPRINT), run_id(base, "toy", "f" * 16)]
    ids += [
        run_id(dataclasses.replace(base, **{name: value}), "toy", FINGERPRINT)
        for name, value in OTHER_VALUES.items()
    ]
    digests = {text.rsplit("-", 1)[1] for text in ids}
    assert len(digests) == len(OTHER_VALUES) + 2


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "..",
        "/",
        "\\\\server\\share\\",
        "C:\\Users\\me\\my model\\",
        "Ünïcödé 😀 データ",
        "😀",
        "-rf",
        "a" * 300,
        "x\ny\0z",
        ".hidden",
        "con.txt; rm -rf *",
        "",
        " ",
    ],
)
def test_ids_are_safe_folder_names_whatever_the_names_were(name):
    encoder = name if name.strip() else "scratch-bert"
    for text in (
        run_id(RunConfig(encoder), name, FINGERPRINT),
        run_id(RunConfig("scratch-bert"), name, FINGERPRINT),
        run_id(RunConfig(encoder), "toy", FINGERPRINT),
    ):
        assert check_run_id(text) == text
        assert RUN_ID_PATTERN.fullmatch(text)
        assert len(text) <= 100


@pytest.mark.parametrize(
    "text",
    [
        "../x",
        "a/b",
        "a\\b",
        "A",
        "",
        ".",
        "..",
        "a..b",
        ".hidden",
        "-x",
        "a b",
        "a\n",
        "a\0",
        "é",
        "/etc",
        "a" * 121,
    ],
)
def test_what_could_lead_out_of_the_runs_folder_is_no_run_id(text):
    with pytest.raises(ConfigError, match="not a run id") as caught:
        check_run_id(text)
    assert caught.value.hint
    assert len(caught.value.message) < 120


def test_ordinary_run_ids_are_taken():
    for text in ("a", "bert-mini-tweets-0123abcd", "a.b_c-d", "a" * 120):
        assert check_run_id(text) == text


def test_slugs_name_the_last_part_of_a_path():
    assert slug("google-bert/bert-base-uncased", 40) == "bert-base-uncased"
    assert slug("C:\\models\\My BERT v2\\", 40) == "my-bert-v2"
    assert slug("ab cd", 3) == "ab"
    assert slug("データ", 40) == "x"
