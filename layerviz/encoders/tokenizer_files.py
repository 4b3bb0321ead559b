"""A tokenizer's files: which they are, and what ``tokenizer_config.json`` may say.

As with an encoder's config, what is not listed here does not reach transformers, and
``tests/test_config_keys.py`` walks the installed tokenizers for settings that no list names.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from layerviz.encoders.opening import library_errors, said
from layerviz.encoders.weight_files import check_inside, files_in
from layerviz.errors import EncoderError
from layerviz.wording import quote

SETTINGS_FILE = "tokenizer_config.json"
SPECIAL_FILE, ADDED_FILE = "special_tokens_map.json", "added_tokens.json"
_JSON_FILES = (SETTINGS_FILE, SPECIAL_FILE, ADDED_FILE)
MAIN_FILE = re.compile(r"tokenizer\.json|vocab\.(txt|json)|[\w.-]+\.(model|spm)")
EXTRA_FILE = re.compile(
    r"(tokenizer_config|special_tokens_map|added_tokens)\.json|merges\.txt|bpe\.codes"
)
# Of LUKE and RoCBert, read from a local folder only.
_RARE_FILE = re.compile(r"(entity_vocab|word_shape|word_pronunciation)\.json")
MOST_BYTES = 300_000_000  # of one file: those of the largest vocabularies have 40 MB
_MOST_ID = 5_000_000
_MOST_LETTERS = 100_000

_KEYS = """
add_bos_token add_eos_token add_prefix_space added_tokens_decoder additional_special_tokens backend
bos_token chain_break_token clean_text clean_up_tokenization_spaces
clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output cls_token do_basic_tokenize
do_lower_case do_lowercase do_lowercase_and_remove_accent do_subword_tokenize do_word_tokenize
entity_1_token entity_2_token entity_mask2_token entity_mask_token entity_pad_token entity_token_1
entity_token_2 entity_unk_token eos_token errors extra_ids extra_special_tokens id2lang keep_accents
lang2id legacy mask_token max_entity_length max_len max_length max_mention_length mecab_kwargs
model_input_names model_max_length model_specific_special_tokens never_split normalization pad_token
padding_side remove_space sep_token special_tokens_pattern split_by_punct split_special_tokens
stride strip_accents subword_tokenizer_type task token_type_ids_include_special_tokens
token_type_ids_pattern tokenize_chinese_chars tokenizer_class trim_offsets truncation_side
truncation_strategy unk_id unk_token word_tokenizer_type wordpieces_prefix
"""
KEYS = frozenset(_KEYS.split())
# What else some class takes: files, parts that are handed over in Python, and random choices.
_REFUSED = """
fast_tokenizer_files gguf_file init_inputs jumanpp_kwargs merges post_processor sp_model_kwargs
sudachi_kwargs tokenizer_object vocab entity_vocab
"""
REFUSED = frozenset(_REFUSED.split())
_WORDS = {
    "word_tokenizer_type": {"basic", "mecab"},
    "subword_tokenizer_type": {"wordpiece", "character", "sentencepiece"},
}
_MECAB = {"mecab_dic": {"ipadic", "unidic_lite", "unidic", None}}
# Of speech, tables, pages and translation: they take more settings than these.
_FOREIGN = """
ByT5Tokenizer CohereTokenizer DiaTokenizer FSMTTokenizer GPTNeoXJapaneseTokenizer LasrTokenizer
LayoutLMv2Tokenizer LayoutLMv3Tokenizer LayoutXLMTokenizer MBart50Tokenizer MBartTokenizer
MarkupLMTokenizer MistralCommonBackend MistralCommonTokenizer MyT5Tokenizer NllbTokenizer
PLBartTokenizer PegasusTokenizer RagTokenizer SeamlessM4TTokenizer TapasTokenizer UdopTokenizer
VitsTokenizer Wav2Vec2CTCTokenizer Wav2Vec2PhonemeCTCTokenizer WhisperTokenizer
"""
FOREIGN_CLASSES = frozenset(_FOREIGN.split())
_TOKEN_LISTS = ("additional_special_tokens", "extra_special_tokens")


def is_tokenizer_file(file: str) -> bool:
    """Tell by its name whether a file belongs to a tokenizer."""
    patterns = (MAIN_FILE, EXTRA_FILE, _RARE_FILE)
    return any(pattern.fullmatch(file) for pattern in patterns)


def tokenizer_files(name: str, folder: Path) -> list[Path]:
    """Return the files of a folder's tokenizer but for those that `tokenizer_jsons` reads.

    Raises
    ------
    EncoderError
        If one is a link out of the folder, no plain file, or too large.
    """
    files = [
        path
        for path in files_in(name, folder)
        if is_tokenizer_file(path.name) and path.name not in _JSON_FILES
    ]
    check_inside(name, folder, files)
    for file in files:
        if (size := file.stat().st_size) > MOST_BYTES:
            raise EncoderError(
                f"{file.name} of {name} has {size / 1e6:,.0f} MB, too many for a tokenizer.",
                "Save the tokenizer again, or choose another encoder.",
            )
    return files


def tokenizer_settings(name: str, folder: Path) -> dict[str, Any]:
    """Return what a folder's ``tokenizer_config.json`` says of its tokenizer, and nothing else.

    Raises
    ------
    EncoderError
        If it cannot be read, or asks for something that reads other files or runs other code.
    """
    return _read(name, folder, SETTINGS_FILE, _kept_settings) or {}


def tokenizer_jsons(name: str, folder: Path) -> dict[str, dict[str, Any]]:
    """Return by its name what each file of a tokenizer says that transformers takes settings from.

    That is ``tokenizer_config.json`` and the two that came before it: transformers passes on every
    key of a ``special_tokens_map.json``, so that it could name other files, or a repository.

    Raises
    ------
    EncoderError
        As `tokenizer_settings`.
    """
    readers = (_kept_settings, _kept_special_tokens, _kept_added_tokens)
    contents = {
        file: _read(name, folder, file, kept)
        for file, kept in zip(_JSON_FILES, readers, strict=True)
    }
    return {file: content for file, content in contents.items() if content is not None}


def check_class(name: str, kind: object) -> None:
    """Refuse a class of tokenizers that is none of texts alone, whichever file names it.

    Raises
    ------
    EncoderError
    """
    try:
        _check_class(kind)
    except ValueError as error:
        raise _unreadable(name, "config.json", error) from error


def _read(
    name: str, folder: Path, file_name: str, kept: Callable[[dict[str, Any]], dict[str, Any]]
) -> dict[str, Any] | None:
    """Return what is kept of a JSON file of a tokenizer; None if there is no such file."""
    file = folder / file_name
    if not file.is_symlink() and not file.exists():
        return None
    check_inside(name, folder, [file])
    with library_errors(partial(_unreadable, name, file_name)):
        if file.stat().st_size > MOST_BYTES:
            raise ValueError("it is too large")
        settings = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(settings, dict):
            raise ValueError("it holds no settings")
        return kept(settings)


def _unreadable(name: str, file_name: str, error: BaseException) -> EncoderError:
    return EncoderError(
        f"The tokenizer of {name} cannot be read: {file_name}: {said(error)}.",
        "Save the tokenizer again (tokenizer.save_pretrained), or choose another encoder.",
    )


def _kept_settings(settings: dict[str, Any]) -> dict[str, Any]:
    for key in REFUSED:
        if settings.get(key):
            raise ValueError(f"it sets {key}, which layerviz does not pass on")
    kept = {
        key: value
        for key, value in settings.items()
        if key in KEYS or (key.endswith("_token") and isinstance(value, str | dict))
    }
    _check_values(kept)
    return kept


def _kept_special_tokens(settings: dict[str, Any]) -> dict[str, Any]:
    """Return the tokens alone: whatever else it says, transformers would take for a setting."""
    kept = {
        key: value
        for key, value in settings.items()
        if (key.endswith("_token") and isinstance(value, str | dict))
        or (key in _TOKEN_LISTS and isinstance(value, list | dict))
    }
    _check_values(kept)
    return kept


def _kept_added_tokens(settings: dict[str, Any]) -> dict[str, Any]:
    for token, index in settings.items():
        if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index <= _MOST_ID:
            raise ValueError(f"it gives the token {quote(token)} the number {str(index)[:20]}")
    return settings


def tokenizer_limit(folder: Path) -> int:
    """Return the most tokens of a text that a folder's tokenizer gives; 0 without a limit.

    Read from its settings alone: the tokenizer itself takes a while to load.
    """
    try:
        limit = tokenizer_settings(folder.name, folder).get("model_max_length") or 0
    except EncoderError:
        return 0  # loading says what is wrong
    return int(limit) if 0 < limit < 1_000_000 else 0


def _check_values(settings: Mapping[str, Any]) -> None:
    """Raise a ValueError for values that no tokenizer has, or that would read or run something."""
    for key in ("model_max_length", "max_len", "max_length", "stride", "unk_id"):
        value = settings.get(key)
        if value is None:
            continue
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not math.isfinite(value)
        ):
            raise ValueError(f"{key} is no number")
        if value < 0:
            raise ValueError(f"{key} is negative")
    for key, allowed in _WORDS.items():
        if settings.get(key) not in (None, *allowed):
            raise ValueError(f"{key} is {quote(str(settings[key]))}, which layerviz does not know")
    for key, value in (settings.get("mecab_kwargs") or {}).items():
        if key not in _MECAB or value not in _MECAB[key]:
            raise ValueError(f"mecab_kwargs sets {str(key)[:40]}, which layerviz does not pass on")
    _check_class(settings.get("tokenizer_class"))
    for index in settings.get("added_tokens_decoder") or {}:
        if not 0 <= int(index) <= _MOST_ID:
            raise ValueError(f"it adds a token with the number {str(index)[:20]}")
    if any(isinstance(value, str) and len(value) > _MOST_LETTERS for value in settings.values()):
        raise ValueError("a setting is too long")


def _check_class(kind: object) -> None:
    """Raise a ValueError for what is no class of tokenizers that layerviz uses."""
    if kind is not None and (
        not isinstance(kind, str) or kind.removesuffix("Fast") in FOREIGN_CLASSES
    ):
        raise ValueError(f"{quote(str(kind))} is no tokenizer that layerviz uses")
