"""What measures, poolings and counts are called in the tables and files of a run.

Apart from what measures: whoever only reads tables does without PyTorch.
"""

from __future__ import annotations

LEADING = "probe_macro_f1"  # the measure by which layers are compared
SPREAD = "spread"  # of the states of a layer; on all captured examples
HEAD = "head"  # stands in for a pooling in the rows of the model's own classifier
NEIGHBOURS = 10  # that a precision counts
NOT_SEARCHED = 255  # in place of a count of neighbours, outside val
