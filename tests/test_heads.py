"""A finished classifier that keeps its head."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_encoders import TEXTS, build, change_config, save

from layerviz import encoders
from layerviz.config import RunConfig
from layerviz.encoders import EncoderSize
from layerviz.errors import ConfigError, EncoderError

OWN = ["sad", "Glad", "calm"]  # as the head has them; the data have them in another order
OF_DATA = ["calm", "glad", "sad"]


def finished(folder: Path, family: str = "bert", names: list[str] = OWN) -> Path:
    size = EncoderSize(layers=2, hidden_size=32, heads=2, vocab_size=400)
    return save(encoders.build_scratch(family, size, TEXTS, label_names=names, seed=0), folder)


def load(
    folder: Path, label_names: list[str], keep_head: str = "by-name"
) -> encoders.LoadedEncoder:
    return encoders.load(
        str(folder), label_names=label_names, seed=1, texts=TEXTS, max_length=32,
        keep_head=keep_head,
    )  # fmt: skip


def logits(encoder: encoders.LoadedEncoder) -> np.ndarray:
    batch = encoder.tokenizer(TEXTS[:5], padding=True, return_tensors="pt")
    with torch.no_grad():
        return encoder.model.eval()(**batch).logits.numpy()


@pytest.mark.parametrize("family", ["bert", "roberta", "distilbert"])
def test_a_head_gives_what_it_gave_in_the_order_of_the_datas_classes(
    tmp_path: Path, family: str
) -> None:
    folder = finished(tmp_path / "finished", family)
    kept = load(folder, OF_DATA)
    assert (kept.model.config.id2label or {}) == dict(enumerate(OF_DATA))
    np.testing.assert_allclose(
        logits(kept), logits(encoders.load_trained(folder))[:, [2, 1, 0]], atol=1e-6
    )
    new = load(folder, OF_DATA, "no")
    assert not np.allclose(logits(new), logits(kept))


def test_classes_without_names_are_taken_by_index_only_when_that_is_said(tmp_path: Path) -> None:
    folder = finished(tmp_path / "finished", names=["LABEL_0", "LABEL_1", "LABEL_2"])
    with pytest.raises(EncoderError, match="have no names") as told:
        load(folder, OF_DATA)
    assert told.value.options == ("--keep-head by-index",)
    own = logits(encoders.load_trained(folder))
    np.testing.assert_allclose(logits(load(folder, OF_DATA, "by-index")), own, atol=1e-6)
    # Numbers are their own places, in whatever order the data have them.
    by_number = logits(load(folder, ["2", "0", "1"], "by-index"))
    np.testing.assert_allclose(by_number, own[:, [2, 0, 1]], atol=1e-6)


def test_a_head_that_is_not_the_datas_is_refused_with_the_reason(tmp_path: Path) -> None:
    folder = finished(tmp_path / "finished")
    for label_names, reason in (
        (["calm", "glad", "angry"], "are not those of the data"),
        (["calm", "glad"], "tells 3 classes apart .* and the data have 2"),
    ):
        with pytest.raises(EncoderError, match=reason):
            load(folder, label_names)
    change_config(folder, problem_type="multi_label_classification")
    with pytest.raises(EncoderError, match="multi label"):
        load(folder, OF_DATA)


def test_what_has_no_head_is_refused(tmp_path: Path) -> None:
    encoder = build()
    body = encoder.model.base_model
    body.save_pretrained(tmp_path)  # type: ignore[operator]
    encoder.tokenizer.save_pretrained(tmp_path)
    change_config(tmp_path, id2label={"0": "no", "1": "yes"}, label2id={"no": 0, "yes": 1})
    with pytest.raises(EncoderError, match="no classification head to keep"):
        load(tmp_path, ["no", "yes"])
    with pytest.raises(EncoderError, match="made anew"):
        encoders.load(
            "scratch-bert", label_names=["a", "b"], seed=0, texts=TEXTS, max_length=32,
            keep_head="by-name",
        )  # fmt: skip
    with pytest.raises(ConfigError, match="belongs to all layers"):
        RunConfig("x/y", keep_layers=2, keep_head="by-name")


def test_a_head_that_is_someone_elses_is_given_back_as_it_was() -> None:
    encoder = build()
    before = {name: value.clone() for name, value in encoder.model.state_dict().items()}
    own = encoder.model.config.id2label
    with encoders.in_order("it", encoder.model, [1, 0], ["yes", "no"]):
        assert encoder.model.config.id2label == {0: "yes", 1: "no"}
        now = encoder.model.state_dict()
        assert torch.equal(now["classifier.weight"], before["classifier.weight"][[1, 0]])
    assert encoder.model.config.id2label == own
    for name, value in encoder.model.state_dict().items():
        assert torch.equal(value, before[name])
