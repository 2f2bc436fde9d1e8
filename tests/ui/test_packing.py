"""Pages are packed for browsers that can unpack them, and their length tells nothing."""

import gzip

import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from ui.web.packing import LONGEST_NAME, packed

PAGE = "<p>One of many lines of a page.</p>" * 100


def sent(accepts: str, page: str = PAGE) -> Response:
    head = [(b"accept-encoding", accepts.encode())] if accepts else []
    return packed(Request({"type": "http", "headers": head}), HTMLResponse(page))


def test_a_page_arrives_whole_and_smaller() -> None:
    answer = sent("br, gzip;q=0.8")
    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) == len(answer.body) < len(PAGE) / 4
    assert gzip.decompress(bytes(answer.body)).decode() == PAGE


@pytest.mark.parametrize(("accepts", "page"), [("", PAGE), ("br", PAGE), ("gzip", "<p>short</p>")])
def test_it_goes_as_it_is_where_packing_helps_nobody(accepts: str, page: str) -> None:
    answer = sent(accepts, page)
    assert bytes(answer.body).decode() == page
    assert "content-encoding" not in answer.headers
    assert answer.headers["vary"] == "accept-encoding"


def test_the_same_page_is_not_always_equally_long() -> None:
    lengths = {len(sent("gzip").body) for _ in range(60)}
    assert len(lengths) > 5
    assert max(lengths) - min(lengths) <= LONGEST_NAME
