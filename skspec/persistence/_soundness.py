"""Checks of the fitted arrays of scikit-learn's estimators, whose compiled code reads them without checking sizes.

A file may hold any arrays. Those of support vector machines, trees, nearest neighbours and k-means are checked one by
one; the other classes listed here hand their arrays to numpy and scipy, which check them. Classes that are not listed
are refused.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.tree._tree import Tree

_SUPPORT_VECTOR_CLASSIFIERS = {"SVC", "NuSVC"}
_SUPPORT_VECTOR_MACHINES = _SUPPORT_VECTOR_CLASSIFIERS | {"SVR", "NuSVR", "OneClassSVM"}
_TREES = {"DecisionTreeClassifier", "DecisionTreeRegressor", "ExtraTreeClassifier", "ExtraTreeRegressor"}
_FORESTS = {"RandomForestClassifier", "RandomForestRegressor", "ExtraTreesClassifier", "ExtraTreesRegressor"}
_NEIGHBOR_CLASSIFIERS = {"KNeighborsClassifier", "RadiusNeighborsClassifier"}
_NEIGHBORS = _NEIGHBOR_CLASSIFIERS | {
    *("KNeighborsRegressor", "KNeighborsTransformer", "LocalOutlierFactor", "NearestNeighbors"),
    *("RadiusNeighborsRegressor", "RadiusNeighborsTransformer"),
}
_K_MEANS = {"KMeans", "MiniBatchKMeans"}
_OTHERS = {
    # linear models
    *(
        "ARDRegression",
        "BayesianRidge",
        "ElasticNet",
        "ElasticNetCV",
        "GammaRegressor",
        "HuberRegressor",
        "Lars",
    ),
    *(
        "LarsCV",
        "Lasso",
        "LassoCV",
        "LassoLars",
        "LassoLarsCV",
        "LassoLarsIC",
        "LinearRegression",
        "LinearSVC",
    ),
    *(
        "LinearSVR",
        "LogisticRegression",
        "LogisticRegressionCV",
        "MultiTaskElasticNet",
        "MultiTaskElasticNetCV",
    ),
    *("MultiTaskLasso", "MultiTaskLassoCV", "OrthogonalMatchingPursuit", "OrthogonalMatchingPursuitCV"),
    *("PassiveAggressiveClassifier", "PassiveAggressiveRegressor", "Perceptron", "PoissonRegressor"),
    *("QuantileRegressor", "RANSACRegressor", "Ridge", "RidgeCV", "RidgeClassifier", "RidgeClassifierCV"),
    *("SGDClassifier", "SGDOneClassSVM", "SGDRegressor", "TheilSenRegressor", "TweedieRegressor"),
    # other classifiers and regressors
    *("BernoulliNB", "CategoricalNB", "ComplementNB", "GaussianNB", "MultinomialNB", "DummyClassifier"),
    *("DummyRegressor", "IsotonicRegression", "KernelRidge", "LabelPropagation", "LabelSpreading"),
    *("LinearDiscriminantAnalysis", "MLPClassifier", "MLPRegressor", "NearestCentroid"),
    *("QuadraticDiscriminantAnalysis",),
    # estimators of estimators
    *(
        "AdaBoostClassifier",
        "AdaBoostRegressor",
        "BaggingClassifier",
        "BaggingRegressor",
        "CalibratedClassifierCV",
    ),
    *("ClassifierChain", "ColumnTransformer", "FeatureUnion", "FixedThresholdClassifier", "FrozenEstimator"),
    *("MultiOutputClassifier", "MultiOutputRegressor", "OneVsOneClassifier", "OneVsRestClassifier"),
    *("OutputCodeClassifier", "Pipeline", "RFE", "RFECV", "RegressorChain", "SelectFromModel"),
    *(
        "SelfTrainingClassifier",
        "SequentialFeatureSelector",
        "TransformedTargetRegressor",
        "_SigmoidCalibration",
    ),
    # decompositions, covariances and mixtures
    *(
        "BayesianGaussianMixture",
        "BernoulliRBM",
        "CCA",
        "ClassicalMDS",
        "DictionaryLearning",
        "EllipticEnvelope",
    ),
    *(
        "EmpiricalCovariance",
        "FactorAnalysis",
        "FastICA",
        "GaussianMixture",
        "GraphicalLasso",
        "GraphicalLassoCV",
    ),
    *("IncrementalPCA", "Isomap", "KernelPCA", "LatentDirichletAllocation", "LedoitWolf"),
    *("LocallyLinearEmbedding", "MDS", "MinCovDet", "MiniBatchDictionaryLearning", "MiniBatchNMF"),
    *("MiniBatchSparsePCA", "NMF", "NeighborhoodComponentsAnalysis", "OAS", "PCA", "PLSCanonical"),
    *("PLSRegression", "PLSSVD", "ShrunkCovariance", "SparseCoder", "SparsePCA", "TSNE", "TruncatedSVD"),
    # clustering
    *(
        "AffinityPropagation",
        "AgglomerativeClustering",
        "DBSCAN",
        "MeanShift",
        "OPTICS",
        "SpectralBiclustering",
    ),
    *("SpectralClustering", "SpectralCoclustering"),
    # preprocessing
    *(
        "AdditiveChi2Sampler",
        "Binarizer",
        "FunctionTransformer",
        "GaussianRandomProjection",
        "KBinsDiscretizer",
    ),
    *("KNNImputer", "KernelCenterer", "LabelBinarizer", "LabelEncoder", "MaxAbsScaler", "MinMaxScaler"),
    *("MissingIndicator", "Normalizer", "Nystroem", "OneHotEncoder", "OrdinalEncoder", "PatchExtractor"),
    *("PolynomialCountSketch", "PolynomialFeatures", "PowerTransformer", "QuantileTransformer", "RBFSampler"),
    *("RobustScaler", "SimpleImputer", "SkewedChi2Sampler", "StandardScaler"),
    *("TargetEncoder", "TfidfTransformer", "VarianceThreshold"),
}
_KNOWN = _SUPPORT_VECTOR_MACHINES | _TREES | _FORESTS | _NEIGHBORS | _K_MEANS | _OTHERS

# Arrays that have a value per feature, along their last axis.
_PER_FEATURE = frozenset(
    {
        *("center_", "centroids_", "cluster_centers_", "coef_", "components_", "exp_dirichlet_component_"),
        *("feature_log_prob_", "lambdas_", "location_", "max_abs_", "mean_", "means_", "min_", "quantiles_"),
        *("scale_", "statistics_", "theta_", "var_"),
    }
)
_KERNELS = ("linear", "poly", "rbf", "sigmoid", "precomputed")
_MAX_JOBS = 1024


def check_known(estimator: BaseEstimator) -> None:
    """Raise TypeError if the class of an estimator of scikit-learn, or of one in it, is not listed above."""
    for inner in _estimators(estimator):
        if type(inner).__name__ not in _KNOWN or not type(inner).__module__.startswith("sklearn."):
            raise TypeError(
                f"{type(inner).__name__} is not among the classes whose fitted arrays skspec can check"
            )


def check_sound(estimator: BaseEstimator) -> None:
    """Raise ValueError unless the fitted arrays of an estimator of scikit-learn, and of those in it, belong together."""
    for inner in _estimators(estimator):
        _check_jobs(inner)
        if any(name.endswith("_") and not name.startswith("__") for name in vars(inner)):
            try:
                _check_fitted(inner)
            except (AttributeError, TypeError, KeyError, IndexError) as error:
                raise ValueError(
                    f"{type(inner).__name__} has missing or unusable fitted attributes ({error})"
                ) from error


def _check_fitted(estimator: Any) -> None:
    name = type(estimator).__name__
    _check_features(estimator, name)
    if name in _SUPPORT_VECTOR_MACHINES:
        _check_support_vectors(estimator)
    elif name in _TREES:
        _check_tree(estimator.tree_, estimator)
    elif name in _FORESTS:
        _check_forest(estimator)
    elif name in _NEIGHBORS:
        _check_neighbors(estimator)
    elif name in _K_MEANS:
        _need(1 <= int(estimator._n_threads) <= _MAX_JOBS, estimator, "_n_threads")
        _need_floats(estimator, "cluster_centers_", (None, estimator.n_features_in_), ("float32", "float64"))
    elif name == "LabelBinarizer":
        _need(_is_increasing(estimator.classes_), estimator, "classes_")
    elif name == "OneHotEncoder":
        _check_one_hot(estimator)


def _check_jobs(estimator: Any) -> None:
    for key in ("n_jobs", "_n_jobs"):
        jobs = vars(estimator).get(key)
        if jobs is not None and not (_is_integer(jobs) and abs(int(jobs)) <= _MAX_JOBS):
            raise ValueError(
                f"{type(estimator).__name__} has {key}={str(jobs)[:40]}, at most {_MAX_JOBS} is allowed"
            )


def _check_features(estimator: Any, name: str) -> None:
    if "n_features_in_" not in vars(estimator):
        return
    n = estimator.n_features_in_
    _need(_is_integer(n) and n > 0, estimator, "n_features_in_")
    for key, value in vars(estimator).items():
        is_array = isinstance(value, np.ndarray) and value.ndim > 0
        if key in _PER_FEATURE and is_array and value.shape[-1] != n:
            raise ValueError(f"{name} has {key} of shape {value.shape} for {n} features")
    names = vars(estimator).get("feature_names_in_")
    _need(names is None or np.shape(names) == (n,), estimator, "feature_names_in_")


def _check_support_vectors(svm: Any) -> None:
    """Check what libsvm reads: counts, indices, coefficients and vectors."""
    n_classes = len(svm.classes_) if type(svm).__name__ in _SUPPORT_VECTOR_CLASSIFIERS else 2
    n_pairs = n_classes * (n_classes - 1) // 2
    n_vectors = len(svm.support_)
    kernel = svm.kernel
    _need(svm._sparse is False, svm, "_sparse")  # skops does not trust sparse matrices
    _need(type(kernel) is str and kernel in _KERNELS, svm, "kernel")
    _need(n_classes >= 2, svm, "classes_")
    shape = tuple(int(n) for n in svm.shape_fit_)
    _need(len(shape) == 2 and shape[1] == svm.n_features_in_, svm, "shape_fit_")
    _need(kernel != "precomputed" or shape[0] == shape[1], svm, "shape_fit_")

    _need_array(svm, "support_", (n_vectors,), "int32")
    _need(_within(svm.support_, shape[0]), svm, "support_")
    _need_array(svm, "_n_support", (n_classes,), "int32")
    if type(svm).__name__ in _SUPPORT_VECTOR_CLASSIFIERS:
        counts = svm._n_support.astype(np.int64)
        _need(bool((counts >= 0).all()) and int(counts.sum()) == n_vectors, svm, "_n_support")
    else:
        _need(int(svm._n_support[0]) == n_vectors, svm, "_n_support")

    _need_floats(
        svm, "support_vectors_", (0, 0) if kernel == "precomputed" else (n_vectors, svm.n_features_in_)
    )
    for key in ("_dual_coef_", "dual_coef_"):
        _need_floats(svm, key, (n_classes - 1, n_vectors))
    for key in ("_intercept_", "intercept_"):
        _need_floats(svm, key, (n_pairs,))
    n_calibrated = len(svm._probA)
    _need(n_calibrated in (0, n_pairs), svm, "_probA")
    for key in ("_probA", "_probB"):
        _need_floats(svm, key, (n_calibrated,))
    for key in ("_gamma", "coef0", "tol", "C", "nu", "epsilon"):
        _need(bool(np.isfinite(float(getattr(svm, key)))), svm, key)
    _need(_is_integer(svm.degree), svm, "degree")


def _check_neighbors(estimator: Any) -> None:
    name = type(estimator).__name__
    fitted = estimator._fit_X
    _need(estimator._fit_method == "brute" and estimator._tree is None, estimator, "_fit_method")
    _need(isinstance(fitted, np.ndarray) and fitted.ndim == 2, estimator, "_fit_X")
    n = fitted.shape[0]
    _need(fitted.dtype.kind in "fiub" and fitted.shape[1] == estimator.n_features_in_, estimator, "_fit_X")
    _need(
        _is_integer(estimator.n_samples_fit_) and estimator.n_samples_fit_ == n > 0,
        estimator,
        "n_samples_fit_",
    )
    if name == "LocalOutlierFactor":
        _need(1 <= estimator.n_neighbors_ < n, estimator, "n_neighbors_")
        _need_floats(estimator, "_lrd", (n,))
    if "_y" not in vars(estimator):
        return
    y = vars(estimator)["_y"]
    _need(isinstance(y, np.ndarray) and y.ndim in (1, 2) and len(y) == n, estimator, "_y")
    if name in _NEIGHBOR_CLASSIFIERS:
        classes = estimator.classes_ if estimator.outputs_2d_ else [estimator.classes_]
        columns = y.reshape(n, -1).T
        _need(y.dtype == np.intp and (y.ndim == 1 or bool(estimator.outputs_2d_)), estimator, "_y")
        _need(len(columns) == len(classes), estimator, "classes_")
        for column, labels in zip(columns, classes, strict=True):
            _need(_within(column, len(labels)), estimator, "_y")
    if name == "KNeighborsClassifier":
        _need(
            _is_integer(estimator.n_neighbors) and 1 <= estimator.n_neighbors <= n, estimator, "n_neighbors"
        )


def _check_forest(forest: Any) -> None:
    members = forest.estimators_
    if not isinstance(members, list) or not members or any(type(m).__name__ not in _TREES for m in members):
        raise ValueError(f"{type(forest).__name__} has members that are not trees")
    for member in members:
        _check_tree(member.tree_, forest)


def _check_tree(tree: Any, owner: Any) -> None:
    """Check that all nodes are those of one tree and point inside it: scikit-learn follows them unchecked."""
    expected = (owner.n_features_in_, owner.n_outputs_)
    _need(all(_is_integer(n) and n > 0 for n in expected), owner, "n_outputs_")
    if type(tree) is not Tree or (tree.n_features, tree.n_outputs) != expected or not _is_tree(tree):
        raise ValueError(f"{type(owner).__name__} has a tree whose nodes are inconsistent")


def _is_tree(tree: Any) -> bool:
    n = tree.node_count
    if not 0 < n <= tree.capacity:  # checked first: the arrays below are views of that length
        return False
    left, right, node = tree.children_left, tree.children_right, np.arange(n)
    inner = left != -1
    children = np.stack([left[inner], right[inner]])
    feature = tree.feature[inner]
    if not (
        (right[~inner] == -1).all()
        and ((children > node[inner]) & (children < n)).all()
        and ((feature >= 0) & (feature < tree.n_features)).all()
        and np.array_equal(np.sort(children, axis=None), node[1:])  # each has one parent
    ):
        return False
    depth, level = 0, np.array([0])
    while (
        level := level[inner[level]]
    ).size:  # `decision_path` reserves memory for the depth that a tree states
        level = np.concatenate([left[level], right[level]])
        depth += 1
    return depth <= tree.max_depth < 2**31


def _check_one_hot(encoder: Any) -> None:
    """Check that codes are below the number of columns of the sparse matrix that they become."""
    categories = encoder.categories_
    _need(len(categories) == encoder.n_features_in_, encoder, "categories_")
    _need(all(_is_increasing(values) for values in categories), encoder, "categories_")
    _need(
        not encoder._infrequent_enabled,
        encoder,
        "infrequent categories, which cannot be checked, or its state",
    )
    drop = encoder.drop_idx_
    if drop is not None:
        _need(np.shape(drop) == (len(categories),), encoder, "drop_idx_")
        for index, values in zip(drop, categories, strict=True):
            _need(index is None or (_is_integer(index) and 0 <= index < len(values)), encoder, "drop_idx_")
    _need(
        list(encoder._n_features_outs) == list(encoder._compute_n_features_outs()),
        encoder,
        "_n_features_outs",
    )


# What arrays must be -------------------------------------------------------------------------------------


def _need(condition: bool, estimator: Any, what: str) -> None:
    if not condition:
        raise ValueError(f"{type(estimator).__name__} has {what} that does not fit its other attributes")


def _need_array(estimator: Any, key: str, shape: tuple[int | None, ...], *dtypes: str) -> None:
    value = getattr(estimator, key)
    fits = (
        isinstance(value, np.ndarray)
        and value.dtype.name in dtypes
        and value.ndim == len(shape)
        and all(n is None or n == found for n, found in zip(shape, value.shape, strict=True))
    )
    _need(fits, estimator, key)


def _need_floats(
    estimator: Any, key: str, shape: tuple[int | None, ...], dtypes: tuple[str, ...] = ("float64",)
) -> None:
    _need_array(estimator, key, shape, *dtypes)
    _need(bool(np.isfinite(getattr(estimator, key)).all()), estimator, key)


def _within(indices: NDArray[Any], n: int) -> bool:
    return not indices.size or bool((indices.min() >= 0) and (indices.max() < n))


def _is_integer(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _is_increasing(values: Any) -> bool:
    if not isinstance(values, np.ndarray) or values.ndim != 1:
        return False
    if values.dtype.kind in "iufb":
        return bool(np.isfinite(values).all() and (values[1:] > values[:-1]).all())
    return all(isinstance(v, str) for v in values) and all(
        a < b for a, b in itertools.pairwise(values.tolist())
    )


# What an estimator holds ---------------------------------------------------------------------------------


def _estimators(root: Any) -> Iterator[BaseEstimator]:
    return (item for item in _reachable(root) if isinstance(item, BaseEstimator))


def _reachable(root: Any) -> Iterator[Any]:
    """Yield an object and everything in it, each once."""
    stack, seen = [root], {}
    while stack:
        item = stack.pop()
        if (
            item is None
            or isinstance(item, str | bytes | bool | int | float | np.generic)
            or id(item) in seen
        ):
            continue
        seen[id(item)] = item  # kept alive, because numbers of freed objects are used again
        yield item
        if isinstance(item, dict):
            stack += [*item.keys(), *item.values()]
        elif isinstance(item, list | tuple | set | frozenset):
            stack.extend(item)
        elif isinstance(item, np.ndarray):
            stack.extend(item.flat if item.dtype == object else ())
        elif not isinstance(item, type):
            stack.extend(getattr(item, "__dict__", {}).values())
