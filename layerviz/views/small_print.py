"""What a reader must know before trusting maps, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from layerviz.projection import PROJECTIONS, projection_notes
from layerviz.views.maps import RunMaps

TRUSTWORTHINESS = (
    "T is the trustworthiness of a map (Venna and Kaski 2001, 12 neighbours): it falls when points "
    "that are neighbours on the map are not neighbours in the full hidden size, the more so the "
    "further apart they are there; 1 is best."
)
FITTED = "Maps are fitted on train; val is placed into them."


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
    where = f" ({probe_is_in})" if probe_is_in else ""
    sentences = [
        TRUSTWORTHINESS,
        f"F1 is the macro-F1 of a linear probe in the full hidden size{where}, under the same "
        "pooling; the train figure is measured on the examples that the probe was fitted to.",
        FITTED,
        *projection_notes(projection.name, len(first.run.label_names)),
    ]
    if projection.explains_variance:
        shares = [one.explained.sum() for of_run in maps for one in of_run.by_layer.values()]
        low, high = f"{min(shares):.0%}", f"{max(shares):.0%}"
        span = low if low == high else f"{low} to {high}"
        sentences.append(f"The two components show {span} of a layer's variance over all epochs.")
    if projection.refits and any(of_run.run.live for of_run in maps):
        sentences.append("While the run is going on, each new snapshot refits these axes.")
    n_mapped = sum(first.sizes.values())
    if len(first.rows) < n_mapped:
        sentences.append(f"Drawn: {len(first.rows):,} of the {n_mapped:,} mapped points, {sample}.")
    return sentences


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
