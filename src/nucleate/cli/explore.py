"""`nucleate explore`: a map of crystals as one page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nucleate.cli._names import named

if TYPE_CHECKING:
    from nucleate.explorer.atlas import Atlas
    from nucleate.explorer.mapping import Source

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)

PORT = 8000

Samples = Annotated[
    list[str],
    typer.Argument(
        help="Structure files, or folders or zips of them, or data sets such as mp-20:val; NAME=FILE names one."
    ),
]
Reference = Annotated[
    str | None,
    typer.Option(help="Where the nearest crystals are: a data set (mp-20 is its training split), or a path."),
]


@app.command()
def explore(
    samples: Samples,
    reference: Reference = None,
    out: Annotated[Path | None, typer.Option(help="The page, one HTML file.")] = None,
    embedding: Annotated[str, typer.Option(help="chgnet, fingerprint, soap or jmp.")] = "chgnet",
    projection: Annotated[str, typer.Option(help="umap, pca or tsne.")] = "umap",
    per_source: Annotated[int, typer.Option("-n", "--per-source", help="Crystals drawn from each, at most.")] = 5000,
    no_reference_points: Annotated[
        bool, typer.Option("--no-reference-points", help="Leave crystals of the reference off the map.")
    ] = False,
    title: Annotated[str | None, typer.Option(help="Of the page.")] = None,
    jmp_code: Annotated[
        Path | None, typer.Option(envvar="NUCLEATE_JMP_CODE", help="For jmp: a clone of facebookresearch/JMP.")
    ] = None,
    jmp_checkpoint: Annotated[
        Path | None, typer.Option(envvar="NUCLEATE_JMP_CHECKPOINT", help="For jmp: the file of its weights.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the draw and of the projection.")] = 42,
    jobs: Annotated[int | None, typer.Option(help="Processes; all cores by default.")] = None,
    serve: Annotated[bool, typer.Option("--serve", help="Show the map at a local address.")] = False,
    port: Annotated[int, typer.Option(help="Of that address.")] = PORT,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a page that exists.")] = False,
) -> None:
    """Draw a map of crystals on which like ones lie together, and write it as one page to explore."""
    _check(out, per_source, jobs, serve=serve, overwrite=overwrite)
    from nucleate.cli._progress import bar, lines
    from nucleate.datasets import cache
    from nucleate.explorer import embed
    from nucleate.explorer import projection as projections
    from nucleate.explorer.mapping import MapConfig, make_atlas
    from nucleate.parallel import available_cores

    projections.check(projection)
    method = embed.find(embedding, code=jmp_code, checkpoint=jmp_checkpoint)
    sources = [_source(text, jobs) for text in samples]
    nearest = None if reference is None else _source(reference, jobs, split="train")
    config = MapConfig(
        projection=projection,
        per_source=per_source,
        seed=seed,
        reference_points=not no_reference_points and _place(reference, "train") not in map(_place, samples),
        **({} if title is None else {"title": title}),
    )
    with bar("mapping") as show:
        atlas = make_atlas(
            sources,
            method,
            config,
            reference=nearest,
            training=_training(reference, jobs),
            keep_in=cache.folder() / "embeddings",
            jobs=jobs or available_cores(),
            on_progress=show,
        )
    _say(atlas)
    if out is not None:
        from nucleate.explorer.page import write_page

        with lines(f"writing {out}"):
            write_page(atlas, out)
        typer.echo(f"wrote {out}")
    if serve:
        from nucleate.explorer.serve import serve as show_locally

        show_locally(atlas, port=port, on_ready=lambda address: typer.echo(f"the map is at {address}; Ctrl-C ends it"))


def _check(out: Path | None, per_source: int, jobs: int | None, *, serve: bool, overwrite: bool) -> None:
    """Refuses, before any work, what cannot be done."""
    from nucleate.cli._outputs import check_new
    from nucleate.errors import UserError

    for name, value in (("--per-source", per_source), ("--jobs", jobs)):
        if value is not None and value < 1:
            raise UserError(f"{name} {value}: at least 1 is needed")
    if out is None and not serve:
        raise UserError("--out says where the page goes, or --serve shows the map at a local address")
    if out is not None:
        check_new(out, overwrite=overwrite)


def _source(text: str, jobs: int | None, *, split: str | None = None) -> Source:
    """Reads what an argument says: a file, a folder, or a data set, with a name of its own or not.

    Args:
        text: the argument.
        jobs: processes at most.
        split: of a named data set of which the text names none.
    """
    from nucleate import files
    from nucleate.cli._progress import lines
    from nucleate.datasets import load
    from nucleate.explorer.mapping import Source

    name, place = named(text)
    found = _data_set(place, split)
    with lines(f"reading {place}"):
        if found is not None:
            known = f"{found[0]}:{found[1]}" if found[1] else found[0]
            return Source(name or known, load(*found, jobs=jobs, progress=True))
        return Source(name or _stem(Path(place)), files.read(place, jobs=jobs, progress=True))


def _data_set(place: str, split: str | None) -> tuple[str, str | None] | None:
    """Name and split of a named data set; None for a path."""
    from nucleate.datasets import NAMES, parse_reference

    name, own = parse_reference(place)
    return (name, own or split) if name in NAMES else None


def _place(text: str | None, split: str | None = None) -> object:
    """What two arguments that mean the same crystals have in common."""
    place = named(text or "")[1]
    return _data_set(place, split) or Path(place).resolve()


def _stem(path: Path) -> str:
    """The name of a file without what says its format."""
    from nucleate.files.compression import bare as unpacked_name
    from nucleate.files.formats import of_name

    bare = unpacked_name(path.name)
    return Path(bare).stem if of_name(bare) and Path(bare).stem else bare


def _training(reference: str | None, jobs: int | None) -> Source | None:
    """The training split of the reference's data set, if it is not the reference itself and is to be had."""
    from nucleate.errors import UserError

    found = _data_set(named(reference or "")[1], "train")
    if found is None or found[1] == "train":
        return None
    try:
        return _source(f"{found[0]}:train", jobs)
    except UserError as error:
        typer.echo(f"novelty is by {reference}, since {found[0]}:train is not to be had: {error}", err=True)
        return None


def _say(atlas: Atlas) -> None:
    """Says what is on the map, and what is not."""
    for name, fact in atlas.facts.items():
        typer.echo(f"{name}: {fact}")
