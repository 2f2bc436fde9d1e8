"""A small office with a few weeks of life in it, for the pictures. Nobody in it exists.

People are called "Sample" by first name. What they do goes over the HTTP API of a running product,
each with a session of their own; only accounts and the past of the figures are put into the store.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from agents.catalog import SAMPLES, templates
from agents.package import export_agent
from agents.spec import AgentSpec
from tests.e2e.browser import Product, product
from tests.upstream import Say, Upstream
from ui.impact import Impacts
from ui.messages import Language
from ui.running import close
from ui.settings import Settings
from ui.wiring import build

PEOPLE: dict[str, tuple[str, str, str]] = {
    "ana": ("Ana Sample", "HR", "staff"),
    "ben": ("Ben Sample", "HR", "champion"),
    "chloe": ("Chloé Sample", "Sales", "champion"),
    "dan": ("Dan Sample", "Sales", "staff"),
    "emma": ("Emma Sample", "Sales", "staff"),
    "farid": ("Farid Sample", "HR", "staff"),
    "olga": ("Olga Sample", "Security", "security"),
    "pierre": ("Pierre Sample", "Security", "security"),
    "max": ("Max Sample", "IT", "administrator"),
}
WEEK = 7 * 86_400


class Answers(list[Say]):
    """What the model says, by the last words it was asked. `better` is after the author's fix."""

    def __init__(self, upstream: Upstream, answers: dict[str, str], otherwise: str) -> None:
        super().__init__([Say(otherwise)])
        self._upstream, self._answers, self._otherwise = upstream, answers, otherwise
        self.mail: dict[str, object] = {}
        self.changed: dict[str, str] = {}

    def __getitem__(self, _: Any) -> Say:  # type: ignore[override]
        body = json.loads(self._upstream.bodies[-1])
        messages, tools = body["messages"], json.dumps(body.get("tools", []))
        asked = next((m for m in reversed(messages) if m["role"] == "user"), {"content": ""})
        words = str(asked["content"]).rsplit("\n---\n", 1)[-1].lower()
        if self.mail and "email_send" in tools and messages[-1]["role"] != "tool":
            return Say(tools=[("email_send", self.mail)])
        for part, answer in {**self._answers, **self.changed}.items():
            if part in words:
                return Say(self.changed.get(part, answer), usage=(640, 58))
        return Say(self._otherwise, usage=(420, 24))


