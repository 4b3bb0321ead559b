"""What can be told of a text by itself: how many words it has, and in which language it is."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import pandas as pd

from layerviz.pairs import parts_of_pair

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

WORDS, LANGUAGE = "words", "language (guessed)"
PARTS_OF_PAIRS = ("first text", "second text")
# Scripts that put no spaces between words, each of whose letters is counted: Thai, Lao, Burmese,
# Khmer, kana and Chinese characters. Hangul has spaces.
_WORD = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    r"\uf900-\ufaff\U00020000-\U0003134f]|[^\W_]+(?:['’][^\W_]+)*"
)
MOST_READ = 2000  # characters by which a language is guessed
SURE = 0.5  # probability from which a guess is one
UNKNOWN_LANGUAGE, NO_LANGUAGE = "und", "zxx"  # of the library: not sure; numbers, links and such
UNCLEAR = "unclear"


def text_traits(texts: Sequence[str], has_language: Sequence[bool] | None = None) -> pd.DataFrame:
    """Return what can be told of texts by themselves, a column for each trait.

    Of pairs, the words of both are counted, together and one by one. They are no tokens: those of
    an encoder differ from encoder to encoder, and so would the slices.

    Parameters
    ----------
    texts : sequence of n str
    has_language : sequence of n bool, optional
        Of which texts to guess the language, by default of all; it takes far longer than the rest.

    Returns
    -------
    DataFrame
        n rows: ``words``, and of pairs ``words (first text)`` and ``words (second text)``; and
        ``language (guessed)``, an ISO 639 code or ``unclear``, or empty where it is
        not guessed.
    """
    parts = [parts_of_pair(text) for text in texts]
    counts = [[n_words(part) for part in of_text] for of_text in parts]
    traits: dict[str, list] = {WORDS: [sum(of_text) for of_text in counts]}
    if parts and all(len(of_text) == 2 for of_text in parts):
        for place, name in enumerate(PARTS_OF_PAIRS):
            traits[f"{WORDS} ({name})"] = [of_text[place] for of_text in counts]
    guessed = itertools.repeat(True) if has_language is None else has_language
    traits[LANGUAGE] = [
        guessed_language(" ".join(of_text)) if is_guessed else ""
        for of_text, is_guessed in zip(parts, guessed, strict=False)
    ]
    return pd.DataFrame(traits)


def n_words(text: str) -> int:
    """Return how many words a text has; where a script has no spaces, how many letters."""
    return len(_WORD.findall(text))


def guessed_language(text: str) -> str:
    """Return the language of a text as its ISO 639 code, or ``unclear``."""
    language, _ = _identifier().classify(text[:MOST_READ])
    return UNCLEAR if language in (UNKNOWN_LANGUAGE, NO_LANGUAGE) else str(language)


@cache
def _identifier() -> LanguageIdentifier:
    """Return what guesses languages; it is read once, in a tenth of a second, and offline."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True, min_confidence=SURE)
