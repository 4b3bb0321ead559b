// The maps with their controls, legend and pane, in an element of the page: how they are drawn.

const BESIDE = 900; // pixels of width, from which on the pane stands beside the maps
// What Vega-Lite has compiled, by the specification: drawn anew, a chart need not be compiled anew.
const COMPILED = new Map();
const PATH_FIELDS = ["row", "panel", "side", "at", "order", "x", "y", "colour"];

class Maps {
  /** `talk` has what the page wants to hear: slot, select, enlarge, open, clear. */
  constructor(root, talk = {}) {
    this.root = root;
    this.talk = talk;
    this.slot = 0;
    this.zoom = { k: 1, x: 0.5, y: 0.5 };
    this.isolated = new Set();
    this.panning = false;
    this.shown = { paths: true, centres: false, density: false };
    this.queue = Promise.resolve();
    this.page = 0;
    this.pointers = new Map();
    this._build();
  }

  // --- building ---

  _build() {
    this.play = iconButton("play", "Play the epochs", () => this._togglePlay(), { class: "tool play" });
    this.range = element("input", {
      type: "range", min: 0, max: 0, step: 1, value: 0, class: "slot", "aria-label": "Epoch",
    });
    this.range.addEventListener("input", () => {
      this._stop();
      this.show(Number(this.range.value));
    });
    this.range.addEventListener("change", () => this._tellSlot());
    this.ticks = element("div", { class: "ticks", "aria-hidden": "true" });
    this.moment = element("output", { class: "unseen" });
    this.track = element("div", { class: "track" }, this.range, this.ticks);
    this.timeline = element("div", { class: "timeline" }, this.play, this.track);

    this.legend = element("div", { class: "legend", role: "group", "aria-label": "Legend" });
    this.boxTool = iconButton("box", "Drag selects a box", () => this._mode(false), { "aria-pressed": "true" });
    this.panTool = iconButton("pan", "Drag moves the maps", () => this._mode(true), { "aria-pressed": "false" });
    this.resetTool = iconButton("reset", "Reset the zoom", () => this.resetZoom(), { disabled: true });
    this.fullTool = iconButton("full", "Full screen", () => this._fullscreen());
    this.dataTool = iconButton("data", "Show the points as a table", () => this._toggleData(), { "aria-expanded": "false" });
    this.toggles = {
      centres: this._toggle("centres", "Centroids: the mean position of each colour on this map"),
      density: this._toggle("density", "Density: lines that hold 50 % and 90 % of a colour's points on this map"),
      paths: this._toggle("paths", "Paths: the way of the selected examples through the epochs"),
    };
    this.toggles.paths.hidden = true;
    this.tools = element("div", { class: "tools", role: "group", "aria-label": "Tools of the maps" },
      this.toggles.paths, this.toggles.centres, this.toggles.density,
      this.boxTool, this.panTool, this.resetTool, this.dataTool, this.fullTool);

    this.chart = element("div", { class: "chart", role: "img" });
    this.overlay = element("canvas", { class: "overlay", "aria-hidden": "true" });
    this.titles = element("div", { class: "titles" });
    this.stage = element("div", { class: "stage" }, this.chart, this.overlay, this.titles);
    this._listen();

    this.facts = element("div", { class: "facts" });
    this.picked = element("div", { class: "picked" });
    this.pane = element("aside", { class: "pane", "aria-label": "Examples" }, this.facts, this.picked);
    this.table = element("section", { class: "data", hidden: true, "aria-label": "The points as a table" });
    this.failed = element("p", { class: "failed", role: "alert", hidden: true });
    const bar = element("div", { class: "bar" }, this.legend, this.tools);
    const left = element("div", { class: "left" }, this.timeline, this.moment, bar, this.failed, this.stage);
    this.root.replaceChildren(
      element("div", { class: "maps" }, element("div", { class: "body" }, left, this.pane), this.table));
    this.maps = this.root.firstElementChild;
    this.maps.instrument = this; // for whoever looks at the page from outside
    this.sizes = new ResizeObserver(() => this._resized());
    this.sizes.observe(this.maps);
    this.leaving = new AbortController();
    const { signal } = this.leaving;
    document.addEventListener("fullscreenchange", () => this._resized(), { signal });
    this._noFacts();
  }

