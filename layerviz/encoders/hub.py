"""Downloads from the Hugging Face Hub into its cache: progress, a way to stop, errors in words."""

from __future__ import annotations

import errno
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi, constants, errors, hf_hub_download

from layerviz.encoders.folders import check_files, is_wanted, read_config, reason
from layerviz.errors import DownloadError, EncoderError
from layerviz.progress import DOWNLOADING, OnProgress, Progress, ShouldStop, stop_if_asked

HUB_TIMEOUT = 6.0  # seconds, for each of the few addresses that the Hub's name resolves to


def download_encoder(name: str, on_progress: OnProgress, should_stop: ShouldStop) -> Path:
    """Download what is needed into the Hugging Face cache and return its folder there."""
    with _hub_errors(name), _interruptible():
        repository = HfApi().model_info(name, timeout=HUB_TIMEOUT, files_metadata=True)
        sizes = {file.rfilename: file.size or 0 for file in repository.siblings or []}
        check_files(name, sizes)
        in_one_file = "model.safetensors" in sizes
        wanted = [f for f in sizes if is_wanted(f) and not (in_one_file and f.startswith("model-"))]
        # config.json first, since it may rule the encoder out; weights last, so that a folder
        # that has them is complete.
        wanted.sort(key=lambda file: (file != "config.json", file.endswith(".safetensors"), file))
        bar = _DownloadBar(sum(sizes[file] for file in wanted), on_progress, should_stop)
        bar_factory: Any = bar  # called like the tqdm class that is expected
        for file in wanted:
            path = hf_hub_download(name, file, etag_timeout=HUB_TIMEOUT, tqdm_class=bar_factory)
            if file == "config.json":
                read_config(name, Path(path).parent)
            bar.finish_file(sizes[file])
    return Path(path).parent


class _DownloadBar:
    """Takes the place of a tqdm class in huggingface_hub: draws nothing, may end the download."""

    def __init__(self, total: int, on_progress: OnProgress, should_stop: ShouldStop) -> None:
        self.total, self.on_progress, self.should_stop = total, on_progress, should_stop
        self.finished = self.of_this_file = 0

    def __call__(self, **_settings: Any) -> _DownloadBar:
        return self

    def __enter__(self) -> _DownloadBar:
        return self

    def __exit__(self, *raised: object) -> None:
        return None

    def update(self, n: int = 1) -> None:
        stop_if_asked(self.should_stop)
        self.of_this_file += n
        done = min(self.finished + self.of_this_file, self.total)
        self.on_progress(Progress(DOWNLOADING, done, self.total))

    def finish_file(self, size: int) -> None:
        """Count a file by its size, since one that was in the cache reported nothing."""
        self.finished, self.of_this_file = self.finished + size, 0
        self.update(0)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Download over plain HTTP in pieces of one MiB, since Xet's workers cannot be stopped."""
    before = constants.HF_HUB_DISABLE_XET, constants.DOWNLOAD_CHUNK_SIZE
    constants.HF_HUB_DISABLE_XET, constants.DOWNLOAD_CHUNK_SIZE = True, 2**20
    try:
        yield
    finally:
        constants.HF_HUB_DISABLE_XET, constants.DOWNLOAD_CHUNK_SIZE = before


@contextmanager
def _hub_errors(name: str) -> Iterator[None]:
    """Turn refusals of the Hub, the network or the disk into one sentence with its fix."""
    try:
        yield
    except errors.GatedRepoError as error:
        raise DownloadError(
            f"{name} is gated: its owner must grant you access.",
            f"Request access at huggingface.co/{name}, run `hf auth login`, and try again.",
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise EncoderError(
            f"There is no {name} on the Hugging Face Hub, or it is private.",
            "Check the spelling (owner/name); for a private one, run `hf auth login` first.",
        ) from error
    except (errors.OfflineModeIsEnabled, errors.LocalEntryNotFoundError) as error:
        raise _unreachable(name) from error
    except errors.HfHubHTTPError as error:
        raise DownloadError(
            f"The Hugging Face Hub refused {name} with status {error.response.status_code}.",
            "Try again later; for 401 or 403, run `hf auth login` first.",
        ) from error
    except (errors.HTTPError, json.JSONDecodeError) as error:
        raise _unreachable(name) from error
    except OSError as error:
        full = error.errno == errno.ENOSPC
        raise DownloadError(
            f"The disk is full: {name} could not be saved."
            if full
            else f"{name} could not be saved: {reason(error)}.",
            f"Free some space under {constants.HF_HUB_CACHE}, or point HF_HOME to another disk.",
        ) from error


def _unreachable(name: str) -> DownloadError:
    offline = constants.HF_HUB_OFFLINE
    return DownloadError(
        f"{name} is not on this disk, and the Hugging Face Hub cannot be reached"
        + (", because HF_HUB_OFFLINE is set." if offline else "."),
        ("Unset it" if offline else "Check the network")
        + ", or choose an encoder from scratch, which needs no download.",
    )
