"""Small files in the survey formats, as written by the pipelines."""

import numpy as np
from astropy.io import fits

N = 40


def flux_ivar(seed=0, n=N):
    rng = np.random.default_rng(seed)
    return rng.normal(10, 1, n).astype(np.float32), rng.uniform(0.5, 2, n).astype(np.float32)


def write_sdss_spec(
    path, *, seed=0, upper=False, row="SPECOBJ", exposures=0, coeff0=3.6, shift=0, survey="sdss", n=N
):
    """An SDSS spec file; the first `shift` pixels are missing, and `row=None` omits the catalogue row."""
    flux, ivar = flux_ivar(seed, n)
    loglam = (coeff0 + 1e-4 * np.arange(shift, shift + n)).astype(np.float32)
    header = fits.Header({"PLATEID": 7, "MJD": 55555, "FIBERID": 3, "PLUG_RA": 150.25, "PLUG_DEC": -1.5})
    if coeff0 is not None:
        header["COEFF0"], header["COEFF1"] = coeff0, 1e-4
    case = str.upper if upper else str
    coadd = [
        fits.Column(case(name), "E", array=values)
        for name, values in (("flux", flux), ("loglam", loglam), ("ivar", ivar))
    ]
    coadd.append(fits.Column(case("and_mask"), "J", array=np.full(n, 2**20)))
    hdus = [fits.PrimaryHDU(header=header), fits.BinTableHDU.from_columns(coadd, name="COADD")]
    if row is not None:
        values = [
            fits.Column("SURVEY", "6A", array=[survey]),
            fits.Column("CLASS", "6A", array=["STAR"]),
            fits.Column("SUBCLASS", "21A", array=["F5 (12345)"]),
            fits.Column("Z", "E", array=[1e-4]),
            fits.Column("ZWARNING", "J", array=[4]),
            fits.Column("PLUG_RA", "D", array=[150.25]),
            fits.Column("PLUG_DEC", "D", array=[-1.5]),
            fits.Column("SN_MEDIAN", "5E", array=[[1, 2, 3.5, 4, 5]]),
            fits.Column("SPECOBJID", "K", bzero=2**63, array=np.array([2**63 + 5], dtype=np.uint64)),
        ]
        hdus.append(fits.BinTableHDU.from_columns(values, name=row))
    hdus += [fits.BinTableHDU.from_columns(coadd, name=f"B1-{i:08d}") for i in range(exposures)]
    fits.HDUList(hdus).writeto(path)
    return flux, ivar, loglam


def lamost_header(n=N, **cards):
    known = {
        "CLASS": "STAR",
        "SUBCLASS": "G5",
        "Z": 2e-4,
        "RA": 10.5,
        "DEC": 41.0,
        "SNRR": 55.5,
        "DESIG": "LAMOST J0042",
    }
    grid = {"COEFF0": 3.5682, "COEFF1": 1e-4}
    return fits.Header({"TELESCOP": "LAMOST", "VACUUM": True, **known, **grid, **cards})


def write_lamost_table(path, *, grid=True, extname="COADD", n=N):
    """LAMOST from data release 8 on: one row of vector columns."""
    flux, ivar = flux_ivar(1, n)
    wave = (10 ** (3.5682 + 1e-4 * np.arange(n))).astype(np.float32)
    header = lamost_header()
    if not grid:
        del header["COEFF0"], header["COEFF1"]
    zero = np.zeros(n, dtype=np.float32)
    names = ("FLUX", "IVAR", "WAVELENGTH", "ANDMASK", "ORMASK", "NORMALIZATION")
    columns = [
        fits.Column(name, f"{n}E", array=[values])
        for name, values in zip(names, (flux, ivar, wave, zero, zero, flux), strict=True)
    ]
    fits.HDUList(
        [fits.PrimaryHDU(header=header), fits.BinTableHDU.from_columns(columns, name=extname)]
    ).writeto(path)
    return flux, ivar, wave


def write_image(path, flux, **cards):
    """One-dimensional image."""
    header = fits.Header()
    for name, value in cards.items():
        header[name.replace("_FLAG", "-FLAG")] = value
    fits.PrimaryHDU(flux, header).writeto(path)
