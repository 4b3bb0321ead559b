"""Encoders are made, found, fetched from a hub on 127.0.0.1, and refused with a reason."""

from __future__ import annotations

import errno
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import torch
import transformers
from hub import point_to
from huggingface_hub import constants
from safetensors.torch import load_file, save_file
from tiny_encoders import TEXTS, build, change_config, save
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from layerviz import encoders
from layerviz.encoders import configs, describing, scratch
from layerviz.encoders import hub as hub_module
from layerviz.errors import Cancelled, EncoderError
from layerviz.pairs import BAR, pair_of

FAMILIES = ("bert", "roberta", "distilbert")
SMALL: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "vocab_size": 400,
}


def load(name: str | Path, **changes: Any) -> encoders.LoadedEncoder:
    settings: dict[str, Any] = {
        "label_names": ["no", "yes"],
        "seed": 0,
        "texts": TEXTS,
        "max_length": 64,
    }
    return encoders.load(str(name), **{**settings, **changes})


def refused(name: str | Path, **changes: object) -> EncoderError:
    with pytest.raises(EncoderError) as caught:
        load(name, **changes)
    assert caught.value.message.endswith((".", "?"))
    assert caught.value.hint
    return caught.value


@pytest.fixture(autouse=True)
def _no_hub(hub_cache: None) -> None:
    """No test sees this machine's own cache or reaches the real Hub."""


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of two layers with two classes, as save_pretrained writes it."""
    return save(build(), tmp_path_factory.mktemp("saved") / "bert")


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may damage."""
    return Path(shutil.copytree(saved, tmp_path / "folder"))


# Fine-tuned


@pytest.mark.parametrize("family", FAMILIES)
def test_a_fine_tuned_model_is_read_with_its_own_head(family: str, tmp_path: Path) -> None:
    encoder = build(family)
    folder = save(encoder, tmp_path / "some-run" / "model")
    state = torch.random.get_rng_state()
    again = encoders.load_trained(folder)
    assert torch.equal(torch.random.get_rng_state(), state)
    batch = again.tokenizer(TEXTS[:3], padding=True, return_tensors="pt")
    with torch.inference_mode():  # DistilBERT among them: no input that it cannot take
        assert torch.equal(again.model(**batch).logits, encoder.model(**batch).logits)
    assert again.model.config.id2label == {0: "no", 1: "yes"}
    assert (again.model.training, again.info.label) == (False, "some-run/model")


def test_a_fine_tuned_model_that_is_missing_damaged_or_without_head_is_refused(
    folder: Path, tmp_path: Path
) -> None:
    def refusal() -> EncoderError:
        with pytest.raises(EncoderError) as caught:
            encoders.load_trained(folder)
        return caught.value

    weights = load_file(folder / "model.safetensors")
    save_file({key: w for key, w in weights.items() if "classifier" not in key},
              folder / "model.safetensors", metadata={"format": "pt"})  # fmt: skip
    assert "is not a complete classifier" in refusal().message
    (folder / "model.safetensors").write_bytes(b"no weights")
    assert "cannot be read" in refusal().message
    assert "start it again" in refusal().hint
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    assert "only in a format that layerviz does not open" in refusal().message
    shutil.rmtree(folder)
    assert "There is no fine-tuned model" in refusal().message


# Built from scratch


@pytest.mark.parametrize("family", FAMILIES)
def test_scratch_encoder_is_whole_and_the_same_for_the_same_seed(family: str) -> None:
    first, again, other = (load(f"scratch-{family}", seed=seed) for seed in (3, 3, 4))
    model, tokenizer = first.model, first.tokenizer
    layers = encoders.SCRATCH_SIZES[family].layers
    assert (first.info.layers, first.info.hidden_size, first.info.family) == (
        layers, 128, {"bert": "BERT", "roberta": "RoBERTa", "distilbert": "DistilBERT"}[family],
    )  # fmt: skip
    assert first.info.parameters == encoders.count_parameters(model) > 0
    assert tokenizer.get_vocab() == again.tokenizer.get_vocab()
    weights = model.state_dict()
    assert all(torch.equal(w, again.model.state_dict()[k]) for k, w in weights.items())
    assert any(not torch.equal(w, other.model.state_dict()[k]) for k, w in weights.items())

    batch = tokenizer([*TEXTS[:3], "x"], padding=True, return_tensors="pt")
    with torch.inference_mode():
        output = model.base_model(**batch, output_hidden_states=True)
    assert len(output.hidden_states) == layers + 1
    assert output.hidden_states[0].shape == (*batch["input_ids"].shape, 128)
    assert not output.hidden_states[-1].isnan().any()


