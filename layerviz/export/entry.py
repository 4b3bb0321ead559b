"""What an export is: a kind of file made of a run, and all that page and command line say of it.

Nothing heavy is imported here, nor by the entries: the command line's options are made of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Literal, Protocol

from layerviz.progress import OnProgress

if TYPE_CHECKING:
    from altair.typing import ChartType

    from layerviz.runs import Run
    from layerviz.views import MapsRequest


@dataclass(frozen=True)
class CellRequest:
    """Which cell of a run is wanted; None leaves it to the run's answer.

    Parameters
    ----------
    layer : int, "enough" or None
        ``enough`` is the lowest one that the decision about depth calls enough.
    epoch : float or None
        That of a snapshot, to two decimals.
    pooling : str or None
        The answer is then the one under this pooling.
    """

    layer: int | Literal["enough"] | None = None
    epoch: float | None = None
    pooling: str | None = None


@dataclass(frozen=True)
class ExportRequest:
    """What of a run to show in a file, and how it is to look.

    Parameters
    ----------
    maps : MapsRequest
        Which maps.
    chart : {"maps", "heat-map"}
        What pictures show.
    dark : bool
        Whether pictures and animations have a dark background.
    snapshot : int or None
        The snapshot that pictures show; None for the newest.
    cell : CellRequest
        Which cell, for what is made of a single one.
    quote_formulas : bool
        Whether texts of a CSV that a spreadsheet would run get an apostrophe in front.
    """

    maps: MapsRequest
    chart: str = "maps"
    dark: bool = False
    snapshot: int | None = None
    cell: CellRequest = CellRequest()
    quote_formulas: bool = True


class WriteExport(Protocol):
    """Writes one kind of file of a run."""

    def __call__(
        self, run: Run, request: ExportRequest, stream: BinaryIO, on_progress: OnProgress
    ) -> None:
        """Write all of the file to `stream`, or raise a LayervizError that says why not."""
        ...


class DrawChart(Protocol):
    """Draws a chart as one kind of file."""

    def __call__(self, chart: ChartType, dark: bool, /) -> bytes:
        """Return the file's content; `dark` says whether the background is."""
        ...


@dataclass(frozen=True)
class Section:
    """A frame of the Export tab, which shares its title and controls among similar exports.

    Parameters
    ----------
    name : str
        Of its widgets: one word in lower case.
    title, caption : str
        What it says of its exports.
    make_label : str
        On the button that starts what takes long.
    make_icon : str
        On that button.
    format_help : str
        How to choose among several exports that take long.
    """

    name: str
    title: str
    caption: str
    make_label: str = "Make the file"
    make_icon: str = ":material/draft:"
    format_help: str = ""


@dataclass(frozen=True)
class Need:
    """What a run must have before the page offers an export of it.

    Parameters
    ----------
    is_met : callable
        Says whether a run has it.
    otherwise : str
        The sentence that the page shows where it has not.
    """

    is_met: Callable[[Run], bool]
    otherwise: str


SEVERAL_SNAPSHOTS = Need(
    lambda run: len(run.snapshots) > 1, "There is only one snapshot: nothing moves yet."
)
ENDED = Need(lambda run: not run.live, "Available when the run has ended.")


@dataclass(frozen=True)
class Export:
    """One kind of file that can be made of a run.

    Parameters
    ----------
    name : str
        Its name in the registry, and with dashes its option on the command line.
    help : str
        What the file holds, for the command line's help and README.
    label : str
        On the page, within its section.
    section : Section
        Where the page offers it.
    suffix : str
        Ending of its file name: ".gif".
    mime : str
        Its media type. What takes long and is an image is shown when it is made.
    write : WriteExport
        Makes the file. Heavy libraries are imported in there.
    stem : str
        The file name on the page before `suffix`; ``{run_id}`` and ``{snapshot}`` are filled in.
    slow : bool
        Whether it takes long: the page makes it when a button is pressed and shows how far it is.
        Any other is made when it is downloaded.
    has_dark : bool
        Whether it can have a dark background.
    has_epoch : bool
        Whether it shows a single snapshot, which the reader chooses.
    has_formulas : bool
        Whether a spreadsheet may take a text in it for a formula, which the reader can have
        quoted.
    has_cell : bool
        Whether it is made of a single cell, which the reader chooses.
    needs : tuple of Need
        Without which the page does not offer it.
    size : callable or None
        Returns roughly how many bytes the file of a run has, where that is known in advance.
    draw : DrawChart or None
        Draws any chart as such a file, where that can be done: the page then offers it in the
        Save menus of its charts.
    """

    name: str
    help: str
    label: str
    section: Section
    suffix: str
    mime: str
    write: WriteExport
    stem: str = "{run_id}"
    slow: bool = False
    has_dark: bool = False
    has_epoch: bool = False
    has_formulas: bool = False
    has_cell: bool = False
    needs: tuple[Need, ...] = ()
    size: Callable[[Run], int] | None = None
    draw: DrawChart | None = None

    @property
    def flag(self) -> str:
        """Its option on the command line."""
        return f"--{self.name.replace('_', '-')}"

    def file_name(self, run: Run, snapshot: int | None = None) -> str:
        """Return what the file of a run is called on the page."""
        return self.stem.format(run_id=run.run_id, snapshot=snapshot) + self.suffix

    def unmet_need(self, run: Run) -> str:
        """Return the sentence about the first thing that a run lacks for this; "" if none."""
        return next((need.otherwise for need in self.needs if not need.is_met(run)), "")
