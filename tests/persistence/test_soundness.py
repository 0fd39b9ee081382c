"""Fitted arrays of scikit-learn's estimators that do not belong together are refused, by `save` and in a file."""

import copy

import numpy as np
import pytest
import scipy.sparse
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier
from sklearn.feature_extraction import FeatureHasher
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import (
    KNeighborsClassifier,
    KNeighborsRegressor,
    LocalOutlierFactor,
    RadiusNeighborsClassifier,
)
from sklearn.preprocessing import LabelBinarizer, OneHotEncoder, StandardScaler
from sklearn.svm import SVC, SVR, NuSVC, OneClassSVM
from sklearn.tree import DecisionTreeClassifier

from skspec.persistence import _skops

skops_io = pytest.importorskip("skops.io")

rng = np.random.default_rng(0)
X = rng.normal(size=(36, 5)) + np.repeat([0, 1, 2], 12)[:, None]
LABELS = np.repeat(["A", "F", "G"], 12)


def svm(**parameters):
    return SVC(**parameters).fit(X, LABELS)


def neighbors(**parameters):
    return KNeighborsClassifier(3, algorithm="brute", **parameters).fit(X, LABELS)


def set_item(name, index, value):
    """A change of one value of an array."""

    def change(estimator):
        array = getattr(estimator, name).copy()
        array[index] = value
        setattr(estimator, name, array)

    return change


def set_to(name, value):
    """A change of an attribute: to a value, or to a function of it."""

    def change(estimator):
        setattr(estimator, name, value(getattr(estimator, name)) if callable(value) else value)

    return change


def inner(change, *path):
    """A change of an estimator inside another."""

    def change_inner(estimator):
        for key in path:
            estimator = getattr(estimator, key) if isinstance(key, str) else estimator[key]
        change(estimator)

    return change_inner


FOREST = RandomForestClassifier(2, random_state=0)
CASES = {
    "few coefficients": (svm(), set_to("_dual_coef_", lambda a: a[:, :1].copy())),
    "few public coefficients": (svm(), set_to("dual_coef_", lambda a: a[:1].copy())),
    "many coefficients": (svm(), set_to("_dual_coef_", lambda a: np.tile(a, 9))),
    "infinite coefficient": (svm(), set_item("_dual_coef_", (0, 0), np.inf)),
    "single-precision coefficients": (svm(), set_to("_dual_coef_", lambda a: a.astype("f4"))),
    "columns first": (svm(), set_to("support_vectors_", lambda a: a[:, :3].copy())),
    "vectors without number": (svm(), set_to("support_vectors_", lambda a: a[:-1].copy())),
    "nan vector": (svm(), set_item("support_vectors_", (0, 0), np.nan)),
    "counts too large": (svm(), set_item("_n_support", 0, 10**6)),
    "negative count": (svm(), lambda e: (set_item("_n_support", 0, -1)(e), set_item("_n_support", 1, 99)(e))),
    "counts of fewer classes": (svm(), set_to("_n_support", lambda a: np.array([a.sum()], np.int32))),
    "counts as int64": (svm(), set_to("_n_support", lambda a: a.astype(np.int64))),
    "index too large": (svm(), set_item("support_", 0, 36)),
    "negative index": (svm(), set_item("support_", -1, -1)),
    "few intercepts": (svm(), set_to("_intercept_", lambda a: a[:1].copy())),
    "few slopes of probabilities": (svm(), set_to("_probA", np.ones(1))),
    "one of two of probabilities": (svm(), set_to("_probA", np.ones(3))),
    "infinite gamma": (svm(), set_to("_gamma", np.inf)),
    "unknown kernel": (svm(), set_to("kernel", "cosine")),
    "kernel of another fit": (svm(), set_to("kernel", "precomputed")),
    "dense arrays as sparse": (svm(), set_to("_sparse", True)),
    "classes without vectors": (svm(), set_to("classes_", np.array(["A", "B", "C", "D"]))),
    "features": (svm(), set_to("n_features_in_", 4)),
    "shape of the kernel": (svm(), set_to("shape_fit_", (36, 6))),
    "regressor": (SVR().fit(X, X[:, 0]), set_item("_n_support", 0, 10**6)),
    "regressor with intercepts": (SVR().fit(X, X[:, 0]), set_to("_intercept_", np.zeros(0))),
    "novelty": (OneClassSVM().fit(X), set_to("_dual_coef_", lambda a: a[:, :0].copy())),
    "nu": (NuSVC().fit(X, LABELS), set_item("support_", 0, 10**6)),
    "in each class": (
        OneVsRestClassifier(SVC()).fit(X, LABELS),
        inner(set_item("support_", 0, 99), "estimators_", 1),
    ),
    "in a bag": (
        BaggingClassifier(SVC(), 2, random_state=0).fit(X, LABELS),
        inner(set_item("_n_support", 0, 99), "estimators_", 0),
    ),
    "calibrated": (
        CalibratedClassifierCV(SVC(), cv=2).fit(X, LABELS),
        inner(set_item("_n_support", 0, 99), "calibrated_classifiers_", 0, "estimator"),
    ),
    "neighbours of another class": (neighbors(), set_item("_y", 0, 3)),
    "neighbours of a negative class": (neighbors(), set_item("_y", 0, -1)),
    "few labels": (neighbors(), set_to("_y", lambda a: a[:5].copy())),
    "few neighbours": (neighbors(), set_to("_fit_X", lambda a: a[:2].copy())),
    "narrow neighbours": (neighbors(), set_to("_fit_X", lambda a: a[:, :2].copy())),
    "wrong number of neighbours": (neighbors(), set_to("n_samples_fit_", 10**6)),
    "more neighbours than spectra": (neighbors(), set_to("n_neighbors", 37)),
    "neighbours within a radius": (
        RadiusNeighborsClassifier(9, algorithm="brute").fit(X, LABELS),
        set_item("_y", 0, 99),
    ),
    "values of neighbours": (
        KNeighborsRegressor(algorithm="brute").fit(X, X[:, 0]),
        set_to("_y", lambda a: a[:1].copy()),
    ),
    "outliers": (
        LocalOutlierFactor(algorithm="brute", novelty=True).fit(X),
        set_to("_lrd", lambda a: a[:1].copy()),
    ),
    "narrow centres": (KMeans(2, n_init=1).fit(X), set_to("cluster_centers_", lambda a: a[:, :2].copy())),
    "many threads": (KMeans(2, n_init=1).fit(X), set_to("_n_threads", 10**6)),
    "many jobs": (copy.deepcopy(FOREST).fit(X, LABELS), set_to("n_jobs", 10**6)),
    "features of a tree": (DecisionTreeClassifier().fit(X, LABELS), set_to("n_features_in_", 6)),
    "outputs of a tree": (DecisionTreeClassifier().fit(X, LABELS), set_to("n_outputs_", 2)),
    "tree that is none": (DecisionTreeClassifier().fit(X, LABELS), set_to("tree_", 1)),
    "features of a forest": (copy.deepcopy(FOREST).fit(X, LABELS), set_to("n_features_in_", 4)),
    "members of a forest": (copy.deepcopy(FOREST).fit(X, LABELS), set_to("estimators_", [svm()])),
    "codes": (OneHotEncoder().fit(X.round()), set_to("_n_features_outs", lambda a: [1] * len(a))),
    "unsorted categories": (
        OneHotEncoder().fit(X.round()),
        set_to("categories_", lambda a: [c[::-1] for c in a]),
    ),
    "unsorted classes": (LabelBinarizer().fit(LABELS), set_to("classes_", lambda a: a[::-1])),
    "coefficients of other features": (
        LogisticRegression().fit(X, LABELS),
        set_to("coef_", lambda a: a[:, :2]),
    ),
    "means of other features": (StandardScaler().fit(X), set_to("mean_", lambda a: a[:1])),
    "variances of other features": (GaussianNB().fit(X, LABELS), set_to("var_", lambda a: a[:, :1])),
    "missing attribute": (svm(), lambda e: delattr(e, "_probA")),
}


