"""What the checks find before runs are started, printed with the options that mend it."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from layerviz.config import RunConfig, run_id
from layerviz.disks import free_bytes
from layerviz.wording import data_size

if TYPE_CHECKING:
    from layerviz.checks import RunPlan
    from layerviz.data import Dataset


def checked_plans(configs: Sequence[RunConfig], dataset: Dataset, root: Path) -> list[RunPlan]:
    """Return what the checks look at, for each run that is about to be made.

    Runs that are done already are left out.

    Raises
    ------
    ConfigError
        If a run could only fail.
    """
    from layerviz import checks, encoders, runs, training

    earlier = runs.list_runs(root)
    done = {run.run_id for run in earlier if run.status == "done"}
    lengths = {}
    plans = []
    for config in configs:
        name = config.encoder
        plan = checks.plan_for(config, dataset)
        if run_id(plan.config, dataset.name, dataset.fingerprint) in done:
            continue
        checks.refuse(plan)
        checks.expect_room(plan, root)
        if name not in lengths:
            on_disk = encoders.describe(name).on_disk
            lengths[name] = checks.token_lengths(name, dataset) if on_disk else None
        pace = training.pace_of(earlier, name)
        plans.append(checks.plan_for(config, dataset, lengths[name], pace))
    return plans


def print_checks(plans: Sequence[RunPlan], root: Path) -> None:
    """Print what is found, once for each encoder, and what time and room all runs take together."""
    from layerviz import checks, training

    several = len({plan.config.encoder for plan in plans}) > 1
    lines: dict[str, set[str]] = {}  # by what they say, the encoders of which they say it
    for plan in plans:
        for finding in checks.findings_of(plan):
            options = [] if finding.mend is None else checks.options_of(finding.mend)
            hint = f" Mend it with {shlex.join(options)}." if options else ""
            lines.setdefault(f"{finding.sentence}{hint}", set()).add(plan.config.encoder)
    n_encoders = len({plan.config.encoder for plan in plans})
    for line, names in lines.items():
        of = f" ({', '.join(sorted(names))})" if several and len(names) < n_encoders else ""
        print(f"Check{of}: {line}", file=sys.stderr)
    seconds = [plan.seconds for plan in plans if plan.seconds is not None]
    if seconds and len(seconds) == len(plans):
        words = checks.time_words(training.together(seconds))
        print(f"This will take {words}; that is rough.", file=sys.stderr)
    spaces = [plan.space for plan in plans if plan.space is not None]
    if spaces:
        # One after the other: what only the time of training needs is needed once.
        kept = sum(space.kept for space in spaces)
        most = kept + max(space.most - space.kept for space in spaces)
        words = checks.space_words(training.RunBytes(kept, most))
        free = free_bytes(root)
        beside = "" if free is None else f"; {data_size(free)} are free"
        need = "The run needs" if len(plans) == 1 else "The runs need"
        print(f"{need} {words}{beside}.", file=sys.stderr)
