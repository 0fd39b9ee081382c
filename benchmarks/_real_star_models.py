"""The models of `benchmarks.real_stars`; their input is spectra on one grid, divided by their median."""

import time

import numpy as np
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR
from threadpoolctl import threadpool_limits

from benchmarks import _rockets
from skspec import (
    ContinuumNormalizer,
    Conv1DClassifier,
    ConvKANClassifier,
    ConvTranClassifier,
    FluxNormalizer,
    LogWaveResampler,
    MissingFluxImputer,
    PlainCNNClassifier,
    ResNet1DClassifier,
)
from skspec.recipes import recommended

OURS = "skspec recommended"
ROCKETS = {"MiniRocket (aeon)": "MiniRocketClassifier", "Hydra (aeon)": "HydraClassifier"}


def lines(window):
    """Return a transformer to flux divided by the running median."""
    return make_pipeline(
        ContinuumNormalizer(window=window, max_ratio=5.0),
        MissingFluxImputer(method="constant", fill_value=1.0, min_coverage=0.0),
    )


def both(window):
    """Return a transformer to flux, and flux divided by the running median."""
    return FeatureUnion([("flux", "passthrough"), ("lines", lines(window))])


def classifiers(task):
    """Return the unfitted models of a classification task, by name."""
    window = task.X.shape[1] // 10
    scaled_down = {"schedule": "one-cycle", "batch_size": 32, "random_state": 0}
    half = np.log10(task.wave[1] / task.wave[0]) / 2
    first, last = np.log10(task.wave[0]) - half, np.log10(task.wave[-1]) + half
    coarse = LogWaveResampler(wave=task.wave, loglam_min=first, loglam_max=last, n_bins=task.X.shape[1] // 2)
    steps_of_epoch = 0.8 * len(task.X) / 32
    epochs = max(8, round(680 / steps_of_epoch))  # 30 on MILES
    return {
        "random forest, lines": make_pipeline(lines(window), RandomForestClassifier(300, random_state=0)),
        "random forest, flux": RandomForestClassifier(300, random_state=0),
        "PCA + logistic regression": make_pipeline(
            both(window), StandardScaler(), PCA(50, random_state=0), LogisticRegression(max_iter=5000)
        ),
        "PCA + SVM": make_pipeline(both(window), StandardScaler(), PCA(50, random_state=0), SVC(C=10.0)),
        "PCA + gradient boosting": make_pipeline(
            both(window),
            StandardScaler(),
            PCA(50, random_state=0),
            HistGradientBoostingClassifier(random_state=0),
        ),
        "Conv1D-v2, scaled": make_pipeline(
            lines(window),
            Conv1DClassifier(
                filters=(8, 8, 16, 32, 16, 8, 8),
                strides=(1, 2, 2, 2, 2, 2, 2),
                hidden=(128,),
                dropout=0.0,
                batch_norm=False,
                lr=1e-3,
                max_epochs=epochs,
                **scaled_down,
            ),
        ),
        "ConvTran, scaled": make_pipeline(
            lines(window),
            coarse,
            ConvTranClassifier(max_epochs=epochs, **scaled_down),
        ),
        "ConvKAN, scaled": make_pipeline(
            lines(window), coarse, ConvKANClassifier(max_epochs=epochs, **scaled_down)
        ),
        "LAMOST CNN, scaled": make_pipeline(
            FluxNormalizer("minmax", quantile=1.0),
            PlainCNNClassifier(
                filters=(10, 20, 40, 50),
                kernel_sizes=3,
                hidden=(64,),
                lr=1e-3,
                max_epochs=epochs,
                **scaled_down,
            ),
        ),
        "ResNet18, scaled": make_pipeline(
            FluxNormalizer("l2"), ResNet1DClassifier(width=8, max_epochs=epochs, **scaled_down)
        ),
        "BOSS CNN, scaled": make_pipeline(
            FluxNormalizer("max"),
            PlainCNNClassifier(
                filters=(32, 32, 32, 32),
                kernel_sizes=(14, 12, 10, 8),
                strides=2,
                padding="valid",
                pooling=1,
                hidden=(),
                dropout=0.5,
                lr=1e-3,
                max_epochs=epochs,
                **scaled_down,
            ),
        ),
        "Conv1DClassifier": Conv1DClassifier(max_epochs=epochs, random_state=0),
        OURS: recommended(
            task.what,
            observed=task.observed,
            n_bins=task.X.shape[1],
            prepared=True,
            max_epochs=120 if task.title.startswith("LAMOST") else None,
            random_state=0,
        ),
    }


def regressors(task):
    """Return the unfitted models for the numeric spectral code, by name."""
    window = task.X.shape[1] // 10
    return {
        "random forest, lines": make_pipeline(
            lines(window), RandomForestRegressor(300, max_features=0.3, random_state=0)
        ),
        "random forest, flux": RandomForestRegressor(300, max_features=0.3, random_state=0),
        "PCA + ridge": make_pipeline(both(window), StandardScaler(), PCA(50, random_state=0), RidgeCV()),
        "PCA + SVM": make_pipeline(
            both(window), StandardScaler(), PCA(50, random_state=0), SVR(C=100.0, epsilon=0.3)
        ),
        "PCA + gradient boosting": make_pipeline(
            both(window),
            StandardScaler(),
            PCA(50, random_state=0),
            HistGradientBoostingRegressor(random_state=0),
        ),
        OURS: recommended(task.what, n_bins=task.X.shape[1], prepared=True, random_state=0),
    }


def contenders(task):
    """Return all models of a task; those of aeon, which run in a separate environment, are None."""
    if task.is_regression:
        return regressors(task)
    return {**dict.fromkeys(ROCKETS), **classifiers(task)}


def rocket(python, name, task, fold):
    """Cross-validate a classifier of aeon on two channels, flux and lines (see `cross_validate`)."""
    X = both(task.X.shape[1] // 10).fit_transform(task.X).reshape(len(task.X), 2, -1)
    return _rockets.cross_validate(python, ROCKETS[name], X, task.y, fold)


def cross_validate(model, X, y, fold, *, n_threads=None):
    """Return out-of-fold predictions for all spectra, and the time of each fit in seconds."""
    predicted, seconds = y.copy(), []
    for k in np.unique(fold):
        start = time.perf_counter()
        with threadpool_limits(n_threads):
            fitted = clone(model).fit(X[fold != k], y[fold != k])
        seconds.append(time.perf_counter() - start)
        predicted[fold == k] = fitted.predict(X[fold == k])
    return predicted, seconds
