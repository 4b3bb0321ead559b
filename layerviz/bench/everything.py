"""All benchmarks one after another, as one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from layerviz.bench import (
    alignment,
    capture,
    drawing,
    epoch,
    growth,
    maps,
    memory,
    page,
    start,
    train,
    tutorial,
)
from layerviz.bench.figures import Figure, as_table, machine, machine_in_words
from layerviz.errors import Cancelled, LayervizError
from layerviz.runs import Run

DRAWN = {"n_train": 2000, "n_val": 1000, "layers": 8, "snapshots": 6}
FullBench = Callable[[], tuple[dict[str, Any], list[Figure]]]


def benches(run: Run | None = None) -> dict[str, FullBench]:
    """Return every bench at its full size; `run` is what maps and alignment draw."""
    sampled: list[drawing.Sample] = []

    def sample() -> drawing.Sample:
        if not sampled:  # both draw the same states, of which one may have to be made
            sampled.append(drawing.sample_of(run, **DRAWN))
        return sampled[0]

    inputs: dict[ModuleType, Callable[[], Any]] = {
        tutorial: _nothing,
        capture: _nothing,
        maps: sample,
        alignment: sample,
        train: _nothing,
        epoch: _nothing,
        page: _nothing,
        memory: _nothing,
        start: _nothing,
        growth: _nothing,
    }
    return {
        module.__name__.rpartition(".")[2]: _at_full_size(module, given)
        for module, given in inputs.items()
    }


def _nothing() -> None:
    """Stand for the bundled sample."""


def _at_full_size(module: Any, given: Callable[[], Any]) -> FullBench:
    def run() -> tuple[dict[str, Any], list[Figure]]:
        result = module.measure(given())
        return result, module.figures(result)

    return run


def measure(
    wanted: Mapping[str, FullBench], *, print_line: Callable[[str], None]
) -> dict[str, Any]:
    """Run benches; what cannot run here is named with the reason, and the others go on.

    Parameters
    ----------
    wanted : mapping of str to callable
        Each returns its result and its figures.
    print_line : callable
        Called with a line of text before each of them.

    Returns
    -------
    dict
        ``machine``, ``figures`` (list of dict), ``results`` and ``left_out`` per bench.
    """
    figures: list[Figure] = []
    results: dict[str, Any] = {}
    left_out: dict[str, str] = {}
    for name, bench in wanted.items():
        print_line(f"Measuring: {name}")
        try:
            results[name], found = bench()
        except Cancelled:
            raise
        except LayervizError as error:
            left_out[name] = str(error)
        else:
            figures += found
    return {
        "machine": machine(),
        "figures": [figure.as_dict() for figure in figures],
        "results": results,
        "left_out": left_out,
    }


def as_text(result: dict[str, Any]) -> str:
    """Return a result of :func:`measure` as a table for people."""
    figures = [
        Figure(**{key: value for key, value in row.items() if key not in ("ratio", "met")})
        for row in result["figures"]
    ]
    lines = [machine_in_words(), as_table(figures)]
    lines += [f"{name}: skipped. {reason}" for name, reason in result["left_out"].items()]
    return "\n".join(lines)
