"""The parser of the command line: what is misspelt is answered with what was probably meant."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from layerviz.errors import did_you_mean
from layerviz.starters import starter_names
from layerviz.wording import quote

STARTERS_MARK = "{starters}"  # the encoders that come with layerviz
FORMATS_MARK = "{formats}"  # in a help text: the file formats, which load when it is shown


class Parser(argparse.ArgumentParser):
    """As argparse's, but that it guesses commands, choices and options that were misspelt.

    Parameters
    ----------
    add_arguments : callable, optional
        Adds what it understands, once it parses something or shows its help: of many commands, one
        is typed.
    """

    def __init__(
        self,
        *args: Any,
        add_arguments: Callable[[argparse.ArgumentParser], None] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self._add_arguments = add_arguments

    def _complete(self) -> None:
        if self._add_arguments is not None:
            add_arguments, self._add_arguments = self._add_arguments, None
            add_arguments(self)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse, and return what is not known as well."""
        self._complete()
        return super().parse_known_args(args, namespace)

    def format_help(self) -> str:
        """Return the help."""
        self._complete()
        return super().format_help()

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Refuse a value that is none of the choices."""
        if action.choices is None or value in action.choices:
            return
        choices = [str(choice) for choice in action.choices]
        what = "command" if isinstance(action, argparse._SubParsersAction) else "choice"
        hint = did_you_mean(value, choices, f"Choose one of {', '.join(choices)}.")
        raise argparse.ArgumentError(action, f"there is no {what} {quote(value)}. {hint}")

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse, and refuse options that there are not."""
        parsed, unknown = self.parse_known_args(args, namespace)
        if unknown:
            self._refuse(unknown, getattr(parsed, "command", None))
        return parsed

    def _refuse(self, unknown: Sequence[str], command: str | None) -> NoReturn:
        option = next((word for word in unknown if word.startswith("-")), "").partition("=")[0]
        own = self._of_command(command)
        guess = did_you_mean(option, own.options) if option else ""
        own.error(f"unrecognized arguments: {' '.join(unknown)}. {guess}".strip())

    def _of_command(self, command: str | None) -> Parser:
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction) and command in action.choices:
                own = action.choices[command]
                return own if isinstance(own, Parser) else self
        return self

    @property
    def options(self) -> dict[str, argparse.Action]:
        """The options that it understands, as they are typed."""
        return dict(self._option_string_actions)


class HelpFormatter(argparse.ArgumentDefaultsHelpFormatter):
    """Names file formats, and defaults other than "off" and "none"."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        silent = action.default is None or action.default is False or action.default == []
        text = action.help if silent else super()._get_help_string(action)
        if text is not None and STARTERS_MARK in text:
            text = text.replace(STARTERS_MARK, ", ".join(starter_names()))
        if text is None or FORMATS_MARK not in text:
            return text
        from layerviz.data import formats_in_words

        return text.replace(FORMATS_MARK, formats_in_words())
