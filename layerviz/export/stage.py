"""One frame of an animation: panels, captions and dots, drawn with Pillow."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from PIL import Image, ImageColor, ImageDraw

from layerviz import charts
from layerviz.config import SPLITS
from layerviz.export.dots import disc, dot_radius, round_dot
from layerviz.export.fonts import cut, font, wrapped
from layerviz.poolings import pooling_label
from layerviz.views import MAPS_FOOTNOTE, RunMaps, head_scores, probe_scores
from layerviz.wording import epoch_name, epoch_number, layer_name, map_figures

SUPERSAMPLED = 3  # times as many pixels across, from which dots get their smooth edges
RIM = 0.45  # pixels of paper around a dot, which keep dots apart where they crowd
MARGIN, GUTTER, PAD = 0.024, 0.028, 0.008  # of the picture's width
TALL = {1: 0.86, 2: 0.73, 3: 0.88, 4: 1.04}  # height of a panel over its width, by columns
TITLE_SIZE, FOOTNOTE_SIZE = 15, 13  # of letters, in a frame of 1,200
USUAL_PANEL = 250  # width of a panel, in a frame of 1,200, in which dots have their usual size


@dataclass(frozen=True)
class Ink:
    """The colours of a frame, dots apart."""

    paper: str
    strong: str
    soft: str
    faint: str
    line: str


LIGHT = Ink("#FFFFFF", "#1F2430", "#5A6272", "#A9AFBA", "#DDE0E6")
DARK = Ink("#14171D", "#F2F3F5", "#B3BAC6", "#6A7280", "#343A45")


@dataclass(frozen=True)
class Moment:
    """A point of time between two snapshots of a view.

    Parameters
    ----------
    slot, following : int
        Positions among the snapshots; the same while the points rest.
    part : float
        How far the points have gone from the one to the other, 0 to 1.
    """

    slot: int
    following: int
    part: float = 0.0

    @property
    def resting(self) -> bool:
        return self.slot == self.following


class Stage:
    """Draws the frames of one view, all alike but for what moves.

    Parameters
    ----------
    maps : RunMaps
    width : int
        Of a frame in pixels; the height follows.
    table : DataFrame
        The run's measures.
    dark : bool
        Whether the paper is.
    """

    def __init__(self, maps: RunMaps, width: int, table: pd.DataFrame, dark: bool) -> None:
        self.maps, self.width, self.ink = maps, width, DARK if dark else LIGHT
        self._unit = width / 1200
        self._margin = MARGIN * width
        layers = maps.view.layers
        self._grid = charts.Grid.of(len(layers), maps.view.splits)
        n_sides = len(maps.view.splits)
        side_width = (width - 2 * self._margin - (n_sides - 1) * GUTTER * width) / n_sides
        self._panel_width = side_width / self._grid.columns
        self._panel_height = TALL[self._grid.columns] * self._panel_width
        self._title_height = 45 * self._unit  # two lines
        self._legend = self._legend_positions()
        legend_bottom = max((y for _, y, _, _ in self._legend), default=self._legend_top())
        self.panels_top = legend_bottom + 62 * self._unit
        bottom = self.panels_top + self._grid.rows * self._panel_height
        typeface = font(FOOTNOTE_SIZE * self._unit, MAPS_FOOTNOTE)
        self._footnote = wrapped(MAPS_FOOTNOTE, typeface, width - 2 * self._margin)
        self._timeline_y = bottom + 26 * self._unit
        self._footnote_top = bottom + (66 if len(maps.epochs) > 1 else 12) * self._unit
        height = self._footnote_top + (18 * len(self._footnote) + 10) * self._unit
        self.height = 2 * math.ceil(height / 2)  # even, as encoders like it
        self._captions = _captions(maps, table)
        self._colours = maps.colours()
        self._palette = _as_pixels([_rgb(colour) for colour in charts.PALETTE])
        self._order = {
            split: np.random.default_rng(0).permutation(maps.rows[maps.splits[maps.rows] == split])
            for split in maps.view.splits
        }  # no class always on top of the others
        self._unit_squares = {
            layer: of_layer.in_unit_square() for layer, of_layer in maps.by_layer.items()
        }
        crowding = min(1.0, (self._panel_width / (USUAL_PANEL * self._unit)) ** 0.5)
        usual = dot_radius(max(map(len, self._order.values())), len(layers))
        self._radius = crowding * usual * self._unit
        self._bases: dict[tuple, Image.Image] = {}

    def frame(self, moment: Moment) -> Image.Image:
        """Return one frame, RGB."""
        base = np.asarray(self._base(moment).convert("RGBX")).view(np.uint32)[:, :, 0]  # (H, W)
        pixels = base.repeat(SUPERSAMPLED, axis=0).repeat(SUPERSAMPLED, axis=1)
        for index, layer in enumerate(self.maps.view.layers):
            for side, split in enumerate(self._grid.splits):
                self._dots(
                    pixels, moment, layer, self._order[split], *self.panel_middle(index, side)
                )
        size = (self.width * SUPERSAMPLED, self.height * SUPERSAMPLED)
        image = Image.frombuffer("RGBX", size, pixels, "raw", "RGBX", 0, 1)
        image = image.reduce(SUPERSAMPLED).convert("RGB")
        self._timeline(ImageDraw.Draw(image), moment)
        return image

    def colours_used(self) -> list[tuple[int, int, int]]:
        """Return the colours of paper, ink and dots, without the blends at their edges."""
        codes = np.unique(np.concatenate([codes[self.maps.rows] for codes in self._colours]))
        dots = [charts.PALETTE[code] for code in codes]
        return [_rgb(colour) for colour in (*vars(self.ink).values(), *dots)]

    # --- dots -------------------------------------------------------------------------------

    def _dots(
        self,
        pixels: np.ndarray,
        moment: Moment,
        layer: int,
        rows: np.ndarray,
        x: float,
        y: float,
    ) -> None:
        """Draw the dots of one panel around its middle, later ones over earlier ones.

        A pixel is one number of `_as_pixels`: three bytes apart take three times as long.
        """
        squares = self._unit_squares[layer]
        xy = squares[moment.slot, rows] * (1 - moment.part)
        xy = xy + squares[moment.following, rows] * moment.part
        nearer = moment.slot if moment.part < 0.5 else moment.following
        colours = self._palette[self._colours[nearer][rows]]  # (n,)
        side = self.map_side()
        across = np.rint((x + (xy[:, 0] - 0.5) * side) * SUPERSAMPLED).astype(np.intp)
        down = np.rint((y - (xy[:, 1] - 0.5) * side) * SUPERSAMPLED).astype(np.intp)
        offsets, inside = disc(self._radius * SUPERSAMPLED, RIM * self._unit * SUPERSAMPLED)
        # Dot by dot: where an index comes twice, NumPy keeps what was assigned last.
        values = np.where(inside, colours[:, None], _as_pixels([_rgb(self.ink.paper)]))
        width = pixels.shape[1]
        places = (down * width + across)[:, None] + (offsets[:, 1] * width + offsets[:, 0])
        pixels.ravel()[places] = values

    def map_side(self) -> float:
        """Return the size of a map's unit square, in pixels, with room for whole dots."""
        room = self._panel_height - self._title_height - 2 * PAD * self.width
        return min(self._panel_width - 2 * PAD * self.width, room) - 2 * self._radius - 2

    def _corner(self, index: int, side: int) -> tuple[float, float]:
        row, column = divmod(index, self._grid.columns)
        side_width = self._grid.columns * self._panel_width
        left = self._margin + side * (side_width + GUTTER * self.width)
        return left + column * self._panel_width, self.panels_top + row * self._panel_height

    def panel_middle(self, index: int, side: int) -> tuple[float, float]:
        """Return the middle of the map in one panel, in pixels; `side` counts the splits."""
        left, top = self._corner(index, side)
        height = self._panel_height - self._title_height - PAD * self.width
        return left + self._panel_width / 2, top + self._title_height + height / 2

    # --- captions ---------------------------------------------------------------------------

    def _base(self, moment: Moment) -> Image.Image:
        key = (moment.slot, moment.following)
        if key not in self._bases:
            self._bases = {key: self._drawn_base(moment)}  # frames come in order: one is enough
        return self._bases[key]

    def _drawn_base(self, moment: Moment) -> Image.Image:
        image = Image.new("RGB", (self.width, self.height), self.ink.paper)
        draw, unit, run = ImageDraw.Draw(image), self._unit, self.maps.run
        right = self.width - self._margin
        when = self._when(moment)
        when_width = font(30 * unit, when).getlength(when)
        title = f"{run.encoder['label']} on {run.dataset['name']}"
        self._write(draw, (self._margin, 22 * unit), title, 30, right - when_width - 60 * unit)
        draw.text(
            (right, 22 * unit), when, self.ink.strong, font=font(30 * unit, when), anchor="ra"
        )
        soft = self.ink.soft if moment.resting else self.ink.faint
        scores = self._captions[moment.slot]
        room = self.width - 2 * self._margin
        self._write(draw, (self._margin, 66 * unit), scores, 19, room, soft)
        at = (self._margin, self._legend_top())
        self._write(draw, at, self.maps.legend().title, 17, room, self.ink.soft)
        for x, y, name, colour in self._legend:
            self._legend_entry(draw, x, y, name, colour)
        for side, split in enumerate(self._grid.splits):
            left = self._corner(0, side)[0] + PAD * self.width / 2
            heading = (
                f"{split.capitalize()} (n = {self.maps.sizes[split]:,}) · "
                f"{self.maps.projection_in_words()}"
            )
            top = self.panels_top - 30 * unit
            self._write(draw, (left, top), heading, 20, self._grid.columns * self._panel_width)
            for index, layer in enumerate(self.maps.view.layers):
                self._panel(draw, moment, index, layer, side, soft)
        for line, words in enumerate(self._footnote):
            at = (self._margin, self._footnote_top + 18 * line * unit)
            self._write(draw, at, words, FOOTNOTE_SIZE, math.inf, self.ink.soft)
        return image

    def _when(self, moment: Moment) -> str:
        if moment.resting:
            return epoch_name(self.maps.epochs[moment.slot]).capitalize()
        ends = [epoch_number(self.maps.epochs[at]) for at in (moment.slot, moment.following)]
        return f"Epoch {ends[0]} to {ends[1]}"

    def _panel(
        self,
        draw: ImageDraw.ImageDraw,
        moment: Moment,
        index: int,
        layer: int,
        side: int,
        soft: str,
    ) -> None:
        left, top = self._corner(index, side)
        pad = PAD * self.width / 2
        box = (
            left + pad,
            top + pad,
            left + self._panel_width - pad,
            top + self._panel_height - pad,
        )
        draw.rounded_rectangle(box, 5 * self._unit, outline=self.ink.line, width=1)
        unit = self._unit
        left_end, right_end = box[0] + 9 * unit, box[2] - 9 * unit
        name, of_layer = layer_name(layer), self.maps.by_layer[layer]
        figure = (moment.slot, SPLITS.index(self._grid.splits[side]))
        score, trust = self.maps.scores[layer][figure], of_layer.trust[figure]
        kept = np.nan if of_layer.kept is None else of_layer.kept[figure]
        of_map = "   ".join(map_figures(np.nan, trust, kept))
        room = right_end - left_end
        size = min(self._fitting_size(f"{name}   F1 0.00", room), self._fitting_size(of_map, room))
        for words, top, colour, end in (
            (name, 6, self.ink.strong, "la"),
            ("".join(map_figures(score, np.nan, np.nan)), 6, soft, "ra"),
            (of_map, 25, soft, "la"),
        ):
            at = (left_end if end == "la" else right_end, box[1] + top * unit)
            draw.text(at, words, colour, font=font(size * unit, words), anchor=end)

    def _fitting_size(self, words: str, room: float) -> float:
        """Return the size of letters, in a frame of 1,200, in which words fit into their panel."""
        width = font(TITLE_SIZE * self._unit, words).getlength(words)
        return TITLE_SIZE * min(1.0, room / width) if width else TITLE_SIZE

    def _timeline(self, draw: ImageDraw.ImageDraw, moment: Moment) -> None:
        """Draw where in the training the frame is; tick marks are snapshots."""
        epochs, unit = self.maps.epochs, self._unit
        if len(epochs) < 2:
            return
        left, right = self._margin + 62 * unit, self.width - self._margin - 12 * unit
        y, span = self._timeline_y, epochs[-1] - epochs[0] or 1
        ticks = [left + (epoch - epochs[0]) / span * (right - left) for epoch in epochs]
        now = ticks[moment.slot] * (1 - moment.part) + ticks[moment.following] * moment.part
        self._write(draw, (self._margin, y - 9 * unit), "Epoch", 16, 60 * unit, self.ink.soft)
        draw.line((left, y, right, y), self.ink.line, width=max(1, round(3 * unit)))
        draw.line((left, y, now, y), self.ink.soft, width=max(1, round(3 * unit)))
        free = -math.inf
        for x, epoch in zip(ticks, epochs, strict=True):
            round_dot(draw, x, y, 4 * unit, self.ink.soft if x <= now else self.ink.line)
            number = epoch_number(epoch)
            if x > free:
                typeface = font(14 * unit, number)
                draw.text((x, y + 10 * unit), number, self.ink.soft, font=typeface, anchor="ma")
                free = x + typeface.getlength(number) + 14 * unit
        round_dot(draw, now, y, 7.5 * unit, self.ink.strong)

    def _write(
        self,
        draw: ImageDraw.ImageDraw,
        at: tuple[float, float],
        text: str,
        size: float,
        room: float,
        colour: str | None = None,
    ) -> None:
        typeface = font(size * self._unit, text)
        draw.text(at, cut(text, typeface, room), colour or self.ink.strong, font=typeface)

    # --- legend -----------------------------------------------------------------------------

    def _legend_top(self) -> float:
        return 106 * self._unit

    def _legend_positions(self) -> list[tuple[float, float, str, str]]:
        """Return where each entry of the legend stands, line by line."""
        legend = self.maps.legend()
        entries = list(legend.entries)
        if legend.ramp is not None:
            steps = legend.ramp.colours
            names = {0: legend.ramp.low, len(steps) - 1: legend.ramp.high}
            on_scale = [(names.get(step, ""), colour) for step, colour in enumerate(steps)]
            entries = [*on_scale, *entries]
        title = legend.title
        indent = font(17 * self._unit, title).getlength(title) + 14 * self._unit
        positions, x, y = [], self._margin + indent, self._legend_top()
        for name, colour in entries:
            typeface = font(17 * self._unit, name)
            name = cut(name, typeface, 260 * self._unit)
            width = (24 + (22 if name else -10)) * self._unit + typeface.getlength(name)
            if x + width > self.width - self._margin:
                x, y = self._margin + indent, y + 26 * self._unit
            positions.append((x, y, name, colour))
            x += width
        return positions

    def _legend_entry(
        self, draw: ImageDraw.ImageDraw, x: float, y: float, name: str, colour: str
    ) -> None:
        unit = self._unit
        round_dot(draw, x + 8 * unit, y + 11 * unit, 6.5 * unit, colour)
        self._write(draw, (x + 22 * unit, y), name, 17, math.inf)


