// Numbers as they were sent, and the points that they are about.

const TYPES = { uint8: Uint8Array, int16: Int16Array, int32: Int32Array };

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

  /** Whether an example has a place: one of test has none until it is placed. */
  isPlaced(m, slot, i) {
    return this.x[(m * this.slots + last(this.slots, slot)) * this.n + i] !== this.nowhere;
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

function nearest(slots, snapshot) {
  let best = 0;
  slots.forEach((slot, at) => {
    if (Math.abs(slot.snapshot - snapshot) < Math.abs(slots[best].snapshot - snapshot)) best = at;
  });
  return best;
}
