"""Smooth spectra to a lower resolution: `ResolutionMatcher`."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skspec.checks import Choice, Constraints, Interval, refuse_quantity
from skspec.preprocessing._line_spread import line_spread
from skspec.spectra import Block, Spectra, as_wave, blocks, map_blocks
from skspec.spectra.inputs import check_pixel_widths, in_vacuum
from skspec.spectra.transformer import OneToOneTransformer

_LIGHT = 299792.458  # km/s
_SIGMA = 1 / np.sqrt(8 * np.log(2))  # of a Gaussian whose full width at half maximum is one
_UNITS = ("angstrom", "km/s", "R")

FloatArray = NDArray[np.floating]
Width = float | ArrayLike | Callable[[FloatArray], ArrayLike] | None


class ResolutionMatcher(OneToOneTransformer):
    """Smooth spectra to a lower resolution.

    Spectra from two instruments differ in the width of their lines, which a classifier may mistake for a difference of
    the objects. Bring all to the lowest resolution: each spectrum is smoothed by a Gaussian of variance
    ``target² - source²``, which may change with wavelength.

    Parameters
    ----------
    source : float, array-like of shape (n, 2) or callable, default=None
        Full width at half maximum of an unresolved line in X; required, 0 for models that are not broadened. A
        number applies to all wavelengths. Rows of wavelength and width are interpolated linearly, and must cover the
        spectra. A function takes an array of vacuum wavelengths in Å and returns the widths.
    target : float, array-like of shape (n, 2) or callable, default=None
        The same for the result; required.
    source_unit, target_unit : {"angstrom", "km/s", "R"}, default="angstrom"
        Unit of the widths; ``"R"`` is the resolving power, wavelength over width.
    wave : array-like of shape (n_features,) or pair of floats, default=None
        Vacuum wavelengths, in Å, of the columns of a 2-D array X; a pair is the first and last wavelength of a
        linear grid. Not used for `Spectra`.
    coarser : {"raise", "keep"}, default="raise"
        What to do where `source` is coarser than `target`, which smoothing cannot correct: raise an error that says
        where, or leave those pixels unchanged.
    min_coverage : float, default=0.5
        A pixel is missing when less than this fraction of its weight lies on valid pixels; if not, it is the mean over
        those. The end of the grid cuts off up to half of the weight, so above 0.5 some pixels are lost there.

    Attributes
    ----------
    n_features_in_ : int
        Number of pixels seen in fit, when X was a 2-D array.

    Raises
    ------
    ValueError
        If a parameter is invalid or missing, widths are negative, not finite or unknown for some wavelengths,
        or `source` is coarser than `target` and ``coarser="raise"``.

    See Also
    --------
    LogWaveResampler : Bring spectra onto a common grid, after this step.

    Notes
    -----
    The weights are integrals of the Gaussian over pixels, with a width such that their variance is the required one,
    also when the Gaussian is narrower than a pixel: widths of lines then add in quadrature. `source` is the width of
    lines in X, which includes the width of the pixels. Grids are arbitrary; the operator of a grid is built once, in some
    milliseconds, and reused. Grids cut from one log-linear lattice, as those of survey files, share one. Each pixel gets
    a Gaussian of its own width, with weights that add up to one: a flat spectrum stays flat to its ends.

    The variance of a smoothed pixel is ``Σ w² var f / (Σ w)²`` over its weights. Noise of neighbouring pixels is
    correlated after smoothing; the covariance is not propagated, so that sums over pixels seem more precise than they
    are.

    Widths in Å are those of the observer's frame: match spectra before converting them to the rest frame, where lines of
    width w have width ``w / (1 + z)``. Widths in km/s and resolving powers do not change.

    The published code for joint MK classification (StellarClassification) smooths by ``sqrt(|1 / s² - 1 / t²|)``
    pixels, for pixel steps s and t of the two grids in Å, which is too small by the factor t, and uses the steps in place
    of the resolutions. Here widths are those of lines.

    Examples
    --------
    >>> import numpy as np
    >>> from skspec import ResolutionMatcher
    >>> wave = np.arange(5000.0, 5100.0, 0.5)
    >>> line = np.exp(-4 * np.log(2) * ((wave - 5050.0) / 3.0) ** 2)  # 3 Å wide
    >>> matched = ResolutionMatcher(source=3.0, target=5.0, wave=wave).fit_transform(line[None])
    >>> float(matched.max())  # 3 / 5
    0.6
    """

    _parameter_constraints: ClassVar[Constraints] = {
        "source_unit": [Choice(_UNITS)],
        "target_unit": [Choice(_UNITS)],
        "coarser": [Choice(("raise", "keep"))],
        "min_coverage": [Interval(Real, 0, 1, "right")],
    }

    def __init__(
        self,
        source: Width = None,
        target: Width = None,
        *,
        source_unit: str = "angstrom",
        target_unit: str = "angstrom",
        wave: ArrayLike | None = None,
        coarser: str = "raise",
        min_coverage: float = 0.5,
    ) -> None:
        self.source = source
        self.target = target
        self.source_unit = source_unit
        self.target_unit = target_unit
        self.wave = wave
        self.coarser = coarser
        self.min_coverage = min_coverage

    def transform(self, X: Any) -> Any:
        """Smooth the spectra.

        Parameters
        ----------
        X : Spectra, or array-like of shape (n_spectra, n_pixels)

        Returns
        -------
        Spectra or ndarray of shape (n_spectra, n_pixels)
            As X is, on the same grid or grids, with ``ivar`` propagated; missing pixels have NaN flux, and
            ``ivar`` 0.
        """
        vacuum, wave = self._check(X, reset=False)
        matched = map_blocks(self._match, vacuum, wave, one_grid=True)
        return (
            matched.replace(wave=X.wave, lattice=X.lattice, medium=X.medium)
            if isinstance(X, Spectra)
            else matched
        )

    def _check(self, X: Any, *, reset: bool) -> tuple[Any, NDArray[np.float64] | None]:
        X, _ = super()._check(X, reset=reset)
        check_pixel_widths(X)
        X, wave = in_vacuum(X, self.wave)
        if reset:
            for block in blocks(X[:1], wave, one_grid=True):
                self._sigma(block.wave)
        return X, wave

    def _match(self, block: Block) -> tuple[FloatArray, FloatArray | None]:
        return line_spread(block.wave, self._sigma(block.wave))(block, min_coverage=self.min_coverage)

    def _sigma(self, wave: FloatArray) -> NDArray[np.float64]:
        """Return the standard deviation in Å of the Gaussian to smooth by at each wavelength."""
        source = _fwhm("source", self.source, self.source_unit, wave)
        target = _fwhm("target", self.target, self.target_unit, wave)
        if self.coarser == "raise":
            worst = int(np.argmax(source - target))
            if source[worst] > target[worst] * (1 + 1e-9):
                raise ValueError(
                    f"source is coarser than target at {np.mean(source > target):.0%} of the wavelengths: "
                    f"{source[worst]:.4g} and {target[worst]:.4g} Å at {wave[worst]:.1f} Å; choose a coarser "
                    "target, or coarser='keep' to leave those pixels as they are"
                )
        return np.sqrt(np.maximum(target**2 - source**2, 0)) * _SIGMA


def _fwhm(name: str, width: Any, unit: str, wave: FloatArray) -> NDArray[np.float64]:
    """Return the full width at half maximum in Å at each wavelength."""
    if width is None:
        raise ValueError(
            f"{name} is None; give the full width at half maximum of an unresolved line, in {unit}"
        )
    refuse_quantity(name, width)
    values = np.asarray(width(wave) if callable(width) else width, dtype=np.float64)
    if values.ndim == 2 and values.shape[1] == 2 and not callable(width):
        known = as_wave(values[:, 0])
        if wave[0] < known[0] or wave[-1] > known[-1]:
            raise ValueError(
                f"{name} is known from {known[0]:.1f} to {known[-1]:.1f} Å, the spectra reach from {wave[0]:.1f} to "
                f"{wave[-1]:.1f} Å"
            )
        values = np.interp(wave, known, values[:, 1])
    elif values.shape not in ((), wave.shape) or (values.shape and not callable(width)):
        raise ValueError(
            f"{name} has shape {values.shape}; a number, rows of wavelength and width, or a function that gives a "
            "width for each wavelength is needed"
        )
    usable = values > 0 if unit == "R" else (values >= 0) & np.isfinite(values)
    if not usable.all():
        raise ValueError(
            f"{name} must be {'positive' if unit == 'R' else 'finite and not negative'}, got "
            f"{values[~usable][0]:g}"
        )
    if unit == "km/s":
        values = wave * values / _LIGHT
    elif unit == "R":
        values = wave / values
    return np.broadcast_to(values, wave.shape)
