"""Results of a run as files of their own: pictures, animations, a page, tables, archives.

The registry of exports loads nothing heavy; what makes the files is imported from its module.
"""

from layerviz.export.entry import CellRequest, Export, ExportRequest, Need, Section
from layerviz.export.exports import (
    EXPORTS,
    expect_not_deleted,
    exports_table,
    write_export,
    write_to,
)

__all__ = [
    "EXPORTS",
    "CellRequest",
    "Export",
    "ExportRequest",
    "Need",
    "Section",
    "expect_not_deleted",
    "exports_table",
    "write_export",
    "write_to",
]
