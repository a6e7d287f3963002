"""Several drawings in one place, of which the reader chooses one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple


class Choice(NamedTuple):
    """What can be chosen.

    Attributes:
        label: of the menu.
        options: text by key.
    """

    label: str
    options: Mapping[str, str]


def switch(choices: Sequence[Choice], drawings: Mapping[tuple[str, ...], str]) -> str:
    """Menus above drawings; without scripts the first drawing is there.

    Args:
        choices: one menu each.
        drawings: by the keys of the options, one a menu. A combination without a drawing says so.
    """
    menus = "".join(
        f'<label>{escape(choice.label)} <select autocomplete="off">'
        + "".join(f'<option value="{escape(key)}">{escape(words)}</option>' for key, words in choice.options.items())
        + "</select></label>"
        for choice in choices
    )
    first = next(iter(drawings))
    shown = "".join(
        f'<div data-key="{escape("|".join(key))}"{"" if key == first else " hidden"}>{drawing}</div>'
        for key, drawing in drawings.items()
    )
    return (
        f'<div class="switch"><div class="controls">{menus}</div>{shown}'
        '<p class="none" hidden>There are no numbers for this choice.</p></div>'
    )
