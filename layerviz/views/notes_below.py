"""What a reader must know before trusting maps, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from layerviz.projection import NEIGHBOURS, PROJECTIONS, projection_notes
from layerviz.separability import in_how_many
from layerviz.views.maps import RunMaps
from layerviz.wording import count

TRUSTWORTHINESS = (
    "T is the trustworthiness of a map (Venna and Kaski 2001): 1, less a penalty for each point "
    f"that is among another's {NEIGHBOURS} nearest on the map but not in the full hidden size, the "
    "larger the further away it really is; so T can be high where few neighbours are kept."
)
CKA_NOTE = (
    "1 means the same up to rotation and scale; 0 means that no direction of the one is correlated "
    "with any of the other. Directions of large variance count most, so a high value may rest on a "
    "few of them."
)
FITTED = "Maps are fitted on train; val is placed into them."
FITTED_WITH_TEST = (
    "Maps are fitted on train; val and test are placed into them. Nothing is chosen by test."
)
MAPS_FOOTNOTE = (
    "F1: macro-F1 of a linear probe in the full hidden size. T: trustworthiness of the map; 1 is "
    "best, and a false neighbour costs the more, the further away it really is. "
    f"kept: the share of a point's {NEIGHBOURS} nearest neighbours in the full hidden size (for "
    f"val, of its {NEIGHBOURS} nearest train examples) that are also among its {NEIGHBOURS} "
    "nearest on the map."
)  # below pictures, which have no page around them


def small_print(
    maps: Sequence[RunMaps], *, probe_is_in: str = "", sample: str = "a random sample"
) -> list[str]:
    """Return what holds for all maps of a chart: its figures, its projection, what it leaves out.

    Parameters
    ----------
    maps : sequence of RunMaps
        Of one run, or of several that are compared; all of one projection.
    probe_is_in : str
        Where the reader can find more about the probe.
    sample : str
        What the drawn points are, where some are left out.
    """
    first = maps[0]
    projection = PROJECTIONS[first.view.projection]
    sentences = [
        *figures_note(maps, probe_is_in),
        FITTED_WITH_TEST if "test" in first.sizes else FITTED,
        *projection_notes(projection.name, len(first.run.label_names)),
    ]
    if projection.explains_variance:
        shares = [one.explained.sum() for of_run in maps for one in of_run.by_layer.values()]
        low, high = _percent(min(shares)), _percent(max(shares))
        span = low if low == high else f"{low} to {high}"
        sentences.append(
            f"The two components show {span} of the variance of a layer's train states, all epochs "
            "together."
        )
    if projection.refits and any(of_run.run.live for of_run in maps):
        sentences.append("While the run is going on, each new snapshot refits these axes.")
    if n_beyond := sum(of_run.n_beyond() for of_run in maps):
        lie = "lies" if n_beyond == 1 else "lie"
        sentences.append(
            f"{count(n_beyond, 'test example')} {lie} beyond the edge of a map and "
            f"{'is' if n_beyond == 1 else 'are'} drawn at it."
        )
    n_mapped = sum(first.sizes.values())
    if len(first.rows) < n_mapped:
        sentences.append(f"Drawn: {len(first.rows):,} of the {n_mapped:,} mapped points, {sample}.")
    return sentences


def figures_note(maps: Sequence[RunMaps], probe_is_in: str = "") -> list[str]:
    """Return what the figures in the titles of maps mean; parameters as in `small_print`."""
    where = f" ({probe_is_in})" if probe_is_in else ""
    return [
        TRUSTWORTHINESS,
        *_kept_note(maps),
        f"F1 is the macro-F1 of a linear probe in the full hidden size{where}, under the same "
        "pooling; the train figure is measured on the examples that the probe was fitted to.",
    ]


def _kept_note(maps: Sequence[RunMaps]) -> list[str]:
    """Say what the share of kept neighbours is, with one of those that the maps show."""
    of_layers = [one.kept for of_run in maps for one in of_run.by_layer.values()]
    on_train = [kept[-1, 0] for kept in of_layers if kept is not None]
    rated = [share for share in on_train if not np.isnan(share)]
    if not rated:
        return []
    share = _percent(rated[-1])
    by_chance = NEIGHBOURS / ((maps[0].splits == "train").sum() - 1)
    placed = "a point of val or test" if "test" in maps[0].sizes else "a val point"
    least = f"{'' if by_chance < 0.01 else 'about '}{in_how_many(by_chance)}"
    return [
        f"“kept {share}” means that {share} of a point's {NEIGHBOURS} nearest neighbours in the "
        f"full hidden size are also among its {NEIGHBOURS} nearest on the map (for {placed}: of "
        f"its {NEIGHBOURS} nearest train examples); points placed at random would keep {least}.",
    ]


def captured_note(maps: RunMaps) -> list[str]:
    """Return how many examples of each split were captured, where it is not all of them."""
    sizes = {split: sum(counts.values()) for split, counts in maps.run.dataset["counts"].items()}
    captured = maps.sizes
    if all(captured[split] >= sizes[split] for split in captured):
        return []
    parts = [f"{n:,} of {sizes[split]:,} {split} examples" for split, n in captured.items()]
    return [f"Captured: {', '.join(parts)}, with the same share of every class."]


def slider_note(slots: Sequence[int]) -> list[str]:
    """Return how many snapshots the slider shows, where it is not all of them."""
    planned = slots[-1] + 1
    if len(slots) == planned:
        return []
    return [f"The slider shows {len(slots)} of {planned} snapshots, evenly spaced."]


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
