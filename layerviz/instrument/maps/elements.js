// Elements of the page: made of text and attributes, never of markup.

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

/** Return rows as CSV; texts that a spreadsheet would run as formulas get an apostrophe, unless they are not to. */
function csv(rows, quoteFormulas = true) {
  const isFormula = (value) => typeof value === "string" && /^[=+\-@\t\r\n]/.test(value) && Number.isNaN(Number(value));
  const cell = (value) => {
    const text = quoteFormulas && isFormula(value) ? `'${value}` : String(value);
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return rows.map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
}
