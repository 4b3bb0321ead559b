"""The benches, in the order in which help lists them."""

from __future__ import annotations

from layerviz.commands.bench_answers import ANSWER_BENCHES
from layerviz.commands.bench_crowd import CROWD
from layerviz.commands.bench_entry import Bench
from layerviz.commands.bench_families import FAMILIES_BENCH
from layerviz.commands.bench_pictures import PICTURES
from layerviz.commands.bench_speed import SPEED_BENCHES
from layerviz.commands.bench_start import START
from layerviz.commands.bench_torture import TORTURE
from layerviz.registry import Registry

# A new bench is a module of layerviz/bench, two functions like those that these entries name, and
# an entry among them.
BENCHES: Registry[Bench] = Registry(
    "bench",
    [*SPEED_BENCHES, START, *ANSWER_BENCHES, TORTURE, CROWD, FAMILIES_BENCH, PICTURES],
)
