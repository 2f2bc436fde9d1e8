"""Names instead of ids: agents by their titles, rules by their sentences, officers by their names.

People whose work is looked at keep their pseudonyms: no name of theirs is looked up here.
"""

from collections.abc import Mapping

from agents.catalog import templates
from guardrails.policy.catalogue import catalogue as rule_words
from guardrails.policy.catalogue import explain
from ui.messages import catalogue
from ui.web.markup import Markup
from ui.web.plain import Visit

LONGEST = 64  # characters of a rule's sentence in a list of choices


def agent_titles(visit: Visit) -> dict[str, str]:
    """Titles by id of the templates and of every agent that was published."""
    found = {name: spec.title.to(visit.language) for name, spec in templates().items()}
    return found | visit.app.desk.publishing.titles(visit.language)


def agent_name(visit: Visit, titles: Mapping[str, str], agent: str) -> str:
    """Its title; a draft is its author's own, so it is named as one, with its id."""
    if not agent:
        return visit.say("record.agent-none")
    return titles.get(agent) or visit.say("record.agent-draft", id=agent)


def rule_sentence(visit: Visit, rule: str, verdict: str = "") -> str:
    """What a rule or a check says, in a plain sentence; some say more of a blocked turn."""
    key = f"record.rule.{rule}"
    if f"{key}.{verdict}" in catalogue(visit.language):
        return visit.say(f"{key}.{verdict}")
    if key in catalogue(visit.language):
        return visit.say(key)
    own = visit.app.policy.policies.words if hasattr(visit.app, "policy") else {}
    if rule in rule_words() or rule in own:
        return explain(rule, visit.language, own=own).sentence
    return visit.say("record.rule.other")


def rule_choice(visit: Visit, rule: str, verdict: str = "") -> str:
    """A rule in a list of choices: its sentence, cut, and its id where people use it."""
    sentence = rule_sentence(visit, rule, verdict)
    if len(sentence) > LONGEST:
        sentence = sentence[:LONGEST].rsplit(" ", 1)[0].rstrip(" ,;:.") + "…"
    return f"{rule} – {sentence}" if rule in rule_words() and _coded(visit, rule) else sentence


def rule_mark(visit: Visit, rule: str, verdict: str = "") -> Markup:
    """The sentence, and the id of a rule that people know by it."""
    code = Markup("<code>{}</code> ").format(rule) if _coded(visit, rule) else Markup("")
    return code + rule_sentence(visit, rule, verdict)


def _coded(visit: Visit, rule: str) -> bool:
    """Whether people know the rule by its id: checks of the screen have words only."""
    return not rule.startswith("screen.") and f"record.rule.{rule}" not in catalogue(visit.language)


def officer(names: Mapping[str, str], pseudonym: str) -> Markup:
    """A colleague of security or administration by name (`ui.rulebook.officers`), else the
    pseudonym: of somebody who has left the role."""
    if pseudonym in names:
        return Markup("{}").format(names[pseudonym])
    return Markup("<code>{}</code>").format(pseudonym)


def act_name(visit: Visit, kind: str) -> str:
    """What was done, in words where there are some."""
    key = f"web.act.{kind}"
    return visit.say(key) if key in catalogue(visit.language) else kind
