"""The names of controls that messages point to, where the command line has an option."""

from __future__ import annotations

from collections.abc import Iterable

from layerviz.config import SETTINGS

HEADER_LINE, HEADER_ROW = "Header line", "Header row"
COMBINED_LABELS = "Each combination of labels is a class"
SPLIT_COLUMN = "Split column"
_CONTROLS = {
    "--header-line": f"“{HEADER_LINE}” under “How the file is read”",
    "--combined-labels": f"“{COMBINED_LABELS}”, above",
    "--split-column": f"“{SPLIT_COLUMN}”",
    "--keep-missing-labels": "the switch above",
}


def controls_of(options: Iterable[str]) -> list[str]:
    """Return what on the page does the same as options of the command line.

    Those that have no control of their own, or one right beside the message, are left out.
    """
    named = []
    for option in options:
        known = next((words for start, words in _CONTROLS.items() if option.startswith(start)), "")
        named.append(known or _of_setting(option))
    return [words for words in dict.fromkeys(named) if words]


def _of_setting(option: str) -> str:
    name = option.split(" ")[0].removeprefix("--").replace("-", "_")
    entry = SETTINGS.get(name)
    return f"“{entry.widget.label}” in step 3" if entry is not None and entry.widget else ""
