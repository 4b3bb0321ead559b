"""A fine-tuned model to the Hugging Face Hub, with a card and a heat map; texts only if asked."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import (
    CommitOperationAdd,
    CommitOperationDelete,
    HfApi,
    constants,
    errors,
    get_token,
)
from huggingface_hub.utils import HFValidationError, disable_progress_bars, validate_repo_id

from layerviz import hub, runs, separability
from layerviz.disks import temporary_folder
from layerviz.errors import ConfigError, LayervizError, RunError, reason
from layerviz.export.pictures import picture
from layerviz.export.run_card import HEAT_MAP, WHOLE_RUN, run_card
from layerviz.export.run_charts import heat_map_chart
from layerviz.export.zip_writing import files_of, zip_run
from layerviz.progress import (
    MEGABYTE,
    OnProgress,
    Phase,
    Progress,
    ShouldStop,
    ignore,
    never,
    stop_if_asked,
)
from layerviz.runs import Run
from layerviz.runs.layout import MODEL
from layerviz.separability import AnswerSheet
from layerviz.wording import quote

log = logging.getLogger(__name__)

UPLOADING = Phase("uploading", "uploading: {done} of {total} MB", "MB", MEGABYTE)
CARD = "README.md"


@dataclass(frozen=True)
class Pushed:
    """What became of a push.

    Parameters
    ----------
    address : str
        Of the repository, for a browser.
    commit : str
        Of what was pushed; the one before where nothing has changed.
    is_private : bool
        Whether the repository is: one that was there before stays as it was.
    """

    address: str
    commit: str
    is_private: bool


def push_run(
    run: Run,
    repo: str,
    *,
    private: bool = True,
    with_run: bool = False,
    on_progress: OnProgress = ignore,
    should_stop: ShouldStop = never,
) -> Pushed:
    """Push the model of a run to the Hub, in one commit, and make the repository if there is none.

    Parameters
    ----------
    run : Run
        One that has ended and holds a model.
    repo : str
        ``owner/name``, or a name among one's own.
    private : bool
        Whether a new repository is private.
    with_run : bool
        Whether the whole run goes with it, texts included; nothing else holds texts of the data.
    on_progress : callable
        Called with a `Progress` that counts bytes.
    should_stop : callable
        Asked between files; nothing is to be seen on the Hub before the last one is there.

    Returns
    -------
    Pushed

    Raises
    ------
    ConfigError
        If the name is none that the Hub takes, or nobody is signed in; or if texts that are to
        stay private would go to a repository that is public already.
    RunError
        If the run is going on or holds no model, or the Hub or the network refuses.
    Cancelled
        If `should_stop` answered true.
    """
    check_repo(repo)
    if run.live:
        raise RunError("This run is still in progress.", "Wait until it has ended.")
    model = {
        name.removeprefix(f"{MODEL}/"): path
        for name, path in files_of(run).items()
        if name.startswith(f"{MODEL}/")
    }
    if not model:
        raise RunError("This run holds no model.", "Push a run whose training has ended.")
    if constants.HF_HUB_OFFLINE:
        raise RunError("The Hub cannot be reached, because HF_HUB_OFFLINE is set.", "Unset it.")
    if get_token() is None:
        raise ConfigError(
            "You are not signed in to the Hugging Face Hub.",
            "Run `hf auth login` with a token that may write, then try again.",
        )
    sheet = separability.current_sheet(run) if runs.measured_snapshots(run) else None
    with _push_errors(repo), temporary_folder() as scratch, hub.interruptible():
        disable_progress_bars()  # layerviz draws its own
        api = HfApi()
        made = api.create_repo(repo, private=private, exist_ok=True)
        full_name = made.repo_id
        there = api.model_info(full_name)
        is_private = bool(there.private)
        if with_run and private and not is_private:
            raise ConfigError(
                f"{quote(full_name)} is public, and the whole run contains your texts.",
                "Name another repository, leave the run out, or say that it may be public.",
            )
        extra = _beside(run, sheet, full_name, scratch, with_run=with_run)
        files = {**model, **extra}
        additions = [CommitOperationAdd(name, path) for name, path in files.items()]
        # Of an earlier push: other weights, or texts that are not to be there any more.
        former = [one.rfilename for one in there.siblings or () if one.rfilename not in files]
        deletions = [CommitOperationDelete(name) for name in former if _is_of_push(name)]
        _upload(api, full_name, additions, on_progress, should_stop)
        commit = api.create_commit(
            full_name,
            [*additions, *deletions],
            commit_message=f"{run.encoder['label']}, run {run.run_id}",
        )
    return Pushed(str(made), commit.oid, is_private)


def _is_of_push(name: str) -> bool:
    """Return whether a file of a repository is one that pushes make."""
    return name in (HEAT_MAP, WHOLE_RUN) or ("/" not in name and name.endswith(".safetensors"))


def check_repo(repo: str) -> None:
    """Raise a ConfigError unless a repository can have this name."""
    try:
        validate_repo_id(repo)
    except HFValidationError as error:
        raise ConfigError(
            f"{quote(repo)} is no name for a repository on the Hub.",
            "Give owner/name, with letters, digits, -, _ and . in it.",
        ) from error


def _beside(
    run: Run, sheet: AnswerSheet | None, repo: str, scratch: Path, *, with_run: bool
) -> dict[str, Path]:
    """Make what goes with the model, and return it by its name in the repository."""
    card, heat_map = scratch / CARD, scratch / "heat-map.png"
    card.write_text(run_card(run, sheet, repo, with_run=with_run), encoding="utf-8")
    files = {CARD: card}
    if sheet is not None:
        best = sheet.answer.best
        chart = heat_map_chart(run, pooling=best.pooling, answer=sheet.answer)
        heat_map.write_bytes(picture(chart, "png"))
        files[HEAT_MAP] = heat_map
    if with_run:
        whole = scratch / "run.zip"
        with whole.open("wb") as stream:
            zip_run(run, stream)
        files[WHOLE_RUN] = whole
    return files


def _upload(
    api: HfApi,
    repo: str,
    additions: Sequence[CommitOperationAdd],
    on_progress: OnProgress,
    should_stop: ShouldStop,
) -> None:
    """Upload files one by one; those that are small go with the commit."""
    total = sum(one.upload_info.size for one in additions)
    done = 0
    for one in additions:
        stop_if_asked(should_stop)
        on_progress(Progress(UPLOADING, done, total))
        # Kept in memory until the commit else, though the files are on the disk.
        api.preupload_lfs_files(repo, [one], free_memory=False)
        done += one.upload_info.size
    stop_if_asked(should_stop)
    on_progress(Progress(UPLOADING, total, total))


@contextmanager
def _push_errors(repo: str) -> Iterator[None]:
    """Turn refusals of the Hub or the network into one sentence with its fix."""
    try:
        yield
    except LayervizError:
        raise
    except errors.HfHubHTTPError as error:
        status = error.response.status_code
        if status == 401:
            raise ConfigError(
                "The Hugging Face Hub does not know your token.",
                "Run `hf auth login` with one that may write, then try again.",
            ) from error
        if status == 403:
            raise ConfigError(
                f"Your token may not write to {quote(repo)}.",
                "Give a repository of your own, or run `hf auth login` with a token that may.",
            ) from error
        raise RunError(
            f"The Hugging Face Hub refused {quote(repo)} with status {status}.", "Try again later."
        ) from error
    except errors.HTTPError as error:
        raise RunError(
            "The Hugging Face Hub cannot be reached.",
            "Check the network, then try again: what was uploaded is not sent twice.",
        ) from error
    except (OSError, ValueError) as error:
        log.info("pushing to %s failed", repo, exc_info=True)
        raise RunError(
            f"{quote(repo)} could not be pushed: {reason(error)}.", "Try again later."
        ) from error
