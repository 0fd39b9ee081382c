"""Least squares of ``A φ + C`` with φ = λ⁻⁵ exp(-x u), x = hc/(kλ) and u = 1/T, for many spectra at once.

For a given u the best A and C are known in closed form (variable projection: Golub and Pereyra 1973, SIAM J. Numer.
Anal. 10, 413), so that only the u at which φ explains most of the flux has to be found. That needs sums over pixels
like ``Σ w f λ⁻⁵ exp(-x u)`` at many u. Since exp(-x u) is smooth in x, its values at some 45 Chebyshev nodes determine
it everywhere to rounding: one matrix product turns the pixels of each spectrum into weights of these nodes, and sums
over nodes then equal those over pixels.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.polynomial.chebyshev import chebvander
from numpy.typing import NDArray
from scipy import constants
from scipy.special import ive

from skspec.spectra import Block

FloatArray = NDArray[np.float64]

HC_OVER_K = constants.h * constants.c / constants.k * 1e10
"""Second radiation constant in Å K."""

_SCAN = 33  # values of u to look at before the best is refined
_STEPS = 60  # bisection alone needs fewer
_STEP_TOLERANCE = 1e-9  # a Newton step this small leaves an error of its square
_NOTHING = 1e-13  # a correlation with φ that is rounding
_SAME_GRID = 1e-12
_LOST = 3.0  # natural logarithm of how much φ may fall from the end of the grid to the last valid pixel


class Fit(NamedTuple):
    """Parameters of each spectrum and the weighted sum of its squared residuals."""

    u: FloatArray
    amplitude: FloatArray
    offset: FloatArray
    chi2: FloatArray


class _Basis:
    """The nodes of one wavelength grid.

    The exponent is counted from the longest wavelength, ``t = x - x_last``, and φ is scaled to 1 there: then
    nothing overflows.
    """

    def __init__(self, wave: FloatArray, n_nodes: int) -> None:
        x = HC_OVER_K / wave
        half = 0.5 * (x[0] - x[-1]) or 1.0
        angle = np.pi * (np.arange(n_nodes) + 0.5) / n_nodes
        self.t = half * (1.0 + np.cos(angle))
        self._to_nodes = np.cos(np.arange(n_nodes)[:, None] * angle) * (2.0 / n_nodes)
        self._to_nodes[0] *= 0.5
        self._polynomials = chebvander((x - x[-1]) / half - 1.0, n_nodes - 1)
        self._h = (wave[-1] / wave) ** 5

    def weights(self, pixels: FloatArray, power: int) -> FloatArray:
        """Weights of nodes, for sums with ``exp(-power t u)``, from those of pixels with ``φ ** power``."""
        return (pixels * self._h**power) @ self._polynomials @ self._to_nodes


class _Sums(NamedTuple):
    """The sums that the fit needs; `w` are the weights of pixels and f their flux."""

    t: FloatArray  # nodes, (n or 1, n_nodes)
    wf: FloatArray  # node weights of w f, (n, n_nodes)
    w: FloatArray  # of w, (n or 1, n_nodes)
    w2: FloatArray  # of w, for the square of φ
    total: FloatArray  # Σ w, (n,)
    flux: FloatArray  # Σ w f
    power: FloatArray  # Σ w f²


class LeastSquares:
    """Fit blocks of spectra; the nodes of a grid that they share are computed once.

    Parameters
    ----------
    offset : bool
        Whether to fit C.
    bounds : (float, float)
        Smallest and largest u in 1/K.
    """

    def __init__(self, *, offset: bool, bounds: tuple[float, float]) -> None:
        self.offset = offset
        self.bounds = bounds
        self._shared: _Basis | None = None

    def __call__(self, block: Block) -> Fit:
        """Fit the spectra of a block."""
        grids, scale = _grids(block)
        last = scale * np.array([grid[-1] for grid in grids])
        fit = self._fit(block, grids, scale, last)
        for row, end in _ends(block, last, self.bounds[1]):
            part = block.first_pixels(row, end)
            alone = self._fit(part, list(part.wave), np.ones(1), part.wave[:, -1])
            for values, value in zip(fit, alone, strict=True):
                values[row] = value[0]
        return fit

    def _fit(self, block: Block, grids: list[FloatArray], scale: FloatArray, last: FloatArray) -> Fit:
        n_nodes = max(_count_nodes(grid, self.bounds[1] / scale.min()) for grid in grids)
        bases: Iterable[tuple[slice, _Basis]]
        if len(grids) > 1:  # one at a time: a basis is much larger than a spectrum
            bases = ((slice(k, k + 1), _Basis(grid, n_nodes)) for k, grid in enumerate(grids))
        elif block.wave.ndim == 1:
            self._shared = self._shared or _Basis(block.wave, n_nodes)
            bases = [(slice(None), self._shared)]
        else:
            bases = [(slice(None), _Basis(grids[0], n_nodes))]
        with np.errstate(divide="ignore", invalid="ignore"):
            fit = self._solve(_sum_up(block, bases, scale, offset=self.offset))
        return fit._replace(amplitude=fit.amplitude * last**5 * np.exp(HC_OVER_K / last * fit.u))

    def _solve(self, sums: _Sums) -> Fit:
        mean = sums.flux / sums.total if self.offset else np.zeros_like(sums.flux)
        power = sums.power - mean * sums.flux
        u = self._refine(sums, mean, *self._scan(sums, mean))
        e = np.exp(-sums.t * u[:, None])
        p = _dot(sums.w, e)
        r = _dot(sums.wf, e) - mean * p
        q = _dot(sums.w2, e * e) - (p * p / sums.total if self.offset else 0.0)
        some = r * r > _NOTHING**2 * sums.power * q
        a = np.where(some, r / q, 0.0)
        offset = mean - a * p / sums.total if self.offset else mean
        return Fit(np.where(some, u, self.bounds[0]), a, offset, np.maximum(power - a * r, 0.0))

    def _scan(self, sums: _Sums, mean: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Best of a few u, and its neighbours.

        With an offset a cool spectrum may also be matched by a hot one of negative amplitude: positive ones go first.
        """
        u = np.geomspace(*self.bounds, _SCAN)
        e = np.exp(-sums.t[:, None, :] * u[:, None])
        p = (e @ sums.w[:, :, None])[..., 0]
        r = (e @ sums.wf[:, :, None])[..., 0] - mean[:, None] * p
        q = ((e * e) @ sums.w2[:, :, None])[..., 0] - (p * p / sums.total[:, None] if self.offset else 0.0)
        explained = np.where(q > 0, r * r / q, 0.0)
        bright = r > 0
        best = np.argmax(np.where(bright | ~bright.any(axis=1, keepdims=True), explained, 0.0), axis=1)
        return u[best], u[np.maximum(best - 1, 0)], u[np.minimum(best + 1, _SCAN - 1)]

    def _refine(
        self, sums: _Sums, mean: FloatArray, u: FloatArray, low: FloatArray, high: FloatArray
    ) -> FloatArray:
        """Find the u where the logarithm of r²/q is largest, by Newton's method with bisection where it fails."""
        t = sums.t
        for _ in range(_STEPS):
            e = np.exp(-t * u[:, None])
            te = t * e
            tte = t * te
            p0, p1, p2 = _dot(sums.w, e), -_dot(sums.w, te), _dot(sums.w, tte)
            r0 = _dot(sums.wf, e) - mean * p0
            r1 = -_dot(sums.wf, te) - mean * p1
            r2 = _dot(sums.wf, tte) - mean * p2
            q0, q1, q2 = _dot(sums.w2, e * e), -2 * _dot(sums.w2, e * te), 4 * _dot(sums.w2, te * te)
            if self.offset:
                q0 = q0 - p0 * p0 / sums.total
                q1 = q1 - 2 * p0 * p1 / sums.total
                q2 = q2 - 2 * (p1 * p1 + p0 * p2) / sums.total
            r1, r2, q1, q2 = r1 / r0, r2 / r0, q1 / q0, q2 / q0
            slope = 2 * r1 - q1
            curvature = 2 * (r2 - r1 * r1) - (q2 - q1 * q1)
            low, high = np.where(slope > 0, u, low), np.where(slope > 0, high, u)
            new = u - slope / curvature
            new = np.where((curvature < 0) & (new > low) & (new < high), new, 0.5 * (low + high))
            step, u = np.abs(new - u), new
            if not (step > _STEP_TOLERANCE * u).any():
                break
        return u


