"""Dots of an animation's frames: their size, their pixels, single ones with smooth edges."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageDraw


def dot_radius(n_points: int, n_layers: int) -> float:
    small = 3.4 if n_points <= 400 else 2.7 if n_points <= 1200 else 2.0
    return 1.7 * small if n_layers == 1 else small


def disc(radius: float, rim: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the pixels of a dot with its rim, as offsets (k, 2), and which are the dot's."""
    reach = math.ceil(radius + rim)
    steps = np.arange(-reach, reach + 1)
    offsets = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    distance = np.hypot(*offsets.T)
    kept = distance <= radius + rim
    return offsets[kept], distance[kept] <= radius


def round_dot(draw: ImageDraw.ImageDraw, x: float, y: float, radius: float, colour: str) -> None:
    """Draw a dot with a smooth edge; Pillow's own ellipses are jagged."""
    size = math.ceil(2 * radius) + 2
    mask = Image.new("L", (size * 4, size * 4))
    left, top = math.floor(x - size / 2), math.floor(y - size / 2)
    middle = ((x - left) * 4, (y - top) * 4)
    box = [part + sign * radius * 4 for sign in (-1, 1) for part in middle]
    ImageDraw.Draw(mask).ellipse(box, fill=255)
    draw.bitmap((left, top), mask.reduce(4), fill=colour)
