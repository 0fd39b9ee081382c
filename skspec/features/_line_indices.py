"""Strengths of spectral lines in fixed bands, such as the Lick indices: `LineIndices`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skspec.checks import BOOLEAN, Choice, Constraints, Instance, check_choice
from skspec.features._lick import LICK, IndexDefinition
from skspec.features._names import Names
from skspec.spectra import Block, blocks, outer_edges
from skspec.spectra.inputs import in_vacuum, row_name
from skspec.spectra.transformer import StatelessTransformer

_EDGE_TOLERANCE = 1e-6  # Å by which pixels may fall short of a band: rounding of wavelengths


class LineIndices(StatelessTransformer):
    """Equivalent widths and magnitudes of lines in fixed bands: the Lick/IDS indices, or bands of your own.

    The mean flux in a blue and a red band, joined by a straight line through the middles of the bands, makes the
    pseudo-continuum F_c. With the flux F in the index band, from λ₁ to λ₂, the index is

    - as equivalent width, ``∫ (1 - F / F_c) dλ`` in Å,
    - in magnitudes, ``-2.5 log₁₀[∫ (F / F_c) dλ / (λ₂ - λ₁)]``,

    both positive for absorption. Flux is constant within a pixel, and pixels at the ends of a band count by the part
    of them that lies in it; F_c is that in the middle of the part.

    Parameters
    ----------
    indices : sequence of str or mapping, default=None
        Indices to measure. None takes all 25 Lick/IDS indices: CN1, CN2, Ca4227, G4300, Fe4383, Ca4455, Fe4531,
        C4668, Hbeta, Fe5015, Mg1, Mg2, Mgb, Fe5270, Fe5335, Fe5406, Fe5709, Fe5782, NaD, TiO1, TiO2 (Trager et al.
        1998, ApJS 116, 1, after Worthey et al. 1994, ApJS 94, 687), Hdelta_A, Hgamma_A, Hdelta_F and Hgamma_F
        (Worthey and Ottaviani 1997, ApJS 111, 377); a sequence of names selects some. A mapping defines others: from a
        name to (index band, blue band, red band, kind), where each band is a pair of vacuum wavelengths in Å and
        the kind is ``"ew"`` or ``"mag"``.
    errors : bool, default=False
        Whether to add a column with the standard error of each index, such as ``Hdelta_A_error``. Needs `Spectra`
        with ``ivar``.
    missing : {"nan", "raise"}, default="nan"
        How to treat an index whose three bands are not all covered by the spectrum, or contain a missing pixel: return
        NaN, or raise an error.
    wave : array-like of shape (n_features,) or pair of floats, default=None
        Vacuum wavelengths, in Å, of the columns of a 2-D array X; a pair is the first and last wavelength of
        a linear grid. Not used for `Spectra`.

    Attributes
    ----------
    n_features_in_ : int
        Number of pixels seen in fit, when X was a 2-D array.

    Raises
    ------
    ValueError
        If a parameter is invalid, ``errors=True`` and X has no ``ivar``, X is a 2-D array and `wave` is not given, or
        an index cannot be measured and ``missing="raise"``.

    See Also
    --------
    WienFitFeatures : Temperature of the continuum.
    Spectra.to_rest_frame : Brings lines to where their bands are.

    Notes
    -----
    Bands are in the rest frame: convert redshifted spectra first. The Lick bands, published in air, are converted to
    vacuum; equivalent widths are in vacuum Å, larger than in air by 0.03 per cent.

    Values on the Lick system need spectra of its resolution, a full width at half maximum of 8 to 11 Å (Worthey and
    Ottaviani 1997), and its flux calibration. At another resolution, indices can be compared with each other only.

    Errors are propagated to first order from independent pixels, through the index band and both bands of the
    continuum. Unlike in the formulae of Cardiel et al. (1998, A&AS 127, 597), pixels that two bands share
    count in both. First order fails where the continuum is within a few standard errors of zero.
    An index is NaN where its continuum is zero, and in magnitudes where the band has no positive flux
    relative to it.

    Examples
    --------
    Nine pixels of 1 Å with zero flux have an equivalent width of 9 Å:

    >>> import numpy as np
    >>> from skspec import LineIndices
    >>> wave = np.linspace(4700.0, 5000.0, 301)
    >>> flux = np.where(np.abs(wave - 4862.0) < 5.0, 0.0, 1.0)[None]
    >>> indices = {"line": ((4850.0, 4875.0), (4830.0, 4850.0), (4875.0, 4890.0), "ew")}
    >>> LineIndices(indices, wave=wave).fit_transform(flux)
    array([[9.]])
    """

    _parameter_constraints: ClassVar[Constraints] = {
        "indices": [Names(LICK), Instance(Mapping, "a mapping"), None],
        "errors": [BOOLEAN],
        "missing": [Choice(("nan", "raise"))],
    }

    def __init__(
        self,
        indices: Sequence[str] | Mapping[str, tuple[Any, Any, Any, str]] | None = None,
        *,
        errors: bool = False,
        missing: str = "nan",
        wave: ArrayLike | None = None,
    ) -> None:
        self.indices = indices
        self.errors = errors
        self.missing = missing
        self.wave = wave

    def transform(self, X: Any) -> NDArray[np.float64]:
        """Measure the indices of each spectrum.

        Parameters
        ----------
        X : Spectra, or array-like of shape (n_spectra, n_features)
            Spectra at rest on any grids, or a 2-D array on the grid `wave`.

        Returns
        -------
        ndarray of shape (n_spectra, n_columns)
            The indices in their order, followed by their errors with ``errors=True``.
        """
        X, wave = self._check(X, reset=False)
        definitions = self._definitions()
        out = np.empty((len(X), len(self.get_feature_names_out())))
        for block in blocks(X, wave):
            cut = _Bands(block, definitions.values())
            for k, (name, definition) in enumerate(definitions.items()):
                value, error, complete = _measure(definition, *cut(k), errors=self.errors)
                if self.missing == "raise" and not complete.all():
                    row = block.rows.start + int(np.argmin(complete))
                    raise ValueError(
                        f"{row_name(row, X)} does not cover the bands of {name}, or misses pixels in them; leave it "
                        "out of indices, or choose missing='nan'"
                    )
                out[block.rows, k] = value
                if error is not None:
                    out[block.rows, len(definitions) + k] = error
        return out

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Names of the output columns: those of the indices, then those with ``_error``.

        Returns an ndarray of str objects of shape (n_columns,); `input_features` is ignored.
        """
        names = list(self._definitions())
        return np.array(names + [f"{name}_error" for name in names] * self.errors, dtype=object)

    def _definitions(self) -> dict[str, IndexDefinition]:
        if self.indices is None:
            return LICK
        if not isinstance(self.indices, Mapping):
            return {name: LICK[name] for name in self.indices}
        if not self.indices:
            raise ValueError("indices is empty; at least one is needed")
        return {name: _as_definition(name, bands) for name, bands in self.indices.items()}

    def _check(self, X: Any, *, reset: bool) -> tuple[Any, NDArray[np.float64] | None]:
        X, _ = super()._check(X, reset=reset)
        self._definitions()
        if self.errors and getattr(X, "ivar", None) is None:
            raise ValueError("errors=True needs Spectra with ivar")
        X, wave = in_vacuum(X, self.wave)
        if X.shape[1] == 1:
            raise ValueError("wave has 1 pixel; at least 2 are needed to know how wide pixels are")
        return X, wave


