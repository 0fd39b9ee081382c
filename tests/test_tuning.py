"""Search spaces, and searches of scikit-learn over pipelines and networks."""

import subprocess
import sys
from math import prod
from os import cpu_count, environ

import numpy as np
import pytest
from scipy.stats import randint
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    HalvingRandomSearchCV,
    LeaveOneGroupOut,
    ParameterSampler,
    RandomizedSearchCV,
    StratifiedGroupKFold,
    cross_val_score,
    cross_validate,
)
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline

import skspec
from skspec import (
    ContinuumNormalizer,
    Conv1DClassifier,
    FluxNormalizer,
    FluxStatistics,
    LineIndices,
    LogWaveResampler,
    NoiseOversampler,
    PlainCNNClassifier,
    ResNet1DClassifier,
    Spectra,
    WienFitFeatures,
    search_space,
)
from tests._data import ROOT
from tests._estimators import CASES

NOTHING_TO_SEARCH = {"FluxStatistics", "LineIndices", "LogitVotingClassifier", "ResolutionMatcher"}
WIDTH = 64


def lines(n=48, *, seed=0):
    """Spectra of two classes, with an emission or an absorption line, two of each object."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) // 2 % 2
    flux = rng.normal(10.0, 0.5, (n, WIDTH))
    flux[:, 28:36] += np.where(y, 3.0, -3.0)[:, None]
    return flux, y, np.arange(n) // 2


def network(**parameters):
    return Conv1DClassifier(
        **{"filters": (4,), "kernel_sizes": (5,), "strides": 2, "lr": 1e-2, "random_state": 0} | parameters
    )


def bounds(distribution):
    return tuple(float(end) for end in distribution.support())


def draw(space, n):
    """Draw n points, or all points of a smaller space of lists."""
    finite = all(isinstance(values, list) for values in space.values())
    n_points = prod(len(values) for values in space.values()) if finite else n
    return list(ParameterSampler(space, min(n, n_points), random_state=0))


def has_space(estimator):
    return bool(getattr(estimator, "__skspec_search_space__", dict)())


@pytest.mark.parametrize("name", CASES)
def test_every_draw_is_accepted(name):
    estimator = CASES[name].make()
    if not has_space(estimator):
        with pytest.raises(ValueError, match=f"parameters to search, got {type(estimator).__name__}$"):
            search_space(estimator)
        return
    X, y, _ = lines(24)
    draws = draw(search_space(estimator), 20)
    if "max_epochs" in estimator.get_params():
        for parameters in draws:
            clone(estimator).set_params(**parameters)._check_params()
        draws = draws[:2]
        estimator.set_params(max_epochs=1)
    for parameters in draws:
        changed = clone(estimator).set_params(**parameters)
        if hasattr(changed, "fit_resample"):
            changed.fit_resample(X[6:], np.sort(y)[6:])
        elif is_classifier(changed) or hasattr(changed, "predict"):
            assert changed.fit(X, y).predict(X).shape == (len(X),)
        else:
            assert len(changed.fit(X, y).transform(X)) == len(X)


def test_all_estimators_with_parameters_to_search_have_a_space():
    estimators = [case.make() for case in CASES.values()]
    known = {type(estimator).__name__ for estimator in estimators if has_space(estimator)}
    without = {type(estimator).__name__ for estimator in estimators} - known
    assert without == NOTHING_TO_SEARCH


class Smoother(BaseEstimator):
    """A user's estimator with a search space."""

    def __init__(self, width=5, inner=None):
        self.width = width
        self.inner = inner

    def __skspec_search_space__(self):
        return {"width": [self.width, 2 * self.width]}


def test_estimators_of_the_user_take_part():
    class Finer(Smoother):
        def __skspec_search_space__(self):
            return super().__skspec_search_space__() | {"inner__width": randint(1, 9)}

    assert search_space(Smoother(3)) == {"width": [3, 6]}
    assert list(search_space(Finer())) == ["width", "inner__width"]
    pipeline = make_pipeline(Smoother(), FluxNormalizer())
    assert set(search_space(pipeline)) == {"smoother__width", "fluxnormalizer__method"}
    assert set(search_space(Smoother(inner=Smoother()))) == {"width", "inner__width"}
    assert set(search_space(Smoother(inner=Smoother))) == {"width"}  # a class is not an estimator


