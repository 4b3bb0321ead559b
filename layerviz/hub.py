"""What all downloads from the Hugging Face Hub share: progress, a way to stop, errors in words."""

from __future__ import annotations

import errno
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from huggingface_hub import constants, errors

from layerviz.errors import LayervizError, reason
from layerviz.progress import DOWNLOADING, OnProgress, Phase, Progress, ShouldStop, stop_if_asked

HUB_TIMEOUT = 6.0  # seconds, for each of the few addresses that the Hub's name resolves to


class DownloadBar:
    """Takes the place of a tqdm class in huggingface_hub: draws nothing, may end the download."""

    def __init__(
        self,
        total: int,
        on_progress: OnProgress,
        should_stop: ShouldStop,
        phase: Phase = DOWNLOADING,
    ) -> None:
        self.total, self.on_progress, self.should_stop = total, on_progress, should_stop
        self.phase = phase
        self.finished = self.of_this_file = 0

    def __call__(self, **_settings: Any) -> DownloadBar:
        return self

    def __enter__(self) -> DownloadBar:
        return self

    def __exit__(self, *raised: object) -> None:
        return None

    def update(self, n: int = 1) -> None:
        stop_if_asked(self.should_stop)
        self.of_this_file += n
        done = min(self.finished + self.of_this_file, self.total)
        self.on_progress(Progress(self.phase, done, self.total))

    def finish_file(self, size: int) -> None:
        """Count a file by its size, since one that was in the cache reported nothing."""
        self.finished, self.of_this_file = self.finished + size, 0
        self.update(0)


class _PlainDownloads:
    """How many downloads need the constants of plain HTTP, and what these were before."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running = 0
        self._before: tuple[bool, int] = constants.HF_HUB_DISABLE_XET, constants.DOWNLOAD_CHUNK_SIZE

    def begin(self) -> None:
        with self._lock:
            if self._running == 0:
                self._before = constants.HF_HUB_DISABLE_XET, constants.DOWNLOAD_CHUNK_SIZE
                constants.HF_HUB_DISABLE_XET, constants.DOWNLOAD_CHUNK_SIZE = True, 2**20
            self._running += 1

    def end(self) -> None:
        with self._lock:
            self._running -= 1
            if self._running == 0:
                constants.HF_HUB_DISABLE_XET, constants.DOWNLOAD_CHUNK_SIZE = self._before


_PLAIN = _PlainDownloads()


@contextmanager
def interruptible() -> Iterator[None]:
    """Download over plain HTTP in pieces of one MiB, since Xet's workers cannot be stopped.

    Several downloads may go on at once: the first changes the constants, which all share, and the
    last to end changes them back.
    """
    _PLAIN.begin()
    try:
        yield
    finally:
        _PLAIN.end()


@dataclass(frozen=True)
class Download:
    """What is fetched from the Hub, for the words of what may go wrong.

    Parameters
    ----------
    name : str
        As the user gave it.
    page : str
        Its path on huggingface.co: "datasets/owner/name".
    instead : str
        What needs no network: "choose a file".
    refused : type
        The error of what will not do, however often it is tried.
    failed : type
        The error of what did not work this time.
    meant : str
        A question whether another one was meant, for where there is none of this name.
    """

    name: str
    page: str
    instead: str
    refused: type[LayervizError]
    failed: type[LayervizError]
    meant: str = ""


@contextmanager
def hub_errors(wanted: Download) -> Iterator[None]:
    """Turn refusals of the Hub, the network or the disk into one sentence with its fix."""
    name = wanted.name
    try:
        yield
    except errors.GatedRepoError as error:
        raise wanted.failed(
            f"{name} is gated: its owner must grant you access.",
            f"Request access at huggingface.co/{wanted.page}, run `hf auth login`, and try again.",
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise wanted.refused(
            f"There is no {name} on the Hugging Face Hub, or it is private.",
            f"{wanted.meant} Check the spelling (owner/name); for a private one, run "
            "`hf auth login` first.".strip(),
        ) from error
    except (errors.OfflineModeIsEnabled, errors.LocalEntryNotFoundError) as error:
        raise _unreachable(wanted) from error
    except errors.HfHubHTTPError as error:
        raise wanted.failed(
            f"The Hugging Face Hub refused {name} with status {error.response.status_code}.",
            "Try again later; for 401 or 403, run `hf auth login` first.",
        ) from error
    except (errors.HTTPError, json.JSONDecodeError) as error:
        raise _unreachable(wanted) from error
    except OSError as error:
        full = error.errno == errno.ENOSPC
        raise wanted.failed(
            f"The disk is full: {name} could not be saved."
            if full
            else f"{name} could not be saved: {reason(error)}.",
            f"Free some space under {constants.HF_HUB_CACHE}, or point HF_HOME to another disk.",
        ) from error


def _unreachable(wanted: Download) -> LayervizError:
    offline = constants.HF_HUB_OFFLINE
    return wanted.failed(
        f"{wanted.name} is not on this disk, and the Hugging Face Hub cannot be reached"
        + (", because HF_HUB_OFFLINE is set." if offline else "."),
        ("Unset it" if offline else "Check the network") + f", or {wanted.instead}.",
    )