@dataclass
class Office:
    """A running product, a cookie for each of PEOPLE, and where things stand in it."""

    house: Product
    cookies: dict[str, str]
    language: str
    answers: Answers
    places: dict[str, str] = field(default_factory=dict)

    def call(self, who: str, method: str, path: str, body: Any = None) -> Any:
        """An answer of the API as JSON. Raises RuntimeError with what it said when it refused."""
        data = None if body is None else json.dumps(body).encode()
        return json.loads(self._sent(who, method, path, data, "application/json") or b"null")

    def refused(self, who: str, method: str, path: str, body: Any = None) -> None:
        """The same, for what must not work."""
        try:
            self.call(who, method, path, body)
        except RuntimeError:
            return
        raise AssertionError(f"{who} may {method} {path}")

    def say(self, who: str, agent: str, text: str, conversation: str = "") -> dict[str, Any]:
        """One message; gives the reply."""
        given = {"text": text} | ({"conversation": conversation} if conversation else {})
        data = json.dumps(given).encode()
        told = self._sent(who, "POST", f"/agents/{agent}/messages", data, "application/json")
        blocks = told.decode().replace("\r\n", "\n").split("\n\n")
        for block in reversed(blocks):
            if "event: reply" in block or "event: error" in block:
                line = next(line[5:] for line in block.split("\n") if line.startswith("data:"))
                found: dict[str, Any] = json.loads(line)
                return found
        raise RuntimeError(f"no reply from {agent}: {blocks[-2:]}")

    def bring(self, who: str, spec: AgentSpec) -> str:
        """Import an agent as a package, as a person would; gives the draft's id."""
        package = export_agent(spec, lambda name: (SAMPLES / name).read_bytes())
        edge = "----atelier-sample"
        head = (
            f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="a.agent.zip"\r\n'
            "Content-Type: application/zip\r\n\r\n"
        )
        data = head.encode() + package + f"\r\n--{edge}--\r\n".encode()
        kind = f"multipart/form-data; boundary={edge}"
        return str(json.loads(self._sent(who, "POST", "/agents/import", data, kind))["id"])

    def until(self, who: str, path: str, done: Any, seconds: float = 240) -> Any:
        """Ask again until `done(answer)`."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = self.call(who, "GET", path)
            if done(found):
                return found
            time.sleep(0.5)
        raise RuntimeError(f"{path} takes too long: {found}")

    def _sent(self, who: str, method: str, path: str, data: bytes | None, kind: str) -> bytes:
        cookie = f"atelier_session={self.cookies[who]}; atelier_language={self.language}"
        head = {"cookie": cookie, "content-type": kind, "x-atelier-language": self.language}
        url = f"{self.house.address}/api/v1{path}"
        try:
            with urlopen(Request(url, data, head, method=method), timeout=180) as answer:  # noqa: S310
                return bytes(answer.read())
        except HTTPError as error:
            told = error.read().decode("utf-8", "replace")
            raise RuntimeError(f"{who}: {method} {path}: {error.code} {told}") from error


@contextmanager
def office(home: Path, language: Language, words: dict[str, Any]) -> Iterator[Office]:
    """Make the people and their past, then start the product on `home` with `words`' answers."""
    with Upstream(Say("Hello.")) as upstream:
        app = build(
            Settings.model_validate(
                {"home": home, "model": "openai/sample-model", "model_base": upstream.base}
            )
        )
        cookies = {}
        for login, (name, department, role) in PEOPLE.items():
            account = app.people.add(
                login,
                None,
                name=name,
                department=words["departments"][department],
                roles=[role],
                language=language,
            )
            cookies[login] = app.identity.begin(account)
        for number in range(64):
            who = ("ana", "ben", "farid", "dan", "emma", "chloe")[number % 6]
            at = time.time() - (63 - number) * WEEK * 9 / 64
            Impacts(app.engine, clock=partial(float, at)).report(
                f"sample-{number}",
                person=f"p_sample{number % 6}",
                department=words["departments"][PEOPLE[who][1]],
                agent=("email-drafter", "hr-policy-helper", "meeting-summariser")[number % 3],
                minutes=(5, 10, 15, 30)[number * 7 % 4],
                quality=("better", "same", "better", "worse", "better")[number * 3 % 5],
            )
        close(app)
        answers = Answers(upstream, words["answers"], words["otherwise"])
        upstream.script = answers
        with product(
            home,
            upstream,
            model="openai/sample-model",
            smtp_server="127.0.0.1:9",  # nothing is sent: the mail in the picture waits for a yes
            smtp_sender="office@example.com",
            mail_recipients="example.com",
        ) as house:
            yield Office(house, cookies, language, answers)


def live(here: Office, words: dict[str, Any]) -> None:
    """A few weeks in some minutes; `places` remembers the addresses worth a picture."""
    _talk(here, words)
    _publish(here, words)
    _govern(here, words)
    _manage(here, words)


def _talk(here: Office, words: dict[str, Any]) -> None:
    for who, agent, text in words["talks"]:
        reply = here.say(who, agent, text)
        if who == "ana":
            here.places["talk"] = f"agent={agent}&conversation={reply['conversation']}"
            here.call(
                who,
                "PUT",
                f"/conversations/{reply['conversation']}/saved",
                {"minutes": 10, "quality": "better"},
            )


def _publish(here: Office, words: dict[str, Any]) -> None:
    # published, used, rated and reported on
    guide = here.bring("ana", _named("hr-policy-helper", "leave-guide", words["guide"]))
    here.answers.changed = words["wrong"]
    first = here.call("ana", "POST", f"/agents/{guide}/evaluations", {"which": "own"})
    here.until("ana", f"/evaluations/{first['id']}", _over)
    here.answers.changed = {}
    made = here.call(
        "ana",
        "POST",
        f"/agents/{guide}/requests",
        {"audience": "everyone", "notes": words["notes"], "tests": True},
    )
    here.until("ana", f"/requests/{made['id']}", lambda r: r["state"] != "checking")
    here.call("chloe", "POST", f"/requests/{made['id']}/approve", {"note": words["fine"]})
    for who in ("dan", "emma", "farid"):
        reply = here.say(who, guide, words["question"])
        here.places.setdefault("used", f"agent={guide}&conversation={reply['conversation']}")
        here.call(who, "PUT", f"/agents/{guide}/rating", {"stars": 4 if who == "dan" else 5})
    here.call(
        "dan",
        "POST",
        f"/agents/{guide}/reports",
        {"kind": "wrong", "text": words["report"]},
    )
    here.call(
        "farid",
        "POST",
        f"/conversations/{reply['conversation']}/feedback",
        {"message": 2, "kind": "wrong", "note": words["report"]},
    )
    runs = here.call("ana", "GET", f"/agents/{guide}/evaluations")
    here.places |= {"guide": guide, "run": runs[0]["id"]}
    # waiting for review
    hr = words["departments"]["HR"]
    minutes = here.bring("ben", _named("meeting-summariser", "team-minutes", words["minutes"]))
    asked = here.call(
        "ben",
        "POST",
        f"/agents/{minutes}/requests",
        {"audience": f"department:{hr}", "notes": words["notes2"], "tests": True},
    )
    here.until("ben", f"/requests/{asked['id']}", lambda r: r["state"] != "checking")
    here.refused("ben", "POST", f"/requests/{asked['id']}/approve", {"note": ""})
    here.call("chloe", "POST", f"/requests/{asked['id']}/comments", {"text": words["comment"]})
    here.places |= {"request": asked["id"], "minutes": minutes}
    # a mail that waits for a yes
    sender = templates()["email-drafter"].model_copy(update={"tools": ("email_send",)})
    mailer = here.bring("ana", _named(sender, "follow-up", words["mailer"]))
    here.answers.mail = words["mail"]
    reply = here.say("ana", mailer, words["send"])
    here.answers.mail = {}
    here.places["waiting"] = f"agent={mailer}&conversation={reply['conversation']}"


