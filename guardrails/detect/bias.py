"""Flag sentences that may demean a protected group, English and French, for a person to look at.

Never rewrites and never blocks. A flag needs a group and, close to it, a demeaning statement, or a
rule that shuts the group out; naming a group alone is no flag. Knows nothing of who wrote it.
"""

import re
from dataclasses import dataclass

from guardrails.detect.injection_features import fold

_GROUPS = {
    "sex": r"women|woman|females?|girls|men|males?|mothers|femmes?|filles|hommes|meres|nanas",
    "origin": r"immigrants?|migrants?|refugees?|foreigners?|blacks?|black people|white people"
    r"|asians?"
    r"|africans?|arabs?|gypsies|roma|mexicans?|chinese|poles|etrangers?|immigres?|refugies?|noirs?"
    r"|arabes?|asiatiques?|africains?|roms|gitans|maghrebins?",
    "religion": r"muslims?|jews?|jewish people|christians?|hindus?|atheists?|musulmane?s?|juifs?"
    r"|juives?|chretiens?|catholiques?|athees?",
    "orientation": r"gays?|gay people|lesbians?|homosexuals?|transgender people|trans people"
    r"|homosexuels?|lesbiennes?|personnes trans",
    "disability": r"disabled people|the disabled|people with disabilities|wheelchair users"
    r"|deaf people|blind people|autistic people|handicapes?|personnes handicapees|sourds|aveugles"
    r"|autistes",
    "age": r"old people|older (?:workers|employees|people|candidates)|the elderly|young people"
    r"|millennials|boomers|seniors|vieux|personnes agees|jeunes|salaries ages",
}
_TRAITS = (
    r"lazy|stupid|dumb|inferior|criminals?|dangerous|dirty|incompetent|unreliable|emotional"
    r"|hysterical"
    r"|weak|greedy|dishonest|primitive|uncivili[sz]ed|worthless|disgusting|a burden|slow learners"
    r"|too slow|untrustworthy|not intelligent|bad at (?:math|driving|science|technology)"
    r"|terrorists?"
    r"|parasites?|vermin|sick|unnatural|fragile|liars|thieves|rapists|less (?:intelligent|capable"
    r"|competent|reliable)|not suited|unsuited|cannot be trusted|can't be trusted|can't drive"
    r"|belong in the kitchen|should stay at home|are all the same"
    r"|paresseu\w+|faineant\w*|stupides?|betes?|idiots?|idiotes?|inferieure?s?|criminel\w*"
    r"|dangereu\w+"
    r"|sales|incompetente?s?|emotives?|hysteriques?|faibles?|avares?|malhonnetes?|un fardeau"
    r"|un poids"
    r"|pas fiables|moins (?:intelligent\w*|capables?|competent\w*|fiables?)|terroristes?|voleurs?"
    r"|voleuses?|menteurs?|menteuses?|pas faite?s? pour|trop (?:lents?|lentes?|emotives?|fragiles?)"
    r"|doivent rester a la maison|ne savent pas conduire|tous les memes|toutes les memes"
    r"|profiteurs?"
)
_SHUT_OUT = (
    r"(?:do not|don't|never|avoid|stop|no need to|ne|n'|eviter|evitez)[^.]{0,16}\b(?:hir\w+"
    r"|recruit\w*"
    r"|employ\w*|promot\w+|trust\w*|invit\w+|embauch\w+|recrut\w+|promouv\w+|engag\w+)\b"
)
_COPULA = (
    r"(?:are|is|were|being|seem|tend to be|always|can't|cannot|belong|should|sont|est"
    r"|etaient|restent|doivent|ne|toujours|naturellement|by nature)"
)
_SLURS = re.compile(
    r"\b(?:retards?|retarded|faggots?|tranny|trannies|niggers?|kikes?|wetbacks?|chinks?|towelheads?"
    r"|bougnoules?|negres?|youpins?|pedales?|tarlouzes?|gogols?|mongoliens?|bridees?)\b"
)
# quoting, condemning or forbidding such a statement is not making it
_DENIED = re.compile(
    r"\b(?:stereotyp\w*|prejudices?|prejuges?|cliches?|myth|false that|not true|wrong to"
    r"|discriminat\w+"
    r"|racis\w+|sexis\w+|illegal|unlawful|interdit|illegal|faux|complaint|plainte|reported that"
    r"|claims? that"
    r"|harass\w+|harcelement)\b"
)
_SENTENCE = re.compile(r"[^.!?\n]+[.!?]?")


@dataclass(frozen=True, slots=True)
class Flag:
    """A sentence `[start, end)` for human review, and which group it is about."""

    start: int
    end: int
    group: str
    reason: str  # trait, exclusion or slur


def _rule(group: str) -> "tuple[re.Pattern[str], re.Pattern[str]]":
    trait = (
        rf"\b(?:{group})\b[^.]{{0,24}}\b{_COPULA}\b[^.]{{0,24}}\b(?:{_TRAITS})\b"
        rf"|\b(?:lazy|stupid|dirty|criminal|inferior|sales|stupides) (?:{group})\b"
        rf"|\b(?:{group}) (?:can't|cannot|should not|shouldn't|ne (?:peuvent|savent"
        rf"|doivent)) [^.]{{0,30}}"
    )
    return re.compile(trait), re.compile(rf"\b{_SHUT_OUT}[^.]{{0,24}}\b(?:{group})\b")


_RULES = {name: _rule(group) for name, group in _GROUPS.items()}


def flags(text: str) -> list[Flag]:
    """Sentences of `text` that a person should look at, in order, at most one flag each."""
    found = []
    for sentence in _SENTENCE.finditer(text):
        flat = fold(sentence[0])
        span = sentence.start(), sentence.end()
        if _SLURS.search(flat):
            found.append(Flag(*span, "any", "slur"))
            continue
        if _DENIED.search(flat):
            continue
        for name, (trait, exclusion) in _RULES.items():
            if trait.search(flat):
                found.append(Flag(*span, name, "trait"))
                break
            if exclusion.search(flat):
                found.append(Flag(*span, name, "exclusion"))
                break
    return found
