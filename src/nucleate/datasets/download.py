"""Downloads one file of a named data set: checked while it comes, put in place only when it is whole and right.

The homes publish no checksums. So the first download is trusted if it has the official number of rows and the expected
columns; its SHA-256 is written beside it, in the format of `sha256sum`, and is verified from then on.
"""

from __future__ import annotations

import hashlib
import http.client
import urllib.error
import urllib.request
from contextlib import closing
from pathlib import Path

import pyarrow as pa
from pyarrow import csv
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from nucleate.datasets.cache import sha256
from nucleate.datasets.registry import DataSet
from nucleate.errors import UserError
from nucleate.files.atomic import replacing

TIMEOUT = 30.0
"""Seconds without a byte after which a download is given up."""

_BLOCK = 1 << 18


def fetch(dataset: DataSet, split: str, place: Path, *, progress: bool = False) -> Path:
    """Downloads one split to `place` and writes its checksum to a file beside it.

    Args:
        dataset: `dataset.home` says where from.
        split: `train`, `val` or `test`.
        place: the CSV file to write; it appears only if everything is right.
        progress: show a progress bar on stderr.

    Returns:
        `place`.

    Raises:
        UserError: the download failed or was cut short, or the file is not the one expected.
    """
    url = dataset.url(split)
    with replacing(place) as temporary:
        digest = _download(url, temporary, f"{dataset.name}:{split}", progress)
        expected = dataset.sha256.get(split)
        if expected is not None and digest != expected:
            raise UserError(f"{url} has the SHA-256 {digest}, expected {expected}")
        check_table(temporary, dataset, split, url)
    _checksum_file(place).unlink(missing_ok=True)
    verify(place, dataset, split)
    return place


def verify(place: Path, dataset: DataSet, split: str) -> None:
    """Compares a downloaded file with its checksum; writes the checksum down if there is none.

    Raises:
        UserError: the file is not the one that was downloaded.
    """
    digest = sha256(place)
    beside = _checksum_file(place)
    recorded = dataset.sha256.get(split) or (beside.read_text().split()[0] if beside.is_file() else None)
    if recorded is None:
        with replacing(beside) as temporary:
            temporary.write_text(f"{digest}  {place.name}\n")
    elif digest != recorded:
        raise UserError(f"{place} has changed since its download; delete it, and nucleate data fetch {dataset.name}")


def check_table(path: Path, dataset: DataSet, split: str, name: str) -> None:
    """Checks the columns and the number of rows of a CSV file.

    Args:
        path: the file.
        dataset: with the official sizes and columns.
        split: `train`, `val` or `test`.
        name: of the file in the message.

    Raises:
        UserError: a column is missing, or the number of rows is not the official one.
    """
    try:
        table = csv.read_csv(path, parse_options=csv.ParseOptions(newlines_in_values=True))
    except pa.ArrowInvalid as error:
        raise UserError(f"{name} is not {dataset.name}:{split}: {str(error).splitlines()[0]}") from error
    missing = sorted(dataset.columns.difference(table.column_names))
    if missing:
        raise UserError(f"{name} is not {dataset.name}:{split}: no column {', '.join(missing)}")
    if table.num_rows != dataset.sizes[split]:
        expected = f"{dataset.sizes[split]:,}"
        raise UserError(f"{name} is not {dataset.name}:{split}: {table.num_rows:,} rows, expected {expected}")


def _checksum_file(place: Path) -> Path:
    return place.with_name(f"{place.name}.sha256")


def _download(url: str, place: Path, label: str, progress: bool) -> str:
    """Writes what the address holds to `place`; returns its SHA-256."""
    request = urllib.request.Request(url, headers={"User-Agent": "nucleate"})  # noqa: S310
    try:
        with closing(urllib.request.urlopen(request, timeout=TIMEOUT)) as response:  # noqa: S310
            return _copy(response, place, label, progress)
    except urllib.error.HTTPError as error:
        raise UserError(f"{url} answers {error.code} {error.reason}") from error
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or str(error) or type(error).__name__
        raise UserError(f"{url}: {reason}") from error


def _copy(response: http.client.HTTPResponse, place: Path, label: str, progress: bool) -> str:
    """Copies a response to a file block by block; returns the SHA-256."""
    length = int(response.headers.get("Content-Length") or 0) or None
    digest, received = hashlib.sha256(), 0
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    console = Console(stderr=True)
    with (
        place.open("wb") as file,
        Progress(*columns, console=console, disable=not (progress and console.is_terminal)) as bar,
    ):
        task = bar.add_task(f"Downloading {label}", total=length)
        while block := response.read(_BLOCK):
            file.write(block)
            digest.update(block)
            received += len(block)
            bar.advance(task, len(block))
    if length is not None and received != length:
        raise OSError(f"cut short after {received:,} of {length:,} bytes")
    return digest.hexdigest()
