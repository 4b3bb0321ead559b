"""A capture equals a plain forward pass, and leaves no trace on model or random state."""

from __future__ import annotations

import random
import tracemalloc
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from layerviz import encoders, hidden_states, memory, tokenising
from layerviz.encoders import LoadedEncoder
from layerviz.errors import Cancelled
from layerviz.hidden_states import (
    FLOAT16_MAX,
    capture,
    token_states,
)
from layerviz.pairs import pair_of
from layerviz.tokenising import Share, token_lengths, tokenise
from layerviz.training.sharing import whole_capture

LAYERS, WIDTH, MAX_LENGTH = 3, 32, 48
WORDS = ["the", "cat", "sat", "under", "a", "tree", "while", "dogs", "ran", "over", "hill", "back"]


def texts_of_many_lengths(n: int = 50) -> list[str]:
    rng = random.Random(1)
    texts = [" ".join(rng.choices(WORDS, k=rng.randint(1, 40))) for _ in range(n - 3)]
    texts += ["a", " ".join(WORDS * 20), "😀 dogs"]  # the second is cut at MAX_LENGTH
    rng.shuffle(texts)
    return texts


def build(family: str, max_length: int = MAX_LENGTH) -> LoadedEncoder:
    size = encoders.EncoderSize(LAYERS, WIDTH, 2, 400, positions=max(512, max_length))
    names = ["no", "yes", "perhaps"]
    return encoders.build_scratch(family, size, texts_of_many_lengths(), label_names=names, seed=0)


@pytest.fixture(scope="module")
def built() -> LoadedEncoder:
    return build("distilbert")


@pytest.fixture
def encoder(built: LoadedEncoder) -> LoadedEncoder:
    built.model.eval()
    return built


def plain_forward(encoder: LoadedEncoder, texts: list[str]) -> tuple[dict, np.ndarray]:
    """Pool in float64, by definition: all texts in one padded batch, one example at a time."""
    batch = encoder.tokenizer(
        texts, padding=True, truncation=True, max_length=MAX_LENGTH, return_tensors="pt"
    )
    encoder.model.eval()
    with torch.no_grad():
        output = encoder.model(**batch, output_hidden_states=True)
    states = torch.stack(output.hidden_states).double().numpy()  # (L + 1, N, T, D)
    n_tokens = batch["attention_mask"].sum(dim=1).tolist()
    rows = range(len(texts))
    pooled = {
        "mean": np.stack([states[:, i, : n_tokens[i]].mean(axis=1) for i in rows], axis=1),
        "cls": states[:, :, 0],
        "max": np.stack([states[:, i, : n_tokens[i]].max(axis=1) for i in rows], axis=1),
    }
    return pooled, output.logits.numpy()


@pytest.mark.parametrize("family", ["bert", "roberta", "distilbert"])
def test_a_capture_equals_a_plain_forward_pass(family):
    encoder, texts = build(family), texts_of_many_lengths()
    captured = capture(
        encoder.model, encoder.tokenizer, texts, max_length=MAX_LENGTH, tokens_per_batch=256
    )
    expected, logits = plain_forward(encoder, texts)
    assert set(captured.pooled) == {"mean", "cls", "max"}
    for pooling, values in captured.pooled.items():
        assert values.dtype == np.float16
        assert values.shape == (LAYERS + 1, len(texts), WIDTH)
        np.testing.assert_allclose(values, expected[pooling], rtol=1e-3, atol=1e-3)
    assert captured.logits.dtype == np.float32
    np.testing.assert_allclose(captured.logits, logits, atol=1e-4)
    assert captured.n_clipped == 0


def test_poolings_of_padded_texts_differ_from_each_other_and_ignore_padding(encoder):
    short, long = "a dog", " ".join(WORDS * 3)
    alone = capture(encoder.model, encoder.tokenizer, [short], max_length=MAX_LENGTH)
    padded = capture(encoder.model, encoder.tokenizer, [short, long], max_length=MAX_LENGTH)
    for pooling in ("mean", "cls", "max"):
        np.testing.assert_allclose(
            padded.pooled[pooling][:, 0], alone.pooled[pooling][:, 0], rtol=2e-3, atol=2e-3
        )
    mean, cls, largest = (padded.pooled[p][1:, 0] for p in ("mean", "cls", "max"))
    assert np.abs(mean - cls).max() > 0.1
    assert (largest >= mean - 1e-3).all()
    assert (largest >= cls).all()


