"""Bytes -> Dataset: read a table, guess its columns, split it, and note everything done to it."""

from layerviz.data.building import (
    LEAST_VAL_FRACTION,
    MOST_VAL_FRACTION,
    VAL_FRACTION,
    Dataset,
    build_dataset,
)
from layerviz.data.choices import GUESS, QUOTES, ReadingChoices
from layerviz.data.columns import (
    Columns,
    check_columns,
    gives_val,
    guess_columns,
    guess_text_column,
)
from layerviz.data.corpus import Corpus, read_corpus
from layerviz.data.file_format import Contents, FileFormat
from layerviz.data.formats import FORMATS, formats_in_words, formats_table, table_suffixes
from layerviz.data.naming import OWN_ID, example_name, example_names
from layerviz.data.reading import Table, read_table, sample_table

__all__ = [
    "FORMATS",
    "GUESS",
    "LEAST_VAL_FRACTION",
    "MOST_VAL_FRACTION",
    "OWN_ID",
    "QUOTES",
    "VAL_FRACTION",
    "Columns",
    "Contents",
    "Corpus",
    "Dataset",
    "FileFormat",
    "ReadingChoices",
    "Table",
    "build_dataset",
    "check_columns",
    "example_name",
    "example_names",
    "formats_in_words",
    "formats_table",
    "gives_val",
    "guess_columns",
    "guess_text_column",
    "read_corpus",
    "read_table",
    "sample_table",
    "table_suffixes",
]
