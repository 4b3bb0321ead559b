"""Options and tables that are given in Python, as the command line would have them."""

from __future__ import annotations

import argparse
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn

from layerviz.commands.arguments import Parser
from layerviz.commands.inputs import GivenFile, read_files
from layerviz.errors import ConfigError, did_you_mean, reason
from layerviz.wording import quote

if TYPE_CHECKING:
    from layerviz.commands.command import Command

FILES = ("data", "val", "test")
AS_HERE: Mapping[str, str] = MappingProxyType({})
TOKENS = ("input_ids", "attention_mask", "token_type_ids")  # columns that a tokenizer added


def parsed_options(
    command: Command,
    given: Mapping[str, Any],
    options: dict[str, Any],
    called: Mapping[str, str] = AS_HERE,
) -> tuple[argparse.Namespace, dict[str, Any]]:
    """Return what a command's parser makes of files and options, and the tables among the files.

    Parameters
    ----------
    command : Command
    given : dict
        Files and tables by "data", "val" and "test".
    options : dict
    called : dict
        What the caller calls those that it does not call so; mistakes name it.

    Raises
    ------
    ConfigError
        If there is no such option, or something is neither a file nor a table.
    """
    tables = {role: table for role, table in given.items() if _is_table(table)}
    paths = {role: path for role, path in given.items() if role not in tables}
    for role, path in paths.items():
        if path is not None and not isinstance(path, str | Path):
            raise ConfigError(
                f"{called.get(role, role)} is {quote(path)}.",
                "Give a file, a folder, hf:owner/name or a table.",
            )
    return parsed_words(command, {**paths, **options}), tables


def given_files(
    parsed: argparse.Namespace, tables: Mapping[str, Any], called: Mapping[str, str] = AS_HERE
) -> dict[str, GivenFile]:
    """Return files and tables by "data", "val" and "test", each as it is in a file.

    `called` is that of `parsed_options`.
    """
    found = {
        **read_files(parsed),
        **{role: _as_file(role, table, called.get(role, role)) for role, table in tables.items()},
    }
    return {role: found[role] for role in FILES if role in found}


class _Options(Parser):
    """The parser of a command, of which mistakes are errors of Python's own kind."""

    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{message[:1].upper()}{message[1:]}", "")


def parsed_words(
    command: Command, options: dict[str, Any], positional: Sequence[str] = ()
) -> argparse.Namespace:
    """Return options as the command line would have parsed them.

    Raises
    ------
    ConfigError
        If there is no such option, or it does not take that value.
    """
    parser = _Options(prog=f"layerviz {command.name}", add_help=False, allow_abbrev=False)
    command.add_arguments(parser)
    known = {
        option[2:].replace("-", "_"): action
        for option, action in parser.options.items()
        if option.startswith("--")
    }
    words = list(positional)
    for name, value in options.items():
        if name not in known:
            raise ConfigError(
                f"There is no option {quote(name)}.",
                did_you_mean(name, known, f"`layerviz {command.name} --help` lists them."),
            )
        words += _words(name, known[name], value)
    return parser.parse_args(words)


def _words(name: str, action: argparse.Action, value: Any) -> list[str]:
    """Return how an option is written on the command line."""
    option = f"--{name.replace('_', '-')}"
    if value is None:
        return []
    if action.nargs == "?" and isinstance(value, bool):
        return [option] if value else []
    if action.nargs == 0:  # a switch
        if not isinstance(value, bool):
            raise ConfigError(f"The option {name} takes no {quote(value)}.", "Give True or False.")
        off = f"--no-{option[2:]}"
        return [option] if value else [off] if off in action.option_strings else []
    if isinstance(value, Mapping):
        value = [f"{key}={meaning}" for key, meaning in value.items()]
    values = value if isinstance(value, list | tuple) else [value]
    if isinstance(action, argparse._AppendAction):
        return [f"{option}={one}" for one in values]
    return [f"{option}={','.join(map(str, values))}"]


# --- tables -----------------------------------------------------------------------------------


def _is_table(given: Any) -> bool:
    return hasattr(given, "to_parquet")


def _as_file(role: str, table: Any, called: str) -> GivenFile:
    """Return a table as the file that it would be: labels and texts as pandas holds them."""
    import pyarrow as pa

    if hasattr(table, "to_pandas"):  # of `datasets`
        table = table.to_pandas()
    table = table.drop(columns=[name for name in TOKENS if name in table])
    content = io.BytesIO()
    try:
        table.to_parquet(content, index=False)
    except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
        raise ConfigError(
            f"The table for {called} cannot be stored: {reason(error)}.",
            "Give columns of texts, numbers or booleans.",
        ) from error
    return GivenFile("data.parquet" if role == "data" else f"{role}.parquet", content.getvalue())
