"""Built-in file formats, which are registered on import."""

from skspec.io.formats import (  # noqa: F401
    aaomega,
    boss_hdf5,
    contest,
    desi,
    fits_table,
    indo_us,
    iraf,
    lamost,
    mk_library,
    npz,
    pickles,
    rows_table,
    sdss_spec,
    sdss_spspec,
    snid,
    text,
)
