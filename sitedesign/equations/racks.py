"""Spare racks: broken racks use up the same downtime budget as missing power."""

from __future__ import annotations

from sitedesign.equations.registry import equation


@equation(
    "D1",
    r"L^R \ge \bar\ell\,\bigl(\lambda \epsilon_r + (\epsilon_{r+1}-\epsilon_r)(R - \lambda r)\bigr)",
    over="chord",
)
def rack_shortfall_chord(m, r):
    """Bound e(R) = E[(K - Bin(R, a))+]/K by its chords: it is convex, so whole racks are exact."""
    share = m.rack_shortfall[r] * m.share + m.rack_shortfall_slope[r] * (m.racks - r * m.share)
    return m.rack_lost_mwh_per_yr >= m.load_mwh_per_yr * share
