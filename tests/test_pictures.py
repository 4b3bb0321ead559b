"""README's pictures and tour: what the film holds, and what the bench asks for."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from layerviz.bench import pictures
from layerviz.bench.film import Film
from layerviz.errors import ConfigError


def test_the_film_keeps_time_and_stays_under_its_size(tmp_path):
    rng = np.random.default_rng(0)
    drawn = [rng.integers(0, 256, (240, 320, 3), dtype=np.uint8) for _ in range(4)]

    class Mouse:
        def move(self, x: float, y: float) -> None: ...

    class Page:
        mouse, taken = Mouse(), 0

        def evaluate(self, *_) -> None: ...

        def screenshot(self) -> bytes:
            stream = io.BytesIO()
            Image.fromarray(drawn[min(self.taken // 2, 3)]).save(stream, "PNG")
            self.taken += 1
            return stream.getvalue()

    film = Film(Page(), width=160)
    for _ in range(8):  # each picture twice: the second only prolongs the first
        film.shoot(500)
    assert film.durations == [1000] * 4
    assert film.seconds() == 4.0
    fine, coarse = tmp_path / "fine.webp", tmp_path / "coarse.webp"
    limit = int(film.write(fine, 10**9) * 0.8)
    assert film.write(coarse, limit) <= limit
    with Image.open(coarse) as opened:
        assert opened.size == (160, 120)
        assert getattr(opened, "n_frames", 1) == 4


def test_pictures_want_runs_of_several_encoders_and_names_that_exist(tmp_path):
    with pytest.raises(ConfigError, match=r"no picture called cat.*"):
        pictures.measure(tmp_path, tmp_path / "out", names=["cat"], print_line=print)
    with pytest.raises(ConfigError, match="two encoders or more"):
        pictures._compared(tmp_path)
