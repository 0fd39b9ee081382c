"""Strengths of spectral lines in fixed bands, such as the Lick indices: `LineIndices`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
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
    """Cut from a block the pixels that each index needs."""

    def __init__(self, block: Block, definitions: Iterable[IndexDefinition]) -> None:
        wave, n_pixels = block.wave, block.flux.shape[1]
        edges = np.empty((*wave.shape[:-1], n_pixels + 1))
        np.add(wave[..., 1:], wave[..., :-1], out=edges[..., 1:-1])
        edges[..., 1:-1] *= 0.5
        edges[..., 0], edges[..., -1] = outer_edges(wave.T)
        limits = np.array([definition[:3] for definition in definitions])  # (n_indices, 3 bands, 2)
        at = np.stack([row.searchsorted(limits) for row in np.atleast_2d(edges)])
        at[..., 0] -= 1
        np.clip(at, 0, n_pixels, out=at)
        first, last = at.min(axis=(2, 3)), at.max(axis=(2, 3))
        widest = max(int((last - first).max()), 1)
        self.first = np.minimum(first, n_pixels - widest)
        self.width = (last - self.first).max(axis=0).tolist()
        at -= self.first[:, :, None, None]
        self.bands = np.stack([at[..., 0].min(axis=0), at[..., 1].max(axis=0)], axis=-1).tolist()
        self.arrays: tuple[Any, Any, Any] = block.flux, block.ivar, edges
        self.windows: tuple[Any, Any, Any] | None = None
        if edges.ndim == 2:
            self.windows = (
                sliding_window_view(block.flux, widest, axis=1),
                None if block.ivar is None else sliding_window_view(block.ivar, widest, axis=1),
                sliding_window_view(edges, widest + 1, axis=1),
            )

    def __call__(self, k: int) -> tuple[Any, Any, Any, list[slice]]:
        """Flux, ivar and edges of the pixels of index `k`, and where its band, its blue and its red band are in them."""
        first, width = self.first[:, k], self.width[k]
        bands = [slice(*band) for band in self.bands[k]]
        if self.windows is None:
            flux, ivar, edges = self.arrays
            cut = slice(first[0], first[0] + width)
            edges = edges[first[0] : first[0] + width + 1]
            return flux[:, cut], None if ivar is None else ivar[:, cut], edges, bands
        flux, ivar, edges = self.windows
        rows = np.arange(len(flux))
        ivar = None if ivar is None else ivar[rows, first, :width]
        return flux[rows, first, :width], ivar, edges[rows, first, : width + 1], bands


def _measure(
    definition: IndexDefinition, flux: Any, ivar: Any, edges: Any, bands: list[slice], *, errors: bool
) -> tuple[Any, Any, Any]:
    """Index, its standard error or None, and whether all of its pixels are there, for each row."""
    complete: Any = True
    parts = []
    for pixels, (low, high) in zip(bands, definition[:3], strict=True):
        clipped = np.minimum(np.maximum(edges[..., pixels.start : pixels.stop + 1], low), high)
        inside = clipped[..., 1:] - clipped[..., :-1]  # length in Å of each pixel that lies in the band
        part = np.where(inside > 0, flux[:, pixels], np.float64(0))
        total = _sum(part, inside)
        complete = (
            complete & (clipped[..., -1] - clipped[..., 0] > high - low - _EDGE_TOLERANCE) & ~np.isnan(total)
        )
        parts.append((clipped, inside, part, total / (high - low)))
    (clipped, inside, part, _), (_, in_blue, _, mean_blue), (_, in_red, _, mean_red) = parts

    band, blue, red, kind = definition
    length = band[1] - band[0]
    centre_blue, centre_red = 0.5 * sum(blue), 0.5 * sum(red)
    middle = 0.5 * (clipped[..., 1:] + clipped[..., :-1])  # of the part inside
    share = (middle - centre_blue) / (centre_red - centre_blue)
    with np.errstate(divide="ignore", invalid="ignore"):
        continuum = mean_blue[:, None] * (1 - share) + mean_red[:, None] * share
        weight = np.where(inside > 0, inside / continuum, 0.0)
        kept = np.einsum("ij,ij->i", weight, part)
        value = length - kept if kind == "ew" else -2.5 * np.log10(kept / length)
        value = np.where(complete & np.isfinite(value), value, np.nan)
        if not errors:
            return value, None, complete
        lost = np.where(inside > 0, weight * part / continuum, 0.0)  # by continuum, of what is kept
        gradient = np.zeros(flux.shape)
        gradient[:, bands[0]] = weight
        by_red = _sum(lost, share)
        by_blue = lost.sum(axis=1) - by_red
        gradient[:, bands[1]] -= (by_blue / (blue[1] - blue[0]))[:, None] * in_blue
        gradient[:, bands[2]] -= (by_red / (red[1] - red[0]))[:, None] * in_red
        gradient *= gradient
        variance = np.where(ivar > 0, gradient / ivar, 0.0).sum(axis=1)
        error = np.sqrt(variance) * (1.0 if kind == "ew" else 2.5 / np.log(10.0) / kept)
    return value, np.where(np.isfinite(value), error, np.nan), complete


def _sum(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weighted sum over pixels; weights have one row for all or one for each."""
    return values @ weights if weights.ndim == 1 else np.einsum("ij,ij->i", values, weights)
