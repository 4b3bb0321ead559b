"""What the crowd of browsers found is counted and told, and a server's log is read for failures."""

from __future__ import annotations

from typing import Any

import pytest

from layerviz.__main__ import main
from layerviz.bench import crowd

pytestmark = pytest.mark.fast

QUIET: dict[str, Any] = {
    "browsers": 4,
    "minutes": 1.0,
    "acts": 90,
    "problems": [],
    "before_mb": 600,
    "after_mb": 850,
    "afterwards": [],
}


class Said:
    """A server that has said something."""

    def __init__(self, *lines: str) -> None:
        self.text = "\n".join(lines)

    def said(self) -> str:
        return self.text


def test_the_crowd_fails_by_problems_memory_or_what_came_after() -> None:
    assert not crowd.has_failed(QUIET)
    for name, value in (
        ("problems", ["reader 5 sees another's file"]),
        ("after_mb", 901),
        ("afterwards", ["the run does not go on"]),
    ):
        assert crowd.has_failed(QUIET | {name: value})
    text = crowd.as_text(QUIET | {"problems": ["reader 5 sees another's file"] * 2})
    assert "2 problems" in text
    assert text.count("reader 5 sees another's file") == 1
    assert "+250" in text


def test_tracebacks_in_the_log_are_problems_and_other_lines_are_not() -> None:
    fine = ("You can now view your Streamlit app", "run x: measured")
    assert crowd._of_log(Said(*fine)) == []  # type: ignore[arg-type]
    failed = Said(*fine, "Traceback (most recent call last):", "  File", "KeyError: 'x'", "later")
    (problem,) = crowd._of_log(failed)  # type: ignore[arg-type]
    assert "KeyError: 'x'" in problem


def test_too_few_browsers_are_refused(capsys) -> None:
    assert main(["bench", "crowd", "--browsers", "2"]) == 2
    assert "4 browsers or more" in capsys.readouterr().err
