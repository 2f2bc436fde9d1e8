"""The API over the whole product: real seal, screen, rules, record, sockets; a scripted model."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import uvicorn

from tests.house import House, house
from tests.ui.api_client import Sent, events, served
from tests.upstream import Say

pytestmark = pytest.mark.asyncio(loop_scope="module")
SEND = "/agents/email-drafter/messages"
SECRETS = ("Claire Fontaine", "claire.fontaine@example.com", "06 12 34 56 78")


@dataclass
class Open:
    """A house and a client on a real socket."""

    house: House
    web: httpx.AsyncClient

    async def send(self, text: str, **more: Any) -> list[Sent]:
        """One message, its events."""
        return events(await self.web.post(SEND, json={"text": text, **more}))

    async def until(self, conversation: str, messages: int) -> list[dict[str, Any]]:
        """The messages of a conversation once there are so many."""
        for _ in range(200):
            kept: list[dict[str, Any]]
            kept = (await self.web.get(f"/conversations/{conversation}")).json()["messages"]
            if len(kept) >= messages:
                return kept
            await asyncio.sleep(0.05)
        raise AssertionError(kept)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def product(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Open]:
    async with house(tmp_path_factory.mktemp("home")) as one:
        listener = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(
            uvicorn.Config(served(one.app), log_config=None, lifespan="off", access_log=False)
        )
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        base = f"http://127.0.0.1:{listener.getsockname()[1]}/api/v1"
        async with httpx.AsyncClient(base_url=base, timeout=60) as web:
            yield Open(one, web)
        server.should_exit = True
        with suppress(asyncio.CancelledError):
            await serving


async def test_names_stay_behind_the_door_and_come_back_to_their_owner(product: Open) -> None:
    product.house.script(Say("Dear <PERSON_1>, we write to <EMAIL_ADDRESS_1> on Monday."))
    text = f"Write to {SECRETS[0]}, {SECRETS[1]}, phone {SECRETS[2]}"
    sent = await product.send(text)
    reply = sent[-1].data
    assert reply["status"] == "done" and "Claire Fontaine" in reply["text"], reply
    assert any(each.event == "notice" and "masked" in each.data["text"] for each in sent)
    for secret in SECRETS:
        assert secret not in product.house.received
    trace: dict[str, Any] = {}
    for _ in range(100):
        answer = await product.web.get(f"/audit/traces/{reply['trace_id']}")
        if answer.status_code == 200 and answer.json()["spans"]:
            trace = answer.json()
            break
        await asyncio.sleep(0.1)
    assert trace["verdict"] == "masked"
    assert not any(secret in str(trace) for secret in SECRETS)
    assert {act["kind"] for act in trace["ledger"]} >= {"turn", "model.call"}


@pytest.mark.parametrize(("language", "word"), [("en", "model"), ("fr", "modèle")])
async def test_a_model_that_is_down_is_said_in_the_persons_language(
    product: Open, language: str, word: str
) -> None:
    product.house.script(Say(status=503))
    answer = await product.web.post(
        SEND, json={"text": "Hello"}, headers={"x-atelier-language": language}
    )
    reply = events(answer)[-1].data
    assert reply["status"] == "failed" and word in reply["message"].lower()


async def test_a_page_closed_in_the_middle_loses_no_answer(product: Open) -> None:
    product.house.script(Say("one two three four five six", delay=0.1))
    conversation = ""
    async with product.web.stream("POST", SEND, json={"text": "Count"}) as answer:
        async for line in answer.aiter_lines():
            if "conversation" in line and not conversation:
                conversation = line.split('"')[3]
            if line == "event: delta":
                break
    kept = await product.until(conversation, 2)
    assert kept[1]["text"] == "one two three four five six"


async def test_two_tabs_cannot_talk_at_once_and_stop_stops(product: Open) -> None:
    product.house.script(Say("word " * 200, delay=0.05))
    async with product.web.stream("POST", SEND, json={"text": "A long one"}) as answer:
        lines = answer.aiter_lines()
        conversation = ""
        async for line in lines:
            if "conversation" in line and not conversation:
                conversation = line.split('"')[3]
            if line == "event: delta":
                break
        second = await product.send("Me too", conversation=conversation)
        assert second[-1].event == "error" and second[-1].data["code"] == "turn-running"
        stopped = await product.web.post(f"/conversations/{conversation}/stop")
        assert stopped.json() == {"done": True}
        rest = [line async for line in lines]
    assert any('"status":"stopped"' in line for line in rest)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("report.pdf", b"MZ\x90\x00" + b"\x00" * 600),
        ("notes.txt", b"\x7fELF\x02\x01\x01" + b"\x00" * 600),
        ("broken.pdf", b"%PDF-1.7\n" + b"garbage " * 200),
    ],
)
async def test_a_file_that_is_not_what_it_says_is_refused_in_words(
    product: Open, name: str, data: bytes
) -> None:
    product.house.script(Say("must not matter"))
    answer = await product.web.post(
        SEND, data={"text": "Read this"}, files={"files": (name, data, "application/pdf")}
    )
    last = events(answer)[-1]
    assert last.data["error"] in ("file-refused", "file-executable", "file-broken"), last
    assert "file" in last.data["message"] or name in last.data["message"]
    # nothing of it was kept: the conversation goes on without it
    assert last.data["status"] in ("blocked", "failed") and last.data["text"] == ""


async def test_an_encrypted_pdf_is_refused_in_words(product: Open, tmp_path: Path) -> None:
    from pypdf import PdfWriter

    writer = PdfWriter()
    writer.add_blank_page(200, 200)
    writer.encrypt("sample password", algorithm="AES-256")
    file = tmp_path / "locked.pdf"
    with file.open("wb") as out:
        writer.write(out)
    files = {"files": ("locked.pdf", file.read_bytes(), "application/pdf")}
    answer = await product.web.post(SEND, data={"text": "Read this"}, files=files)
    last = events(answer)[-1].data
    assert "locked.pdf" in (last["message"] or str(last.get("notices"))), last


async def test_200_mb_are_refused_over_a_real_socket_with_a_readable_answer(
    product: Open,
) -> None:
    piece = b"x" * (1024 * 1024)

    async def body() -> AsyncIterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="files"; filename="big.bin"\r\n\r\n'
        for _ in range(200):
            yield piece

    headers = {"content-type": "multipart/form-data; boundary=b"}
    answer = await product.web.post(SEND, content=body(), headers=headers)
    assert answer.status_code == 413 and "25 MB" in answer.json()["message"]
    files = {"files": ("big.bin", piece * 200, "application/octet-stream")}
    declared = await product.web.post(SEND, files=files)
    assert declared.status_code == 413 and declared.json()["code"] == "too-large"
    assert (await product.web.get("/health")).status_code == 200
