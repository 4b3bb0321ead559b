"""Words first: word vectors whose mean alone matches the teacher's vector of a text.

A layer of a new student reads words that mean nothing yet. A bag of words learns their meaning
from the teacher's sentence vectors in a few fast passes (as fastText learns word vectors from
labels: Joulin et al., 2017), and the layers start on top of that.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from torch import nn
from transformers import Trainer

from layerviz.encoders import MaskedLM
from layerviz.poolings import MEAN
from layerviz.pretrain_config import PretrainConfig
from layerviz.pretraining.batches import Collator, TrainingTexts, plan_batches
from layerviz.pretraining.loss import matching_loss
from layerviz.pretraining.steps import StepWatch, run_trainer, training_arguments
from layerviz.progress import WORDS, OnProgress, ShouldStop

RATE = 3e-3  # high, since no layer is between the loss and the words
TEXTS_PER_STEP = 256


class _Words(nn.Module):
    """The student's embeddings (words, positions, layer norm) and a projection of their mean."""

    def __init__(self, embeddings: nn.Module, width: int, teacher_width: int) -> None:
        super().__init__()
        self.embeddings = embeddings
        self.projection = nn.Linear(width, teacher_width)

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, teacher: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        hidden = self.embeddings(input_ids=input_ids).float()  # (B, T, D)
        mean = MEAN.pool(hidden, attention_mask)
        return {"loss": matching_loss(self.projection(mean), teacher)}


def train_words(
    masked: MaskedLM,
    config: PretrainConfig,
    texts: TrainingTexts,
    out: Path,
    on_progress: OnProgress,
    should_stop: ShouldStop,
) -> None:
    """Train the embeddings of a student alone, in place, for ``config.word_epochs`` passes.

    Parameters
    ----------
    masked : MaskedLM
        The student.
    config : PretrainConfig
    texts : TrainingTexts
        With the teacher's vectors.
    out : Path
        The folder of the pre-training.
    on_progress, should_stop : callable

    Raises
    ------
    Cancelled
        If stopped; nothing is kept of this part, which takes a minute or two.
    ValueError
        If there are no teacher's vectors.
    """
    words = replace(
        config, epochs=config.word_epochs, batch_size=TEXTS_PER_STEP, learning_rate=RATE
    )
    if texts.vectors is None:
        raise ValueError("words are trained on a teacher's vectors, and there are none")
    plan = plan_batches(texts, words)
    watch = StepWatch(WORDS, len(plan), len(plan) // words.epochs, on_progress, should_stop)
    body = masked.model.base_model
    width = masked.model.get_input_embeddings().get_parameter("weight").shape[1]
    torch.manual_seed(config.seed)
    run_trainer(
        Trainer(
            model=_Words(body.get_submodule("embeddings"), width, texts.vectors.shape[1]),
            args=training_arguments(words, out, len(plan), saves=False),
            train_dataset=plan,
            data_collator=Collator(masked.tokenizer, texts, config.seed, masked_share=0.0),
            callbacks=[watch],
        ),
        watch,
    )
