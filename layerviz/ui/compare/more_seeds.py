"""More seeds for the encoders that are compared, started where the verdict asks for them."""

from __future__ import annotations

import dataclasses

import streamlit as st

from layerviz import encoders, runs
from layerviz.comparison import Comparison, Contender
from layerviz.config import RunConfig
from layerviz.data import Dataset
from layerviz.runs import Run
from layerviz.ui.parts.sidebar_button import sidebar_button
from layerviz.ui.parts.state import MOST_COMPARED, errors_shown, go_to_comparison, jobs, keep, plain
from layerviz.wording import count

WANTED_SEEDS = 3  # that are offered at first: with two, little is known of how seeds vary
MOST_SEEDS_EACH = 10


def more_seeds(
    compared: list[Run], contenders: list[Contender], judged: Comparison, dataset: Dataset | None
) -> None:
    """Offer to train the seeds that are lacking; `dataset` is what is chosen on the left."""
    fewest = min(len(contender.runs) for contender in contenders)
    is_settled = judged.has_winner and fewest >= WANTED_SEEDS
    if judged.verdict != "found" or is_settled or fewest >= MOST_SEEDS_EACH:
        return
    if runs.is_read_only() or any(run.live for run in compared):
        return
    key = f"versus_seeds_{fewest}"
    first = max(WANTED_SEEDS, fewest + 1)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        wanted = int(
            st.number_input(
                "Seeds per encoder",
                fewest + 1,
                MOST_SEEDS_EACH,
                key=keep(key, first),
                width=160,
                help="Runs that differ in their seed alone. With several of each, what is said is "
                "of the encoders and no longer of single runs.",
            )
        )
        configs = lacking_seeds(contenders, wanted)
        same = dataset is not None and dataset.fingerprint == compared[0].dataset["fingerprint"]
        fits = len(configs) + len(compared) <= MOST_COMPARED
        pressed = st.button(
            f"Train {count(len(configs), 'more run')}{_duration(contenders, wanted)}",
            key="versus_more_seeds",
            icon=":material/add:",
            disabled=not (same and fits),
        )
    if not same:
        name = plain(str(compared[0].dataset["name"]))
        st.caption(f"To train more seeds, choose **{name}** in the sidebar under **Data** again.")
        sidebar_button("seeds")
    elif not fits:
        st.caption(f"At most {MOST_COMPARED} runs can be compared at once.")
    if pressed and dataset is not None and same and fits:
        with errors_shown():
            for config in configs:
                info = encoders.expect_on_disk(config.encoder)
                encoders.check_layers(info, freeze=config.freeze, keep_layers=config.keep_layers)
            beside = [run.run_id for run in compared]
            added = jobs().compare(configs, dataset, beside=beside)
            go_to_comparison([*beside, *(run.run_id for run in added)])
            st.rerun()


def lacking_seeds(contenders: list[Contender], wanted: int) -> list[RunConfig]:
    """Return configurations that bring every contender to `wanted` seeds, counting up."""
    configs = []
    for contender in contenders:
        seeds = {run.config.seed for run in contender.runs}
        config, seed = contender.runs[0].config, min(seeds)
        while len(seeds) < wanted:
            seed += 1
            if seed not in seeds:
                seeds.add(seed)
                configs.append(dataclasses.replace(config, seed=seed))
    return configs


def _duration(contenders: list[Contender], wanted: int) -> str:
    """Say about how long that takes, from what training took before; "" where nobody knows."""
    seconds = 0.0
    for contender in contenders:
        n_lacking = max(wanted - len(contender.runs), 0)
        times = [run.training.get("train_seconds", 0.0) for run in contender.runs]
        if n_lacking and not all(times):
            return ""
        seconds += n_lacking * sum(times) / len(times)
    return f" (training takes about {max(round(seconds / 60), 1)} min)"
