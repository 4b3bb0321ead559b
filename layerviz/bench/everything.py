"""All benchmarks one after another, as one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from layerviz.bench import capture, epoch, growth, page
from layerviz.bench.figures import Figure, as_table, machine, machine_in_words
from layerviz.errors import Cancelled, LayervizError

Bench = Callable[[], tuple[dict[str, Any], list[Figure]]]


def benches() -> dict[str, Bench]:
    """Return every bench at its full size."""
    modules = {"capture": capture, "epoch": epoch, "page": page, "growth": growth}
    return {name: _at_full_size(module) for name, module in modules.items()}


def _at_full_size(module: Any) -> Bench:
    def run() -> tuple[dict[str, Any], list[Figure]]:
        result = module.measure(None)
        return result, module.figures(result)

    return run


def measure(wanted: Mapping[str, Bench], *, on_progress: Callable[[str], None]) -> dict[str, Any]:
    """Run benches; what cannot run here is named with the reason, and the others go on.

    Parameters
    ----------
    wanted : mapping of str to callable
        Each returns its result and its figures.
    on_progress : callable
        Told the name of each before it begins.

    Returns
    -------
    dict
        ``machine``, ``figures`` (list of dict), ``results`` and ``left_out`` per bench.
    """
    figures: list[Figure] = []
    results: dict[str, Any] = {}
    left_out: dict[str, str] = {}
    for name, bench in wanted.items():
        on_progress(name)
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
    lines += [f"{name}: left out. {reason}" for name, reason in result["left_out"].items()]
    return "\n".join(lines)
