"""`nucleate data`: find, download and look into data sets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np

    from nucleate.datasets.describe import Description

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)

_MOST_LISTED = 12
_QUANTILES = {"min": 0.0, "5 %": 0.05, "median": 0.5, "95 %": 0.95, "max": 1.0}

Name = Annotated[str, typer.Argument(help="A data set such as mp-20, one split of it such as mp-20:val, or a path.")]


@app.command("list")
def list_() -> None:
    """List the named data sets: sizes, licences, places."""
    from rich.console import Console
    from rich.padding import Padding
    from rich.table import Column, Table
    from rich.text import Text

    from nucleate.datasets.lookup import find_here
    from nucleate.datasets.registry import DATASETS, PROTOTYPES
    from nucleate.datasets.splits import SPLITS

    console = Console()
    for dataset in DATASETS.values():
        console.print(Text.assemble((dataset.name, "bold"), f"  {dataset.summary} ({dataset.licence})"))
        splits = Table.grid("split", Column(justify="right"), Column(overflow="fold"), padding=(0, 2))
        for split in SPLITS:
            here = find_here(dataset, split)
            where = Text(str(here.path)) if here else Text("downloaded when first used", style="dim")
            splits.add_row(split, f"{dataset.sizes[split]:,}", where)
        console.print(Padding(splits, (0, 0, 1, 4)))
    console.print(
        Text.assemble((PROTOTYPES, "bold"), "  Known structure types, elements replaced (made when asked for)")
    )


@app.command()
def fetch(name: Name) -> None:
    """Find or download a data set, check and prepare it.

    After that it loads in milliseconds.
    """
    from nucleate.datasets import DATASETS, load, parse_reference
    from nucleate.datasets.splits import SPLITS

    reference = parse_reference(name)
    splits = SPLITS if reference.name in DATASETS and reference.split is None else (reference.split,)
    for split in splits:
        crystals = load(reference.name, split, progress=True)
        failed = int((~crystals.built).sum())
        title = _title(reference.name, split, len(crystals))
        typer.echo(f"{title}, {len(crystals.numbers):,} atoms" + (f", {failed:,} could not be read" * bool(failed)))


@app.command()
def describe(
    name: Name,
    split: Annotated[
        str | None, typer.Option(help="train, val or test; by default train of a published data set, all of others.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Picture to draw, such as mp-20.png.")] = None,
) -> None:
    """Show what is in a data set or a structure file.

    Prints numbers, sizes, elements, space groups and failures, and draws a picture with --out.
    """
    from rich.console import Console

    from nucleate.datasets import DATASETS, load, parse_reference
    from nucleate.datasets.describe import describe as describe_crystals
    from nucleate.report.dataset import dataset_picture

    reference = parse_reference(name)
    split = split or reference.split or ("train" if reference.name in DATASETS else None)
    crystals = load(name, split, progress=True)
    description = describe_crystals(crystals)
    title = _title(reference.name, split, len(crystals))
    units = DATASETS[reference.name].units if reference.name in DATASETS else {}
    console = Console()
    for part in _parts(title, description, units):
        console.print(part)
    if out is not None:
        dataset_picture(
            out,
            title=title,
            with_element=description.with_element,
            atoms_per_cell=description.atoms_per_cell,
            volume_per_atom=description.volume_per_atom,
            elements_per_crystal=description.elements_per_crystal,
        )
        typer.echo(f"wrote {out}")


def _title(name: str, split: str | None, crystals: int) -> str:
    """Such as `mp-20:train: 26,963 of the official 27,136 crystals`."""
    from nucleate.datasets import DATASETS

    official = DATASETS[name].sizes[split] if name in DATASETS and split else crystals
    share = "" if official == crystals else f" of the official {official:,}"
    return f"{name}{f':{split}' if split else ''}: {crystals:,}{share} crystals"


def _parts(title: str, description: Description, units: Mapping[str, str]) -> Iterator[object]:
    """What `describe` prints, one after the other."""
    from rich.text import Text

    yield Text(title, style="bold")
    yield f"{description.atoms:,} atoms of {len(description.top_elements)} elements"
    if len(description.atoms_per_cell):
        yield _quantities(description, units)
        yield "elements: " + _most_common(description.top_elements, description.crystals)
    if description.space_groups is not None:
        yield "space groups: " + _most_common(description.space_groups.most_common(), description.crystals)
    if description.failures:
        yield "could not be read: " + _most_common(description.failures.most_common(), description.crystals)


def _quantities(description: Description, units: Mapping[str, str]) -> object:
    """A table with one row a quantity."""
    import numpy as np
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    rows: dict[str, np.ndarray] = {
        "atoms per cell": description.atoms_per_cell,
        "elements per crystal": description.elements_per_crystal,
        "volume per atom (Å³)": description.volume_per_atom,
    }
    rows |= {f"{letter} (Å)": column for letter, column in zip("abc", description.lengths.T, strict=True)}
    rows |= {f"{letter} (°)": column for letter, column in zip("αβγ", description.angles.T, strict=True)}
    for name, column in description.numeric.items():
        rows[f"{name} ({units[name]})" if units.get(name) else name] = column
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    for head in (*_QUANTILES, "blank"):
        table.add_column(head, justify="right")
    for name, column in rows.items():
        known = column[~np.isnan(column)]
        values = np.quantile(known, list(_QUANTILES.values())) if len(known) else []
        blank = len(column) - len(known)
        cells = [f"{value:.4g}" for value in values] or ["–"] * len(_QUANTILES)
        table.add_row(name, *cells, f"{blank:,}" if blank else "")
    return table


def _most_common(counts: list[tuple[str, int]], crystals: int) -> str:
    """Such as `O 507 (14.0 %), S 437 (12.1 %), and 74 more`."""
    listed = [f"{name} {count:,} ({100 * count / crystals:.1f} %)" for name, count in counts[:_MOST_LISTED]]
    rest = len(counts) - len(listed)
    return ", ".join(listed) + (f", and {rest} more" if rest else "")