  _toggle(name, label) {
    return iconButton(name, label, (event) => {
      this.shown[name] = !this.shown[name];
      event.currentTarget.setAttribute("aria-pressed", String(this.shown[name]));
      if (name === "paths") this._change(() => this._setPaths() || this.view.runAsync());
      else this._drawOverlay();
    }, { "aria-pressed": String(this.shown[name]) });
  }

  destroy() {
    this._stop();
    clearTimeout(this.settling);
    this.leaving.abort();
    this.sizes.disconnect();
    if (this.made) this.made.finalize();
    this.made = this.view = null;
  }

  // --- what is drawn ---

  /** Keep the room that the maps will fill, so that what is below them stays where it is. */
  reserve(state) {
    if (this.state) return;
    this.state = state;
    this._shape();
    if (this.stageWidth()) this.stage.style.height = this._layout().height + "px";
    this.state = null;
  }

  /** Draw what was sent; what has not changed stays as it is. Returns when it is drawn. */
  update(state, points) {
    return this._change(async () => {
      const followed = !this.state || this.slot >= this.state.slots.length - 1;
      const before = this.state && this.state.slots[this.slot];
      const old = { state: this.state, points: this.points };
      this.state = state;
      this.points = points;
      this.selected = new Set(state.selected);
      if (points !== old.points) this.hovered = null; // it counts the points there were
      this._placeSlot(followed, before);
      if (!old.state || old.state.colours.codes !== state.colours.codes) {
        this.colours = new Colours(state.colours);
      }
      this.maps.classList.toggle("dark", Boolean(state.dark));
      this._legend(old.state);
      this._timeline();
      this._pane();
      await this._draw(old);
      if (!this.table.hidden) this._table();
    });
  }

  _placeSlot(followed, before) {
    const { slots, place } = this.state;
    const newest = slots.length - 1;
    if (place && place.asked !== this.asked) {
      this.asked = place.asked;
      this.slot = nearest(slots, place.snapshot);
    } else if (followed) {
      this.slot = newest;
    } else if (before) {
      this.slot = nearest(slots, before.snapshot);
    }
    this.slot = clamp(this.slot, 0, newest);
    this.toldSnapshot = place && place.snapshot; // where the page takes the slider to be
  }

  /** Do something after all that is being done; changes of one view never overlap. */
  _change(act) {
    this.queue = this.queue.then(act).catch((error) => this.fail(error));
    return this.queue;
  }

  fail(error) {
    this.failed.textContent = "The maps could not be drawn: " + error.message;
    this.failed.hidden = false;
    console.error(error);
  }

  _layout() {
    const { layouts } = this.state;
    return layouts.find((one) => this.stageWidth() >= one.from) || layouts.at(-1);
  }

  stageWidth() {
    return this.stage.clientWidth || this.maps.clientWidth;
  }

