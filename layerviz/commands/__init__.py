"""The command line without its words: arguments, files and a progress bar.

Heavy libraries are imported where they are needed, so that bad input is answered at once.
"""

from layerviz.commands.arguments import EXPORTS, config_of, parser, pretrain_config_of
from layerviz.commands.bar import Bar
from layerviz.commands.inputs import dataset_of, read_bytes

__all__ = [
    "EXPORTS",
    "Bar",
    "config_of",
    "dataset_of",
    "parser",
    "pretrain_config_of",
    "read_bytes",
]
