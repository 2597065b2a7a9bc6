"""Fetching against a server on loopback that replays what the real ones say, good and bad."""

from __future__ import annotations

import gzip
import inspect
import io
import json
import logging
import threading
import traceback
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import numpy as np
import pandas as pd
import pytest
from pvlib import iotools

from sitedesign.errors import InputError
from sitedesign.weather.services.fetch import LONGEST_WAIT_S, RetryPolicy, fetch, wait_s
from sitedesign.weather.site import Site
from sitedesign.weather.solar_geometry import solar_geometry
from sitedesign.weather.weather import Weather

# pvlib 0.16 calls what pandas 3.1 has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:DatetimeIndex.dayofyear:DeprecationWarning")

SITE = Site(latitude=35.2, longitude=-101.95, elevation_m=1100.0)
KEY, MAIL = "S3cret/Key+42", "somebody@example.org"

Reply = tuple[int, dict[str, str], bytes]


@dataclass
class Script:
    """Replies by turn; the last one stays. Every request is kept."""

    replies: list[Reply | Callable[[str], Reply]]
    paths: list[str] = field(default_factory=list)
    url: str = ""

    def next(self, path: str) -> Reply:
        reply = self.replies[min(len(self.paths), len(self.replies) - 1)]
        self.paths.append(path)
        return reply(path) if callable(reply) else reply


@pytest.fixture
def serve() -> Iterator[Callable[..., Script]]:
    servers: list[ThreadingHTTPServer] = []

    def start(*replies: Reply | Callable[[str], Reply]) -> Script:
        script = Script(list(replies))

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, headers, body = script.next(self.path)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if "Content-Length" not in headers:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        script.url = f"http://127.0.0.1:{server.server_port}/"
        return script

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def irradiance(hours: pd.DatetimeIndex, sun_offset_minutes: float) -> np.ndarray:
    """Seventy per cent of the extraterrestrial irradiance at UTC hours."""
    sun = solar_geometry(SITE, 60, 0.0, sun_offset_minutes).ghi_extra_w_m2 * 0.7
    day = hours.day_of_year - 1 - (hours.is_leap_year & (hours.month > 2)).astype(int)
    return np.round(sun[np.asarray(np.minimum(day, 364) * 24 + hours.hour)], 1)


def nsrdb_text(year: int) -> bytes:
    hours = pd.date_range(f"{year}-01-01", f"{year}-12-31 23:00", freq="h")
    ghi = irradiance(hours + pd.Timedelta(hours=6), 30.0)
    keys = (
        "Source,Location ID,City,State,Country,Latitude,Longitude,Time Zone,Elevation,Local Time Zone,Version"
    )
    lines = [keys, "NSRDB,1,-,-,-,35.21,-101.94,-6,1133,-6,4.0.1"]
    lines.append("Year,Month,Day,Hour,Minute,GHI,DNI,DHI,Temperature,Wind Speed")
    lines += [
        f"{t.year},{t.month},{t.day},{t.hour},30,{g:.0f},{g:.0f},{0.3 * g:.0f},11.5,3.1"
        for t, g in zip(hours, ghi, strict=True)
    ]
    return ("\n".join(lines) + "\n").encode()


def nsrdb(path: str) -> Reply:
    return 200, {"Content-Type": "text/csv"}, nsrdb_text(int(parse_qs(urlparse(path).query)["names"][0]))


def pvgis(path: str) -> Reply:
    year = int(parse_qs(urlparse(path).query)["startyear"][0])
    hours = pd.date_range(f"{year}-01-01", f"{year}-12-31 23:00", freq="h")
    height = 90 - solar_geometry(SITE, 60, 0.0, 10.0).zenith_deg
    rows = [
        {"time": f"{t:%Y%m%d:%H}10", "Gb(i)": 0.7 * g, "Gd(i)": 0.3 * g, "Gr(i)": 0.0, "H_sun": h,
         "T2m": 9.0, "WS10m": 4.0, "Int": 0.0}
        for t, g, h in zip(hours, irradiance(hours, 10.0), np.resize(height, len(hours)), strict=True)
    ]  # fmt: skip
    answer = {"inputs": {"location": {}}, "outputs": {"hourly": rows}, "meta": {"inputs": {}, "outputs": {}}}
    return 200, {"Content-Type": "application/json"}, json.dumps(answer).encode()


