"""The card of a layer's model: what it is, how good, how it is used, where it comes from."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

from layerviz import __version__, encoders, runs, separability
from layerviz.export.timing import Speed
from layerviz.poolings import CLS, pooling_label
from layerviz.runs import Run
from layerviz.separability import Answer, Cell, DepthDecision, Score
from layerviz.wording import at_epoch, count, file_size

MARKUP = r"\`*_[]<>|~#&"  # in the middle of a line; no line of the card starts with a text

CARD = """\
---
{front_matter}
---

# Layer {layer} of {encoder}, fine-tuned on {data}

This is {encoder}, fine-tuned on {data} by layerviz, as it was {moment}, without the layers after
layer {layer}; the linear probe of that layer ({pooling} pooling) is its classifier. It predicts
what the probe predicts.

## How good it is

{answer}

| macro-F1 | | 95 % interval | examples |
| --- | --- | --- | --- |
{scores}

{choice}

{equality}

## How to use it

    {install}

Texts are cut to {max_length} tokens, as in training.

{usage}

## Size and speed

| | full model | this model |
| --- | --- | --- |
| layers | {n_layers} | {layer} |
| weights | {full_size} | {size} |

{speed}

## Where it comes from

- Data: {data}, fingerprint {fingerprint}
- Classes: {classes}
- Run: `{run_id}`
- Probe: logistic regression on the train examples' states, C = {strength}; their standardisation is
  in its weights
- Versions: {versions}; exported by layerviz {version}
"""

TEXTS = 'texts = ["your text", "another text"]'
PAIRS = """\
firsts = ["the first text of a pair", "that of another pair"]
seconds = ["the second text of a pair", "that of the other pair"]"""

CLASSIFIER_USAGE = """\
Classes:

```python
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

folder = "{folder}"  # where it is
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModelForSequenceClassification.from_pretrained(folder)

{texts}
inputs = tokenizer({given}, padding=True, truncation=True, return_tensors="pt")
with torch.inference_mode():
    scores = model(**inputs).logits  # (texts, {n_classes}); softmax makes probabilities of them
print([model.config.id2label[label] for label in scores.argmax(dim=1).tolist()])
```

Embeddings, after these lines:

```python
with torch.inference_mode():
    embeddings = model.base_model(**inputs).last_hidden_state[:, 0]  # (texts, {width})
```

The two linear maps of the head are set so that the non-linearity between them does nothing. To
train the model further, give it a new head first."""

SENTENCE_USAGE = """\
Embeddings:

```python
from sentence_transformers import SentenceTransformer

folder = "{folder}"  # where it is
encoder = SentenceTransformer(folder)

{texts}
embeddings = encoder.encode({given})  # (texts, {width})
```

Classes, after these lines:

```python
from safetensors.numpy import load_file
from transformers import AutoConfig

id2label = AutoConfig.from_pretrained(folder).id2label
probe = load_file(f"{{folder}}/classifier/model.safetensors")
scores = embeddings @ probe["linear.weight"].T + probe["linear.bias"]  # (texts, {n_classes})
print([id2label[label] for label in scores.argmax(axis=1).tolist()])
```

