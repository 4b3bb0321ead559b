"""Altair, without the checks of every part of a chart as it is made.

Altair would check each against its schema, most parts many times: a large part of the time in which
the page answers a click. ``to_dict`` still checks the whole.
"""

import altair as alt
from altair.utils.schemapi import disable_debug_mode

disable_debug_mode()

__all__ = ["alt"]