def nasa_power(path: str) -> Reply:
    year = int(parse_qs(urlparse(path).query)["start"][0][:4])
    hours = pd.date_range(f"{year}-01-01", f"{year}-12-31 23:00", freq="h")
    ghi = irradiance(hours, 30.0)
    columns = {
        "ALLSKY_SFC_SW_DWN": ghi, "ALLSKY_SFC_SW_DIFF": 0.3 * ghi, "ALLSKY_SFC_SW_DNI": ghi * 0.9,
        "T2M": np.full(len(hours), 8.0), "WS10M": np.full(len(hours), 5.0),
    }  # fmt: skip
    columns["T2M"][100] = -999.0
    stamps = hours.strftime("%Y%m%d%H")
    parameter = {name: dict(zip(stamps, values.tolist(), strict=True)) for name, values in columns.items()}
    answer = {
        "geometry": {"coordinates": [-101.95, 35.2, 1100.0]}, "header": {"fill_value": -999.0}, "times": {},
        "parameters": {}, "properties": {"parameter": parameter},
    }  # fmt: skip
    return 200, {}, json.dumps(answer).encode()


def era5(base: list[str]) -> Callable[[str], Reply]:
    def answer(path: str) -> Reply:
        if path.endswith("execution"):
            return 200, {}, json.dumps({"jobID": "job1", "metadata": {}}).encode()
        if path.endswith("job1"):
            return 200, {}, json.dumps({"status": "successful"}).encode()
        if path.endswith("results"):
            return 200, {}, json.dumps({"asset": {"value": {"href": base[0] + "download"}}}).encode()
        hours = pd.date_range("2015-01-01", "2016-01-01 23:00", freq="h")
        ends = irradiance(hours - pd.Timedelta(hours=1), 30.0)
        table = pd.DataFrame(
            {"valid_time": hours, "ssrd": ends * 3600, "t2m": 280.15, "u10": 3.0, "v10": 4.0}
        )
        table = table.assign(latitude=35.25, longitude=-102.0)
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("data.csv", table.to_csv(index=False))
        return 200, {}, buffer.getvalue()

    return answer


@dataclass
class Clock:
    waits: list[float] = field(default_factory=list)

    def __call__(self, seconds: float) -> None:
        self.waits.append(seconds)


def ask(
    script: Script, folder: Path, years=(2015,), source="nsrdb", clock: Clock | None = None, **more
) -> Weather:
    secrets = {"api_key": KEY, "email": MAIL} if source in ("nsrdb", "era5") else {}
    retry_policy = RetryPolicy(sleep=clock or Clock(), attempts=more.pop("attempts", 4))
    return fetch(
        SITE,
        source=source,
        years=list(years),
        cache_dir=folder,
        url=script.url,
        retry_policy=retry_policy,
        **{**secrets, **more},
    )


def test_the_pvlib_functions_still_take_the_arguments_we_pass():
    for function in (iotools.get_pvgis_hourly, iotools.get_nasa_power, iotools.get_era5):
        assert "url" in inspect.signature(function).parameters
    assert "timeout" not in inspect.signature(iotools.get_nasa_power).parameters  # hence our own deadline


def test_nsrdb_years_are_fetched_once_and_then_come_from_the_cache(serve, tmp_path):
    script = serve(nsrdb)
    first = ask(script, tmp_path, (2015, 2016))
    assert len(script.paths) == 2
    assert first.years == (2015, 2016)
    assert first.source.kind == "fetched"
    assert first.source.description == "NSRDB PSM v4.0.1, 2 files"
    assert first.sun_offset_minutes == 30
    assert np.abs(first.quality.table["sun_error_minutes"]).max() < 2
    assert [file.name for file in sorted((tmp_path / "nsrdb").iterdir())] == [
        "35.2000_-101.9500_2015.csv.gz", "35.2000_-101.9500_2016.csv.gz",
    ]  # fmt: skip
    again = fetch(SITE, source="nsrdb", years=[2015, 2016], cache_dir=tmp_path, offline=True)
    assert len(script.paths) == 2
    np.testing.assert_array_equal(again.ghi_w_m2, first.ghi_w_m2)
    np.testing.assert_array_equal(again.temp_air_c, first.temp_air_c)
    assert again.quality == first.quality or again.quality.to_dict() == first.quality.to_dict()


