// What stands beside and over the maps: the example under the mouse, the selected ones, a table.

const QUOTED = "Texts that begin with =, +, - or @ get an apostrophe in front, so that no spreadsheet runs them as formulas";
const MOST_LISTED = 40; // examples in the pane
const ROWS_PER_PAGE = 50;

const BETWEEN_TEXTS = " \u2063‖\u2063 "; // of a pair, and in no other text (layerviz/pairs.py)
const HINTS = {
  mouse: ["Point at a dot to read its text. Click to select, drag for a box, wheel to zoom.", "Click a title to enlarge its map."],
  touch: ["Tap a dot to select it and read its text, spread two fingers to zoom.", "Tap a title to enlarge its map."],
};

class Pane {
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
        if (!this._hasColour(panel, i) || !points.isPlaced(m, this.slot, i)) continue;
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
    const [general, enlarging] = HINTS[window.matchMedia("(hover: none)").matches ? "touch" : "mouse"];
    const text = this.talk.enlarge ? `${general} ${enlarging}` : general;
    this.facts.replaceChildren(element("p", { class: "hint", text }));
  }

  _showFacts() {
    if (!this.hovered) return;
    const { points } = this;
    const { i, panel } = this.hovered;
    const predicted = points.told(points.predicted, panel, this.slot, i);
    const right = predicted === points.label[i];
    const verdict = element("span", { class: right ? "right" : "wrong", text: points.labels[predicted] });
    const sure = points.told(points.confidence, panel, this.slot, i);
    const { value } = this.state;
    const more = value ? [element("dt", { text: value.name }), element("dd", { text: value.values[value.of[i]] })] : [];
    this.facts.replaceChildren(
      element("p", { class: "where", text: `${points.names[i]}, ${this.state.titles[panel]}` }),
      ...points.texts[i].split(BETWEEN_TEXTS).map((text) => element("p", { class: "text", text })),
      element("dl", {},
        element("dt", { text: "Label" }), element("dd", { text: points.labels[points.label[i]] }),
        element("dt", { text: "Predicted" }), element("dd", {}, verdict, ` (${percent(sure)}), ${this.state.slots[this.slot].name}`), ...more));
  }

  _pane() {
    const { picked } = this.state;
    if (!this.hovered) this._noFacts();
    if (!picked || !picked.count) {
      this.picked.replaceChildren();
      return;
    }
    const { open } = this.talk;
    const items = picked.items.map((item) => {
      const told = [["where", item.name], ...item.text.split(BETWEEN_TEXTS).map((text) => ["text", text]), ["labels", item.about]]
        .map(([name, text]) => element("span", { class: name, text }));
      const act = { type: "button", title: "Open this example", onclick: () => open(item.id) };
      return element("li", {}, element(open ? "button" : "div", open ? act : {}, ...told));
    });
    const head = element("div", { class: "head" }, element("strong", { text: picked.count }));
    if (this.talk.select) {
      head.append(element("button", { type: "button", class: "toggle", text: "Clear", onclick: () => this.select(new Set()) }));
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
    const { points, state: { value } } = this;
    const records = [];
    for (let m = 0; m < points.withMaps.length; m++) {
      const panel = points.panels.indexOf(points.withMaps[m]);
      for (let i = 0; i < points.n; i++) {
        if (!points.isPlaced(m, this.slot, i)) continue;
        const [x, y] = points.position(m, this.slot, i);
        records.push([
          points.names[i], points.splits[points.side[i]], points.labels[points.label[i]],
          points.labels[points.told(points.predicted, panel, this.slot, i)],
          this.state.titles[panel], x.toFixed(4), y.toFixed(4), ...(value ? [value.values[value.of[i]]] : []),
          points.row[i],
        ]);
      }
    }
    return records;
  }

  _table() {
    const heads = ["example", "split", "label", "predicted", "map", "x", "y"];
    if (this.state.value) heads.push(this.state.value.name);
    const records = this._records();
    const pages = Math.max(1, Math.ceil(records.length / ROWS_PER_PAGE));
    this.page = clamp(this.page, 0, pages - 1);
    const part = records.slice(this.page * ROWS_PER_PAGE, (this.page + 1) * ROWS_PER_PAGE);
    const turn = (by) => () => { this.page += by; this._table(); };
    const body = part.map((record) => element("tr", {},
      ...record.slice(0, -1).map((value, at) => at || !this.talk.select ? element("td", { text: value })
        : element("td", {}, element("button", { type: "button", class: "link", title: "Select this example", text: value, onclick: () => this.select(new Set([record.at(-1)])) })))));
    const name = this.state.slots[this.slot].name;
    this.table.replaceChildren(
      element("div", { class: "head" },
        element("strong", { text: `${records.length.toLocaleString("en")} points, ${name}` }),
        element("button", { type: "button", class: "toggle", text: "Previous", disabled: this.page === 0, onclick: turn(-1) }),
        element("span", { text: `page ${this.page + 1} of ${pages}` }),
        element("button", { type: "button", class: "toggle", text: "Next", disabled: this.page === pages - 1, onclick: turn(1) }),
        element("button", { type: "button", class: "toggle", text: "Download all (CSV)", title: this.state.quote_formulas === false ? "" : QUOTED, onclick: () => this._download(heads, records) })),
      element("table", {},
        element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", { scope: "col", text: head })))),
        element("tbody", {}, ...body)));
  }

  _download(heads, records) {
    const content = csv([heads, ...records.map((record) => record.slice(0, -1))], this.state.quote_formulas !== false);
    const url = URL.createObjectURL(new Blob([content], { type: "text/csv" }));
    const link = element("a", { href: url, download: `${this.state.file || "maps"}-points.csv` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  }
}
