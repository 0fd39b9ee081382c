"""Convert to and from specutils, if it is installed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy import units as u
from astropy.nddata import InverseVariance

if TYPE_CHECKING:
    from skspec.spectra._spectra import Spectra


def from_specutils(spectra: Any) -> Iterator[dict[str, Any]]:
    """Yield the arguments ``flux, wave, ivar, meta`` of `Spectra` for each specutils spectrum."""
    for item in [spectra] if hasattr(spectra, "spectral_axis") else spectra:
        yield _from_one(item)


def _from_one(spectrum: Any) -> dict[str, Any]:
    wave = spectrum.spectral_axis.to(u.AA, u.spectral())
    flux = u.Quantity(np.atleast_2d(spectrum.flux.value), spectrum.flux.unit)
    mask = np.zeros(flux.shape, bool) if spectrum.mask is None else np.atleast_2d(spectrum.mask)
    ivar = None
    if spectrum.uncertainty is not None:
        error = spectrum.uncertainty
        if not isinstance(error, InverseVariance):
            with np.errstate(divide="ignore"):  # an error of zero becomes an infinite ivar, which is missing
                error = error.represent_as(InverseVariance)
        ivar = u.Quantity(np.where(mask, 0.0, np.atleast_2d(error.array)), flux.unit**-2)
    elif mask.any():
        flux = np.where(mask, np.nan, flux.value) * flux.unit
    if wave[0] > wave[-1]:
        wave, flux, ivar = wave[::-1], flux[:, ::-1], None if ivar is None else ivar[:, ::-1]
    meta = {
        str(key): [value] * len(flux)
        for key, value in spectrum.meta.items()
        if isinstance(value, str | int | float)
    }
    return {"flux": flux, "wave": wave, "ivar": ivar, "meta": meta}


def to_specutils(spectra: Spectra) -> Any:
    """Convert to a specutils ``Spectrum`` (common grid) or ``SpectrumList``."""
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
