"""Seeds from the parameter ``random_state``."""

import numpy as np


def draw_seed(random_state: int | np.random.RandomState | None) -> int:
    """Draw a seed from ``random_state``; unlike in scikit-learn, None does not use numpy's global generator."""
    from sklearn.utils import check_random_state  # noqa: PLC0415 - `Spectra` work without scikit-learn

    generator = np.random.RandomState() if random_state is None else check_random_state(random_state)
    return int(generator.randint(2**31 - 1))
