"""Spectra: many spectra with their errors, wavelengths and catalogue columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy.table import Table, vstack
from numpy.typing import ArrayLike, NDArray

from skspec.checks import check_choice
from skspec.spectra import _arrays, _wavelength
from skspec.spectra._lattice import Lattice

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Spectra:
    """Spectra with inverse variances, wavelengths and one catalogue row each.

    A sequence of spectra that scikit-learn's splitters, ``cross_val_score``, ``GridSearchCV`` and
    ``train_test_split`` take as X: it has a length and a shape, and indexing it by an integer, slice, mask
    or index array gives the `Spectra` of those rows. Spectra on one grid are stored, and handed on, as 2-D
    arrays; spectra whose grids differ are lists of 1-D arrays until `LogWaveResampler` gives them one grid.

    A pixel is missing where ``ivar`` is zero or the flux is not finite. ``np.asarray(spectra)`` is the flux
    with NaN there.

    Parameters
    ----------
    flux : array-like of shape (n_spectra, n_pixels), or sequence of n_spectra 1-D arrays
        Flux density per unit wavelength. Stored as float32. A masked array's masked pixels become missing;
        of a `~astropy.units.Quantity` the unit is kept in `flux_unit` (flux per unit frequency is refused).
    wave : array-like of shape (n_pixels,) or (n_spectra, n_pixels), or sequence of n_spectra 1-D arrays
        Wavelengths of the pixel centres in Å (or a length `~astropy.units.Quantity`), strictly increasing:
        one grid for all, or one for each spectrum. Stored as float64.
    ivar : like `flux`, default=None
        Inverse variance of the flux, in ``flux_unit ** -2``. Values that are negative or not finite say
        nothing and are stored as 0 (missing). None when the errors are unknown.
    meta : astropy.table.Table, mapping of columns or None, default=None
        One row a spectrum. The names skspec knows are ``file, survey, object, class, subclass, z, ra, dec``
        (degrees), ``snr`` and ``native_medium``.
    medium : {"vacuum", "air"}, default="vacuum"
        Medium of `wave`. `read_spectra` always gives vacuum wavelengths.

    Attributes
    ----------
    flux, ivar, wave, meta, medium
        As above, validated. `flux` and `ivar` are arrays of shape (n_spectra, n_pixels) and `wave` of shape
        (n_pixels,) when `is_common_grid`, otherwise lists of 1-D arrays.
    lattice : Lattice or None
        The log-linear grid that all grids are cut from, and where on it each spectrum starts, where grids differ
        but are parts of one, as in most surveys. It saves time: such spectra are resampled together.
    flux_unit : astropy.units.Unit or None
        Unit of the flux; None when it is relative or unknown.
    shape : tuple of int
        Number of spectra and of pixels (of the longest spectrum where grids differ).

    Raises
    ------
    ValueError
        If lengths disagree, wavelengths do not increase or are not positive, or a value does not fit float32.
    TypeError
        If a unit is not a wavelength, flux per unit wavelength, or its inverse square, respectively.

    Examples
    --------
    >>> import numpy as np
    >>> from skspec import Spectra
    >>> wave = np.linspace(4000.0, 7000.0, 301)
    >>> spectra = Spectra(np.ones((3, 301)), wave=wave, meta={"class": ["A", "F", "G"]})
    >>> spectra
    <Spectra: 3 spectra × 301 pixels, 4000.0–7000.0 Å (vacuum), no ivar; meta: class>
    >>> spectra[1:].meta["class"].tolist()
    ['F', 'G']
    """

    flux: Any  # 2-D array, or list of 1-D arrays; so are wave (1-D when common) and ivar
    wave: Any
    ivar: Any
    meta: Table
    medium: str
    lattice: Lattice | None

    def __init__(
        self,
        flux: Any,
        *,
        wave: Any,
        ivar: Any = None,
        meta: Any = None,
        medium: str = "vacuum",
    ) -> None:
        check_choice("medium", medium, ("vacuum", "air"))
        flux_rows, self.flux_unit = _arrays.as_flux(flux)
        wave_rows = _arrays.as_wave(wave)
        ivar_rows = None if ivar is None else _arrays.as_ivar(ivar, self.flux_unit)
        self.flux, self.wave, self.ivar, self.lattice = _arrays.settle(flux_rows, wave_rows, ivar_rows)
        self.meta = _as_table(meta, len(self.flux))
        self.medium = medium

    def replace(self, **changes: Any) -> Spectra:
        """Return a copy with some of its attributes replaced; the others are shared, not copied.

        Parameters
        ----------
        **changes : object
            New values of `flux`, `wave`, `ivar`, `meta`, `medium`, `flux_unit` or `lattice`, laid out as these
            attributes are and already valid. Only names and numbers of rows are checked. New wavelengths without
            a `lattice` have none.

        Returns
        -------
        Spectra

        Raises
        ------
        TypeError
            If there is no attribute of that name.
        ValueError
            If numbers of rows differ.
        """
        unknown = changes.keys() - self.__dict__.keys()
        if unknown:
            raise TypeError(
                f"replace has no argument {min(unknown)!r}; it takes {', '.join(sorted(self.__dict__))}"
            )
        if "wave" in changes:
            changes.setdefault("lattice", None)
        new = object.__new__(type(self))
        new.__dict__.update(self.__dict__ | changes)
        new._check_rows()
        return new

    def _check_rows(self) -> None:
        n = len(self.flux)
        own = isinstance(self.wave, list)
        sizes = {"wave": self.wave if own else None, "ivar": self.ivar}
        sizes["meta"] = self.meta if self.meta.colnames else None
        sizes["lattice"] = None if self.lattice is None else self.lattice.start
        for name, rows in sizes.items():
            if rows is not None and len(rows) != n:
                raise ValueError(f"{name} has {len(rows)} rows for {n} spectra")

    def __getstate__(self) -> dict[str, Any]:
        # The grids on a lattice are rebuilt from it.
        return self.__dict__ if self.lattice is None else self.__dict__ | {"wave": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if self.lattice is not None:
            self.lattice.wave.flags.writeable = False
            self.wave = self.lattice.grids(list(map(len, self.flux)))

    # What scikit-learn asks of a sequence -------------------------------------------------------------

    @property
    def is_common_grid(self) -> bool:
        """Whether all spectra share one wavelength grid."""
        return isinstance(self.wave, np.ndarray)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of spectra, and of pixels of the longest."""
        if isinstance(self.flux, np.ndarray):
            return self.flux.shape[0], self.flux.shape[1]
        return len(self.flux), max(map(len, self.flux), default=0)

    def __len__(self) -> int:
        return len(self.flux)

    def __getitem__(self, key: Any) -> Spectra:
        """Spectra of the rows `key`: an integer, slice, boolean mask or array of indices."""
        if isinstance(key, tuple) and len(key) == 2 and key[1] is Ellipsis:
            key = key[0]  # scikit-learn indexes arrays as X[rows, ...]
        if isinstance(key, tuple):
            raise IndexError("Spectra are indexed by rows alone: use spectra[rows]")
        if isinstance(key, str):
            raise TypeError(f"Spectra are indexed by rows; the catalogue column is spectra.meta[{key!r}]")
        rows = _row_indices(key, len(self))
        take = _arrays.take
        return self.replace(
            flux=take(self.flux, rows),
            wave=self.wave if self.is_common_grid else take(self.wave, rows),
            ivar=None if self.ivar is None else take(self.ivar, rows),
            meta=self.meta[rows] if self.meta.colnames else Table(meta=self.meta.meta),
            lattice=None if self.lattice is None else Lattice(self.lattice.wave, self.lattice.start[rows]),
        )

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        if not isinstance(self.flux, np.ndarray):
            raise ValueError(
                f"the {len(self)} spectra have different wavelength grids and make no 2-D array; "
                "put LogWaveResampler first"
            )
        valid = np.isfinite(self.flux) if self.ivar is None else self.valid
        if valid.all():
            return np.array(self.flux, dtype=dtype, copy=copy)
        if copy is False:
            raise ValueError("missing pixels are marked by NaN in a copy, so copy=False cannot be met")
        return np.where(valid, self.flux, np.float32(np.nan)).astype(dtype or np.float32, copy=False)

    def __repr__(self) -> str:
        n, p = self.shape
        text = f"{n} spectra × {p} pixels" if self.is_common_grid else f"{n} spectra, up to {p} pixels each"
        if n:
            ends = (
                (self.wave[0], self.wave[-1])
                if isinstance(self.wave, np.ndarray)
                else (min(w[0] for w in self.wave), max(w[-1] for w in self.wave))
            )
            text += f", {ends[0]:.1f}–{ends[1]:.1f} Å ({self.medium})"
        text += ", ivar" if self.ivar is not None else ", no ivar"
        columns = self.meta.colnames
        if columns:
            text += "; meta: " + ", ".join(columns[:8]) + (", …" if len(columns) > 8 else "")
        return f"<Spectra: {text}>"

    @property
    def _pixels(self) -> _arrays.Pixels:
        return _arrays.Pixels(self.flux, self.wave, self.ivar, self.lattice)

    # Joining ------------------------------------------------------------------------------------------

    @classmethod
    def concatenate(cls, parts: Iterable[Spectra]) -> Spectra:
        """Join spectra end to end; equal grids stay one grid, air wavelengths become vacuum when mixed.

        Parameters
        ----------
        parts : iterable of Spectra
            At least one. Their flux units must agree. If only some know their errors, ``ivar`` of the
            others cannot be made up: this raises. A catalogue column that some lack is masked there.

        Returns
        -------
        Spectra

        Raises
        ------
        ValueError
            If there is nothing to join, units differ, or only some parts have ``ivar``.
        """
        parts = list(parts)
        if not parts:
            raise ValueError("parts is empty; at least one Spectra is needed")
        if len({part.medium for part in parts}) > 1:
            parts = [part.to_vacuum() for part in parts]
        units = {str(part.flux_unit) for part in parts}
        if len(units) > 1:
            raise ValueError(
                f"spectra with flux units {', '.join(sorted(units))} cannot be joined; convert first"
            )
        with_ivar = sum(part.ivar is not None for part in parts)
        if with_ivar not in (0, len(parts)):
            raise ValueError(f"{with_ivar} of {len(parts)} parts have ivar; give all of them ivar, or none")
        pixels = _arrays.join([part._pixels for part in parts])
        return parts[0].replace(**pixels._asdict(), meta=_stack_tables(parts))

    # What they are ------------------------------------------------------------------------------------

    @property
    def valid(self) -> Any:
        """Where pixels hold a measurement: finite flux and, if errors are known, ``ivar > 0``.

        Boolean array of shape (n_spectra, n_pixels), or a list of 1-D arrays where grids differ.
        """
        if isinstance(self.flux, np.ndarray):
            return _arrays.valid(self.flux, self.ivar)
        ivar = self.ivar if self.ivar is not None else [None] * len(self)
        return [_arrays.valid(f, i) for f, i in zip(self.flux, ivar, strict=True)]

    @property
    def coverage(self) -> NDArray[np.float64]:
        """Fraction of each spectrum's pixels that hold a measurement, shape (n_spectra,)."""
        return np.array([row.mean() if row.size else 0.0 for row in self.valid])

    @property
    def snr(self) -> NDArray[np.float64]:
        """Median signal-to-noise ratio per pixel of each spectrum, shape (n_spectra,).

        From ``flux * sqrt(ivar)`` over the valid pixels. Where errors are unknown, the noise is estimated
        from the flux itself by DER_SNR (Stoehr et al. 2008, ASP Conf. Ser. 394, 505), which takes the
        spectrum to be smooth over five pixels. NaN for a spectrum without enough valid pixels.
        """
        ivar = self.ivar if self.ivar is not None else [None] * len(self)
        return np.array([_arrays.snr(f, i) for f, i in zip(self.flux, ivar, strict=True)])

    def sky_groups(self, radius: float = 3.0) -> NDArray[np.int64]:
        """Label spectra of the same object by one number, for group-aware cross-validation.

        Friends of friends on ``meta["ra"], meta["dec"]``: see `skspec.model_selection.sky_groups`.

        Parameters
        ----------
        radius : float, default=3.0
            Linking length in arcseconds (a survey fibre is 2 to 3.3 wide).

        Returns
        -------
        ndarray of shape (n_spectra,)
            Group of each spectrum, 0 … n_groups - 1.

        Raises
        ------
        ValueError
            If `meta` has no positions.
        """
        from skspec.spectra.sky import sky_groups  # noqa: PLC0415

        missing = [name for name in ("ra", "dec") if name not in self.meta.colnames]
        if missing:
            raise ValueError(
                f"meta has no column {' or '.join(map(repr, missing))}; positions are needed to group spectra "
                "of the same object"
            )
        return sky_groups(self.meta["ra"], self.meta["dec"], radius=radius)

    # Wavelength scales --------------------------------------------------------------------------------

    def to_vacuum(self) -> Spectra:
        """Return the spectra with vacuum wavelengths (Ciddor 1996); themselves if they have them already."""
        if self.medium == "vacuum":
            return self
        return self.replace(wave=_arrays.map_rows(_wavelength.air_to_vacuum, self.wave), medium="vacuum")

    def to_air(self) -> Spectra:
        """Return the spectra with air wavelengths (Ciddor 1996); those below 2000 Å stay as in vacuum."""
        if self.medium == "air":
            return self
        wave = _arrays.map_rows(_wavelength.vacuum_to_air, self.wave)
        _arrays.check_wave(wave)
        return self.replace(wave=wave, medium="air")

    def to_rest_frame(self, z: ArrayLike | None = None) -> Spectra:
        """Return the spectra as their sources emit them: wavelengths divided by 1 + z.

        Flux per ångström is multiplied by 1 + z, its inverse variance by (1 + z)**-2, so that the flux
        between two features is conserved. Air wavelengths are converted to vacuum first, where the
        division holds exactly.

        Parameters
        ----------
        z : float or array-like of shape (n_spectra,), default=None
            Redshifts; None takes ``meta["z"]``. One number keeps a common grid common.

        Returns
        -------
        Spectra

        Raises
        ------
        ValueError
            If a redshift is missing, not finite, or not above -1.
        """
        if z is None:
            if "z" not in self.meta.colnames:
                raise ValueError("meta has no column 'z'; give the redshifts as z=")
            z = self.meta["z"]
        factor = 1.0 + np.asarray(np.ma.filled(np.ma.asarray(z, dtype=np.float64), np.nan))
        if factor.shape not in ((), (len(self),)):
            raise ValueError(
                f"z has shape {factor.shape}; one number or one for each of {len(self)} spectra is needed"
            )
        if not (factor > 0).all():
            bad = int(np.flatnonzero(~(np.atleast_1d(factor) > 0))[0])
            raise ValueError(
                f"z must be finite and above -1, got {np.atleast_1d(factor)[bad] - 1:g} for spectrum {bad}"
            )
        source = self.to_vacuum()
        return source.replace(**_arrays.rest_frame(source._pixels, factor)._asdict())

    # Neighbours ---------------------------------------------------------------------------------------

    @classmethod
    def from_specutils(cls, spectra: Any) -> Spectra:
        """Take over a specutils ``Spectrum`` (1-D or 2-D flux), ``SpectrumList`` or sequence of them.

        Masks become missing pixels and uncertainties inverse variances. Wavelengths are taken as vacuum,
        since specutils does not say; see `skspec.interop.from_specutils`.
        """
        from skspec.spectra._specutils import from_specutils  # noqa: PLC0415

        return from_specutils(spectra)

    def to_specutils(self) -> Any:
        """Return a specutils ``Spectrum`` (common grid) or ``SpectrumList``; needs ``pip install specutils``."""
        from skspec.spectra._specutils import to_specutils  # noqa: PLC0415

        return to_specutils(self)

    def plot(self, *, rows: Sequence[int] | None = None, ax: Axes | None = None) -> Axes:
        """Plot spectra against wavelength, each scaled to its median and set off from the one before.

        Parameters
        ----------
        rows : sequence of int, default=None
            Which to plot; None takes the first eight.
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on; None makes new ones.

        Returns
        -------
        matplotlib.axes.Axes
        """
        from skspec.spectra._plot import plot_spectra  # noqa: PLC0415

        return plot_spectra(self, rows=rows, ax=ax)


