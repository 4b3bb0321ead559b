// What mouse and fingers do in the maps.

const NEAR = 10; // pixels from a point, within which the mouse is on it
const DRAGGED = 4; // pixels, from which on a press is no click
const MOST_ZOOM = 60;

class Mouse {
  // --- the mouse ---

  _listen() {
    const { stage } = this;
    stage.addEventListener("wheel", (event) => this._wheel(event), { passive: false });
    stage.addEventListener("pointerdown", (event) => this._down(event));
    stage.addEventListener("pointermove", (event) => this._move(event));
    stage.addEventListener("pointerup", (event) => this._up(event));
    stage.addEventListener("pointercancel", (event) => this._cancel(event));
    stage.addEventListener("pointerleave", () => this._hover(null));
    stage.addEventListener("dblclick", (event) => {
      if (!event.target.closest("button")) this.resetZoom();
    });
  }

  _at(event) {
    const box = this.chart.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  _wheel(event) {
    if (!this.view) return;
    const [x, y] = this._at(event);
    const map = this._mapAt(x, y);
    // Where there is nothing to zoom out of, the wheel scrolls the page.
    if (!map || (this.zoom.k === 1 && event.deltaY > 0)) return;
    event.preventDefault();
    this.zoomAt(map, Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.002)));
  }

  /** Enlarge all maps around a place of one, which stays where it is. */
  zoomAt(map, factor) {
    const k = clamp(this.zoom.k * factor, 1, MOST_ZOOM);
    const part = this.zoom.k / k;
    this._zoomTo(k, map.u + (this.zoom.x - map.u) * part, map.v + (this.zoom.y - map.v) * part);
  }

  resetZoom() {
    this._zoomTo(1, 0.5, 0.5);
  }

  _zoomTo(k, x, y) {
    const half = 0.5 / k;
    this.zoom = { k, x: clamp(x, half, 1 - half), y: clamp(y, half, 1 - half) };
    this._redrawSoon();
  }

  _redrawSoon() {
    if (this.zooming) return;
    this.zooming = true;
    this._change(async () => {
      this.zooming = false;
      if (!this.view) return;
      this._setZoom();
      await this.view.runAsync();
      this._drawOverlay();
    });
  }

  _mode(panning) {
    this.panning = panning;
    this.boxTool.setAttribute("aria-pressed", String(!panning));
    this.panTool.setAttribute("aria-pressed", String(panning));
    this.stage.classList.toggle("panning", panning);
  }

  _down(event) {
    if (event.target.closest("button") || !this.view) return;
    const [x, y] = this._at(event);
    this.pointers.set(event.pointerId, [x, y]);
    if (this.pointers.size === 2) {
      this.press = null;
      this.pinch = this._spread();
      return;
    }
    const pans = this.panning || event.altKey || event.button === 1;
    if (event.button > 1) return;
    this.press = { x, y, pans, shift: event.shiftKey, touch: event.pointerType === "touch", from: { ...this.zoom }, map: this._mapAt(x, y) };
    if (event.pointerType !== "touch" || pans) stageCapture(this.stage, event.pointerId);
    if (event.button === 1) event.preventDefault();
  }

  _spread() {
    const [[ax, ay], [bx, by]] = [...this.pointers.values()];
    return { distance: Math.hypot(ax - bx, ay - by), x: (ax + bx) / 2, y: (ay + by) / 2 };
  }

  _move(event) {
    if (!this.view) return;
    const [x, y] = this._at(event);
    if (this.pointers.has(event.pointerId)) this.pointers.set(event.pointerId, [x, y]);
    if (this.pinch && this.pointers.size === 2) {
      const now = this._spread();
      const map = this._mapAt(now.x, now.y);
      if (map && now.distance && this.pinch.distance) this.zoomAt(map, now.distance / this.pinch.distance);
      this.pinch = now;
      return;
    }
    const { press } = this;
    if (!press) {
      if (event.pointerType !== "touch") this._hover(this._nearestTo(x, y));
      return;
    }
    press.dragged ||= Math.hypot(x - press.x, y - press.y) > DRAGGED;
    if (!press.dragged || (press.touch && !press.pans)) return;
    if (press.pans) {
      const scale = this.side * press.from.k;
      this._zoomTo(press.from.k, press.from.x - (x - press.x) / scale, press.from.y + (y - press.y) / scale);
    } else {
      press.box = [Math.min(x, press.x), Math.min(y, press.y), Math.max(x, press.x), Math.max(y, press.y)];
      this._drawOverlay();
    }
  }

  _up(event) {
    this.pointers.delete(event.pointerId);
    if (this.pinch) {
      if (!this.pointers.size) this.pinch = null;
      return;
    }
    const { press } = this;
    this.press = null;
    if (!press) return;
    if (press.box) {
      const [left, top, right, bottom] = press.box;
      const rows = new Set(press.shift ? this.selected : []);
      for (const place of this.places()) {
        const inside = left <= place.x && place.x <= right && top <= place.y && place.y <= bottom;
        if (inside && this._hasColour(place.panel, place.i)) rows.add(this.points.row[place.i]);
      }
      this.select(rows);
      this._drawOverlay();
    } else if (!press.dragged) {
      this._click(press);
    }
  }

  _cancel(event) {
    this.pointers.delete(event.pointerId);
    this.press = this.pinch = null;
    this._drawOverlay();
  }

  _click(press) {
    const place = this._nearestTo(press.x, press.y);
    if (!place) {
      if (this.selected.size && !press.shift) this.select(new Set());
      return;
    }
    const row = this.points.row[place.i];
    const rows = new Set(press.shift ? this.selected : []);
    if (press.shift && rows.has(row)) rows.delete(row);
    else rows.add(row);
    if (!press.shift && this.selected.size === 1 && this.selected.has(row)) rows.clear();
    this.select(rows);
  }

  /** Select examples: shown at once, and told to the page. */
  select(rows) {
    if (!this.talk.select) return;
    if (rows.size === this.selected.size && [...rows].every((row) => this.selected.has(row))) return;
    this.selected = rows;
    this.talk.select([...rows]);
    if (this.talk.local) this._pick();
    this._change(async () => {
      this._setExamples();
      this.drawn.selection = [...rows].join();
      await this.view.runAsync();
      this._drawOverlay();
    });
  }

  /** List what is selected, where no page does. */
  _pick() {
    const { points } = this;
    const items = [...this.selected].slice(0, MOST_LISTED).map((row) => {
      const i = points.indexOf.get(row);
      return { id: points.names[i], name: points.names[i], text: points.texts[i], about: points.labels[points.label[i]] };
    });
    const more = this.selected.size - items.length;
    const count = this.selected.size ? `${this.selected.size.toLocaleString("en")} selected` : "";
    this.state.picked = { count, items, more: more > 0 ? `and ${more.toLocaleString("en")} more` : "" };
    this._pane();
  }
}

function stageCapture(stage, pointer) {
  try {
    stage.setPointerCapture(pointer);
  } catch (error) {
    // The pointer is gone already: what it began ends with the next one.
  }
}