def _govern(here: Office, words: dict[str, Any]) -> None:
    draft = here.call("olga", "POST", "/policies/drafts", {"note": words["policy"]})
    rules = {"rule": "DP-09", "values": {"kinds@internal": ["PHONE_NUMBER"]}}
    here.call(
        "olga",
        "PUT",
        f"/policies/drafts/{draft['number']}/rules",
        {"changes": [rules], "revision": draft["revision"]},
    )
    number = draft["number"]
    here.call("olga", "POST", f"/policies/drafts/{number}/rehearse", {"days": 30})
    here.until(
        "olga", f"/policies/drafts/{number}/rehearsal", lambda r: r["state"] in ("done", "failed")
    )
    here.places["draft"] = str(number)
    here.call("olga", "POST", "/exports", {"format": "ocsf"})
    hold = {"field": "agent", "value": "hr-policy-helper", "reason": words["hold"]}
    here.call("olga", "POST", "/retention/holds", hold)
    traces = here.call("olga", "GET", "/audit/traces")
    rows = traces["rows"] if isinstance(traces, dict) else traces
    trace = next(row for row in rows if row["agent"] == "email-drafter")
    here.call(
        "olga",
        "POST",
        f"/audit/traces/{trace.get('trace_id') or trace['id']}/reveal",
        {"reason": words["reveal"]},
    )


def _manage(here: Office, words: dict[str, Any]) -> None:
    hr = words["departments"]["HR"]
    for budget in (
        {"scope": "person", "name": "*", "unit": "tokens", "period": "day", "most": 20_000},
        {"scope": "department", "name": hr, "unit": "tokens", "period": "month", "most": 60_000},
        {"scope": "agent", "name": "*", "unit": "calls", "period": "day", "most": 200},
    ):
        here.call("max", "PUT", "/budgets", budget)
    for model in (
        {"name": "mistral/mistral-large-latest", "label": "Mistral Large", "location": "eu",
         "price_in": 2, "price_out": 6},
        {"name": "ollama/qwen3:8b", "label": "Qwen 3", "location": "local",
         "base": "http://127.0.0.1:11434"},
    ):  # fmt: skip
        here.call("max", "POST", "/models/connections", model)
    group = here.call("max", "POST", "/groups", {"name": words["group"]})
    listed = here.call("max", "GET", "/people")["people"]
    ids = [row["id"] for row in listed if row["department"] == hr]
    here.call("max", "PUT", f"/groups/{group['id']}/members", {"people": ids})
    service = here.call("max", "POST", "/services", {"name": words["service"], "department": hr})
    here.call(
        "max",
        "POST",
        f"/services/{service['id']}/keys",
        {"name": words["service"], "scopes": ["agents.use"]},
    )
    here.call("ana", "POST", "/keys", {"name": "notebook", "scopes": ["agents.use"]})


def _named(source: AgentSpec | str, name: str, title: str) -> AgentSpec:
    spec = templates()[source] if isinstance(source, str) else source
    told = spec.title.model_copy(update={"en": title, "fr": title})
    return spec.model_copy(update={"id": name, "title": told, "owner": "HR"})


def _over(run: Any) -> bool:
    return run.get("state") not in ("waiting", "running", "queued")
