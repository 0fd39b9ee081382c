"""`load_galaxy10` on small files with the layout of Galaxy10."""

import sys

import h5py
import numpy as np
import pytest

from skspec.datasets import load_galaxy10

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (23, 69, 69, 3), dtype=np.uint8)
ANS = (np.arange(23) % 10).astype(np.uint8)


def write(path, **datasets):
    with h5py.File(path, "w") as file:
        for name, values in ({"images": IMAGES, "ans": ANS} | datasets).items():
            file[name] = values
    return path


def test_images_are_rows_channel_after_channel(tmp_path, monkeypatch):
    monkeypatch.setattr("skspec.datasets._galaxy10._CHUNK", 5)
    galaxies = load_galaxy10(write(tmp_path / "Galaxy10.h5"))
    assert (galaxies.data.shape, galaxies.data.dtype) == ((23, 3 * 69 * 69), np.uint8)
    images = galaxies.data.reshape(-1, *galaxies.image_shape)
    assert images[7, 2, 10, 60] == IMAGES[7, 10, 60, 2]
    np.testing.assert_array_equal(images, np.moveaxis(IMAGES, -1, 1))


def test_classes(tmp_path):
    galaxies = load_galaxy10(str(write(tmp_path / "Galaxy10.h5")))
    assert galaxies.target_names.tolist().index("Smooth, Cigar shaped") == 3
    assert galaxies.target[[0, 5, 19]].tolist() == [
        "Disk, Face-on, No Spiral",
        "Disk, Edge-on, Boxy Bulge",
        "Disk, Face-on, Loose Spiral",
    ]
    counts = [line.split()[-1] for line in load_galaxy10.__doc__.splitlines() if line.strip()[:1].isdigit()]
    assert sum(map(int, counts)) == 21785


@pytest.mark.parametrize(
    ("datasets", "message"),
    [
        (
            {"images": IMAGES[:20]},
            r"must be uint8 of shape \(n, 69, 69, 3\) and \(n,\), got uint8 of shape \(20, 69, 69, 3\) and",
        ),
        ({"images": np.moveaxis(IMAGES, -1, 1)}, r"got uint8 of shape \(23, 3, 69, 69\)"),
        ({"images": IMAGES / 255}, "got float64 of shape"),
        ({"ans": ANS[0]}, r" and uint8 of shape \(\)$"),
        ({"ans": h5py.Empty("u1")}, " and uint8 of shape None$"),
        ({"ans": ANS[:, None]}, r" and uint8 of shape \(23, 1\)$"),
        ({"images": IMAGES[:0], "ans": ANS[:0]}, "has no images"),
        ({"ans": ANS + np.uint8(1)}, "ans must be between 0 and 9, got 10"),
    ],
)
def test_other_shapes_and_numbers(tmp_path, datasets, message):
    path = write(tmp_path / "Galaxy10.h5", **datasets)
    with pytest.raises(ValueError, match=message) as caught:
        load_galaxy10(path)
    assert str(caught.value).startswith(str(path))


def test_other_files(tmp_path, monkeypatch):
    path = tmp_path / "Galaxy10.h5"
    with pytest.raises(FileNotFoundError, match=r"Galaxy10.h5: no such file"):
        load_galaxy10(path)
    path.write_bytes(write(path).read_bytes()[:9000])
    with pytest.raises(ValueError, match=r"Galaxy10.h5 is not an HDF5 file, or is truncated"):
        load_galaxy10(path)
    with h5py.File(path, "w") as file:
        file.create_group("images")
        file["ans"] = ANS
    with pytest.raises(ValueError, match=r"Galaxy10.h5: images must be a dataset, got Group"):
        load_galaxy10(path)
    with h5py.File(path, "w") as file:
        file["images"] = h5py.ExternalLink("other.h5", "images")
        file["ans"] = ANS
    with pytest.raises(ValueError, match=r"got a link to another object"):
        load_galaxy10(path)
    with h5py.File(path, "w") as file:
        file.create_dataset(
            "images", (1, 69, 69, 3), "u1", external=[(str(tmp_path / "other"), 0, 69 * 69 * 3)]
        )
        file["ans"] = ANS
    with pytest.raises(ValueError, match=r"images must be a dataset, got one with data in another file"):
        load_galaxy10(path)
    with h5py.File(path, "w") as file:
        file["fluxes"] = ANS
    with pytest.raises(ValueError, match="must have the datasets images and ans, got fluxes"):
        load_galaxy10(path)
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ImportError, match=r"pip install 'skspec\[hdf5\]'"):
        load_galaxy10(path)
