"""Keys that must never be seen: held without a repr, and scrubbed from every text that leaves."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import quote, quote_plus

_PAIR = re.compile(r"(?i)\b(api[_-]?key|email|key|token|private-token)=[^&\s'\"<>)]+")
HIDDEN = "***"
_GIVEN_AWAY = 6  # letters of a key that must not be seen


def _beginning(secret: str) -> str:
    """Pattern of a secret, or of enough of its beginning to give it away."""
    least = min(len(secret), _GIVEN_AWAY)
    rest = "".join(f"(?:{re.escape(letter)}" for letter in secret[least:])
    return re.escape(secret[:least]) + rest + ")?" * (len(secret) - least)


@dataclass(frozen=True)
class Secrets:
    """A key and an e-mail address that do not print.

    Attributes
    ----------
    key : str
    email : str
    """

    key: str = field(default="", repr=False)
    email: str = field(default="", repr=False)

    def scrub(self, text: str) -> str:
        """Replace key and address, and any ``api_key=...`` pair, by ``***``.

        Also where a service answers with them in a URL, in capitals, or cut short.
        """
        for secret in filter(None, (self.key, self.email)):
            for form in {secret, quote(secret), quote(secret, safe=""), quote_plus(secret)}:
                text = re.sub(_beginning(form), HIDDEN, text, flags=re.IGNORECASE)
        return _PAIR.sub(rf"\1={HIDDEN}", text)

    @contextmanager
    def kept_from_logs(self) -> Iterator[None]:
        """Scrub what urllib3 logs while a request runs: at DEBUG level it writes whole URLs."""
        logger = logging.getLogger("urllib3.connectionpool")

        def scrub_record(record: logging.LogRecord) -> bool:
            record.msg, record.args = self.scrub(record.getMessage()), ()
            return True

        logger.addFilter(scrub_record)
        try:
            yield
        finally:
            logger.removeFilter(scrub_record)
