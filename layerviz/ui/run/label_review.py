"""Going through suspicious labels one by one: accept the suggestion, choose another, or keep it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal

import pandas as pd
import streamlit as st

from layerviz import runs
from layerviz.config import TRAIN_AND_VAL
from layerviz.runs import ACCEPTED, EDITED, SKIPPED, LabelDecision, Run
from layerviz.ui.parts.examples_table import open_example
from layerviz.ui.parts.state import errors_shown, plain
from layerviz.wording import count, named

Emphasis = Literal["primary", "secondary"]
MOST_BUTTONS = 8  # for other labels; more are a list
TALL_TEXT = 600  # characters; a longer one scrolls
DECIDED = {ACCEPTED: "accepted", EDITED: "another label", SKIPPED: "label kept"}


def review(
    run: Run,
    ranked: pd.DataFrame,
    examples: pd.DataFrame,
    decisions: Mapping[str, LabelDecision],
) -> None:
    """Show the label that is up for decision, and take the decision.

    Parameters
    ----------
    run : Run
    ranked : DataFrame
        Lines of `exploring.Suspicion`, the most suspicious first; at least one.
    examples : DataFrame
        Those of the run.
    decisions : mapping of str to LabelDecision
        By example, in the order in which they were made.
    """
    ids = ranked["id"].tolist()
    at = _position(run, ids, decisions)
    with st.container(border=True, key="label_review"):
        _head(run, ids, at, decisions)
        line = ranked.iloc[at]
        example = examples.iloc[int(line["row"])]
        decision = decisions.get(ids[at])
        _example(run, line, example, decision)
        if not runs.is_read_only():
            _choices(run, ids, line, decision)


def _place(run: Run) -> str:
    return f"label_review_at-{run.run_id}"


def _position(run: Run, ids: Sequence[str], decisions: Mapping[str, LabelDecision]) -> int:
    """Return which of the labels is shown: that where the reader went, or the first undecided."""
    shown = st.session_state.get(_place(run))
    if shown in ids:
        return ids.index(shown)
    return next((at for at, example in enumerate(ids) if example not in decisions), 0)


def _head(run: Run, ids: Sequence[str], at: int, decisions: Mapping[str, LabelDecision]) -> None:
    of_list = [decisions[example] for example in ids if example in decisions]
    kinds = Counter(decision.decision for decision in of_list)
    parts = [f"{kinds[kind]:,} {words}" for kind, words in DECIDED.items() if kinds[kind]]
    done = f": {', '.join(parts)}" if parts else ""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(
            f"**Label {at + 1:,} of {len(ids):,}** :small[· {len(of_list):,} decided{done}]",
            width="stretch",
        )
        for label, step, icon, key in (
            ("Previous", -1, ":material/chevron_left:", "Left"),
            ("Next", 1, ":material/chevron_right:", "Right"),
        ):
            to = at + step
            st.button(
                label,
                key=f"label_{label.lower()}",
                icon=icon,
                shortcut=key,
                type="tertiary",
                disabled=not 0 <= to < len(ids),
                on_click=_go,
                args=(run, ids[min(max(to, 0), len(ids) - 1)]),
            )
        newest = next(reversed(list(decisions)), None)
        if not runs.is_read_only() and st.button(
            "Undo",
            key="label_undo",
            icon=":material/undo:",
            shortcut="Z",
            type="tertiary",
            disabled=newest is None,
            help="Takes back the decision that was made last.",
        ):
            with errors_shown():
                runs.take_back_decisions(run.path, [str(newest)])
                _go(run, str(newest))
                st.rerun()


def _example(run: Run, line: pd.Series, example: pd.Series, decision: LabelDecision | None) -> None:
    tall = len(example["text"]) > TALL_TEXT
    with st.container(height=200 if tall else "content", border=False):
        st.code(example["text"], language=None, wrap_lines=True)  # no link, no markup
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(
            f"Label **{plain(run.label_names[line['label']])}**, suggested "
            f"**{plain(run.label_names[line['suggested']])}**{_decided(decision)} "
            f":small[· p {line['p_label']:.0%} against {line['p_suggested']:.0%} · "
            f"{line['neighbours_agree']:.0%} of its neighbours have its label · "
            f"{plain(runs.names_of(run, example.to_frame().T)[0])}]",
            width="stretch",
        )
        st.button(
            "Open",
            key="label_open",
            icon=":material/open_in_full:",
            type="tertiary",
            on_click=open_example,
            args=(run, line["id"]),
            help="The example through the epochs and layers, with its neighbours.",
        )


def _decided(decision: LabelDecision | None) -> str:
    """Say what was decided about the label that is shown; "" if nothing was."""
    if decision is None:
        return ""
    if decision.label:
        return f", decided: now **{plain(decision.label)}**"
    return ", decided: it stays"


def _choices(run: Run, ids: Sequence[str], line: pd.Series, decision: LabelDecision | None) -> None:
    """Offer what can be decided; a key does it, too."""
    own, suggested = run.label_names[line["label"]], run.label_names[line["suggested"]]
    taken: LabelDecision | None = None
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if st.button(
            f"Accept “{plain(named(suggested))}”",
            key="label_accept",
            icon=":material/check:",
            shortcut="A",
            type=_emphasis(decision, ACCEPTED),
        ):
            taken = LabelDecision(line["id"], ACCEPTED, suggested)
        if st.button(
            f"Keep “{plain(named(own))}”",
            key="label_skip",
            icon=":material/label:",
            shortcut="S",
            type=_emphasis(decision, SKIPPED),
            help="The label stays as it is. This is a decision, too: it no longer appears "
            "among the labels to decide on.",
        ):
            taken = LabelDecision(line["id"], SKIPPED)
        # A class has the same key on every card, so that fingers can remember it.
        others = {
            name: str(number % 10)
            for number, name in enumerate(run.label_names, start=1)
            if number - 1 not in (line["label"], line["suggested"])
        }
        if chosen := _other_label(line["id"], others, decision):
            taken = LabelDecision(line["id"], EDITED, chosen)
    if taken is not None:
        with errors_shown():
            runs.decide_on_labels(run.path, [taken])
            _go_on(run, ids, line["id"])
            st.rerun()


def _emphasis(decision: LabelDecision | None, kind: str) -> Emphasis:
    if decision is None:
        return "primary" if kind == ACCEPTED else "secondary"
    return "primary" if decision.decision == kind else "secondary"


def _other_label(
    example: str, keys: Mapping[str, str], decision: LabelDecision | None
) -> str | None:
    """Offer the other labels, by whose names the keys are; return the one that was just chosen."""
    others = list(keys)
    edited = decision.label if decision is not None and decision.decision == EDITED else None
    if len(others) > MOST_BUTTONS:
        # With the decision in its key, the box forgets a choice that was overruled or taken back.
        of = "" if decision is None else f"-{decision.decision}-{decision.label}"
        key = f"label_other-{example}{of}"
        chosen = st.selectbox(
            "Another label",
            others,
            index=others.index(edited) if edited in others else None,
            key=key,
            placeholder="Another label",
            label_visibility="collapsed",
            width=220,
        )
        return chosen if chosen != edited else None
    pressed = None
    for number, name in enumerate(others, start=1):
        if st.button(
            plain(named(name)),
            key=f"label_other-{number}",
            shortcut=keys[name],
            type="primary" if name == edited else "secondary",
        ):
            pressed = name
    return pressed


def _go(run: Run, example: str) -> None:
    st.session_state[_place(run)] = example


def _go_on(run: Run, ids: Sequence[str], decided: str) -> None:
    """Show the next label that nobody has decided on, from here on or else from the top."""
    decisions = runs.read_label_decisions(run.path)
    at = ids.index(decided)
    order = [*ids[at + 1 :], *ids[:at]]
    _go(run, next((example for example in order if example not in decisions), decided))


def decided_words(decisions: Mapping[str, LabelDecision]) -> dict[str, str]:
    """Return for each example what was decided, for a column of a table."""
    return {
        example: f"→ {decision.label}" if decision.label else "kept"
        for example, decision in decisions.items()
    }


def how_many_to_correct(splits: Mapping[str, str], corrected: Sequence[str]) -> str:
    """Say how many labels are corrected: "9 corrected labels: 7 of train, 2 of val"."""
    by_split = Counter(splits[example] for example in corrected)
    parts = [f"{by_split[split]:,} of {split}" for split in TRAIN_AND_VAL if by_split[split]]
    return f"{count(len(corrected), 'corrected label')}: {', '.join(parts)}"
