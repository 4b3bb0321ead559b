"""Bytes -> Dataset: read a table, guess its columns, split it, and note everything done to it."""

from typing import TYPE_CHECKING

from layerviz.lazily import lazy_names

if TYPE_CHECKING:
    from layerviz.data.building import (
        LEAST_VAL_FRACTION,
        MOST_VAL_FRACTION,
        VAL_FRACTION,
        build_dataset,
    )
    from layerviz.data.choices import (
        DELIMITERS,
        GUESS,
        GUESSED,
        QUOTES,
        Doubt,
        ReadingChoices,
        reading_choices,
        reading_of,
    )
    from layerviz.data.columns import Columns, check_columns, expect_columns
    from layerviz.data.corpus import Corpus, read_corpus
    from layerviz.data.correcting import CorrectedFile, correct_file
    from layerviz.data.corrections import Corrections, label_edits
    from layerviz.data.dataset import Dataset
    from layerviz.data.encodings import ENCODINGS, encoding_name
    from layerviz.data.file_format import Contents, FileFormat
    from layerviz.data.formats import FORMATS, formats_in_words, formats_table, table_suffixes
    from layerviz.data.further import (
        EXAMPLE_COLUMNS,
        MOST_COLUMNS,
        FurtherColumn,
        further_columns,
        further_names,
        lacking_columns,
        moment_in_words,
        names_beside,
        numbers_on_scale,
    )
    from layerviz.data.guessing import (
        Suggestion,
        are_ids,
        guess_columns,
        guess_text_column,
        match_columns,
        suggest_columns,
    )
    from layerviz.data.hub_data import HubName, download_dataset, is_hub_name, parse_hub_name
    from layerviz.data.labels import missing_words
    from layerviz.data.likeness import look_alikes
    from layerviz.data.naming import HUB_PREFIX, OWN_ID, example_name, example_names, file_row
    from layerviz.data.questions import RowQuestions, row_questions
    from layerviz.data.reading import Table, read_table, sample_content, sample_table
    from layerviz.data.repeats import few_texts
    from layerviz.data.row_choices import NOTHING_CHOSEN, RowChoices
    from layerviz.data.rows import columns_of_file, columns_of_files
    from layerviz.data.saved_folders import pack_folder
    from layerviz.data.splits import (
        MEANINGS,
        MOST_WORDS,
        SPLIT_WORDS,
        SplitWord,
        meanings_of,
        split_word_key,
    )
else:
    __getattr__, __dir__ = lazy_names(__name__)

__all__ = [
    "DELIMITERS",
    "ENCODINGS",
    "EXAMPLE_COLUMNS",
    "FORMATS",
    "GUESS",
    "GUESSED",
    "HUB_PREFIX",
    "LEAST_VAL_FRACTION",
    "MEANINGS",
    "MOST_COLUMNS",
    "MOST_VAL_FRACTION",
    "MOST_WORDS",
    "NOTHING_CHOSEN",
    "OWN_ID",
    "QUOTES",
    "SPLIT_WORDS",
    "VAL_FRACTION",
    "Columns",
    "Contents",
    "Corpus",
    "CorrectedFile",
    "Corrections",
    "Dataset",
    "Doubt",
    "FileFormat",
    "FurtherColumn",
    "HubName",
    "ReadingChoices",
    "RowChoices",
    "RowQuestions",
    "SplitWord",
    "Suggestion",
    "Table",
    "are_ids",
    "build_dataset",
    "check_columns",
    "columns_of_file",
    "columns_of_files",
    "correct_file",
    "download_dataset",
    "encoding_name",
    "example_name",
    "example_names",
    "expect_columns",
    "few_texts",
    "file_row",
    "formats_in_words",
    "formats_table",
    "further_columns",
    "further_names",
    "guess_columns",
    "guess_text_column",
    "is_hub_name",
    "label_edits",
    "lacking_columns",
    "look_alikes",
    "match_columns",
    "meanings_of",
    "missing_words",
    "moment_in_words",
    "names_beside",
    "numbers_on_scale",
    "pack_folder",
    "parse_hub_name",
    "read_corpus",
    "read_table",
    "reading_choices",
    "reading_of",
    "row_questions",
    "sample_content",
    "sample_table",
    "split_word_key",
    "suggest_columns",
    "table_suffixes",
]
