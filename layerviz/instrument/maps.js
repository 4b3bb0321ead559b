"use strict";
/* Maps that answer to the mouse: the chart of `charts.layer_maps`, drawn with Vega, whose data and
   parameters are changed in place. Used by the page, through a Streamlit component, and by the
   offline page. Nothing that comes from a user is ever read as markup or code. */
(() => {
  const MILLISECONDS_PER_SLOT = 1100;
  const SETTLED = 350; // milliseconds without a move, after which the slider's place is told
  const NEAR = 10; // pixels from a point, within which the mouse is on it
  const DRAGGED = 4; // pixels, from which on a press is no click
  const MOST_ZOOM = 60;
  const ROWS_PER_PAGE = 50;
  const MOST_LISTED = 40; // examples in the pane
  const BESIDE = 900; // pixels of width, from which on the pane stands beside the maps
  const TYPES = { uint8: Uint8Array, int16: Int16Array, int32: Int32Array };
  const PATH_FIELDS = ["row", "panel", "side", "at", "order", "x", "y", "colour"];

  // --- numbers ------------------------------------------------------------------------------

  /** Return the header of packed bytes, with its arrays as typed arrays. */
  function unpacked(bytes) {
    const length = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
    const start = 4 + length;
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, start)));
    for (const [name, { type, at, length: n }] of Object.entries(header.arrays)) {
      const Type = TYPES[type];
      const copy = bytes.slice(start + at, start + at + n * Type.BYTES_PER_ELEMENT);
      header[name] = new Type(copy.buffer);
    }
    return header;
  }

  function fromBase64(text) {
    return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  }

  function clamp(value, low, high) {
    return Math.min(high, Math.max(low, value));
  }

  /** Spread an array of the epochs there are over all positions of the slider. */
  function last(count, slot) {
    return Math.min(slot, count - 1);
  }

  // --- the points ---------------------------------------------------------------------------

  /** What was sent about the points, and the rows that Vega draws. */
  class Points {
    constructor(bytes) {
      Object.assign(this, unpacked(bytes));
      this.n = this.row.length;
      this.indexOf = new Map();
      this.row.forEach((row, i) => this.indexOf.set(row, i));
    }

    position(m, slot, i) {
      const at = (m * this.slots + last(this.slots, slot)) * this.n + i;
      return [this.x[at] / this.unit, this.y[at] / this.unit];
    }

    model(panel) {
      return this.models > 1 ? panel : 0;
    }

    told(array, panel, slot, i) {
      const slots = array.length / (this.models * this.n);
      return array[(this.model(panel) * slots + last(slots, slot)) * this.n + i];
    }

    /** Return the rows of the chart's points: where their numbers are, and the middle of their map. */
    rows(centres, codesPerModel) {
      const rows = [];
      this.withMaps.forEach((name, m) => {
        const panel = this.panels.indexOf(name);
        for (let i = 0; i < this.n; i++) {
          const [centre_x, centre_y] = centres[panel][this.side[i]];
          rows.push({
            row: this.row[i], layer: panel, centre_x, centre_y,
            at: m * this.slots * this.n + i, of: this.model(panel) * codesPerModel + i,
          });
        }
      });
      return rows;
    }
  }

  class Colours {
    constructor({ models, slots, codes }) {
      this.models = models;
      this.slots = slots;
      this.codes = fromBase64(codes);
    }

    code(panel, slot, i, n) {
      const model = this.models > 1 ? panel : 0;
      return this.codes[(model * this.slots + last(this.slots, slot)) * n + i];
    }
  }

  // --- elements -----------------------------------------------------------------------------

  function element(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name === "text") made.textContent = value;
      else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else if (value === true) made.setAttribute(name, "");
      else if (value !== false && value !== null) made.setAttribute(name, value);
    }
    made.append(...children);
    return made;
  }

  const ICONS = {
    play: "M8 5v14l11-7z",
    pause: "M6 5h4v14H6zM14 5h4v14h-4z",
    box: "M3 3h4v2H5v2H3zM10 3h4v2h-4zM17 3h4v4h-2V5h-2zM3 10h2v4H3zM19 10h2v4h-2zM3 17h2v2h2v2H3zM10 19h4v2h-4zM19 17h2v4h-4v-2h2z",
    pan: "M12 2l3 3h-2v6h6V9l3 3-3 3v-2h-6v6h2l-3 3-3-3h2v-6H5v2l-3-3 3-3v2h6V5H9z",
    reset: "M12 5V1L7 6l5 5V7a5 5 0 1 1-5 5H5a7 7 0 1 0 7-7z",
    full: "M4 4h6v2H6v4H4zM14 4h6v6h-2V6h-4zM4 14h2v4h4v2H4zM18 14h2v6h-6v-2h4z",
    centres: "M12 2l4 6-4 6-4-6zM5 14l3 4-3 4-3-4zM19 14l3 4-3 4-3-4z",
    density: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zm0 2a7 7 0 1 1 0 14 7 7 0 0 1 0-14zm0 3.500a3.500 3.500 0 1 0 0 7 3.500 3.500 0 0 0 0-7zm0 1.500a2 2 0 1 1 0 4 2 2 0 0 1 0-4z",
    paths: "M4 17a2 2 0 1 1 1.700 2.980L9 12l5 3 4.200-7.200A2 2 0 1 1 20 8.700L15 18l-5-3-2.400 4.500A2 2 0 0 1 4 17z",
    data: "M3 4h18v16H3zM5 9h4v3H5zM5 14h4v4H5zM11 9h8v3h-8zM11 14h8v4h-8z",
  };

  function icon(name) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", ICONS[name]);
    path.setAttribute("fill-rule", "evenodd");
    svg.append(path);
    return svg;
  }

  function iconButton(name, label, act, more = {}) {
    const button = element("button", {
      type: "button", class: "tool", "aria-label": label, title: label, onclick: act, ...more,
    });
    button.append(icon(name));
    return button;
  }

  function percent(value) {
    return value + "\u00a0%";
  }

  function csv(rows) {
    const cell = (value) => {
      const text = String(value);
      return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    };
    return rows.map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
  }

  /** The maps with their controls, legend and pane, in an element of the page. */
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
        centres: this._toggle("centres", "Centroids: the mean position of each class on each map"),
        density: this._toggle("density", "Density: lines around where most points of a class lie"),
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
      document.addEventListener("fullscreenchange", () => this._resized());
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
      this.sizes.disconnect();
      if (this.made) this.made.finalize();
      this.made = this.view = null;
    }

    // --- what is drawn ---

    /** Draw what was sent; what has not changed stays as it is. Returns when it is drawn. */
    update(state, points) {
      return this._change(async () => {
        const followed = !this.state || this.slot >= this.state.slots.length - 1;
        const before = this.state && this.state.slots[this.slot];
        const old = { state: this.state, points: this.points };
        this.state = state;
        this.points = points;
        this.selected = new Set(state.selected);
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
        const wanted = place.snapshot === null ? newest : nearest(slots, place.snapshot);
        this.slot = wanted;
      } else if (followed) {
        this.slot = newest;
      } else if (before) {
        this.slot = nearest(slots, before.snapshot);
      }
      this.slot = clamp(this.slot, 0, newest);
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
      return this.chart.clientWidth || this.maps.clientWidth;
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
      const spec = JSON.parse(layout.spec);
      Object.assign(spec, { width: this.stageWidth(), padding: 0, background: null, autosize: { type: "none" } });
      spec.config = { ...spec.config, font };
      const { renderer } = spec.usermeta.embedOptions;
      this.made = await vegaEmbed(this.chart, spec, { actions: false, hover: false, renderer, tooltip: false });
      this.view = this.made.view;
      this.drawn = {};
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

    _nearestTo(x, y) {
      let best = null;
      let least = NEAR * NEAR;
      for (const place of this.places()) {
        const distance = (place.x - x) ** 2 + (place.y - y) ** 2;
        if (distance < least && this._hasColour(place.panel, place.i)) {
          least = distance;
          best = place;
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

    // --- the epoch ---

    _timeline() {
      const { slots } = this.state;
      this.timeline.hidden = slots.length < 2;
      this.range.max = String(slots.length - 1);
      this.range.value = String(this.slot);
      const every = Math.ceil(slots.length / (this.maps.clientWidth < 620 ? 6 : 12));
      const names = slots.map((slot, at) => {
        const isNamed = at % every === 0 || at === slots.length - 1;
        const mark = element("span", { class: isNamed ? "tick named" : "tick", text: isNamed ? slot.short : "" });
        mark.style.left = slots.length > 1 ? (100 * at) / (slots.length - 1) + "%" : "0";
        return mark;
      });
      this.ticks.replaceChildren(...names);
      this._moment();
    }

    _moment() {
      const { slots } = this.state;
      const name = slots[this.slot].name;
      this.moment.textContent = name;
      this.range.setAttribute("aria-valuetext", name);
      this.chart.setAttribute("aria-label", `${this.state.words.maps} ${name}.`);
    }

    /** Show another position of the slider; of several wishes at a time, the last one. */
    show(slot) {
      this.slot = slot;
      this.range.value = String(slot);
      this._moment();
      clearTimeout(this.settling);
      if (!this.playing) this.settling = setTimeout(() => this._tellSlot(), SETTLED);
      if (this.waiting) return this.queue;
      this.waiting = true;
      return this._change(async () => {
        this.waiting = false;
        if (!this.view) return;
        await this.view.signal("slot", this.slot).runAsync();
        this._drawOverlay();
        this._showFacts();
        if (!this.table.hidden) this._table();
      });
    }

    _tellSlot() {
      clearTimeout(this.settling);
      const { snapshot } = this.state.slots[this.slot];
      if (snapshot === this.toldSnapshot) return;
      this.toldSnapshot = snapshot;
      if (this.talk.slot) this.talk.slot(snapshot);
    }

    _togglePlay() {
      if (this.playing) {
        this._stop();
        this._tellSlot();
        return;
      }
      const newest = () => this.state.slots.length - 1;
      this.playing = setInterval(() => {
        if (this.slot >= newest()) {
          this._stop();
          this._tellSlot();
        } else {
          this.show(this.slot + 1);
        }
      }, MILLISECONDS_PER_SLOT);
      this._playButton("pause", "Pause");
      this.show(this.slot >= newest() ? 0 : this.slot + 1);
    }

    _stop() {
      clearInterval(this.playing);
      this.playing = null;
      this._playButton("play", "Play the epochs");
    }

    _playButton(name, label) {
      this.play.replaceChildren(icon(name));
      this.play.setAttribute("aria-label", label);
      this.play.title = label;
    }

    // --- the legend ---

    _legend(old) {
      const { legend } = this.state;
      if (old && JSON.stringify(old.legend) === JSON.stringify(legend)) return;
      this.isolated.clear();
      const parts = [element("span", { class: "of", text: legend.title })];
      for (const entry of legend.entries) {
        const dot = element("span", { class: "dot" });
        dot.style.background = entry.colour;
        const button = element("button", {
          type: "button", class: "class", "aria-pressed": "false",
          title: "Show this alone; with Shift, several",
          onclick: (event) => this.isolate(entry.code, event.shiftKey),
        }, dot, element("span", { text: entry.name }));
        button.dataset.code = entry.code;
        parts.push(button);
      }
      if (legend.ramp.length) {
        const ramp = element("span", { class: "ramp" });
        ramp.style.background = `linear-gradient(90deg, ${legend.ramp.join()})`;
        parts.push(element("span", { text: "0\u00a0%" }), ramp, element("span", { text: "100\u00a0%" }));
      }
      this.legend.replaceChildren(...parts);
    }

    /** Show the points of one colour alone, in all maps; the same once more shows all again. */
    isolate(code, more = false) {
      const alone = this.isolated.has(code) && (more || this.isolated.size === 1);
      if (!more) this.isolated.clear();
      if (alone) this.isolated.delete(code);
      else this.isolated.add(code);
      for (const button of this.legend.querySelectorAll("button")) {
        const pressed = this.isolated.has(Number(button.dataset.code));
        button.setAttribute("aria-pressed", String(pressed));
        button.classList.toggle("faint", this.isolated.size > 0 && !pressed);
      }
      return this._change(async () => {
        await this.view.signal("isolated", [...this.isolated]).runAsync();
        this._drawOverlay();
      });
    }

    // --- titles ---

    _titles() {
      if (!this.talk.enlarge) return;
      const layout = this._layout();
      const enlarged = this.state.enlarged;
      const buttons = [];
      this.state.titles.forEach((name, panel) => {
        layout.centres[panel].forEach(([x, y], side) => {
          const label = enlarged ? "Back to all chosen layers" : `Enlarge ${name}`;
          const button = element("button", {
            type: "button", class: "title", "aria-label": `${label} (${this.points.splits[side]})`,
            title: label, tabindex: side ? "-1" : "0",
            onclick: () => this.talk.enlarge(enlarged ? null : this.points.panels[panel]),
          });
          const top = (y - layout.title[1] - (layout.title[0] - layout.title[1]) / 2) * this._stretch();
          button.style.left = ((x - 0.48) * this.width) / layout.width + "px";
          button.style.width = (0.96 * this.width) / layout.width + "px";
          button.style.top = top + "px";
          button.style.height = layout.title[1] * this._stretch() + "px";
          buttons.push(button);
        });
      });
      if (this.titles.childElementCount !== buttons.length || this.titlesOf !== layout.spec + this.width + this.height + enlarged + this.state.titles) {
        this.titlesOf = layout.spec + this.width + this.height + enlarged + this.state.titles;
        this.titles.replaceChildren(...buttons);
      }
    }

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

    // --- what lies over the maps ---

    _drawOverlay() {
      if (!this.view) return;
      const context = this.overlay.getContext("2d");
      const ratio = window.devicePixelRatio || 1;
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      context.clearRect(0, 0, this.width, this.height);
      if (this.shown.density) this._density(context);
      if (this.shown.centres) this._centroids(context);
      if (this.hovered) this._ring(context, this.hovered.i);
      if (this.press && this.press.box) {
        const [left, top, right, bottom] = this.press.box;
        context.fillStyle = "rgba(120, 130, 150, 0.15)";
        context.strokeStyle = "rgba(90, 100, 120, 0.9)";
        context.fillRect(left, top, right - left, bottom - top);
        context.strokeRect(left + 0.5, top + 0.5, right - left, bottom - top);
      }
    }

    /** Mark an example on all maps. */
    _ring(context, i) {
      const { points } = this;
      const ink = getComputedStyle(this.maps).color;
      points.withMaps.forEach((name, m) => {
        const panel = points.panels.indexOf(name);
        const where = this.pixels(panel, points.side[i], points.position(m, this.slot, i));
        if (!where) return;
        context.beginPath();
        context.arc(where[0], where[1], 6.5, 0, 2 * Math.PI);
        context.lineWidth = 2;
        context.strokeStyle = ink;
        context.stroke();
      });
    }

    /** Return the points of each colour on each map: panel, side, code -> positions. */
    *_groups() {
      const { points } = this;
      for (let m = 0; m < points.withMaps.length; m++) {
        const panel = points.panels.indexOf(points.withMaps[m]);
        const groups = new Map();
        for (let i = 0; i < points.n; i++) {
          if (!this._hasColour(panel, i)) continue;
          const code = this.colours.code(panel, this.slot, i, points.n);
          const key = points.side[i] * 256 + code;
          if (!groups.has(key)) groups.set(key, []);
          groups.get(key).push(points.position(m, this.slot, i));
        }
        for (const [key, positions] of groups) {
          yield { panel, side: key >> 8, code: key & 255, positions };
        }
      }
    }

    _centroids(context) {
      const ink = getComputedStyle(this.maps).color;
      for (const { panel, side, code, positions } of this._groups()) {
        const mean = [0, 1].map((axis) => positions.reduce((sum, xy) => sum + xy[axis], 0) / positions.length);
        const where = this.pixels(panel, side, mean);
        if (!where) continue;
        const [x, y] = where;
        context.fillStyle = this.state.palette[code];
        context.strokeStyle = ink;
        context.lineWidth = 1.5;
        context.beginPath();
        context.moveTo(x, y - 7);
        context.lineTo(x + 7, y);
        context.lineTo(x, y + 7);
        context.lineTo(x - 7, y);
        context.closePath();
        context.fill();
        context.stroke();
      }
    }

    _density(context) {
      for (const { panel, side, code, positions } of this._groups()) {
        if (positions.length < 5) continue;
        context.strokeStyle = this.state.palette[code];
        const segments = contours(positions);
        segments.forEach(({ lines, inner }) => {
          context.lineWidth = inner ? 2 : 1;
          context.beginPath();
          for (const [from, to] of lines) {
            const start = this.pixels(panel, side, from);
            const end = this.pixels(panel, side, to);
            if (!start || !end) continue;
            context.moveTo(...start);
            context.lineTo(...end);
          }
          context.stroke();
        });
      }
    }

    // --- the pane ---

    _hover(place) {
      const same = this.hovered && place && this.hovered.i === place.i && this.hovered.panel === place.panel;
      if (same || (!this.hovered && !place)) return;
      this.hovered = place;
      this.stage.classList.toggle("pointing", Boolean(place));
      this._showFacts();
      this._drawOverlay();
    }

    _noFacts() {
      this.facts.replaceChildren(element("p", { class: "hint", text: "Point at a dot to read its text. Click to select, drag for a box, wheel to zoom." }));
    }

    _showFacts() {
      if (!this.hovered) return;
      const { points } = this;
      const { i, panel } = this.hovered;
      const predicted = points.told(points.predicted, panel, this.slot, i);
      const right = predicted === points.label[i];
      const verdict = element("span", { class: right ? "right" : "wrong", text: points.labels[predicted] });
      const sure = points.told(points.confidence, panel, this.slot, i);
      this.facts.replaceChildren(
        element("p", { class: "where", text: `${points.names[i]}, ${this.state.titles[panel]}` }),
        element("p", { class: "text", text: points.texts[i] }),
        element("dl", {},
          element("dt", { text: "Label" }), element("dd", { text: points.labels[points.label[i]] }),
          element("dt", { text: "Predicted" }), element("dd", {}, verdict, ` (${percent(sure)}), ${this.state.slots[this.slot].name}`)));
    }

    _pane() {
      const { picked } = this.state;
      if (!this.hovered) this._noFacts();
      if (!picked || !picked.count) {
        this.picked.replaceChildren();
        return;
      }
      const items = picked.items.map((item) => element("li", {},
        element("button", { type: "button", title: "Open this example", onclick: () => this.talk.open && this.talk.open(item.id) },
          element("span", { class: "where", text: item.name }),
          element("span", { class: "text", text: item.text }),
          element("span", { class: "labels", text: item.about }))));
      const head = element("div", { class: "head" }, element("strong", { text: picked.count }));
      if (this.talk.select) {
        head.append(element("button", { type: "button", class: "toggle", text: "Clear", onclick: () => this.talk.clear() }));
      }
      if (picked.moves) head.append(element("p", { class: "hint", text: picked.moves }));
      const more = picked.more ? [element("p", { class: "hint", text: picked.more })] : [];
      this.picked.replaceChildren(head, element("ul", {}, ...items), ...more);
    }

    // --- the points as a table ---

    _toggleData() {
      this.table.hidden = !this.table.hidden;
      this.dataTool.setAttribute("aria-expanded", String(!this.table.hidden));
      if (!this.table.hidden) this._table();
    }

    _records() {
      const { points } = this;
      const records = [];
      for (let m = 0; m < points.withMaps.length; m++) {
        const panel = points.panels.indexOf(points.withMaps[m]);
        for (let i = 0; i < points.n; i++) {
          const [x, y] = points.position(m, this.slot, i);
          records.push([
            points.names[i], points.splits[points.side[i]], points.labels[points.label[i]],
            points.labels[points.told(points.predicted, panel, this.slot, i)],
            this.state.titles[panel], x.toFixed(4), y.toFixed(4), points.row[i],
          ]);
        }
      }
      return records;
    }

    _table() {
      const heads = ["example", "split", "label", "predicted", "map", "x", "y"];
      const records = this._records();
      const pages = Math.max(1, Math.ceil(records.length / ROWS_PER_PAGE));
      this.page = clamp(this.page, 0, pages - 1);
      const part = records.slice(this.page * ROWS_PER_PAGE, (this.page + 1) * ROWS_PER_PAGE);
      const turn = (by) => () => { this.page += by; this._table(); };
      const body = part.map((record) => element("tr", {},
        ...record.slice(0, 7).map((value, at) => at || !this.talk.select ? element("td", { text: value })
          : element("td", {}, element("button", { type: "button", class: "link", title: "Select this example", text: value, onclick: () => this.select(new Set([record[7]])) })))));
      const name = this.state.slots[this.slot].name;
      this.table.replaceChildren(
        element("div", { class: "head" },
          element("strong", { text: `${records.length.toLocaleString("en")} points, ${name}` }),
          element("button", { type: "button", class: "toggle", text: "Previous", disabled: this.page === 0, onclick: turn(-1) }),
          element("span", { text: `page ${this.page + 1} of ${pages}` }),
          element("button", { type: "button", class: "toggle", text: "Next", disabled: this.page === pages - 1, onclick: turn(1) }),
          element("button", { type: "button", class: "toggle", text: "Download all (CSV)", onclick: () => this._download(heads, records) })),
        element("table", {},
          element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", { scope: "col", text: head })))),
          element("tbody", {}, ...body)));
    }

    _download(heads, records) {
      const content = csv([heads, ...records.map((record) => record.slice(0, 7))]);
      const url = URL.createObjectURL(new Blob([content], { type: "text/csv" }));
      const link = element("a", { href: url, download: `${this.state.file || "maps"}-points.csv` });
      link.click();
      setTimeout(() => URL.revokeObjectURL(url), 1000);
    }
  }

  function stageCapture(stage, pointer) {
    try {
      stage.setPointerCapture(pointer);
    } catch (error) {
      // The pointer is gone already: what it began ends with the next one.
    }
  }

  function nearest(slots, snapshot) {
    let best = 0;
    slots.forEach((slot, at) => {
      if (Math.abs(slot.snapshot - snapshot) < Math.abs(slots[best].snapshot - snapshot)) best = at;
    });
    return best;
  }

  // --- density: a histogram on a grid, smoothed, and lines of equal height on it ---------------

  const CELLS = 48;
  const LEVELS = [0.2, 0.55]; // parts of the greatest density
  const KERNEL = [1, 4, 8, 10, 8, 4, 1].map((weight) => weight / 36);

  /** Return lines around where most of these positions lie, in the unit square. */
  function contours(positions) {
    const size = CELLS + 12; // a margin, so that lines close outside the square
    let grid = new Float64Array(size * size);
    for (const [x, y] of positions) {
      const column = clamp(Math.floor(x * CELLS) + 6, 0, size - 1);
      const row = clamp(Math.floor(y * CELLS) + 6, 0, size - 1);
      grid[row * size + column] += 1;
    }
    for (let pass = 0; pass < 2; pass++) grid = smoothed(smoothed(grid, size, 1), size, size);
    const most = grid.reduce((high, value) => Math.max(high, value), 0);
    const place = (column, row) => [(column - 5.5) / CELLS, (row - 5.5) / CELLS];
    return LEVELS.map((part, at) => ({
      inner: at > 0,
      lines: marched(grid, size, part * most).map(([a, b]) => [place(...a), place(...b)]),
    }));
  }

  function smoothed(grid, size, step) {
    const made = new Float64Array(grid.length);
    const reach = (KERNEL.length - 1) / 2;
    for (let row = 0; row < size; row++) {
      for (let column = 0; column < size; column++) {
        const along = step === 1 ? column : row;
        let sum = 0;
        for (let d = -reach; d <= reach; d++) {
          if (along + d < 0 || along + d >= size) continue;
          sum += KERNEL[d + reach] * grid[row * size + column + d * step];
        }
        made[row * size + column] = sum;
      }
    }
    return made;
  }

  /** Return the line segments at which a grid crosses a level (marching squares). */
  function marched(grid, size, level) {
    const lines = [];
    const value = (column, row) => grid[row * size + column] - level;
    for (let row = 0; row < size - 1; row++) {
      for (let column = 0; column < size - 1; column++) {
        const corners = [[column, row], [column + 1, row], [column + 1, row + 1], [column, row + 1]];
        const heights = corners.map(([c, r]) => value(c, r));
        const crossings = [];
        for (let side = 0; side < 4; side++) {
          const next = (side + 1) % 4;
          if (heights[side] < 0 === heights[next] < 0) continue;
          const part = heights[side] / (heights[side] - heights[next]);
          crossings.push([0, 1].map((axis) => corners[side][axis] + part * (corners[next][axis] - corners[side][axis])));
        }
        for (let at = 0; at + 1 < crossings.length; at += 2) lines.push([crossings[at], crossings[at + 1]]);
      }
    }
    return lines;
  }

  globalThis.layervizMaps = { Maps, Points, fromBase64 };
})();
