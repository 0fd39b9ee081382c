"""Text representation of `Spectra`, and HTML for notebooks with a small plot and the first catalogue rows."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skspec.spectra._arrays import valid
from skspec.spectra.figure import COLORS

if TYPE_CHECKING:
    from skspec.spectra._spectra import Spectra

_N_CURVES, _N_POINTS = 3, 300
_N_ROWS, _N_COLUMNS, _N_CHARACTERS = 5, 10, 40
_WIDTH, _HEIGHT = 600, 160  # of the picture, in CSS pixels


def text_view(spectra: Spectra) -> str:
    """Return a summary of `spectra` on one line."""
    n, p = spectra.shape
    text = "1 spectrum" if n == 1 else f"{n} spectra"
    text += f" × {p} pixels" if spectra.is_common_grid else f", up to {p} pixels each"
    if n:
        waves = [spectra.wave] if spectra.is_common_grid else spectra.wave
        low, high = min(wave[0] for wave in waves), max(wave[-1] for wave in waves)
        text += f", {low:.1f}–{high:.1f} Å ({spectra.medium})"
    text += ", ivar" if spectra.ivar is not None else ", no ivar"
    columns = spectra.meta.colnames
    if columns:
        text += "; meta: " + ", ".join(columns[:8]) + (", …" if len(columns) > 8 else "")
    return f"<Spectra: {text}>"


def html_view(spectra: Spectra) -> str:
    """Return the HTML of `spectra`; its length does not grow with the number of spectra."""
    summary = escape(text_view(spectra).strip("<>").partition("; meta:")[0])
    unit = "relative or unknown" if spectra.flux_unit is None else str(spectra.flux_unit)
    parts = [f"<p><b>{summary}</b><br>flux unit: {escape(unit)}</p>"]
    if len(spectra):
        parts.append(_picture(spectra))
    if spectra.meta.colnames:
        parts.append(_table(spectra.meta))
    return f"<div>{''.join(parts)}</div>"


def _picture(spectra: Spectra) -> str:
    """Return an SVG plot of the first spectra, each scaled to its own range, with gaps at missing pixels."""
    curves = []
    for row in range(min(len(spectra), _N_CURVES)):
        flux, ivar = spectra.flux[row], None if spectra.ivar is None else spectra.ivar[row]
        wave = spectra.wave if spectra.is_common_grid else spectra.wave[row]
        curves.append(_thinned(wave, np.where(valid(flux, ivar), flux, np.nan)))
    seen = [wave for wave, flux in curves if np.isfinite(flux).any()]
    low, high = (min(w[0] for w in seen), max(w[-1] for w in seen)) if seen else (0.0, 1.0)
    lines = []
    for k, (wave, flux) in enumerate(curves):
        good = np.isfinite(flux)
        if not good.any():
            continue
        bottom, top = np.percentile(flux[good], (0.5, 99.5))
        x = _WIDTH * (wave - low) / (high - low or 1.0)
        y = _HEIGHT * (1.0 - np.clip((flux - bottom) / (top - bottom or 1.0), -0.05, 1.05) * 0.9 - 0.05)
        edges = np.flatnonzero(np.diff(good, prepend=False, append=False))
        for start, stop in edges.reshape(-1, 2).tolist():
            points = [f"{a:.1f},{b:.1f}" for a, b in zip(x[start:stop], y[start:stop], strict=True)]
            if len(points) == 1:  # a line of length zero would be invisible
                points.append(f"{x[start] + 1:.1f},{y[start]:.1f}")
            lines.append(
                f'<polyline points="{" ".join(points)}" fill="none" stroke="{COLORS[k]}" stroke-width="1"/>'
            )
    if not lines:
        subject = f"The first {len(curves)} have no" if len(curves) > 1 else "No"
        return f"<p>{subject} valid pixel.</p>"
    return f'<svg width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}">{"".join(lines)}</svg>'


def _thinned(wave: NDArray[Any], flux: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Average neighbouring pixels to at most `_N_POINTS`; NaN where all of them are missing."""
    step = -(-len(wave) // _N_POINTS)
    starts = np.arange(0, len(wave), step)
    good = np.isfinite(flux)
    number = np.add.reduceat(good, starts, dtype=np.float64)
    total = np.add.reduceat(np.where(good, flux, 0.0), starts, dtype=np.float64)
    size = np.diff(starts, append=len(wave))
    with np.errstate(invalid="ignore"):
        return np.add.reduceat(wave, starts) / size, total / number


def _table(meta: Any) -> str:
    names = meta.colnames[:_N_COLUMNS]
    more = len(meta.colnames) - len(names)
    rows = meta[:_N_ROWS]
    head = "".join(f"<th>{escape(name)}</th>" for name in names) + ("<th>…</th>" if more else "")
    cells = ["".join(f"<td>{_cell(rows[name][i])}</td>" for name in names) for i in range(len(rows))]
    body = "".join(f"<tr>{row}{'<td>…</td>' if more else ''}</tr>" for row in cells)
    left = len(meta) - len(rows)
    note = f"<p>{left} more {'row' if left == 1 else 'rows'}</p>" if left else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{note}"


def _cell(value: Any) -> str:
    if np.ma.is_masked(value):
        return "—"
    text = f"{value:.7g}" if isinstance(value, float | np.floating) else " ".join(str(value).split())
    return escape(text if len(text) <= _N_CHARACTERS else text[: _N_CHARACTERS - 1] + "…")
