"""What a setting is: one entry that says all about it.

A setting is a field of a configuration's dataclass, declared with :func:`setting`. Its checks, the
argument of the command line and the widget of the page are made from the entry.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from layerviz.errors import ConfigError, did_you_mean

_METADATA_KEY = "setting"
PageSection = Literal["main", "more"]  # of the page: in sight, or under "More settings"
Column = Literal["left", "right", "wide"]

MAIN: PageSection = "main"
MORE: PageSection = "more"


# --- kinds of values ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Whole:
    """Whole numbers from `low` to `high`."""

    low: int
    high: int

    def accepts(self, value: object) -> bool:
        """Whether this is one of them."""
        if isinstance(value, bool) or not isinstance(value, int):
            return False
        return self.low <= value <= self.high

    @property
    def hint(self) -> str:
        """What to give."""
        return f"Give a whole number from {self.low:,} to {self.high:,}."


@dataclass(frozen=True)
class Number:
    """Numbers from `low` to `high`."""

    low: float
    high: float

    def accepts(self, value: object) -> bool:
        """Whether this is one of them; NaN is not, as it compares false."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return self.low <= value <= self.high

    @property
    def hint(self) -> str:
        """What to give."""
        return f"Give a value from {self.low:g} to {self.high:g}."


@dataclass(frozen=True)
class Choice:
    """One of several names."""

    names: tuple[str, ...]

    def accepts(self, value: object) -> bool:
        """Whether this is one of them."""
        return isinstance(value, str) and value in self.names

    @property
    def hint(self) -> str:
        """What to give."""
        return f"Choose one of {', '.join(self.names)}."


@dataclass(frozen=True)
class Switch:
    """True or false."""

    def accepts(self, value: object) -> bool:
        """Whether this is one of the two."""
        return isinstance(value, bool)

    @property
    def hint(self) -> str:
        """What to give."""
        return "Give true or false."


@dataclass(frozen=True)
class Name:
    """The name of an encoder: a catalogue name, a Hub id or a local folder."""

    def accepts(self, value: object) -> bool:
        """Whether this could be one."""
        return isinstance(value, str) and bool(value.strip())

    @property
    def hint(self) -> str:
        """What to give."""
        return "Give a catalogue name, a Hub id or a local folder."


Kind = Whole | Number | Choice | Switch | Name


# --- settings ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Widget:
    """How the page asks for a setting.

    Parameters
    ----------
    label : str
        What stands at the widget.
    section : {"main", "more"}
        In sight, or under "More settings".
    column : {"left", "right", "wide"}
        Where in the section.
    row : int
        Smaller ones stand higher; settings of one row are in the order of their registry.
    key : str
        Of the widget; the name of the setting if empty. ``{encoder.name}`` and
        ``{encoder.source}`` in it give each encoder, or each source of encoders, its own.
    step : float or None
        From one value to the next; None takes Streamlit's default.
    format : str or None
        How a number is written, as printf does.
    percent : bool
        Whether a share is asked for in whole percent.
    """

    label: str
    section: PageSection = MORE
    column: Column = "wide"
    row: int = 0
    key: str = ""
    step: float | None = None
    format: str | None = None
    percent: bool = False


@dataclass(frozen=True)
class FormerSwitch:
    """A switch that a setting has taken the place of.

    Records and commands with it still mean what they did, and keep their run ids.

    Parameters
    ----------
    name : str
        Of the switch.
    value : object
        Of the setting, where the switch was on. Where it was off, the setting has its default.
    """

    name: str
    value: Any


