// Density: a histogram on a grid, smoothed, and the lines that hold given shares of the points.

const CELLS = 48;
const BORDER = 6; // cells around the square, so that lines close outside it
const SHARES = [0.9, 0.5]; // of the points of a class that its lines hold, the outer one first
const KERNEL = [1, 4, 8, 10, 8, 4, 1].map((weight) => weight / 36);

/** Return lines that hold these shares of some positions, in the unit square. */
function contours(positions) {
  const size = CELLS + 2 * BORDER;
  const cell = (value) => clamp(Math.floor(value * CELLS) + BORDER, 0, size - 1);
  const cells = positions.map(([x, y]) => cell(y) * size + cell(x));
  let grid = new Float64Array(size * size);
  for (const at of cells) grid[at] += 1;
  for (let pass = 0; pass < 2; pass++) grid = smoothed(smoothed(grid, size, 1), size, size);
  // The densest share of the points lies where the density is above that of the last of them.
  const densities = cells.map((at) => grid[at]).sort((one, other) => other - one);
  const place = (at) => (at - BORDER + 0.5) / CELLS;
  return SHARES.map((share, order) => {
    const level = densities[Math.ceil(share * densities.length) - 1] * 0.999;
    const ends = ([column, row]) => [place(column), place(row)];
    const lines = marched(grid, size, level).map(([from, to]) => [ends(from), ends(to)]);
    return { inner: order > 0, lines };
  });
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
