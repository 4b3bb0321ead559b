"""``python -m layerviz fit``, ``report``, ``compare`` and others: the same work without a page."""

import os
import sys

from layerviz.commands import main

if __name__ == "__main__":
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    sys.exit(main())