@pytest.mark.parametrize(
    ("source", "reply", "sun_offset", "temperature", "wind"),
    [
        ("pvgis", pvgis, 10.0, 9.0, 4.0),
        ("nasa_power", nasa_power, 30.0, 8.0, 5.0),
        ("era5", None, 30.0, 7.0, 5.0),
    ],
)
def test_every_source_lands_on_the_same_sun(serve, tmp_path, source, reply, sun_offset, temperature, wind):
    base: list[str] = [""]
    script = serve(reply or era5(base))
    base[0] = script.url
    weather = ask(script, tmp_path, source=source)
    assert weather.years == (2015,)
    assert weather.utc_offset_h == -6
    assert weather.sun_offset_minutes == sun_offset
    assert abs(weather.quality.table["sun_error_minutes"].iloc[0]) < 3
    extra = solar_geometry(SITE, 60, -6.0, sun_offset).ghi_extra_w_m2.mean()
    assert weather.ghi_w_m2.mean() == pytest.approx(0.7 * extra, rel=0.005)
    assert weather.temp_air_c.mean() == pytest.approx(temperature, abs=1e-6)
    assert weather.wind_speed_m_s.mean() == pytest.approx(wind, abs=1e-6)
    assert any("UTC file rolled" in note for note in weather.source.notes)


def test_too_many_requests_is_waited_out_as_long_as_the_server_asks(serve, tmp_path):
    busy: Reply = (429, {"Retry-After": "7"}, b'{"errors": ["over rate limit"]}')
    clock = Clock()
    weather = ask(serve(busy, busy, nsrdb), tmp_path, clock=clock)
    assert weather.years == (2015,)
    assert len(clock.waits) == 2
    assert all(7 <= wait <= 8 for wait in clock.waits)


def test_server_errors_are_tried_again_with_growing_waits(serve, tmp_path):
    clock = Clock()
    ask(
        serve((500, {}, b"oops"), (503, {}, b"oops"), (502, {}, b"<html>Bad</html>"), nsrdb),
        tmp_path,
        clock=clock,
    )
    assert len(clock.waits) == 3
    for turn, wait in enumerate(clock.waits):
        assert 0.5 * 2**turn <= wait <= 2**turn


def test_waits_are_bounded_and_never_shorter_than_asked():
    assert wait_s(0, 30.0) >= 30
    assert wait_s(0, 1e9) == LONGEST_WAIT_S
    assert max(wait_s(20, None) for _ in range(50)) <= LONGEST_WAIT_S


