"""layerviz: watch every layer of a text classifier learn to tell its classes apart."""

import os
from typing import TYPE_CHECKING

from layerviz.lazily import lazy_names

if TYPE_CHECKING:
    from layerviz.api.callback import LayervizCallback
    from layerviz.api.making import fit, open_run, probe
    from layerviz.api.opened_run import OpenedRun
    from layerviz.errors import LayervizError
else:  # commands start without what is offered in Python
    __getattr__, __dir__ = lazy_names(__name__)

__version__ = "0.1.0"
__all__ = ["LayervizCallback", "LayervizError", "OpenedRun", "fit", "open_run", "probe"]

# OpenMP's threads spin while they wait for each other, which starves the page (and themselves)
# as soon as anything else runs. It is read when torch is loaded, hence here; a setting of the
# user's own is left alone.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
