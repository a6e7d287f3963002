"""Data inside HTML."""

from __future__ import annotations

import json
from typing import Any


def json_for_html(value: Any) -> str:
    """Writes JSON that can stand inside a script element: no text in it can close the element or open another."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