@pytest.mark.parametrize(("estimator", "change"), CASES.values(), ids=CASES)
def test_refused(estimator, change):
    name = type(estimator).__name__
    good = _skops.restore(_skops.dump(estimator, "step 'x'"), name, "step 'x'")
    assert vars(good).keys() == vars(estimator).keys()
    bad = copy.deepcopy(estimator)
    change(bad)
    with pytest.raises(ValueError, match=r"step 'x' \(\w+\) cannot be saved: "):
        _skops.dump(bad, "step 'x'")
    with pytest.raises(ValueError, match="step 'x' (is not sound|is not a tree|holds)"):
        _skops.restore(skops_io.dumps(bad), name, "step 'x'")


@pytest.mark.parametrize(
    "estimator",
    [
        svm(),
        svm(kernel="linear"),
        SVC(kernel="precomputed").fit(X @ X.T, LABELS),
        SVC().fit(X[:24], LABELS[:24]),
        SVR(epsilon=9.0).fit(X, X[:, 0]),  # without support vectors
        OneClassSVM().fit(X),
        neighbors(weights="distance"),
        KMeans(3, n_init=1).fit(X),
        copy.deepcopy(FOREST).fit(X, LABELS),
        DecisionTreeClassifier(max_depth=1).fit(X, LABELS),
        DecisionTreeClassifier().fit(np.zeros((4, 5)), [1, 1, 1, 1]),  # a single node
    ],
    ids=str,
)
def test_sound_ones_come_back(estimator):
    data = X @ X.T if getattr(estimator, "kernel", "") == "precomputed" else X
    loaded = _skops.restore(_skops.dump(estimator, "step 'x'"), type(estimator).__name__, "step 'x'")
    np.testing.assert_array_equal(loaded.predict(data), estimator.predict(data))


def test_classes_that_cannot_be_checked_are_refused():
    hasher = FeatureHasher().fit([{"a": 1}])
    with pytest.raises(
        TypeError, match="FeatureHasher is not among the classes whose fitted arrays skspec can check"
    ):
        _skops.dump(hasher, "step 'x'")
    with pytest.raises(ValueError, match="step 'x' is not sound: FeatureHasher is not among the classes"):
        _skops.restore(skops_io.dumps(hasher), "FeatureHasher", "step 'x'")


def test_sparse_matrices_are_refused():
    sparse = SVC().fit(scipy.sparse.csr_array(X), LABELS)
    with pytest.raises(TypeError, match="holds scipy.sparse.*, not a trusted type"):
        _skops.dump(sparse, "step 'x'")
    with pytest.raises(ValueError, match="holds scipy.sparse.*, not a trusted type"):
        _skops.restore(skops_io.dumps(sparse), "SVC", "step 'x'")
