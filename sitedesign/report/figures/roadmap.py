"""What comes when: orders and deliveries, power and racks by month, money by month, plans made by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from sitedesign.report.figures.style import LIGHT, backup_style, figure, pretty, resource_style, soft
from sitedesign.results.roadmap_tables import VALUE, leaves, sources, stage_at

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from sitedesign.results.roadmap import HandMadePlan, Roadmap

OURS = "this roadmap"
#: Groups of costs, in the order of stacking: how an item of a stage begins, and the colour.
_GROUPS = {
    "rent": (("rent ", "mobilisation "), "backup_1"),
    "energy": (("energy ",), "backup_3"),
    "sale": (("sale ",), "mark"),
    "plant": ((), "battery"),
}
_KNOWN = {"solar": "solar", "battery": "battery", "grid": "connection"}
_LEAST_MONTHS, _BESIDE, _MOST_TICKS = 12, 1.25, 12


def shown_months(roadmap: Roadmap) -> int:
    """Months in which anything changes, and a quarter more; the rest of the horizon is like the last."""
    last = max((stage.begins_month for stage in roadmap.stages), default=0.0)
    left = [month for item in roadmap.orders if (month := leaves(item, roadmap)) is not None]
    last = max(last, *left, _LEAST_MONTHS)
    return round(min(last * _BESIDE, roadmap.horizon_months))


def roadmap_gantt_data(roadmap: Roadmap) -> pd.DataFrame:
    """Give one row a thing ordered: from its first order over its deliveries to where the last of it leaves.

    Returns
    -------
    DataFrame
        Columns ``row, technology, kind, ordered, there, gone, amounts``: first order, first delivery, last
        month, and what arrives in which month, in words. [months]
    """
    rows: list[tuple[Any, ...]] = []
    for (technology, kind), table in roadmap.order_table().groupby(["technology", "kind"], sort=False):
        ends = table["retire_month"].fillna(roadmap.horizon_months)
        amounts = [
            f"{amount:,.0f} {unit} in month {month:g}"
            for amount, unit, month in zip(
                table["amount"], table["unit"], table["delivery_month"], strict=True
            )
        ]
        row = f"{pretty(str(technology))}{', for rent' if kind == 'rented' else ''}"
        rows.append((row, technology, kind, table["order_month"].min(), table["delivery_month"].min(),
                     ends.max(), "<br>".join(amounts)))  # fmt: skip
    columns = ["row", "technology", "kind", "ordered", "there", "gone", "amounts"]
    return pd.DataFrame(rows, columns=columns).sort_values(
        ["there", "ordered"], kind="stable", ignore_index=True
    )


def roadmap_gantt(roadmap: Roadmap) -> Figure:
    """Draw what is ordered when, from when it is there and when it leaves."""
    from plotly.graph_objects import Bar, Scatter

    table = roadmap_gantt_data(roadmap).iloc[::-1]  # plotly draws upwards
    colours = _colours(roadmap)
    end = shown_months(roadmap)
    fig = figure("What is ordered when, and from when it is there", height_px=130 + 34 * max(len(table), 1))
    own = [colours[name][0] for name in table["technology"]]
    parts = (
        ("ordered", table["ordered"], table["there"] - table["ordered"], [soft(item, 0.25) for item in own]),
        ("there", table["there"], table["gone"].clip(upper=end) - table["there"], own),
    )
    for name, begins, months, painted in parts:
        fig.add_trace(
            Bar(
                x=months.clip(lower=0).tolist(), base=begins.tolist(), y=table["row"].tolist(),
                orientation="h",
                marker={"color": painted, "line": {"width": 0}}, name=name, showlegend=False,
                customdata=table["amounts"].tolist(), hovertemplate="%{y}<br>%{customdata}<extra></extra>",
            )
        )  # fmt: skip
    orders = roadmap.order_table()
    label = {(row.technology, row.kind): row.row for row in table.itertuples()}
    marks = (
        ("order", "order_month", "circle-open"), ("delivery", "delivery_month", "diamond"),
        ("leaves", "retire_month", "x"),
    )  # fmt: skip
    for name, column, symbol in marks:
        there = orders[orders[column].notna() & (orders[column] <= end)]
        fig.add_trace(
            Scatter(
                x=there[column].tolist(),
                y=[label[pair] for pair in zip(there["technology"], there["kind"], strict=True)],
                mode="markers", name=name, marker={"symbol": symbol, "size": 9, "color": LIGHT["ink"]},
                customdata=[f"{x.amount:,.0f} {x.unit}" for x in there.itertuples()],
                hovertemplate=f"{name} of %{{customdata}} in month %{{x:.3g}}<extra></extra>",
            )
        )  # fmt: skip
    fig.update_layout(
        barmode="overlay", bargap=0.35, hovermode="closest", meta={"note": _months_note(roadmap)}
    )
    fig.update_xaxes(title_text=month_title(roadmap), range=[-0.5, end], dtick=month_tick(end))
    fig.update_yaxes(ticks="", showgrid=False)
    return fig


def roadmap_power(roadmap: Roadmap) -> Figure:
    """Draw power by source and, below it, racks asked for and running; :meth:`Roadmap.month_table`."""
    from plotly.graph_objects import Scatter

    end = shown_months(roadmap)
    table = roadmap.month_table().iloc[: end + 1]
    months = table.index.tolist()
    fig = figure(
        "Power that is there, and racks that run on it", height_px=520, rows=2, row_heights=[0.6, 0.4]
    )
    colours = _colours(roadmap)
    for column in [name for name in sources(roadmap) if name.endswith("_mw")]:
        rented = column.startswith("rented_")
        name = column.removeprefix("rented_").removesuffix("_mw")
        label = pretty(name) + (", for rent" if rented else "")
        colour, pattern = colours[name]
        fig.add_trace(
            Scatter(
                x=months, y=table[column].round(3).tolist(), name=label,
                stackgroup="power", line={"width": 0, "shape": "hv"},
                fillcolor=colour,
                fillpattern={"shape": "/" if rented else pattern, "fgcolor": LIGHT["paper"],
                             "bgcolor": colour, "size": 6, "solidity": 0.3},
                hovertemplate="%{y:,.0f} MW",
            ),
            row=1, col=1,
        )  # fmt: skip
    for name, column, line in (
        ("racks that run", "racks_running", {"color": LIGHT["racks"], "width": 0, "shape": "hv"}),
        ("racks asked for", "racks_asked", {"color": LIGHT["ink"], "width": 2, "dash": "dot", "shape": "hv"}),
    ):
        filled = "tozeroy" if column == "racks_running" else None
        fig.add_trace(
            Scatter(x=months, y=table[column].tolist(), name=name, mode="lines", line=line, fill=filled,
                    hovertemplate="%{y:,.0f}"),
            row=2, col=1,
        )  # fmt: skip
    note = "Power is what stands there: an array gives it in full sun only, a battery while it lasts."
    fig.update_layout(meta={"note": f"{note} {_months_note(roadmap)}"}, legend={"traceorder": "normal"})
    fig.update_yaxes(title_text="power [MW]", rangemode="tozero", row=1, col=1)
    fig.update_yaxes(title_text="racks", rangemode="tozero", row=2, col=1)
    fig.update_xaxes(title_text=month_title(roadmap), row=2, col=1)
    fig.update_xaxes(range=[0, end], dtick=month_tick(end))
    return fig


def roadmap_cash_data(roadmap: Roadmap) -> pd.DataFrame:
    """Give money by month in a few groups.

    Returns
    -------
    DataFrame
        Indexed by month: ``rent`` (with mobilisation), ``energy``, ``sale``, ``plant`` (capital charges,
        fixed cost and all else), ``value`` of the racks, ``cumulative`` (discounted). What goes out is below
        zero. [USD]
    """
    table = roadmap.cash_table()
    others = ("date", VALUE, "net", "discounted", "cumulative")
    items = [str(name) for name in table if name not in others]
    found = {}
    for group, (begins, _) in _GROUPS.items():
        own = [name for name in items if name.startswith(begins)] if begins else items
        items = [name for name in items if name not in own]
        found[group] = table[own].sum(axis=1)
    return pd.DataFrame(found | {"value": table[VALUE], "cumulative": table["cumulative"]})


def roadmap_cash(roadmap: Roadmap) -> Figure:
    """Draw what goes out and comes in by month, and what it adds up to."""
    from plotly.graph_objects import Bar, Scatter

    table = roadmap_cash_data(roadmap) / 1e6
    fig = figure("Money by month, and discounted up to it [M USD]", height_px=480, rows=2)
    bars = [(group, _GROUPS[group][1]) for group in _GROUPS] + [("value", "racks")]
    for group, colour in bars:
        if table[group].any():
            fig.add_trace(
                Bar(x=table.index.tolist(), y=table[group].round(4).tolist(),
                    name=VALUE if group == "value" else group,
                    marker={"color": LIGHT[colour], "line": {"width": 0}}, hovertemplate="%{y:,.2f} M USD"),
                row=1, col=1,
            )  # fmt: skip
    until = table["cumulative"].round(4).tolist()
    line = {"color": LIGHT["ink"], "width": 2}
    fig.add_trace(
        Scatter(x=table.index.tolist(), y=until, name="all until then, discounted", mode="lines", line=line,
                hovertemplate="%{y:,.1f} M USD"),
        row=2, col=1,
    )  # fmt: skip
    note = "Capital is charged by the year from delivery on, as in the optimum; what goes out is below zero."
    fig.update_layout(barmode="relative", bargap=0, meta={"note": note})
    fig.update_yaxes(title_text="M USD a month", row=1, col=1)
    fig.update_yaxes(title_text="M USD", row=2, col=1)
    fig.update_xaxes(title_text=month_title(roadmap), row=2, col=1)
    return fig


def roadmap_comparison_data(roadmap: Roadmap) -> pd.DataFrame:
    """Give the roadmap beside the plans that people make by hand.

    Returns
    -------
    DataFrame
        Columns ``plan, net_present_value_usd, first_power_month, rack_months_idle, reason``; no figures
        where there is no such plan. [USD, months, rack-months]
    """
    beside: list[tuple[str, Roadmap | HandMadePlan, str]] = [(OURS, roadmap, "")]
    beside += [(plan.name, plan, plan.reason) for plan in roadmap.by_hand]
    rows = [
        (name, plan.net_present_value_usd, plan.first_power_month, plan.rack_months_idle, reason)
        for name, plan, reason in beside
    ]
    columns = ["plan", "net_present_value_usd", "first_power_month", "rack_months_idle", "reason"]
    numbers = dict.fromkeys(columns[1:4], "float64")
    return pd.DataFrame(rows, columns=columns).astype(numbers)


def roadmap_comparison(roadmap: Roadmap) -> Figure:
    """Draw racks that run by month and what is left, of the roadmap and of plans made by hand."""
    from plotly.graph_objects import Bar, Scatter

    table = roadmap_comparison_data(roadmap)
    styles = dict(zip(table["plan"], _PLAN_STYLES, strict=False))
    fig = figure("Beside plans that people make by hand", height_px=420, cols=2, horizontal_spacing=0.16,
                 column_widths=[0.6, 0.4])  # fmt: skip
    end = shown_months(roadmap)
    months = list(range(end + 1))
    plans = [(OURS, roadmap.stages), *((item.name, item.stages) for item in roadmap.by_hand if item.stages)]
    for plan, stages in plans:
        held = [stage_at(stages, month) for month in months]
        colour, dash = styles[plan]
        fig.add_trace(
            Scatter(x=months, y=[0 if stage is None else stage.racks_running for stage in held], name=plan,
                    mode="lines", line={"color": LIGHT[colour], "width": 2.5, "dash": dash, "shape": "hv"},
                    hovertemplate="%{y:,.0f}"),
            row=1, col=1,
        )  # fmt: skip
    there = table[table["net_present_value_usd"].notna()].iloc[::-1]
    millions = (there["net_present_value_usd"] / 1e6).round(2)
    fig.add_trace(
        Bar(x=millions.tolist(), y=there["plan"].tolist(), orientation="h", showlegend=False,
            marker={"color": [LIGHT[styles[plan][0]] for plan in there["plan"]], "line": {"width": 0}},
            text=[f"{usd:,.0f}" for usd in millions], textposition="auto",
            hovertemplate="%{y}: %{x:,.1f} M USD<extra></extra>"),
        row=1, col=2,
    )  # fmt: skip
    said = [
        f"{plan.name.capitalize()}: {plan.reason.rstrip('.')}." for plan in roadmap.by_hand if plan.reason
    ]
    fig.update_layout(bargap=0.4, hovermode="closest", meta={"wide_only": "x2", "note": " ".join(said)})
    fig.update_xaxes(title_text=month_title(roadmap), range=[0, end], dtick=month_tick(end), row=1, col=1)
    fig.update_yaxes(title_text="racks that run", rangemode="tozero", row=1, col=1)
    worth = "value less cost, net present [M USD]"
    fig.update_xaxes(title_text=worth, zeroline=True, row=1, col=2)
    fig.update_yaxes(ticks="", showgrid=False, row=1, col=2)
    return fig


_PLAN_STYLES = (("ink", "solid"), ("connection", "dash"), ("backup_1", "dot"), ("solar", "dashdot"))


def _colours(roadmap: Roadmap) -> dict[str, tuple[str, str]]:
    """Colour and hatching of each source by its name: resources, units owned or rented, battery, grid."""
    owned = dict.fromkeys(name for stage in roadmap.stages for name in stage.owned_mw)
    rented = dict.fromkeys(name for stage in roadmap.stages for name in stage.rented_mw)
    ordered = dict.fromkeys(item.technology for item in roadmap.orders)
    known = {
        "battery": (LIGHT["battery"], ""),
        "grid": (LIGHT["connection"], ""),
        "solar": (LIGHT["solar"], ""),
    }
    units = set(rented) | {item.technology for item in roadmap.orders if item.unit == "units"}
    names = [name for name in (owned | rented | ordered) if name not in known]
    farms = [name for name in names if name not in units]
    known |= {name: resource_style(number + 1) for number, name in enumerate(farms)}
    backup = [name for name in names if name in units]
    return known | {name: backup_style(number) for number, name in enumerate(backup)}


def month_title(roadmap: Roadmap) -> str:
    """Title of an axis of months."""
    return f"time from {roadmap.start:%B %Y} [months]"


def month_tick(months: float) -> int:
    """Months from one mark of the axis to the next, never more than some ten of them."""
    return next(step for step in (3, 6, 12, 24, 60) if months / step <= _MOST_TICKS or step == 60)


def _months_note(roadmap: Roadmap) -> str:
    end = shown_months(roadmap)
    if end >= roadmap.horizon_months:
        return ""
    return f"From month {end} to the horizon, month {roadmap.horizon_months:g}, nothing changes."
