"""Model files of manifest, arrays, skops blobs and a checksum: written atomically, and verified when read."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import secrets
import struct
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

from numpy.typing import NDArray

from skspec.persistence import _archive

try:
    import fcntl
except ImportError:  # Windows, where an open file cannot be deleted
    fcntl = None  # type: ignore[assignment]

FORMAT = "skspec model"
FORMAT_VERSION = 2
SUFFIX = ".skspec"

_MANIFEST = "manifest.json"
_WEIGHTS = "weights.safetensors"
_CHECKSUM = "checksum.sha256"
_KEYS = {"format", "format_version", "created", "versions", "classes", "wave", "info", "blobs", "model"}
MAX_JSON = 8 * 2**20  # parsed JSON takes up to twenty times its size in memory
_MAX_DETAIL = 300  # characters of a message
_TEMPORARY = re.compile(r"\..*\.skspec\.[0-9a-f]{8}\.tmp", re.DOTALL)


def check_suffix(path: str | os.PathLike[str]) -> Path:
    """Return the path; ValueError unless it ends in ``.skspec``."""
    path = Path(path)
    if path.suffix != SUFFIX:
        raise ValueError(f"path must end in {SUFFIX}, got {path.name!r}")
    return path


def import_extra(module: str) -> Any:
    """Return a module of the extra ``skspec[save]``; ImportError if it is not installed."""
    try:
        return import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise ImportError(f"saving and loading models needs {package}: pip install 'skspec[save]'") from error


@contextmanager
def refusing(path: str | os.PathLike[str]) -> Iterator[None]:
    """Turn the errors that a bad file causes into one ValueError that names the file."""
    try:
        yield
    except zipfile.BadZipFile as error:
        raise ValueError(f"{path} is not a skspec model, or is damaged: {_sentence(error)}") from error
    except RecursionError as error:
        raise ValueError(f"{path} is not a skspec model: nested too deeply") from error
    except MemoryError as error:
        raise ValueError(f"{path} cannot be loaded: it needs more memory than there is") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not a skspec model: its {_MANIFEST} is not UTF-8") from error
    except json.JSONDecodeError as error:
        raise ValueError(
            f"{path} is not a skspec model: its {_MANIFEST} is not JSON ({_sentence(error)})"
        ) from error
    except ValueError as error:
        raise ValueError(f"{path} cannot be loaded: {_sentence(error)}") from error


def write(
    path: Path, manifest: dict[str, Any], arrays: dict[str, NDArray[Any]], blobs: dict[str, bytes]
) -> None:
    """Write a temporary file that then replaces `path`, so that no incomplete file is left."""
    manifest = {"format": FORMAT, "format_version": FORMAT_VERSION} | manifest | {"blobs": sorted(blobs)}
    text = json.dumps(manifest, allow_nan=False, ensure_ascii=False, indent=1).encode()
    if len(text) > MAX_JSON:
        raise ValueError(
            f"parameters, fitted values and info of the model take {len(text) / 2**20:.0f} MiB as JSON, more than the "
            f"{MAX_JSON >> 20} MiB that a model file may have; keep long lists as arrays"
        )
    entries = {_MANIFEST: text, _WEIGHTS: import_extra("safetensors.numpy").save(arrays)} | blobs
    entries[_CHECKSUM] = checksum(entries)
    _remove_abandoned(path.parent)
    with _temporary(path) as file:
        for part in _archive.pack(entries):
            file.write(part)
        file.flush()
        os.fsync(file.fileno())
        if fcntl is None:
            file.close()
        os.replace(file.name, path)


def checksum(entries: dict[str, bytes]) -> bytes:
    """Return the entry that holds the SHA-256 of names, sizes and contents of the others."""
    digest = hashlib.sha256()
    for name, content in entries.items():
        if name != _CHECKSUM:
            _update(digest, name, len(content), [content])
    return digest.hexdigest().encode()


def read(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, NDArray[Any]], dict[str, bytes]]:
    """Read manifest, arrays and skops blobs; ValueError for a wrong checksum, or entries that do not belong."""
    safetensors = import_extra("safetensors.numpy")
    with open(path, "rb") as file:
        entries = _archive.unpack(file)
    _check_sum(entries.get(_CHECKSUM), checksum(entries), entries.get(_MANIFEST))
    manifest = _manifest(entries.pop(_MANIFEST))
    blobs = manifest["blobs"]
    del entries[_CHECKSUM]
    if entries.keys() != {_WEIGHTS, *blobs}:
        extra, missing = (
            sorted(entries.keys() - {_WEIGHTS, *blobs}),
            sorted({_WEIGHTS, *blobs} - entries.keys()),
        )
        raise ValueError(f"it has unexpected entries {extra}" if extra else f"it lacks the entries {missing}")
    _check_header(entries[_WEIGHTS])
    try:
        arrays = safetensors.load(entries.pop(_WEIGHTS))
    except Exception as error:  # safetensors raises errors of several types
        raise ValueError(f"its {_WEIGHTS} cannot be read ({error})") from error
    return manifest, arrays, entries


def read_manifest(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read the manifest alone; the checksum of the whole file is verified."""
    digest = hashlib.sha256()
    kept: dict[str, bytes] = {}

    def see(name: str, size: int, content: Iterable[bytes]) -> None:
        if name in (_MANIFEST, _CHECKSUM):
            if size > MAX_JSON:
                raise ValueError(f"its {name} is larger than {MAX_JSON >> 20} MiB")
            kept[name] = b"".join(content)
            content = [kept[name]]
        if name == _CHECKSUM:
            return
        _update(digest, name, size, content)

    with open(path, "rb") as file:
        _archive.unpack(file, see=see)
    _check_sum(kept.get(_CHECKSUM), digest.hexdigest().encode(), kept.get(_MANIFEST))
    return _manifest(kept[_MANIFEST])


