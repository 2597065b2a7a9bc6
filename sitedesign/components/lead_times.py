"""When equipment can be there: its own order, the air permit, what the plant and its hall need beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sitedesign.library import Backup, Facility, Schedule


def backup_months(backup: Backup, schedule: Schedule) -> float:
    """Months from order to first power of a backup technology.

    The air permit runs beside the order. A unit too large for the plant's medium voltage waits for a
    transformer of its own.
    """
    months = max(backup.lead_months, backup.air_permit_months)
    if backup.unit_mw > schedule.generator_bus_mw:
        months = max(months, schedule.generator_transformer_months)
    return months


def hall_months(facility: Facility, schedule: Schedule) -> float:
    """Months from order until racks can run in the hall: building, switchgear, transformers and chillers.

    Every plant of a question needs the same hall, so it is stated beside the plant's months and not counted
    in them.
    """
    equipment = (
        schedule.switchgear_months,
        schedule.distribution_transformer_months,
        schedule.chiller_months,
    )
    return max(facility.lead_months, *equipment)
