"""`load_galaxy10`, which reads the Galaxy10 SDSS images of galaxies with their morphology."""

from __future__ import annotations

import os

import numpy as np
from sklearn.utils import Bunch

CLASSES = (
    "Disk, Face-on, No Spiral",
    "Smooth, Completely round",
    "Smooth, in-between round",
    "Smooth, Cigar shaped",
    "Disk, Edge-on, Rounded Bulge",
    "Disk, Edge-on, Boxy Bulge",
    "Disk, Edge-on, No Bulge",
    "Disk, Face-on, Tight Spiral",
    "Disk, Face-on, Medium Spiral",
    "Disk, Face-on, Loose Spiral",
)

_SIDE = 69
_CHUNK = 2048  # images


def load_galaxy10(path: str | os.PathLike[str]) -> Bunch:
    """Load Galaxy10 SDSS: colour images of 21785 galaxies in ten morphological classes.

    The images (g, r and i bands as RGB) are from the Sloan Digital Sky Survey. In each class more than 55 % of the Galaxy
    Zoo votes agree. The file, ``Galaxy10.h5``, is not part of skspec; it is distributed with astroNN.

    Parameters
    ----------
    path : path-like
        HDF5 file with datasets ``images``, shape (n_images, 69, 69, 3), and ``ans``, shape (n_images,), both uint8.

    Returns
    -------
    Bunch
        Dictionary-like object with the attributes:

        data : ndarray of uint8, shape (n_images, 14283)
            One image per row, channel by channel, as the image classifiers expect it with their default
            ``image_shape=(3, -1, -1)``; ``data.reshape(-1, *image_shape)`` gives the images.
        target : ndarray of str, shape (n_images,)
            Name of the class of each image.
        target_names : ndarray of str, shape (10,)
            Names of the classes in the order of their numbers in the file.
        image_shape : (3, 69, 69)
            Channels, height and width.

    Raises
    ------
    ImportError
        If h5py is not installed (``pip install 'skspec[hdf5]'``).
    FileNotFoundError
        If the file does not exist.
    ValueError
        If the file is not an HDF5 file, is truncated, has other datasets, shapes or types, or has no images.

    Notes
    -----
    ======  ============================  ======
    number  name                          images
    ======  ============================  ======
    0       Disk, Face-on, No Spiral        3461
    1       Smooth, Completely round        6997
    2       Smooth, in-between round        6292
    3       Smooth, Cigar shaped             349
    4       Disk, Edge-on, Rounded Bulge    1534
    5       Disk, Edge-on, Boxy Bulge         17
    6       Disk, Edge-on, No Bulge          589
    7       Disk, Face-on, Tight Spiral     1121
    8       Disk, Face-on, Medium Spiral     906
    9       Disk, Face-on, Loose Spiral      519
    ======  ============================  ======

    The documentation of the file states 394 images in class 3, but the total would then not be 21785.

    References
    ----------
    Lintott et al. (2008, MNRAS 389, 1179); https://github.com/henrysky/Galaxy10

    Examples
    --------
    >>> from skspec.datasets import load_galaxy10
    >>> galaxies = load_galaxy10("Galaxy10.h5")  # doctest: +SKIP
    >>> galaxies.data.shape, galaxies.target[0]  # doctest: +SKIP
    ((21785, 14283), 'Disk, Face-on, No Spiral')
    """
    path = os.fspath(path)
    try:
        import h5py  # noqa: PLC0415
    except ImportError as error:
        raise ImportError(f"reading {path} requires h5py; pip install 'skspec[hdf5]'") from error
    if not os.path.isfile(path):
        raise FileNotFoundError(f"{path}: no such file")
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise ValueError(f"{path} is not an HDF5 file, or is truncated ({error})") from error
    with file:
        if not {"images", "ans"} <= file.keys():
            raise ValueError(f"{path} must have the datasets images and ans, got {', '.join(file) or 'none'}")
        if not all(isinstance(file.get(name, getlink=True), h5py.HardLink) for name in ("images", "ans")):
            raise ValueError(
                f"{path}: images and ans must be datasets of this file, got a link to another object"
            )
        images, ans = file["images"], file["ans"]
        for name, item in {"images": images, "ans": ans}.items():
            if not isinstance(item, h5py.Dataset) or item.is_virtual or item.external:
                kind = (
                    "one with data in another file" if isinstance(item, h5py.Dataset) else type(item).__name__
                )
                raise ValueError(f"{path}: {name} must be a dataset, got {kind}")
        fits = ans.ndim == 1 and images.shape == (*ans.shape, _SIDE, _SIDE, 3)
        if not fits or {images.dtype, ans.dtype} != {np.dtype(np.uint8)}:
            raise ValueError(
                f"{path}: images and ans must be uint8 of shape (n, {_SIDE}, {_SIDE}, 3) and (n,), got {images.dtype} "
                f"of shape {images.shape} and {ans.dtype} of shape {ans.shape}"
            )
        n = len(ans)
        if not n:
            raise ValueError(f"{path} has no images")
        code = ans[:]
        if code.max() >= len(CLASSES):
            raise ValueError(f"{path}: ans must be between 0 and {len(CLASSES) - 1}, got {code.max()}")
        data = np.empty((n, 3, _SIDE, _SIDE), dtype=np.uint8)
        for start in range(0, n, _CHUNK):
            rows = slice(start, start + _CHUNK)
            data[rows] = images[rows].transpose(0, 3, 1, 2)
    names = np.array(CLASSES)
    return Bunch(
        data=data.reshape(n, -1), target=names[code], target_names=names, image_shape=(3, _SIDE, _SIDE)
    )