@pytest.mark.parametrize("family", FAMILIES)
def test_scratch_tokenizer_pads_right_truncates_and_agrees_with_the_model(family: str) -> None:
    encoder = build(family)
    tokenizer, config = encoder.tokenizer, encoder.model.config
    ids = tokenizer(["cat " * 500, "cat"], padding=True, truncation=True, max_length=64)
    long, short = ids["input_ids"]
    assert len(long) == len(short) == 64
    assert long[0] == short[0] == tokenizer.cls_token_id
    assert long[-1] == tokenizer.sep_token_id
    assert short[-1] == tokenizer.pad_token_id == config.pad_token_id
    assert sum(ids["attention_mask"][1]) < 64
    special = [tokenizer.pad_token_id, tokenizer.unk_token_id, tokenizer.mask_token_id]
    assert len({*special, tokenizer.cls_token_id, tokenizer.sep_token_id}) == 5
    assert len(tokenizer) == config.vocab_size <= 400
    assert tokenizer.unk_token_id not in tokenizer(TEXTS)["input_ids"][0]
    assert encoders.max_positions(encoder.model, tokenizer) == 512


@pytest.mark.parametrize("family", FAMILIES)
def test_scratch_encoder_survives_save_and_load(family: str, tmp_path: Path) -> None:
    encoder = build(family)
    folder = save(encoder, tmp_path / family)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert type(tokenizer) is type(encoder.tokenizer)
    assert tokenizer(TEXTS)["input_ids"] == encoder.tokenizer(TEXTS)["input_ids"]
    assert tokenizer(TEXTS).keys() == encoder.tokenizer(TEXTS).keys()
    loaded = load(folder)
    batch = loaded.tokenizer(TEXTS, padding=True, return_tensors="pt")
    with torch.inference_mode():
        assert torch.equal(loaded.model(**batch).logits, encoder.model(**batch).logits)
    assert loaded.info.parameters == encoder.info.parameters
    assert encoders.describe(str(folder)) == loaded.info


def test_vocabulary_is_the_same_in_another_process() -> None:
    """The trainer's hash maps are seeded anew in each process, which once changed the ids."""
    script = (
        "import sys, json; from layerviz import encoders\n"
        "t = encoders.load_tokenizer('scratch-bert', texts=json.load(sys.stdin))\n"
        "print(json.dumps(t.get_vocab()))"
    )
    root = Path(encoders.__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", script], input=json.dumps(TEXTS), cwd=root, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    vocabulary = encoders.load_tokenizer("scratch-bert", texts=TEXTS).get_vocab()
    assert json.loads(done.stdout) == vocabulary


def test_tokenizer_reads_a_bounded_part_of_many_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "MOST_TOKENIZER_TEXTS", 4)
    monkeypatch.setattr(scratch, "MOST_TOKENIZER_CHARACTERS", 8)
    texts = ["aa aa aa", "zz zz zz"] * 5 + ["aa aa aa yy"] * 2
    vocabulary = encoders.load_tokenizer("scratch-bert", texts=texts).get_vocab()
    assert {"a", "aa"} <= vocabulary.keys()
    assert "y" not in vocabulary


def test_a_tokenizer_is_trained_on_the_texts_of_pairs_and_not_on_their_mark() -> None:
    vocab = scratch.train_tokenizer(
        "bert", [pair_of(text, text) for text in TEXTS], 400
    ).get_vocab()
    assert vocab == scratch.train_tokenizer("bert", [*TEXTS, *TEXTS], 400).get_vocab()
    assert BAR not in vocab