  async _draw(old) {
    if (!this.stageWidth()) return; // in a tab that is not open: drawn when it gets a size
    this._shape();
    const layout = this._layout();
    const font = getComputedStyle(this.maps).fontFamily;
    const anew = !this.view || layout.spec !== this.drawn.spec || font !== this.drawn.font;
    if (anew) await this._newView(layout, font);
    const { view, points, colours } = this;
    const other = (name) => anew || JSON.stringify(layout[name]) !== JSON.stringify(this.drawn[name]);
    const arranged = [points.withMaps, points.row, points.slots, colours.models, colours.slots].join(";");
    const moved = anew || arranged !== this.drawn.arranged;
    if (moved || other("centres")) {
      view.data("points", points.rows(layout.centres, colours.slots * points.n));
    }
    if (anew || points !== this.drawn.points) {
      view.signal("xs", points.x).signal("ys", points.y);
      view.signal("unit", points.unit).signal("shift", points.slots > 1 ? points.n : 0);
    }
    if (anew || colours !== this.drawn.colours) {
      view.signal("codes", colours.codes).signal("code_shift", colours.slots > 1 ? points.n : 0);
    }
    if (anew || other("panels")) view.data("panels", structuredClone(layout.panels));
    const selection = this.state.selected.join();
    if (moved || selection !== this.drawn.selection) this._setExamples();
    view.signal("palette", this.state.palette);
    view.signal("isolated", [...this.isolated]);
    view.signal("slot", this.slot);
    this._setZoom();
    this.drawn = {
      spec: layout.spec, font, arranged, selection, layout, points, colours,
      centres: layout.centres, panels: layout.panels,
    };
    this._setPaths();
    this._size(layout);
    await view.runAsync();
    this._titles();
    this._drawOverlay();
    this.maps.dataset.drawn = String(Number(this.maps.dataset.drawn || 0) + 1);
    this.maps.dispatchEvent(new CustomEvent("mapsdrawn", { bubbles: true, composed: true }));
    this.failed.hidden = true;
  }

  async _newView(layout, font) {
    if (this.made) this.made.finalize();
    this.made = this.view = null;
    const { renderer } = JSON.parse(layout.spec).usermeta.embedOptions;
    const options = { actions: false, hover: false, renderer, tooltip: false };
    const key = font + layout.spec;
    const known = COMPILED.get(key);
    const spec = known ? structuredClone(known) : this._specification(layout, font);
    this.made = await vegaEmbed(this.chart, spec, { ...options, mode: known ? "vega" : "vega-lite" });
    if (!known) COMPILED.set(key, structuredClone(this.made.vgSpec));
    this.view = this.made.view;
    this.drawn = {};
  }

  _specification(layout, font) {
    const spec = JSON.parse(layout.spec);
    Object.assign(spec, { width: this.stageWidth(), padding: 0, background: null, autosize: { type: "none" } });
    spec.config = { ...spec.config, font };
    return spec;
  }

  _setExamples() {
    const any = this.selected.size > 0;
    const highlighted = (row) => (any ? (this.selected.has(row) ? 2 : 0) : 1);
    this.view.data("examples", Array.from(this.points.row, (row) => ({ row, highlighted: highlighted(row) })));
  }

  _setPaths() {
    const paths = this.state.paths || [];
    this.toggles.paths.hidden = !paths.length;
    const { layout } = this.drawn;
    const rows = this.shown.paths ? paths.map((values) => {
      const path = {};
      PATH_FIELDS.forEach((field, at) => { path[field] = values[at]; });
      const [centre_x, centre_y] = layout.centres[path.panel][path.side];
      return { ...path, layer: path.panel, split: this.points.splits[path.side], centre_x, centre_y };
    }) : [];
    this.view.data("paths", rows);
  }

  _setZoom() {
    const { k, x, y } = this.zoom;
    this.view.signal("zoom", k).signal("zoom_x", x).signal("zoom_y", y);
    this.resetTool.disabled = k === 1;
  }

  // --- size ---

  _shape() {
    this.maps.classList.toggle("wide", this.maps.clientWidth >= BESIDE && !this.state.bare);
    this.maps.classList.toggle("bare", Boolean(this.state.bare));
  }

