"""What must hold whatever happens does, in a few attempts of each ordeal; the bench makes all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from layerviz.__main__ import main
from layerviz.bench.torture import trials
from layerviz.bench.torture.ordeal import Attempt, Broken, Ordeal
from layerviz.bench.torture.ordeals import ORDEALS
from layerviz.bench.torture.processes import in_own_process, operations_of
from layerviz.errors import ConfigError


def say_nothing(line: str) -> None:
    """Take a line and drop it."""


@pytest.mark.parametrize("name", ORDEALS)
def test_an_ordeal_holds(name: str) -> None:
    result = trials.try_ordeal(ORDEALS[name], 0, None, say_nothing)
    if result["left_out"]:
        pytest.skip(result["left_out"])
    assert result["failed"] == []
    assert result["attempts"] > 0


def made_up(n: int, *broken: int) -> Ordeal:
    def attempts(seed: int, shared: Path) -> Iterator[Attempt]:
        for number in range(n):
            yield Attempt(f"number {number}", partial(work, number))

    def work(number: int, folder: Path) -> None:
        assert not list(folder.iterdir())
        if number in broken:
            raise Broken("it broke") if number % 2 else KeyError("x")

    return Ordeal("made_up", "nothing is done.", attempts)


def test_attempts_are_counted_and_failures_told() -> None:
    result = trials.measure([made_up(9, 3, 4)], print_line=say_nothing)
    (row,) = result["ordeals"]
    assert (row["attempts"], row["held"]) == (9, 7)
    assert [(one["attempt"], one["reason"]) for one in row["failed"]] == [
        ("number 3", "it broke"),
        ("number 4", "KeyError: 'x'"),
    ]
    assert trials.has_failed(result)
    assert "made_up, number 3: it broke" in trials.as_text(result)


def test_a_share_is_seeded_and_never_nothing() -> None:
    attempts = list(made_up(100).attempts(0, Path()))
    tenth = trials.chosen(attempts, 0.1, 3, seed=1)
    assert tenth == trials.chosen(attempts, 0.1, 3, seed=1) != trials.chosen(attempts, 0.1, 3, 2)
    assert len(tenth) == 10
    assert len(trials.chosen(attempts, 0.001, 3, 0)) == 1
    assert len(trials.chosen(attempts, None, 3, 0)) == 3


def test_what_cannot_be_tried_here_says_why() -> None:
    def attempts(seed: int, shared: Path) -> Iterator[Attempt]:
        raise ConfigError("There is no tape drive.", "Buy one.")
        yield

    ordeal = Ordeal("tape", "the tape tears.", attempts)
    result = trials.measure([ordeal], print_line=say_nothing)
    assert result["ordeals"][0]["left_out"] == "There is no tape drive. Buy one."
    assert not trials.has_failed(result)


def test_the_command_ends_with_1_if_anything_failed(capsys: pytest.CaptureFixture[str]) -> None:
    with ORDEALS.extended(made_up(2)):
        assert main(["bench", "torture", "--only", "made_up", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ordeals"][0]["held"] == 2
    with ORDEALS.extended(made_up(4, 1)):
        assert main(["bench", "torture", "--only", "made_up"]) == 1
    assert capsys.readouterr().out.endswith("1 failure in 4 attempts (seed 0, share 1).\n")
    assert main(["bench", "torture", "--share", "0"]) == 2
    assert main(["bench", "torture", "--only", "mad_up"]) == 2


def write_two(folder: Path) -> None:
    (folder / "one").write_text("1")
    (folder / "two").write_text("2")
    (folder / "one").rename(folder / "three")


def test_a_process_dies_before_any_of_its_file_operations(tmp_path: Path) -> None:
    operations = operations_of(write_two, tmp_path)
    assert [operation.split()[0] for operation in operations] == ["open", "open", "rename"]
    folder = tmp_path / "again"
    folder.mkdir()
    in_own_process(write_two, folder, die_at=2)
    assert sorted(path.name for path in folder.iterdir()) == ["one", "two"]
    with pytest.raises(Broken):
        in_own_process(write_two, folder / "none")
