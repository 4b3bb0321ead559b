"""Whether an encoder's files hold together, found out before a run begins.

Nothing here draws a random number: another thread may be training.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from layerviz.encoders.configs import read_config
from layerviz.encoders.describing import describe, locate, refuse_misspelt, version
from layerviz.encoders.folders import check_all_read, check_body, check_fit, read_tokenizer
from layerviz.encoders.info import EncoderInfo, fit_inputs, max_positions
from layerviz.encoders.opening import library_errors, open_model, said
from layerviz.encoders.weight_files import check_numbers, check_weight_files
from layerviz.errors import EncoderError

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

# A long and a short one, so that there is padding, with signs that few vocabularies hold.
_TEXTS = ("It took a while, but ☃ 你好 Ñandú 😀 and 12,5 % are fine \u200b\u0301.", "a")
_MOST_TOKENS = 16  # of a text that is tried
_TOKENS_PER_SIGN = 50  # no tokenizer gives more


def expect_on_disk(name: str) -> EncoderInfo:
    """Return what is known of an encoder that is on this disk, or may come from the Hub.

    Raises
    ------
    EncoderError
        If a starter or a local folder is incomplete or damaged, or this is almost the name of a
        starter.
    """
    info = describe(name)
    if info.source == "hub" and not info.on_disk:
        refuse_misspelt(name)
    if info.source != "hub" and not info.on_disk:
        raise EncoderError(info.note)
    if info.source == "local" and (refusal := _refusal(name, version(name))) is not None:
        raise EncoderError(*refusal)
    return info


@lru_cache(maxsize=64)
def _refusal(name: str, state: str) -> tuple[str, str] | None:
    """Return message and hint of why a folder cannot be used in the state that it is in, or None.

    Weights are read once for each state: gigabytes take seconds.
    """
    del state  # part of the key alone
    try:
        _check_folder_throughout(name)
    except EncoderError as error:
        return error.message, error.hint
    return None


def _check_folder_throughout(name: str) -> None:
    import transformers

    _, folder = locate(name)
    if folder is None:
        return
    config = read_config(name, folder)
    tokenizer = read_tokenizer(name, folder)
    check_fit(name, tokenizer, config, max_length=0)
    auto = transformers.AutoModelForSequenceClassification
    model, loading_info = open_model(auto, name, folder, config, outline=True)
    check_body(name, model, loading_info)
    check_all_read(name, loading_info)
    check_numbers(name, check_weight_files(name, folder))
    fit_inputs(model, tokenizer)
    check_tokens(name, tokenizer, config)


def check_tokens(
    name: str, tokenizer: PreTrainedTokenizerBase, config: PreTrainedConfig
) -> dict[str, torch.Tensor]:
    """Return two short texts as the tokenizer encodes them, for whoever tries them further.

    Raises
    ------
    EncoderError
        If it cannot encode and pad them, or gives ids for which the encoder has no vectors.
    """

    def as_error(error: BaseException) -> EncoderError:
        return _no_tokens(name, f"cannot encode texts: {said(error)}")

    most = min(_MOST_TOKENS, max_positions(config, tokenizer) or _MOST_TOKENS)
    with library_errors(as_error):
        if tokenizer.pad_token is None or tokenizer.pad_token_id is None:
            raise _no_tokens(name, "has no token to pad short texts with")
        batch: Any = tokenizer(
            list(_TEXTS), padding=True, truncation=True, max_length=most, return_tensors="pt"
        )
        pair = tokenizer(_TEXTS[1], _TEXTS[1])
        ids = batch["input_ids"]
        lengths = [len(one) for one in tokenizer(list(_TEXTS), verbose=False)["input_ids"]]
        highest = max(int(ids.max()), *tokenizer.get_vocab().values())
        if max(lengths) > _TOKENS_PER_SIGN * len(_TEXTS[0]):
            raise _no_tokens(name, f"makes {max(lengths):,} tokens of {len(_TEXTS[0])} signs")
        if ids.shape[1] != min(most, max(lengths)) or not all(lengths):
            raise _no_tokens(name, "does not cut texts to a length, or gives none of their tokens")
        if int(ids.min()) < 0 or highest >= config.vocab_size:
            raise _no_tokens(
                name, f"gives tokens up to number {highest:,}, of {config.vocab_size:,} that it has"
            )
        types = getattr(config, "type_vocab_size", None)
        if types and max(pair.get("token_type_ids", [0])) >= types > 1:
            raise _no_tokens(name, f"tells more than the {types} kinds of texts apart that it has")
    return dict(batch)


def check_states(name: str, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
    """Refuse an encoder that gives no hidden states for two short texts, or none that are numbers.

    Parameters
    ----------
    name : str
        For messages.
    model : PreTrainedModel
        A classifier in evaluation mode, on the CPU.
    tokenizer : PreTrainedTokenizerBase

    Raises
    ------
    EncoderError
    """

    import torch

    def as_error(error: BaseException) -> EncoderError:
        return EncoderError(
            f"{name} cannot read texts: {said(error)}.",
            "Download its files again, or choose another encoder.",
        )

    batch = check_tokens(name, tokenizer, model.config)
    with library_errors(as_error), torch.no_grad():
        output = model(**batch, output_hidden_states=True)
        states = output.hidden_states
        if len(states) != model.config.num_hidden_layers + 1:
            raise ValueError(f"it gives {len(states)} states for its layers and its embeddings")
        for layer, state in enumerate([*states, output.logits]):
            if not bool(state.isfinite().all()):
                raise ValueError(f"what layer {layer} computes is infinite or no number")


def _no_tokens(name: str, why: str) -> EncoderError:
    return EncoderError(
        f"The tokenizer of {name} {why}.",
        "Save the tokenizer that it was trained with next to it.",
    )
