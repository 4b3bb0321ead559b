"""``python -m layerviz fit``, ``report``, ``compare`` and others: the same work without a page."""

import os
import signal
import sys

if __name__ == "__main__":  # while the commands are loaded, Ctrl-C has nothing to tidy up
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from layerviz.commands import main

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    status = main()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is said: only threads are waited for
    sys.exit(status)
