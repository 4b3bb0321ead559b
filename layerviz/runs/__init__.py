"""The run folder: written atomically, read by anyone with pandas and safetensors.

Everything goes to a temporary name in the same folder first and is renamed into place, so a
file or snapshot that is there is whole. Nothing is read with pickle.
"""

from layerviz.runs.contents import (
    HISTORY_COLUMNS,
    has_snapshot,
    read_examples,
    read_hidden_states,
    read_history,
    read_map,
    read_predictions,
    remove_resume,
    save_model,
    write_examples,
    write_history,
    write_map,
    write_snapshot,
)
from layerviz.runs.record import (
    LIVE,
    RUNS_FOLDER,
    RUNS_VARIABLE,
    STATUSES,
    Run,
    Snapshot,
    create,
    delete,
    list_runs,
    open_folder,
    read,
    runs_folder,
    update,
)
from layerviz.runs.writing import DISK_FULL_SIGNS, writing_error

__all__ = [
    "DISK_FULL_SIGNS",
    "HISTORY_COLUMNS",
    "LIVE",
    "RUNS_FOLDER",
    "RUNS_VARIABLE",
    "STATUSES",
    "Run",
    "Snapshot",
    "create",
    "delete",
    "has_snapshot",
    "list_runs",
    "open_folder",
    "read",
    "read_examples",
    "read_hidden_states",
    "read_history",
    "read_map",
    "read_predictions",
    "remove_resume",
    "runs_folder",
    "save_model",
    "update",
    "write_examples",
    "write_history",
    "write_map",
    "write_snapshot",
    "writing_error",
]
