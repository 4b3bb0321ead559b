"""layerviz: watch every layer of a text classifier learn to tell its classes apart."""

import os

__version__ = "0.1.0"

# OpenMP's threads spin while they wait for each other, which starves the page (and themselves)
# as soon as anything else runs. It is read when torch is loaded, hence here; a setting of the
# user's own is left alone.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