def test_values_lie_around_those_of_the_estimator():
    space = search_space(Conv1DClassifier(lr=1e-4, filters=[64, 128], batch_size=8))
    assert bounds(space["lr"]) == pytest.approx((1e-5, 1e-3))
    assert space["filters"] == [(64, 128), (32, 64), (128, 256)]
    assert space["kernel_sizes"] == [(3, 5, 7), (7, 11, 15)]
    assert space["batch_size"] == [4, 8, 16]
    sizes = [search_space(PlainCNNClassifier(kernel_sizes=k))["kernel_sizes"] for k in (3, np.array([3, 3]))]
    assert sizes == [[3, 5, 9], [(3, 3), 3, 5, 9]]
    assert "max_epochs" not in space


def test_only_what_the_present_choice_uses():
    assert search_space(ContinuumNormalizer()) == {"mode": ["divide", "subtract"], "window": [50, 100, 200]}
    assert set(search_space(ContinuumNormalizer("spline"))) == {"mode", "n_knots"}
    assert search_space(FluxNormalizer(ivar_weighted=True)) == {"method": ["median", "mean", "snv"]}
    assert "kernel_sizes" not in search_space(PlainCNNClassifier(padding="valid"))
    assert "width" not in search_space(ResNet1DClassifier(pretrained="weights.safetensors"))
    with pytest.raises(ValueError, match="WienFitFeatures"):
        search_space(WienFitFeatures(method="log"))


def test_a_subclass_of_ones_own_inherits_and_a_namesake_does_not():
    class Mine(FluxNormalizer):
        pass

    class LogWaveResampler(LogisticRegression):
        n_bins = 10

    assert search_space(Mine()) == search_space(FluxNormalizer())
    with pytest.raises(ValueError, match="LogWaveResampler"):
        search_space(LogWaveResampler())


def test_names_lead_to_nested_estimators():
    union = FeatureUnion([("wien", WienFitFeatures(wave=(3800.0, 9000.0))), ("statistics", FluxStatistics())])
    columns = ColumnTransformer([("flux", make_pipeline(FluxNormalizer(), union), slice(0, WIDTH))])
    vote = VotingClassifier(
        [("net", CalibratedClassifierCV(network())), ("forest", RandomForestClassifier())]
    )
    model = make_pipeline(columns, vote)
    space = search_space(model)
    net = {f"votingclassifier__net__estimator__{name}" for name in search_space(network())}
    flux = "columntransformer__flux__"
    assert set(space) == {f"{flux}fluxnormalizer__method", f"{flux}featureunion__wien__offset"} | net
    for parameters in ParameterSampler(space, 5, random_state=0):
        assert clone(model).set_params(**parameters).get_params().items() >= parameters.items()


@pytest.mark.parametrize("estimator", [LineIndices(), make_pipeline(LogisticRegression()), Pipeline([])])
def test_nothing_known_is_an_error(estimator):
    with pytest.raises(ValueError, match=f"got {type(estimator).__name__}$"):
        search_space(estimator)


@pytest.mark.parametrize("estimator", [3, "Conv1DClassifier", FluxNormalizer])
def test_no_estimator_is_an_error(estimator):
    with pytest.raises(TypeError, match="must be an instance of an estimator, got"):
        search_space(estimator)


def test_transformers_are_searched_without_torch():
    code = (
        "import sys; from skspec import *; from sklearn.pipeline import make_pipeline\n"
        "search_space(make_pipeline(LogWaveResampler(), FluxNormalizer(), LineIndices()))\n"
        "print([m for m in ('torch', 'skorch') if m in sys.modules])"
    ).replace("import *", "import FluxNormalizer, LineIndices, LogWaveResampler, search_space")
    assert run(code) == "[]"


# Searches -----------------------------------------------------------------------------------------------


@pytest.fixture
def spectra():
    flux, y, groups = lines()
    return Spectra(flux, wave=np.linspace(4000.0, 6000.0, WIDTH), ivar=np.full_like(flux, 4.0)), y, groups


def model():
    grid = LogWaveResampler(loglam_min=3.61, loglam_max=3.77, n_bins=40)
    return make_pipeline(grid, FluxNormalizer(), network())


def test_halving_search_gives_epochs_to_the_best(spectra):
    X, y, groups = spectra
    search = HalvingRandomSearchCV(
        model(),
        search_space(model()),
        resource="conv1dclassifier__max_epochs",
        min_resources=2,
        max_resources=18,
        n_candidates=9,
        factor=3,
        cv=StratifiedGroupKFold(2),
        random_state=0,
    ).fit(X, y, groups=groups)
    assert search.n_candidates_ == [9, 3, 1]
    assert search.n_resources_ == [2, 6, 18]
    assert search.best_params_["conv1dclassifier__max_epochs"] == 18
    assert len(search.best_estimator_[-1].history_) == 18
    assert search.best_score_ > 0.9


