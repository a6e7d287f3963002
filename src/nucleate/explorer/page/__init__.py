"""The map as one HTML file that opens offline."""

from __future__ import annotations

import gzip
from base64 import b64encode
from pathlib import Path
from typing import Any

from nucleate.explorer.atlas import Atlas
from nucleate.explorer.page.html import page_html
from nucleate.explorer.page.payload import Payload
from nucleate.files.atomic import replacing

_ALIGNMENT = 8  # bytes; the page reads the sections in place


def write_page(atlas: Atlas, path: Path) -> None:
    """Writes a page that any browser opens without a network.

    Args:
        atlas: what to show.
        path: where to write.

    Raises:
        UserError: the page cannot be written.
    """
    payload = Payload.of(atlas)
    header, data = _packed(payload)
    with replacing(path) as temporary:
        temporary.write_text(page_html(header, data), encoding="utf-8")


def _packed(payload: Payload) -> tuple[dict[str, Any], str]:
    """The header with the places of all sections, and these as compressed text."""
    places, chunks, offset = {}, [], 0
    for name, values in payload.sections():
        places[name] = [offset, values.nbytes, values.dtype.str[1:]]
        padding = -values.nbytes % _ALIGNMENT
        chunks += [values.tobytes(), bytes(padding)]
        offset += values.nbytes + padding
    packed = gzip.compress(b"".join(chunks), compresslevel=6, mtime=0)
    return {**payload.header, "sections": places}, b64encode(packed).decode()
