"""The ordeals, in the order in which they are tried."""

from __future__ import annotations

from layerviz.bench.torture.checkpoints import CHECKPOINTS
from layerviz.bench.torture.collapses import COLLAPSES
from layerviz.bench.torture.damaged import DAMAGED
from layerviz.bench.torture.deaths import DEATHS
from layerviz.bench.torture.deletions import DELETIONS
from layerviz.bench.torture.encoder_configs import ENCODER_CONFIGS
from layerviz.bench.torture.encoder_weights import ENCODER_WEIGHTS
from layerviz.bench.torture.full_disks import FULL_DISKS
from layerviz.bench.torture.full_exports import FULL_EXPORTS
from layerviz.bench.torture.garbled import GARBLED
from layerviz.bench.torture.hostile_encoders import HOSTILE_ENCODERS
from layerviz.bench.torture.kills import KILLED
from layerviz.bench.torture.ordeal import Ordeal
from layerviz.bench.torture.races import RACES
from layerviz.bench.torture.signals import SIGNALLED
from layerviz.bench.torture.tokenizers import TOKENIZERS
from layerviz.registry import Registry

# A new ordeal is a module like records.py and an entry here; its attempts are seeded, each has a
# folder of its own, and the tests make a few of them.
ORDEALS: Registry[Ordeal] = Registry(
    "ordeal",
    [
        DEATHS,
        KILLED,
        SIGNALLED,
        FULL_DISKS,
        FULL_EXPORTS,
        RACES,
        CHECKPOINTS,
        DELETIONS,
        GARBLED,
        DAMAGED,
        ENCODER_CONFIGS,
        TOKENIZERS,
        ENCODER_WEIGHTS,
        HOSTILE_ENCODERS,
        COLLAPSES,
    ],
)
