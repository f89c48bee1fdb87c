"""Links in a text, and whether the operators' list of allowed ones has them.

Since 1 October 2024 operators block messages with a link that the sender has not whitelisted on DLT. An entry is a domain,
or one with the beginning of a path; a question mark at its end, as DLT writes links that vary, says the same.
"""

import re
from collections.abc import Collection
from functools import lru_cache

LINK = re.compile(
    r"(?i)(?<![\w@.-])(?:https?://|www\.)[^\s<>\"']+|(?<![\w@.-])(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,24}/[^\s<>\"']*"
)
SCHEME = re.compile(r"(?i)^(?:https?://)?(?:www\.)?")
END = ".,;:!?)]}"


def links(text: str) -> list[str]:
    """Those that a phone would make something to tap of, without the punctuation that ends a sentence."""
    return [found.rstrip(END) for found in LINK.findall(text)]


def listed(link: str, allowed: Collection[str]) -> bool:
    host, _, path = SCHEME.sub("", link).partition("/")
    host = host.partition("?")[0].partition(":")[0].lower()
    return any(
        (host == domain or host.endswith(f".{domain}")) and f"/{path}".startswith(f"/{start}")
        for domain, start in map(_entry, allowed)
    )


@lru_cache(maxsize=1024)
def _entry(line: str) -> tuple[str, str]:
    domain, _, start = SCHEME.sub("", line.strip()).partition("/")
    return domain.rstrip("?").lower(), start.rstrip("?")


def entries(text: str) -> frozenset[str]:
    """The lines of a list as people type it. Raises ValueError with a sentence for one that is no link."""
    lines = frozenset(line.strip() for line in re.split(r"[\n,;]", text) if line.strip())
    for line in sorted(lines):
        domain, _ = _entry(line)
        if not re.fullmatch(r"(?:[\w-]+\.)+[\w-]{2,24}", domain):
            raise ValueError(f"“{line[:60]}” is no link: write a domain such as acme.example, or acme.example/pay.")
    return lines
