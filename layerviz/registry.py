"""Entries by name: what can be chosen, each said once, in one object."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar

from layerviz.errors import ConfigError, did_you_mean

NAME_PATTERN = r"[a-z][a-z0-9_]{0,19}"  # of an entry whose name becomes part of file names


class Named(Protocol):
    """Anything with a name to be found by."""

    @property
    def name(self) -> str: ...


Entry = TypeVar("Entry", bound=Named)


class UnknownNameError(ConfigError, KeyError):
    """A name that no entry of a registry has."""


class Registry(Mapping[str, Entry], Generic[Entry]):
    """Entries by their names, in the order in which they are offered.

    Parameters
    ----------
    kind : str
        What an entry is, in lower case and singular, for messages: "pooling".
    entries : iterable
        Objects with a ``name``, each its own.
    """

    def __init__(self, kind: str, entries: Iterable[Entry]) -> None:
        self.kind = kind
        self._entries: dict[str, Entry] = {}
        for entry in entries:
            self.add(entry)

    def add(self, entry: Entry) -> Entry:
        """Add an entry at the end.

        Raises
        ------
        ValueError
            If its name is taken.
        """
        if entry.name in self._entries:
            raise ValueError(f"there are two entries of the {self.kind} {entry.name!r}")
        self._entries[entry.name] = entry
        return entry

    @contextmanager
    def extended(self, entry: Entry) -> Iterator[Entry]:
        """Hold one more entry for as long as the block runs."""
        self.add(entry)
        try:
            yield entry
        finally:
            del self._entries[entry.name]

    def __getitem__(self, name: str) -> Entry:
        """Return the entry of this name.

        Raises
        ------
        UnknownNameError
            If there is none; it lists the names there are.
        """
        try:
            return self._entries[name]
        except (KeyError, TypeError):  # TypeError: what cannot be hashed is no name
            raise UnknownNameError(
                f"There is no {self.kind} {name!r:.40}.",
                did_you_mean(name, self, f"Choose one of {', '.join(self)}."),
            ) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name in self._entries
