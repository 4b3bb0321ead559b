// The sidebar opens and closes with what is pressed: Streamlit lets no button of a page do so.
const press = (selector) => document.querySelector(selector)?.click();
const PHONE = "(max-width: 768px)"; // where the sidebar lies over the page
if (!window.layervizListens) {
  window.layervizListens = true;
  document.addEventListener("click", (event) => {
    if (event.target.closest('[class*="st-key-open_sidebar"] button')) {
      press('[data-testid="stExpandSidebarButton"]');
    } else if (
      event.target.closest('.st-key-runs button, .st-key-all_runs button, .st-key-fine_tune button, .st-key-compare button')
      && window.matchMedia(PHONE).matches
    ) {
      press('[data-testid="stSidebarCollapseButton"] button');
    }
  });
}
