"""File formats that come with skspec; importing this registers them.

Each file of this folder without a leading underscore registers its formats, in alphabetical order of the files (after
the files that it imports). See `register_format` for the order in which formats are tried.
"""

import importlib
import pkgutil

for _module in pkgutil.iter_modules(__path__):
    if not _module.name.startswith("_"):
        importlib.import_module(f"{__name__}.{_module.name}")