def truncated(path: str) -> Reply:
    body = nsrdb(path)[2]
    return 200, {}, body[: len(body) // 2]


def cut_connection(path: str) -> Reply:
    body = nsrdb(path)[2]
    return 200, {"Content-Length": str(len(body)), "Connection": "close"}, body[:1000]


@pytest.mark.parametrize(
    "bad", [truncated, cut_connection, (200, {}, b"<html><body>Service window</body></html>"), (200, {}, b"")]
)
def test_an_answer_that_is_not_a_whole_year_is_never_cached(serve, tmp_path, bad):
    weather = ask(serve(bad, nsrdb), tmp_path)
    assert weather.quality.repaired_share == 0
    with pytest.raises(InputError) as caught:
        ask(serve(bad), tmp_path / "other", attempts=2)
    assert "Try again later: what was fetched is kept" in str(caught.value)
    assert not (tmp_path / "other").exists() or not list((tmp_path / "other").rglob("*.gz"))


def test_nsrdb_asks_as_pvlib_does(serve, tmp_path):
    """Our own request must keep the names that the server knows."""
    script, theirs = serve(nsrdb), serve(nsrdb)
    ask(script, tmp_path)
    iotools.get_nsrdb_psm4_aggregated(
        SITE.latitude, SITE.longitude, KEY, MAIL, 2015, time_step=60, utc=False, leap_day=True,
        parameters=["ghi", "dni", "dhi", "air_temperature", "wind_speed"], full_name="sitedesign",
        affiliation="sitedesign", url=theirs.url,
    )  # fmt: skip
    ours, pvlibs = (parse_qs(urlparse(which.paths[0]).query) for which in (script, theirs))
    assert ours.pop("reason")
    assert pvlibs.pop("reason")
    assert ours == pvlibs


def test_nsrdb_of_a_fractional_zone_is_fetched(serve, tmp_path):
    delhi = Site(latitude=28.6, longitude=77.2, elevation_m=216.0)

    def indian(path: str) -> Reply:
        hours = pd.date_range("2015-01-01", periods=8760, freq="h")
        sun = solar_geometry(delhi, 60, 5.5, 30.0).ghi_extra_w_m2 * 0.7
        head = nsrdb_text(2015).decode().split("\n")[:3]
        head[1] = "NSRDB,1,-,-,-,28.6,77.2,5.5,216.5,5.5,4.0.1"
        rows = [
            f"2015,{t.month},{t.day},{t.hour},30,{g:.0f},0,0,21.5,3" for t, g in zip(hours, sun, strict=True)
        ]
        return 200, {}, ("\n".join([*head, *rows]) + "\n").encode()

    retry_policy = RetryPolicy(sleep=Clock(), attempts=4)
    weather = fetch(
        delhi, source="nsrdb", years=[2015], cache_dir=tmp_path, url=serve(indian).url,
        retry_policy=retry_policy, api_key=KEY, email=MAIL,
    )  # fmt: skip
    assert weather.utc_offset_h == 5.5
    assert abs(weather.quality.by_year[0].sun_error_minutes) < 2


def test_an_answer_that_can_never_be_read_is_asked_for_twice_only(serve, tmp_path):
    def strange(path: str) -> Reply:
        return 200, {}, nsrdb(path)[2].replace(b",-6,1133", b",Mars,1133")

    script = serve(strange)
    with pytest.raises(InputError, match=r"'Mars'.*Leave these years out, or choose another source"):
        ask(script, tmp_path, attempts=5)
    assert len(script.paths) == 2


def test_what_was_fetched_before_a_failure_is_kept_and_listed(serve, tmp_path):
    def until_2016(path: str) -> Reply:
        return nsrdb(path) if "names=2017" not in path else (500, {}, b"oops")

    with pytest.raises(InputError) as caught:
        ask(serve(until_2016), tmp_path, (2015, 2016, 2017, 2018), attempts=2)
    message = str(caught.value)
    assert "years fetched or cached: 2015-2016; missing: 2017-2018" in message
    assert "2017: HTTP 500" in message
    second = serve(nsrdb)
    weather = ask(second, tmp_path, (2015, 2016, 2017, 2018))
    assert len(second.paths) == 2  # only the two that were missing
    assert weather.years == (2015, 2016, 2017, 2018)


def test_a_year_the_server_does_not_have_does_not_stop_the_others(serve, tmp_path):
    def not_2016(path: str) -> Reply:
        refusal = (400, {}, json.dumps({"message": "startyear: Incorrect value", "status": 400}).encode())
        return refusal if "startyear=2016" in path else pvgis(path)

    script = serve(not_2016)
    with pytest.raises(
        InputError, match=r"cached: 2015, 2017; missing: 2016\. 2016: startyear: Incorrect value"
    ):
        ask(script, tmp_path, (2015, 2016, 2017), source="pvgis")
    assert len(script.paths) == 3


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_stops_at_once_and_is_never_shown(serve, tmp_path, status, caplog, capsys):
    def refuse(path: str) -> Reply:
        return status, {}, json.dumps({"errors": [f"API key {KEY} of {MAIL} invalid for {path}"]}).encode()

    script = serve(refuse)
    with caplog.at_level(logging.DEBUG), pytest.raises(InputError) as caught:
        ask(script, tmp_path, (2015, 2016))
    assert len(script.paths) == 1
    assert "Check the key" in str(caught.value)
    chain = (
        "".join(traceback.format_exception(caught.value))
        + repr(caught.value.__context__)
        + repr(caught.value.__cause__)
    )
    shown = str(caught.value) + chain + caplog.text + "".join(capsys.readouterr())
    for secret in (KEY, MAIL, "S3cret%2FKey%2B42", "somebody%40example.org"):
        assert secret not in shown
    assert "***" in str(caught.value)


def test_logs_and_cache_of_a_good_fetch_hold_no_key(serve, tmp_path, caplog):
    with caplog.at_level(logging.DEBUG):
        weather = ask(serve(nsrdb), tmp_path)
    stored = b"".join(gzip.decompress(file.read_bytes()) for file in tmp_path.rglob("*.gz")).decode()
    for secret in (KEY, MAIL, "S3cret%2FKey%2B42", "somebody%40example.org"):
        assert secret not in caplog.text
        assert secret not in stored
        assert secret not in repr(weather)
    assert "***" in caplog.text  # urllib3 did log the URL


def test_a_dead_server_is_no_answer_not_a_traceback(tmp_path):
    dead = Script([], url="http://127.0.0.1:9/")
    with pytest.raises(InputError, match="no connection or no answer in time"):
        ask(dead, tmp_path, attempts=2)


@pytest.mark.parametrize("damage", [b"", b"not gzip", None])
def test_a_damaged_cache_file_is_fetched_again(serve, tmp_path, damage):
    script = serve(nsrdb)
    ask(script, tmp_path)
    file = next(tmp_path.rglob("*.gz"))
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2] if damage is None else damage)
    with pytest.raises(InputError, match="missing: 2015"):
        ask(script, tmp_path, offline=True)
    ask(script, tmp_path)
    assert len(script.paths) == 2
    assert file.read_bytes() == whole


