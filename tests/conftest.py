"""One thread for torch: test networks are so small that more only wait for each other."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
