"""Print a shell block of the README as it stands, so that CI runs what a reader would.

Usage: python .ci/readme.py PART  # of the block's text, found in no other block
"""

import re
import sys
from pathlib import Path

README = Path(__file__).resolve().parent.parent / "README.md"


def block_with(part: str) -> str:
    """Find the one shell block that holds a text."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    found = [block for block in blocks if part in block]
    if len(found) != 1:
        sys.exit(f"README.md: {len(found)} shell blocks hold {part!r}, there should be one")
    return found[0]


if __name__ == "__main__":
    print(block_with(sys.argv[1]), end="")
