"""What the specification of a chart says, read from its structure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import pandas as pd

Spec = dict[str, Any]

# Texts of users that Vega-Lite or a browser would run, were they taken for more than data.
ATTACKS = ("<script>alert(1)</script>", "{{x}}", "datum.x", '"); alert(1); ("')


def parameter(spec: Spec, name: str) -> dict[str, Any]:
    """Return a parameter (a selection, a slider, an expression) by its name."""
    return {one["name"]: one for one in spec["params"]}[name]


def has_parameter(spec: Spec, name: str) -> bool:
    return any(one["name"] == name for one in spec.get("params", []))


def names_in(expression: str) -> set[str]:
    """Return the names that a Vega expression reads, without its texts and objects' fields."""
    code = re.sub(r"'[^']*'|\"[^\"]*\"", "''", expression)
    return set(re.findall(r"(?<![\w.$])[A-Za-z_$][\w$]*", code))


def rows_of(spec: Spec, part: dict[str, Any] | None = None) -> pd.DataFrame:
    """Return the data of a chart, or of one of its layers."""
    return pd.DataFrame(spec["datasets"][(part or spec)["data"]["name"]])


def values_in_data(spec: Spec) -> set[object]:
    """Return every value of every data set."""
    return {value for rows in spec["datasets"].values() for row in rows for value in row.values()}


def without_data(spec: Spec) -> str:
    """Return a specification as text, its data taken out and its data sets called by number.

    Their names follow their content, and whoever sends the data beside the specification, as
    Streamlit does, leaves the names in it.
    """
    numbers: dict[str, int] = {}

    def plain(part: Any, key: str = "") -> Any:
        if isinstance(part, list):
            return [plain(item) for item in part]
        if not isinstance(part, dict):
            return part
        if key == "data" and set(part) == {"name"}:
            return numbers.setdefault(part["name"], len(numbers))
        return {name: plain(item, name) for name, item in part.items() if name != "datasets"}

    return json.dumps(plain(spec), sort_keys=True)


def strings(part: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield every string of a specification with the keys on the way to it."""
    if isinstance(part, str):
        yield path, part
    elif isinstance(part, dict):
        for key, item in part.items():
            yield (*path, "<key>"), key
            yield from strings(item, (*path, key))
    elif isinstance(part, list):
        for item in part:
            yield from strings(item, path)


def strings_outside_data(spec: Spec) -> set[str]:
    return {text for path, text in strings(spec) if path[0] != "datasets"}


def is_literal(path: tuple[str, ...]) -> bool:
    """Whether Vega-Lite takes the strings at this place as values, never as expressions."""
    return (
        path[0] == "datasets"
        or path[-2:] == ("params", "value")
        or path[-2:] == ("scale", "domain")
        or path[-1] == "sort"
    )


def check_text_is_inert(spec: Spec) -> None:
    """Check that all `ATTACKS` are drawn, and none where Vega-Lite would run it."""
    attacks = [(path, text) for path, text in strings(spec) if any(a in text for a in ATTACKS)]
    assert {text for _, text in attacks} >= set(ATTACKS)
    assert [path for path, _ in attacks if not is_literal(path)] == []


def tags_in_svg(svg: bytes) -> set[str]:
    """Return the names of the elements of a picture, without their namespaces."""
    return {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(svg).iter()}


def texts_in_svg(svg: bytes) -> list[str]:
    """Return what is written in a picture."""
    elements = ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")
    return ["".join(element.itertext()) for element in elements]
