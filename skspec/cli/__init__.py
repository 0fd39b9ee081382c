"""The command line: ``skspec demo | fit | predict | reproduce | catalogue | formats``.

`_app` says what can be typed, `_joining`, `_training` and `_prediction` do the work and return numbers, `_report`
prints them.
"""

import sys


def main() -> None:
    """Run the command line; needs the extra ``skspec[cli]``."""
    try:
        from skspec.cli._app import app  # noqa: PLC0415
    except ImportError as error:
        if error.name not in ("typer", "rich"):
            raise
        sys.exit(f"skspec: error: the command line needs {error.name}: pip install 'skspec[cli]'")
    app()