Softmax makes probabilities of the scores. The folder `classifier` is also a `Dense` module of
sentence-transformers; it is not in `modules.json`, so that `encode` gives embeddings."""


@dataclass(frozen=True)
class CardFacts:
    """What a card says.

    Parameters
    ----------
    run : Run
    cell : Cell
        Whose layer is the model's last.
    answer : Answer
        The run's, over all poolings.
    decision : DepthDecision or None
        Where the answer names a layer.
    folder : str
        The model's, in the zip.
    strength : float
        Of the probe; NaN where train holds a single class.
    width : int
        Of an embedding.
    n_checked, n_equal : int
        Captured examples that the model read, and those of them that got the class that the
        stored probe gave.
    n_bytes, n_bytes_full : int
        Of its weights and of those of the whole model.
    speed : Speed
        Against the whole model.
    """

    run: Run
    cell: Cell
    answer: Answer
    decision: DepthDecision | None
    folder: str
    strength: float
    width: int
    n_checked: int
    n_equal: int
    n_bytes: int
    n_bytes_full: int
    speed: Speed


def model_card(facts: CardFacts) -> str:
    """Return the card in Markdown, as the Hugging Face Hub reads it."""
    run, cell = facts.run, facts.cell
    is_classifier = cell.pooling == CLS.name
    usage = CLASSIFIER_USAGE if is_classifier else SENTENCE_USAGE
    strength = "-" if math.isnan(facts.strength) else f"{facts.strength:g}"
    return CARD.format(
        front_matter=_front_matter(run, is_classifier=is_classifier),
        layer=cell.layer,
        n_layers=run.encoder["layers"],
        encoder=escaped(run.encoder["label"]),
        data=escaped(run.dataset["name"]),
        moment=at_epoch(cell.epoch),
        pooling=escaped(pooling_label(cell.pooling)),
        answer="\n".join(f"> {escaped(one)}" for one in _lead(facts)),
        scores="\n".join(_score_rows(facts)),
        choice=_choice(facts),
        equality=f"When it was exported, it read {count(facts.n_checked, 'captured example')} and "
        f"predicted the same class as the stored probe for {facts.n_equal:,} of them.",
        install="pip install "
        + ("transformers torch" if is_classifier else "sentence-transformers"),
        max_length=run.config.max_length,
        usage=usage.format(
            folder=facts.folder,
            width=facts.width,
            n_classes=len(run.label_names),
            texts=PAIRS if run.reads_pairs else TEXTS,
            given=_given(run, is_classifier=is_classifier),
        ),
        size=file_size(facts.n_bytes),
        full_size=file_size(facts.n_bytes_full),
        speed=_speed(facts.speed),
        fingerprint=escaped(run.dataset["fingerprint"]),
        classes=", ".join(map(escaped, run.label_names)),
        run_id=run.run_id,
        strength=strength,
        versions=escaped(", ".join(f"{name} {number}" for name, number in run.versions.items())),
        version=__version__,
    )


def escaped(text: str) -> str:
    """Return a text on one line so that Markdown shows it as it is."""
    return "".join(f"\\{char}" if char in MARKUP else char for char in " ".join(text.split()))


def _given(run: Run, *, is_classifier: bool) -> str:
    """Return what is handed over in the code: both lists, or for sentence-transformers, pairs."""
    if not run.reads_pairs:
        return "texts"
    return "firsts, seconds" if is_classifier else "list(zip(firsts, seconds))"


def _front_matter(run: Run, *, is_classifier: bool) -> str:
    """Return what the Hub reads, as YAML, of which JSON's strings are a part."""
    library = "transformers" if is_classifier else "sentence-transformers"
    tags = ["layerviz", "text-classification", *([] if is_classifier else [library])]
    lines = [
        f"library_name: {library}",
        f"pipeline_tag: {'text-classification' if is_classifier else 'feature-extraction'}",
        "tags:",
        *(f"- {tag}" for tag in tags),
    ]
    if encoders.describe(run.config.encoder).source == "hub":
        lines.append(f"base_model: {json.dumps(run.config.encoder)}")
    return "\n".join(lines)


def _lead(facts: CardFacts) -> list[str]:
    return separability.lead_sentences(facts.answer, facts.decision)


def _score_rows(facts: CardFacts) -> list[str]:
    """Return the figures, called as on the page where they are the page's."""
    answer, test = facts.answer, _score(facts, "test")
    if facts.cell == answer.best:
        picked = f"{separability.UNSEEN}: val, corrected for the pick from {answer.n_cells:,} cells"
        rows = [_row(picked, answer.unseen), _row(separability.PICKED_ON_VAL, answer.val)]
        of_test = separability.PICKED_ON_TEST
    else:
        rows, of_test = [_row("This layer on this val", _score(facts, "val"))], "This layer on test"
    return [*rows, *([] if test is None else [_row(of_test, test)])]


def _row(name: str, score: Score | None) -> str:
    if score is None:
        return f"| {name} | | | 0 |"
    value, interval = score.value_and_interval
    return f"| {name} | {value} | {interval} | {score.n:,} |"


def _score(facts: CardFacts, split: str) -> Score | None:
    """Return the cell's score on a split, as the run's probes give it; None where there is none."""
    run, cell = facts.run, facts.cell
    examples = runs.read_examples(run.path)
    rows = (examples["split"] == split).to_numpy()
    if not rows.any():
        return None
    labels = examples["label"].to_numpy()[rows]
    predicted = runs.read_probes(run.path, cell.snapshot)[cell.pooling][cell.layer][None, rows]
    draws = separability.macro_f1(
        labels, predicted, separability.resampling_weights(len(labels), run.config.seed)
    )
    return separability.score_of(labels, predicted[0], draws[:, 0])


def _choice(facts: CardFacts) -> str:
    untouched = "" if facts.answer.test is None else " Test played no part in choosing it."
    if facts.cell == facts.answer.best:
        return f"This is the layer that the answer recommends.{untouched}"
    if facts.decision is not None and facts.cell == facts.decision.cell:
        return f"This is the lowest layer that is enough.{untouched}"
    return (
        "This is not the layer that the answer recommends, but one that was chosen by hand: if its "
        "val score was the reason, expect less on unseen examples."
    )


def _speed(speed: Speed) -> str:
    times = "about as fast as" if speed.ratio < 1.1 else f"{speed.ratio:.1f} times as fast as"
    return (
        f"It was {times} the full model: the median over {speed.n_batches} batches of "
        f"{count(speed.batch_size, 'captured example')}, each read three times by both models in "
        f"turn, on {count(speed.n_threads, 'thread')} of a processor. That is a rough figure, "
        "measured when this folder was made."
    )
