"""Whether there is room on the disk for all that a run writes."""

from __future__ import annotations

from pathlib import Path

from layerviz import runs
from layerviz.checks.check import RunPlan
from layerviz.config import run_id
from layerviz.disks import free_bytes
from layerviz.errors import DiskFullError
from layerviz.training import RunBytes
from layerviz.wording import data_size


def space_words(space: RunBytes) -> str:
    """Say how much room a run takes: "about 1.2 GB of disk, 300 MB of it for good"."""
    most, kept = data_size(space.most), data_size(space.kept)
    return f"about {most} of disk" + ("" if most == kept else f", {kept} of it for good")


def expect_room(plan: RunPlan, root: Path) -> None:
    """Refuse a run for which there is not enough room, what it holds already taken off.

    Raises
    ------
    DiskFullError
        It says how much is needed and how much is free.
    """
    free = free_bytes(root)
    if plan.space is None or free is None:
        return
    name = run_id(plan.config, plan.dataset.name, plan.dataset.fingerprint)
    needed = plan.space.most - runs.size_of_folder(root / name)
    if needed > free:
        raise DiskFullError(
            f"This run needs about {data_size(needed)} of disk, "
            f"{data_size(needed - free)} more than is free.",
            "Free some space (delete runs that are no longer needed), or capture fewer examples "
            "and keep fewer weights; then start it again.",
        )