def test_an_encoder_of_one_type_reads_pairs_of_a_tokenizer_that_gives_two(tmp_path: Path) -> None:
    words = build("bert").tokenizer
    config = transformers.RobertaConfig(**SMALL | {"vocab_size": len(words)}, type_vocab_size=1)
    transformers.RobertaForSequenceClassification(config).save_pretrained(tmp_path)
    words.save_pretrained(tmp_path)
    loaded = encoders.load_trained(tmp_path)
    with torch.inference_mode():
        loaded.model(**loaded.tokenizer(["a cat"], ["a dog"], return_tensors="pt"))


def test_scratch_needs_texts_and_possible_sizes() -> None:
    assert "no texts" in refused("scratch-bert", texts=["", "  "]).message
    with pytest.raises(EncoderError, match="no texts"):
        encoders.load_tokenizer("scratch-roberta")
    with pytest.raises(EncoderError, match="divide the hidden size"):
        build(hidden_size=30, heads=4)
    assert build(layers=6, hidden_size=48, heads=4, positions=700).info.layers == 6


@pytest.mark.parametrize("labels", [["only"], ["same", "same"]])
def test_two_different_classes_are_needed(labels: list[str], saved: Path) -> None:
    for name in ("scratch-bert", saved):
        assert "class" in refused(name, label_names=labels).message


# From a folder


def test_folder_fine_tuned_for_other_classes_gets_a_new_seeded_head(saved: Path) -> None:
    labels = ["never", "maybe", "always"]
    first, again, other = (load(saved, label_names=labels, seed=seed) for seed in (1, 1, 2))
    config = first.model.config
    assert config.id2label == dict(enumerate(labels))
    assert config.label2id == {"never": 0, "maybe": 1, "always": 2}
    assert config.problem_type == "single_label_classification"
    head, same_head, other_head = (
        encoder.model.state_dict()["classifier.weight"] for encoder in (first, again, other)
    )
    assert head.shape == (3, 32)
    assert torch.equal(head, same_head)
    assert not torch.equal(head, other_head)
    original = load_file(saved / "model.safetensors")
    name = "bert.embeddings.word_embeddings.weight"
    assert torch.equal(first.model.state_dict()[name], original[name])


def test_half_precision_weights_are_loaded_as_float32(saved: Path, tmp_path: Path) -> None:
    model = AutoModelForSequenceClassification.from_pretrained(saved).half()
    folder = Path(shutil.copytree(saved, tmp_path / "half"))
    model.save_pretrained(folder)
    assert {w.dtype for w in load_file(folder / "model.safetensors").values()} == {torch.float16}
    assert {w.dtype for w in load(folder).model.parameters()} == {torch.float32}


def test_sharded_weights_load_and_a_lost_shard_is_named(saved: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(saved, tmp_path / "sharded"))
    (folder / "model.safetensors").unlink()
    AutoModelForSequenceClassification.from_pretrained(saved).save_pretrained(
        folder, max_shard_size="60KB"
    )
    shards = sorted(folder.glob("model-*.safetensors"))
    assert len(shards) > 1
    assert load(folder).info.parameters == load(saved).info.parameters
    shards[1].unlink()
    assert shards[1].name in refused(folder).message


@pytest.mark.parametrize(
    ("config", "layers"),
    [
        (transformers.ElectraConfig(embedding_size=16, **SMALL), 2),
        (transformers.AlbertConfig(embedding_size=16, **{**SMALL, "num_hidden_layers": 3}), 3),
        (transformers.ModernBertConfig(**SMALL, pad_token_id=0, bos_token_id=2, eos_token_id=3,
                                       cls_token_id=2, sep_token_id=3), 2),
        (transformers.XLMRobertaConfig(**SMALL, pad_token_id=0), 2),
    ],
    ids=lambda value: getattr(value, "model_type", ""),
)  # fmt: skip
def test_other_families_load(
    config: transformers.PreTrainedConfig, layers: int, folder: Path
) -> None:
    model = AutoModelForSequenceClassification.from_config(config)
    model.save_pretrained(folder)
    encoder = load(folder)
    assert encoder.info.family == config.model_type
    assert encoder.info.layers == layers
    assert encoders.describe(str(folder)) == encoder.info
    batch = encoder.tokenizer(TEXTS[:2], padding=True, return_tensors="pt")
    with torch.inference_mode():
        states = encoder.model.base_model(**batch, output_hidden_states=True).hidden_states
    assert [state.shape[-1] for state in states] == [32] * (layers + 1)


