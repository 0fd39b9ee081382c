"""Zip archives of manifest, arrays and skops blobs: written atomically, and checked when read."""

from __future__ import annotations

import io
import json
import os
import secrets
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

FORMAT = "skspec model"
FORMAT_VERSION = 1
SUFFIX = ".skspec"

_MANIFEST = "manifest.json"
_WEIGHTS = "weights.safetensors"
_KEYS = {"format", "format_version", "created", "versions", "classes", "wave", "info", "blobs", "model"}
_MAX_MANIFEST = 64 * 2**20  # parsed JSON takes about ten times its size in memory


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
        raise ValueError(f"{path} is not a skspec model, or is damaged: {error}") from error
    except RecursionError as error:
        raise ValueError(f"{path} is not a skspec model: nested too deeply") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not a skspec model: its {_MANIFEST} is not UTF-8") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} is not a skspec model: its {_MANIFEST} is not JSON ({error})") from error
    except ValueError as error:
        raise ValueError(f"{path} cannot be loaded: {error}") from error


def write(
    path: Path, manifest: dict[str, Any], arrays: dict[str, NDArray[Any]], blobs: dict[str, bytes]
) -> None:
    """Write a temporary file that then replaces `path`, so that no incomplete file is left."""
    manifest = {"format": FORMAT, "format_version": FORMAT_VERSION} | manifest | {"blobs": sorted(blobs)}
    text = json.dumps(manifest, allow_nan=False, ensure_ascii=False, indent=1)
    entries = {_MANIFEST: text.encode(), _WEIGHTS: import_extra("safetensors.numpy").save(arrays)} | blobs
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with open(temporary, "xb") as file:
            # not compressed, so that the size of the file limits the memory that reading it takes
            with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
                for name, content in entries.items():
                    archive.writestr(zipfile.ZipInfo(name), content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def read(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, NDArray[Any]], dict[str, bytes]]:
    """Read manifest, arrays and skops blobs; ValueError if an entry is missing or unexpected."""
    safetensors = import_extra("safetensors.numpy")
    with open(path, "rb") as file, _open(file) as archive:
        manifest = _manifest(archive)
        blobs = manifest["blobs"]
        _check_names(archive, {_MANIFEST, _WEIGHTS, *blobs})
        weights = archive.read(_WEIGHTS)
        try:
            arrays = safetensors.load(weights)
        except Exception as error:  # safetensors raises errors of several types
            raise ValueError(f"its {_WEIGHTS} cannot be read ({error})") from error
        return manifest, arrays, {name: archive.read(name) for name in blobs}


def read_manifest(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read and check the manifest alone."""
    with open(path, "rb") as file, _open(file) as archive:
        return _manifest(archive)


def check_archive(data: bytes) -> None:
    """Raise ValueError unless the bytes are a zip archive in which nothing is compressed."""
    with _open(io.BytesIO(data)):
        pass


@contextmanager
def _open(file: Any) -> Iterator[zipfile.ZipFile]:
    size = file.seek(0, os.SEEK_END)
    with zipfile.ZipFile(file) as archive:
        infos = archive.infolist()
        for info in infos:
            stored = info.compress_type == zipfile.ZIP_STORED and info.compress_size == info.file_size
            if not stored or info.flag_bits & 1:
                raise ValueError(
                    f"its entry {info.filename!r} is compressed or encrypted; skspec writes neither"
                )
        if sum(info.file_size for info in infos) > size:
            raise ValueError("its entries claim to be larger than the file")
        if len({info.filename for info in infos}) < len(infos):
            raise ValueError("it has two entries of the same name")
        yield archive


def _manifest(archive: zipfile.ZipFile) -> dict[str, Any]:
    if _MANIFEST not in archive.namelist():
        raise ValueError(f"it has no {_MANIFEST}, so it is not a skspec model")
    if archive.getinfo(_MANIFEST).file_size > _MAX_MANIFEST:
        raise ValueError(f"its {_MANIFEST} is larger than {_MAX_MANIFEST >> 20} MiB")
    manifest = json.loads(archive.read(_MANIFEST).decode(), parse_constant=_no_constant)
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ValueError(f"its {_MANIFEST} does not say format {FORMAT!r}, so it is not a skspec model")
    number = manifest.get("format_version")
    if type(number) is not int or number < 1:
        raise ValueError(f"its format_version is {number!r}; a positive integer is needed")
    if number > FORMAT_VERSION:
        raise ValueError(
            f"it has format version {number}, and this version of skspec reads up to {FORMAT_VERSION}; upgrade skspec"
        )
    if manifest.keys() != _KEYS:
        wrong = ", ".join(sorted(manifest.keys() ^ _KEYS))
        raise ValueError(f"its {_MANIFEST} has unknown or missing keys: {wrong}")
    blobs = manifest["blobs"]
    if not isinstance(blobs, list) or not all(isinstance(name, str) for name in blobs):
        raise ValueError(f"blobs in its {_MANIFEST} must be a list of names")
    return manifest


def _check_names(archive: zipfile.ZipFile, wanted: set[str]) -> None:
    names = set(archive.namelist())
    if names != wanted:
        extra, missing = sorted(names - wanted), sorted(wanted - names)
        raise ValueError(f"it has unexpected entries {extra}" if extra else f"it lacks the entries {missing}")


def _no_constant(text: str) -> Any:
    raise ValueError(f"its {_MANIFEST} has the value {text}, which is not JSON")
