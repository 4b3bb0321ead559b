"""The card of a fine-tuned model on the Hub: the answer, the scores, how it was made."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from layerviz import __version__, encoders, separability
from layerviz.errors import EncoderError
from layerviz.export.model_card import escaped
from layerviz.export.recipe import command
from layerviz.runs import Run
from layerviz.separability import AnswerSheet, Score
from layerviz.wording import at_epoch

HEAT_MAP = "layerviz/heat-map.png"  # in the repository
WHOLE_RUN = "layerviz/run.zip"
HEAT_MAP_WORDS = "Probe macro-F1 on val: every layer at every epoch"

CARD = """\
---
{front_matter}
---

# {encoder}, fine-tuned on {data}

This is {encoder}, fine-tuned on {data} by layerviz, as it was {moment}.

## How good it is

Macro-F1 of the model's own predictions, on the examples that layerviz captured:

| split | macro-F1 | 95 % interval | examples |
| --- | --- | --- | --- |
{scores}

## What its layers know

{answer}

## How to use it

```python
from transformers import pipeline

classify = pipeline("text-classification", model="{repo}")
print(classify({given}))
```

Texts are cut to {max_length} tokens, as in training.

## How it was made

    {command}

- Data: {data}, fingerprint {fingerprint}; {sizes}
- Classes: {classes}
- Versions: {versions}; layerviz {version}
{whole_run}"""


def run_card(run: Run, sheet: AnswerSheet | None, repo: str, *, with_run: bool) -> str:
    """Return the card in Markdown, with the metadata that the Hub reads before it.

    Parameters
    ----------
    run : Run
        One that holds a model.
    sheet : AnswerSheet or None
        The run's, where it is measured.
    repo : str
        ``owner/name``, where the model will lie.
    with_run : bool
        Whether the whole run lies there, too.
    """
    own = separability.own_classifier_of(run) if sheet is None else sheet.own
    scores = {"val": own.val, **({} if own.test is None else {"test": own.test})}
    counts = {split: sum(of.values()) for split, of in run.dataset["counts"].items()}
    pair = '{"text": "the first text", "text_pair": "the second"}'
    return CARD.format(
        front_matter=_front_matter(run, repo, scores),
        encoder=escaped(run.encoder["label"]),
        data=escaped(run.dataset["name"]),
        moment=at_epoch(own.epoch),
        scores="\n".join(_row(split, score) for split, score in scores.items()),
        answer=_answer(sheet),
        repo=repo,
        given=pair if run.reads_pairs else '["your text", "another text"]',
        max_length=run.config.max_length,
        command=_command(run),
        fingerprint=escaped(run.dataset["fingerprint"]),
        sizes=", ".join(f"{n:,} {split}" for split, n in counts.items()),
        classes=", ".join(map(escaped, run.label_names)),
        versions=escaped(", ".join(f"{name} {number}" for name, number in run.versions.items())),
        version=__version__,
        whole_run=f"- The whole run, texts included, is in `{WHOLE_RUN}`: `python -m layerviz "
        "import run.zip` opens it\n"
        if with_run
        else "",
    )


def _command(run: Run) -> str:
    """Return the command that makes the run; of an encoder in a folder only the folder's name."""
    encoder = run.config.encoder
    named = Path(encoder).name if _source(run) == "local" else encoder
    return command(replace(run, config=replace(run.config, encoder=named)))


def _source(run: Run) -> str:
    """Return where the run's encoder is from."""
    try:
        return encoders.describe(run.config.encoder).source
    except EncoderError:  # a folder that was moved meanwhile
        return "local"


def _answer(sheet: AnswerSheet | None) -> str:
    if sheet is None:
        return "Its layers have not been measured."
    lead = separability.lead_sentences(sheet.answer, sheet.decision(separability.MARGIN))
    lines = [*(f"> {escaped(one)}" for one in lead), "", f"![{HEAT_MAP_WORDS}]({HEAT_MAP})"]
    return "\n".join(lines)


def _row(split: str, score: Score) -> str:
    value, interval = score.value_and_interval
    return f"| {split} | {value} | {interval} | {score.n:,} |"


def _front_matter(run: Run, repo: str, scores: dict[str, Score]) -> str:
    """Return what the Hub reads, as YAML, of which JSON is a part."""
    data = str(run.dataset["name"])
    slug = re.sub(r"[^A-Za-z0-9._-]+", "-", data).strip("-.") or "data"
    index: list[dict[str, Any]] = [
        {
            "name": repo.rpartition("/")[2],
            "results": [
                {
                    "task": {"type": "text-classification", "name": "Text Classification"},
                    "dataset": {"type": slug, "name": data, "split": split},
                    "metrics": [
                        {
                            "type": "f1",
                            "name": "Macro-F1",
                            "value": round(score.value, 4),
                            "args": {"average": "macro"},
                        }
                    ],
                }
                for split, score in scores.items()
            ],
        }
    ]
    lines = [
        "library_name: transformers",
        "pipeline_tag: text-classification",
        'tags: ["layerviz", "text-classification"]',
        'metrics: ["f1"]',
        f"model-index: {json.dumps(index, ensure_ascii=False)}",
    ]
    if _source(run) == "hub":
        lines.append(f"base_model: {json.dumps(run.config.encoder)}")
    return "\n".join(lines)