def _rgb(colour: str) -> tuple[int, int, int]:
    red, green, blue, *_ = ImageColor.getrgb(colour)
    return red, green, blue


def _as_pixels(colours: list[tuple[int, int, int]]) -> np.ndarray:
    """Return colours as Pillow lays out pixels in memory, four bytes each: uint32 of shape (n,)."""
    filled = np.array([(*colour, 255) for colour in colours], dtype=np.uint8)
    return filled.view(np.uint32)[:, 0]


def _captions(maps: RunMaps, table: pd.DataFrame) -> list[str]:
    """Return per snapshot how the classifier and the best of all layers' probes score on val."""
    heads = head_scores(table)
    layers = range(1, int(maps.run.encoder["layers"]) + 1)
    probes = probe_scores(table, maps.view.pooling, layers, maps.snapshots)
    captions = []
    for slot, index in enumerate(maps.snapshots):
        scores = []
        if index in heads and not np.isnan(heads[index]):
            scores.append(f"the classifier {heads[index]:.2f}")
        val = {layer: v[slot, 1] for layer, v in probes.items() if not np.isnan(v[slot, 1])}
        if val:
            best = max(val, key=val.__getitem__)
            pooling = pooling_label(maps.view.pooling)
            scores.append(
                f"the highest of {len(val)} {pooling}-pooled probes {val[best]:.2f} (layer {best})"
            )
        captions.append(f"Val macro-F1: {', '.join(scores)}" if scores else "Not measured yet")
    return captions
