"""A view over the epochs as an animated picture: GIF or WebP."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator

import numpy as np
from PIL import Image

from layerviz import runs
from layerviz.errors import ConfigError
from layerviz.export.stage import Moment, Stage
from layerviz.progress import (
    ANIMATING,
    OnProgress,
    Progress,
    ShouldStop,
    ignore,
    never,
    stop_if_asked,
)
from layerviz.runs import Run
from layerviz.views import MapsRequest, collect_maps
from layerviz.wording import quote

ANIMATION_FORMATS = ("gif", "webp")
RESTING = 0.55  # share of an epoch's seconds during which the points rest
COLOURS = 256  # the most that a GIF can have
WEBP_QUALITY = 82


def animation(
    run: Run,
    request: MapsRequest,
    kind: str,
    *,
    seconds_per_epoch: float = 1.8,
    between: int = 8,
    width: int = 1000,
    dark: bool = False,
    on_progress: OnProgress = ignore,
    should_stop: ShouldStop = never,
) -> bytes:
    """Return a view over the epochs: points glide from snapshot to snapshot and rest at each.

    Only the frames at rest show what was measured; those between are straight lines from one
    position to the next, and say so ("Epoch 1 to 2").

    Parameters
    ----------
    run : Run
        With at least one snapshot.
    request : MapsRequest
    kind : {"gif", "webp"}
    seconds_per_epoch : float
        From one snapshot to the next, 0.2 to 20; the last one rests twice as long.
    between : int
        Frames between two snapshots, 0 to 60.
    width : int
        In pixels, 320 to 2,400.
    dark : bool
        Whether the background is.
    on_progress : callable
        Called with a `Progress` that counts the layers of the maps, then frames.
    should_stop : callable
        Asked before each frame.

    Raises
    ------
    ConfigError
        If an argument is out of its range.
    Cancelled
        If `should_stop` answers true.
    """
    _check(kind, seconds_per_epoch, between, width)
    maps = collect_maps(run, request, on_progress=on_progress, should_stop=should_stop)
    stage = Stage(maps, width, runs.read_separability(run.path), dark)
    timeline = moments(len(maps.epochs), between)
    durations = _durations(timeline, seconds_per_epoch, between)
    frames = _frames(stage, timeline, on_progress, should_stop)
    return (_gif if kind == "gif" else _webp)(stage, frames, durations)


def moments(n_slots: int, between: int) -> list[Moment]:
    """Return what the frames show, in their order."""
    timeline = [Moment(0, 0)]
    for slot, following in itertools.pairwise(range(n_slots)):
        steps = np.arange(1, between + 1) / (between + 1)
        eased = steps * steps * (3 - 2 * steps)  # slow at both ends
        timeline += [Moment(slot, following, float(part)) for part in eased]
        timeline.append(Moment(following, following))
    return timeline


def _check(kind: str, seconds: float, between: int, width: int) -> None:
    if kind not in ANIMATION_FORMATS:
        raise ConfigError(
            f"There is no animation format {quote(kind)}.",
            f"Choose one of {', '.join(ANIMATION_FORMATS)}.",
        )
    if not (0.2 <= seconds <= 20 and 0 <= between <= 60 and 320 <= width <= 2400):
        raise ConfigError(
            f"An animation of {seconds:g} seconds per epoch, with {between} frames in between, "
            f"{width} pixels wide, cannot be made.",
            "Give 0.2 to 20 seconds, 0 to 60 frames and 320 to 2,400 pixels.",
        )


def _durations(timeline: list[Moment], seconds: float, between: int) -> list[int]:
    """Return how long each frame is shown, in milliseconds; GIFs count in tens of them."""
    rest = seconds * (RESTING if between else 1)
    glide = (seconds - rest) / max(between, 1)
    durations = [rest if moment.resting else glide for moment in timeline]
    durations[-1] = 2 * rest
    return [max(20, 10 * round(100 * duration)) for duration in durations]


def _frames(
    stage: Stage, timeline: list[Moment], on_progress: OnProgress, should_stop: ShouldStop
) -> Iterator[Image.Image]:
    for done, moment in enumerate(timeline):
        stop_if_asked(should_stop)
        yield stage.frame(moment)
        on_progress(Progress(ANIMATING, done + 1, len(timeline)))


def _gif(stage: Stage, frames: Iterator[Image.Image], durations: list[int]) -> bytes:
    # One palette for all frames: a palette for each would make colours flicker.
    palette = shared_palette(stage.colours_used())
    nearest = _nearest(palette)
    return _saved(
        (_indexed(frame, palette, nearest) for frame in frames),
        "GIF",
        durations,
        optimize=False,
        disposal=1,
    )


def _webp(_: Stage, frames: Iterator[Image.Image], durations: list[int]) -> bytes:
    return _saved(frames, "WEBP", durations, quality=WEBP_QUALITY, method=2)


def _saved(
    frames: Iterator[Image.Image], kind: str, durations: list[int], **options: object
) -> bytes:
    buffer = io.BytesIO()
    next(frames).save(
        buffer,
        kind,
        save_all=True,
        append_images=frames,
        duration=durations,
        loop=0,
        **options,
    )
    return buffer.getvalue()


def shared_palette(colours: list[tuple[int, int, int]]) -> np.ndarray:
    """Return a palette of colours and of their blends with the first of them, the paper.

    Returns
    -------
    ndarray of shape (at most 256, 3), uint8
    """
    paper, *others = dict.fromkeys(colours)
    steps = max(1, (COLOURS - 1) // max(1, len(others)))
    parts = np.linspace(0, 1, steps + 1)[:0:-1, None]  # the colours themselves first
    blends = [parts * np.array(colour) + np.outer(1 - parts, paper) for colour in others]
    return np.rint(np.concatenate([np.array([paper]), *blends])).astype(np.uint8)[:COLOURS]


def _nearest(palette: np.ndarray) -> np.ndarray:
    """Return, for each colour of 6 bits a channel, the index of the nearest one in a palette."""
    levels = np.arange(64, dtype=np.float32) * 4 + 1.5
    colours = palette.astype(np.float32)
    lengths = (colours**2).sum(axis=1)
    nearest = np.empty(len(levels) ** 3, dtype=np.uint8)
    plane = np.empty((len(levels) ** 2, 3), dtype=np.float32)  # of one red: memory holds no more
    plane[:, 1], plane[:, 2] = np.repeat(levels, len(levels)), np.tile(levels, len(levels))
    for index, red in enumerate(levels):
        plane[:, 0] = red
        # Squared distances, less what all of a row have in common.
        distances = lengths - 2 * plane @ colours.T
        nearest[index * len(plane) : (index + 1) * len(plane)] = distances.argmin(axis=1)
    # Pillow's own search misses exact matches, so that white paper would come out grey.
    for index in reversed(range(len(palette))):
        nearest[_key(palette[index])] = index
    return nearest


def _key(pixels: np.ndarray) -> np.ndarray:
    red, green, blue = (pixels[..., channel].astype(np.int32) >> 2 for channel in range(3))
    return (red << 12) | (green << 6) | blue


def _indexed(frame: Image.Image, palette: np.ndarray, nearest: np.ndarray) -> Image.Image:
    image = Image.fromarray(nearest[_key(np.asarray(frame))])
    image.putpalette(palette.tobytes())
    return image
