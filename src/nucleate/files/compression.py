"""Compressed files: gzip, bzip2, xz and Zstandard, known by their first bytes when read and by their name when written.

Whatever a file is called, its content is unpacked if it is compressed, and never to more than `MAX_BYTES`.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Callable
from io import BufferedIOBase
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

from nucleate.errors import UserError
from nucleate.files.extras import files_extra

MAX_BYTES = 4 << 30
"""A compressed file that unpacks to more than this, 4 GiB, is refused before it fills the memory."""

BZIP2_BLOCKS = (b"1AY&SY", b"\x17rE8P\x90")
"""What follows `BZh` and a digit in a bzip2 file, and hardly in a text that begins so."""

MAGIC_LENGTH = 10

ZSTD_STEP = 1 << 12
"""Compressed bytes that are unpacked at a time: a block of 4 bytes may hold 128 kB."""


@runtime_checkable
class Readable(Protocol):
    """A stream of bytes."""

    def read(self, size: int, /) -> bytes:
        """The next bytes, `size` at most; none at the end."""
        ...


class Compression(NamedTuple):
    """One way to compress."""

    name: str
    suffix: str
    magic: bytes
    open: Callable[[BufferedIOBase], Readable]
    """Makes a stream of the content from one of the compressed bytes."""
    pack: Callable[[bytes], bytes]
    """Compresses; the same content gives the same bytes."""


def _gunzip(stream: BufferedIOBase) -> Readable:
    return gzip.GzipFile(fileobj=stream)


def _unxz(stream: BufferedIOBase) -> Readable:
    return lzma.LZMAFile(stream)  # pyright: ignore[reportArgumentType]


def _gzip(data: bytes) -> bytes:
    return gzip.compress(data, 6, mtime=0)  # no date


class _Zstd:
    """A stream of unpacked bytes; unlike the library's own, it notices that the data end early."""

    def __init__(self, stream: BufferedIOBase) -> None:
        self._stream = stream
        self._frame: Any = None
        self._packed = b""
        self._content = memoryview(b"")

    def read(self, size: int) -> bytes:
        """The next bytes, `size` at most; none at the end.

        Raises:
            EOFError: the data end within a frame.
            ValueError: they are damaged.
        """
        while not self._content:
            self._packed = self._packed or self._stream.read(ZSTD_STEP)
            if not self._packed:
                if self._frame is not None:
                    raise EOFError("they end early")
                return b""
            self._content = memoryview(self._unpacked())
        part, self._content = self._content[:size], self._content[size:]
        return bytes(part)

    @files_extra()
    def _unpacked(self) -> bytes:
        import zstandard

        frame = self._frame or zstandard.ZstdDecompressor().decompressobj()
        try:
            content = frame.decompress(self._packed)
        except zstandard.ZstdError as error:
            raise ValueError(str(error)) from error
        self._packed = frame.unused_data if frame.eof else b""
        self._frame = None if frame.eof else frame
        return content


@files_extra()
def _zstd(data: bytes) -> bytes:
    import zstandard

    return zstandard.ZstdCompressor(level=9).compress(data)


COMPRESSIONS = (
    Compression("gzip", ".gz", b"\x1f\x8b", _gunzip, _gzip),
    Compression("bzip2", ".bz2", b"BZh", bz2.BZ2File, bz2.compress),
    Compression("xz", ".xz", b"\xfd7zXZ\x00", _unxz, lzma.compress),
    Compression("zstd", ".zst", b"\x28\xb5\x2f\xfd", _Zstd, _zstd),
)


def of_suffix(name: str) -> Compression | None:
    """The compression that a file's name promises, in any case; None if it promises none."""
    return next((way for way in COMPRESSIONS if name.lower().endswith(way.suffix)), None)


def bare(name: str) -> str:
    """A file's name without the suffix of its compression."""
    way = of_suffix(name)
    return name[: -len(way.suffix)] if way else name


def of_magic(start: bytes) -> Compression | None:
    """The compression that the first `MAGIC_LENGTH` bytes of a file show; None if they show none."""
    way = next((way for way in COMPRESSIONS if start.startswith(way.magic)), None)
    if way is not None and way.name == "bzip2" and start[4:10] not in BZIP2_BLOCKS:
        return None
    return way


def content(stream: BufferedIOBase) -> BufferedIOBase:
    """The content of a file: unpacked while it is read if the file is compressed, and otherwise the stream itself.

    Args:
        stream: at the start of the file, with `seek`.

    Raises:
        UserError: when it is read, if the data are damaged or unpack to more than `MAX_BYTES`.
    """
    start = stream.read(MAGIC_LENGTH)
    stream.seek(0)
    way = of_magic(start)
    return stream if way is None else io.BufferedReader(_Unpacked(way, stream), 1 << 16)


def unpacked(data: bytes) -> bytes:
    """The content of a file that may be compressed, whatever its name.

    Raises:
        UserError: the data are damaged, or unpack to more than `MAX_BYTES`.
    """
    return data if of_magic(data[:MAGIC_LENGTH]) is None else content(io.BytesIO(data)).read()


def packed(data: bytes, name: str) -> bytes:
    """Compresses the content of a file as its name says, if it does. The same content gives the same bytes."""
    way = of_suffix(name)
    return way.pack(data) if way else data


def opened(path: Path) -> BufferedIOBase:
    """Opens a file to read its bytes as they are.

    Raises:
        UserError: it is not there, or cannot be read.
    """
    try:
        return path.open("rb")
    except FileNotFoundError as error:
        raise UserError("there is no such file or folder") from error
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}") from error


class _Unpacked(io.RawIOBase):
    """A stream of unpacked bytes that says in words what is wrong, and ends a bomb."""

    def __init__(self, way: Compression, stream: BufferedIOBase) -> None:
        self._way = way
        self._source = way.open(stream)
        self._size = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        try:
            data = self._source.read(len(buffer))
        except UserError:
            raise
        except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError) as error:
            raise UserError(f"damaged {self._way.name} data: {error}") from error
        self._size += len(data)
        if self._size > MAX_BYTES:
            raise UserError(f"it unpacks to more than {MAX_BYTES:,} bytes")
        buffer[: len(data)] = data
        return len(data)
