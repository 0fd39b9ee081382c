"""Docstrings of the public classes agree with their signatures, defaults and fitted attributes."""

import ast
import inspect

import numpy as np
import pytest
from numpydoc.docscrape import ClassDoc, NumpyDocString

import skspec
from skspec.training import NeuralEstimator
from tests._estimators import CASES

PUBLIC = {name: getattr(skspec, name) for name in skspec.__all__}
WITH_PARAMETERS = {name: cls for name, cls in PUBLIC.items() if hasattr(cls, "get_params")}
NEURAL = {name: cls for name, cls in WITH_PARAMETERS.items() if issubclass(cls, NeuralEstimator)}
GROUPS = ["Input", "Loss", "Optimisation", "Augmentation", "Validation", "Running"]


def entries(cls, *sections):
    doc = NumpyDocString(cls.__doc__)
    return [entry for section in sections for entry in doc[section] if not entry.name.startswith("—")]


@pytest.mark.parametrize("name", WITH_PARAMETERS)
def test_parameters_are_those_of_the_signature(name):
    cls = WITH_PARAMETERS[name]
    documented = entries(cls, "Parameters", "Other Parameters")
    names = [part for entry in documented for part in entry.name.split(", ")]
    assert names == list(inspect.signature(cls).parameters)
    assert sorted(names) == cls._get_param_names()


@pytest.mark.parametrize("name", WITH_PARAMETERS)
def test_defaults_are_those_of_the_signature(name):
    cls = WITH_PARAMETERS[name]
    parameters = inspect.signature(cls).parameters
    for entry in entries(cls, "Parameters", "Other Parameters"):
        assert " ".join(entry.desc).strip(), entry.name
        defaults = [parameters[part].default for part in entry.name.split(", ")]
        if inspect.Parameter.empty in defaults:
            assert "default" not in entry.type
        else:
            documented = ast.literal_eval(entry.type.split("default=")[1])
            several = len(defaults) > 1 and isinstance(documented, tuple)
            assert (documented if several else (documented,) * len(defaults)) == tuple(defaults), entry.name


@pytest.mark.parametrize("name", NEURAL)
def test_own_parameters_come_first_and_groups_are_titled(name):
    cls = NEURAL[name]
    doc = NumpyDocString(cls.__doc__)
    own = [entry.name for entry in doc["Parameters"]]
    assert own
    assert list(inspect.signature(cls).parameters)[: len(own)] == own
    assert not set(own) & set(NeuralEstimator._get_param_names())
    titles = [entry.name for entry in doc["Other Parameters"] if entry.name.startswith("—")]
    assert titles == [f"— {group} —" for group in GROUPS]


@pytest.mark.parametrize("name", NEURAL)
def test_what_fit_sets_is_documented(name):
    X = skspec.make_spectra(40, wave=np.linspace(4000, 4100, 48), random_state=0)
    y = X.meta["z"] if name.endswith("Regressor") else np.arange(40) % 2
    model = CASES[name].make().set_params(max_epochs=1, validation_fraction=0.3)
    if name == "ResNet2DClassifier":
        X = X.flux
    model.fit(X, y)
    model.feature_names_in_ = None  # set if X has names
    documented = {part for entry in entries(type(model), "Attributes") for part in entry.name.split(", ")}
    fitted = {key for key in vars(model) if key.endswith("_") and not key.startswith("_")}
    assert fitted <= documented
    assert all(hasattr(model, key) for key in documented)


@pytest.mark.parametrize("name", WITH_PARAMETERS)
def test_public_methods_are_documented(name):
    cls = WITH_PARAMETERS[name]
    ours = [
        method
        for method in dir(cls)
        if not method.startswith("_")
        and str(getattr(getattr(cls, method), "__module__", "")).startswith("skspec.")
    ]
    assert not [method for method in ours if not getattr(cls, method).__doc__]
    ClassDoc(cls)  # parses


def test_a_subclass_documents_its_own_parameters_only():
    class Mine(skspec.Conv1DClassifier):
        """Classify with more.

        Parameters
        ----------
        extra : int
            One more.
        """

        extra: int = 3
        lr: float = 0.5

    names = list(inspect.signature(Mine).parameters)
    assert names == ["extra", *inspect.signature(skspec.Conv1DClassifier).parameters]
    found = {entry.name: entry for entry in entries(Mine, "Parameters", "Other Parameters")}
    assert list(found) == names
    assert found["extra"].type == "int, default=3"
    assert found["lr"].type == "float, default=0.5"
    assert "default=0.003" in skspec.Conv1DClassifier.__doc__
    model = Mine(extra=4)
    assert model.get_params()["extra"] == 4
    assert model.lr == 0.5
    assert repr(model) == "Mine(extra=4)"
    with pytest.raises(TypeError, match="unexpected keyword argument 'extr'"):
        Mine(extr=4)
    with pytest.raises(TypeError, match="positional argument"):
        Mine(4)


def test_signatures_do_not_need_docstrings():
    class Bare(skspec.Conv1DClassifier):  # as all classes are under python -OO
        extra: int = 3

    assert Bare.__doc__ is None
    assert list(inspect.signature(Bare).parameters)[:2] == ["extra", "filters"]
    assert Bare(extra=4).get_params()["extra"] == 4
