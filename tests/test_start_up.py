"""What commands import before they answer: no more than they need, which is what a start costs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.fast

ROOT = Path(__file__).resolve().parents[1]
MODELS = ("torch", "transformers", "sklearn", "scipy", "openTSNE", "umap", "streamlit", "altair")
TABLES = ("numpy", "pandas", "pyarrow")
RECORDS = ("pydantic", "layerviz.runs", "layerviz.data")


def imported(*words: str, among: tuple[str, ...]) -> list[str]:
    """Return which of some modules a command has imported when it has answered."""
    code = (
        "import sys\n"
        "from layerviz.commands import main\n"
        "try:\n"
        f"    status = main({list(words)})\n"
        "except SystemExit as ending:\n"
        "    status = ending.code\n"
        f"print(status, *(name for name in {among} if name in sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    status, *names = done.stderr.splitlines()[-1].split()
    assert status == "0", done.stderr
    return names


def test_the_list_of_commands_needs_none_of_them() -> None:
    heavy = (*MODELS, *TABLES, *RECORDS, "logging", "layerviz.config", "layerviz.commands.fit")
    assert imported("--help", among=heavy) == []


@pytest.mark.parametrize("command", ["report", "list"])
def test_help_needs_no_run(command: str) -> None:
    assert imported(command, "--help", among=(*MODELS, *TABLES, *RECORDS)) == []


def test_runs_are_listed_without_tables(tmp_path: Path) -> None:
    assert imported("list", "--runs", str(tmp_path), among=(*MODELS, *TABLES)) == []
