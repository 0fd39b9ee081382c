"""`Spectra`: a container of spectra with errors, wavelengths and catalogue columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy.table import Table
from numpy.typing import ArrayLike, NDArray

from skspec.checks import check_choice
from skspec.spectra._arrays import (
    Pixels,
    as_flux_and_ivar,
    as_wave,
    check_wave,
    join,
    map_rows,
    question_wave,
    rest_frame,
    row_indices,
    settle,
    snr,
    take,
    valid,
)
from skspec.spectra._catalogue import as_table, spectra_to_pandas, stack_tables
from skspec.spectra._lattice import Lattice
from skspec.spectra._repr import html_view, text_view
from skspec.spectra._wavelength import air_to_vacuum, rest_frame_factor, vacuum_to_air

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Spectra:
    """Spectra with inverse variances, wavelengths and one catalogue row each.

    scikit-learn's splitters, ``cross_val_score``, ``GridSearchCV`` and ``train_test_split`` accept `Spectra` as X:
    indexing by an integer, slice, mask or index array returns the `Spectra` of those rows. Spectra on one grid are
    stored as 2-D arrays; spectra on different grids are stored as lists of 1-D arrays, and `LogWaveResampler` puts them
    on one grid.

    A pixel is missing where ``ivar`` is zero or the flux is not finite. ``np.asarray(spectra)`` is the flux with NaN in
    missing pixels.

    Parameters
    ----------
    flux : array-like of shape (n_spectra, n_pixels), or sequence of n_spectra 1-D arrays
        Flux density per unit wavelength, stored as float32. Masked pixels become missing. The unit of a
        `~astropy.units.Quantity` is kept in `flux_unit`, with a power of ten if float32 cannot hold the numbers or their
        inverse variances; flux per unit frequency is an error.
    wave : array-like of shape (n_pixels,) or (n_spectra, n_pixels), or sequence of n_spectra 1-D arrays
        Wavelengths of the pixel centres in Å (or a length `~astropy.units.Quantity`), strictly increasing: one grid for
        all spectra, or one for each. Stored as float64. Numbers that cannot be Å, such as micrometres or pixel numbers,
        are an error, and those that may be nm a warning; X-rays need the unit.
    ivar : like `flux`, default=None
        Inverse variance of the flux, in ``flux_unit ** -2``. Values that are negative or not finite are stored as 0
        (missing). None if the errors are unknown.
    meta : astropy.table.Table, pandas.DataFrame, mapping of columns or None, default=None
        One row per spectrum. skspec uses the names ``file, survey, object, class, subclass, z, ra, dec`` (degrees),
        ``snr`` and ``native_medium``. Missing values of a DataFrame are masked; its index is dropped.
    medium : {"vacuum", "air"}, default="vacuum"
        Medium of `wave`. `read_spectra` always returns vacuum wavelengths.

    Attributes
    ----------
    flux, ivar, wave, meta, medium
        As above, checked. If `is_common_grid`, `flux` and `ivar` are arrays of shape (n_spectra, n_pixels) and `wave` of
        shape (n_pixels,), else all are lists of 1-D arrays.
    lattice : Lattice or None
        If grids differ but are all parts of one log-linear grid, as in most surveys: that grid, and the index on it of
        the first pixel of each spectrum. Such spectra are resampled together, which saves time.
    flux_unit : astropy.units.Unit or None
        Unit of the flux; None if it is relative or unknown.

    Raises
    ------
    ValueError
        If lengths disagree, wavelengths do not increase or are not positive, or a value does not fit float32.
    TypeError
        If `wave`, `flux` or `ivar` has a unit that is not a wavelength, flux per unit wavelength or its inverse square.

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

    flux: Any  # array if all spectra share one grid, else list of arrays; so are wave and ivar
    wave: Any
    ivar: Any
    meta: Table
    medium: str
    lattice: Lattice | None

    def __init__(
        self, flux: Any, *, wave: Any, ivar: Any = None, meta: Any = None, medium: str = "vacuum"
    ) -> None:
        check_choice("medium", medium, ("vacuum", "air"))
        flux_rows, ivar_rows, self.flux_unit = as_flux_and_ivar(flux, ivar)
        wave_rows = as_wave(wave)
        question_wave(wave, wave_rows)
        self.flux, self.wave, self.ivar, self.lattice = settle(flux_rows, wave_rows, ivar_rows)
        self.meta = as_table(meta, len(self.flux))
        self.medium = medium

    def replace(self, **changes: Any) -> Spectra:
        """Return a copy with some of its attributes replaced; the others are shared, not copied.

        Parameters
        ----------
        **changes : object
            New values of `flux`, `wave`, `ivar`, `meta`, `medium`, `flux_unit` or `lattice`, in the layout of these
            attributes. Only names (TypeError) and numbers of rows (ValueError) are checked. A new `wave` without a
            new `lattice` resets `lattice` to None.

        Returns
        -------
        Spectra
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
        sizes = {
            "wave": None if self.is_common_grid else self.wave,
            "ivar": self.ivar,
            "meta": self.meta if self.meta.colnames else None,
            "lattice": None if self.lattice is None else self.lattice.start,
        }
        for name, rows in sizes.items():
            if rows is not None and len(rows) != len(self):
                raise ValueError(f"{name} has {len(rows)} rows for {len(self)} spectra")

    def __getstate__(self) -> dict[str, Any]:
        # Grids on a lattice are rebuilt from it.
        return self.__dict__ if self.lattice is None else self.__dict__ | {"wave": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if self.lattice is not None:
            self.lattice.wave.flags.writeable = False
            self.wave = self.lattice.grids(list(map(len, self.flux)))

    # Sequence interface for scikit-learn ---------------------------------------------------------------

    @property
    def is_common_grid(self) -> bool:
        """Whether all spectra share one wavelength grid."""
        return isinstance(self.wave, np.ndarray)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of spectra, and number of pixels of the longest."""
        if isinstance(self.flux, np.ndarray):
            return self.flux.shape[0], self.flux.shape[1]
        return len(self.flux), max(map(len, self.flux), default=0)

    def __len__(self) -> int:
        return len(self.flux)

    def __iter__(self) -> Iterator[Spectra]:
        return (self[row] for row in range(len(self)))

    def __getitem__(self, key: Any) -> Spectra:
        """Return the spectra of some rows, given by an integer, slice, boolean mask or index array."""
        if isinstance(key, tuple) and len(key) == 2 and key[1] is Ellipsis:
            key = key[0]  # scikit-learn indexes arrays as X[rows, ...]
        if isinstance(key, tuple):
            raise IndexError("Spectra are indexed by rows only: use spectra[rows]")
        if isinstance(key, str):
            raise TypeError(f"Spectra are indexed by rows; the catalogue column is spectra.meta[{key!r}]")
        rows = row_indices(key, len(self))
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
                f"the {len(self)} spectra have different wavelength grids and cannot become a 2-D array; "
                "resample them with LogWaveResampler first"
            )
        good = self.valid
        if good.all():
            return np.array(self.flux, dtype=dtype, copy=copy)
        if copy is False:
            raise ValueError("copy=False is impossible: missing pixels become NaN, which needs a copy")
        return np.where(good, self.flux, np.float32(np.nan)).astype(dtype or np.float32, copy=False)

    def __repr__(self) -> str:
        return text_view(self)

    def _repr_html_(self) -> str:
        return html_view(self)

    @property
    def _pixels(self) -> Pixels:
        return Pixels(self.flux, self.wave, self.ivar, self.lattice)

    @classmethod
    def concatenate(cls, parts: Iterable[Spectra]) -> Spectra:
        """Concatenate spectra; equal grids stay one grid, and different media are converted to vacuum.

        Parameters
        ----------
        parts : iterable of Spectra
            At least one, with the same flux unit, and all or none with ``ivar``. Missing catalogue columns are masked.

        Returns
        -------
        Spectra
        """
        parts = list(parts)
        if not parts:
            raise ValueError("parts is empty; at least one Spectra is needed")
        if len({part.medium for part in parts}) > 1:
            parts = [part.to_vacuum() for part in parts]
        units = {str(part.flux_unit) for part in parts}
        if len(units) > 1:
            raise ValueError(
                f"spectra with flux units {', '.join(sorted(units))} cannot be concatenated; convert them first"
            )
        with_ivar = sum(part.ivar is not None for part in parts)
        if with_ivar not in (0, len(parts)):
            raise ValueError(f"{with_ivar} of {len(parts)} parts have ivar; all or none must have it")
        pixels = join([part._pixels for part in parts])
        meta = stack_tables([part.meta for part in parts], list(map(len, parts)))
        return parts[0].replace(**pixels._asdict(), meta=meta)

    # Properties ----------------------------------------------------------------------------------------

    @property
    def valid(self) -> Any:
        """Whether pixels are valid: finite flux and, if errors are known, ``ivar > 0``.

        Boolean array of shape (n_spectra, n_pixels), or a list of 1-D arrays if grids differ.
        """
        if isinstance(self.flux, np.ndarray):
            return valid(self.flux, self.ivar)
        return [valid(f, i) for f, i in zip(self.flux, self._ivar_rows(), strict=True)]

    @property
    def coverage(self) -> NDArray[np.float64]:
        """Fraction of valid pixels in each spectrum, shape (n_spectra,)."""
        return np.array([row.mean() if row.size else 0.0 for row in self.valid])

    @property
    def snr(self) -> NDArray[np.float64]:
        """Median signal-to-noise ratio per pixel of each spectrum, shape (n_spectra,).

        Median of ``flux * sqrt(ivar)`` over the valid pixels. If errors are unknown, the noise is estimated from the
        flux with DER_SNR (Stoehr et al. 2008, ASP Conf. Ser. 394, 505), which assumes a spectrum that is smooth over
        five pixels. NaN for a spectrum without enough valid pixels.
        """
        return np.array([snr(f, i) for f, i in zip(self.flux, self._ivar_rows(), strict=True)])

    def _ivar_rows(self) -> Any:
        return [None] * len(self) if self.ivar is None else self.ivar

    def sky_groups(self, radius: float = 3.0) -> NDArray[np.int64]:
        """Group spectra of the same object, for group-aware cross-validation.

        Friends of friends on ``meta["ra"]`` and ``meta["dec"]``, see `skspec.model_selection.sky_groups`.

        Parameters
        ----------
        radius : float, default=3.0
            Linking length in arcseconds (a survey fibre is 2 to 3.3 wide).

        Returns
        -------
        ndarray of shape (n_spectra,)
            Group of each spectrum, 0 … n_groups - 1.
        """
        from skspec.spectra.sky import sky_groups  # noqa: PLC0415

        missing = [name for name in ("ra", "dec") if name not in self.meta.colnames]
        if missing:
            raise ValueError(
                f"meta has no column {' or '.join(map(repr, missing))}; grouping spectra of an object needs positions"
            )
        return sky_groups(self.meta["ra"], self.meta["dec"], radius=radius)

    # Wavelength scales --------------------------------------------------------------------------------

    def to_vacuum(self) -> Spectra:
        """Return the spectra with vacuum wavelengths (Ciddor 1996); the same object if they are in vacuum."""
        if self.medium == "vacuum":
            return self
        return self.replace(wave=map_rows(air_to_vacuum, self.wave), medium="vacuum")

    def to_air(self) -> Spectra:
        """Return the spectra with air wavelengths (Ciddor 1996); wavelengths below 2000 Å stay in vacuum."""
        if self.medium == "air":
            return self
        wave = map_rows(vacuum_to_air, self.wave)
        check_wave(wave)
        return self.replace(wave=wave, medium="air")

    def to_rest_frame(self, z: ArrayLike | None = None) -> Spectra:
        """Return the spectra in the rest frame of their sources: wavelengths divided by 1 + z.

        Flux per ångström is multiplied by 1 + z, its inverse variance by (1 + z)**-2, which conserves the flux between
        two features. Air wavelengths are first converted to vacuum.

        Parameters
        ----------
        z : float or array-like of shape (n_spectra,), default=None
            Redshifts, finite and above -1; None takes ``meta["z"]``. With one number, a common grid stays common.

        Returns
        -------
        Spectra
        """
        if z is None:
            if "z" not in self.meta.colnames:
                raise ValueError("meta has no column 'z'; give the redshifts as z=")
            z = self.meta["z"]
        factor = rest_frame_factor(z, len(self))
        source = self.to_vacuum()
        return source.replace(**rest_frame(source._pixels, factor)._asdict())

    # Conversion and plots ------------------------------------------------------------------------------

    @classmethod
    def from_specutils(cls, spectra: Any, *, medium: str = "vacuum") -> Spectra:
        """Convert specutils spectra.

        Parameters
        ----------
        spectra : specutils.Spectrum, specutils.SpectrumList or iterable of specutils.Spectrum
            Flux of shape (n_pixels,) or (n_spectra, n_pixels), per unit wavelength. Masked pixels become missing
            (``ivar`` 0, or NaN flux without uncertainty) and uncertainties become inverse variances. Spectral axes in
            frequency or energy are converted to wavelengths and sorted.
        medium : {"vacuum", "air"}, default="vacuum"
            Medium of the wavelengths, which specutils does not record.

        Returns
        -------
        Spectra
            `meta` has the entries of each spectrum's ``meta`` that are text or numbers.
        """
        from skspec.spectra._specutils import from_specutils  # noqa: PLC0415

        return cls.concatenate(cls(**arguments, medium=medium) for arguments in from_specutils(spectra))

    def to_specutils(self) -> Any:
        """Convert to specutils.

        Returns
        -------
        specutils.Spectrum or specutils.SpectrumList
            One ``Spectrum`` with 2-D flux for a common grid, otherwise a list of them. Missing pixels are masked,
            inverse variances become uncertainties, and catalogue rows are in ``meta``. Relative flux is dimensionless.
        """
        from skspec.spectra._specutils import to_specutils  # noqa: PLC0415

        return to_specutils(self)

    def to_pandas(self) -> Any:
        """Convert to a pandas DataFrame with one row per spectrum.

        Returns
        -------
        pandas.DataFrame
            The columns of `meta`, then ``flux``, ``wave`` and, if the errors are known, ``ivar``, whose cells are 1-D
            arrays, shared with this object. `meta` must not have these columns. `medium` and `flux_unit` are dropped.

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
        return spectra_to_pandas(self)

    def plot(self, *, rows: Sequence[int] | None = None, ax: Axes | None = None) -> Axes:
        """Plot spectra against wavelength, see `skspec.plotting.plot_spectra`.

        Parameters
        ----------
        rows : sequence of int, default=None
            Spectra to plot; None takes the first eight.
        ax : matplotlib.axes.Axes, default=None
            Axes to draw on; None makes new ones.
        """
        from skspec.spectra._plot import plot_spectra  # noqa: PLC0415

        return plot_spectra(self, rows=rows, ax=ax)


def join_checked(parts: Sequence[Pixels], *, meta: Table) -> Spectra:
    """Join arrays checked by `check_pixels` to `Spectra` without checking them again.

    The `parts` are at least one, in vacuum, and all or none have ``ivar``. The result has no flux unit.
    """
    new = object.__new__(Spectra)
    new.flux, new.wave, new.ivar, new.lattice = join(parts)
    new.flux_unit, new.meta, new.medium = None, as_table(meta, len(new.flux)), "vacuum"
    return new