def test_rows_come_in_the_order_of_the_texts(encoder):
    texts = texts_of_many_lengths(20)
    order = np.random.default_rng(0).permutation(len(texts))
    settings: dict[str, Any] = {"max_length": MAX_LENGTH, "tokens_per_batch": 128}
    straight = capture(encoder.model, encoder.tokenizer, texts, **settings)
    shuffled = capture(encoder.model, encoder.tokenizer, [texts[i] for i in order], **settings)
    for pooling, values in shuffled.pooled.items():
        np.testing.assert_allclose(values, straight.pooled[pooling][:, order], atol=4e-3)
    np.testing.assert_allclose(shuffled.logits, straight.logits[order], atol=1e-4)


@pytest.mark.parametrize("n", [2, 3, 40])  # of 40, some have no batch
def test_shares_of_a_capture_are_the_capture(encoder, n):
    texts = tokenise(encoder.tokenizer, texts_of_many_lengths(), MAX_LENGTH)
    settings: dict[str, Any] = {"max_length": 0, "tokens_per_batch": 128}
    whole = capture(encoder.model, encoder.tokenizer, texts, **settings)
    parts = [
        capture(encoder.model, encoder.tokenizer, texts, share=Share(number, n), **settings)
        for number in range(n)
    ]
    together = whole_capture(parts, texts, 128)
    np.testing.assert_array_equal(together.logits, whole.logits)
    for pooling, values in whole.pooled.items():
        np.testing.assert_array_equal(together.pooled[pooling], values)


def test_texts_are_cut_at_max_length(encoder):
    words = " ".join(WORDS)
    texts = [f"{words} {ending}" for ending in ("dogs", "cat tree hill")]
    cut = capture(encoder.model, encoder.tokenizer, texts, max_length=8).pooled["mean"]
    whole = capture(encoder.model, encoder.tokenizer, texts, max_length=MAX_LENGTH).pooled["mean"]
    assert np.array_equal(cut[:, 0], cut[:, 1])
    assert not np.array_equal(whole[:, 0], whole[:, 1])


@pytest.mark.parametrize("training", [True, False])
def test_the_model_returns_to_the_mode_it_was_in(encoder, training):
    encoder.model.train(training)
    first = capture(encoder.model, encoder.tokenizer, WORDS, max_length=8)
    assert encoder.model.training is training
    assert all(module.training is training for module in encoder.model.modules())
    again = capture(encoder.model, encoder.tokenizer, WORDS, max_length=8)
    assert np.array_equal(first.logits, again.logits)  # no dropout, whatever the mode
    encoder.model.eval()


def numpy_state() -> tuple[Any, ...]:
    """Return NumPy's global random state in a form that compares to one truth value."""
    state: Any = np.random.get_state(legacy=False)
    return state["state"]["key"].tolist(), state["state"]["pos"], state["has_gauss"], state["gauss"]


def test_no_random_number_is_drawn(encoder):
    encoder.model.train()
    torch.manual_seed(1)
    np.random.seed(1)
    random.seed(1)
    before, numpy_before = (torch.get_rng_state(), random.getstate()), numpy_state()
    capture(encoder.model, encoder.tokenizer, texts_of_many_lengths(), max_length=MAX_LENGTH)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert random.getstate() == before[1]
    assert numpy_state() == numpy_before


def test_no_gradients_are_left(encoder):
    encoder.model.zero_grad()
    capture(encoder.model, encoder.tokenizer, WORDS, max_length=8)
    assert all(parameter.grad is None for parameter in encoder.model.parameters())
    output = encoder.model(torch.tensor([[2, 7, 3]]))
    output.logits.sum().backward()  # training still works afterwards
    assert any(parameter.grad is not None for parameter in encoder.model.parameters())
    encoder.model.zero_grad()


def test_stopping_between_batches(encoder):
    encoder.model.train()
    calls, reports = [], []

    def stop_before_the_third() -> bool:
        calls.append(1)
        return len(calls) == 3

    with pytest.raises(Cancelled):
        capture(
            encoder.model,
            encoder.tokenizer,
            texts_of_many_lengths(),
            max_length=MAX_LENGTH,
            tokens_per_batch=100,
            on_progress=lambda now: reports.append((now.done, now.total)),
            should_stop=stop_before_the_third,
        )
    assert len(reports) == 2
    assert encoder.model.training


def test_progress_counts_texts_up_to_all_of_them(encoder):
    reports = []
    capture(
        encoder.model,
        encoder.tokenizer,
        texts_of_many_lengths(),
        max_length=MAX_LENGTH,
        tokens_per_batch=200,
        on_progress=lambda now: reports.append((now.done, now.total)),
    )
    done = [report[0] for report in reports]
    assert done == sorted(set(done))
    assert reports[-1] == (50, 50)
    assert {total for _, total in reports} == {50}
    assert len(reports) > 5


