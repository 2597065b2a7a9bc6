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
        """Replace key and address, plain or as in a URL, and any ``api_key=...`` pair, by ``***``."""
        for secret in (self.key, self.email):
            if secret:
                for form in {secret, quote(secret), quote(secret, safe=""), quote_plus(secret)}:
                    text = text.replace(form, HIDDEN)
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
