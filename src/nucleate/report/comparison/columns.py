"""The tables of a comparison: their columns, and what two rows must share to stand in one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from nucleate.evaluation.pairing import Rule
from nucleate.report.comparison.entry import Entry

HIGH, LOW, NEITHER = 1, -1, 0


@dataclass(frozen=True)
class Column:
    """A metric.

    Attributes:
        key: where it is in `metrics`.
        label: its head.
        better: `HIGH`, `LOW`, or `NEITHER` where more is not better.
        is_rate: whether it is written in per cent.
        unit: of a number that is no rate.
        digits: of a number that is no rate, after the point.
    """

    key: str
    label: str
    better: int = HIGH
    is_rate: bool = True
    unit: str = ""
    digits: int = 3

    def text(self, value: float) -> str:
        """The value for readers, without a unit."""
        return f"{100 * value:.1f}" if self.is_rate else f"{value:.{self.digits}f}"

    def tick(self, value: float) -> str:
        """A value on an axis, without idle zeros."""
        return f"{100 * value if self.is_rate else value:.6f}".rstrip("0").rstrip(".")

    @property
    def heading(self) -> str:
        """The label with the unit."""
        unit = "%" if self.is_rate else self.unit
        return f"{self.label} ({unit})" if unit else self.label


@dataclass(frozen=True)
class Condition:
    """Something that two rows must share so that their numbers may be compared.

    Attributes:
        label: what it is called.
        of: its text for a row.
        number: the number for a row, of a condition that is one.
    """

    label: str
    of: Callable[[Entry], str]
    number: Callable[[Entry], int] | None = None

    def value(self, entry: Entry) -> int | str:
        """What programs read: the number where the condition is one, else its text."""
        return self.of(entry) if self.number is None else self.number(entry)


@dataclass(frozen=True)
class Sheet:
    """A table.

    Attributes:
        slug: part of file names and addresses.
        task: whose rows it has.
        title: its heading.
        columns: its metrics.
        conditions: what its rows must share.
        wanted: whether a row belongs into it.
    """

    slug: str
    task: str
    title: str
    columns: tuple[Column, ...]
    conditions: tuple[Condition, ...]
    wanted: Callable[[Entry], bool] = lambda _: True


def _named(crystals: Any, name: Any) -> str:
    return "none" if name is None else f"{name} ({crystals:,} crystals)" if isinstance(crystals, int) else str(name)


def _listed(values: Any) -> str:
    if isinstance(values, Mapping):
        return ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in values.items())
    return str(values)


def _pairing(rule: str) -> str:
    """Columns, rows and names all say which crystal a sample predicts; its composition alone may leave several."""
    return "by composition" if rule == Rule.COMPOSITION else "sample by sample"


def _samples(entry: Entry) -> int:
    return entry.counts.get("requested", 0)


def _asked(entry: Entry) -> int:
    return entry.counts.get("reference", {}).get("asked", 0)


def _definition(label: str, key: str) -> Condition:
    return Condition(label, lambda entry: _listed(entry.definition.get(key, "unknown")))


_REFERENCE = Condition(
    "reference",
    lambda entry: _named(entry.counts.get("reference", {}).get("crystals"), entry.definition.get("reference")),
)
_OXIDATION = Condition(
    "oxidation states", lambda entry: str(entry.definition.get("composition_validity", {}).get("oxidation_states"))
)
_SHARED = (
    _REFERENCE,
    _OXIDATION,
    _definition("structural validity", "structural_validity"),
    _definition("atoms at most", "max_atoms"),
)
_DNG = (
    Condition("samples", lambda entry: f"{_samples(entry):,}", _samples),
    *_SHARED,
    _definition("coverage", "coverage"),
)
_DNG_MORE = (
    *_DNG,
    Condition("training set", lambda entry: _named(entry.counts.get("training"), entry.definition.get("training"))),
    _definition("matcher", "matcher"),
    _definition("space groups", "space_groups"),
)
_CSP = (
    Condition("asked for", lambda entry: f"{_asked(entry):,} crystals of the reference", _asked),
    Condition("pairing", lambda entry: _pairing(entry.definition.get("pairing", {}).get("by", "rows"))),
    *_SHARED,
    _definition("matcher", "matcher"),
)
_TRIES = Condition("predictions each", lambda entry: str(entry.definition.get("k")))


def _predictions(k: str) -> tuple[Column, ...]:
    return (
        Column(f"{k}.match_rate", "Match rate"),
        Column(f"{k}.rmse", "RMSE", LOW, is_rate=False, digits=4),
        Column(f"{k}.match_rate_filtered", "Match rate, filtered"),
        Column(f"{k}.rmse_filtered", "RMSE, filtered", LOW, is_rate=False, digits=4),
        Column(f"{k}.metre", "METRe"),
        Column(f"{k}.crmse", "cRMSE", LOW, is_rate=False, digits=4),
    )


SHEETS = (
    Sheet(
        "dng",
        "dng",
        "Validity, coverage, distributions",
        (
            Column("structural_validity", "Structural validity"),
            Column("composition_validity", "Composition validity"),
            Column("validity", "Validity"),
            Column("cov_recall", "COV-R"),
            Column("cov_precision", "COV-P"),
            Column("wdist_density", "wdist density", LOW, is_rate=False, unit="g/cm³"),
            Column("wdist_num_elements", "wdist elements", LOW, is_rate=False),
        ),
        _DNG,
    ),
    Sheet(
        "dng-novelty",
        "dng",
        "Uniqueness, novelty, diversity, symmetry",
        (
            Column("uniqueness", "Uniqueness"),
            Column("novelty", "Novelty"),
            Column("unique_novel_valid", "Unique, novel, valid"),
            Column("cov_recall_joint", "COV-R, joint"),
            Column("cov_precision_joint", "COV-P, joint"),
            Column("composition_diversity", "Diversity, composition", NEITHER, is_rate=False, digits=2),
            Column("structure_diversity", "Diversity, structure", NEITHER, is_rate=False),
            Column("p1_share", "In P1", NEITHER),
        ),
        _DNG_MORE,
    ),
    Sheet("csp-first", "csp", "The first prediction (k = 1)", _predictions("k1"), _CSP),
    Sheet(
        "csp-best",
        "csp",
        "The best of k predictions",
        _predictions("kN"),
        (_TRIES, *_CSP),
        wanted=lambda entry: entry.definition.get("k", 1) > 1,
    ),
)
"""All tables, in the order of the page."""

SHEET = {sheet.slug: sheet for sheet in SHEETS}
