// The epoch slider, the legend and the titles.

const MILLISECONDS_PER_SLOT = 1100;
const SETTLED = 350; // milliseconds without a move, after which the slider's place is told

class Controls {
  // --- the epoch ---

  _timeline() {
    const { slots } = this.state;
    this.timeline.hidden = slots.length < 2;
    this.range.max = String(slots.length - 1);
    this.range.value = String(this.slot);
    const every = Math.ceil(slots.length / (this.maps.clientWidth < 620 ? 6 : 12));
    const crowded = this.maps.clientWidth < 620 || slots.length > 9;
    const names = slots.map((slot, at) => {
      const isNamed = at % every === 0 || at === slots.length - 1;
      const short = crowded ? slot.short.replace("before training", "start").replace("epoch ", "") : slot.short;
      const mark = element("span", { class: isNamed ? "tick named" : "tick", text: isNamed ? short : "" });
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
      const [low, high] = legend.ends.map((text) => element("span", { text: text.replace(" %", "\u00a0%") }));
      parts.splice(1, 0, low, ramp, high);
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
          title: `${label}. ${this.state.words.figures || ""}`, tabindex: side ? "-1" : "0",
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
}