  _size(layout) {
    const full = document.fullscreenElement && this._isFull();
    const width = this.stageWidth();
    let height = layout.height;
    if (full) {
      const above = this.stage.getBoundingClientRect().top - this.maps.getBoundingClientRect().top;
      height = Math.max(layout.height, this.maps.clientHeight - above - 16);
    }
    this.stage.style.height = height + "px";
    this.view.width(width).height(height);
    const ratio = window.devicePixelRatio || 1;
    this.overlay.width = Math.round(width * ratio);
    this.overlay.height = Math.round(height * ratio);
    this.overlay.style.width = width + "px";
    this.overlay.style.height = height + "px";
    this.width = width;
    this.height = height;
  }

  _isFull() {
    return this.maps.matches(":fullscreen");
  }

  _resized() {
    if (!this.state || !this.maps.clientWidth) return;
    const size = [this.maps.clientWidth, this._isFull(), this._isFull() && this.maps.clientHeight].join();
    if (size === this.size) return;
    this.size = size;
    this._change(() => this._draw({}));
  }

  _fullscreen() {
    if (this._isFull()) document.exitFullscreen();
    else this.maps.requestFullscreen().catch(() => {});
  }

  // --- places of points ---

  get side() {
    return this.view.signal("map_side");
  }

  _stretch() {
    return this.height / this._layout().height;
  }

  /** Return the pixels of the middle of a map. */
  centre(panel, side) {
    const layout = this._layout();
    const [x, y] = layout.centres[panel][side];
    return [(x * this.width) / layout.width, y * this._stretch()];
  }

  /** Return the pixels of a position in the unit square of a map, null where it is not seen. */
  pixels(panel, side, [x, y]) {
    const u = (x - this.zoom.x) * this.zoom.k;
    const v = (y - this.zoom.y) * this.zoom.k;
    if (Math.abs(u) > 0.53 || Math.abs(v) > 0.53) return null;
    const [left, top] = this.centre(panel, side);
    return [left + u * this.side, top - v * this.side];
  }

  /** Return every point that is seen: which example, on which panel, where. */
  *places() {
    const { points } = this;
    for (let m = 0; m < points.withMaps.length; m++) {
      const panel = points.panels.indexOf(points.withMaps[m]);
      for (let i = 0; i < points.n; i++) {
        const where = this.pixels(panel, points.side[i], points.position(m, this.slot, i));
        if (where) yield { i, panel, m, x: where[0], y: where[1] };
      }
    }
  }

  _hasColour(panel, i) {
    return !this.isolated.size || this.isolated.has(this.colours.code(panel, this.slot, i, this.points.n));
  }

  /** Return the point that a position is on, and on which panel; null where there is none. */
  _nearestTo(x, y) {
    const { points } = this;
    const map = this._mapAt(x, y);
    const m = map ? points.withMaps.indexOf(points.panels[map.panel]) : -1;
    if (m < 0) return null;
    let best = null;
    let least = (NEAR / this.side / this.zoom.k) ** 2; // in sides of the map
    for (let i = 0; i < points.n; i++) {
      if (points.side[i] !== map.side) continue;
      const [u, v] = points.position(m, this.slot, i);
      const distance = (u - map.u) ** 2 + (v - map.v) ** 2;
      if (distance < least && this._hasColour(map.panel, i)) {
        least = distance;
        best = { i, panel: map.panel };
      }
    }
    return best;
  }

  /** Return the map that a position is on: its panel, split and place in the unit square. */
  _mapAt(x, y) {
    const layout = this._layout();
    for (let panel = 0; panel < layout.centres.length; panel++) {
      for (let side = 0; side < layout.centres[panel].length; side++) {
        const [left, top] = this.centre(panel, side);
        const halfWidth = this.width / layout.width / 2;
        const halfHeight = Math.max(this.side, (layout.title[0] - layout.title[1]) * this._stretch()) / 2;
        if (Math.abs(x - left) <= halfWidth && Math.abs(y - top) <= halfHeight) {
          const u = (x - left) / this.side / this.zoom.k + this.zoom.x;
          const v = (top - y) / this.side / this.zoom.k + this.zoom.y;
          return { panel, side, u, v };
        }
      }
    }
    return null;
  }
}
