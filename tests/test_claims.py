"""What page and exports say of a statistic is what the statistic is, and no more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_runs import dataset_of, made

from layerviz import exploring, runs, separability
from layerviz.bench import starters
from layerviz.comparison import BY_HEAD, BY_PROBE
from layerviz.export.stage import Stage
from layerviz.ui.compare.agreement import difference_sentence
from layerviz.views import CKA_NOTE, MapsRequest, collect_maps, small_print

pytestmark = pytest.mark.fast

EARLIER = Path(__file__).parent / "earlier" / "runs" / "tiny-bert-messages-dd4b362b"


def cka(states: np.ndarray, others: np.ndarray) -> float:
    return float(separability.linear_cka(states[None], others[None])[0, 0])


def test_similarity_is_one_up_to_rotation_and_scale_and_zero_without_correlation() -> None:
    rng = np.random.default_rng(0)
    states = rng.normal(size=(800, 8))
    turned = 3 * states @ np.linalg.qr(rng.normal(size=(8, 8)))[0]
    assert cka(states, turned) == pytest.approx(1, abs=1e-4)
    assert cka(states, states**2) == pytest.approx(0, abs=0.03)  # follows from them, all the same
    assert "correlated" in CKA_NOTE
    assert "unrelated" not in CKA_NOTE


def test_similarity_may_rest_on_one_direction_of_large_variance() -> None:
    rng = np.random.default_rng(0)
    shared = 10 * rng.normal(size=(800, 1))
    one, other = (np.hstack([shared, rng.normal(size=(800, 30))]) for _ in range(2))
    assert cka(one, other) > 0.9
    assert "may rest on a few of them" in CKA_NOTE


def test_mcnemar_is_not_asked_about_layers_that_were_picked_by_the_same_examples() -> None:
    for p_value in (1e-9, 0.04, 0.8):
        said = difference_sentence(p_value, BY_PROBE)
        assert "clearly" not in said
        assert "p " not in said
        assert "picked for their scores on the same examples" in said


@pytest.mark.parametrize(
    ("p_value", "verb", "p"),
    [
        (0.00001, "differs clearly", "p < 0.001"),
        (0.04, "differs clearly", "p = 0.040"),
        (0.3, "does not differ clearly", "p = 0.300"),
    ],
)
def test_mcnemar_says_what_it_covers(p_value: float, verb: str, p: str) -> None:
    said = difference_sentence(p_value, BY_HEAD)
    assert verb in said
    assert p in said
    assert "another training seed may change more" in said


def test_flagged_labels_are_those_that_all_signals_doubt() -> None:
    ranking = exploring.suspicious_labels(runs.open_folder(EARLIER)).frame
    flagged = ranking[ranking["issue"]]
    assert len(flagged)
    assert (flagged["neighbours_agree"] < 0.5).all()
    assert (flagged["suggested"] != flagged["label"]).all()
    losses = np.mean(
        [
            runs.read_predictions(EARLIER, snapshot.index)["loss"]
            for snapshot in runs.open_folder(EARLIER).snapshots[1:]
        ],
        axis=0,
    )
    assert (np.exp(-losses[flagged["row"]]) < 0.5).all()


def test_an_animation_says_of_how_many_probes_it_names_the_highest(
    tmp_path: Path,
) -> None:
    run = made(tmp_path, dataset_of(), "bert-a", {3: 4.0})
    maps = collect_maps(run, MapsRequest(layers=(3,)))
    stage = Stage(maps, 400, runs.read_separability(run.path), dark=False)
    n_layers = run.encoder["layers"]
    assert f"the highest of {n_layers} mean-pooled probes" in stage._captions[-1]


def test_the_variance_that_components_show_is_that_of_train(tmp_path: Path) -> None:
    run = made(tmp_path, dataset_of(), "bert-a", {3: 4.0})
    maps = collect_maps(run, MapsRequest(layers=(3,)))
    train = (maps.splits == "train").nonzero()[0]
    pooled = []
    for index in maps.snapshots:
        states = runs.read_hidden_states(run.path, index, "mean", 3)[train].astype(np.float64)
        pooled.append(states - states.mean(axis=0))
    variances = np.linalg.svd(np.concatenate(pooled), compute_uv=False) ** 2
    share = 100 * variances[:2].sum() / variances.sum()
    expected = f"show {share:.0f} % of the variance of a layer's train states"
    assert expected in " ".join(small_print([maps]))


def test_one_seed_has_no_standard_deviation() -> None:
    side: dict[str, Any] = {
        "rate": 1e-4, "macro_f1": [0.7], "mean": 0.7, "sd": None, "probe_best": 0.6,
        "probe_layer": 2, "probe_layer_0": 0.5,
    }  # fmt: skip
    row = {"data": "d", "encoder": "e", "n_train": 9, "n_val": 9, "gain": 0.0}
    result = {"what": "1 seed", "results": [{**row, "starter": side, "random": side}]}
    assert "±" not in starters.as_text(result)
    assert "0.700" in starters.as_text(result)
