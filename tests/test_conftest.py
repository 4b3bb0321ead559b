"""How the tests are run: what somebody looks at in one process, whole folders in several."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ONE_FILE = "tests/test_registry.py"
REST_IGNORED = "--ignore-glob=*/test_[!r]*"  # test_registry.py and few others are left


def run_pytest(*arguments: str) -> str:
    """Run pytest as a contributor does; return what it prints."""
    environment = {name: value for name, value in os.environ.items() if "XDIST" not in name}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", *arguments],
        cwd=ROOT, env=environment | {"PYTEST_XDIST_AUTO_NUM_WORKERS": "2"},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("arguments", "parallel"),
    [
        (ONE_FILE, False),
        (f"{ONE_FILE}::test_get_falls_back_as_a_mapping_does", False),
        (f"--pdb {ONE_FILE}", False),
        (f"-n 2 {ONE_FILE}", True),
        (f"-m fast {REST_IGNORED}", True),
        (f"-m fast {REST_IGNORED} --pdb", False),
        (f"-m fast {REST_IGNORED} -n 0", False),
    ],
)
def test_only_whole_folders_are_run_by_several_processes(arguments: str, parallel: bool) -> None:
    output = run_pytest(*arguments.split())
    assert " passed" in output
    assert ("2 workers" in output) == parallel


def test_the_fast_tests_are_found_without_reading_the_others() -> None:
    listed = run_pytest("-m", "fast", "--collect-only")
    assert "test_data.py" in listed
    assert "test_training.py" not in listed
    assert "deselected" not in listed
