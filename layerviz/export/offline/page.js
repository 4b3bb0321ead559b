"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const darkPage = window.matchMedia("(prefers-color-scheme: dark)");
  const slider = document.getElementById("slot");
  const play = document.getElementById("play");
  const moment = document.getElementById("moment");
  const MILLISECONDS_PER_SLOT = 1100;
  let slot = data.slots.length - 1;
  let maps = null;
  let heat = null;
  let timer = null;

  // What all layers share is sent once per example; here it is expanded into rows.
  function pointRows(points) {
    const rows = [];
    const at = (columns, s) => columns[Math.min(s, columns.length - 1)];
    points.layers.forEach((layer, l) => {
      for (let i = 0; i < points.row.length; i++) {
        const side = points.side[i];
        const row = {
          row: points.row[i],
          layer,
          split: side ? "val" : "train",
          newest: data.slots.length - 1,
          centre_x: points.centres[l][side][0],
          centre_y: points.centres[l][side][1],
        };
        for (let s = 0; s < data.slots.length; s++) {
          row["x" + s] = points.x[l][s][i] / points.unit;
          row["y" + s] = points.y[l][s][i] / points.unit;
          row["colour" + s] = at(points.colour, s)[i];
          row["predicted" + s] = points.predicted[s][i];
          row["confidence" + s] = points.confidence[s][i];
        }
        rows.push(row);
      }
    });
    return rows;
  }

  function exampleRows(points) {
    return points.row.map((row, i) => ({
      row,
      text: points.text[i],
      label: data.labels[points.label[i]],
      highlighted: 1,
    }));
  }

  const datasets = { points: pointRows(data.points), examples: exampleRows(data.points) };
  const options = (dark) => ({
    mode: "vega-lite",
    actions: { export: true, source: false, compiled: false, editor: false },
    tooltip: { theme: dark ? "dark" : "light" },
  });

  async function draw() {
    const dark = darkPage.matches;
    const theme = dark ? "dark" : "light";
    const spec = data.maps[theme];
    spec.params.find((param) => param.name === "slot").value = slot;
    // Vega writes into what it is given; drawing again needs the rows as they were.
    spec.datasets = { ...spec.datasets, ...datasets };
    if (maps) maps.finalize();
    if (heat) heat.finalize();
    maps = heat = null;
    const chart = await vegaEmbed("#maps", structuredClone(spec), options(dark));
    await chart.view.signal("slot", slot).runAsync();  // the slider may have moved meanwhile
    maps = chart;
    if (data.heat) heat = await vegaEmbed("#heat", structuredClone(data.heat[theme]), options(dark));
    document.body.dataset.ready = "yes";
  }

  function redraw() {
    draw().catch((error) => {
      document.getElementById("failed").textContent =
        "The maps could not be drawn: " + error.message;
      throw error;
    });
  }

  async function show(next) {
    slot = next;
    slider.value = String(slot);
    moment.textContent = data.slots[slot];
    slider.setAttribute("aria-valuetext", data.slots[slot]);
    if (maps) await maps.view.signal("slot", slot).runAsync();
  }

  function stop() {
    clearInterval(timer);
    timer = null;
    play.textContent = "Play";
  }

  slider.max = String(data.slots.length - 1);
  slider.addEventListener("input", () => {
    stop();
    show(Number(slider.value));
  });
  play.addEventListener("click", () => {
    if (timer) {
      stop();
      return;
    }
    play.textContent = "Pause";
    show(slot === data.slots.length - 1 ? 0 : slot + 1);
    timer = setInterval(() => {
      if (slot === data.slots.length - 1) stop();
      else show(slot + 1);
    }, MILLISECONDS_PER_SLOT);
  });
  document.getElementById("controls").hidden = data.slots.length < 2;
  darkPage.addEventListener("change", redraw);
  show(slot);
  redraw();
})();