def _row_indices(key: Any, n: int) -> NDArray[np.int64] | slice:
    """Rows of an integer, slice, mask or index array, so that every layout is indexed alike."""
    if isinstance(key, slice):
        return key
    key = np.asarray(key)
    if key.dtype == bool:
        if key.shape != (n,):
            raise IndexError(f"mask of shape {key.shape} does not fit {n} spectra")
        return np.flatnonzero(key)
    if key.size and not np.issubdtype(key.dtype, np.integer):
        raise IndexError(f"rows must be integers, a slice or a mask, got {key.dtype}")
    if key.ndim > 1:
        raise IndexError(f"rows must be 1-D, got shape {key.shape}")
    if key.ndim == 0 and not -n <= int(key) < n:
        raise IndexError(f"row {int(key)} of {n} spectra")
    return np.atleast_1d(key.astype(np.int64))


def _as_table(meta: Any, n: int) -> Table:
    table = meta.copy(copy_data=False) if isinstance(meta, Table) else Table(meta)
    if table.colnames and len(table) != n:
        raise ValueError(f"meta has {len(table)} rows for {n} spectra; one row a spectrum is needed")
    return table


def _stack_tables(parts: list[Spectra]) -> Table:
    lengths = [len(part) for part in parts]
    tables = [part.meta for part in parts]
    if not any(table.colnames for table in tables):
        return Table()
    padded = []
    for table, n in zip(tables, lengths, strict=True):
        new = table.copy(copy_data=False)
        if not new.colnames:  # a table without columns has no rows for vstack to mask
            new["_rows"] = np.zeros(n, dtype=bool)
        padded.append(new)
    stacked = vstack(padded, join_type="outer", metadata_conflicts="silent")
    if "_rows" in stacked.colnames:
        stacked.remove_column("_rows")
    return stacked