def test_values_beyond_float16_are_clipped_and_counted(caplog):
    encoder, texts = build("distilbert"), texts_of_many_lengths(12)
    with torch.no_grad():
        encoder.model.get_parameter("distilbert.embeddings.LayerNorm.weight").fill_(6e4)
    captured = capture(encoder.model, encoder.tokenizer, texts, max_length=MAX_LENGTH)
    expected, _ = plain_forward(encoder, texts)
    beyond = sum(int((np.abs(values) > FLOAT16_MAX).sum()) for values in expected.values())
    assert captured.n_clipped == beyond > 0
    for pooling, values in captured.pooled.items():
        assert np.isfinite(values).all()
        np.testing.assert_allclose(
            values, expected[pooling].clip(-FLOAT16_MAX, FLOAT16_MAX), rtol=2e-3, atol=2e-3
        )
    assert np.abs(captured.pooled["max"].astype(np.float64)).max() == FLOAT16_MAX
    assert str(beyond) in caplog.text


def shapes_of_batches(encoder: LoadedEncoder, texts: list[str], **settings) -> list[tuple]:
    shapes = []

    def look(module, args, kwargs):
        shapes.append(tuple(kwargs["input_ids"].shape))

    handle = encoder.model.register_forward_pre_hook(look, with_kwargs=True)
    try:
        capture(encoder.model, encoder.tokenizer, texts, **settings)
    finally:
        handle.remove()
    return shapes


def test_a_batch_on_a_processor_is_small_unless_it_is_set(encoder):
    shapes = shapes_of_batches(encoder, texts_of_many_lengths() * 4, max_length=MAX_LENGTH)
    assert max(rows * width for rows, width in shapes) <= 768


def test_batches_keep_to_the_token_budget(encoder):
    texts = texts_of_many_lengths()
    shapes = shapes_of_batches(encoder, texts, max_length=MAX_LENGTH, tokens_per_batch=200)
    assert sum(rows for rows, _ in shapes) == len(texts)
    assert all(rows * width <= 200 for rows, width in shapes)
    lengths = np.minimum(token_lengths(encoder.tokenizer, texts), MAX_LENGTH)
    padded = sum(rows * width for rows, width in shapes)
    assert padded < 1.15 * lengths.sum()  # sorted by length, so little of it is padding


def test_a_text_of_20000_characters_goes_alone():
    encoder = build("distilbert", max_length=512)
    texts = ["a dog", ("the hill and back " * 1200)[:20_000], "a cat"]
    shapes = shapes_of_batches(encoder, texts, max_length=512, tokens_per_batch=256)
    short = token_lengths(encoder.tokenizer, ["a dog", "a cat"]).max()
    assert shapes == [(1, 512), (2, short)]


def test_nothing_to_capture_is_an_error(encoder):
    with pytest.raises(ValueError, match="at least one text"):
        capture(encoder.model, encoder.tokenizer, [], max_length=8)


def test_token_lengths_count_whole_texts_with_their_special_tokens(encoder, caplog):
    texts = ["a", "a a", " ".join(["a"] * 3000)]
    lengths = token_lengths(encoder.tokenizer, texts)
    assert lengths.dtype == np.int64
    assert lengths.tolist() == [3, 4, 3002]
    assert token_lengths(encoder.tokenizer, []).shape == (0,)
    assert "longer than" not in caplog.text


def test_pooling_by_hand():
    hidden = torch.tensor([[[1.0, -5.0], [3.0, -1.0], [99.0, 99.0]]])  # (1, 3, 2), last = padding
    pooled = hidden_states.pool(hidden, torch.tensor([[1, 1, 0]]))
    assert pooled["mean"].tolist() == [[2.0, -3.0]]
    assert pooled["cls"].tolist() == [[1.0, -5.0]]
    assert pooled["max"].tolist() == [[3.0, -1.0]]


# --- single tokens --------------------------------------------------------------------------


@pytest.mark.parametrize("family", ["bert", "roberta", "distilbert"])
def test_token_states_are_those_that_a_capture_pools(family: str) -> None:
    encoder = build(family)
    text = "the cat sat under a hilltree, Ünder 😀!"
    tokens, states = token_states(encoder.model, encoder.tokenizer, text, max_length=MAX_LENGTH)
    assert states.shape == (LAYERS + 1, len(tokens), WIDTH)
    assert states.dtype == np.float32
    pooled = capture(encoder.model, encoder.tokenizer, [text], max_length=MAX_LENGTH).pooled
    assert np.allclose(states.mean(axis=1), pooled["mean"][:, 0], atol=2e-3)
    assert np.allclose(states[:, 0], pooled["cls"][:, 0], atol=2e-3)
    assert (tokens[0], tokens[-1]) == (encoder.tokenizer.cls_token, encoder.tokenizer.sep_token)


