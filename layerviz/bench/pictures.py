"""README's pictures and its tour, made anew: train on the sample, drive the page, look."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from layerviz import encoders, runs
from layerviz.bench.browser import IDLE, ROOT, chromium, server
from layerviz.bench.film import Film
from layerviz.errors import ConfigError
from layerviz.runs import Run

PAGE_SIZE = (1440, 1412)  # of the picture that README begins with
TOUR_SIZE, TOUR_WIDTH = (1360, 1020), 1000
MOST_BYTES = 4_000_000
SECONDS = 1000  # milliseconds in one
PATIENCE = 600 * SECONDS  # the first maps of a machine that trains meanwhile take long
TOUR = "tour"
# Where the main part is, and the last line above `most` that runs through nothing.
CUT = """most => {
    const main = document.querySelector('[data-testid=stMainBlockContainer]').firstElementChild;
    const parts = [...main.querySelectorAll('[data-testid=stElementContainer]')]
        .map(part => part.getBoundingClientRect()).filter(part => part.height > 0);
    const ends = parts.map(part => part.bottom).filter(end => end <= most
        && !parts.some(part => part.top < end - 1 && part.bottom > end + 1));
    const whole = main.getBoundingClientRect();
    return [whole.x, whole.y, whole.width, Math.max(...ends, whole.y + 100)];
}"""


def measure(
    root: Path | None,
    out: Path,
    *,
    names: list[str] | None = None,
    print_line: Callable[[str], None],
) -> dict[str, Any]:
    """Make the pictures of the page and the tour; return what was written.

    Parameters
    ----------
    root : Path or None
        A folder with finished runs of all starters on one data set; it is copied, not changed.
        None trains them on the sample, which takes some minutes.
    out : Path
        The folder that the pictures are written to.
    names : list of str, optional
        The pictures wanted (default: all).
    print_line : callable
        Says what is being made.

    Returns
    -------
    dict
        ``files``: per picture its ``bytes``, and for the tour its ``seconds``.

    Raises
    ------
    ConfigError
        If playwright, Chromium or the runs are missing, or a name is unknown.
    """
    wanted = [*PICTURES, TOUR] if names is None else names
    if unknown := sorted(set(wanted) - {*PICTURES, TOUR}):
        raise ConfigError(
            f"There is no picture called {', '.join(unknown)}.",
            f"Choose among {', '.join([*PICTURES, TOUR])}.",
        )
    files: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        here = Path(folder) / "runs"
        if root is None:
            print_line("training the starters on the sample")
            _train(here)
        else:
            shutil.copytree(root, here)
        compared = _compared(here)
        out.mkdir(parents=True, exist_ok=True)
        with server(here) as address:
            for name in wanted:
                print_line(name)
                if name == TOUR:
                    files["tour.webp"] = _tour(browser, address, compared, out / "tour.webp")
                    continue
                look = _Look(browser, address, compared)
                file = out / f"{name}.png"
                PICTURES[name](look, file)
                look.context.close()
                files[file.name] = {"bytes": file.stat().st_size}
    return {"what": f"pictures of the page in {out}", "files": files}


def as_text(result: dict[str, Any]) -> str:
    """Return what was written, a line for each file."""
    lines = [result["what"]]
    for name, facts in result["files"].items():
        length = f", {facts['seconds']:.0f} s" if "seconds" in facts else ""
        lines.append(f"  {name}: {facts['bytes'] / 1e6:.2f} MB{length}")
    return "\n".join(lines)


def _train(root: Path) -> None:
    """Fine-tune every bundled starter on the sample, as the page's Compare does."""
    names = [info.name for info in encoders.catalogue() if info.source == "bundled"]
    chosen = [part for name in names for part in ("--encoder", name)]
    command = [sys.executable, "-m", "layerviz", "compare", *chosen, "--runs", str(root)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def _compared(root: Path) -> list[Run]:
    """Return the finished runs of one data set with the most of them, BERT's first."""
    finished = [run for run in runs.list_runs(root) if run.status == "done"]
    by_data: dict[str, list[Run]] = {}
    for run in finished:
        by_data.setdefault(run.dataset["fingerprint"], []).append(run)
    most = max(by_data.values(), key=len, default=[])
    if len(most) < 2:
        raise ConfigError(
            "The pictures need finished runs of two encoders or more on the same data.",
            "Leave out --runs to have them trained, or name a folder that holds them.",
        )
    return sorted(most, key=lambda run: (not run.config.encoder.startswith("bert"), run.run_id))


class _Look:
    """One picture: the page in a context of its own."""

    def __init__(self, browser: Any, address: str, compared: list[Run]) -> None:
        width, height = PAGE_SIZE
        self.context = browser.new_context(viewport={"width": width, "height": height})
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.address, self.compared = address, compared

    def open(self, query: str) -> None:
        self.page.goto(f"{self.address}/?{query}")
        self.page.wait_for_selector("[role=tab]")
        self.rest()

    def open_run(self, tab: str) -> None:
        self.open(f"run={self.compared[0].run_id}")
        self.tab(tab)

    def tab(self, name: str) -> None:
        self.page.get_by_role("tab", name=name, exact=True).first.click()
        self.rest()

    def rest(self, milliseconds: int = 2500) -> None:
        """Wait until the script is done and what it drew has come to rest."""
        self.page.wait_for_timeout(400)
        self.page.wait_for_selector(IDLE)
        self.page.wait_for_timeout(milliseconds)
        self.page.wait_for_selector(IDLE)

    def choose_tsne(self) -> None:
        self.page.get_by_role("radio", name="t-SNE").click()
        self.rest()
        deadline = time.monotonic() + PATIENCE / SECONDS
        while self.page.get_by_text("Drawing t-SNE").count() and time.monotonic() < deadline:
            self.page.wait_for_timeout(SECONDS)
        self.rest()

    def take_window(self, file: Path) -> None:
        self.page.mouse.move(2, 2)
        _write(self.page.screenshot(), file)

    def take_main(self, file: Path, most: int = 1500) -> None:
        """Take the main part without the sidebar, at most `most` pixels, and nothing cut in two."""
        width, height = PAGE_SIZE
        self.page.set_viewport_size({"width": width, "height": max(most, height)})
        self.rest()
        self.page.mouse.move(2, 2)
        x, y, wide, end = self.page.evaluate(CUT, most)
        clip = {"x": x - 16, "y": y - 12, "width": wide + 32, "height": end - y + 24}
        _write(self.page.screenshot(clip=clip), file)


def _write(screenshot: bytes, file: Path) -> None:
    """Write a picture of the page with 256 colours: it looks the same, at a third of the size."""
    picture = Image.open(io.BytesIO(screenshot)).convert("RGB")
    few = picture.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(file, "PNG", optimize=True)


def _whole_page(look: _Look, file: Path) -> None:
    look.open_run("Maps")
    look.choose_tsne()
    look.take_window(file)


def _layers(look: _Look, file: Path) -> None:
    look.open_run("Layers")
    look.take_main(file)


def _training(look: _Look, file: Path) -> None:
    look.open_run("Training")
    look.take_main(file)


def _example(look: _Look, file: Path) -> None:
    look.open_run("Maps")
    table = look.page.get_by_test_id("stDataFrame").last
    table.scroll_into_view_if_needed()
    box = table.bounding_box()
    look.page.mouse.click(box["x"] + 18, box["y"] + 53)  # the box of the first row
    look.page.get_by_text("What the classifier predicts, epoch by epoch").wait_for()
    look.rest()
    look.take_main(file, most=1800)


def _comparison(look: _Look, file: Path) -> None:
    look.open(f"compare={','.join(run.run_id for run in look.compared)}")
    look.take_main(file)


PICTURES: dict[str, Callable[[_Look, Path], None]] = {
    "page": _whole_page,
    "layers": _layers,
    "training": _training,
    "example": _example,
    "compare": _comparison,
}


def _tour(browser: Any, address: str, compared: list[Run], file: Path) -> dict[str, float]:
    """Film a first visit: start, maps, the epochs, a point, the answer, layers, a comparison."""
    width, height = TOUR_SIZE
    context = browser.new_context(viewport={"width": width, "height": height})
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    look = _Look(browser, address, compared)
    look.context.close()
    look.page, look.context = page, context
    page.goto(address)
    page.get_by_role("button", name="Fine-tune").wait_for()
    look.rest()
    film = Film(page, TOUR_WIDTH)
    film.shoot(2000)
    film.click(page.get_by_role("button", name="Fine-tune"))
    # Either it is trained now, or the run is there already and is opened.
    page.get_by_role("tab", name="Maps").first.wait_for()
    slider = page.get_by_role("slider", name="Epoch")
    slider.wait_for()
    look.rest()
    film.shoot(2000)
    film.click(page.get_by_role("button", name="Play the epochs"))
    for _ in range(14):
        page.wait_for_timeout(250)
        film.shoot(330)
    maps = slider.bounding_box()
    film.glide(maps["x"] + 110, maps["y"] + 230)
    for step in range(4):
        film.glide(maps["x"] + 90 + 14 * step, maps["y"] + 200 + 12 * step)
        page.wait_for_timeout(300)
        film.shoot(600)
    answer = page.get_by_text("Best layer", exact=True).first
    film.glide_to(answer)
    film.shoot(3000)
    film.click(page.get_by_role("tab", name="Layers", exact=True).first)
    look.rest()
    film.shoot(1500)
    film.page.mouse.wheel(0, 420)
    page.wait_for_timeout(800)
    film.shoot(3000)
    film.page.mouse.wheel(0, -4000)
    page.wait_for_timeout(800)
    # Comparing trains for minutes; the film shows the press, and then what comes of it.
    film.glide_to(page.get_by_role("button", name="Compare 3 encoders").first)
    film.shoot(700, pressed=True)
    look.open(f"compare={','.join(run.run_id for run in compared)}")
    film.shoot(3500)
    film.click(page.get_by_role("tab", name="Scores", exact=True).first)
    look.rest()
    film.shoot(3500)
    context.close()
    size = film.write(file, MOST_BYTES)
    return {"bytes": size, "seconds": film.seconds()}
