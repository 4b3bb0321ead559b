"""``python -m layerviz fit``, ``report``, ``compare`` and others: the same work without a page."""

import os
import signal
import sys

from layerviz import interrupts

if __name__ == "__main__":
    interrupts.install()
elif __name__ == "__mp_main__":  # a process that a command started: the command ends it
    signal.signal(signal.SIGINT, signal.SIG_IGN)

from layerviz.commands import main

if __name__ == "__main__":
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    try:
        status = main()
    finally:
        interrupts.all_is_said()
    sys.exit(status)
