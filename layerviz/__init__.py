"""layerviz: watch every layer of a text classifier learn to tell its classes apart."""

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from layerviz.api import LayervizError, OpenedRun, fit, open_run

__version__ = "0.1.0"
__all__ = ["LayervizError", "OpenedRun", "fit", "open_run"]

# OpenMP's threads spin while they wait for each other, which starves the page (and themselves)
# as soon as anything else runs. It is read when torch is loaded, hence here; a setting of the
# user's own is left alone.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def __getattr__(name: str) -> Any:
    """Load what is offered in Python only once it is asked for: commands start without it."""
    if name in __all__:
        from layerviz import api

        return getattr(api, name)
    raise AttributeError(f"module 'layerviz' has no attribute {name!r}")
