"""How the token vectors of a layer become one vector per example: each pooling in one object.

A new pooling is one object and one line of `POOLINGS`: captures, measures, files, zips, charts, the
page and the command line take it from there. A run keeps the poolings that it was made with
(``Run.poolings``), so earlier runs open as before.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from layerviz.registry import NAME_PATTERN, Registry

if TYPE_CHECKING:  # the command line lists poolings before torch is imported
    import torch

RESERVED = ("all", "head")  # the page's choice of all of them; the model's own classifier
UNKNOWN_COLOUR = "#808080"

Pool = Callable[["torch.Tensor", "torch.Tensor"], "torch.Tensor"]


@dataclass(frozen=True)
class Pooling:
    """One way to pool.

    Parameters
    ----------
    name : str
        In files, addresses and on the command line: lower-case letters, digits and underscores.
    label : str
        On the page and in sentences.
    help : str
        What it makes of the tokens, as a phrase.
    colour, shape : str
        Of its line in charts: "#rrggbb", and a shape of Vega-Lite.
    pool : callable
        Given the hidden states of one layer, of shape (B, T, D), and their attention mask, of
        shape (B, T) with padding on the right, it returns one vector per example, (B, D).
    layer_0_note : str
        Where layer 0 is the same for every text under this pooling, a sentence that says so;
        empty for all others.
    """

    name: str
    label: str
    help: str
    colour: str
    shape: str
    pool: Pool
    layer_0_note: str = ""

    def __post_init__(self) -> None:
        if not re.fullmatch(NAME_PATTERN, self.name) or self.name in RESERVED:
            raise ValueError(f"{self.name!r} cannot be the name of a pooling")

    @property
    def layer_0_is_constant(self) -> bool:
        """Whether layer 0 is the same for every text, so that nothing can be told apart there."""
        return bool(self.layer_0_note)


def look_up(name: str) -> Pooling:
    """Return a pooling, or a grey stand-in for one that this version of layerviz does not know.

    The stand-in shows what a run already holds; pooling with it raises `UnknownNameError`.
    """
    if name in POOLINGS:
        return POOLINGS[name]
    return Pooling(name, name, "", UNKNOWN_COLOUR, "cross", lambda *_: POOLINGS[name].pool(*_))


def pooling_label(name: str) -> str:
    """Return what a pooling is called on the page: its own name if this version lacks it."""
    return POOLINGS[name].label if name in POOLINGS else name


def poolings_table() -> str:
    """Return the table of the poolings for the documentation, in Markdown."""
    rows = [("pooling", "what it is"), ("---", "---")]
    for pooling in POOLINGS.values():
        note = f". {pooling.layer_0_note.removesuffix('.')}" if pooling.layer_0_note else ""
        rows.append((pooling.label, pooling.help + note))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


# --- the poolings ---------------------------------------------------------------------------


def _mean(hidden: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
    """Average the tokens (Reimers & Gurevych, 2019)."""
    mask = attention_mask.unsqueeze(-1).to(hidden.dtype)  # (B, T, 1)
    return (hidden * mask).sum(dim=1) / mask.sum(dim=1).clamp(min=1)  # (B, D)


def _first(hidden: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:  # noqa: ARG001
    return hidden[:, 0]  # (B, D)


def _largest(hidden: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
    is_padding = attention_mask.unsqueeze(-1) == 0  # (B, T, 1)
    return hidden.masked_fill(is_padding, float("-inf")).amax(dim=1)  # (B, D)


MEAN = Pooling(
    "mean",
    "mean",
    "the mean over all tokens that are not padding (Reimers & Gurevych 2019)",
    "#8040FF",
    "circle",
    _mean,
)
CLS = Pooling(
    "cls",
    "[CLS]",
    "the first token",
    "#208040",
    "square",
    _first,
    layer_0_note="Layer 0 is the same for every text under [CLS], because the first token always "
    "is, so it tells nothing apart.",
)
MAX = Pooling(
    "max",
    "max",
    "the largest value of each dimension over the tokens",
    "#6080E0",
    "triangle-up",
    _largest,
)

POOLINGS = Registry("pooling", [MEAN, CLS, MAX])
