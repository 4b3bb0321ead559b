"""`LayervizCallback`: a run of one's own training, made by one's own Trainer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerviz.api.opened_run import OpenedRun
from layerviz.api.options import given_files, parsed_options
from layerviz.commands.command_line import COMMANDS
from layerviz.commands.inputs import read_dataset, runs_root
from layerviz.commands.setting_arguments import run_config
from layerviz.errors import ConfigError, RunError
from layerviz.runs import open_folder
from layerviz.training.own_trainer import LookingCallback
from layerviz.wording import quote

if TYPE_CHECKING:
    import pandas as pd


CALLED = {"data": "train"}  # what the commands call data


class LayervizCallback(LookingCallback):
    """Captures every layer while your own ``transformers.Trainer`` trains, and changes nothing.

    The run that it makes opens on the page like any other. Weights, and all that the Trainer does,
    are bit for bit what they are without it. Where looking fails, that is said on stderr, and
    training goes on.

    Parameters
    ----------
    train, val, test : str, Path, DataFrame or Dataset of ``datasets``
        Texts and labels that are captured and measured, as they were before they were tokenised:
        train for the probes, val for all scores. A label is a name of the model's ``id2label``, or
        its number.
    every_steps : int, optional
        Capture after so many optimizer steps; by default at the end of each epoch.
    tokenizer : PreTrainedTokenizerBase, optional
        By default the Trainer's ``processing_class``.
    **options
        Those of ``python -m layerviz probe --help``, with underscores: ``max_length=128``,
        ``max_captured=500``, ``text_column="tweet"``, ``runs="my-runs"``.

    Raises
    ------
    LayervizError
        If there is no such option, or the data cannot be used.
    """

    def __init__(
        self,
        train: str | Path | pd.DataFrame,
        val: str | Path | pd.DataFrame,
        test: str | Path | pd.DataFrame | None = None,
        *,
        every_steps: int | None = None,
        tokenizer: Any = None,
        **options: Any,
    ) -> None:
        if every_steps is not None and (not isinstance(every_steps, int) or every_steps < 1):
            raise ConfigError(f"every_steps is {quote(every_steps)}.", "Give 1 or more.")
        for decided in ("encoder", "checkpoints", "keep_layers", "keep_head"):
            if decided in options:
                raise ConfigError(f"The Trainer decides on {decided}.", f"Leave {decided} out.")
        given = {"data": train, "val": val, "test": test}
        parsed, files = parsed_options(COMMANDS["probe"], given, options, CALLED)
        super().__init__(
            read_dataset(parsed, given_files(parsed, files, CALLED)),
            run_config(parsed, parsed.encoder, parsed.seed),
            runs_root(parsed),
            every_steps=every_steps,
            tokenizer=tokenizer,
        )

    @property
    def run(self) -> OpenedRun:
        """The newest run that it made.

        Raises
        ------
        RunError
            If there is none yet.
        """
        if self.path is None:
            raise RunError("Nothing has been captured yet.", "Call trainer.train() first.")
        return OpenedRun(open_folder(self.path))
