// --- Streamlit: what the page sends, and what it is told --------------------------------------

const PATIENCE = 60_000; // milliseconds for scripts and points to arrive

let nMoves = 0; // of the slider

function arrived(look) {
  return new Promise((done, fail) => {
    const began = performance.now();
    const check = () => {
      const found = look();
      if (found) done(found);
      else if (performance.now() - began > PATIENCE) fail(new Error("the points did not arrive; reload the page"));
      else setTimeout(check, 15);
    };
    check();
  });
}

function pointsOf(chart, key) {
  const entry = globalThis.layervizPoints && globalThis.layervizPoints.get(chart);
  if (!entry || !globalThis.vegaEmbed) return null;
  entry.points ||= new layervizMaps.Points(entry.bytes);
  return entry.points.key === key ? entry.points : null;
}

export default function (component) {
  const { data: state, parentElement, setStateValue, setTriggerValue } = component;
  const root = parentElement.querySelector(".instrument");
  root.instrument ||= new layervizMaps.Maps(root);
  const maps = root.instrument;
  const tell = (event) => (value) => setTriggerValue(event, value);
  maps.talk = {
    // Counted, for the page is not told of a value that it has been told before.
    slot: (snapshot) => setStateValue("snapshot", { of: state.of, snapshot, moves: ++nMoves }),
    ...(state.selectable ? { select: tell("selected") } : {}),
    ...(state.enlargeable ? { enlarge: (panel) => tell("enlarged")({ panel }) } : {}),
    ...(state.openable ? { open: tell("opened") } : {}),
  };
  root.latest = state;
  maps.reserve(state);
  arrived(() => root.latest !== state || pointsOf(state.chart, state.points))
    .then((points) => (root.latest === state && points !== true ? maps.update(state, points) : null))
    .catch((error) => maps.fail(error));
  return () => { maps.destroy(); root.instrument = null; };
}
