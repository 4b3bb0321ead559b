"""Runs and zips from before still open, and what was measured of them is the same.

``earlier/`` holds them; its README says what they are and how they were made.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

from layerviz import encoders, exploring, runs
from layerviz.__main__ import main
from layerviz.export.recipe import recipe
from layerviz.export.zip_reading import unzip_run
from layerviz.runs import Run
from layerviz.runs.layout import ANSWERS

EARLIER = Path(__file__).parent / "earlier"
NAMES = ("bert", "roberta", "distilbert", "rival")
COMPARED = ("roberta", "rival")  # on the same data
FOLDERS = [folder.name for folder in sorted((EARLIER / "runs").iterdir())]

REPORTS = {
    "report.json": ("--json",),
    "report-cls.json": ("--pooling=cls", "--json"),
}
COMPARISONS = {
    "compare.json": ("--json",),
    "compare-cls.json": ("--pooling=cls", "--json"),
}
COORDINATES = {
    "pca.csv": ("--projection=pca", "--layers=2"),
    "lda.csv": ("--projection=lda", "--layers=1", "--pooling=cls"),
}
STORED_COORDINATES = {
    "tsne.csv": ("--projection=tsne", "--layers=1"),
    "umap.csv": ("--projection=umap", "--layers=1"),
}


@pytest.fixture(scope="module")
def unzipped(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """All runs as they come out of their zips."""
    root = tmp_path_factory.mktemp("unzipped")
    return {name: unzip_run(EARLIER / name / "run.zip", root) for name in NAMES}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """The runs that are kept as folders, copied; by their ids."""
    root = Path(shutil.copytree(EARLIER / "runs", tmp_path_factory.mktemp("copied") / "runs"))
    return {run_id: runs.open_folder(root / run_id) for run_id in FOLDERS}


def said(capsys: pytest.CaptureFixture[str], run: Run, command: str, *words: str) -> bytes:
    """Return what a command prints about runs beside `run`, wherever these lie."""
    capsys.readouterr()
    root = run.path.parent
    assert main([command, *words, f"--runs={root}"]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    return printed.out.replace(str(root), "RUNS").encode()


def exported(run: Run, kind: str, path: Path, *options: str) -> bytes:
    words = ["export", run.run_id, f"--{kind}={path}", *options, f"--runs={run.path.parent}"]
    assert main(words) == 0
    return path.read_bytes()


def named(name: str) -> str:
    """Return the id of a run: the folder inside its zip."""
    with zipfile.ZipFile(EARLIER / name / "run.zip") as archive:
        return archive.namelist()[0].split("/")[0]


def apart(table: bytes) -> tuple[list[list[str]], np.ndarray]:
    """Return a CSV of coordinates without x and y, cell by cell; and these, shape (n, 2)."""
    header, *rows = (line.split(",") for line in table.decode().splitlines())
    x, y = header.index("x"), header.index("y")
    words = [[*row[:x], *row[y + 1 :]] for row in (header, *rows)]
    return words, np.array([[float(row[x]), float(row[y])] for row in rows])


def sums(path: Path) -> dict[str, int]:
    with zipfile.ZipFile(path) as archive:
        return {entry.filename: entry.CRC for entry in archive.infolist()}


# --- from zips ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_zip_opens_as_the_run_it_was(unzipped: dict[str, Run], name: str) -> None:
    run = unzipped[name]
    assert (run.run_id, run.status) == (named(name), "done")
    assert run.encoder["family"].lower() == {"rival": "distilbert"}.get(name, name)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("file", REPORTS)
def test_a_report_rests_on_the_same_measures(
    unzipped: dict[str, Run], capsys: pytest.CaptureFixture[str], name: str, file: str
) -> None:
    run = unzipped[name]
    earlier = json.loads((EARLIER / name / file).read_text())
    now = json.loads(said(capsys, run, "report", run.run_id, *REPORTS[file]))
    for value in ("verdict", "n_cells", "p_chance"):  # no probe scores were stored then
        assert now[value] == earlier[value]
    assert now["auc"] is None
    if now["best"]["pooling"] == earlier["best"]["pooling"]:  # since then, picked from smoother
        assert now["cells"] == earlier["cells"]


@pytest.mark.parametrize("name", NAMES)
def test_a_report_in_words_can_be_made(
    unzipped: dict[str, Run], capsys: pytest.CaptureFixture[str], name: str
) -> None:
    run = unzipped[name]
    text = said(capsys, run, "report", run.run_id).decode()
    assert "Val macro-F1 of the linear probe" in text
    assert text.endswith("separability.csv\n")


@pytest.mark.parametrize("file", COMPARISONS)
def test_a_comparison_rests_on_the_same_runs(
    unzipped: dict[str, Run], capsys: pytest.CaptureFixture[str], file: str
) -> None:
    compared = [unzipped[name] for name in COMPARED]
    ids = [run.run_id for run in compared]
    earlier = json.loads((EARLIER / file).read_text())
    now = json.loads(said(capsys, compared[0], "compare", *ids, *COMPARISONS[file]))
    assert (now["verdict"], now["n_val"]) == (earlier["verdict"], earlier["n_val"])
    for one, other in zip(now["encoders"], earlier["encoders"], strict=True):
        for value in ("name", "runs", "layers", "seeds", "head", "parameters", "model_bytes"):
            assert one[value] == other[value]


@pytest.mark.parametrize("name", NAMES)
def test_measures_are_the_same(unzipped: dict[str, Run], tmp_path: Path, name: str) -> None:
    expected = (EARLIER / name / "measures.csv").read_bytes()
    assert exported(unzipped[name], "measures", tmp_path / "measures.csv") == expected


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("file", COORDINATES)
def test_coordinates_are_the_same(
    unzipped: dict[str, Run], tmp_path: Path, name: str, file: str
) -> None:
    got = exported(unzipped[name], "csv", tmp_path / file, *COORDINATES[file])
    expected = (EARLIER / name / file).read_bytes()
    (words, numbers), (known_words, known_numbers) = apart(got), apart(expected)
    assert words == known_words
    # Another processor's linear algebra may end in another last digit.
    np.testing.assert_allclose(numbers, known_numbers, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("file", STORED_COORDINATES)
def test_stored_maps_are_shown_and_not_drawn_again(
    unzipped: dict[str, Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    monkeypatch.setattr("layerviz.projection.of_run.draw", lambda *_, **__: pytest.fail("again"))
    got = exported(unzipped["bert"], "csv", tmp_path / file, *STORED_COORDINATES[file])
    assert got == (EARLIER / "bert" / file).read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_the_command_that_makes_it_again_is_the_same(unzipped: dict[str, Run], name: str) -> None:
    expected = (EARLIER / name / "recipe.txt").read_text(encoding="utf-8")
    expected = expected.replace("--keep-weights", "--keep all")  # the same, as it is said now
    expected = expected.replace("\n", " --batching random\n")  # as all runs were trained then
    assert recipe(unzipped[name]).command + "\n" == expected


@pytest.mark.parametrize("name", NAMES)
def test_zipped_again_it_holds_the_same_files(
    unzipped: dict[str, Run], tmp_path: Path, name: str
) -> None:
    exported(unzipped[name], "run-zip", tmp_path / "again.zip")
    before, after = sums(EARLIER / name / "run.zip"), sums(tmp_path / "again.zip")
    assert list(after) == list(before)
    changed = {file for file in before if before[file] != after[file]}
    assert changed == {f"{named(name)}/run.json"}  # which process made it is not known here


@pytest.mark.parametrize("name", NAMES)
def test_its_models_still_read_texts_as_they_did(unzipped: dict[str, Run], name: str) -> None:
    run = unzipped[name]
    models = runs.model_folders(run)
    kept = range(len(run.snapshots)) if run.config.keep == "all" else [len(run.snapshots) - 1]
    assert sorted(models) == list(kept)
    texts = runs.read_examples(run.path)["text"].tolist()[: exploring.MOST_TEXTS]
    for snapshot, folder in models.items():
        trained = encoders.load_trained(folder)
        read = exploring.read_texts(trained, texts, max_length=run.config.max_length)
        told = runs.read_predictions(run.path, snapshot)[: len(texts)]
        rows = np.arange(len(texts)), told["predicted"].to_numpy()
        np.testing.assert_allclose(read.probabilities[rows], told["confidence"], atol=1e-4)


# --- from folders ---------------------------------------------------------------------------


@pytest.mark.parametrize("run_id", FOLDERS)
@pytest.mark.parametrize("file", REPORTS)
def test_a_folder_is_reported_as_its_zip_is(
    folders: dict[str, Run],
    unzipped: dict[str, Run],
    capsys: pytest.CaptureFixture[str],
    run_id: str,
    file: str,
) -> None:
    run = folders[run_id]
    name = next(name for name in NAMES if named(name) == run_id)
    of_zip = said(capsys, unzipped[name], "report", run_id, *REPORTS[file])
    assert said(capsys, run, "report", str(run.path), *REPORTS[file]) == of_zip


@pytest.mark.parametrize("run_id", FOLDERS)
def test_a_folder_is_zipped_as_it_was(folders: dict[str, Run], tmp_path: Path, run_id: str) -> None:
    exported(folders[run_id], "run-zip", tmp_path / "again.zip")
    name = next(name for name in NAMES if named(name) == run_id)
    assert sums(tmp_path / "again.zip") == sums(EARLIER / name / "run.zip")


def test_a_stored_mix_and_ranking_of_labels_are_read(folders: dict[str, Run]) -> None:
    run = folders[named("bert")]
    newest = run.snapshots[-1].index
    stored = json.loads((run.path / "mixes" / f"{newest:03d}-mean.json").read_text())
    assert runs.read_mix(run.path, newest, "mean") == stored
    facts = json.loads((run.path / "labels.json").read_text())
    ranking = exploring.stored_suspicious_labels(run)
    assert ranking is not None
    assert (ranking.n_flagged, ranking.source) == (facts["n_flagged"], facts["source"])
    assert ranking.frame["rank"].tolist() == list(range(1, 61))
    assert int(ranking.frame["issue"].sum()) == ranking.n_flagged


@pytest.mark.parametrize("run_id", FOLDERS)
def test_its_probes_have_no_scores(folders: dict[str, Run], run_id: str) -> None:
    run = folders[run_id]
    for index in runs.measured_snapshots(run):
        assert set(runs.read_probes(run.path, index)) == set(run.poolings)
        assert runs.read_probe_scores(run.path, index) is None


@pytest.mark.parametrize("run_id", FOLDERS)
def test_reading_it_changed_nothing(folders: dict[str, Run], run_id: str) -> None:
    here, there = folders[run_id].path, EARLIER / "runs" / run_id
    contents = [
        {
            path.relative_to(root).as_posix(): path.read_bytes()
            for path in root.rglob("*.*")
            if path.parent.name != ANSWERS  # what is made of a run, and made anew elsewhere
        }
        for root in (here, there)
    ]
    assert contents[0] == contents[1]
