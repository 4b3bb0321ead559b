"""A film of the page: what a browser shows from moment to moment, with a cursor, as one WebP."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

GLIDE_STEPS = 5  # pictures of the cursor on its way
GLIDE_MS = 60  # each of them stands so long
QUALITIES = (72, 60, 48, 36, 24)  # tried in turn until the film is small enough

# The browser draws no cursor into its pictures, so the page gets one of its own.
CURSOR = """([x, y, pressed]) => {
    let cursor = document.getElementById('film-cursor');
    if (!cursor) {
        cursor = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
        cursor.id = 'film-cursor';
        cursor.setAttribute('viewBox', '0 0 24 24');
        cursor.style.cssText = 'position:fixed;width:30px;height:30px;z-index:2147483647;' +
            'pointer-events:none;filter:drop-shadow(0 1px 2px rgba(0,0,0,.5))';
        cursor.innerHTML = '<circle cx="3" cy="3" r="0" fill="#E69F00" fill-opacity=".55"/>' +
            '<path d="M3 2v17l4.6-4.2 2.9 6.7 2.9-1.3-2.9-6.5h6.3z" fill="#111" stroke="#fff" ' +
            'stroke-width="1.4"/>';
        document.body.append(cursor);
    }
    cursor.style.overflow = 'visible';
    cursor.style.left = (x - 3.5) + 'px';
    cursor.style.top = (y - 2.5) + 'px';
    cursor.firstChild.setAttribute('r', pressed ? 13 : 0);
}"""


@dataclass
class Film:
    """Pictures of a page, each with how long it stands; later they become one file.

    Parameters
    ----------
    page : playwright's Page
    width : int
        Of the film, in pixels; the page is scaled down to it.
    """

    page: Any
    width: int
    pictures: list[Image.Image] = field(default_factory=list)
    durations: list[int] = field(default_factory=list)  # milliseconds
    at: tuple[float, float] = (640.0, 500.0)

    def shoot(self, milliseconds: int, *, pressed: bool = False) -> None:
        """Take a picture that stands for so long; one like the last only prolongs that."""
        self.page.evaluate(CURSOR, [*self.at, pressed])
        picture = Image.open(io.BytesIO(self.page.screenshot())).convert("RGB")
        height = round(picture.height * self.width / picture.width)
        picture = picture.resize((self.width, height), Image.Resampling.LANCZOS)
        if self.pictures and picture.tobytes() == self.pictures[-1].tobytes():
            self.durations[-1] += milliseconds
        else:
            self.pictures.append(picture)
            self.durations.append(milliseconds)

    def glide(self, x: float, y: float) -> None:
        """Move the mouse to a place, slower at both ends."""
        left, top = self.at
        for step in range(1, GLIDE_STEPS + 1):
            part = step / GLIDE_STEPS
            eased = part * part * (3 - 2 * part)
            self.at = (left + (x - left) * eased, top + (y - top) * eased)
            self.page.mouse.move(*self.at)
            self.shoot(GLIDE_MS)

    def glide_to(self, part: Any) -> None:
        """Move the mouse to the middle of a part of the page."""
        part.wait_for()
        box = part.bounding_box()
        self.glide(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    def click(self, part: Any) -> None:
        """Move the mouse to a part of the page and press it."""
        self.glide_to(part)
        self.shoot(180, pressed=True)
        self.page.mouse.click(*self.at)

    def seconds(self) -> float:
        """Return how long the film is."""
        return sum(self.durations) / 1000

    def write(self, file: Path, most_bytes: int) -> int:
        """Write the film, as finely as it fits into so many bytes; return its size in bytes."""
        first, *others = self.pictures
        content = b""
        for quality in QUALITIES:
            stream = io.BytesIO()
            first.save(
                stream,
                "WEBP",
                save_all=True,
                append_images=others,
                duration=self.durations,
                loop=0,
                quality=quality,
                method=4,
                allow_mixed=True,
                kmax=30,
            )
            content = stream.getvalue()
            if len(content) <= most_bytes:
                break
        file.write_bytes(content)
        return len(content)
