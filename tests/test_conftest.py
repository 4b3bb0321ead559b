"""How the tests are run: what somebody looks at in one process, whole folders in several."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import threadpoolctl
from handing_out import turn_of, work_of

ROOT = Path(__file__).resolve().parents[1]
ONE_FILE = "tests/test_registry.py"
# Of a whole folder, test_registry.py is left.
REST_IGNORED = " ".join(f"--ignore-glob=*/test_{rest}*" for rest in ("[!r]", "r[!e]", "re[!g]"))


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


@pytest.mark.skipif(
    "PYTEST_XDIST_WORKER" not in os.environ, reason="one process may take all cores"
)
def test_processes_share_the_cores() -> None:
    share = max(1, (os.cpu_count() or 1) // int(os.environ["PYTEST_XDIST_WORKER_COUNT"]))
    assert np.zeros(1).size  # what counts its threads is loaded
    threads = {pool["num_threads"] for pool in threadpoolctl.threadpool_info()}
    assert max(threads) <= share


def test_files_that_drive_a_browser_come_first_and_are_one_process_s_work() -> None:
    files = ["tests/test_a.py", "tests/test_app.py", "tests/browser/test_page.py",
             "tests/browser/test_frame.py", "tests/test_b.py"]  # fmt: skip
    in_turn = sorted(files, key=lambda file: turn_of(Path(file)))
    work = [work_of(f"{file}::test_it[a/browser/b::c]") for file in in_turn]
    assert list(dict.fromkeys(work)) == [
        "tests/browser", "tests/test_app.py", "tests/test_a.py", "tests/test_b.py"
    ]  # fmt: skip


def test_the_fast_tests_are_found_without_reading_the_others() -> None:
    listed = run_pytest("-m", "fast", "--collect-only")
    assert "test_data.py" in listed
    assert "test_training.py" not in listed
    assert "deselected" not in listed
