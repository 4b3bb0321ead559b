"""What the checks find before a run is started, each with the button that mends it."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from layerviz import cache, checks, encoders
from layerviz.checks import Finding
from layerviz.config import RunConfig
from layerviz.data import Dataset
from layerviz.encoders import EncoderInfo
from layerviz.errors import LayervizError
from layerviz.training import Pace, RunBytes, RunSeconds
from layerviz.training.device import needs_torch
from layerviz.ui.parts.libraries import wait_for_libraries
from layerviz.ui.parts.mending import apply_mend
from layerviz.ui.parts.state import jobs, plain
from layerviz.wording import count, sentence_case


@dataclass(frozen=True)
class CheckedRun:
    """What is known before Fine-tune is pressed.

    Parameters
    ----------
    encoder : EncoderInfo
    findings : tuple of Finding
    seconds : RunSeconds or None
        About how long the run takes.
    pace : Pace
        From which that was told.
    space : RunBytes or None
        About how much room it takes.
    """

    encoder: EncoderInfo
    findings: tuple[Finding, ...]
    seconds: RunSeconds | None
    pace: Pace
    space: RunBytes | None = None

    @property
    def summary(self) -> str:
        """What stands at the button: "2 checks · about 4 min"; empty where nothing was found."""
        if not self.findings:
            return ""
        parts = [count(len(self.findings), "check")]
        if self.seconds is not None:
            parts.append(checks.time_words(self.seconds).partition(",")[0])
        return " · ".join(parts)


def check_run(
    dataset: Dataset | None, encoder: EncoderInfo | None, config: RunConfig | None
) -> CheckedRun | None:
    """Return what the checks find in what is chosen on the left; None while that is incomplete."""
    if dataset is None or encoder is None or config is None:
        return None
    lengths = None
    if needs_torch():
        wait_for_libraries()
    try:
        if encoder.on_disk:
            if encoder.source != "bundled":  # whose tokens are counted without the libraries
                wait_for_libraries()
            version = encoders.version(encoder.name)
            lengths = cache.token_lengths(encoder.name, version, dataset)
        pace = cache.pace(str(jobs().root), encoder.name)
        findings, seconds, space = cache.checked(
            config.as_dict(), dataset, pace, lengths, is_counted=lengths is not None
        )
    except LayervizError:  # an encoder that cannot be read: the button says what is wrong with it
        return None
    return CheckedRun(encoder, tuple(findings), seconds, pace, space)


def show_findings(checked: CheckedRun) -> None:
    """Show what was found, one line each, with its button."""
    if not checked.findings:
        return
    with st.container(key="checks", gap="small"):
        for number, finding in enumerate(checked.findings):
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.markdown(
                    f":orange[:material/warning:] {plain(finding.sentence)}", width="stretch"
                )
                if finding.mend is not None:
                    st.button(
                        finding.mend.label,
                        key=f"mend-{number}",
                        on_click=apply_mend,
                        args=(finding.mend, checked.encoder),
                        width="content",
                    )


def show_time(checked: CheckedRun) -> None:
    """Say about how long the run will take, what that is taken from, and what room it needs."""
    if checked.seconds is None:
        return
    pace = checked.pace
    if not pace.n_runs:
        source = "a rough guess: nothing was timed on this machine yet"
    elif pace.same_encoder:
        source = f"roughly, as {count(pace.n_runs, 'earlier run')} of this encoder went"
    else:
        source = f"a rough guess from {count(pace.n_runs, 'earlier run')} of other encoders"
    words = sentence_case(checks.time_words(checked.seconds))
    room = "" if checked.space is None else f" The run needs {checks.space_words(checked.space)}."
    st.caption(f":material/schedule: {words} ({source}).{room}")
