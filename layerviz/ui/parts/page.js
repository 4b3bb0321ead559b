// The sidebar opens and closes with what is pressed: Streamlit lets no button of a page do so.
const press = (selector) => document.querySelector(selector)?.click();
// What a skip link leads to: the slider, which may lie in a component's own tree, or the open tab.
const reachable = (root, selector) => root.querySelector(selector) ?? [...root.querySelectorAll("*")]
  .filter((part) => part.shadowRoot).map((part) => reachable(part.shadowRoot, selector)).find(Boolean);
const skip = () => {
  const main = document.querySelector('[data-testid="stMain"]');
  const target = reachable(main, 'input[type="range"][aria-label="Epoch"]')
    ?? main.querySelector('[role="tab"][aria-selected="true"]') ?? main;
  target.focus();
  target.scrollIntoView({ block: "nearest" });
};
// Streamlit takes a key for no shortcut while the focus is in any field: of a switch, a letter or a
// digit is none of its own keys, so it is pressed again beside it.
const isSwitch = (part) => part?.tagName === "INPUT" && part.type === "checkbox";
const besideSwitch = (event) => {
  if (!isSwitch(event.composedPath()[0]) || !/^[a-z0-9]$/i.test(event.key)) return;
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  event.stopPropagation();
  const { key, code, keyCode, shiftKey } = event;
  document.body.dispatchEvent(new KeyboardEvent(event.type, {
    key, code, keyCode, which: keyCode, shiftKey, bubbles: true, cancelable: true, composed: true,
  }));
};
const PHONE = "(max-width: 768px)"; // where the sidebar lies over the page
if (!window.layervizListens) {
  window.layervizListens = true;
  document.addEventListener("keydown", besideSwitch, true);
  document.addEventListener("keyup", besideSwitch, true);
  document.addEventListener("click", (event) => {
    if (event.target.closest('[class*="st-key-open_sidebar"] button')) {
      press('[data-testid="stExpandSidebarButton"]');
    } else if (event.target.closest(".st-key-skip_link a")) {
      event.preventDefault();
      skip();
    } else if (
      event.target.closest('.st-key-runs button, .st-key-all_runs button, .st-key-fine_tune button, .st-key-compare button')
      && window.matchMedia(PHONE).matches
    ) {
      press('[data-testid="stSidebarCollapseButton"] button');
    }
  });
}
