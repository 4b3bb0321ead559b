"""A toy data set that a tiny encoder learns in seconds."""

from __future__ import annotations

import random
from collections.abc import Sequence

SUBJECTS = {
    "fruit": ["apple", "pear", "plum", "cherry", "melon", "grape"],
    "tool": ["hammer", "saw", "drill", "wrench", "chisel", "plane"],
    "river": ["danube", "nile", "rhine", "volga", "loire", "ganges"],
}
FRAMES = [
    "the {} was on the table",
    "i looked at a {} for a long while and then went home",
    "{}",
    "nobody told me about the {}",
    "my uncle has a {} and he will not stop talking about it at dinner, ever",
]


def toy_rows(n: int, seed: int = 0) -> list[tuple[str, str]]:
    """Return n distinct (text, label) rows of three classes that words settle."""
    rng = random.Random(seed)
    rows = []
    for number in range(n):
        label = list(SUBJECTS)[number % len(SUBJECTS)]
        text = rng.choice(FRAMES).format(rng.choice(SUBJECTS[label]))
        rows.append((f"{text} {number}", label))
    return rows


def as_csv(
    rows: Sequence[tuple[str, ...]], header: str = "text,label", delimiter: str = ","
) -> bytes:
    """Return rows as a CSV with every cell quoted."""
    lines = [header.replace(",", delimiter)]
    lines += [delimiter.join(f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in r) for r in rows]
    return "\n".join(lines).encode()