@dataclass(frozen=True)
class Setting:
    """One thing to decide, and all that page, command line and record have to know of it.

    Parameters
    ----------
    name : str
        Of the field, in ``run.json``, and with dashes on the command line.
    kind : Whole, Number, Choice, Switch or Name
        Which values there are.
    default : object
        None leaves it open: what suits the encoder is taken, unless `empty` says what None stands
        for. A switch is off by default.
    help : str
        A few words for the command line, in lower case and without a full stop; the page's
        tooltip makes a sentence of them.
    widget : Widget or None
        How the page asks for it; None if it does not.
    flag : str
        On the command line; made from the name if empty.
    required : bool
        Whether it has to be given.
    resolved_late : bool
        Whether the command line leaves it open although it has a default, because a better one
        follows from other settings.
    always_in_command : bool
        Whether the command that makes a run again names it where it has its default, too.
    in_every_id : bool
        Whether run ids have been taken from it since the first run. All others are left out of an
        id while they are as in earlier runs, so that the ids of those stay.
    column : str
        Heading of its column in the table of encoders to compare; none if empty.
    of_one_encoder : bool
        Whether what is chosen for one encoder says nothing about those compared with it.
    empty : str
        What None stands for, if that is a choice like others instead of being left open.
    formerly : FormerSwitch or None
        What it has taken the place of.
    in_earlier_runs : object
        What runs did before there was the setting, where that is not its default: records that
        lack the setting mean it, and ids leave it out. None: they did what the default says.
    bare : str
        Of a choice, what its flag alone means on the command line; nothing if empty.
    is_asked : bool
        Whether people choose it, and not the command that makes the run.
    """

    name: str
    kind: Kind
    default: Any
    help: str
    widget: Widget | None = None
    flag: str = ""
    required: bool = False
    resolved_late: bool = False
    always_in_command: bool = False
    in_every_id: bool = False
    column: str = ""
    of_one_encoder: bool = False
    empty: str = ""
    formerly: FormerSwitch | None = None
    in_earlier_runs: Any = None
    bare: str = ""
    is_asked: bool = True

    def __post_init__(self) -> None:
        if isinstance(self.kind, Switch) and self.default is not False:
            raise ValueError(f"the switch {self.name!r} has to be off by default")

    def check(self, value: object) -> None:
        """Refuse what is not one of its values.

        Raises
        ------
        ConfigError
            It says what was given and what to give.
        """
        is_open = value is None and self.default is None and not self.required
        if not is_open and not self.kind.accepts(value):
            name = self.name.replace("_", " ").capitalize()
            names = self.kind.names if isinstance(self.kind, Choice) else ()
            hint = did_you_mean(value, names, self.kind.hint)
            raise ConfigError(f"{name} is {value!r:.40}.", hint)

    @property
    def unrecorded(self) -> Any:
        """Its value in runs whose record does not hold it."""
        return self.default if self.in_earlier_runs is None else self.in_earlier_runs

    @property
    def option(self) -> str:
        """Its flag on the command line."""
        return self.flag or option_of(self.name)

    def words(self, value: object) -> list[str]:
        """Return what to type on the command line for a value."""
        if not self.is_asked:
            return []
        if isinstance(self.kind, Switch):
            return [self.option] if value else []
        return [] if value is None else [self.option, str(value)]


def option_of(name: str) -> str:
    """Return the flag on the command line that is made from a name."""
    return f"--{name.replace('_', '-')}"


def setting(kind: Kind, default: Any = None, *, help: str, **more: Any) -> Any:
    """Declare a field of a configuration; the arguments are those of `Setting`."""
    entry = Setting("", kind, default, help, **more)
    if entry.required:
        return dataclasses.field(metadata={_METADATA_KEY: entry})
    return dataclasses.field(default=default, metadata={_METADATA_KEY: entry})


def settings_of(config_type: type) -> Iterator[Setting]:
    """Yield the settings that are fields of a dataclass, in their order."""
    for field in dataclasses.fields(config_type):
        entry = field.metadata.get(_METADATA_KEY)
        if entry is not None:
            yield dataclasses.replace(entry, name=field.name)


def check_all(config: Any) -> None:
    """Check every setting of a configuration; a ConfigError names the first that is refused."""
    for entry in settings_of(type(config)):
        entry.check(getattr(config, entry.name))


def with_todays_names(values: Mapping[str, Any], entries: Iterable[Setting]) -> dict[str, Any]:
    """Return names and values in which settings stand for the switches whose place they took.

    Raises
    ------
    ConfigError
        If such a switch is neither on nor off.
    """
    renamed = dict(values)
    for entry in entries:
        former = entry.formerly
        if former is None or former.name not in renamed:
            continue
        switch = renamed.pop(former.name)
        Setting(former.name, Switch(), False, help=entry.help).check(switch)
        if switch:
            renamed.setdefault(entry.name, former.value)
    return renamed


def with_former_names(values: Mapping[str, Any], entries: Iterable[Setting]) -> dict[str, Any]:
    """Return names and values in which former switches say what they can, as in earlier runs."""
    renamed = dict(values)
    for entry in entries:
        former = entry.formerly
        if former is not None and renamed.get(entry.name) == former.value:
            del renamed[entry.name]
            renamed[former.name] = True
    return renamed


def extended(config_type: type, entries: tuple[Setting, ...]) -> type:
    """Return a dataclass that has a field for each of further settings."""
    fields = [
        (entry.name, Any, dataclasses.field(default=entry.default, metadata={_METADATA_KEY: entry}))
        for entry in entries
    ]
    return dataclasses.make_dataclass(
        config_type.__name__, fields, bases=(config_type,), frozen=True
    )