@pytest.mark.parametrize("family", ["bert", "roberta"])
def test_tokens_read_as_they_are_written(family: str) -> None:
    encoder = build(family)
    tokens, _ = token_states(encoder.model, encoder.tokenizer, "The cats sat", max_length=48)
    assert "sat" in tokens
    assert "".join(tokens[1:-1]).replace("…", "") == "Thecatssat"
    assert any(token.startswith("…") for token in tokens)  # "cats" is no word of the vocabulary
    assert not any("Ġ" in token or "##" in token for token in tokens)


def test_a_long_text_keeps_the_tokens_that_the_model_reads(encoder: LoadedEncoder) -> None:
    tokens, states = token_states(
        encoder.model, encoder.tokenizer, " ".join(WORDS * 20), max_length=MAX_LENGTH
    )
    assert len(tokens) == states.shape[1] == MAX_LENGTH


class LargestTensor(TorchDispatchMode):
    """Remembers the most bytes of any tensor that is computed inside it."""

    largest = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        for one in result if isinstance(result, tuple | list) else [result]:
            if isinstance(one, torch.Tensor):
                self.largest = max(self.largest, one.numel() * one.element_size())
        return result


def test_no_capture_holds_the_states_of_all_tokens(encoder):
    def largest(n: int) -> int:
        texts = (texts_of_many_lengths() * n)[:n]
        with LargestTensor() as tensors:
            capture(
                encoder.model,
                encoder.tokenizer,
                texts,
                max_length=MAX_LENGTH,
                tokens_per_batch=256,
            )
        return tensors.largest

    tracemalloc.start()
    try:
        few, many = largest(50), largest(800)
        _, peak = tracemalloc.get_traced_memory()  # NumPy's arrays, not PyTorch's
    finally:
        tracemalloc.stop()
    all_states = (LAYERS + 1) * 800 * MAX_LENGTH * WIDTH * 4
    of_a_batch = 256 * 4 * WIDTH * 4  # tokens, the inner width of a block, float32
    assert max(few, many) <= of_a_batch < all_states / 40  # however many texts there are
    result = 3 * (LAYERS + 1) * 800 * WIDTH * 2
    assert peak < 3 * result < all_states / 4


@pytest.mark.parametrize("family", ["bert", "roberta"])
def test_tokens_are_those_of_the_tokenizer_and_say_what_was_cut(family):
    tokenizer, texts = build(family).tokenizer, texts_of_many_lengths()
    tokens = tokenise(tokenizer, texts, 16)
    expected = tokenizer(texts, truncation=True, max_length=16)["input_ids"]
    assert [ids.tolist() for ids in tokens.input_ids] == expected
    np.testing.assert_array_equal(tokens.cut, token_lengths(tokenizer, texts) > 16)
    assert 0 < tokens.cut.sum() < len(texts)
    chosen = tokens.rows([3, 1])
    assert [ids.tolist() for ids in chosen.input_ids] == [expected[3], expected[1]]


def test_many_texts_are_tokenised_part_by_part(encoder, monkeypatch):
    texts = texts_of_many_lengths()
    whole = tokenise(encoder.tokenizer, texts, 16)
    monkeypatch.setattr(tokenising, "TEXTS_AT_ONCE", 7)
    parts = tokenise(encoder.tokenizer, texts, 16)
    assert [ids.tolist() for ids in parts.input_ids] == [ids.tolist() for ids in whole.input_ids]
    np.testing.assert_array_equal(parts.cut, whole.cut)


def test_a_capture_of_tokens_is_that_of_their_texts(encoder):
    texts = texts_of_many_lengths(20)
    tokens = tokenise(encoder.tokenizer, texts, MAX_LENGTH)
    of_tokens = capture(encoder.model, encoder.tokenizer, tokens, max_length=MAX_LENGTH)
    of_texts = capture(encoder.model, encoder.tokenizer, texts, max_length=MAX_LENGTH)
    np.testing.assert_array_equal(of_tokens.pooled["mean"], of_texts.pooled["mean"])
    np.testing.assert_array_equal(of_tokens.logits, of_texts.logits)


