"""The ``batch`` and ``rank`` commands: many candidate sites in a terminal or on a cluster.

On this machine one worker process per core is started, and nothing needs to be set up::

    sitedesign batch sites.csv --out results/ --racks 700 --uptime 0.999

A cluster needs a running dask scheduler and workers with one thread each; the batch itself runs anywhere that
reaches the scheduler, and can be killed and started again like on one machine.

SLURM, with dask-jobqueue (``pip install dask-jobqueue``)::

    from dask_jobqueue import SLURMCluster
    import sitedesign as sd

    if __name__ == "__main__":
        cluster = SLURMCluster(
            queue="normal", cores=32, processes=32, memory="64GB", walltime="04:00:00",
            job_script_prologue=["source ~/venv/bin/activate", "export NUMBA_CACHE_DIR=$TMPDIR/numba",
                                  "export DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED=False"],
        )
        cluster.adapt(minimum_jobs=1, maximum_jobs=20)
        address = cluster.scheduler_address
        sd.solve_many("sites.csv", out="results/", scheduler=address, racks=700, uptime=0.999)

Jobs that reach their wall time give their sites back; ``adapt`` starts new ones. A node compiles the kernels
once, into ``NUMBA_CACHE_DIR``.

Kubernetes, with dask-kubernetes (``pip install dask-kubernetes``, the Dask operator installed in the cluster,
and an image in which ``pip install sitedesign`` was run)::

    from dask_kubernetes.operator import KubeCluster
    import sitedesign as sd

    if __name__ == "__main__":
        cluster = KubeCluster(
            name="sitedesign", image="registry.example.org/sitedesign:0.1.0", n_workers=100,
            worker_command=["dask", "worker", "--nthreads", "1", "--memory-limit", "1GiB"],
            env={"DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False"},
            resources={"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "1", "memory": "1.5Gi"}},
        )
        address = cluster.scheduler_address
        sd.solve_many("sites.csv", out="results/", scheduler=address, racks=700, uptime=0.999)

By hand, on any machines that see each other::

    dask scheduler                                       # prints its address
    export DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED=False
    dask worker tcp://10.0.0.1:8786 --nthreads 1 --nworkers auto
    sitedesign batch sites.csv --out results/ --scheduler tcp://10.0.0.1:8786 --racks 700 --uptime 0.999

Without that setting each worker keeps a profile of every second of the last hour, some 100 to 1,000 MB.
All machines need the same versions of sitedesign and of the packages in the manifest.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

STOPPED, BAD_INPUT, INTERRUPTED = 1, 2, 130
# Column, heading and factor of the ranking in a terminal.
_SHOWN = (
    ("name", "site", 1.0),
    ("cost_usd_per_yr", "cost\nM USD/yr", 1e-6),
    ("solar_mw", "solar\nMWdc", 1.0),
    ("battery_mwh", "battery\nMWh", 1.0),
    ("racks_installed", "racks", 1.0),
    ("renewable_share", "solar\n%", 100.0),
    ("land_acres", "land\nacres", 1.0),
    ("months_to_power", "power in\nmonths", 1.0),
)

_out = Console()
_err = Console(stderr=True)


def batch(
    sites: Annotated[
        Path | None, typer.Argument(help="CSV, Parquet or GeoJSON points; or use --grid.", show_default=False)
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", help="Folder for the results; resumed if it has some.")
    ] = Path("results"),
    grid: Annotated[
        str | None, typer.Option(help="Sites on a grid: SOUTH,NORTH,WEST,EAST,SPACING, land only. [degrees]")
    ] = None,
    level: Annotated[str, typer.Option(help="bound (perfect foresight, fastest) or certified.")] = "bound",
    certify_best: Annotated[int, typer.Option(help="Then certify so many of the best sites.")] = 0,
    by: Annotated[
        str, typer.Option(help="Column that --certify-best and the ranking go by.")
    ] = "cost_usd_per_yr",
    workers: Annotated[int | None, typer.Option(help="Worker processes; one per core when left out.")] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="Address of a dask scheduler instead of this machine.")
    ] = None,
    new: Annotated[bool, typer.Option("--new", help="Set earlier results aside and start over.")] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Try bad input and errors again.")
    ] = False,
    racks: Annotated[int | None, typer.Option(help="Racks contracted, unless a column says so.")] = None,
    it_mw: Annotated[float | None, typer.Option(help="IT power contracted, instead of racks. [MW]")] = None,
    rack: Annotated[str | None, typer.Option(help="Rack model.")] = None,
    uptime: Annotated[float | None, typer.Option(help="Share of rack-hours to serve. [fraction]")] = None,
    metric: Annotated[str | None, typer.Option(help="rack or compute.")] = None,
    pv: Annotated[str | None, typer.Option(help="tracker_ac, fixed_ac or fixed_dc.")] = None,
    backup: Annotated[
        list[str] | None, typer.Option(help="Backup technology; repeat for more, 'none' for none.")
    ] = None,
    years: Annotated[int | None, typer.Option(help="Weather years to generate; 20 when left out.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the generated weather.")] = None,
    gas_price: Annotated[float | None, typer.Option(help="Delivered gas price. [USD/MMBtu]")] = None,
    min_renewable_share: Annotated[
        float | None, typer.Option(help="Least share without backup. [fraction]")
    ] = None,
    limit: Annotated[
        list[str] | None,
        typer.Option(help="NAME=MOST or NAME=LEAST:MOST, for example land_acres=3000; repeat for more."),
    ] = None,
    method: Annotated[str, typer.Option(help="cuts or extensive.")] = "cuts",
    gap: Annotated[float | None, typer.Option(help="Relative optimality gap. [fraction]")] = None,
    time_limit: Annotated[
        float | None, typer.Option(help="Per site; results then depend on the machine. [s]")
    ] = None,
    top: Annotated[int, typer.Option(help="Best sites to print.")] = 10,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> None:
    """Solve many candidate sites; killed at any moment, run it again and it goes on."""
    from sitedesign.batch import solve_many

    with _messages(out):
        question: dict[str, Any] = {
            "racks": racks, "it_mw": it_mw, "rack": rack, "uptime": uptime, "metric": metric, "pv": pv,
            "weather_years": years, "seed": seed, "min_renewable_share": min_renewable_share,
            "backup": None if not backup else [] if backup == ["none"] else backup,
            "fuel_price_usd_per_mmbtu": None if gas_price is None else {"natural_gas": gas_price},
            "limits": _limits(limit or []),
        }  # fmt: skip
        question = {key: value for key, value in question.items() if value is not None}
        frame = solve_many(
            _source(sites, grid),
            out=out, level=level, certify_best=certify_best, by=by, workers=workers, scheduler=scheduler,
            new=new, retry_failed=retry_failed, method=method, gap=gap, time_limit_s=time_limit, quiet=quiet,
            **question,
        )  # fmt: skip
        counts = ", ".join(f"{count} {status}" for status, count in frame["status"].value_counts().items())
        _out.print(f"{len(frame):,} sites: {counts}. Results in {out}/results.parquet.", highlight=False)
        _print_ranked(frame, by, None, top)


def rank_command(
    results: Annotated[Path, typer.Argument(help="Folder of a batch, finished or not, or a Parquet file.")],
    by: Annotated[str, typer.Option(help="Column to rank by.")] = "cost_usd_per_yr",
    where: Annotated[
        str | None, typer.Option(help="Only sites such as 'land_acres <= 3000 and months_to_power < 24'.")
    ] = None,
    top: Annotated[int, typer.Option(help="Sites to show.")] = 20,
    csv: Annotated[Path | None, typer.Option(help="Write the whole ranking to this file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, nothing else.")] = False,
) -> None:
    """Rank the sites of a batch."""
    from sitedesign.batch import rank

    with _messages(results):
        ranked = rank(results, by=by, where=where)
        if csv is not None:
            ranked.to_csv(csv, index=False)
        if as_json:
            typer.echo(json.dumps(json.loads(ranked.head(top).to_json(orient="records")), indent=1))
            return
        _print_ranked(ranked.drop(columns="rank"), by, None, top)


def _print_ranked(frame: Any, by: str, where: str | None, top: int) -> None:  # noqa: ANN401
    from sitedesign.batch import rank

    ranked = rank(frame, by=by, where=where).head(top)
    if ranked.empty:
        return
    shown = [item for item in _SHOWN if item[0] in ranked.columns]
    if by not in [name for name, *_ in shown]:
        shown.append((by, by, 1.0))
    table = Table("#", box=None, pad_edge=False)
    for name, heading, _ in shown:
        table.add_column(heading, justify="left" if name == "name" else "right", no_wrap=name == "name")
    for number, row in enumerate(ranked.to_dict("records"), start=1):
        table.add_row(str(number), *(_cell(row[name], factor) for name, _, factor in shown))
    _out.print(table)


def _cell(value: Any, factor: float) -> str:  # noqa: ANN401
    if not isinstance(value, int | float):
        return str(value)
    value *= factor
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _source(sites: Path | None, grid: str | None) -> Any:  # noqa: ANN401
    from sitedesign.batch.grid import parse_grid
    from sitedesign.errors import Fault, InputError

    if sites is not None and grid is None:
        return sites
    if sites is None and grid is not None:
        return parse_grid(grid)
    found = "neither" if sites is None else "both"
    fault = Fault("SITES and --grid", found, "one of the two is needed", "Try --grid 25,49,-125,-67,1.")
    raise InputError([fault], "the command line")


def _limits(items: list[str]) -> dict[str, Any] | None:
    """Read ``land_acres=3000`` and ``recip_medium=2:6`` into the limits of a study."""
    from sitedesign import library
    from sitedesign.errors import Fault, InputError

    limits: dict[str, Any] = {}
    units: dict[str, Any] = {}
    faults = []
    for item in items:
        name, _, text = item.partition("=")
        try:
            numbers = [float(part) for part in text.split(":")]
        except ValueError:
            numbers = []
        if len(numbers) not in (1, 2):
            remedy = "Try land_acres=3000."
            faults.append(Fault("--limit", repr(item), "must be NAME=MOST or NAME=LEAST:MOST", remedy))
            continue
        value = numbers[0] if len(numbers) == 1 else (numbers[0], numbers[1])
        (units if name in library.names("backup") else limits)[name] = value
    if faults:
        raise InputError(faults, "the command line")
    return (limits | ({"units": units} if units else {})) or None


@contextmanager
def _messages(folder: Path) -> Iterator[None]:
    """Turn the batch's errors into one message and one exit code."""
    from sitedesign.errors import InputError, SiteDesignError

    try:
        yield
    except InputError as error:
        _fail(str(error), BAD_INPUT)
    except SiteDesignError as error:
        _fail(str(error), STOPPED)
    except KeyboardInterrupt:
        _fail(
            f"Interrupted. Finished sites are in {folder}; run the same command again to go on.", INTERRUPTED
        )


def _fail(message: str, code: int) -> None:
    _err.print(message, style="red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(code)
