"""One layer of a run as a model of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from layerviz.export.entry import ENDED, Export, ExportRequest, Need, Section
from layerviz.progress import OnProgress

if TYPE_CHECKING:
    from layerviz.runs import Run

LAYER = Section(
    name="layer",
    title="The chosen layer as a model",
    caption="The encoder up to one layer, with that layer's probe as its classifier: smaller and "
    "faster than the whole model. Under [CLS] it is a folder for "
    "*AutoModelForSequenceClassification*, under other poolings one for *SentenceTransformer*. "
    "Its model card says how good it is and how to use it.",
    make_label="Make the model",
    make_icon=":material/content_cut:",
)


def _write(run: Run, request: ExportRequest, stream: BinaryIO, on_progress: OnProgress) -> None:
    from layerviz.export.layer_model import write_layer_model

    write_layer_model(run, request, stream, on_progress)


def _has_weights(run: Run) -> bool:
    from layerviz import runs

    return bool(runs.captured_models(run))


def _stands_alone(run: Run) -> bool:
    from layerviz.encoders import can_shorten

    return can_shorten(str(run.encoder["family"]))


WEIGHTS = Need(_has_weights, "This run holds no weights of a moment that was captured.")
FAMILY = Need(
    _stands_alone, "Layers of an encoder of this family have not been tested standing alone."
)
LAYER_MODEL = Export(
    name="layer_model",
    help="the encoder up to one layer, with its probe as the classifier: the layer that the answer "
    "names, or `--at-layer`, `--at-epoch`, `--pooling`",
    label="Layer (zip)",
    section=LAYER,
    suffix=".zip",
    mime="application/zip",
    write=_write,
    stem="{run_id}-layer",
    slow=True,
    has_cell=True,
    needs=(ENDED, WEIGHTS, FAMILY),
)
