"""A page for many: only looked at, or with runs of one's own after signing in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from made_runs import dataset_of, made
from pages import caption_text, error_text, open_page, read_aloud
from streamlit.testing.v1 import AppTest

from layerviz import runs
from layerviz.__main__ import main
from layerviz.config import RunConfig
from layerviz.errors import ConfigError, RunError
from layerviz.export.zip_reading import unzip_run
from layerviz.export.zip_writing import zip_run
from layerviz.jobs import Jobs
from layerviz.runs import ACCEPTED, LabelDecision, Run
from layerviz.ui.parts import signing_in
from layerviz.ui.parts.mending import OTHER_ENCODER

ALICE = {
    "is_logged_in": True,
    "iss": "https://id.example",
    "sub": "1",
    "email": "alice@example.org",
}
BOB = {"is_logged_in": True, "iss": "https://id.example", "sub": "2", "email": "bob@example.org"}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(runs.RUNS_VARIABLE, str(tmp_path / "runs"))
    return tmp_path / "runs"


@pytest.fixture
def run(root: Path) -> Run:
    return made(root, dataset_of("toy"), "one", {1: 0.5, 4: 2.0})


@pytest.fixture
def read_only(run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv(runs.READ_ONLY_VARIABLE, "1")
    return run


def keys(app: AppTest) -> set[str]:
    widgets = (*app.button, *app.selectbox, *app.text_input, *app.number_input, *app.radio)
    return {widget.key for widget in widgets if widget.key}


# --- only looked at -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "is_on"),
    [("1", True), ("true", True), ("yes", True), ("0", False), ("No", False), ("", False)],
)
def test_the_variable_switches_it_on(monkeypatch, value: str, is_on: bool) -> None:
    monkeypatch.setenv(runs.READ_ONLY_VARIABLE, value)
    assert runs.is_read_only() is is_on


CHANGES: dict[str, Callable[[Run], object]] = {
    "begin": lambda run: runs.create(
        run.path.parent, RunConfig("two", epochs=1), dataset_of("toy")
    ),
    "take": lambda run: runs.take(run.path),
    "rename": lambda run: runs.rename(run.path.parent, run.run_id, "Mine"),
    "delete": lambda run: runs.delete(run.path.parent, run.run_id),
    "delete what cannot be read": lambda run: runs.delete_unreadable(run.path.parent, "broken"),
    "decide": lambda run: runs.decide_on_labels(
        run.path, [LabelDecision("1", ACCEPTED, "class 1")]
    ),
    "take back": lambda run: runs.take_back_decisions(run.path, ["1"]),
    "keep a file": lambda run: runs.keep_table(run.path.parent, b"text,label\n", "a.csv"),
    "list a comparison": lambda run: runs.remember_comparison(run.path.parent, ["a", "b"]),
    "forget a comparison": lambda run: runs.forget_comparisons(run.path.parent, {("a", "b")}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_nothing_is_changed_whoever_asks(read_only: Run, change: str) -> None:
    (read_only.path.parent / "broken").mkdir()
    before = {file: file.read_bytes() for file in read_only.path.rglob("*") if file.is_file()}
    with pytest.raises(RunError, match="only looked at here: LAYERVIZ_READ_ONLY is set"):
        CHANGES[change](read_only)
    assert {file: file.read_bytes() for file in before} == before
    assert (read_only.path.parent / "broken").is_dir()
    assert not (read_only.path.parent / ".data").exists()


def test_commands_say_so_too(read_only: Run, tmp_path: Path, capsys) -> None:
    file = tmp_path / "data.csv"
    file.write_text(
        "text,label\n" + "".join(f"t{n},{n % 2}\n" for n in range(40)), encoding="utf-8"
    )
    assert main(["fit", "--data", str(file), "--encoder", "bert-mini", "--epochs", "1"]) == 2
    assert "Runs are only looked at here" in capsys.readouterr().err
    assert main(["list"]) == 0


def test_the_page_starts_with_all_runs_and_offers_only_to_look(read_only: Run) -> None:
    page = open_page()
    assert not page.exception
    assert not error_text(page)
    assert "Runs are only looked at here" in caption_text(page)
    assert "All runs" in [title.value for title in page.title]
    assert {"all_runs_open", "all_runs_compare", f"open-{read_only.run_id}"} <= keys(page)
    forbidden = {
        "fine_tune",
        "encoder",
        "all_runs_rename",
        "all_runs_delete",
        "open_zip",
        "new_run",
    }
    assert not forbidden & keys(page)


@pytest.mark.parametrize("tab", ["Maps", "Layers", "Examples", "Training", "Export", "Run"])
def test_a_run_is_shown_without_what_would_change_it(
    read_only: Run, monkeypatch: pytest.MonkeyPatch, tab: str
) -> None:
    forbidden = {"delete", "new_run", "label_undo", "label_accept", "train_relabelled", "push"}
    page = open_page(state={"tabs": tab}, run=read_only.run_id)
    assert not page.exception
    assert not error_text(page)
    assert "to_all_runs" in keys(page)
    assert not forbidden & keys(page)
    monkeypatch.delenv(runs.READ_ONLY_VARIABLE)
    expected = {"new_run"} | ({"delete"} if tab == "Run" else set())
    assert expected <= keys(open_page(state={"tabs": tab}, run=read_only.run_id))


def test_a_run_that_was_cancelled_is_not_continued(read_only: Run, monkeypatch) -> None:
    runs.update(read_only.path, status="cancelled")
    page = open_page(run=read_only.run_id)
    assert "Cancelled with 2 of" in read_aloud(info.value for info in page.info)
    assert "To continue this run" not in caption_text(page)
    monkeypatch.delenv(runs.READ_ONLY_VARIABLE)
    assert "To continue this run" in caption_text(open_page(run=read_only.run_id))


# --- signing in -----------------------------------------------------------------------------


@pytest.fixture
def login(root: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, Any]], None]:
    """Return what signs somebody in."""
    monkeypatch.setenv(signing_in.LOGIN_VARIABLE, "1")

    def sign_in(user: dict[str, Any]) -> None:
        monkeypatch.setattr(st, "user", user)

    sign_in({})
    return sign_in


def test_without_authlib_nobody_is_let_in(login, monkeypatch) -> None:
    monkeypatch.setattr(signing_in.importlib.util, "find_spec", lambda _: None)
    page = open_page()
    assert "pip install Authlib" in error_text(page)
    assert not keys(page)


def test_without_a_provider_nobody_is_let_in(login, monkeypatch) -> None:
    monkeypatch.setattr(signing_in.importlib.util, "find_spec", lambda _: object())
    monkeypatch.setattr(st, "secrets", {})
    page = open_page()
    assert "names nobody with whom people sign in" in error_text(page)
    assert not keys(page)


def test_people_are_asked_with_whom_they_sign_in(login, monkeypatch) -> None:
    monkeypatch.setattr(signing_in.importlib.util, "find_spec", lambda _: object())
    settings = {"cookie_secret": "s", "client_kwargs": {"prompt": "login"}}
    monkeypatch.setattr(st, "secrets", {"auth": {**settings, "lab": {"client_id": "c"}}})
    page = open_page()
    assert not page.exception
    assert [button.label for button in page.button] == ["Sign in with lab"]
    monkeypatch.setattr(st, "secrets", {"auth": {"client_id": "c"}})
    assert [button.label for button in open_page().button] == ["Sign in"]


@pytest.mark.parametrize("user", [{"is_logged_in": False}, {"is_logged_in": True}])
def test_who_has_not_signed_in_sees_no_run(run: Run, login, monkeypatch, user) -> None:
    monkeypatch.setattr(signing_in.importlib.util, "find_spec", lambda _: object())
    monkeypatch.setattr(st, "secrets", {"auth": {"client_id": "c"}})
    login(user)
    page = open_page(run=run.run_id)
    assert keys(page) == {"sign_in-"}
    with pytest.raises(ConfigError, match="not signed in"):
        signing_in.own_runs_folder()


def test_each_person_has_runs_of_their_own(root: Path, login) -> None:
    login(ALICE)
    of_alice = signing_in.own_runs_folder()
    run = made(of_alice, dataset_of("toy"), "one", {1: 0.5, 4: 2.0})
    page = open_page()
    assert f"open-{run.run_id}" in keys(page)
    assert "alice@example.org" in [text.value for text in page.text]
    login(BOB)
    page = open_page(run=run.run_id)
    assert f"open-{run.run_id}" not in keys(page)
    assert "There is no run" in error_text(page)
    assert of_alice != signing_in.own_runs_folder()
    assert not runs.list_runs(root)
    login({**ALICE, "email": "alice.b@example.org"})
    assert signing_in.own_runs_folder() == of_alice


def test_the_folder_of_a_person_is_told_by_issuer_and_subject(tmp_path: Path) -> None:
    folder = runs.folder_of_user(tmp_path, "https://a", "1", "Ann O'Neil <ann@a.org>/../x")
    assert folder.parent == tmp_path / ".users"
    assert folder.name.startswith("ann-o-neil-ann-a-org-x-")
    others = {
        runs.folder_of_user(tmp_path, issuer, subject, "Ann").name[-16:]
        for issuer, subject in (("https://a", "1"), ("https://b", "1"), ("https://a", "2"))
    }
    assert len(others) == 3
    assert runs.folder_of_user(tmp_path, "i", "s", "雪").name.startswith("user-")


def test_runs_of_others_are_no_encoders(root: Path, login, tmp_path: Path) -> None:
    login(ALICE)
    of_alice = signing_in.own_runs_folder()
    weights = made(of_alice, dataset_of("toy"), "one", {1: 0.5, 4: 2.0}).path / "model"
    login(BOB)
    own = signing_in.own_runs_folder()
    own.mkdir()
    for folder in (weights, f"{own}/../{of_alice.name}/x/model", root / ".users", root):
        with pytest.raises(RunError, match="not among your own runs"):
            runs.expect_not_of_others(str(folder), own)
    for encoder in (own / "run" / "model", "google/electra-small-discriminator", "~nobody/x", "\0"):
        runs.expect_not_of_others(str(encoder), own)
    runs.expect_not_of_others(str(weights), root)  # without accounts, all see all
    with pytest.raises(RunError, match="not among your own runs"):
        Jobs(own).fit(RunConfig(str(weights), epochs=1), dataset_of("toy"))
    page = open_page(encoder=OTHER_ENCODER, other_encoder=str(weights))
    assert "not among your own runs" in error_text(page)


def test_a_zip_does_not_bring_the_encoder_of_somebody_else(root: Path, login, tmp_path) -> None:
    login(ALICE)
    weights = signing_in.own_runs_folder() / "run" / "model"
    weights.mkdir(parents=True)
    run = made(tmp_path / "elsewhere", dataset_of("toy"), str(weights), {1: 0.5, 4: 2.0})
    zip_run(run, tmp_path / "run.zip")
    login(BOB)
    with pytest.raises(RunError, match="not among your own runs"):
        unzip_run(tmp_path / "run.zip", signing_in.own_runs_folder())
    assert not runs.list_runs(signing_in.own_runs_folder())
