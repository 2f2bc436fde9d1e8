"""Publishing pages: every state of them draws, in both languages, for who may see it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from starlette.requests import Request

from agents.evaluate import Check, Result
from agents.publishing_tables import results, runs
from agents.spec import AgentSpec
from guardrails.actor import Actor
from guardrails.errors import BadInput
from guardrails.screen import Screen
from tests.ui.fake_house import House, open_house
from ui.identity import Person
from ui.messages import LANGUAGES, Language
from ui.web.components.reviewing import _documents
from ui.web.pages import evaluation, publish, published
from ui.web.plain import Visit

HOSTILE = '<img src=x onerror="alert(1)">{0}"\'&'


class Pages:
    """A house with an agent in each state, and its pages as text."""

    def __init__(self, home: Path) -> None:
        quiet = Screen(lambda text, language: [], lambda text: [], lambda text, provenance: 0.0)
        self.house: House = open_house(home, quiet)
        self.people = {
            name: self.house.people.add(name, None, name=f"{name} {HOSTILE}", roles=roles)
            for name, roles in {
                "ana": ["staff"], "ben": ["staff", "champion"], "chi": ["champion"]
            }.items()
        }  # fmt: skip
        desk = self.house.desk.publishing
        self.live = self.draft("email-drafter")
        self.asked = self.draft("hr-policy-helper")
        for agent in (self.live, self.asked):
            request = desk.request(agent, self.actor("ana"), audience="everyone", notes=HOSTILE)
            desk.collected(request.id, {"model": "x"})
            desk.approve(request.id, self.actor("chi"), HOSTILE)
        spec = self.house.catalog.get(self.asked, self.actor("ana").id).spec
        words = {"en": HOSTILE, "fr": HOSTILE}
        changed = {**spec.model_dump(), "tools": ["calculator"], "purpose": words}
        self.house.catalog.save(AgentSpec.model_validate(changed), self.actor("ana").id)
        self.request = desk.request(self.asked, self.actor("ana"), audience="everyone").id
        self.run(HOSTILE)
        desk.collected(
            self.request,
            {
                "run": "ev-1", "model": HOSTILE, "documents": {HOSTILE: "x"},
                "personal": [{"field": HOSTILE, "kinds": {"PERSON": 2}}],
                "unusual": [{"field": HOSTILE, "shapes": [HOSTILE]}],
                "permissions": [{"tool": HOSTILE, "side_effect": "sends", "new": True}],
            },
        )  # fmt: skip
        self.house.desk.opinions.comment(self.request, self.actor("ben").id, HOSTILE, "tools:1")
        self.house.desk.opinions.report(self.live, "1.0.0", "p_1", "wrong", HOSTILE, HOSTILE)

    def actor(self, name: str) -> Actor:
        account = self.people[name]
        return Actor(account.id, account.department, frozenset(account.roles))

    def draft(self, template: str) -> str:
        return self.house.catalog.from_template(template, self.actor("ana").id).id

    def run(self, text: str) -> None:
        """A finished run of the agent in review, with every kind of result."""
        import datetime as dt
        from dataclasses import asdict

        now = dt.datetime.now(dt.UTC)
        checks = (Check("contains", text, False), Check("rubric", text, True, "2/3"))
        found = [
            Result("one", False, checks, text, "", 3, 1, 1.0, "ab" * 16, text, 9, ("model x y",)),
            Result("safety-pair-1a", True, (Check("pair", "", True, "same-words"),), text),
            Result("safety-override", False, (Check("omits", text, False),), "", "model-timeout"),
        ]
        with self.house.engine.begin() as db:
            values: dict[str, Any] = {
                "id": "ev-1", "agent": self.asked, "content": "x", "by": self.actor("ana").id,
                "role": "staff", "which": "all", "repeats": 3, "state": "done", "done": 3,
                "total": 3, "model": text, "error": "", "started": now, "ended": now,
            }  # fmt: skip
            db.execute(runs.insert(), values)
            for number, one in enumerate(found):
                row = {"run": "ev-1", "case": one.case, "number": number, "passed": one.passed}
                db.execute(results.insert(), {**row, "detail": asdict(one)})

    def draw(self, page: Any, name: str, language: Language, **query: str) -> str:
        account = self.people[name]
        person = Person(account.id, account.name, "", account.roles, language, account.roles)
        request = Request({"type": "http", "method": "GET", "path": "/", "headers": []})
        return str(page.body(Visit(cast(Any, self.house), language, person, query, request)))


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    made = Pages(tmp_path_factory.mktemp("home"))
    yield made
    made.house.close()


VIEWS: list[tuple[Any, str, str]] = [
    (publish, "ben", ""), (publish, "ben", "tab=mine"), (publish, "ben", "tab=done"),
    (publish, "ana", ""), (publish, "chi", "tab=mine"), (publish, "ben", "request"),
    (publish, "ana", "request"), (publish, "ben", "line"), (publish, "ana", "ask"),
    (published, "ana", ""), (published, "ben", "of=all"), (published, "chi", ""),
    (published, "ana", "live"), (published, "ben", "live"),
    (evaluation, "ana", ""), (evaluation, "chi", ""), (evaluation, "ana", "agent"),
    (evaluation, "ana", "run"), (evaluation, "ben", "run"), (evaluation, "ben", "template"),
]  # fmt: skip


def asked(pages: Pages, view: str) -> dict[str, str]:
    named = {
        "request": {"request": pages.request}, "ask": {"agent": pages.live},
        "line": {"request": pages.request, "line": HOSTILE}, "live": {"agent": pages.live},
        "agent": {"agent": pages.asked}, "run": {"run": "ev-1"},
        "template": {"agent": "email-drafter"},
    }  # fmt: skip
    return named.get(view) or dict(part.split("=") for part in view.split("&") if part)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("page", "who", "view"), VIEWS)
def test_every_view_draws_and_escapes(
    pages: Pages, page: Any, who: str, view: str, language: Language
) -> None:
    drawn = pages.draw(page, who, language, **asked(pages, view))
    assert drawn and "<img" not in drawn and 'onerror="alert' not in drawn


def test_an_author_sees_no_button_to_approve_their_own(pages: Pages) -> None:
    assert "/approve" not in pages.draw(publish, "ana", "en", request=pages.request)
    assert "/approve" in pages.draw(publish, "ben", "en", request=pages.request)


@pytest.mark.parametrize(
    ("page", "query"),
    [(publish, "request"), (published, "live"), (evaluation, "run")],
)
def test_what_is_not_yours_does_not_exist(pages: Pages, page: Any, query: str) -> None:
    if "dan" not in pages.people:
        pages.people["dan"] = pages.house.people.add("dan", None, roles=["staff"])
    with pytest.raises(BadInput):
        pages.draw(page, "dan", "en", **asked(pages, query))


def test_a_reviewer_is_told_which_documents_are_new_changed_or_gone(pages: Pages) -> None:
    account = pages.people["ben"]
    person = Person(account.id, account.name, "", account.roles, "en", account.roles)
    request = Request({"type": "http", "method": "GET", "path": "/", "headers": []})
    visit = Visit(cast(Any, pages.house), "en", person, {}, request)
    now, before = (
        {"en/a.md": "1", "b.md": "2", "d.md": "4"},
        {"b.md": "1", "c.md": "3", "d.md": "4"},
    )
    words, differs = _documents(visit, now, before)
    assert words == "b.md (changed), c.md (removed), d.md, a.md (new)" and differs
    assert _documents(visit, now, None) == ("b.md, d.md, a.md", False)
    assert _documents(visit, now, now) == ("b.md, d.md, a.md", False)
