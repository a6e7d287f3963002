"""From samples to the atlas that the page shows: draw, embed, project, describe, and find what each is nearest to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Int

from nucleate.crystals import Crystals
from nucleate.errors import UserError
from nucleate.evaluation.failures import counted
from nucleate.evaluation.progress import Progress, Steps
from nucleate.explorer import projection
from nucleate.explorer.atlas import Atlas
from nucleate.explorer.columns import ROW, file_columns
from nucleate.explorer.embed import Embedded, Embedding
from nucleate.explorer.kept import embedded
from nucleate.explorer.nearest import nearest
from nucleate.explorer.properties import properties

PER_SOURCE = 5000
SEED = 42
"""As in the founding study."""

STEPS = {"embedding": 8.0, "projecting": 4.0, "describing": 2.0, "nearest reference": 1.0}
"""What is done, and about how long each step takes."""


@dataclass(frozen=True, eq=False)
class Source:
    """Crystals that people know by one name.

    Attributes:
        name: in the legend.
        crystals: all, also those that could not be built.
    """

    name: str
    crystals: Crystals


@dataclass(frozen=True, kw_only=True)
class MapConfig:
    """How the map is made.

    Attributes:
        projection: one of `nucleate.explorer.projection.NAMES`.
        per_source: crystals that are drawn at random from each source, at most.
        seed: of that draw and of the projection.
        reference_points: whether crystals of the reference are on the map as a source of their own.
        title: of the page.
    """

    projection: str = projection.NAMES[0]
    per_source: int = PER_SOURCE
    seed: int = SEED
    reference_points: bool = True
    title: str = Atlas.title


@dataclass(frozen=True, eq=False)
class _Drawn:
    """What is embedded: the rows drawn of each source one after the other, and then the whole reference.

    Attributes:
        crystals: all of them.
        source: of each; -1 for those of the reference that are not on the map.
        itself: row in the reference of each that comes from it; -1 for the others.
        names: of the sources.
    """

    crystals: Crystals
    source: Int[np.ndarray, " n"]
    itself: Int[np.ndarray, " n"]
    names: tuple[str, ...]


def make_atlas(
    sources: Sequence[Source],
    embedding: Embedding,
    config: MapConfig = MapConfig(),
    *,
    reference: Source | None = None,
    training: Source | None = None,
    keep_in: Path | None = None,
    jobs: int = 1,
    on_progress: Progress | None = None,
) -> Atlas:
    """Makes the map. Crystals that cannot be built or embedded are left off, and counted in its facts by reason.

    Args:
        sources: in the order of the legend.
        embedding: see `nucleate.explorer.embed.find`.
        config: how.
        reference: where each crystal's nearest one is looked for; one of its own has another of them.
        training: crystals that are not novel; the reference by default.
        keep_in: a folder where vectors are kept for the next time.
        jobs: processes at most; nothing depends on it.
        on_progress: told the share done, and what is being done.

    Raises:
        UserError: two sources have one name, or none has a crystal that can be shown.
    """
    projection.check(config.projection)
    steps = Steps(STEPS, on_progress)
    drawn = _drawn(sources, reference, config)
    show = steps.start("embedding")
    found = embedded(embedding, drawn.crystals, keep_in=keep_in, jobs=jobs, on_progress=show)
    shown = (found.failures == "") & (drawn.source >= 0)
    if not shown.any():
        reasons = ", ".join(counted(found.failures)) or "the sources are empty"
        raise UserError(f"there is no crystal to show: {reasons}")
    crystals = drawn.crystals[shown]

    steps.start("projecting")
    positions = projection.project(found.vectors[shown], config.projection, seed=config.seed)
    show = steps.start("describing")
    known = training or reference
    described = properties(
        crystals,
        training=None if known is None else known.crystals,
        training_name="" if known is None else known.name,
        jobs=jobs,
        on_progress=lambda share, _line: show(share),
    )
    on_map = [*sources, *([reference] if reference is not None and config.reference_points else [])]
    columns = file_columns(crystals, [name for source in on_map for name in source.crystals.info], described)
    steps.start("nearest reference")
    references, row, distance = _nearest(drawn, found, shown, reference)
    return Atlas(
        crystals=crystals,
        sources=drawn.names,
        source=drawn.source[shown],
        positions=positions,
        properties=(*described, *columns.properties),
        references=references,
        nearest=row,
        distance=distance,
        distance_name="" if reference is None else f"distance to the nearest of {reference.name} ({embedding.label})",
        title=config.title,
        facts=_facts(drawn, found, embedding, config, reference, known) | columns.facts,
    )


def _drawn(sources: Sequence[Source], reference: Source | None, config: MapConfig) -> _Drawn:
    """Draws from each source, and adds the reference, whose points on the map are drawn as those of a source are."""
    names = [source.name for source in sources]
    parts = [_some(source.crystals, config) for source in sources]
    labels = [np.full(len(part), place) for place, part in enumerate(parts)]
    itself = [np.full(len(part), -1) for part in parts]
    if reference is not None:
        whole = reference.crystals.with_info(**{ROW: np.arange(len(reference.crystals))})
        on_map = np.full(len(whole), -1)
        if config.reference_points:
            on_map[_draw(len(whole), config)] = len(names)
            names.append(reference.name)
        parts.append(whole)
        labels.append(on_map)
        itself.append(np.arange(len(whole)))
    if len(set(names)) < len(names):
        raise UserError(f"two sources have the same name: {', '.join(names)}; give them others as NAME=FILE")
    empty = np.zeros(0, dtype=np.int64)
    return _Drawn(
        Crystals.concat(parts), np.concatenate([empty, *labels]), np.concatenate([empty, *itself]), tuple(names)
    )


def _some(crystals: Crystals, config: MapConfig) -> Crystals:
    rows = _draw(len(crystals), config)
    return crystals[rows].with_info(**{ROW: rows})


def _draw(count: int, config: MapConfig) -> Int[np.ndarray, " k"]:
    """Rows of the draw, in order; those of one source do not depend on the others."""
    if count <= config.per_source:
        return np.arange(count)
    return np.sort(np.random.default_rng(config.seed).choice(count, config.per_source, replace=False))


def _nearest(
    drawn: _Drawn, found: Embedded, shown: Bool[np.ndarray, " n"], reference: Source | None
) -> tuple[Crystals | None, np.ndarray | None, np.ndarray | None]:
    """The crystals of the reference that any on the map is nearest to, and for each its row there and its distance."""
    if reference is None:
        return None, None, None
    members = np.flatnonzero((drawn.itself >= 0) & (found.failures == ""))
    place = np.full(len(reference.crystals), -1)
    place[drawn.itself[members]] = np.arange(len(members))
    itself = np.where(drawn.itself[shown] >= 0, place[drawn.itself[shown]], -1)
    row, distance = nearest(found.vectors[shown], found.vectors[members], itself)
    used, which = np.unique(row[row >= 0], return_inverse=True)
    renumbered = np.full(len(row), -1)
    renumbered[row >= 0] = which
    return drawn.crystals[members[used]], renumbered, distance


def _facts(
    drawn: _Drawn,
    found: Embedded,
    embedding: Embedding,
    config: MapConfig,
    reference: Source | None,
    known: Source | None,
) -> dict[str, str]:
    """What to know about how the map was made."""
    facts = {"embedding": embedding.label, "projection": projection.label(config.projection, config.seed)}
    facts |= {name: _outcome(found.failures[drawn.source == place]) for place, name in enumerate(drawn.names)}
    if reference is not None:
        facts["nearest crystals"] = f"of {len(reference.crystals):,} crystals of {reference.name}, by {embedding.label}"
    if known is not None:
        facts["novelty"] = f"unlike {len(known.crystals):,} crystals of {known.name}, by StructureMatcher"
    return facts


def _outcome(failures: np.ndarray) -> str:
    """How many crystals of a source are on the map, and why the others are not."""
    reasons = counted(failures)
    lost = sum(reasons.values())
    shown = f"{len(failures) - lost:,} crystals"
    return shown + (f"; {lost:,} left off: " + ", ".join(f"{n:,} {why}" for why, n in reasons.items()) if lost else "")
