"""What is said of a val set holds at its stated rate, whatever it was drawn from.

Few draws, cells and sizes: the fast version of ``python -m layerviz bench truth``. Draws are fixed
by their seeds; a bound that is missed would be missed by chance in less than 0.5 % of all seeds.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_runs import dataset_of, made
from scipy.stats import binom

from layerviz import separability
from layerviz.__main__ import main
from layerviz.bench import claims, populations, truth
from layerviz.bench.claims import Claim
from layerviz.bench.truth import Rate
from layerviz.errors import ConfigError
from layerviz.separability.resampling import class_f1, macro_f1

DRAWS = 30
UNLUCKY = 0.005
KINDS = {population.name: population for population in populations.made_populations(n_layers=4)}


def rates_of(names: Sequence[str], n: int) -> list[Rate]:
    result = truth.measure(
        [KINDS[name] for name in names], sizes=[n], draws=DRAWS, processes=1, print_line=print
    )
    return [Rate(**rate) for rate in result["rates"]]


@pytest.fixture(scope="module")
def rates() -> list[Rate]:
    """Return the rates of every kind of population, at a size that is hard for it."""
    small = ["equal cells", "nearly perfect"]
    return [
        *rates_of(small, 60),
        *rates_of([name for name in KINDS if name not in small], 127),
        *rates_of(["small steps", "peak, then a fall", "95:5, AUC 0.77"], 600),
    ]


def assert_holds(rates: list[Rate], *wanted: Claim) -> None:
    """Fail where a claim is false, or an interval misses, more often than chance allows."""
    for claim in wanted:
        assert claim.goal is not None
        checked = [rate for rate in rates if rate.claim == claim.name]
        assert checked, claim.name
        for rate in checked:
            bad = rate.mean if claim.is_false else 1 - rate.mean
            allowed = claim.goal if claim.is_false else 1 - claim.goal
            most = binom.isf(UNLUCKY, rate.draws, allowed)
            assert round(bad * rate.draws) <= most, f"{claim.name}: {rate}"


def power(rates: list[Rate], claim: Claim, population: str, n: int) -> float:
    (rate,) = (
        rate
        for rate in rates
        if (rate.claim, rate.population, rate.n) == (claim.name, population, n)
    )
    return rate.mean


# --- one test for each row of what has to hold ----------------------------------------------------


def test_an_earlier_epoch_is_as_good_only_where_it_is(rates: list[Rate]) -> None:
    assert_holds(rates, claims.AS_GOOD)
    assert power(rates, claims.EARLIER, "nearly perfect", 60) < 1  # it is no default


def test_gains_and_overfitting_are_not_made_up(rates: list[Rate]) -> None:
    assert_holds(rates, claims.GAINED, claims.LARGEST, claims.OVERFITS, claims.LED, claims.HELPED)
    assert power(rates, claims.OVERFITS_FOUND, "peak, then a fall", 600) > 0.3
    assert power(rates, claims.GAINS_FOUND, "peak, then a fall", 600) > 0.9


def test_the_interval_on_unseen_data_holds_the_true_score(rates: list[Rate]) -> None:
    assert_holds(rates, claims.COVERS)


def test_the_figure_on_unseen_data_is_corrected_for_the_pick(rates: list[Rate]) -> None:
    for name in ("equal cells, little in common", "small steps"):
        raw, corrected = (
            power(rates, claim, name, 127) for claim in (claims.RAW_BIAS, claims.BIAS)
        )
        assert corrected < raw
        assert abs(corrected) < 0.02


def test_noise_is_called_noise_and_a_rare_class_is_not(rates: list[Rate]) -> None:
    assert_holds(rates, claims.CHANCE)
    assert power(rates, claims.NOT_CHANCE, "95:5, AUC 0.77", 600) > 0.9


def test_a_class_is_separated_only_where_it_is(rates: list[Rate]) -> None:
    assert_holds(rates, claims.SEPARATED, claims.BOUNDS)


def test_the_set_of_the_best_holds_it_and_leaves_out_what_is_behind(rates: list[Rate]) -> None:
    assert_holds(rates, claims.IN_SET, *claims.LEVEL_IN.values(), claims.SLOPE)
    assert_holds(rates, claims.LONE, *claims.LEVEL_LONE.values())
    assert power(rates, claims.OUT, "small steps", 600) > 0.3
    assert power(rates, claims.LEVEL_OUT["layers"], "small steps", 600) > 0.3


def test_a_test_split_like_val_is_not_called_unlike_it(rates: list[Rate]) -> None:
    assert_holds(rates, claims.UNLIKE)


def test_no_pooling_leads_that_does_not(rates: list[Rate]) -> None:
    assert_holds(rates, claims.POOLED)


def test_layers_are_enough_only_where_they_are(rates: list[Rate]) -> None:
    assert_holds(rates, *claims.DEPTH.values())
    assert power(rates, claims.DECIDED[0.05], "small steps", 600) > 0.5
    assert power(rates, claims.DECIDED[0.01], "small steps", 600) == 0  # asks for 2,000


# --- the bench itself -----------------------------------------------------------------------


@pytest.mark.parametrize("name", KINDS)
def test_made_populations_score_what_is_planted(name: str) -> None:
    population = KINDS[name]
    drawn = population.draw(20_000, np.random.default_rng(0))
    assert np.allclose(macro_f1(drawn.labels, drawn.predicted), population.truth, atol=0.03)
    assert np.allclose(class_f1(drawn.labels, drawn.predicted), population.class_truth, atol=0.06)
    assert np.allclose(macro_f1(drawn.labels, drawn.head), population.head_truth, atol=0.03)
    if drawn.log_probabilities is not None:
        assert (drawn.log_probabilities.argmax(axis=2) == drawn.predicted).mean() > 0.999
        auc = separability.macro_auc(drawn.labels, drawn.log_probabilities[:3])
        assert np.allclose(auc, 0.5 if population.is_noise else 0.77, atol=0.03)


def test_processes_share_the_draws_and_change_nothing() -> None:
    small = [KINDS["noise"]]
    given: dict[str, Any] = {"sizes": [60, 50], "draws": 5, "print_line": print}
    alone = truth.measure(small, processes=1, **given)
    assert truth.measure(small, processes=2, **given) == alone
    assert {rate["draws"] for rate in alone["rates"]} == {5}
    with pytest.raises(ConfigError, match="0 draws"):
        truth.measure(small, **given | {"draws": 0})


def test_a_table_marks_what_misses_its_goal() -> None:
    missed = truth.rate_of(claims.CHANCE, "noise", 60, [1.0, 0.0] * 20)
    met = truth.rate_of(claims.CHANCE, "noise", 500, [0.0] * 38 + [1.0] * 2)
    assert (missed.met, met.met) == (False, True)
    assert missed.error == pytest.approx(np.sqrt(0.25 / 40))
    text = truth.as_text({"what": "made", "rates": [vars(missed), vars(met)]})
    assert "0.500 ± 0.079!" in text
    assert "0.050 ± 0.034 " in text


def test_the_command_line_takes_runs_as_populations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = made(tmp_path / "runs", dataset_of(), "bert-mini", {2: 1.0, 3: 2.0})
    command = ["bench", "truth", "--run", run.run_id, "--runs", str(tmp_path / "runs"), "--json"]
    sizes = ["--sizes", "60", "--draws", "2", "--processes", "1"]
    assert main([*command, *sizes]) == 2
    assert "too few for a population" in capsys.readouterr().err
    monkeypatch.setattr(populations, "FEWEST_ROWS", 100)
    assert main([*command, *sizes]) == 0
    rates = json.loads(capsys.readouterr().out)["rates"]
    assert {rate["population"] for rate in rates} == {run.run_id}
