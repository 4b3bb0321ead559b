"""A few families of encoders as tiny checkpoints; ``bench families`` tries them all."""

from __future__ import annotations

import pytest

from layerviz import encoders
from layerviz.bench import families
from layerviz.errors import LayervizError


@pytest.mark.parametrize("family", ["albert", "deberta", "electra", "xmod"])
def test_a_family_trains_and_is_captured_as_it_computes(family: str) -> None:
    row = families.measure([family])["families"][family]
    assert row["outcome"] == families.WORKS, row


@pytest.mark.parametrize(
    ("family", "reason"),
    [
        ("bart", "an encoder and a decoder in one"),
        ("fnet", "takes no attention mask"),
        ("funnel", "shortens its texts"),
        ("gpt2", "generates texts"),
        ("layoutlm", "reads pages"),
        ("t5", "an encoder and a decoder in one"),
        ("tapas", "reads tables"),
        ("xlnet", "in two streams"),
        ("yoso", "depend on the other texts in the batch"),
    ],
)
def test_what_is_no_encoder_is_refused_with_its_reason(family: str, reason: str) -> None:
    row = families.measure([family])["families"][family]
    assert row["outcome"] == families.REFUSED, row
    assert reason in row["what"]


def test_a_table_tells_what_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise LayervizError("It fell over.")

    monkeypatch.setattr(families.training, "fit", fails)
    result = families.measure(["electra"])
    assert families.has_failed(result)
    assert "| electra | failed |  | LayervizError: It fell over. |" in families.as_text(result)
    assert len(encoders.family_names()) >= 45
