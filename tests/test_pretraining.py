"""Pre-training learns, goes on where it stopped, and refuses what it cannot do."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from sklearn.linear_model import Ridge
from torch import nn
from toy import toy_rows

from layerviz import data, encoders, hidden_states, pretraining
from layerviz.__main__ import main
from layerviz.config import FAMILIES
from layerviz.data import Corpus
from layerviz.encoders import EncoderSize, MaskedLM
from layerviz.errors import Cancelled, ConfigError, DataError, EncoderError, RunError
from layerviz.pretrain_config import PretrainConfig
from layerviz.pretraining import batches, loss, student
from layerviz.pretraining import teacher as teacher_module
from layerviz.pretraining import words as words_module
from layerviz.progress import TRAINING, WORDS, Phase, Progress, ignore, never

TEXTS = [text for text, _ in toy_rows(300)]
SIZE = EncoderSize(layers=2, hidden_size=32, heads=2, vocab_size=400)
CONFIG = PretrainConfig(
    "bert",
    layers=SIZE.layers,
    hidden_size=SIZE.hidden_size,
    heads=SIZE.heads,
    vocab_size=SIZE.vocab_size,
    precision="fp32",
    epochs=2,
    batch_size=32,
    learning_rate=3e-3,
    warmup_steps=5,
    max_length=32,
)


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return data.read_corpus("\n".join(TEXTS).encode(), "toy.txt")


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A random encoder: its vectors still tell texts apart by their words."""
    folder = tmp_path_factory.mktemp("teacher")
    size = EncoderSize(layers=2, hidden_size=48, heads=2, vocab_size=500)
    encoders.save_masked_lm(encoders.new_masked_lm("bert", size, TEXTS, seed=7), folder)
    return str(folder)


@pytest.fixture(scope="module")
def finished(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("finished") / "bert"
    pretraining.pretrain(CONFIG, corpus, out)
    return out


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


def word_vectors(masked: MaskedLM) -> torch.Tensor:
    return masked.model.get_input_embeddings().get_parameter("weight")


def same(one: Path, other: Path) -> bool:
    a, b = weights(one), weights(other)
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("family", FAMILIES)
def test_more_passes_predict_held_out_tokens_better(
    family: str, corpus: Corpus, tmp_path: Path
) -> None:
    losses = []
    for epochs in (1, 8):
        config = dataclasses.replace(CONFIG, family=family, epochs=epochs)
        record = pretraining.pretrain(config, corpus, tmp_path / str(epochs))
        losses.append(record["result"]["masked_loss"])
    assert losses[1] < losses[0] - 0.5 < np.log(400)


def test_the_folder_is_an_encoder_and_says_how_it_was_made(finished: Path, corpus: Corpus) -> None:
    assert {path.name for path in finished.iterdir()} == {
        "config.json",
        "model.safetensors",
        "pretraining.json",
        "tokenizer.json",
        "tokenizer_config.json",
    }
    record = json.loads((finished / "pretraining.json").read_text())
    assert record["settings"] == CONFIG.as_dict()
    assert record["texts"] == {"name": "toy.txt", "n": 300, "fingerprint": corpus.fingerprint}
    assert record["result"]["n_held_out"] == 20
    assert record["result"]["steps"] == 2 * 9  # 280 texts in batches of 32
    loaded = encoders.load(str(finished), label_names=("a", "b"), seed=0, texts=(), max_length=128)
    assert loaded.info.layers == 2
    assert loaded.model.config.hidden_dropout_prob == 0.1  # for fine-tuning


def test_the_seed_decides_the_weights(finished: Path, corpus: Corpus, tmp_path: Path) -> None:
    for seed in (0, 1):
        config = dataclasses.replace(CONFIG, seed=seed)
        pretraining.pretrain(config, corpus, tmp_path / str(seed))
    assert same(finished, tmp_path / "0")
    assert not same(finished, tmp_path / "1")


def test_stopped_and_continued_ends_in_the_same_weights(
    corpus: Corpus, teacher: str, tmp_path: Path
) -> None:
    config = dataclasses.replace(CONFIG, teacher=teacher, word_epochs=1)
    pretraining.pretrain(config, corpus, tmp_path / "whole")
    steps: list[int] = []
    with pytest.raises(Cancelled):
        pretraining.pretrain(
            config,
            corpus,
            tmp_path / "parts",
            on_progress=lambda progress: steps.append(
                progress.step if progress.phase == TRAINING else 0
            ),
            should_stop=lambda: max(steps, default=0) >= 7,
        )
    assert json.loads((tmp_path / "parts" / "pretraining.json").read_text())["status"] == "running"
    resumed: list[Progress] = []
    pretraining.pretrain(
        config,
        corpus,
        tmp_path / "parts",
        on_progress=resumed.append,
    )
    assert WORDS not in [progress.phase for progress in resumed]  # they were trained before
    assert min(progress.step for progress in resumed if progress.step) >= 7
    assert same(tmp_path / "whole", tmp_path / "parts")
    assert not (tmp_path / "parts" / "resume").exists()


def test_a_finished_folder_is_left_as_it_is(finished: Path, corpus: Corpus) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in finished.iterdir()}
    record = pretraining.pretrain(CONFIG, corpus, finished)
    assert record["status"] == "done"
    assert {path.name: path.stat().st_mtime_ns for path in finished.iterdir()} == before


