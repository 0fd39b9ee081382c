"""`Spectra`: many spectra with their errors, wavelengths and catalogue columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy.table import Table
from numpy.typing import ArrayLike, NDArray

from skspec.checks import check_choice
from skspec.spectra._arrays import (
    Pixels,
    as_flux,
    as_ivar,
    as_wave,
    check_wave,
    join,
    map_rows,
    rest_frame,
    settle,
    snr,
    take,
    valid,
)
from skspec.spectra._catalogue import as_table, stack_tables, table_to_pandas
from skspec.spectra._html import html_view
from skspec.spectra._lattice import Lattice
from skspec.spectra._wavelength import air_to_vacuum, vacuum_to_air

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Spectra:
    """Spectra with inverse variances, wavelengths and one catalogue row each.

    A sequence of spectra that scikit-learn's splitters, ``cross_val_score``, ``GridSearchCV`` and
    ``train_test_split`` take as X: it has a length and a shape, and indexing it by an integer, slice, mask
    or index array gives the `Spectra` of those rows. Spectra on one grid are stored, and handed on, as 2-D
    arrays; spectra whose grids differ are lists of 1-D arrays until `LogWaveResampler` puts them on one grid.

    A pixel is missing where ``ivar`` is zero or the flux is not finite. ``np.asarray(spectra)`` is the flux
    with NaN there.

    Parameters
    ----------
    flux : array-like of shape (n_spectra, n_pixels), or sequence of n_spectra 1-D arrays
        Flux density per unit wavelength. Stored as float32. Masked pixels of a masked array become missing. The
        unit of a `~astropy.units.Quantity` is kept in `flux_unit`; flux per unit frequency is an error.
    wave : array-like of shape (n_pixels,) or (n_spectra, n_pixels), or sequence of n_spectra 1-D arrays
        Wavelengths of the pixel centres in Å (or a length `~astropy.units.Quantity`), strictly increasing:
        one grid for all, or one for each spectrum. Stored as float64.
    ivar : like `flux`, default=None
        Inverse variance of the flux, in ``flux_unit ** -2``. Values that are negative or not finite are stored as
        0 (missing). None when the errors are unknown.
    meta : astropy.table.Table, pandas.DataFrame, mapping of columns or None, default=None
        One row a spectrum. The names skspec knows are ``file, survey, object, class, subclass, z, ra, dec``
        (degrees), ``snr`` and ``native_medium``. Missing values of a DataFrame are masked; its index is dropped.
    medium : {"vacuum", "air"}, default="vacuum"
        Medium of `wave`. `read_spectra` always gives vacuum wavelengths.

    Attributes
    ----------
    flux, ivar, wave, meta, medium
        As above, checked. `flux` and `ivar` are arrays of shape (n_spectra, n_pixels) and `wave` of shape
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
        flux_rows, self.flux_unit = as_flux(flux)
        wave_rows = as_wave(wave)
        ivar_rows = None if ivar is None else as_ivar(ivar, self.flux_unit)
        self.flux, self.wave, self.ivar, self.lattice = settle(flux_rows, wave_rows, ivar_rows)
        self.meta = as_table(meta, len(self.flux))
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

    # A sequence, as scikit-learn expects ---------------------------------------------------------------

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
        """Return the spectra of the rows `key`: an integer, slice, boolean mask or array of indices."""
        if isinstance(key, tuple) and len(key) == 2 and key[1] is Ellipsis:
            key = key[0]  # scikit-learn indexes arrays as X[rows, ...]
        if isinstance(key, tuple):
            raise IndexError("Spectra are indexed by rows alone: use spectra[rows]")
        if isinstance(key, str):
            raise TypeError(f"Spectra are indexed by rows; the catalogue column is spectra.meta[{key!r}]")
        rows = _row_indices(key, len(self))
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
                f"the {len(self)} spectra have different wavelength grids and are not a 2-D array; "
                "put LogWaveResampler first"
            )
        good = self.valid
        if good.all():
            return np.array(self.flux, dtype=dtype, copy=copy)
        if copy is False:
            raise ValueError("missing pixels are marked by NaN in a copy, so copy=False cannot be met")
        return np.where(good, self.flux, np.float32(np.nan)).astype(dtype or np.float32, copy=False)

    def __repr__(self) -> str:
        n, p = self.shape
        text = "1 spectrum" if n == 1 else f"{n} spectra"
        text += f" × {p} pixels" if self.is_common_grid else f", up to {p} pixels each"
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
    def _pixels(self) -> Pixels:
        return Pixels(self.flux, self.wave, self.ivar, self.lattice)

    # Joining ------------------------------------------------------------------------------------------

    @classmethod
    def concatenate(cls, parts: Iterable[Spectra]) -> Spectra:
        """Join spectra end to end; equal grids stay one grid, and all wavelengths become vacuum where media differ.

        Parameters
        ----------
        parts : iterable of Spectra
            At least one. A catalogue column that some lack is masked there.

        Returns
        -------
        Spectra

        Raises
        ------
        ValueError
            If there are no parts, flux units differ, or only some parts have ``ivar``.
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
        pixels = join([part._pixels for part in parts])
        meta = stack_tables([part.meta for part in parts], list(map(len, parts)))
        return parts[0].replace(**pixels._asdict(), meta=meta)

    # Properties ----------------------------------------------------------------------------------------

    @property
    def valid(self) -> Any:
        """Where pixels hold a measurement: finite flux and, if errors are known, ``ivar > 0``.

        Boolean array of shape (n_spectra, n_pixels), or a list of 1-D arrays where grids differ.
        """
        if isinstance(self.flux, np.ndarray):
            return valid(self.flux, self.ivar)
        return [valid(f, i) for f, i in zip(self.flux, self._ivar_rows(), strict=True)]

    @property
    def coverage(self) -> NDArray[np.float64]:
        """Fraction of each spectrum's pixels that hold a measurement, shape (n_spectra,)."""
        return np.array([row.mean() if row.size else 0.0 for row in self.valid])

    @property
    def snr(self) -> NDArray[np.float64]:
        """Median signal-to-noise ratio per pixel of each spectrum, shape (n_spectra,).

        From ``flux * sqrt(ivar)`` over the valid pixels. Where errors are unknown, the noise is estimated
        from the flux itself by DER_SNR (Stoehr et al. 2008, ASP Conf. Ser. 394, 505), which assumes a spectrum
        that is smooth over five pixels. NaN for a spectrum without enough valid pixels.
        """
        return np.array([snr(f, i) for f, i in zip(self.flux, self._ivar_rows(), strict=True)])

    def _ivar_rows(self) -> Any:
        return [None] * len(self) if self.ivar is None else self.ivar

    def sky_groups(self, radius: float = 3.0) -> NDArray[np.int64]:
        """Give all spectra of the same object one number, for group-aware cross-validation.

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
        return self.replace(wave=map_rows(air_to_vacuum, self.wave), medium="vacuum")

    def to_air(self) -> Spectra:
        """Return the spectra with air wavelengths (Ciddor 1996); those below 2000 Å stay as in vacuum."""
        if self.medium == "air":
            return self
        wave = map_rows(vacuum_to_air, self.wave)
        check_wave(wave)
        return self.replace(wave=wave, medium="air")

    def to_rest_frame(self, z: ArrayLike | None = None) -> Spectra:
        """Return the spectra in the rest frame of their sources: wavelengths divided by 1 + z.

        Flux per ångström is multiplied by 1 + z, its inverse variance by (1 + z)**-2, so that the flux
        between two features is conserved. Air wavelengths are converted to vacuum first, where the
        division holds exactly.

        Parameters
        ----------
        z : float or array-like of shape (n_spectra,), default=None
            Redshifts; None takes ``meta["z"]``. With one number, a common grid stays common.

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
        return source.replace(**rest_frame(source._pixels, factor)._asdict())

    # Neighbours ---------------------------------------------------------------------------------------

    @classmethod
    def from_specutils(cls, spectra: Any, *, medium: str = "vacuum") -> Spectra:
        """Convert specutils spectra.

        Parameters
        ----------
        spectra : specutils.Spectrum, specutils.SpectrumList or iterable of specutils.Spectrum
            Spectra with flux of shape (n_pixels,) or (n_spectra, n_pixels). Masked pixels become missing
            (``ivar`` 0, or NaN flux where there is no uncertainty), uncertainties inverse variances. Axes in
            frequency or energy are converted to wavelengths and sorted; flux must be per unit wavelength.
        medium : {"vacuum", "air"}, default="vacuum"
            Medium of the wavelengths, which specutils does not record.

        Returns
        -------
        Spectra
            `meta` holds the scalar entries of each spectrum's ``meta`` whose values are text or numbers.
        """
        from skspec.spectra._specutils import from_specutils  # noqa: PLC0415

        return cls.concatenate(cls(**arguments, medium=medium) for arguments in from_specutils(spectra))

    def to_specutils(self) -> Any:
        """Convert to specutils.

        Returns
        -------
        specutils.Spectrum or specutils.SpectrumList
            One ``Spectrum`` with 2-D flux for a common grid, otherwise a list of them. Missing pixels are masked,
            inverse variances kept as uncertainty, the catalogue rows in ``meta``. Relative flux is dimensionless.

        Raises
        ------
        ImportError
            If specutils is not installed.
        """
        from skspec.spectra._specutils import to_specutils  # noqa: PLC0415

        return to_specutils(self)

    def to_pandas(self) -> Any:
        """Convert to a pandas DataFrame with one row a spectrum.

        Returns
        -------
        pandas.DataFrame
            The columns of `meta`, then ``flux``, ``wave`` and, where the errors are known, ``ivar``, whose cells are
            the 1-D arrays of each spectrum, shared with this object. `medium` and `flux_unit` are not kept.

        Raises
        ------
        ImportError
            If pandas is not installed.
        ValueError
            If `meta` has a column of one of these names.

        Examples
        --------
        >>> from skspec import Spectra
        >>> spectra = Spectra([[1.0, 2.0], [3.0, 4.0]], wave=[4000.0, 4001.0], meta={"class": ["A", "F"]})
        >>> df = spectra.to_pandas()
        >>> list(df)
        ['class', 'flux', 'wave']
        >>> Spectra(list(df.flux), wave=list(df.wave), meta=df[["class"]])
        <Spectra: 2 spectra × 2 pixels, 4000.0–4001.0 Å (vacuum), no ivar; meta: class>
        """
        try:
            import pandas as pd  # noqa: PLC0415
        except ImportError as error:
            raise ImportError("pandas is needed for this: pip install pandas") from error
        arrays = {"flux": self.flux, "wave": [self.wave] * len(self) if self.is_common_grid else self.wave}
        if self.ivar is not None:
            arrays["ivar"] = self.ivar
        taken = [name for name in arrays if name in self.meta.colnames]
        if taken:
            raise ValueError(
                f"meta has a column {taken[0]!r}, which would hold the {taken[0]} of the spectra; rename it"
            )
        frame = table_to_pandas(self.meta) if self.meta.colnames else pd.DataFrame(index=range(len(self)))
        for name, rows in arrays.items():
            frame[name] = pd.Series(list(rows), dtype=object)
        return frame

    def _repr_html_(self) -> str:
        return html_view(self)

    def plot(self, *, rows: Sequence[int] | None = None, ax: Axes | None = None) -> Axes:
        """Plot spectra against wavelength, each scaled to its median and shifted above the one before.

        Parameters
        ----------
        rows : sequence of int, default=None
            Spectra to plot; None takes the first eight.
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on; None makes new ones.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If there are no spectra to plot.
        """
        from skspec.spectra._plot import plot_spectra  # noqa: PLC0415

        return plot_spectra(self, rows=rows, ax=ax)


def _row_indices(key: Any, n: int) -> NDArray[np.int64] | slice:
    """Convert an integer, slice, mask or index array to what indexes every layout in the same way."""
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


def join_checked(parts: Sequence[Pixels], *, meta: Table) -> Spectra:
    """Join arrays that `check_pixels` has checked to `Spectra`, without checking them again.

    Parameters
    ----------
    parts : sequence of Pixels
        At least one, with vacuum wavelengths. All of them have ``ivar``, or none.
    meta : astropy.table.Table
        One row a spectrum.

    Returns
    -------
    Spectra
        Without flux unit.
    """
    new = object.__new__(Spectra)
    new.flux, new.wave, new.ivar, new.lattice = join(parts)
    new.flux_unit, new.meta, new.medium = None, as_table(meta, len(new.flux)), "vacuum"
    return new
