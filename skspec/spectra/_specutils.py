"""To and from specutils, when that is installed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from astropy import units as u
from astropy.nddata import InverseVariance
from astropy.table import Table

from skspec.spectra._spectra import Spectra


def from_specutils(spectra: Any, *, medium: str = "vacuum") -> Spectra:
    """Take over specutils spectra.

    Parameters
    ----------
    spectra : specutils.Spectrum, specutils.SpectrumList or iterable of specutils.Spectrum
        Spectra with flux of shape (n_pixels,) or (n_spectra, n_pixels). Masked pixels become missing
        (``ivar`` 0, or NaN flux where there is no uncertainty), uncertainties inverse variances. Axes in
        frequency or energy are turned into wavelengths and sorted; flux must be per unit wavelength.
    medium : {"vacuum", "air"}, default="vacuum"
        Medium of the wavelengths, which specutils does not record.

    Returns
    -------
    Spectra
        ``meta`` holds the scalar entries of each spectrum's ``meta`` whose values are text or numbers.
    """
    items = [spectra] if hasattr(spectra, "spectral_axis") else list(spectra)
    return Spectra.concatenate(_from_one(item, medium) for item in items)


def _from_one(spectrum: Any, medium: str) -> Spectra:
    wave = spectrum.spectral_axis.to(u.AA, u.spectral())
    flux = u.Quantity(np.atleast_2d(spectrum.flux.value), spectrum.flux.unit)
    mask = np.zeros(flux.shape, bool) if spectrum.mask is None else np.atleast_2d(spectrum.mask)
    ivar = None
    if spectrum.uncertainty is not None:
        error = spectrum.uncertainty
        if not isinstance(error, InverseVariance):
            with np.errstate(divide="ignore"):  # an error of zero says nothing: Spectra makes it missing
                error = error.represent_as(InverseVariance)
        ivar = u.Quantity(np.where(mask, 0.0, np.atleast_2d(error.array)), flux.unit**-2)
    elif mask.any():
        flux = np.where(mask, np.nan, flux.value) * flux.unit
    if wave[0] > wave[-1]:
        wave, flux, ivar = wave[::-1], flux[:, ::-1], None if ivar is None else ivar[:, ::-1]
    scalars = {
        str(key): [value] * len(flux)
        for key, value in spectrum.meta.items()
        if isinstance(value, str | int | float)
    }
    return Spectra(flux, wave=wave, ivar=ivar, meta=Table(scalars), medium=medium)


def to_specutils(spectra: Spectra) -> Any:
    """Hand spectra over to specutils.

    Parameters
    ----------
    spectra : Spectra

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
    try:
        from specutils import Spectrum, SpectrumList  # noqa: PLC0415
    except ImportError as error:
        raise ImportError("specutils is needed for this: pip install specutils") from error
    unit = spectra.flux_unit or u.dimensionless_unscaled

    def convert(flux: Any, wave: Any, ivar: Any, valid: Any, meta: dict[str, Any]) -> Any:
        return Spectrum(
            flux=u.Quantity(flux, unit),
            spectral_axis=u.Quantity(wave, u.AA),
            uncertainty=None if ivar is None else InverseVariance(ivar, unit=unit**-2),
            mask=~valid,
            meta=meta,
        )

    columns = spectra.meta.colnames
    if spectra.is_common_grid:
        meta = {name: spectra.meta[name] for name in columns}
        return convert(spectra.flux, spectra.wave, spectra.ivar, spectra.valid, meta)
    ivar: Iterable[Any] = spectra.ivar if spectra.ivar is not None else [None] * len(spectra)
    rows = zip(spectra.flux, spectra.wave, ivar, spectra.valid, strict=True)
    return SpectrumList(
        [convert(*row, {name: spectra.meta[name][k] for name in columns}) for k, row in enumerate(rows)]
    )
