"""What is loaded when: the first page, and commands that only look, do without what trains."""

from __future__ import annotations

import importlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pages import open_page

from layerviz import data, encoders, lazily, tokenising
from layerviz.encoders import folders, outline
from layerviz.encoders.configs import read_config
from layerviz.errors import LayervizError
from layerviz.training import device
from layerviz.ui.parts import libraries

ROOT = Path(__file__).resolve().parents[1]
HEAVY = (
    "torch",
    "transformers",
    "sklearn",
    "scipy.stats",
    "scipy.linalg",
    "openTSNE",
    "umap",
    "altair",
)
FIRST_PAGE = f"""
import sys
from streamlit.testing.v1 import AppTest
from layerviz.ui.parts import libraries

begun = []
libraries.load_behind_the_page = lambda: begun.append(True)
page = AppTest.from_file({str(ROOT / "streamlit_app.py")!r}, default_timeout=120).run()
assert not page.exception, page.exception
button = next(one for one in page.button if one.label == "Fine-tune")
print(button.disabled, bool(begun), [name for name in {HEAVY} if name in sys.modules])
"""


def said(code: str, runs: Path) -> str:
    """Return what a fresh process prints."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | {"LAYERVIZ_RUNS": str(runs)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


def test_the_first_page_is_drawn_without_what_trains(tmp_path: Path) -> None:
    assert said(FIRST_PAGE, tmp_path) == "False True []"


def test_all_that_is_loaded_behind_the_first_page_is_there() -> None:
    assert [name for name in libraries._NEEDED if importlib.util.find_spec(name) is None] == []


def test_a_second_visit_computes_nothing_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAYERVIZ_RUNS", str(tmp_path))
    first = open_page()
    for computed in (
        "layerviz.data.reading.read_table",
        "layerviz.data.read_table",
        "layerviz.data.build_dataset",
        "layerviz.data.suggest_columns",
        "layerviz.tokenising.lengths_by",
        "layerviz.charts.written.WrittenChart.to_dict",
    ):
        monkeypatch.setattr(computed, None)
    second = open_page()  # of a new browser session, on the same server
    assert not second.exception
    assert not second.error
    kinds = [[element.type for element in page.main] for page in (first, second)]
    assert kinds[0] == kinds[1]


@pytest.mark.parametrize(
    ("module", "label"),
    [("layerviz.ui.sidebar.launch", "Fine-tune"), ("layerviz.ui.sidebar.comparison", "Compare")],
)
def test_what_trains_waits_for_the_libraries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, label: str
) -> None:
    def wait() -> None:
        raise LayervizError("All must wait.")

    monkeypatch.setenv("LAYERVIZ_RUNS", str(tmp_path))
    page = open_page()
    monkeypatch.setattr(f"{module}.wait_for_libraries", wait)
    next(one for one in page.button if one.label.startswith(label)).click().run()
    assert [error.value for error in page.error if "All must wait" in error.value]
    assert list(tmp_path.glob("*/run.json")) == []


LAZY = [path.parent for path in sorted((ROOT / "layerviz").rglob("__init__.py"))
        if "lazy_names(__name__)" in path.read_text(encoding="utf-8")]  # fmt: skip


@pytest.mark.parametrize("folder", LAZY, ids=lambda folder: folder.name)
def test_a_lazy_package_offers_what_it_lists_and_no_name_of_a_module(folder: Path) -> None:
    name = ".".join(folder.relative_to(ROOT).parts)
    package = importlib.import_module(name)
    names = set(lazily._modules_by_name(name))
    assert names == set(package.__all__)
    assert names <= set(dir(package))
    assert not {one for one in names if importlib.util.find_spec(f"{name}.{one}")}
    assert all(getattr(package, one) is not None for one in names)


@pytest.mark.parametrize("name", sorted(one.name for one in encoders.STARTERS.iterdir()))
def test_a_starter_is_described_as_transformers_describes_it(name: str) -> None:
    folder = encoders.STARTERS / name
    config, info = read_config(name, folder), encoders.describe(name)
    assert (info.layers, info.hidden_size) == (config.num_hidden_layers, config.hidden_size)
    limit = encoders.max_positions(config, folders.read_tokenizer(name, folder))
    assert encoders.most_tokens(name) == limit


@pytest.mark.parametrize("name", sorted(one.name for one in encoders.STARTERS.iterdir()))
def test_tokens_of_a_starter_are_counted_as_transformers_counts_them(name: str) -> None:
    odd = ["", "It took ☃ 你好 Ñandú 😀 12,5 % \u200b\u0301.", "[MASK] <mask> x </s>", "x" * 300]
    texts = [*odd, *data.sample_table().frame["text"].head(200)]
    tokenizer = encoders.starter_tokenizer(name)
    assert tokenizer is not None
    expected = tokenising.token_lengths(encoders.load_tokenizer(name), texts)
    np.testing.assert_array_equal(tokenising.lengths_by(tokenizer, texts), expected)


@pytest.mark.parametrize("change", [{"n_layers": "6"}, {"dim": True}, {"is_decoder": True}])
def test_an_odd_config_is_left_to_transformers(change: dict[str, object]) -> None:
    usual = {"model_type": "distilbert", "n_layers": 6, "dim": 8, "pad_token_id": 0}
    usual["max_position_embeddings"] = 512
    assert outline.outline_of(usual) is not None
    assert outline.outline_of(usual | change) is None
    assert outline.outline_of({"model_type": "electra"} | change) is None


def test_the_device_is_told_without_pytorch_as_with_it(tmp_path: Path) -> None:
    code = (
        "from layerviz.training.device import device, multiplies_bf16\n"
        "print(device(), multiplies_bf16())"
    )
    assert said(code, tmp_path) == f"{device.device()} {device.multiplies_bf16()}"