def _as_definition(name: str, bands: Any) -> IndexDefinition:
    """Check the bands that a user defined."""
    try:
        *limits, kind = bands
        pairs = np.array(limits, dtype=np.float64)
    except (TypeError, ValueError):
        pairs, kind = np.empty(0), None
    if pairs.shape != (3, 2) or not (pairs[:, 0] < pairs[:, 1]).all() or not (pairs > 0).all():
        raise ValueError(
            f"indices[{name!r}] must be (index band, blue band, red band, kind) with bands (lower, upper) in Å, "
            f"got {bands!r}"
        )
    check_choice(f"the kind of indices[{name!r}]", kind, ("ew", "mag"))
    band, blue, red = ((float(low), float(high)) for low, high in pairs)
    if sum(blue) >= sum(red):
        raise ValueError(f"indices[{name!r}] has its blue band, {blue}, not bluewards of its red band, {red}")
    return IndexDefinition(band, blue, red, kind)


class _Bands:
    """Cut from a block the pixels that an index needs: flux, ivar, and lower and upper edges of the pixels."""

    def __init__(self, block: Block, definitions: Any) -> None:
        self.block = block
        edges = np.empty((*block.wave.shape[:-1], block.wave.shape[-1] + 1))
        edges[..., 1:-1] = 0.5 * (block.wave[..., 1:] + block.wave[..., :-1])
        edges[..., 0], edges[..., -1] = outer_edges(block.wave.T)
        self.edges = edges
        ends = [(min(d.band[0], d.blue[0]), max(d.band[1], d.red[1])) for d in definitions]
        at = np.array([np.searchsorted(row, ends) for row in np.atleast_2d(edges)])  # (n or 1, n_indices, 2)
        last = block.flux.shape[1] - 1
        self.first = np.clip(at[..., 0] - 1, 0, last)
        self.width = np.maximum(np.minimum(at[..., 1], last + 1) - self.first, 1).max(axis=0)

    def __call__(self, k: int) -> tuple[Any, Any, Any, Any]:
        flux, ivar, edges, width = self.block.flux, self.block.ivar, self.edges, self.width[k]
        if edges.ndim == 1:
            low = int(self.first[0, k])
            cut = slice(low, low + width)
            return (
                flux[:, cut],
                None if ivar is None else ivar[:, cut],
                edges[:-1][cut],
                edges[1:][cut],
            )
        # A row that ends within the width repeats its last pixel, which is missing.
        columns = np.minimum(self.first[:, k, None] + np.arange(width), flux.shape[1] - 1)
        rows = np.arange(len(flux))[:, None]
        pixels, below = columns + rows * flux.shape[1], columns + rows * edges.shape[1]
        return (
            flux.take(pixels),
            None if ivar is None else ivar.take(pixels),
            edges.take(below),
            edges.take(below + 1),
        )


