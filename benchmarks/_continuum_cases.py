"""ContinuumNormalizer and MissingFluxImputer against loops over spectra."""

from functools import partial

import numpy as np
from scipy import ndimage, sparse
from scipy.interpolate import LSQUnivariateSpline
from scipy.sparse.linalg import spsolve

from benchmarks._transformer_cases import Case, case
from skspec import ContinuumNormalizer, MissingFluxImputer, Spectra


@case
def running_median(spectra):
    flux = spectra.flux
    complete = Spectra(flux, wave=spectra.wave)
    ours = ContinuumNormalizer().fit(complete)

    def published(n):
        return flux[:n] / ndimage.median_filter(flux[:n], size=(1, 100), mode="nearest")

    np.testing.assert_array_equal(ours.transform(complete[:5]).flux, published(5))
    return Case(
        "ContinuumNormalizer, running median of 100 pixels",
        {
            "scipy median_filter, 2-D (published)": partial(published, 20),
            "scipy median_filter, row by row": lambda: [
                row / ndimage.median_filter(row, size=100, mode="nearest") for row in flux[:500]
            ],
            "skspec ContinuumNormalizer": partial(ours.transform, complete),
            "the same past missing pixels": partial(ours.transform, spectra),
        },
        ours.transform,
        {"scipy median_filter, 2-D (published)": 20, "scipy median_filter, row by row": 500},
    )


def clipped(fit, x, y):
    """Fit, clip outliers, and fit again, written for one spectrum."""
    used = np.isfinite(y)
    for _ in range(10):
        residual = y - fit(x[used], y[used])(x)
        sigma = residual[used].std()
        keep = used & (residual >= -1.5 * sigma) & (residual <= 3 * sigma)
        if keep.sum() == used.sum():
            break
        used = keep
    return y / fit(x[used], y[used])(x)


@case
def clipped_polynomial(spectra):
    ours = ContinuumNormalizer("polynomial").fit(spectra)
    rows, wave = np.asarray(spectra[:200]).astype(float), spectra.wave

    def loop(n):
        return [clipped(lambda x, y: np.polynomial.Legendre.fit(x, y, 5), wave, row) for row in rows[:n]]

    np.testing.assert_allclose(ours.transform(spectra[1:5]).flux, loop(5)[1:], rtol=1e-3)
    return Case(
        "ContinuumNormalizer, polynomial of degree 5 with sigma clipping",
        {
            "numpy Legendre.fit, row by row": partial(loop, 200),
            "skspec ContinuumNormalizer": partial(ours.transform, spectra),
        },
        ours.transform,
        {"numpy Legendre.fit, row by row": 200},
    )


@case
def clipped_spline(spectra):
    ours = ContinuumNormalizer("spline").fit(spectra)
    rows, wave = np.asarray(spectra[:200]).astype(float), spectra.wave
    knots = np.linspace(wave[0], wave[-1], 12)[1:-1]

    def loop(n):
        return [clipped(lambda x, y: LSQUnivariateSpline(x, y, knots), wave, row) for row in rows[:n]]

    np.testing.assert_allclose(ours.transform(spectra[1:5]).flux, loop(5)[1:], rtol=1e-3)
    return Case(
        "ContinuumNormalizer, spline of 10 knots with sigma clipping",
        {
            "scipy LSQUnivariateSpline, row by row": partial(loop, 200),
            "skspec ContinuumNormalizer": partial(ours.transform, spectra),
        },
        ours.transform,
        {"scipy LSQUnivariateSpline, row by row": 200},
    )


@case
def asymmetric_least_squares(spectra):
    some = spectra[:1000]
    ours = ContinuumNormalizer("als").fit(some)
    n_pixels = some.shape[1]
    second = sparse.diags([1.0, -2.0, 1.0], [0, 1, 2], shape=(n_pixels - 2, n_pixels))
    penalty = (1e8 * second.T @ second).tocsc()

    def loop(n):
        curves = []
        for row in some.flux[:n].astype(float):
            weight = np.ones(n_pixels)
            for _ in range(10):
                curve = spsolve(penalty + sparse.diags(weight, format="csc"), weight * row)
                weight = np.where(row > curve, 0.9, 0.1)
            curves.append(row / curve)
        return curves

    np.testing.assert_allclose(ours.transform(some[1:3]).flux, loop(3)[1:], rtol=1e-2)
    return Case(
        f"ContinuumNormalizer, asymmetric least squares of {len(some)} spectra",
        {
            "scipy spsolve, row by row": partial(loop, 5),
            "skspec ContinuumNormalizer": partial(ours.transform, some),
        },
        ours.transform,
        {"scipy spsolve, row by row": 5, "skspec ContinuumNormalizer": len(some)},
    )


@case
def missing_flux_linear(spectra):
    gappy = spectra[np.arange(0, len(spectra), 10)]
    rows, wave = np.asarray(gappy), gappy.wave
    ours = MissingFluxImputer().fit(gappy)

    def loop():
        out = rows.copy()
        for row in out:
            bad = np.isnan(row)
            row[bad] = np.interp(wave[bad], wave[~bad], row[~bad])
        return out

    np.testing.assert_allclose(ours.transform(gappy), loop(), rtol=1e-5)
    return Case(
        "MissingFluxImputer, linear, spectra with gaps only",
        {
            "np.interp, row by row": loop,
            "skspec MissingFluxImputer": partial(ours.transform, gappy),
        },
        ours.transform,
        dict.fromkeys(("np.interp, row by row", "skspec MissingFluxImputer"), len(gappy)),
    )


@case
def missing_flux_template(spectra):
    gappy = spectra[np.arange(0, len(spectra), 10)]
    rows = np.asarray(gappy)
    ours = MissingFluxImputer("template", random_state=0).fit(spectra[:1000])

    def loop():
        out = rows.copy()
        for row in out:
            bad = np.isnan(row)
            design, residual = ours.components_[:, ~bad].T, (row - ours.mean_)[~bad]
            row[bad] = (ours.mean_ + np.linalg.lstsq(design, residual)[0] @ ours.components_)[bad]
        return out

    np.testing.assert_allclose(ours.transform(gappy[:5]), loop()[:5], atol=5e-2)
    return Case(
        "MissingFluxImputer, template of 10 components, spectra with gaps only",
        {
            "np.linalg.lstsq, row by row": loop,
            "skspec MissingFluxImputer": partial(ours.transform, gappy),
        },
        ours.transform,
        dict.fromkeys(("np.linalg.lstsq, row by row", "skspec MissingFluxImputer"), len(gappy)),
    )