def check_archive(data: bytes) -> dict[str, bytes]:
    """Return the entries of a zip archive in bytes; ValueError if anything in it is compressed or hidden."""
    return _archive.unpack(io.BytesIO(data))


def _update(digest: Any, name: str, size: int, content: Iterable[bytes]) -> None:
    digest.update(f"{len(name)} {name} {size} ".encode())
    for part in content:
        digest.update(part)


def _check_sum(stated: bytes | None, found: bytes, text: bytes | None) -> None:
    if text is None:
        raise ValueError(f"it has no {_MANIFEST}, so it is not a skspec model")
    if stated == found:
        return
    with contextlib.suppress(UnicodeDecodeError, json.JSONDecodeError, RecursionError):
        _parse(text)  # a file that is not a model, or of another version, is called that
    raise ValueError("it is damaged: its contents do not have the SHA-256 checksum that was saved with them")


def _parse(text: bytes) -> dict[str, Any]:
    if len(text) > MAX_JSON:
        raise ValueError(f"its {_MANIFEST} is larger than {MAX_JSON >> 20} MiB")
    manifest = json.loads(text.decode(), parse_constant=_no_constant, object_pairs_hook=_unique)
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ValueError(f"its {_MANIFEST} does not say format {FORMAT!r}, so it is not a skspec model")
    number = manifest.get("format_version")
    if type(number) is not int or number < 1:
        raise ValueError(f"its format_version is {repr(number)[:20]}; a positive integer is needed")
    if number > FORMAT_VERSION:
        raise ValueError(
            f"it has format version {number}, and this version of skspec reads {FORMAT_VERSION}; upgrade skspec"
        )
    if number < FORMAT_VERSION:
        raise ValueError(
            f"it has format version {number}, which has no checksum and is no longer read; save the model again"
        )
    return manifest


def _manifest(text: bytes) -> dict[str, Any]:
    manifest = _parse(text)
    if manifest.keys() != _KEYS:
        wrong = ", ".join(sorted(manifest.keys() ^ _KEYS))
        raise ValueError(f"its {_MANIFEST} has unknown or missing keys: {wrong}")
    blobs = manifest["blobs"]
    if not isinstance(blobs, list) or not all(isinstance(name, str) for name in blobs):
        raise ValueError(f"blobs in its {_MANIFEST} must be a list of names")
    if len(set(blobs)) < len(blobs) or not {_MANIFEST, _WEIGHTS, _CHECKSUM}.isdisjoint(blobs):
        raise ValueError(f"blobs in its {_MANIFEST} must be names of their own")
    return manifest


def _check_header(weights: bytes) -> None:
    """Raise ValueError unless the header of safetensors is short and names each array once."""
    (size,) = struct.unpack("<Q", weights[:8].ljust(8, b"\0"))
    if size > min(MAX_JSON, len(weights)):
        raise ValueError(f"its {_WEIGHTS} cannot be read (the header has {size} bytes)")
    try:
        header = json.loads(weights[8 : 8 + size].decode(), object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"its {_WEIGHTS} cannot be read ({error})") from error
    if "__metadata__" in header:
        raise ValueError(f"its {_WEIGHTS} has metadata, which skspec never writes")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        raise ValueError("it has a JSON object with the same key twice")
    return mapping


def _no_constant(text: str) -> Any:
    raise ValueError(f"its {_MANIFEST} has the value {text}, which is not JSON")


def _sentence(error: Exception) -> str:
    """Return the message of an error in one line, not too long."""
    text = " ".join(str(error).split())
    return text if len(text) <= _MAX_DETAIL else text[:_MAX_DETAIL] + "…"


# Temporary files -----------------------------------------------------------------------------------------


@contextmanager
def _temporary(path: Path) -> Iterator[BinaryIO]:
    """Open a new file beside `path`, locked while this process uses it, and deleted unless it was renamed."""
    while True:
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
        file = open(temporary, "xb")  # noqa: SIM115 - closed below
        try:
            with file:
                if _is_taken(file, temporary):
                    continue
                yield file
        finally:
            temporary.unlink(missing_ok=True)
        return


def _remove_abandoned(folder: Path) -> None:
    """Delete the temporary files of processes that were killed while they saved; those in use are locked."""
    found = []
    with contextlib.suppress(PermissionError), os.scandir(folder) as items:
        found = [item.path for item in items if _TEMPORARY.fullmatch(item.name) and _is_plain(item)]
    for path in found:
        with contextlib.suppress(OSError), open(path, "r+b") as file:  # in use, or of another user
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.unlink(path)
        if fcntl is None:
            with contextlib.suppress(OSError):
                os.unlink(path)


def _is_plain(item: os.DirEntry[str]) -> bool:
    return item.is_file(follow_symlinks=False)


def _is_taken(file: BinaryIO, path: Path) -> bool:
    """Lock a file that was just made; whether another process took it for abandoned before."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks, where nobody deletes the files of others
        return False
    try:
        return not os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except FileNotFoundError:
        return True
