"""Types of arrays in the simulator."""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating]
FloatLike = FloatArray | float
Float32Array = NDArray[np.float32]
IndexArray = NDArray[np.intp]
