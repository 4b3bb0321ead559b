"""Downloads of encoders from the Hugging Face Hub into its cache."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from huggingface_hub import HfApi, hf_hub_download

from layerviz.encoders.configs import read_config
from layerviz.encoders.describing import alike
from layerviz.encoders.folders import check_files, is_wanted
from layerviz.encoders.tokenizer_files import is_tokenizer_file, tokenizer_jsons
from layerviz.encoders.weight_files import ENDING, INDEX, WHOLE, missing_parts, parts_of_index
from layerviz.errors import DownloadError, EncoderError
from layerviz.hub import HUB_TIMEOUT, Download, DownloadBar, hub_errors, interruptible
from layerviz.progress import OnProgress, ShouldStop


def download_encoder(name: str, on_progress: OnProgress, should_stop: ShouldStop) -> Path:
    """Download what is needed into the Hugging Face cache and return its folder there."""
    starter, hub_id = alike(name)
    meant = f"Did you mean {hub_id}, or {starter}, which comes with layerviz?" if hub_id else ""
    instead = f"choose {starter}, which comes with layerviz"
    wanted = Download(name, name, instead, EncoderError, DownloadError, meant)
    with hub_errors(wanted), interruptible():
        repository = HfApi().model_info(name, timeout=HUB_TIMEOUT, files_metadata=True)
        sizes = {file.rfilename: file.size or 0 for file in repository.siblings or []}
        check_files(name, sizes)
        in_one_file = WHOLE in sizes
        # config.json first, since it may rule the encoder out; weights last, so that a folder
        # that has them is complete.
        files = [file for file in sizes if is_wanted(file) and not file.endswith(ENDING)]
        files.sort(key=lambda file: (file != "config.json", file))
        # The index says which files are parts; until it is there, those that may be are counted.
        parts = [WHOLE] if in_one_file else [file for file in sizes if _may_be_part(file)]
        bar = DownloadBar(sum(sizes[file] for file in (*files, *parts)), on_progress, should_stop)
        bar_factory: Any = bar  # called like the tqdm class that is expected

        def fetch(file: str) -> Path:
            path = hf_hub_download(name, file, etag_timeout=HUB_TIMEOUT, tqdm_class=bar_factory)
            return Path(path).parent

        for file in files:
            folder = fetch(file)
            if file == "config.json":
                read_config(name, folder)
            elif file.endswith(".json") and is_tokenizer_file(file):
                tokenizer_jsons(name, folder)
            bar.finish_file(sizes[file])
        if not in_one_file:
            parts = parts_of_index(name, folder / INDEX)
            if missing := [part for part in parts if part not in sizes]:
                raise missing_parts(name, missing)
            bar.total = sum(sizes[file] for file in (*files, *parts))
        for part in parts:
            folder = fetch(part)
            bar.finish_file(sizes[part])
    return folder


def _may_be_part(file: str) -> bool:
    return "/" not in file and file.endswith(ENDING)
