"""What answers while the product is still being put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from starlette.responses import PlainTextResponse

from ui.front import Front


@asynccontextmanager
async def nothing(_front: Front) -> AsyncIterator[None]:
    yield


def client(front: Front) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=front), base_url="http://127.0.0.1")


async def test_pages_and_programs_are_told_to_wait_in_their_language() -> None:
    async with client(Front(nothing, "en")) as web:
        page = await web.get("/en/", headers={"accept-language": "fr-FR"})
        assert page.status_code == 503 and "démarre" in page.text and page.headers["retry-after"]
        assert "default-src 'none'" in page.headers["content-security-policy"]
        refused = await web.get("/api/v1/agents")
        assert refused.status_code == 503 and refused.json()["code"] == "starting"
        alive = await web.get("/api/v1/health")
        assert alive.status_code == 200 and alive.json()["warming"] is True


async def test_as_soon_as_there_is_a_product_it_answers() -> None:
    front = Front(nothing, "en")
    async with client(front) as web:
        front.inner = PlainTextResponse("the product")
        assert (await web.get("/en/")).text == "the product"


async def test_the_lifetime_begins_and_ends_with_the_server() -> None:
    seen: list[str] = []

    @asynccontextmanager
    async def lifetime(_front: Front) -> AsyncIterator[None]:
        seen.append("begun")
        yield
        seen.append("ended")

    sent: list[str] = []

    async def receive() -> dict[str, str]:
        return {"type": "lifespan.startup" if not sent else "lifespan.shutdown"}

    async def send(message: object) -> None:
        sent.append(str(message))

    await Front(lifetime, "en")({"type": "lifespan"}, receive, send)
    assert seen == ["begun", "ended"] and "startup.complete" in sent[0]
