"""Maps over the epochs as animated pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from layerviz.export.entry import SEVERAL_SNAPSHOTS, Export, ExportRequest, Section, WriteExport
from layerviz.progress import OnProgress

if TYPE_CHECKING:
    from layerviz.runs import Run

ANIMATION = Section(
    name="animation",
    title="Animation over the epochs",
    caption="Train and val side by side, with epoch and scores; for talks and READMEs.",
    make_label="Make the animation",
    make_icon=":material/movie:",
    format_help="WebP has all colours and smaller files; GIF opens everywhere.",
)


def _writer(kind: str) -> WriteExport:
    def write(run: Run, request: ExportRequest, stream: BinaryIO, on_progress: OnProgress) -> None:
        from layerviz.export.animation import animation

        content = animation(run, request.maps, kind, dark=request.dark, on_progress=on_progress)
        stream.write(content)

    return write


def _animation(name: str, label: str, mime: str, help: str) -> Export:
    return Export(
        name=name,
        help=help,
        label=label,
        section=ANIMATION,
        suffix=f".{name}",
        mime=mime,
        write=_writer(name),
        slow=True,
        has_dark=True,
        needs=(SEVERAL_SNAPSHOTS,),
    )


GIF = _animation("gif", "GIF", "image/gif", "maps over the epochs, animated")
WEBP = _animation("webp", "WebP", "image/webp", "the same, as WebP")
