"""transformers without its bars and asides."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_TALKATIVE = ("modeling_utils", "trainer", "trainer_utils")  # about tied weights, file dates, ...


@contextmanager
def quiet() -> Iterator[None]:
    """Suppress transformers' bars, load report and asides, in this thread and nowhere else."""
    from transformers.utils import logging as transformers_logging

    quiet_thread = threading.get_ident()

    def is_let_through(record: logging.LogRecord) -> bool:
        return record.thread != quiet_thread or record.levelno >= logging.ERROR

    def make_bar(factory: Callable[..., Any], args: tuple, kwargs: dict[str, Any]) -> Any:
        disabled = {"disable": True} if threading.get_ident() == quiet_thread else {}
        return factory(*args, **{**kwargs, **disabled})

    loggers = [logging.getLogger(f"transformers.{name}") for name in _TALKATIVE]
    for logger in loggers:
        logger.addFilter(is_let_through)
    hook_before = transformers_logging.set_tqdm_hook(make_bar)
    try:
        yield
    finally:
        transformers_logging.set_tqdm_hook(hook_before)
        for logger in loggers:
            logger.removeFilter(is_let_through)
