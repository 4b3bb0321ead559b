"""Encoders with their tokenizers; the only place that calls ``from_pretrained``.

They are bundled, built from scratch, downloaded from the Hub or read from a local folder.
"""

from typing import TYPE_CHECKING

from layerviz.lazily import lazy_names

if TYPE_CHECKING:
    from layerviz.encoders.depth import check_layers, example_batch, freeze_layers, kept_label
    from layerviz.encoders.describing import (
        catalogue,
        describe,
        label_of,
        most_tokens,
        version,
    )
    from layerviz.encoders.families import family_names, tiny_checkpoint
    from layerviz.encoders.folders import check_foreign_model
    from layerviz.encoders.heads import class_columns, in_order
    from layerviz.encoders.info import (
        EncoderInfo,
        EncoderSize,
        LoadedEncoder,
        count_parameters,
        default_epochs,
        default_learning_rate,
        family_label,
        lower_learning_rate,
        max_positions,
        suitable_settings,
    )
    from layerviz.encoders.loading import load, load_tokenizer, load_trained
    from layerviz.encoders.masked import (
        MaskedLM,
        continued_masked_lm,
        load_body,
        new_masked_lm,
        save_masked_lm,
        save_random_twin,
        weights_digest,
    )
    from layerviz.encoders.outline import starter_tokenizer
    from layerviz.encoders.scratch import (
        MOST_TOKENIZER_CHARACTERS,
        MOST_TOKENIZER_TEXTS,
        SCRATCH_SIZES,
        build_scratch,
    )
    from layerviz.encoders.silencing import quiet
    from layerviz.encoders.truncating import (
        body_of,
        can_shorten,
        check_can_shorten,
        put_probe_in_head,
        save_model_and_tokenizer,
    )
    from layerviz.encoders.trying import expect_on_disk
    from layerviz.starters import STARTERS
else:
    __getattr__, __dir__ = lazy_names(__name__)

__all__ = [
    "MOST_TOKENIZER_CHARACTERS",
    "MOST_TOKENIZER_TEXTS",
    "SCRATCH_SIZES",
    "STARTERS",
    "EncoderInfo",
    "EncoderSize",
    "LoadedEncoder",
    "MaskedLM",
    "body_of",
    "build_scratch",
    "can_shorten",
    "catalogue",
    "check_can_shorten",
    "check_foreign_model",
    "check_layers",
    "class_columns",
    "continued_masked_lm",
    "count_parameters",
    "default_epochs",
    "default_learning_rate",
    "describe",
    "example_batch",
    "expect_on_disk",
    "family_label",
    "family_names",
    "freeze_layers",
    "in_order",
    "kept_label",
    "label_of",
    "load",
    "load_body",
    "load_tokenizer",
    "load_trained",
    "lower_learning_rate",
    "max_positions",
    "most_tokens",
    "new_masked_lm",
    "put_probe_in_head",
    "quiet",
    "save_masked_lm",
    "save_model_and_tokenizer",
    "save_random_twin",
    "starter_tokenizer",
    "suitable_settings",
    "tiny_checkpoint",
    "version",
    "weights_digest",
]