def fit_logarithm(block: Block, *, bounds: tuple[float, float], with_chi2: bool) -> Fit:
    """Fit a straight line to the logarithm of ``f λ⁵`` against x, without an offset.

    The weight of a pixel is that of its logarithm, ``w f²``; flux that is not positive has none. A spectrum with fewer
    than two positive pixels has NaN, and so has `chi2` unless it is asked for.
    """
    last = block.wave[..., -1]
    x_last = HC_OVER_K / last
    ratio = block.wave / last[..., None]
    t = 1.0 / ratio
    t -= 1.0  # x in units of x_last, counted from there
    fifth = ratio * ratio
    fifth *= fifth
    fifth *= ratio
    flux = np.fmax(block.flux, 0).astype(np.float64)
    w = flux * flux
    if block.ivar is not None:
        w *= block.ivar
    flux *= fifth
    y = np.log(np.maximum(flux, np.finfo(np.float64).tiny, out=flux), out=flux)
    y *= w
    s0, s1, s2 = _moments(w, t, 3)
    y0, y1 = _moments(y, t, 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        u = np.clip((s1 * y0 - s0 * y1) / (s0 * s2 - s1 * s1) / x_last, *bounds)
        at_last = (y0 + u * x_last * s1) / s0
        amplitude = np.exp(at_last + u * x_last) * last**5
    known = np.count_nonzero(w > 0, axis=1) >= 2
    u, amplitude, chi2 = (
        np.where(known, u, np.nan),
        np.where(known, amplitude, np.nan),
        np.full(len(u), np.nan),
    )
    if with_chi2:
        model = np.multiply(t, (-u * x_last)[:, None], out=y)
        model += at_last[:, None]
        np.exp(model, out=model)
        model /= fifth
        residual = np.subtract(block.flux, model, out=model)
        residual *= residual
        if not block.complete:
            np.copyto(residual, 0.0, where=~block.valid)
        chi2 = residual.sum(axis=1) if block.ivar is None else np.einsum("ij,ij->i", residual, block.ivar)
    return Fit(u, amplitude, np.zeros_like(u), chi2)


def _ends(block: Block, last: FloatArray, u: float) -> Iterator[tuple[int, int]]:
    """Find rows that lack so much of the red end that sums at nodes lose digits, and where their valid pixels end.

    exp(-t u) is largest at that end, and rounding is relative to its value there.
    """
    if block.complete:
        return
    end = block.valid.shape[1] - np.argmax(block.valid[:, ::-1], axis=1)
    wave = np.broadcast_to(block.wave, block.valid.shape)
    lost = HC_OVER_K * (1.0 / wave[np.arange(len(end)), end - 1] - 1.0 / last) * u
    for row in np.flatnonzero(lost > _LOST):
        yield int(row), int(end[row])


def _grids(block: Block) -> tuple[list[FloatArray], FloatArray]:
    """Return the grids of the rows, one or as many as rows, and the unit of each row's wavelengths in its grid.

    The grids of a survey are cut from one log-linear lattice, with or without a redshift: in units of their first
    wavelength they are one grid.
    """
    n = len(block.flux)
    if block.wave.ndim == 1:
        return [block.wave], np.ones(n)
    ratio = block.wave / block.wave[:, :1]
    shared = ratio[np.argmax(ratio[:, -1])]
    apart = np.abs(ratio / shared - 1.0) > _SAME_GRID
    if not (apart & block.valid).any():
        return [shared], block.wave[:, 0]
    return list(block.wave), np.ones(n)


def _count_nodes(wave: FloatArray, u: float) -> int:
    """Nodes with which ``exp(-2 t u)`` is known to rounding: its Chebyshev coefficients are Bessel functions."""
    z = HC_OVER_K * (1.0 / wave[0] - 1.0 / wave[-1]) * u
    n = 8
    while ive(n, z) > 1e-17:
        n += 4
    return n + 4


def _sum_up(block: Block, bases: Iterable[tuple[slice, _Basis]], scale: FloatArray, *, offset: bool) -> _Sums:
    flux = np.nan_to_num(block.flux).astype(np.float64)
    if block.ivar is not None:
        w = block.ivar.astype(np.float64)
    elif block.complete:
        w = np.ones((1, flux.shape[1]))
    else:
        w = block.valid.astype(np.float64)
    wf = w * flux
    nodes = []
    for rows, basis in bases:
        unused = np.zeros((1, len(basis.t)))
        of_w = basis.weights(w[rows], 1) if offset else unused
        nodes.append((basis.t[None], basis.weights(wf[rows], 1), of_w, basis.weights(w[rows], 2)))
    t, wf_nodes, w_nodes, w2_nodes = map(np.concatenate, zip(*nodes, strict=True))
    return _Sums(
        t if block.wave.ndim == 1 else t / scale[:, None],
        wf_nodes,
        w_nodes,
        w2_nodes,
        np.broadcast_to(w.sum(axis=1), len(flux)),
        wf.sum(axis=1),
        np.einsum("ij,ij->i", wf, flux),
    )


def _dot(weights: FloatArray, values: FloatArray) -> FloatArray:
    """Sum over nodes; weights that all rows share have one row."""
    return values @ weights[0] if len(weights) == 1 else np.einsum("ij,ij->i", weights, values)


def _moments(pixels: FloatArray, t: FloatArray, n: int) -> list[FloatArray]:
    """Sum pixels times powers of t below `n`, where t is shared by all rows or different for each."""
    if t.ndim == 1:
        return list((pixels @ t[:, None] ** np.arange(n)).T)
    factors = ["", ",ij", ",ij,ij"]
    return [np.einsum(f"ij{factors[k]}->i", pixels, *[t] * k) for k in range(n)]
