"""Runs commands in this process, standard output and error apart."""

from __future__ import annotations

import json
import math
from typing import Any

from typer.testing import CliRunner, Result

from sitedesign import cli
from sitedesign.cli import console

console.LOG_EVERY_S = math.inf  # a slow machine says no more than a fast one
EL_PASO = ["--lat", "31.76", "--lon", "-106.49"]
SMALL = [*EL_PASO, "--it-mw", "2", "--years", "2", "--uptime", "0.99", "--backup", "recip_fast"]
QUICK = ["--no-certify"]


def run(*arguments: object, code: int = 0) -> Result:
    """Run a command; whatever is raised on no purpose is raised here."""
    words = [str(word) for word in arguments]
    result = CliRunner().invoke(cli.app, words, env={"COLUMNS": "200", "NO_COLOR": "1"})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result


def run_json(*arguments: object, code: int = 0) -> Any:
    """What a command prints with ``--json``, which must be all that it prints."""
    return json.loads(run(*arguments, "--json", code=code).stdout)
