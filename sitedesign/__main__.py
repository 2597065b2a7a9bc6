"""``python -m sitedesign``: the same as the ``sitedesign`` command."""

from sitedesign.cli import main

main()
