"""CSV bytes -> Dataset: read a table, guess its columns, split it, say what was done on the way."""

from layerviz.data.building import MIN_EXAMPLES, MIN_VAL, Dataset, build_dataset
from layerviz.data.columns import (
    SPLIT_WORDS,
    Columns,
    check_columns,
    guess_columns,
    guess_text_column,
)
from layerviz.data.corpus import Corpus, read_corpus
from layerviz.data.reading import (
    DELIMITERS,
    ENCODINGS,
    SAMPLE_BYTES,
    SAMPLE_ROWS,
    Table,
    read_table,
    sample_table,
)

__all__ = [
    "DELIMITERS",
    "ENCODINGS",
    "MIN_EXAMPLES",
    "MIN_VAL",
    "SAMPLE_BYTES",
    "SAMPLE_ROWS",
    "SPLIT_WORDS",
    "Columns",
    "Corpus",
    "Dataset",
    "Table",
    "build_dataset",
    "check_columns",
    "guess_columns",
    "guess_text_column",
    "read_corpus",
    "read_table",
    "sample_table",
]