def test_a_changed_number_in_the_cache_is_noticed(serve, tmp_path):
    script = serve(nsrdb)
    ask(script, tmp_path)
    file = next(tmp_path.rglob("*.gz"))
    text = gzip.decompress(file.read_bytes()).decode().replace("11.5", "12.5", 1)
    file.write_bytes(gzip.compress(text.encode()))
    ask(script, tmp_path)
    assert len(script.paths) == 2


def test_offline_lists_what_is_there_and_what_is_missing(serve, tmp_path):
    script = serve(nsrdb)
    ask(script, tmp_path, (2015, 2016))
    with pytest.raises(InputError, match=r"nsrdb years in the cache: 2015-2016; missing: 2014, 2017"):
        ask(script, tmp_path, (2014, 2015, 2016, 2017), offline=True)
    assert len(script.paths) == 2


def test_no_partial_file_is_left_when_writing_fails(serve, tmp_path, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("sitedesign.util.atomic_file.os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        ask(serve(nsrdb), tmp_path)
    assert not [file for file in tmp_path.rglob("*") if file.is_file()]


def test_a_missing_key_says_where_to_get_one_before_any_call(serve, tmp_path, monkeypatch):
    monkeypatch.delenv("NSRDB_API_KEY", raising=False)
    monkeypatch.delenv("NSRDB_EMAIL", raising=False)
    script = serve(nsrdb)
    with pytest.raises(InputError) as caught:
        ask(script, tmp_path, api_key=None, email=None)
    assert "NSRDB_API_KEY" in str(caught.value)
    assert len(caught.value.faults) == 2
    assert not script.paths
    monkeypatch.setenv("NSRDB_API_KEY", KEY)
    monkeypatch.setenv("NSRDB_EMAIL", MAIL)
    assert ask(script, tmp_path, api_key=None, email=None).years == (2015,)


@pytest.mark.parametrize(
    ("source", "years", "words"),
    [
        ("nsrbd", [2015], "Did you mean 'nsrdb'"),
        ("pvgis", [1999, 2015], "got 1999; pvgis has whole years from 2005"),
        ("nsrdb", [2999], "got 2999"),
        ("pvgis", [], "needs at least one calendar year"),
    ],
)
def test_impossible_requests_are_refused_before_any_call(tmp_path, source, years, words):
    with pytest.raises(InputError) as caught:
        fetch(SITE, source=source, years=years, cache_dir=tmp_path)
    assert words in str(caught.value)


def test_weather_fetch_passes_everything_on(serve, tmp_path):
    script = serve(nsrdb)
    weather = Weather.fetch(
        SITE, "nsrdb", [2015], api_key=KEY, email=MAIL, cache_dir=tmp_path, url=script.url
    )
    assert weather.site == SITE
    assert "wkt=POINT" in script.paths[0]
