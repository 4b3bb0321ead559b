"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const darkPage = window.matchMedia("(prefers-color-scheme: dark)");
  const points = new layervizMaps.Points(layervizMaps.fromBase64(data.maps.points));
  const maps = new layervizMaps.Maps(document.getElementById("maps"), {
    local: true,
    select: () => {},
  });
  let heat = null;

  function state(theme) {
    const selected = [...(maps.selected || [])];
    return { ...data.maps[theme], selected, picked: maps.state && maps.state.picked };
  }

  async function draw() {
    const theme = darkPage.matches ? "dark" : "light";
    await maps.update(state(theme), points);
    if (heat) heat.finalize();
    heat = null;
    if (data.heat) {
      heat = await vegaEmbed("#heat", structuredClone(data.heat[theme]), {
        mode: "vega-lite",
        actions: { export: true, source: false, compiled: false, editor: false },
        tooltip: { theme },
      });
    }
    document.body.dataset.ready = "yes";
  }

  darkPage.addEventListener("change", draw);
  draw();
})();
