"""The scripts and the style that the maps need in a browser."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import resources

import vl_convert

PARTS = ("numbers", "elements", "density", "drawing", "controls", "mouse", "pane", "whole")


@dataclass(frozen=True)
class Script:
    """A script with the hash by which a page's policy lets it run."""

    code: str

    @property
    def source(self) -> str:
        digest = base64.b64encode(hashlib.sha256(self.code.encode()).digest()).decode()
        return f"'sha256-{digest}'"


@cache
def vega_script() -> Script:
    """Return Vega, Vega-Lite and Vega-Embed as one script that can stand in a page."""
    bundle = vl_convert.javascript_bundle()  # type: ignore[call-arg]  # the stub has no default
    return Script(bundle.replace("</script", "<\\/script"))


@cache
def maps_script() -> Script:
    """Return the script that draws maps: it defines ``layervizMaps``."""
    parts = "\n".join(_text(f"{part}.js") for part in PARTS)
    return Script(f'"use strict";\n(() => {{\n{parts}}})();\n')


@cache
def page_script() -> str:
    """Return the module by which Streamlit draws maps."""
    return f"{maps_script().code}\n{_text('page.js')}"


@cache
def points_script() -> str:
    """Return the module by which Streamlit hands the points to `page_script`."""
    return _text("points.js")


@cache
def maps_style() -> str:
    """Return the style of what `maps_script` draws."""
    return _text("maps.css")


def _text(name: str) -> str:
    return resources.files("layerviz.instrument").joinpath("maps", name).read_text(encoding="utf-8")
