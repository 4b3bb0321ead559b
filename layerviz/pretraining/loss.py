"""The loss of a student: masked tokens to predict, and the teacher's vectors to match."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from layerviz import hidden_states
from layerviz.encoders import MaskedLM

TEMPERATURE = 1 / 20  # of the softmax over the similarities of a batch


def student_loss(
    masked: MaskedLM, batch: dict[str, torch.Tensor], projections: nn.ModuleDict | None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the masked-token loss and the teacher's, each a Tensor of shape ().

    Parameters
    ----------
    masked : MaskedLM
        The student.
    batch : dict of str to Tensor
        ``input_ids``, ``attention_mask`` and ``labels`` of shape (B, T), labels -100 where no
        token is masked; with a teacher also ``teacher`` of shape (B, D_t), unit vectors.
    projections : ModuleDict or None
        For each pooling a linear map from the student's width to the teacher's.
    """
    attention_mask, labels = batch["attention_mask"], batch["labels"]
    body = masked.model.base_model
    hidden = body(input_ids=batch["input_ids"], attention_mask=attention_mask).last_hidden_state
    is_masked = labels != -100
    logits = masked.logits(hidden[is_masked]).float()  # (n_masked, V): the others are not needed
    # A batch of a few short texts may have no masked token.
    masked_loss = functional.cross_entropy(logits, labels[is_masked], reduction="sum")
    masked_loss = masked_loss / is_masked.sum().clamp(min=1)
    if projections is None:
        return masked_loss, masked_loss.new_zeros(())
    pooled = hidden_states.pool(hidden.float(), attention_mask, projections)
    parts = [
        matching_loss(projections[name](pooled[name]), batch["teacher"]) for name in projections
    ]
    return masked_loss, torch.stack(parts).mean()


def matching_loss(student: torch.Tensor, teacher: torch.Tensor) -> torch.Tensor:
    """Return twice the cosine distance plus the divergence of similarities within the batch.

    Parameters
    ----------
    student, teacher : Tensor of shape (B, D_t)
        The teacher's are unit vectors.

    Returns
    -------
    Tensor of shape (), float32
    """
    with torch.autocast(student.device.type, enabled=False):  # bf16 is too coarse for them
        return _matching_loss(student.float(), teacher)


def _matching_loss(student: torch.Tensor, teacher: torch.Tensor) -> torch.Tensor:
    student = functional.normalize(student, dim=-1)  # (B, D_t)
    cosine = (student * teacher).sum(dim=-1)  # (B,)
    diagonal = torch.eye(len(student), dtype=torch.bool, device=student.device)
    of_student, of_teacher = (
        ((vectors @ vectors.T) / TEMPERATURE).masked_fill(diagonal, -1e4).log_softmax(dim=-1)
        for vectors in (student, teacher)
    )  # (B, B): log-probabilities of the other texts
    divergence = functional.kl_div(of_student, of_teacher, log_target=True, reduction="batchmean")
    return 2 * (1 - cosine).mean() + divergence
