"""What a reader with a keyboard, a screen reader or weak eyes misses, in every state of the page.

axe-core looks at each state in the light and in the dark theme. What it cannot know is asked here:
whether a button's name is more than its icon, and whether there is one title.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from driving import settled, upload
from made_runs import dataset_of, made
from playwright.sync_api import Browser, Page, expect
from toy import as_csv, toy_rows

SERIOUS = ("moderate", "serious", "critical")

AUDIT = """async () => {
    const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    const found = await axe.run(document, {resultTypes: ['violations'], runOnly: rules});
    return found.violations.flatMap(rule => rule.nodes.map(node => ({
        rule: rule.id, impact: rule.impact, selector: node.target.join(' '),
        html: node.html.slice(0, 200), why: node.failureSummary})));
}"""
# Streamlit writes an icon as the letters of its name, which a screen reader skips.
NAMELESS = """() => [...document.querySelectorAll(
        'button, a[href], input, [role=button], [role=combobox], [role=slider], [role=tab]')]
    .filter(part => part.checkVisibility() && part.getAttribute('type') !== 'file')
    .filter(part => {
        const words = part.cloneNode(true);
        words.querySelectorAll('[aria-hidden=true], [data-testid=stIconMaterial]')
            .forEach(icon => icon.remove());
        const others = (part.getAttribute('aria-labelledby') || '').split(' ')
            .map(id => document.getElementById(id)?.textContent || '');
        const names = [part.getAttribute('aria-label') || '', part.title || '', words.textContent,
                       ...others, ...[...(part.labels || [])].map(label => label.textContent)];
        return !names.some(name => /[\\p{L}\\p{N}]{2}/u.test(name.replace(/\\bicon\\b/, '')));
    })
    .map(part => part.outerHTML.slice(0, 300))"""


class Looked:
    """The page in one theme, taken from state to state."""

    def __init__(self, page: Page, server: str, run_id: str, compared: str) -> None:
        self.page, self.server = page, server
        self.run_id, self.compared = run_id, compared

    def open(self, query: str = "") -> None:
        self.page.goto(f"{self.server}/{query}")
        self.page.wait_for_selector("[data-testid=stApp]")
        expect(self.page.locator(".st-key-fine_tune button").first).to_be_visible(timeout=120_000)
        settled(self.page)

    def open_tab(self, query: str, name: str) -> None:
        """Open a tab of what has an address; what is open already stays so."""
        if query not in self.page.url:
            self.open(query)
        tab = self.page.get_by_role("tab", name=name, exact=True).first
        tab.click()
        expect(tab).to_have_attribute("aria-selected", "true")
        settled(self.page)


def _start(looked: Looked) -> None:
    looked.open()


def _settings(looked: Looked) -> None:
    looked.open()
    looked.page.get_by_text("More settings", exact=True).click()
    settled(looked.page)


def _encoders_to_compare(looked: Looked) -> None:
    looked.open()
    looked.page.get_by_role("button", name="Encoders to compare").click()
    expect(looked.page.get_by_text("Seeds", exact=True).first).to_be_visible()


def _zipped_run(looked: Looked) -> None:
    looked.open()
    looked.page.get_by_role("button", name="Open a zipped run").click()
    expect(looked.page.get_by_role("dialog")).to_be_visible()


def _no_file_yet(looked: Looked) -> None:
    looked.open()
    looked.page.get_by_text("Your file", exact=True).click()
    expect(looked.page.locator(".st-key-fine_tune button:disabled").first).to_be_visible()


def _bad_file(looked: Looked) -> None:
    looked.open()
    upload(looked.page, as_csv([(text, "same") for text, _ in toy_rows(40)]), "one_class.csv")
    expect(looked.page.get_by_test_id("stSidebar").get_by_test_id("stAlert")).to_be_visible()


def _all_runs(looked: Looked) -> None:
    looked.open("?view=runs")


def _bad_address(looked: Looked) -> None:
    looked.open("?run=no-such-run-00000000")


def _tab(name: str) -> Callable[[Looked], None]:
    def go(looked: Looked) -> None:
        looked.open_tab(f"?run={looked.run_id}", name)

    return go


def _details(looked: Looked) -> None:
    _tab("Layers")(looked)
    for summary in looked.page.locator(".stMain summary").all():
        summary.click()
    settled(looked.page)


def _compared_tab(name: str) -> Callable[[Looked], None]:
    def go(looked: Looked) -> None:
        looked.open_tab(f"?compare={looked.compared}", name)

    return go


STATES: dict[str, Callable[[Looked], None]] = {
    "start": _start,
    "settings": _settings,
    "encoders to compare": _encoders_to_compare,
    "zipped run": _zipped_run,
    "no file yet": _no_file_yet,
    "bad file": _bad_file,
    "all runs": _all_runs,
    "bad address": _bad_address,
    **{f"run, {name}": _tab(name) for name in
       ("Maps", "Layers", "Examples", "Training", "Export", "Run")},
    "run, details": _details,
    **{f"comparison, {name}": _compared_tab(name) for name in
       ("Maps", "Scores", "Agreement", "Runs")},
}  # fmt: skip


@pytest.fixture(scope="module")
def made_pair(runs_root: Path) -> list[str]:
    """The ids of two finished runs on the same examples."""
    dataset = dataset_of("audited", n_test=60)
    apart = {"bert-mini": {3: 4.0, 4: 2.0}, "roberta-mini": {2: 3.0, 4: 1.0}}
    return [
        made(runs_root, dataset, encoder, distances, n_snapshots=3).run_id
        for encoder, distances in apart.items()
    ]


@pytest.fixture(scope="module", params=["light", "dark"])
def looked(
    request, browser: Browser, server: str, made_pair: list[str], axe: str
) -> Iterator[Looked]:
    context = browser.new_context(
        viewport={"width": 1440, "height": 1000}, color_scheme=request.param
    )
    context.add_init_script(axe)
    page = context.new_page()
    page.set_default_timeout(120_000)
    yield Looked(page, server, made_pair[0], ",".join(made_pair))
    context.close()


@pytest.mark.parametrize("state", STATES)
def test_axe_finds_nothing_serious(looked: Looked, state: str):
    STATES[state](looked)
    looked.page.mouse.move(2, 2)
    looked.page.wait_for_timeout(300)  # what fades in has arrived
    found = [
        f"{fault['rule']} ({fault['impact']}): {fault['selector']}\n{fault['html']}\n{fault['why']}"
        for fault in looked.page.evaluate(AUDIT)
        if fault["impact"] in SERIOUS
    ]
    assert found == [], "\n\n".join(found)
    assert looked.page.evaluate(NAMELESS) == []
    expect(looked.page.locator("h1:visible")).to_have_count(1)


FOCUSED = """() => {
    let part = document.activeElement;
    while (part?.shadowRoot?.activeElement) part = part.shadowRoot.activeElement;
    const style = getComputedStyle(part);
    const ring = (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0)
        || style.boxShadow !== 'none';
    return {name: part.getAttribute('aria-label') || part.textContent.trim(), ring,
            type: part.getAttribute('type') || part.tagName.toLowerCase()};
}"""


def test_the_keyboard_comes_from_fine_tune_to_the_epoch_slider(
    page: Page, server: str, finished: str
):
    page.goto(f"{server}/?run={finished}")
    settled(page)
    expect(page.get_by_role("slider", name="Epoch")).to_be_visible(timeout=60_000)
    expect(page.locator(".st-key-fine_tune button:enabled").first).to_be_visible()
    settled(page)
    expect(page.locator(".st-key-skip_link a")).to_have_count(1)
    page.wait_for_timeout(500)  # until nothing of it is drawn anew
    settled(page)
    page.get_by_role("button", name="Fine-tune").focus()
    page.keyboard.press("Tab")
    link = page.evaluate(FOCUSED)
    assert link["name"] == "Skip to the epoch slider"
    assert link["ring"]
    page.keyboard.press("Enter")
    page.wait_for_function(f"() => ({FOCUSED})().type === 'range'")
    slider = page.get_by_role("slider", name="Epoch")
    value = slider.input_value()
    page.keyboard.press("ArrowLeft")
    assert int(slider.input_value()) == int(value) - 1
    assert "#" not in page.url


def test_what_has_the_focus_is_seen(page: Page, server: str, made_pair: list[str]):
    page.goto(f"{server}/?run={made_pair[0]}")
    settled(page)
    expect(page.get_by_role("slider", name="Epoch")).to_be_visible(timeout=60_000)
    page.locator(".stMain").get_by_role("button").first.focus()
    unseen = []
    for _ in range(20):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        # A text field shows its ring on the frame around it.
        if not focused["ring"] and focused["type"] not in ("text", "number", "main"):
            unseen.append(focused)
    assert unseen == []
