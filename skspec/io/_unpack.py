"""Arrays of packed files (npz, HDF5, Parquet, Feather, ECSV headers), after checks that unpacking them is safe."""

from __future__ import annotations

import re
import zipfile
from math import prod
from typing import IO, Any

from numpy.lib import format as npy
from numpy.typing import NDArray

from skspec.io._limits import check_unpacked
from skspec.io._source import Source

_HDF5_FILTERS = {
    1: "gzip",
    2: "shuffle",
    3: "fletcher32",
    4: "szip",
    5: "nbit",
    6: "scaleoffset",
    32000: "lzf",
}
_DEEPEST = 50  # levels of nested YAML
_ARROW_WIDTH = {"BOOLEAN": 1, "INT32": 4, "FLOAT": 4}


def read_npz(source: Source) -> dict[str, NDArray[Any]]:
    """Read the arrays of an npz archive, as `numpy.load` does without pickle.

    Raises
    ------
    ValueError
        If the archive is damaged, an array has Python objects or another size than its header claims, or it unpacks to
        too much.
    """
    arrays = {}
    with zipfile.ZipFile(source.reopen()) as archive:
        members = archive.infolist()
        check_unpacked(sum(member.file_size for member in members), source.size, "the archive")
        for member in members:
            if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise ValueError(f"{member.filename!r} is compressed in a way that NumPy does not write")
            name = member.filename.removesuffix(".npy")
            with archive.open(member) as file:
                _check_npy(file, member)
            with archive.open(member) as file:
                arrays[name] = npy.read_array(file, allow_pickle=False)
    return arrays


def _check_npy(file: IO[bytes], member: zipfile.ZipInfo) -> None:
    """Raise ValueError unless the header of an array agrees with its size."""
    version = npy.read_magic(file)
    read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read_header(file)
    if dtype.hasobject:
        raise ValueError(f"the array {member.filename!r} holds Python objects, numbers or text are needed")
    n_values: int = prod(map(int, shape))
    n_bytes = member.file_size - file.tell()
    possible = min(shape, default=0) >= 0 and (dtype.itemsize or not n_values)
    if not possible or n_values * dtype.itemsize != n_bytes:
        raise ValueError(
            f"the array {member.filename!r} has {n_bytes} bytes, which are not those of {str(dtype)[:40]} values of "
            f"shape {str(shape)[:60]}"
        )


def hdf5_dataset(file: Any, name: str, source: Source) -> Any:
    """Return a dataset of numbers at the top of an HDF5 file, whose data are in this file.

    Raises
    ------
    ValueError
        If there is none, it refers to another file or object, needs an unknown filter, was not written, or unpacks to too
        much.
    """
    h5py = source.optional("h5py", "hdf5")
    link = file.get(name, getlink=True)
    if not isinstance(link, h5py.HardLink):
        raise ValueError(f"{name} is missing, or a link to another object; a dataset of this file is needed")
    dataset = file[name]
    if not isinstance(dataset, h5py.Dataset) or dataset.dtype.kind not in "biuf" or not dataset.ndim:
        raise ValueError(f"{name} is not an array of numbers")
    if dataset.is_virtual or dataset.external:
        raise ValueError(f"the data of {name} are in another file, which is not opened")
    creation = dataset.id.get_create_plist()
    filters = [creation.get_filter(i)[0] for i in range(creation.get_nfilters())]
    unknown = [str(number) for number in filters if number not in _HDF5_FILTERS]
    if unknown:
        raise ValueError(f"{name} is packed by the HDF5 filter {unknown[0]}, which is not part of HDF5")
    stored = dataset.id.get_storage_size()
    size = dataset.dtype.itemsize
    if prod(dataset.shape) and not stored:
        raise ValueError(f"{name} has the shape {dataset.shape}, but its values were never written")
    check_unpacked(size * max(prod(dataset.shape), prod(dataset.chunks or ())), stored, name)
    return dataset


def read_parquet(source: Source) -> Any:
    """Read a Parquet file as an Arrow table.

    Raises
    ------
    ValueError
        If it unpacks to too much.
    """
    parquet = source.optional("pyarrow.parquet", "scale")
    with parquet.ParquetFile(source.reopen()) as file:
        metadata = file.metadata
        claimed = max(metadata.num_rows, 0)
        for group in map(metadata.row_group, range(metadata.num_row_groups)):
            for column in map(group.column, range(group.num_columns)):
                width = _ARROW_WIDTH.get(column.physical_type, 8)
                claimed += max(width * column.num_values, column.total_uncompressed_size)
        check_unpacked(claimed, source.size)
    return parquet.read_table(source.reopen())


def check_yaml(lines: list[str]) -> None:
    """Raise ValueError if the YAML in the comments of an ECSV file is nested so deep that its parser might crash."""
    depth = 0
    for line in lines:
        if not line.startswith("#"):
            break
        blocks = len(line) - len(line.lstrip("# \t-?:"))
        for bracket in re.findall(r"[\[\]{}]", line):
            depth += 1 if bracket in "[{" else -1
            if depth > _DEEPEST:
                break
        if depth > _DEEPEST or blocks > 8 * _DEEPEST:
            raise ValueError(f"the YAML header is nested deeper than {_DEEPEST} levels")
