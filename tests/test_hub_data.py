"""Data sets of a hub on 127.0.0.1, and folders that `datasets` saved."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hub import PARQUET_SHA, SHA
from huggingface_hub import constants
from pages import caption_text, error_text, markdown_text, open_page, run_until
from toy import toy_rows
from waiting import wait_until

from layerviz import data, runs
from layerviz.commands import inputs, main, parser
from layerviz.config import RunConfig
from layerviz.data import (
    Dataset,
    build_dataset,
    download_dataset,
    guess_columns,
    hub_data,
    pack_folder,
    parse_hub_name,
    read_table,
)
from layerviz.data.hub_data import HubName
from layerviz.errors import Cancelled, DataError
from layerviz.export import recipe
from layerviz.hub import interruptible
from layerviz.jobs import Jobs
from layerviz.progress import Progress

Hub = tuple[Path, list[str]]
NAMES = ["fruit", "river", "tool"]
FEATURES = {"text": {"dtype": "string", "_type": "Value"},
            "label": {"names": NAMES, "_type": "ClassLabel"}}  # fmt: skip
CARD_FEATURES = [
    {"name": "text", "dtype": "string"},
    {"name": "label", "dtype": {"class_label": {"names": dict(enumerate(NAMES))}}},
]
ROWS = toy_rows(60)
PARTS = {"train": ROWS[:40], "validation": ROWS[40:]}


def arrow(rows: list[tuple[str, str]], *, named: bool = True, label: int | None = None) -> pa.Table:
    labels = [NAMES.index(name) if label is None else label for _, name in rows]
    table = pa.table({"text": [text for text, _ in rows], "label": labels})
    about = json.dumps({"info": {"features": FEATURES}})
    return table.replace_schema_metadata({"huggingface": about}) if named else table


def write(path: Path, content: bytes | pa.Table | Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, pa.Table):
        out = io.BytesIO()
        if path.suffix == ".parquet":
            pq.write_table(content, out)
        else:
            with pa.ipc.new_stream(out, content.schema) as writer:
                writer.write_table(content)
        content = out.getvalue()
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())


def convert(
    root: Path,
    repository: str = "owner/toy",
    configuration: str = "default",
    *,
    named: bool = True,
    parts: Mapping[str, list[tuple[str, str]]] = PARTS,
) -> None:
    """Put a data set on the hub with what it made of it: two files a split."""
    write(root / "datasets" / repository / "README.md", b"# Toy")
    for part, rows in parts.items():
        folder = root / "parquet" / repository / configuration / part
        half = len(rows) // 2
        write(folder / "0000.parquet", arrow(rows[:half], named=named))
        write(folder / "0001.parquet", arrow(rows[half:], named=named))


def dataset_of(name: str, **options: Any) -> Dataset:
    table = read_table(download_dataset(parse_hub_name(name), **options), name)
    return build_dataset(table, guess_columns(table.frame))


def refused(name: str) -> DataError:
    with pytest.raises(DataError) as caught:
        download_dataset(parse_hub_name(name))
    assert caught.value.hint
    return caught.value


@pytest.fixture(scope="module")
def fingerprint() -> str:
    lines = [f'"{text}",{label},{part}' for part, rows in PARTS.items() for text, label in rows]
    table = read_table("\n".join(["text,label,split", *lines]).encode(), "a.csv")
    return build_dataset(table, guess_columns(table.frame)).fingerprint


@pytest.mark.parametrize(
    "text", ["hf:owner/toy", "owner/toy", " https://huggingface.co/datasets/owner/toy/"]
)
def test_a_name_may_be_written_in_several_ways(text: str) -> None:
    assert str(parse_hub_name(text)) == "hf:owner/toy"
    assert data.is_hub_name("hf:owner/toy")
    assert not data.is_hub_name("owner/toy.csv")


@pytest.mark.parametrize(
    "text", ["", "hf:", "a/b/c", "../x", "hf:owner/na me", "hf:o/..", "o/n:", "o/n:a/b"]
)
def test_what_is_no_name_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(DataError) as caught:
        parse_hub_name(text)
    assert "owner/name" in caught.value.hint


def test_splits_and_class_names_are_those_of_the_data_set(hub: Hub, fingerprint: str) -> None:
    root, requests = hub
    convert(root, parts={**PARTS, "unsupervised": ROWS[:4]})
    told: list[Progress] = []
    dataset = dataset_of("hf:owner/toy", on_progress=told.append)
    assert dataset.fingerprint == fingerprint
    assert dataset.label_names == tuple(NAMES)
    assert dataset.name == "toy"
    assert dataset.files == {"train": "hf:owner/toy"}
    assert len(dataset.split("val")) == 20
    notes = " ".join(dataset.notes)
    assert (
        f"owner/toy on the Hugging Face Hub, configuration default, commit {PARQUET_SHA}" in notes
    )
    assert "'unsupervised'" in notes
    assert notes.count("Took the class names of column 'label' from the data set") == 1
    assert "train (40 rows) from 'train-00000.parquet', 'train-00001.parquet'; val (20" in notes
    assert told[-1].done == told[-1].total > 0
    assert not any("unsupervised" in line for line in requests)
    before = download_dataset(parse_hub_name("hf:owner/toy"))
    assert download_dataset(parse_hub_name("hf:owner/toy")) == before, "the same bytes each time"
    assert constants.HF_HUB_DISABLE_XET is False


def test_class_names_may_be_in_the_card_alone(hub: Hub, fingerprint: str) -> None:
    convert(hub[0], named=False)
    write(hub[0] / "datasets" / "owner" / "toy" / "CARD.json",
          {"dataset_info": {"config_name": "default", "features": CARD_FEATURES}})  # fmt: skip
    assert dataset_of("hf:owner/toy").fingerprint == fingerprint


def test_rows_without_a_class_are_left_out_and_told(hub: Hub) -> None:
    convert(hub[0])
    write(hub[0] / "parquet/owner/toy/default/test/0000.parquet", arrow(ROWS[:5], label=-1))
    notes = " ".join(dataset_of("hf:owner/toy").notes)
    assert "5 rows without a class (-1)" in notes
    assert "5 rows of hf:owner/toy without a label" in notes


def test_a_configuration_is_asked_for_where_there_are_several(hub: Hub, fingerprint: str) -> None:
    for configuration in ("anger", "irony"):
        convert(hub[0], configuration=configuration)
    error = refused("hf:owner/toy")
    assert "'anger', 'irony'" in error.message
    assert "hf:owner/toy:anger" in error.hint
    assert "Did you mean irony?" in refused("hf:owner/toy:iron").hint
    for name in ("hf:owner/toy:irony", f"hf:owner/toy:irony@{PARQUET_SHA}"):
        dataset = dataset_of(name)
        assert dataset.fingerprint == fingerprint
        assert dataset.name == "toy-irony"
    assert "no revision 'older'" in refused("owner/toy:irony@older").message


def csv_of(rows: list[tuple[str, str]]) -> bytes:
    return ("text,label\n" + "\n".join(f'"{text}",{label}' for text, label in rows)).encode()


def test_tables_of_a_repository_are_read_where_nothing_was_converted(
    hub: Hub, fingerprint: str
) -> None:
    home = hub[0] / "datasets" / "owner" / "toy"
    write(home / "data" / "train.csv", csv_of(ROWS[:40]))
    write(home / "data" / "dev.csv", csv_of(ROWS[40:]))
    write(home / "README.md", b"# Toy")
    dataset = dataset_of("hf:owner/toy")
    assert dataset.fingerprint == fingerprint
    assert f"commit {SHA}" in " ".join(dataset.notes)
    files = [
        {"split": "train", "path": "data/tr*.csv"},
        {"split": "validation", "path": "**/dev.csv"},
    ]
    write(home / "CARD.json", {"configs": [{"config_name": "own", "data_files": files}]})
    assert dataset_of(f"hf:owner/toy:own@{SHA}").fingerprint == fingerprint
    write(home / "PINNED.json", {"configs": [{"config_name": "then", "data_files": files}]})
    assert dataset_of(f"hf:owner/toy:then@{SHA}").fingerprint == fingerprint


@pytest.mark.parametrize(
    ("files", "parts"),
    [
        (["train.ndjson", "test.ndjson"], {"train": ["train.ndjson"], "test": ["test.ndjson"]}),
        (["a/train/0.pq", "a/train/en/1.pq"], {"train": ["a/train/0.pq", "a/train/en/1.pq"]}),
        (["x.feather"], {"train": ["x.feather"]}),
        (["x.jsonlines.gz", "notes.txt"], {"train": ["x.jsonlines.gz"]}),
        (["x.xlsm", "vocab.json"], {"train": ["x.xlsm"]}),
        (["train.csv", "test.csv", "vocab.json"], {"train": ["train.csv"], "test": ["test.csv"]}),
    ],
)
def test_tables_of_all_formats_are_found(files: list[str], parts: dict[str, list[str]]) -> None:
    found = hub_data._in_repository(HubName("owner/toy"), dict.fromkeys(files, 1), {}, SHA)
    assert found.parts == parts


def test_a_configuration_is_a_whole_folder() -> None:
    sizes = {"danger/train.csv": 1, "anger/train.csv": 1}
    found = hub_data._in_repository(HubName("owner/toy", "anger"), sizes, {}, SHA)
    assert found.parts == {"train": ["anger/train.csv"]}


def test_two_downloads_at_once_leave_the_constants_as_they_were() -> None:
    before = constants.HF_HUB_DISABLE_XET, constants.DOWNLOAD_CHUNK_SIZE
    first, second = interruptible(), interruptible()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert constants.HF_HUB_DISABLE_XET is True
    second.__exit__(None, None, None)
    assert before == (constants.HF_HUB_DISABLE_XET, constants.DOWNLOAD_CHUNK_SIZE)


def test_what_the_hub_refuses_is_explained(hub: Hub) -> None:
    root, requests = hub
    assert (
        "There is no hf:owner/nothing on the Hugging Face Hub" in refused("owner/nothing").message
    )
    convert(root, "owner/gated")
    write(root / "datasets/owner/gated/GATED", b"")
    error = refused("owner/gated")
    assert "gated" in error.message
    assert "huggingface.co/datasets/owner/gated" in error.hint
    write(root / "datasets/owner/broken/BROKEN", b"")
    assert "status 503" in refused("owner/broken").message
    write(root / "datasets/owner/code/code.py", b"raise SystemExit")
    assert "code of its own, which is never run" in refused("owner/code").message
    write(root / "datasets/owner/pictures/a.png", b"\x89PNG")
    assert "no table" in refused("owner/pictures").message
    convert(root, "owner/toy")
    with pytest.raises(DataError, match="more than the"):
        download_dataset(parse_hub_name("owner/toy"), most_bytes=1000)
    assert not any(line.startswith("GET datasets") and "gated" not in line for line in requests)


def test_without_a_network_it_is_said_in_one_sentence(
    hub_cache: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = refused("hf:owner/toy")
    assert "cannot be reached" in error.message
    assert "give a file" in error.hint
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert "HF_HUB_OFFLINE" in refused("hf:owner/toy").message


def test_a_download_can_be_cancelled(hub: Hub) -> None:
    convert(hub[0])
    with pytest.raises(Cancelled):
        dataset_of("hf:owner/toy", should_stop=lambda: True)


# ---- folders


def save_to_disk(folder: Path, parts: Mapping[str, list[tuple[str, str]]]) -> Path:
    """Write what `datasets` writes."""
    if len(parts) > 1:
        write(folder / "dataset_dict.json", {"splits": list(parts)})
    for part, rows in parts.items():
        at = folder / part if len(parts) > 1 else folder
        write(at / "data-00000-of-00001.arrow", arrow(rows, named=len(parts) > 1))
        write(at / "state.json", {"_data_files": [{"filename": "data-00000-of-00001.arrow"}]})
        write(at / "dataset_info.json", {"features": FEATURES})
    return folder


def test_a_folder_that_datasets_saved_is_read(tmp_path: Path, fingerprint: str) -> None:
    table = read_table(pack_folder(save_to_disk(tmp_path / "saved", PARTS)), "saved")
    dataset = build_dataset(table, guess_columns(table.frame))
    assert dataset.fingerprint == fingerprint
    assert dataset.name == "saved"
    single = read_table(pack_folder(save_to_disk(tmp_path / "single", {"all": ROWS})), "single")
    assert list(single.frame.columns) == ["text", "label"]
    assert set(single.frame["label"]) == set(NAMES)


def test_a_folder_of_tables_is_read_by_their_names(tmp_path: Path, fingerprint: str) -> None:
    write(tmp_path / "train.csv", csv_of(ROWS[:40]))
    write(tmp_path / "valid.csv", csv_of(ROWS[40:]))
    table = read_table(pack_folder(tmp_path), "folder")
    assert build_dataset(table, guess_columns(table.frame)).fingerprint == fingerprint


def test_a_folder_that_leads_elsewhere_or_holds_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no data set"):
        pack_folder(tmp_path)
    folder = save_to_disk(tmp_path / "saved", {"all": ROWS})
    write(folder / "state.json", {"_data_files": [{"filename": "../../secret.arrow"}]})
    with pytest.raises(DataError, match="no whole data set"):
        pack_folder(folder)
    write(folder / "state.json", b"{")
    with pytest.raises(DataError, match="damaged"):
        pack_folder(folder)


# ---- on the command line


def test_a_run_of_a_hub_data_set_keeps_it_and_says_how_to_make_it_again(
    hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str], fingerprint: str
) -> None:
    convert(hub[0], configuration="irony")
    parsed = parser().parse_args(["fit", "--data=hf:owner/toy:irony"])
    files = inputs.read_files(parsed)
    dataset = inputs.read_dataset(parsed, files)
    run = runs.create(tmp_path / "runs", RunConfig(encoder="scratch-bert"), dataset)
    inputs.keep_files(files, tmp_path / "runs")
    kept = runs.read_kept_table(tmp_path / "runs", runs.table_key(run.contents["train"]))
    assert kept.name == "hf:owner/toy:irony"
    table = read_table(kept.content, kept.name)
    assert build_dataset(table, guess_columns(table.frame)).fingerprint == fingerprint
    assert "--data hf:owner/toy:irony --text-column text" in recipe.command(run)
    assert main(["fit", "--data=hf:owner/nothing"]) == 2
    assert "There is no hf:owner/nothing" in capsys.readouterr().err


def test_a_folder_can_be_given(tmp_path: Path) -> None:
    folder = save_to_disk(tmp_path / "saved", PARTS)
    dataset = inputs.read_dataset(parser().parse_args(["fit", f"--data={folder}"]))
    assert dataset.files == {"train": "saved"}


# ---- on the page


def test_a_hub_data_set_is_chosen_on_the_page_and_comes_back(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(runs.RUNS_VARIABLE, str(tmp_path / "runs"))
    convert(hub[0], configuration="irony")
    app = open_page(source="Hub")
    app.text_input(key="hub_name").set_value("../secret")
    app.button(key="hub_download").click().run()
    assert "is no data set of the Hugging Face Hub" in error_text(app)
    app.text_input(key="hub_name").set_value("owner/nothing")
    app.button(key="hub_download").click().run()
    run_until(app, lambda: "There is no hf:owner/nothing" in error_text(app))
    assert app.button(key="fine_tune").disabled
    app.text_input(key="hub_name").set_value("owner/toy:irony")
    app.button(key="hub_download").click().run()
    run_until(app, lambda: "60 rows, kept with the runs." in caption_text(app))
    assert "hf:owner/toy:irony" in markdown_text(app)
    assert f"commit {PARQUET_SHA}" in caption_text(app)
    assert not app.button(key="fine_tune").disabled
    again = open_page(train=app.query_params["train"])
    assert again.segmented_control(key="source").value == "Hub"
    assert not again.button(key="fine_tune").disabled
    again.button(key="remove_train").click().run()
    assert again.text_input(key="hub_name").value == ""
    assert "train" not in again.query_params


def test_a_download_of_the_page_can_be_cancelled(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    convert(hub[0])
    goes_on = threading.Event()
    jobs = Jobs(tmp_path / "runs")
    name = parse_hub_name("owner/toy")

    def wait(*args: object, **options: object) -> str:
        goes_on.wait(10)
        return str(hub[0] / "parquet/owner/toy/default/train/0000.parquet")

    monkeypatch.setattr("huggingface_hub.hf_hub_download", wait)
    assert jobs.download(name).live
    jobs.cancel_download(str(name))
    goes_on.set()

    def status() -> str:
        state = jobs.download_state(str(name))
        return "unknown" if state is None else state.status

    wait_until(lambda: status() not in runs.LIVE)
    assert status() == "cancelled"
    assert jobs.downloaded(str(name)) is None
