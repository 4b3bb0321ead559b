"""Whether what is said of a val set holds: claims against planted truths, at their stated rates.

Val sets of several sizes are drawn from populations of which the truth is known; layerviz answers
from each, as from any run; and what it says is held against the population.
"""

from __future__ import annotations

import math
import multiprocessing
import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from layerviz.bench.claims import CLAIMS, Claim, draw_from, outcomes_of
from layerviz.bench.populations import Population, made_populations, run_population
from layerviz.bench.slices import SLICE_CLAIMS, SlicePopulation, slice_populations
from layerviz.errors import ConfigError
from layerviz.runs import Run

SIZES = (60, 127, 500, 2000)  # val examples
DRAWS = 200
AnyPopulation = Population | SlicePopulation
AT_ONCE = 10  # draws, which one process makes in a row
ALL_CLAIMS = (*CLAIMS, *SLICE_CLAIMS)


@dataclass(frozen=True)
class Rate:
    """How often something came out over many draws.

    Parameters
    ----------
    claim, population : str
        Their names.
    n : int
        Val examples of each draw.
    mean, error : float
        With its standard error.
    draws : int
        In which it was said at all.
    met : bool or None
        Whether the goal is met, within two standard errors; None without one.
    """

    claim: str
    population: str
    n: int
    mean: float
    error: float
    draws: int
    met: bool | None


def measure(
    populations: Sequence[AnyPopulation],
    *,
    sizes: Sequence[int] = SIZES,
    draws: int = DRAWS,
    seed: int = 0,
    processes: int | None = None,
    print_line: Callable[[str], None],
) -> dict[str, Any]:
    """Draw val sets from populations and count how often what is said of them holds.

    Parameters
    ----------
    populations : sequence of Population or SlicePopulation
        The latter with the sizes that they have room for.
    sizes : sequence of int
        Numbers of val examples.
    draws : int
        Val sets of each size and population.
    seed : int
        Of the draws.
    processes : int, optional
        By default one for each core; with 1, all is done in this process.
    print_line : callable
        Called with a line for each size of each population that is done.

    Returns
    -------
    dict
        ``what``, and ``rates``: a list of `Rate` as dict.

    Raises
    ------
    ConfigError
        If a size is out of range.
    """
    if draws < 1 or min(sizes, default=0) < 2:
        raise ConfigError(
            f"The bench cannot make {draws} draws of {list(sizes)} examples.",
            "Give 1 draw or more, and sizes of 2 or more.",
        )
    n_processes = processes or os.cpu_count() or 1
    rates: list[Rate] = []
    jobs = [
        (population, n)
        for population in populations
        for n in sizes
        if not isinstance(population, SlicePopulation) or population.suits(n)
    ]
    for (population, n), outcomes in zip(
        jobs, _outcomes(jobs, draws, seed, n_processes), strict=True
    ):
        found = _rates(population.name, n, outcomes)
        missed = [rate.claim for rate in found if rate.met is False]
        print_line(f"{population.name}, {n:,} val examples: {'; '.join(missed) or 'all met'}")
        rates += found
    return {
        "what": f"{draws:,} val sets of each size from each of {len(populations)} populations",
        "rates": [vars(rate) for rate in rates],
    }


def populations_of(runs: Sequence[Run]) -> list[AnyPopulation]:
    """Return the populations of some runs, or the made ones if there is none."""
    if runs:
        return [run_population(run) for run in runs]
    return [*made_populations(), *slice_populations()]


def as_text(result: dict[str, Any]) -> str:
    """Return a result of :func:`measure` as tables for people, one for each claim."""
    rates = [Rate(**rate) for rate in result["rates"]]
    sizes = sorted({rate.n for rate in rates})
    names = list(dict.fromkeys(rate.population for rate in rates))
    width = max(len(name) for name in names)
    lines = [f"{result['what']}; rate ± its standard error, ! where the goal is missed by two"]
    for claim in ALL_CLAIMS:
        cells = {(rate.population, rate.n): rate for rate in rates if rate.claim == claim.name}
        if cells:
            lines += ["", _headline(claim), f"  {'':<{width}}" + _header(sizes)]
            lines += [
                f"  {name:<{width}}" + "".join(_cell(cells.get((name, n))) for n in sizes)
                for name in names
                if any((name, n) in cells for n in sizes)
            ]
    return "\n".join(lines)


def _headline(claim: Claim) -> str:
    sign = "at most" if claim.is_false else "at least"
    goal = "" if claim.goal is None else f", {sign} {claim.goal:g}"
    return f"{claim.name} ({claim.kind}{goal})"


def _header(sizes: Sequence[int]) -> str:
    return "".join(f"{f'n = {n:,}':>17}" for n in sizes)


def _cell(rate: Rate | None) -> str:
    if rate is None:
        return f"{'':>17}"
    return f"{f'{rate.mean:.3f} ± {rate.error:.3f}':>16}{'!' if rate.met is False else ' '}"


def _outcomes(
    jobs: Sequence[tuple[AnyPopulation, int]],
    draws: int,
    seed: int,
    n_processes: int,
) -> Iterator[Mapping[str, list[float]]]:
    """Yield for each job the outcomes of all its draws, by claim."""
    parts = [range(first, min(first + AT_ONCE, draws)) for first in range(0, draws, AT_ONCE)]
    if n_processes == 1:
        for population, n in jobs:
            yield _joined([_outcomes_of_draws(population, n, seed, part) for part in parts])
        return
    # Processes are started afresh: a copy of this one could hold locks of its threads.
    with ProcessPoolExecutor(
        n_processes, mp_context=multiprocessing.get_context("spawn"), initializer=_with_one_thread
    ) as pool:
        futures = [
            [pool.submit(_outcomes_of_draws, population, n, seed, part) for part in parts]
            for population, n in jobs
        ]
        try:
            for of_job in futures:
                yield _joined([future.result() for future in of_job])
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _with_one_thread() -> None:
    """Leave the other cores to the other processes."""
    threadpool_limits(1)


def _outcomes_of_draws(
    population: AnyPopulation, n: int, seed: int, part: range
) -> list[dict[str, float]]:
    if isinstance(population, SlicePopulation):
        return [population.outcomes(n, seed + draw) for draw in part]
    return [outcomes_of(draw_from(population, n, seed + draw)) for draw in part]


def _joined(parts: Sequence[Sequence[Mapping[str, float]]]) -> Mapping[str, list[float]]:
    outcomes: dict[str, list[float]] = defaultdict(list)
    for part in parts:
        for of_draw in part:
            for claim, value in of_draw.items():
                outcomes[claim].append(value)
    return outcomes


def _rates(population: str, n: int, outcomes: Mapping[str, Sequence[float]]) -> list[Rate]:
    return [
        rate_of(claim, population, n, outcomes[claim.name])
        for claim in ALL_CLAIMS
        if claim.name in outcomes
    ]


def rate_of(claim: Claim, population: str, n: int, values: Sequence[float]) -> Rate:
    """Return the mean of outcomes with its standard error.

    The error of a rate of 0 or 1 is that of one more draw that came out the other way.
    """
    mean = float(np.mean(values))
    if claim.kind == "mean":
        error = float(np.std(values) / math.sqrt(len(values)))
    else:
        near = min(max(mean, 1 / (len(values) + 2)), 1 - 1 / (len(values) + 2))
        error = math.sqrt(near * (1 - near) / len(values))
    return Rate(claim.name, population, n, mean, error, len(values), claim.is_met(mean, error))
