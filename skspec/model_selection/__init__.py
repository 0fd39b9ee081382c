"""Prepare spectra for training, and cross-validate models with all spectra of an object in one fold."""

from skspec.model_selection._copies import has_signal, join_copies
from skspec.model_selection._cross_validation import (
    CrossValidation,
    compare_models,
    fit_in_one_thread,
    grouped_folds,
)
from skspec.model_selection._groups import group_spectra, has_position
from skspec.model_selection._labels import LABEL_REDUCTIONS, select_labels
from skspec.model_selection._prepared import PreparedSpectra, choose_grid, prepare_spectra, to_rest_frame
from skspec.spectra.sky import sky_groups

__all__ = [
    "LABEL_REDUCTIONS",
    "CrossValidation",
    "PreparedSpectra",
    "choose_grid",
    "compare_models",
    "fit_in_one_thread",
    "group_spectra",
    "grouped_folds",
    "has_position",
    "has_signal",
    "join_copies",
    "prepare_spectra",
    "select_labels",
    "sky_groups",
    "to_rest_frame",
]
