"""multipart/form-data taken apart: its fields, files as if they were texts; what is broken is left out."""

import re

MOST_PARTS = 5_000
BOUNDARY = re.compile(r"boundary=(?:\"([^\"]{1,200})\"|([^\s;,]{1,200}))", re.IGNORECASE)
NAME = re.compile(rb"\bname=(?:\"((?:[^\"\\]|\\.)*)\"|([^\s;]+))", re.IGNORECASE)
Pairs = list[tuple[str, str]]


def is_multipart(content_type: str) -> bool:
    return content_type.lstrip()[:19].lower() == "multipart/form-data"


def pairs(body: bytes, content_type: str) -> Pairs:
    """The fields in their order; none when the boundary is missing or is not in the body."""
    found = BOUNDARY.search(content_type)
    if not found:
        return []
    mark = b"--" + (found.group(1) or found.group(2)).encode("latin-1", "replace")
    parts = body.split(mark, MOST_PARTS)[1:]
    read = [_field(part) for part in parts if not part.startswith(b"--")]
    return [field for field in read if field is not None]


def _field(part: bytes) -> tuple[str, str] | None:
    head, blank, value = part.lstrip(b"\r\n").partition(b"\r\n\r\n")
    if not blank:
        head, blank, value = part.lstrip(b"\r\n").partition(b"\n\n")
    disposition = next((line for line in head.splitlines() if line.lower().startswith(b"content-disposition")), b"")
    found = NAME.search(disposition)
    if not (blank and found):
        return None
    name = (found.group(1) if found.group(1) is not None else found.group(2)).decode("utf-8", "replace")
    return name.replace('\\"', '"').replace("%22", '"'), value.removesuffix(b"\n").removesuffix(b"\r").decode(
        "utf-8", "replace"
    )
