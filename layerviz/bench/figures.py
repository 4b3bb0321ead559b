"""What benchmarks come to: figures beside their goals, as one table for people."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch


@dataclass(frozen=True)
class Figure:
    """One line of the table.

    Parameters
    ----------
    bench : str
    what : str
        What was measured.
    ours : float
    unit : str
        Of `ours` and `peer`; "" for plain numbers.
    goal : float or None
        For the ratio ours / peer, and for `ours` where there is no peer.
    peer : float or None
        The same work as it is done without layerviz.
    at_least : bool
        Whether the goal is a least value; by default it is the most that is allowed.
    """

    bench: str
    what: str
    ours: float
    unit: str
    goal: float | None = None
    peer: float | None = None
    at_least: bool = False

    @property
    def ratio(self) -> float | None:
        """Ours over the peer's."""
        return None if self.peer is None else self.ours / self.peer if self.peer else float("inf")

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None without one."""
        if self.goal is None:
            return None
        value = self.ours if self.ratio is None else self.ratio
        return value >= self.goal if self.at_least else value <= self.goal

    def as_dict(self) -> dict[str, Any]:
        """Return it with its ratio and its verdict, for JSON."""
        return {**asdict(self), "ratio": self.ratio, "met": self.met}


COLUMNS = ("bench", "what", "ours", "peer", "ratio", "goal", "met?")


def as_table(figures: Sequence[Figure]) -> str:
    """Return figures as aligned columns."""
    rows = [COLUMNS, *(_cells(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column < 2 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def _cells(figure: Figure) -> tuple[str, ...]:
    sign = "≥" if figure.at_least else "≤"
    return (
        figure.bench,
        figure.what,
        _number(figure.ours, figure.unit),
        "" if figure.peer is None else _number(figure.peer, figure.unit),
        "" if figure.ratio is None else f"{figure.ratio:.3f}",
        "" if figure.goal is None else f"{sign} {figure.goal:.3g}",
        {None: "", True: "yes", False: "no"}[figure.met],
    )


def _number(value: float, unit: str) -> str:
    shown = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{shown} {unit}".rstrip()


def machine() -> dict[str, Any]:
    """Return what the figures depend on: processor, cores, threads of PyTorch, accelerator."""
    return {
        "cpu": _cpu_name(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "system": platform.platform(),
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    }


def machine_in_words() -> str:
    """Return `machine` as one line."""
    found = machine()
    gpu = f", {found['gpu']}" if found["gpu"] else ""
    load = "" if found["load"] is None else f"; load average {found['load']:.1f} now"
    return f"{found['cores']} cores of {found['cpu']}{gpu}, {found['threads']} threads{load}"


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