def test_whole_steps_are_searched(spectra):
    X, y, _ = spectra
    steps = {
        "fluxnormalizer": ["passthrough", FluxNormalizer("snv")],
        "conv1dclassifier": [network(max_epochs=2), RandomForestClassifier(5, random_state=0)],
    }
    found = GridSearchCV(model(), steps, cv=2, refit=False).fit(X, y).cv_results_
    assert len(found["params"]) == 4
    for parameters, score in zip(found["params"], found["mean_test_score"], strict=True):
        alone = cross_val_score(clone(model().set_params(**parameters)), X, y, cv=2)
        assert alone.mean() == score


@pytest.mark.parametrize("kind", [RandomizedSearchCV, HalvingRandomSearchCV])
def test_groups_reach_the_splitter(spectra, kind):
    X, y, _ = spectra
    options = {"n_iter": 2} if kind is RandomizedSearchCV else {"n_candidates": 2, "max_resources": 48}
    forest = make_pipeline(FluxNormalizer(), RandomForestClassifier(3, random_state=0))
    search = kind(forest, search_space(forest), cv=LeaveOneGroupOut(), **options)
    with pytest.raises(ValueError, match="'groups' parameter should not be None"):
        search.fit(X, y)
    assert search.fit(X, y, groups=np.arange(len(y)) // 4 % 3).n_splits_ == 3


def test_nested_cross_validation_keeps_groups_together_inside(spectra):
    X, y, groups = spectra
    given = []

    class Recorder(GroupKFold):
        def split(self, X, y=None, groups=None):
            given.append(groups)
            return super().split(X, y, groups)

    forest = make_pipeline(FluxNormalizer(), RandomForestClassifier(3, random_state=0))
    search = GridSearchCV(forest, {"fluxnormalizer__method": ["median", "snv"]}, cv=Recorder(2))
    outer = cross_validate(
        search, X, y, groups=groups, params={"groups": groups}, cv=GroupKFold(3), return_indices=True
    )
    assert len(given) == 3
    for got, train in zip(given, outer["indices"]["train"], strict=True):
        np.testing.assert_array_equal(got, groups[train])


def test_the_best_model_can_be_saved(spectra, tmp_path):
    X, y, groups = spectra
    search = RandomizedSearchCV(
        model().set_params(conv1dclassifier__max_epochs=2),
        search_space(model()),
        n_iter=3,
        cv=StratifiedGroupKFold(2),
        random_state=0,
    ).fit(X, y, groups=groups)
    skspec.save(search.best_estimator_, tmp_path / "best.skspec")
    loaded = skspec.load(tmp_path / "best.skspec")
    np.testing.assert_array_equal(loaded.predict_proba(X), search.predict_proba(X))
    for name, value in search.best_params_.items():
        assert loaded.get_params()[name] == value


def test_oversamplers_are_searched_in_their_pipelines():
    from imblearn.pipeline import make_pipeline as make_resampling_pipeline

    X, y, _ = lines()
    pipeline = make_resampling_pipeline(NoiseOversampler(random_state=0), RandomForestClassifier(3))
    search = RandomizedSearchCV(pipeline, search_space(pipeline), n_iter=2, cv=2, random_state=0).fit(X, y)
    assert 0.01 <= search.best_params_["noiseoversampler__amplitude"] <= 1.0


# Threads ------------------------------------------------------------------------------------------------

COUNT_THREADS = """
import numpy as np
import torch
from sklearn.model_selection import GridSearchCV
from skspec import Conv1DClassifier

def threads(estimator, X, y):
    return torch.get_num_threads()

torch.set_num_threads(torch.get_num_threads() + 1)
X, y = np.random.default_rng(0).normal(size=(16, 20)), np.arange(16) % 2
model = Conv1DClassifier(filters=(2,), kernel_sizes=(3,), max_epochs=1)
search = GridSearchCV(model, {"lr": [1e-3, 1e-2]}, cv=2, n_jobs=2, scoring=threads, refit=False).fit(X, y)
print(max(search.cv_results_[f"split{k}_test_score"].max() for k in range(2)))
"""


def test_workers_share_the_processor():
    """Measure the threads of workers after a fit, for any number of threads in the parent."""
    assert 1 <= float(run(COUNT_THREADS)) <= max(1, cpu_count() // 2)


def run(code):
    unset = {name: value for name, value in environ.items() if not name.endswith("_NUM_THREADS")}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT, env=unset
    ).stdout.strip()
