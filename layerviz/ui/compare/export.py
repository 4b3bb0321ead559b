"""The "Export" tab of a comparison: its table, its report, its charts, and how to make it again."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import pandas as pd
import streamlit as st
from altair import LayerChart

from layerviz import charts, comparison
from layerviz.comparison import Comparison, Contender
from layerviz.export import EXPORTS
from layerviz.export.entry import DrawChart
from layerviz.export.recipe import command
from layerviz.registry import Registry
from layerviz.runs import Run
from layerviz.ui.parts.formulas import csv_of, quote_formulas_control
from layerviz.ui.parts.state import keep, plain
from layerviz.wording import count


@dataclass(frozen=True)
class ComparisonReport:
    """One file with the numbers and sentences of a comparison.

    Parameters
    ----------
    name, label : str
        In the registry, and on the page.
    suffix, mime : str
        Ending of its file name, and its media type.
    write : callable
        Given the comparison and its table, returns the file's content.
    """

    name: str
    label: str
    suffix: str
    mime: str
    write: Callable[[Comparison, pd.DataFrame], bytes]


@dataclass(frozen=True)
class ComparisonChart:
    """One chart of a comparison: shown in its Scores tab, and taken away as a picture.

    Parameters
    ----------
    name, label : str
        In the registry and in file names, and on the page.
    drawing : callable
        Given the comparison, the encoders' names and whether the background is dark, returns the
        function that draws it, with its arguments.
    frame : callable
        Given the comparison, returns the numbers that are drawn.
    alt : str
        What it shows, for screen readers.
    """

    name: str
    label: str
    drawing: Callable[[Comparison, Sequence[str], bool], partial[LayerChart]]
    frame: Callable[[Comparison], pd.DataFrame]
    alt: str

    def draw(self, judged: Comparison, names: Sequence[str], dark: bool) -> LayerChart:
        """Draw it."""
        return self.drawing(judged, names, dark)()


def _text(judged: Comparison, table: pd.DataFrame) -> bytes:
    return comparison.comparison_text(judged, table).encode()


def _csv(judged: Comparison, table: pd.DataFrame) -> bytes:  # noqa: ARG001
    return csv_of(table)


def _json(judged: Comparison, table: pd.DataFrame) -> bytes:
    return json.dumps(comparison.comparison_values(judged, table), indent=2).encode()


COMPARISON_REPORTS: Registry[ComparisonReport] = Registry(
    "report",
    [
        ComparisonReport("table", "Table (CSV)", ".csv", "text/csv", _csv),
        ComparisonReport("text", "Report (text)", ".txt", "text/plain", _text),
        ComparisonReport("json", "Report (JSON)", ".json", "application/json", _json),
    ],
)
COMPARISON_CHARTS: Registry[ComparisonChart] = Registry(
    "chart",
    [
        ComparisonChart(
            "depth",
            "Scores over relative depth",
            lambda judged, names, dark: partial(
                charts.scores_over_depth,
                judged.profiles,
                names,
                measure=_score_axis(judged),
                dark=dark,
            ),
            lambda judged: judged.profiles,
            "Line chart: the probe's val macro-F1 over relative depth, a line per encoder.",
        ),
        ComparisonChart(
            "epochs",
            "Scores over the epochs",
            lambda judged, names, dark: partial(
                charts.encoders_over_epochs,
                judged.epochs,
                names,
                measure=_score_axis(judged),
                dark=dark,
            ),
            lambda judged: judged.epochs,
            "Line chart: val macro-F1 over the epochs, a line per encoder and one of its own "
            "predictions.",
        ),
    ],
)


def _score_axis(judged: Comparison) -> str:
    """Name the score of a comparison's charts."""
    return f"Val macro-F1 (n = {judged.n_val:,})"


def comparison_export(
    compared: Sequence[Run], ready: Sequence[Contender], judged: Comparison, names: Sequence[str]
) -> None:
    """Offer the files of a comparison and the commands that make it again."""
    left, right = st.columns(2)
    with left, st.container(border=True, height="stretch"):
        _reports(judged, comparison.comparison_table(judged, ready))
    with right, st.container(border=True, height="stretch"):
        _pictures(judged, names)
    with st.container(border=True):
        _commands(compared)


def _reports(judged: Comparison, table: pd.DataFrame) -> None:
    st.markdown("**Table and report**")
    st.caption(
        f"All figures of {count(len(table), 'encoder')}, with their intervals; the reports hold "
        "the verdict in sentences, too."
    )
    with st.container(horizontal=True):
        for report in COMPARISON_REPORTS.values():
            st.download_button(
                report.label,
                data=partial(report.write, judged, table),
                file_name=f"comparison-{report.name}{report.suffix}",
                mime=report.mime,
                icon=":material/download:",
                on_click="ignore",
                key=f"take-comparison-{report.name}",
            )
    quote_formulas_control()


def _pictures(judged: Comparison, names: Sequence[str]) -> None:
    st.markdown("**Charts**")
    st.caption("Maps and similarities have a **Save** menu of their own, in their tabs.")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(
            "Chart",
            list(COMPARISON_CHARTS),
            format_func=lambda name: COMPARISON_CHARTS[name].label,
            key=keep("comparison_chart"),
            width=260,
        )
        dark = st.toggle("Dark", key="comparison_chart_dark")
    with st.container(horizontal=True):
        for export in EXPORTS.values():
            if export.draw is None:
                continue
            st.download_button(
                export.label,
                data=partial(_picture, export.draw, COMPARISON_CHARTS[name], judged, names, dark),
                file_name=f"comparison-{name}{export.suffix}",
                mime=export.mime,
                icon=":material/download:",
                on_click="ignore",
                key=f"take-comparison-{name}-{export.name}",
            )


def _picture(
    draw: DrawChart, chart: ComparisonChart, judged: Comparison, names: Sequence[str], dark: bool
) -> bytes:
    return draw(chart.draw(judged, names, dark), dark)


def _commands(compared: Sequence[Run]) -> None:
    st.markdown("**How to reproduce**")
    st.caption("The runs, one after the other; those that exist are reused:")
    st.code("\n\n".join(command(run) for run in compared), language="bash", wrap_lines=True)
    st.caption("Then the comparison, as text or, with `--json`, as JSON:")
    ids = shlex.join(run.run_id for run in compared)
    st.code(f"python -m layerviz compare {ids}", language="bash", wrap_lines=True)
    fingerprint = compared[0].dataset["fingerprint"]
    st.caption(
        plain(
            f"The data must have the fingerprint {fingerprint}; with the same settings, the runs "
            "then have the same ids."
        )
    )
