"""A teacher's sentence vectors, and how a student starts close to them."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from sklearn.decomposition import PCA
from torch import nn
from torch.nn import functional
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from layerviz import encoders, hidden_states
from layerviz.data import Corpus
from layerviz.encoders import MaskedLM
from layerviz.pretrain_config import PretrainConfig
from layerviz.progress import TEACHING, OnProgress, Progress, ShouldStop
from layerviz.training import resolve_precision

log = logging.getLogger(__name__)

STUDENT_POOLINGS = ("mean", "cls")  # of the student, each with a projection of its own
TEXTS_TO_START = 2000  # on which the projections are fitted before the first step
SHARD = 10_000  # texts whose vectors are kept in one file

Teacher = tuple[PreTrainedModel, PreTrainedTokenizerBase]


def teacher_vectors(
    teacher: Teacher,
    config: PretrainConfig,
    corpus: Corpus,
    cache: Path,
    on_progress: OnProgress,
    should_stop: ShouldStop,
) -> np.ndarray:
    """Return the teacher's unit vectors of all texts; those in the cache are read.

    Parameters
    ----------
    teacher : (PreTrainedModel, PreTrainedTokenizerBase)
        Is moved to the fastest device.
    config : PretrainConfig
    corpus : Corpus
    cache : Path
        A folder, in which each teacher and each corpus get a folder of their own.
    on_progress, should_stop : callable

    Returns
    -------
    ndarray of shape (n_texts, D_t), float16
    """
    model, tokenizer = teacher
    body: nn.Module = model
    body.to(_fastest_device())
    most = encoders.max_positions(model, tokenizer) or config.max_length
    max_length = min(config.max_length, most)
    precision = resolve_precision(config.precision)
    folder = cache / _digest(model, corpus, max_length, precision)
    folder.mkdir(parents=True, exist_ok=True)
    total, shards = len(corpus.texts), []
    for start in range(0, total, SHARD):
        path = folder / f"{start // SHARD:05d}.safetensors"
        if not path.is_file():

            def report(progress: Progress, start: int = start) -> None:
                on_progress(Progress(TEACHING, start + progress.done, total))

            with torch.autocast(model.device.type, torch.bfloat16, enabled=precision == "bf16"):
                vectors = hidden_states.sentence_vectors(
                    model,
                    tokenizer,
                    corpus.texts[start : start + SHARD],
                    max_length=max_length,
                    on_progress=report,
                    should_stop=should_stop,
                )
            unit = functional.normalize(torch.from_numpy(vectors), dim=-1).half()
            draft = path.with_suffix(".part")
            save_file({"vectors": unit}, draft)
            draft.replace(path)
        shards.append(load_file(path)["vectors"].numpy())
    return np.concatenate(shards)


def _digest(model: PreTrainedModel, corpus: Corpus, max_length: int, precision: str) -> str:
    """Return 16 hexadecimal digits for everything that the vectors depend on."""
    digest = hashlib.sha256(f"{corpus.fingerprint} {max_length} {precision}".encode())
    for name, weights in sorted(model.state_dict().items()):
        digest.update(name.encode() + weights.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def set_words_from_teacher(teacher: Teacher, masked: MaskedLM) -> None:
    """Set the student's word vectors to the teacher's vectors of each token's text, by PCA.

    Their standard deviation is the config's ``initializer_range``; special tokens keep their
    random vectors. A student wider than PCA can fill keeps them all, which is logged.
    """
    words = masked.model.get_input_embeddings().get_parameter("weight")  # (V, D)
    special = set(masked.tokenizer.all_special_ids)
    tokens = masked.tokenizer.convert_ids_to_tokens(list(range(len(words))))
    text_of = [masked.tokenizer.convert_tokens_to_string([token]).strip("# ") for token in tokens]
    rows = [row for row, text in enumerate(text_of) if text and row not in special]
    vectors = hidden_states.sentence_vectors(*teacher, [text_of[r] for r in rows], max_length=32)
    width = words.shape[1]
    if min(vectors.shape) < width:
        log.warning(
            "%d tokens with vectors of width %d cannot give word vectors of width %d: "
            "these start at random.",
            *vectors.shape,
            width,
        )
        return
    reduced = PCA(width, svd_solver="full").fit_transform(vectors)  # (n, D)
    reduced *= masked.model.config.initializer_range / reduced.std()
    with torch.no_grad():
        words[rows] = torch.from_numpy(reduced).to(words.dtype)


def _fastest_device() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def fit_projections(
    masked: MaskedLM, ids: Sequence[list[int]], vectors: np.ndarray
) -> nn.ModuleDict:
    """Return, per pooling, the ridge regression of the teacher's vectors on the student's."""
    sample = np.linspace(0, len(ids) - 1, min(len(ids), TEXTS_TO_START)).astype(int)
    pooled: dict[str, list[torch.Tensor]] = {name: [] for name in STUDENT_POOLINGS}
    masked.model.eval()
    with torch.inference_mode():
        for start in range(0, len(sample), 64):
            batch = masked.tokenizer.pad(
                {"input_ids": [ids[row] for row in sample[start : start + 64]]}, return_tensors="pt"
            )
            inputs = {name: batch[name] for name in ("input_ids", "attention_mask")}
            hidden = masked.model.base_model(**inputs).last_hidden_state
            of_batch = hidden_states.pool(hidden, inputs["attention_mask"], STUDENT_POOLINGS)
            for name, batches in pooled.items():
                batches.append(of_batch[name])
    target = torch.from_numpy(vectors[sample]).float()  # (n, D_t)
    return nn.ModuleDict(
        {name: _ridge(torch.cat(batches).clone(), target) for name, batches in pooled.items()}
    )


def _ridge(states: torch.Tensor, target: torch.Tensor) -> nn.Linear:
    """Return the ridge regression of `target`, of shape (n, D_t), on `states`, (n, D)."""
    centre, target_mean = states.mean(dim=0), target.mean(dim=0)
    centred = states - centre
    ridge = 1e-3 * centred.pow(2).sum() / centred.shape[1] + 1e-6
    gram = centred.T @ centred + ridge * torch.eye(centred.shape[1])
    weight = torch.linalg.solve(gram, centred.T @ (target - target_mean))  # (D, D_t)
    linear = nn.Linear(*weight.shape)
    with torch.no_grad():
        linear.weight.copy_(weight.T)
        linear.bias.copy_(target_mean - centre @ weight)
    return linear