@pytest.mark.parametrize("family", ["bert", "roberta", "distilbert"])
def test_pairs_are_read_as_the_tokenizer_and_the_model_read_pairs(family: str) -> None:
    encoder = build(family)
    encoder.model.eval()
    firsts = ["the cat sat", "dogs ran over the hill and back " * 6, "a tree"]
    seconds = ["under a tree", "while " * 30, "the hill"]
    pairs = [pair_of(*both) for both in zip(firsts, seconds, strict=True)]
    tokens = tokenise(encoder.tokenizer, pairs, MAX_LENGTH)
    whole = encoder.tokenizer(firsts, seconds)["input_ids"]
    assert token_lengths(encoder.tokenizer, pairs).tolist() == [len(ids) for ids in whole]
    assert tokens.cut.tolist() == [False, True, False]
    batch = encoder.tokenizer(
        firsts, seconds, padding=True, truncation=True, max_length=MAX_LENGTH, return_tensors="pt"
    )
    for row, ids in enumerate(tokens.input_ids):
        kept = batch["attention_mask"][row].bool()
        assert ids.tolist() == batch["input_ids"][row][kept].tolist()
        if family == "bert":
            assert tokens.rows([row]).token_type_ids is not None
            types = tokens.rows([row]).token_type_ids[0]  # type: ignore[index]
            assert types.tolist() == batch["token_type_ids"][row][kept].tolist()
            assert set(types.tolist()) == {0, 1}
    with torch.no_grad():
        expected = encoder.model(**batch).logits.numpy()
    captured = capture(encoder.model, encoder.tokenizer, tokens, max_length=MAX_LENGTH)
    np.testing.assert_allclose(captured.logits, expected, atol=2e-5)
    names, _ = token_states(encoder.model, encoder.tokenizer, pairs[0], max_length=MAX_LENGTH)
    assert len(names) == len(tokens.input_ids[0])
    mixed = tokenise(encoder.tokenizer, [pairs[0], "the cat sat"], MAX_LENGTH)
    assert mixed.input_ids[0].tolist() == tokens.input_ids[0].tolist()
    single = tokenise(encoder.tokenizer, ["the cat sat"], MAX_LENGTH)
    assert mixed.input_ids[1].tolist() == single.input_ids[0].tolist()


def test_only_pairs_that_fill_their_place_are_tokenised_again(
    built: LoadedEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    again: list[str] = []

    def lengths(tokenizer: object, texts: list[str]) -> np.ndarray:
        again.extend(texts)
        return np.full(len(texts), MAX_LENGTH + 1)

    monkeypatch.setattr("layerviz.tokenising.token_lengths", lengths)
    short, long = pair_of("the cat", "a tree"), pair_of("the cat " * 50, "a tree")
    assert tokenise(built.tokenizer, [short, long], MAX_LENGTH).cut.tolist() == [False, True]
    assert again == [long]


def test_in_bf16_layers_compute_in_it_and_the_head_does_not(encoder):
    dtypes = {}

    def watch(name):
        def look(_, __, output):
            dtypes[name] = output.dtype

        return look

    parts = {"layer": encoder.model.distilbert.transformer.layer[0].ffn.lin1}
    parts["head"] = encoder.model.classifier
    hooks = [part.register_forward_hook(watch(name)) for name, part in parts.items()]
    try:
        texts = texts_of_many_lengths()
        rough = capture(
            encoder.model, encoder.tokenizer, texts, precision="bf16", max_length=MAX_LENGTH
        )
        assert dtypes == {"layer": torch.bfloat16, "head": torch.float32}
        exact = capture(encoder.model, encoder.tokenizer, texts, max_length=MAX_LENGTH)
        assert dtypes == {"layer": torch.float32, "head": torch.float32}
    finally:
        for hook in hooks:
            hook.remove()
    assert not [part for part in encoder.model.modules() if "forward" in vars(part)]
    gap = np.abs(rough.pooled["mean"].astype(np.float32) - exact.pooled["mean"])
    assert 0 < gap.max() < 0.05
    assert rough.logits.dtype == np.float32


def test_memory_that_a_capture_has_freed_goes_back_to_the_system(encoder, monkeypatch):
    trimmed = []
    monkeypatch.setattr(hidden_states, "return_what_is_free", lambda: trimmed.append(True))
    texts = texts_of_many_lengths()
    shapes = shapes_of_batches(encoder, texts, max_length=MAX_LENGTH, tokens_per_batch=200)
    assert 1 < len(shapes) == len(trimmed)  # or it piles up, batch after batch
    memory.return_what_is_free()  # whatever the C library
    monkeypatch.setattr(memory, "_TRIM", None)
    memory.return_what_is_free()