def _measure(
    definition: IndexDefinition, flux: Any, ivar: Any, low: Any, high: Any, *, errors: bool
) -> tuple[Any, Any, Any]:
    """Index, its standard error or None, and whether all of its pixels are there, for each row."""
    band, blue, red, kind = definition
    inside, in_blue, in_red = (_overlap(low, high, limits) for limits in (band, blue, red))
    length = band[1] - band[0]
    weight_blue, weight_red = in_blue / (blue[1] - blue[0]), in_red / (red[1] - red[0])
    used = inside + in_blue + in_red > 0
    good = np.isfinite(flux)
    complete = (good | ~used).all(axis=1)
    for overlap, limits in ((inside, band), (in_blue, blue), (in_red, red)):
        complete = complete & (overlap.sum(axis=-1) > limits[1] - limits[0] - _EDGE_TOLERANCE)

    flux = np.where(good, flux, 0).astype(np.float64)
    middle = 0.5 * (np.maximum(low, band[0]) + np.minimum(high, band[1]))  # of the part inside
    centre_blue, centre_red = 0.5 * sum(blue), 0.5 * sum(red)
    share = np.where(inside > 0, (middle - centre_blue) / (centre_red - centre_blue), 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        continuum = _sum(flux, weight_blue)[:, None] * (1 - share) + _sum(flux, weight_red)[:, None] * share
        weight = np.where(inside > 0, inside / continuum, 0.0)
        kept = np.einsum("ij,ij->i", weight, flux)
        value = length - kept if kind == "ew" else -2.5 * np.log10(kept / length)
        value = np.where(complete & np.isfinite(value), value, np.nan)
        if not errors:
            return value, None, complete
        lost = np.where(inside > 0, weight * flux / continuum, 0.0)  # by continuum, of what is kept
        by_blue, by_red = _sum(lost, 1 - share)[:, None], _sum(lost, share)[:, None]
        gradient = weight - by_blue * weight_blue - by_red * weight_red
        variance = np.where(used & (ivar > 0), gradient**2 / ivar, 0.0).sum(axis=1)
        error = np.sqrt(variance) * (1.0 if kind == "ew" else 2.5 / np.log(10.0) / kept)
    return value, np.where(np.isfinite(value), error, np.nan), complete


def _overlap(low: Any, high: Any, band: tuple[float, float]) -> Any:
    """Length in Å of each pixel that lies in a band."""
    return np.maximum(np.minimum(high, band[1]) - np.maximum(low, band[0]), 0.0)


def _sum(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weighted sum over pixels; weights have one row for all or one for each."""
    return values @ weights if weights.ndim == 1 else np.einsum("ij,ij->i", values, weights)
