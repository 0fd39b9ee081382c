"""The formats that come with skspec; importing this registers them."""

from skspec.io.formats import (
    aaomega,
    desi,
    fits_table,
    indo_us,
    iraf,
    lamost,
    npz,
    pickles,
    rows_table,
    sdss_spec,
    sdss_spspec,
    snid,
    text,
)

__all__ = [
    "aaomega",
    "desi",
    "fits_table",
    "indo_us",
    "iraf",
    "lamost",
    "npz",
    "pickles",
    "rows_table",
    "sdss_spec",
    "sdss_spspec",
    "snid",
    "text",
]