@pytest.mark.parametrize(("family", "limit"), [("bert", 40), ("roberta", 38)])
def test_too_long_texts_are_refused_with_the_limit(family: str, limit: int, tmp_path: Path) -> None:
    """RoBERTa spends two of its positions before the first token."""
    built = build(family)
    config = built.model.config
    config.max_position_embeddings = 40
    model = AutoModelForSequenceClassification.from_config(config)
    folder = save(encoders.LoadedEncoder(model, built.tokenizer, built.info), tmp_path / family)
    assert refused(folder, max_length=limit + 1).hint == f"Set max length to at most {limit}."
    loaded = load(folder, max_length=limit)
    batch = loaded.tokenizer("cat " * 99, truncation=True, max_length=limit, return_tensors="pt")
    assert loaded.model(**batch).logits.shape == (1, 2)


def test_incomplete_folders_are_refused_with_what_they_lack(folder: Path) -> None:
    (folder / "tokenizer.json").rename(folder / "away")
    assert "no tokenizer" in refused(folder).message
    assert not encoders.describe(str(folder)).on_disk
    (folder / "away").rename(folder / "tokenizer.json")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    assert "safetensors, only in a format" in refused(folder).message
    (folder / "pytorch_model.bin").unlink()
    assert refused(folder).message.endswith("no weights in safetensors.")
    (folder / "config.json").write_text("{")
    assert "cannot be read" in refused(folder).message
    (folder / "config.json").unlink()
    assert "no config.json" in refused(folder).message
    assert "no config.json" in encoders.describe(str(folder)).note


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model_type": "gpt2"}, "is a gpt2 model that is not a text encoder: it generates texts"),
        ({"model_type": "t5"}, "is a t5 model that is not a text encoder"),
        ({"model_type": "bart"}, "is a bart model that is not a text encoder"),
        ({"is_decoder": True}, "a bert model that is set up as a decoder (is_decoder in its"),
        ({"model_type": "homemade", "auto_map": {"AutoConfig": "evil.Config"}}, "homemade"),
        ({"hidden_size": "wide"}, "cannot be read"),
        ({"num_hidden_layers": 3}, "do not fit its config.json"),
        ({"hidden_size": 64}, "do not fit its config.json"),
        ({"vocab_size": 9}, "9 word vectors"),
    ],
)
def test_unsuitable_configs_are_refused(changes: dict, words: str, folder: Path) -> None:
    (folder / "evil.py").write_text("raise SystemExit('downloaded code was run')")
    change_config(folder, **changes)
    assert words in refused(folder).message


def test_an_encoder_without_attention_mask_is_refused_with_that_reason(folder: Path) -> None:
    config = transformers.FNetConfig(**SMALL, pad_token_id=0)
    model = AutoModelForSequenceClassification.from_config(config)
    model.save_pretrained(folder)
    error = refused(folder)
    assert "a fnet model, which takes no attention mask" in error.message
    assert "depend on the other texts in the batch" in error.message
    assert "Choose another one" in error.hint
    assert error.message in encoders.describe(str(folder)).note
    before = encoders.load_trained(folder).info  # of a run that was made before
    assert (before.family, before.layers) == ("fnet", 2)


def test_damaged_weights_are_refused(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"not weights at all")
    assert "cannot be read" in refused(folder).message
    assert not encoders.describe(str(folder)).on_disk


