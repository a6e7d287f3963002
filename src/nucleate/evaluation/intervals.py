"""How far a number may be off because it was taken over these crystals and not over others: the bootstrap (Efron 1979).

What a metric averages over (samples, or reference crystals) is drawn anew with replacement, as many as there are, 1,000
times; the interval holds the middle 95 % of the values that come out. Each crystal keeps its own verdict: nothing is
generated, compared or fingerprinted again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int, Real, Shaped

RESAMPLES = 1000
LEVEL = 0.95
DEFINITION = {"method": "percentile bootstrap", "level": LEVEL, "resamples": RESAMPLES}
"""What a result says about its intervals."""

_TAIL = (1 - LEVEL) / 2
_BLOCK = 2_000_000  # numbers of one block of resamples: 16 MB


class Interval(NamedTuple):
    """An interval of 95 % around a number, written as `[low, high, error]`.

    Attributes:
        low: lower end.
        high: upper end.
        error: standard error, the standard deviation of the resamples.
    """

    low: float
    high: float
    error: float


def of_means(columns: Mapping[str, Shaped[np.ndarray, " n"]], *, seed: int = 0) -> dict[str, Interval]:
    """Intervals of means over the same rows, which are drawn together.

    Where all rows of a rate agree, a resample cannot say otherwise. The far end is then the exact one (Clopper and
    Pearson 1934), at which so many equal rows have a chance of 2.5 %: about 3.7 / n away.

    Args:
        columns: values by name; NaN in a row that the mean leaves out. Booleans and 0/1 are rates.
        seed: of the resamples.

    Returns:
        An interval by name; a mean over nothing has none.
    """
    values = {name: np.asarray(column, dtype=np.float64) for name, column in columns.items()}
    values = {name: column for name, column in values.items() if np.isfinite(column).any()}
    if not values:
        return {}
    table = np.stack(list(values.values()), axis=1)
    known = np.isfinite(table)
    both = np.concatenate([np.where(known, table, 0.0), known], axis=1)
    means = np.empty((RESAMPLES, len(values)))
    for rows, times in _resamples(len(table), seed):
        sums, counts = np.split(times.astype(np.float64) @ both, 2, axis=1)
        with np.errstate(invalid="ignore"):
            means[rows] = sums / counts
    found = {name: _interval(means[:, i]) for i, name in enumerate(values)}
    return found | {
        name: _of_unanimous(column[np.isfinite(column)]) for name, column in values.items() if _is_unanimous(column)
    }


def of_wasserstein(
    samples: Real[np.ndarray, " s"], reference: Real[np.ndarray, " r"], *, seed: int = 0
) -> Interval | None:
    """Interval of the Wasserstein-1 distance of samples and reference, of which the samples are drawn anew.

    A resample is farther from the reference than the samples are, by the noise that drawing adds. So the resamples are
    moved until their mean is the distance itself, and what falls below 0 is 0.

    Args:
        samples: values; what is not finite is left out.
        reference: likewise.
        seed: of the resamples.

    Returns:
        None if one of them has no values.
    """
    samples, reference = samples[np.isfinite(samples)], reference[np.isfinite(reference)]
    if not len(samples) or not len(reference):
        return None
    grid, place = np.unique(np.concatenate([samples, reference]), return_inverse=True)
    ours, theirs = place[: len(samples)], place[len(samples) :]
    target = np.cumsum(np.bincount(theirs, minlength=len(grid)))[:-1] / len(reference)
    widths = np.diff(grid)

    def distances(times: Int[np.ndarray, "k g"]) -> Float[np.ndarray, " k"]:
        return np.abs(np.cumsum(times, axis=1)[:, :-1] / len(samples) - target) @ widths

    drawn = np.empty(RESAMPLES)
    for rows, times in _resamples(len(samples), seed, ours, len(grid)):
        drawn[rows] = distances(times)
    (value,) = distances(np.bincount(ours, minlength=len(grid))[None])
    low, high, error = _interval(drawn + (value - drawn.mean()))
    return Interval(max(low, 0.0), high, error)


def _resamples(
    count: int, seed: int, place: Int[np.ndarray, " n"] | None = None, width: int | None = None
) -> Iterator[tuple[slice, Int[np.ndarray, "k w"]]]:
    """Yields, block by block, how often each row (or each place that rows have) comes up in each resample."""
    rng = np.random.default_rng(seed)
    width = count if width is None else width
    step = max(1, _BLOCK // max(width, 1))
    for start in range(0, RESAMPLES, step):
        rows = slice(start, min(start + step, RESAMPLES))
        times = np.empty((rows.stop - rows.start, width), dtype=np.int64)
        for k in range(len(times)):
            drawn = rng.integers(0, count, count)
            times[k] = np.bincount(drawn if place is None else place[drawn], minlength=width)
        yield rows, times


def _interval(values: Float[np.ndarray, " k"]) -> Interval:
    low, high = np.nanquantile(values, [_TAIL, 1 - _TAIL])
    return Interval(float(low), float(high), float(np.nanstd(values)))


def _is_unanimous(column: Float[np.ndarray, " n"]) -> bool:
    known = column[np.isfinite(column)]
    return bool((known == known[0]).all()) and known[0] in (0.0, 1.0)


def _of_unanimous(rows: Float[np.ndarray, " k"]) -> Interval:
    reach = 1 - _TAIL ** (1 / len(rows))
    error = reach / 2  # about that of a rate one row short of unanimous, doubled: the resamples' would be 0
    return Interval(1 - reach, 1.0, error) if rows[0] else Interval(0.0, reach, error)
