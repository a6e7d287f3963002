"""Pictures, curves, and one HTML page."""

from nucleate.report.cells import contact_sheet, draw_cell
from nucleate.report.curves import training_curves
from nucleate.report.gallery import Gallery
from nucleate.report.page import write_page
from nucleate.report.sections import KeyNumbers, Picture, Section, Table

__all__ = [
    "Gallery",
    "KeyNumbers",
    "Picture",
    "Section",
    "Table",
    "contact_sheet",
    "draw_cell",
    "training_curves",
    "write_page",
]