def test_loading_is_silent_and_leaves_logging_as_it_was(
    saved: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    before = transformers.logging.get_verbosity(), transformers.logging.is_progress_bar_enabled()
    load(saved, label_names=["a", "b", "c"])
    assert "".join(capfd.readouterr()) + caplog.text == ""
    assert before == (
        transformers.logging.get_verbosity(), transformers.logging.is_progress_bar_enabled(),
    )  # fmt: skip
    AutoModelForSequenceClassification.from_pretrained(
        saved, num_labels=3, ignore_mismatched_sizes=True
    )
    assert "MISMATCH" in caplog.text
    assert "Loading weights" in capfd.readouterr().err


# Names


def test_a_mistyped_scratch_encoder_is_refused_without_the_network() -> None:
    for name in ("scratch-brt", "scratch-", "scratch-electra"):
        with pytest.raises(EncoderError, match="scratch-bert, scratch-roberta, scratch-distilbert"):
            encoders.describe(name)


def test_a_config_is_read_once_for_each_state_it_is_in(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = Mock(side_effect=configs.read_trained_config)
    monkeypatch.setattr(configs, "read_trained_config", reads)
    file = folder / "config.json"
    os.utime(file, (1_000_000_000, 1_000_000_000))
    assert [encoders.describe(str(folder)).layers for _ in range(3)] == [2, 2, 2]
    assert reads.call_count == 1
    change_config(folder, num_hidden_layers=1)
    assert encoders.describe(str(folder)).layers == 1


def test_catalogue_lists_starters_first_in_their_order(
    saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    starters = tmp_path / "starters"
    monkeypatch.setattr(describing, "STARTERS", starters)
    for name in ("another", "distilbert-mini", "bert-mini"):
        shutil.copytree(saved, starters / name)
    (starters / "half-made").mkdir()
    listed = encoders.catalogue()
    assert [info.name for info in listed] == [
        "bert-mini", "distilbert-mini", "another", "scratch-bert", "scratch-roberta",
        "scratch-distilbert", "google-bert/bert-base-uncased", "FacebookAI/roberta-base",
        "distilbert/distilbert-base-uncased",
    ]  # fmt: skip
    assert [info.source for info in listed] == ["bundled"] * 3 + ["scratch"] * 3 + ["hub"] * 3
    assert [info.on_disk for info in listed] == [True] * 6 + [False] * 3
    assert (listed[0].layers, listed[0].hidden_size, listed[0].family) == (2, 32, "BERT")
    assert all(info.label and info.note.endswith(".") for info in listed)
    assert [info.label for info in listed[:2]] == ["BERT mini", "DistilBERT mini"]
    assert load("bert-mini").info == listed[0]
    assert encoders.version("bert-mini") == encoders.version("distilbert-mini") != ""
    (starters / "bert-mini" / "config.json").write_text("{ }")
    assert encoders.version("bert-mini") != encoders.version("distilbert-mini")


@pytest.mark.parametrize(
    "name", ["", " ", "a b", "../no/such", "a/b/c", "x\0y", "~nobody/x", "é" * 300]
)
def test_names_that_can_be_nothing_are_refused(name: str) -> None:
    for function in (encoders.describe, encoders.version, encoders.load_tokenizer):
        with pytest.raises(EncoderError, match="neither an existing folder nor a Hub id"):
            function(name)


def test_describe_and_load_tokenizer_stay_off_the_network(
    hub: tuple[Path, list[str]], saved: Path
) -> None:
    info = encoders.describe("someone/never-seen")
    assert (info.family, info.layers, info.parameters, info.on_disk) == (
        "unknown", None, None, False,
    )  # fmt: skip
    with pytest.raises(EncoderError, match="not on this disk"):
        encoders.load_tokenizer("someone/never-seen")
    assert encoders.load_tokenizer(str(saved))("cat")["input_ids"]
    assert hub[1] == []


def test_version_changes_with_the_files_of_a_local_folder(folder: Path) -> None:
    before = encoders.version(str(folder))
    (folder / "notes.md").write_text("not part of the encoder")
    assert encoders.version(str(folder)) == before != ""
    (folder / "tokenizer_config.json").write_text("{}")
    assert encoders.version(str(folder)) != before
    assert encoders.version("scratch-bert") == encoders.version("owner/name") == ""


@pytest.mark.parametrize(
    ("width", "rate"), [(128, 5e-4), (384, 1e-4), (768, 5e-5), (1024, 2e-5), (None, 5e-5)]
)
def test_default_learning_rate_falls_with_width(width: int | None, rate: float) -> None:
    assert encoders.default_learning_rate(width) == rate


# From the Hub


def test_hub_encoder_is_downloaded_once_with_progress(
    hub: tuple[Path, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    root, requests = hub
    source = save(build(hidden_size=256), root / "owner" / "tiny")
    for extra in ("pytorch_model.bin", "tf_model.h5", "model.onnx", "README.md", "evil.py"):
        (source / extra).write_bytes(b"x" * 1000)
    told: list[tuple[int, int]] = []
    encoder = load("owner/tiny", on_progress=lambda now: told.append((now.done, now.total)))
    needed = {"config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"}
    total = sum((source / file).stat().st_size for file in needed)
    assert total > 2 * 2**20, "so that the weights come in several pieces"
    assert told == sorted(told)
    assert len({done for done, _ in told}) >= 5
    assert {size for _, size in told} == {total}
    assert told[-1] == (total, total)
    assert {line.rsplit("/", 1)[-1] for line in requests if line.startswith("GET owner")} == needed
    assert constants.HF_HUB_DISABLE_XET is False
    assert encoder.info == encoders.describe("owner/tiny")
    assert (encoder.info.family, encoder.info.on_disk) == ("BERT", True)

    requests.clear()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    again = load("owner/tiny")
    assert requests == []
    assert encoders.load_tokenizer("owner/tiny")("cat") == again.tokenizer("cat")
    weights = encoder.model.state_dict()
    assert all(torch.equal(w, again.model.state_dict()[key]) for key, w in weights.items())


def test_parts_of_a_hub_encoder_may_have_any_names(hub: tuple[Path, list[str]]) -> None:
    root, requests = hub
    source = save(build(), root / "owner" / "parts")
    model = transformers.BertForSequenceClassification.from_pretrained(source)
    (source / "model.safetensors").unlink()
    model.save_pretrained(source, max_shard_size="60KB")
    index = source / "model.safetensors.index.json"
    content = json.loads(index.read_text())
    renamed = {name: f"weights.{name[6:11]}.safetensors" for name in content["weight_map"].values()}
    for old, new in renamed.items():
        (source / old).rename(source / new)
    content["weight_map"] = {key: renamed[name] for key, name in content["weight_map"].items()}
    index.write_text(json.dumps(content))
    for extra in ("consolidated.safetensors", "model-00001-of-00009.safetensors"):
        (source / extra).write_bytes(b"x" * 1000)  # no part of it, though it may look like one
    told: list[tuple[int, int]] = []
    encoder = load("owner/parts", on_progress=lambda now: told.append((now.done, now.total)))
    assert encoder.info.on_disk
    fetched = {line.rsplit("/", 1)[-1] for line in requests if line.startswith("GET owner")}
    assert set(renamed.values()) <= fetched
    assert not fetched & {"consolidated.safetensors", "model-00001-of-00009.safetensors"}
    assert told[-1][0] == told[-1][1] == sum((source / file).stat().st_size for file in fetched)

    lost = source.rename(root / "owner" / "lost") / sorted(renamed.values())[1]
    lost.unlink()
    requests.clear()
    with pytest.raises(EncoderError, match=f"owner/lost is missing {lost.name}"):
        load("owner/lost")
    assert not any("weights." in line for line in requests)


def test_cancelled_download_stops_and_can_be_taken_up_again(hub: tuple[Path, list[str]]) -> None:
    save(build(hidden_size=256), hub[0] / "owner" / "tiny")
    told: list[int] = []
    with pytest.raises(Cancelled):
        load(
            "owner/tiny",
            on_progress=lambda now: told.append(now.done),
            should_stop=lambda: bool(told) and told[-1] > 2**20,
        )
    assert told[-1] < 3 * 2**20
    info = encoders.describe("owner/tiny")
    assert (info.on_disk, info.layers) == (False, 2)
    assert load("owner/tiny").info.on_disk
    with pytest.raises(Cancelled):
        load("owner/tiny", should_stop=lambda: True)


def test_what_the_hub_refuses_is_explained(hub: tuple[Path, list[str]], saved: Path) -> None:
    root, requests = hub
    assert "There is no owner/nothing on the Hugging Face Hub" in refused("owner/nothing").message
    hint = refused("bert-base").hint
    assert "Did you mean google-bert/bert-base-uncased, or bert-mini, which comes with" in hint
    assert refused("owner/nothing").hint.startswith("Check the spelling")
    (Path(shutil.copytree(saved, root / "owner" / "gated")) / "GATED").touch()
    error = refused("owner/gated")
    assert "gated" in error.message
    assert "huggingface.co/owner/gated" in error.hint
    (Path(shutil.copytree(saved, root / "owner" / "broken")) / "BROKEN").touch()
    assert "status 503" in refused("owner/broken").message
    pickled = Path(shutil.copytree(saved, root / "owner" / "pickled"))
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    assert "only in a format that layerviz does not open" in refused("owner/pickled").message
    without_tokenizer = Path(shutil.copytree(saved, root / "owner" / "mute"))
    (without_tokenizer / "tokenizer.json").unlink()
    assert "no tokenizer" in refused("owner/mute").message
    assert not any(line.startswith("GET owner") for line in requests), "nothing was downloaded"


@pytest.mark.parametrize(
    "changes",
    [{"model_type": "gpt2"}, {"model_type": "fnet"}, {"model_type": "own", "auto_map": {}}],
)
def test_wrong_kind_is_refused_before_its_weights_are_fetched(
    changes: dict, hub: tuple[Path, list[str]], saved: Path
) -> None:
    root, requests = hub
    change_config(Path(shutil.copytree(saved, root / "owner" / "other")), **changes)
    first = refused("owner/other")
    assert changes["model_type"] in first.message
    downloads = [line for line in requests if line.startswith("GET owner")]
    assert downloads == ["GET owner/other/resolve/main/config.json"]
    requests.clear()
    assert refused("owner/other").message == first.message
    assert requests == [], "the second answer comes from the disk"


def test_unreachable_hub_answers_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        closed = taken.getsockname()[1]
    point_to(monkeypatch, f"http://127.0.0.1:{closed}")
    start = time.monotonic()
    error = refused("google-bert/bert-base-uncased")
    assert time.monotonic() - start < 20  # not the minutes of a chain of retries
    assert "cannot be reached" in error.message
    assert "choose bert-mini, which comes with layerviz" in error.hint
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert "HF_HUB_OFFLINE" in refused("google-bert/bert-base-uncased").message


def test_silent_hub_is_given_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "HUB_TIMEOUT", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        point_to(monkeypatch, f"http://127.0.0.1:{server.getsockname()[1]}")
        start = time.monotonic()
        assert "cannot be reached" in refused("owner/name").message
    assert time.monotonic() - start < 20  # not the minutes of a chain of retries


def test_a_full_disk_is_explained(
    hub: tuple[Path, list[str]], saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(saved, hub[0] / "owner" / "tiny")

    def full(*args: object, **settings: object) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(hub_module, "hf_hub_download", full)
    error = refused("owner/tiny")
    assert "disk is full" in error.message
    assert constants.HF_HUB_CACHE in error.hint


def test_saved_counts_leave_out_head_and_pooler(saved: Path, tmp_path: Path) -> None:
    """A bare encoder's file shows the same size as a classifier's."""
    folder = Path(shutil.copytree(saved, tmp_path / "bare"))
    weights = load_file(folder / "model.safetensors")
    bare = {k.removeprefix("bert."): w for k, w in weights.items() if k.startswith("bert.")}
    save_file(bare, folder / "model.safetensors", metadata={"format": "pt"})
    assert encoders.describe(str(folder)).parameters == encoders.describe(str(saved)).parameters
    assert load(folder).info.parameters == encoders.describe(str(folder)).parameters
