"""The command line: one module for each command, and a registry of them.

Heavy libraries are imported where they are needed, so that bad input is answered at once.
"""

from typing import TYPE_CHECKING

from layerviz.lazily import lazy_names

if TYPE_CHECKING:
    from layerviz.commands.command import Command
    from layerviz.commands.command_line import COMMANDS, main, parser
    from layerviz.commands.inputs import read_dataset
    from layerviz.commands.setting_arguments import run_config
else:
    __getattr__, __dir__ = lazy_names(__name__)

__all__ = [
    "COMMANDS",
    "Command",
    "main",
    "parser",
    "read_dataset",
    "run_config",
]
