"""File formats that come with skspec; importing this registers them.

Each file of this folder without a leading underscore registers its formats, in alphabetical order of the files; see
`register_format` for the order in which formats are tried.
"""

import importlib
import pkgutil

for _, _name, _ in pkgutil.iter_modules(__path__):
    if not _name.startswith("_"):
        importlib.import_module(f"{__name__}.{_name}")
