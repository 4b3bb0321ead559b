"""The parser of the command line: what is misspelt is answered with what was probably meant."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any, NoReturn

from layerviz.errors import did_you_mean
from layerviz.wording import quote


class Parser(argparse.ArgumentParser):
    """As argparse's, but that it guesses commands, choices and options that were misspelt."""

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