def test_other_settings_or_texts_in_the_same_folder_are_refused(
    finished: Path, corpus: Corpus
) -> None:
    other = data.read_corpus("\n".join(TEXTS[:200]).encode(), "toy.txt")
    for config, texts in ((dataclasses.replace(CONFIG, seed=3), corpus), (CONFIG, other)):
        with pytest.raises(RunError, match=r"other settings or texts.*--out"):
            pretraining.pretrain(config, texts, finished)


def test_a_folder_with_something_else_is_not_touched(corpus: Corpus, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(RunError, match="something else"):
        pretraining.pretrain(CONFIG, corpus, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_too_few_texts_are_refused(tmp_path: Path) -> None:
    few = data.read_corpus("\n".join(TEXTS[:99]).encode(), "few.txt")
    with pytest.raises(DataError, match="99 different texts"):
        pretraining.pretrain(CONFIG, few, tmp_path / "out")


def test_a_distilbert_starts_where_its_bert_ended(
    finished: Path, corpus: Corpus, tmp_path: Path
) -> None:
    config = dataclasses.replace(CONFIG, family="distilbert", epochs=1)
    started = dataclasses.replace(config, start=str(finished), learning_rate=1e-4)
    losses = [
        pretraining.pretrain(one, corpus, tmp_path / name)["result"]["masked_loss"]
        for one, name in ((config, "new"), (started, "started"))
    ]
    assert losses[1] < losses[0]
    assert encoders.describe(str(tmp_path / "started")).layers == 1


# --- the loss -------------------------------------------------------------------------------


@pytest.mark.parametrize("family", FAMILIES)
def test_the_masked_loss_is_that_of_transformers(family: str) -> None:
    masked = encoders.new_masked_lm(family, SIZE, TEXTS, seed=0)
    student.disable_dropout(masked.model)
    ids = masked.tokenizer(TEXTS[:40])["input_ids"]
    texts = batches.TrainingTexts(ids, np.arange(40))
    batch = batches.Collator(masked.tokenizer, texts, seed=0)([(0, list(range(40)))])
    masked_loss, teacher_loss = loss.student_loss(masked, batch, None)
    torch.testing.assert_close(masked_loss, masked.model(**batch).loss)
    assert teacher_loss.item() == 0
    assert 0 < (batch["labels"] != -100).sum() < 0.3 * batch["attention_mask"].sum()


def test_the_teachers_loss_is_zero_for_its_own_vectors_and_falls_with_likeness() -> None:
    rng = torch.Generator().manual_seed(0)
    teacher = nn.functional.normalize(torch.randn(8, 16, generator=rng), dim=-1)
    noise = torch.randn(8, 16, generator=rng)
    losses = [float(loss.matching_loss(teacher + part * noise, teacher)) for part in (0, 0.1, 1)]
    assert losses[0] == pytest.approx(0, abs=1e-5)
    assert losses[0] < losses[1] < losses[2]
    # Twice the largest cosine distance; the likenesses within the batch are the same.
    assert float(loss.matching_loss(-teacher, teacher)) == pytest.approx(4, abs=1e-4)


def test_the_teachers_loss_is_computed_in_float32_under_autocast() -> None:
    rng = torch.Generator().manual_seed(0)
    teacher = nn.functional.normalize(torch.randn(8, 16, generator=rng), dim=-1)
    student = teacher + 0.01 * torch.randn(8, 16, generator=rng)
    plain = loss.matching_loss(student, teacher)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(loss.matching_loss(student, teacher), plain)


def test_a_batch_without_masked_tokens_has_a_loss_of_zero() -> None:
    masked = encoders.new_masked_lm("bert", SIZE, TEXTS, seed=0)
    ids = torch.tensor([[2, 7, 3]])
    batch = {
        "input_ids": ids,
        "attention_mask": torch.ones_like(ids),
        "labels": torch.full_like(ids, -100),
    }
    nothing, _ = loss.student_loss(masked, batch, None)
    assert nothing.item() == 0


# --- the teacher ----------------------------------------------------------------------------


def test_a_teacher_is_approached(corpus: Corpus, teacher: str, tmp_path: Path) -> None:
    cosines = []
    for weight in (0.0, 5.0):
        config = dataclasses.replace(CONFIG, teacher=teacher, teacher_weight=weight, epochs=6)
        record = pretraining.pretrain(config, corpus, tmp_path / str(weight))
        cosines.append(record["result"]["teacher_cosine"])
    assert cosines[1] > cosines[0]
    assert "teacher_projections" not in " ".join(weights(tmp_path / "5.0"))


def test_vectors_are_kept_in_the_cache_and_read_again(
    corpus: Corpus, teacher: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed: list[int] = []
    compute = hidden_states.sentence_vectors

    def counted(model: Any, tokenizer: Any, texts: Any, **settings: Any) -> np.ndarray:
        computed.append(len(texts))
        return compute(model, tokenizer, texts, **settings)

    monkeypatch.setattr(hidden_states, "sentence_vectors", counted)
    monkeypatch.setattr(teacher_module, "SHARD", 200)
    loaded = encoders.load_body(teacher)
    arguments = (loaded, CONFIG, corpus, tmp_path, ignore, never)
    first = teacher_module.teacher_vectors(*arguments)
    assert computed == [200, 100]
    assert (first.shape, first.dtype) == ((300, 48), np.float16)
    np.testing.assert_allclose(np.linalg.norm(first.astype(float), axis=1), 1, atol=1e-3)
    (shard, _) = sorted(tmp_path.rglob("*.safetensors"))
    shard.unlink()
    again = teacher_module.teacher_vectors(*arguments)
    assert computed == [200, 100, 200]  # only what is missing
    np.testing.assert_array_equal(first, again)
    other = data.read_corpus("\n".join(TEXTS[::-1]).encode(), "toy.txt")
    teacher_module.teacher_vectors(loaded, CONFIG, other, *arguments[3:])
    assert computed == [200, 100, 200, 200, 100]  # other texts, other vectors


def test_a_new_student_starts_with_the_words_of_its_teacher(teacher: str) -> None:
    masked = encoders.new_masked_lm("bert", SIZE, TEXTS, seed=0)
    loaded = encoders.load_body(teacher)
    words = word_vectors(masked)
    before = words.detach().clone()
    teacher_module.set_words_from_teacher(loaded, masked)
    special = masked.tokenizer.all_special_ids
    assert torch.equal(words[special], before[special])
    names = ["apple", "pear", "hammer", "danube", "table", "uncle"]
    ids = masked.tokenizer.convert_tokens_to_ids(names)
    vectors = torch.tensor(hidden_states.sentence_vectors(*loaded, names, max_length=8))

    def distances(vectors: torch.Tensor) -> np.ndarray:
        return torch.pdist(vectors.detach()).numpy()

    assert np.corrcoef(distances(words[ids]), distances(vectors))[0, 1] > 0.8
    deviation = masked.model.config.initializer_range
    others = [row for row in range(len(words)) if row not in special]
    assert words[others].std().item() == pytest.approx(deviation, rel=0.1)


def test_a_student_wider_than_its_teacher_says_that_it_starts_at_random(
    teacher: str, caplog: pytest.LogCaptureFixture
) -> None:
    size = EncoderSize(layers=1, hidden_size=64, heads=2, vocab_size=400)
    masked = encoders.new_masked_lm("bert", size, TEXTS, seed=0)
    before = word_vectors(masked).detach().clone()
    teacher_module.set_words_from_teacher(encoders.load_body(teacher), masked)
    assert torch.equal(word_vectors(masked), before)
    assert "start at random" in caplog.text


def test_words_that_were_trained_first_match_the_teacher_by_their_mean(
    teacher: str, tmp_path: Path
) -> None:
    masked = encoders.new_masked_lm("distilbert", SIZE, TEXTS, seed=0)
    ids = masked.tokenizer(TEXTS)["input_ids"]
    loaded = encoders.load_body(teacher)
    vectors = hidden_states.sentence_vectors(*loaded, TEXTS, max_length=32)
    vectors -= vectors.mean(axis=0)  # a random teacher's point all the same way
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    transformer = masked.model.base_model.get_submodule("transformer")
    layers = {name: weight.clone() for name, weight in transformer.named_parameters()}
    embeddings = masked.model.base_model.get_submodule("embeddings")

    def explained() -> float:
        """The share of the held-out teacher's variance that a ridge on the mean words explains."""
        means = []
        with torch.inference_mode():
            for row in ids:
                means.append(embeddings(input_ids=torch.tensor([row])).mean(dim=1).squeeze(0))
        states = torch.stack(means).numpy()
        return Ridge(alpha=0.1).fit(states[:200], vectors[:200]).score(states[200:], vectors[200:])

    before = explained()
    config = dataclasses.replace(CONFIG, family="distilbert", teacher=teacher, word_epochs=60)
    words_module.train_words(
        masked,
        config,
        batches.TrainingTexts(ids, np.arange(200), vectors),
        tmp_path,
        ignore,
        never,
    )
    assert explained() > before + 0.05
    assert not any(path.is_file() for path in tmp_path.rglob("*"))
    assert all(torch.equal(layers[name], now) for name, now in transformer.named_parameters())


def test_stopped_while_words_are_trained_begins_with_them_again(
    corpus: Corpus, teacher: str, tmp_path: Path
) -> None:
    config = dataclasses.replace(CONFIG, teacher=teacher, word_epochs=3, epochs=1)
    phases: list[Phase] = []
    with pytest.raises(Cancelled):
        pretraining.pretrain(
            config,
            corpus,
            tmp_path / "out",
            on_progress=lambda progress: phases.append(progress.phase),
            should_stop=lambda: WORDS in phases,
        )
    assert phases[-1] == WORDS
    assert not list((tmp_path / "out").rglob("checkpoint-*"))
    pretraining.pretrain(config, corpus, tmp_path / "whole")
    pretraining.pretrain(config, corpus, tmp_path / "out")
    assert same(tmp_path / "whole", tmp_path / "out")


@pytest.mark.parametrize("part", ["teacher", "start"])
def test_a_missing_encoder_is_reported_at_once(part: str, corpus: Corpus, tmp_path: Path) -> None:
    missing: dict[str, Any] = {part: "nobody/knows-this"}
    config = dataclasses.replace(CONFIG, epochs=1, **missing)
    with pytest.raises(EncoderError, match="not on this disk"):
        pretraining.pretrain(config, corpus, tmp_path / "out")
    corrected = dataclasses.replace(CONFIG, epochs=1)
    assert pretraining.pretrain(corrected, corpus, tmp_path / "out")["status"] == "done"


# --- settings and the command line ----------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"family": "gpt"},
        {"layers": 0},
        {"hidden_size": 33},
        {"vocab_size": 10},
        {"epochs": 0},
        {"batch_size": 1},
        {"learning_rate": 0},
        {"max_length": 513},
        {"teacher_weight": -1},
        {"word_epochs": 2},  # without a teacher
        {"seed": -1},
        {"precision": "int8"},
    ],
)
def test_impossible_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        dataclasses.replace(CONFIG, **wrong)


def test_a_wide_encoder_gets_a_smaller_rate(finished: Path) -> None:
    narrow = dataclasses.replace(CONFIG, start=str(finished), hidden_size=768)
    assert pretraining.with_default_rate(narrow) == narrow  # what counts is where it starts
    wide = dataclasses.replace(CONFIG, hidden_size=768)
    assert pretraining.with_default_rate(wide).learning_rate == 5e-5


def test_the_command_line_prints_the_folder_last(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "\n".join(["Не для себя", *TEXTS])
    (tmp_path / "toy.txt").write_text(text, encoding="koi8-r")
    out = tmp_path / "encoder"
    sizes = ["--layers=1", "--hidden-size=32", "--vocab-size=400", "--epochs=1", "--max-texts=150"]
    paths = ["--data", str(tmp_path / "toy.txt"), "--out", str(out), "--encoding", "koi8-r"]
    assert main(["pretrain", "--family=roberta", *paths, *sizes]) == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines() == [str(out)]
    assert "random sample of 150 of 301" in printed.err
    assert "is a guess" not in printed.err
    assert "Held-out masked loss" in printed.err
    assert encoders.describe(str(out)).family == "RoBERTa"


def test_bad_input_on_the_command_line_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty.txt").write_text("")
    command = ["pretrain", "--family=bert", "--out", str(tmp_path / "out"), "--data"]
    for path, words in (("empty.txt", "is empty"), ("missing.txt", "cannot be read")):
        assert main([*command, str(tmp_path / path)]) == 2
        printed = capsys.readouterr()
        assert printed.out == ""
        assert words in printed.err
        assert len(printed.err.splitlines()) == 1
    assert not (tmp_path / "out").exists()
