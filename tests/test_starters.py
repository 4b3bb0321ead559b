"""The bundled encoders: small enough, loadable by anyone, and they know some English."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from layerviz import data, encoders, hidden_states
from layerviz.encoders import STARTERS

LAYERS = {"bert-mini": 12, "roberta-mini": 12, "distilbert-mini": 6}
CLASSES = {"bert-mini": "BertModel", "roberta-mini": "RobertaModel"} | {
    "distilbert-mini": "DistilBertModel"
}


@pytest.fixture(params=LAYERS)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@cache
def probe_scores(encoder: str) -> np.ndarray:
    """Return, per layer of an encoder that is not trained yet, a probe's val macro-F1."""
    table = data.sample_table()
    dataset = data.build_dataset(table, data.guess_columns(table.frame))
    train, val = dataset.split("train"), dataset.split("val")
    texts = [*train["text"], *val["text"]]
    loaded = encoders.load(
        encoder, label_names=dataset.label_names, seed=0, texts=texts, max_length=64
    )
    captured = hidden_states.capture(loaded.model, loaded.tokenizer, texts, max_length=64)
    scores = []
    for states in captured.pooled["mean"].astype(np.float32):
        probe = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
        probe.fit(states[: len(train)], train["label"])
        predicted = probe.predict(states[len(train) :])
        scores.append(f1_score(val["label"], predicted, average="macro"))
    return np.array(scores)


def test_all_are_bundled_and_within_their_size() -> None:
    sizes = [(STARTERS / name / "model.safetensors").stat().st_size for name in LAYERS]
    assert max(sizes) <= 9_000_000
    assert sum(sizes) <= 26_000_000
    bundled = [info for info in encoders.catalogue() if info.source == "bundled"]
    assert [info.name for info in bundled] == list(LAYERS)
    assert [info.layers for info in bundled] == list(LAYERS.values())
    assert all(info.on_disk for info in bundled)


def test_the_folder_holds_what_save_pretrained_writes_and_a_card(name: str) -> None:
    assert {path.name for path in (STARTERS / name).iterdir()} == {
        "README.md",
        "config.json",
        "model.safetensors",
        "pretraining.json",
        "tokenizer.json",
        "tokenizer_config.json",
    }
    with safe_open(STARTERS / name / "model.safetensors", framework="pt") as file:
        assert {str(file.get_tensor(key).dtype) for key in file.keys()} == {"torch.float16"}  # noqa: SIM118
    card = (STARTERS / name / "README.md").read_text(encoding="utf-8")
    for part in ("## Text", "## Training", "## Use", "## Quality", "## Limits", "## Licence"):
        assert part in card


def test_plain_transformers_loads_it_in_a_new_process(name: str, tmp_path: Path) -> None:
    code = (
        "import sys, transformers\n"
        "model = transformers.AutoModel.from_pretrained(sys.argv[1])\n"
        "tokenizer = transformers.AutoTokenizer.from_pretrained(sys.argv[1])\n"
        "inputs = tokenizer('Hello there', return_tensors='pt')\n"
        "out = model(**inputs, output_hidden_states=True)\n"
        "print(type(model).__name__, len(out.hidden_states), out.last_hidden_state.shape[-1])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(STARTERS / name)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [CLASSES[name], str(LAYERS[name] + 1), "128"]


def test_case_and_bytes_are_read_as_the_family_does(name: str) -> None:
    tokenizer = encoders.load_tokenizer(name)
    same = tokenizer("Hello WORLD").input_ids == tokenizer("hello world").input_ids
    assert same == (name != "roberta-mini")
    if name == "roberta-mini":
        text = "naïve 🙂 日本"
        assert tokenizer.decode(tokenizer(text).input_ids, skip_special_tokens=True) == text


def test_it_finds_the_sentence_that_means_the_same(name: str) -> None:
    model, tokenizer = encoders.load_body(str(STARTERS / name))
    pairs = [
        ("I want my money back", "please refund what I paid"),
        ("the food at this restaurant was delicious", "we had a very tasty dinner there"),
        ("the president gave a speech about taxes", "politicians debated the new budget law"),
        ("my phone's battery dies too fast", "this mobile needs charging all the time"),
        ("it will rain all weekend", "the weather forecast is wet and stormy"),
        ("I love this song so much", "great music, I listen to it every day"),
    ]
    texts = [text for pair in zip(*pairs, strict=True) for text in pair]
    vectors = hidden_states.sentence_vectors(model, tokenizer, texts, max_length=64)
    vectors -= vectors.mean(axis=0)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    n = len(pairs)
    nearest = (vectors[:n] @ vectors[n:].T).argmax(axis=1)
    assert (nearest == np.arange(n)).sum() >= n - 1


def test_before_training_it_separates_the_samples_classes(name: str, tmp_path: Path) -> None:
    encoders.save_random_twin(name, tmp_path / "twin", seed=0)
    starter, twin = probe_scores(name), probe_scores(str(tmp_path / "twin"))
    assert starter[1:].max() > twin.max() + 0.05  # 600 val examples tell no finer differences
