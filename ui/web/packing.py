"""Pages are packed for the wire (gzip, RFC 1952). Knows nothing of what is on them.

A page holds what the person typed and what they may see, and its packed length could tell a
listener which of the two repeats the other (BREACH, 2013). So the header carries a random name of
up to 100 bytes ("Heal the BREACH", 2022, as in Django), and our cookies are never sent by another
site's requests (SameSite).
"""

import gzip
import secrets
from io import BytesIO

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response

SMALLEST = 1024  # bytes: less is not worth the work
LONGEST_NAME = 100


def packed(request: Request, answer: Response) -> Response:
    """`answer` with its body packed, where the browser takes that and it is worth it."""
    headers = MutableHeaders(raw=answer.raw_headers)
    headers.add_vary_header("accept-encoding")
    wanted = request.headers.get("accept-encoding", "").lower().split(",")
    offered = {part.partition(";")[0].strip() for part in wanted}
    body = bytes(answer.body)
    if "gzip" not in offered or len(body) < SMALLEST or "content-encoding" in headers:
        return answer
    answer.body = _gzip(body)
    headers["content-encoding"] = "gzip"
    headers["content-length"] = str(len(answer.body))
    return answer


def _gzip(body: bytes) -> bytes:
    name = "x" * secrets.randbelow(LONGEST_NAME)
    out = BytesIO()
    with gzip.GzipFile(name, "wb", compresslevel=5, fileobj=out, mtime=0) as file:
        file.write(body)
    return out.getvalue()
