"""The rules as people see them: in plain words, by subject, with what a form may change.

Shared by the page and the API. Decides nothing and changes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from guardrails.actor import SYSTEM, pseudonym
from guardrails.audit.usage import Used, used
from guardrails.budgets import RULE as BUDGET_RULE
from guardrails.policy.catalogue import Subject, explain, subject
from guardrails.policy.diagnose import Problem
from guardrails.policy.forms import Slot, Values, slots, values
from guardrails.policy.text import Piece, pieces
from ui.messages import Language, say

if TYPE_CHECKING:
    from ui.wiring import App

SUBJECTS: tuple[Subject, ...] = (
    "models", "data", "tools", "files", "publishing", "budgets", "own",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RuleView:
    """One rule in plain words. `used` is None when no turn was decided by it lately.

    `source` is "product" while its text is the product's own, "changed" when its values or text
    differ from it, "own" for a rule that the organisation wrote.
    """

    id: str
    subject: Subject
    sentence: str
    why: str
    instead: str
    on: bool
    source: str
    liftable: bool
    line: int
    text: str
    used: Used | None
    slots: tuple[tuple[Slot, Values], ...]


def rulebook(
    app: "App", text: str, language: Language, use: Mapping[str, Used] | None = None
) -> list[RuleView]:
    """Every rule of a text, and those of the product that are missing in it (they are off)."""
    use = used(app.engine, "rule") if use is None else use
    product = {piece.id: piece for piece in pieces(app.rules.product().text)}
    here = {piece.id: piece for piece in pieces(text) if piece.id}
    views = [_view(piece, text, product, language, use) for piece in here.values()]
    views += [
        _view(piece, text, product, language, use, gone=True)
        for piece in product.values()
        if piece.id not in here
    ]
    views.append(_budgets(language, use))
    order = {name: place for place, name in enumerate(SUBJECTS)}
    return sorted(views, key=lambda view: (order[view.subject], view.id))


def told(problem: Problem, language: Language) -> str:
    """A problem in a sentence."""
    sentence = say(language, f"rules.problem.{problem.code}", name=problem.name, why=problem.why)
    if problem.nearest:
        sentence += " " + say(language, "rules.problem.nearest", nearest=problem.nearest)
    return sentence


def officers(app: "App", language: Language) -> dict[str, str]:
    """Names of those who work on the rules, by pseudonym: colleagues, not watched people."""
    names = {
        pseudonym(app.keys, account.id): account.name
        for account in app.people.all()
        if "security" in account.roles or "administrator" in account.roles
    }
    return {**names, SYSTEM: say(language, "rules.by-product")}


def _view(
    piece: Piece,
    text: str,
    product: Mapping[str, Piece],
    language: Language,
    use: Mapping[str, Used],
    gone: bool = False,
) -> RuleView:
    words = explain(piece.id, language, own={piece.id: piece.annotations()})
    shipped = product.get(piece.id)
    source = "own" if shipped is None else "product" if shipped.text == piece.text else "changed"
    found = None if gone else values(text, piece.id)
    return RuleView(
        id=piece.id,
        subject=subject(piece.id) if shipped is not None else "own",
        sentence=words.sentence,
        why=words.why,
        instead=words.instead,
        on=piece.on and not gone,
        source=source,
        liftable=f'exceptions.contains("{piece.id}")' in piece.text,
        line=0 if gone else piece.line,
        text=piece.text,
        used=use.get(piece.id),
        slots=tuple((slot, found[slot.name]) for slot in slots().get(piece.id, ()))
        if found is not None
        else (),
    )


def _budgets(language: Language, use: Mapping[str, Used]) -> RuleView:
    words = explain(BUDGET_RULE, language)
    return RuleView(
        BUDGET_RULE, "budgets", words.sentence, words.why, words.instead, True, "product", False,
        0, "", use.get(BUDGET_RULE), (),
    )  # fmt: skip
