"""Find claims of an action that no tool carried out ("I have opened a ticket"), English and French.

Knows nothing of runs: it is given the reply and what tools really did. A claim in the first person
and the past, or of a thing that "has been" done, with a verb that changes the world.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from guardrails.detect.injection_features import fold

# Verb family → words of tool names that could have done it.
_FAMILIES: dict[str, tuple[str, str, str]] = {
    "send": (
        r"sent|emailed|forwarded|mailed|notified|messaged|posted|submitted|shared",
        r"envoye|transmis|transfere|notifie|publie|soumis|partage|expedie|prevenu",
        "send mail email message notify post submit share forward publish envoyer courriel",
    ),
    "create": (
        r"created|opened|filed|registered|added|logged|raised|made|saved|recorded|uploaded|stored",
        r"cree|ouvert|enregistre|ajoute|depose|sauvegarde|televerse|inscrit|consigne",
        "create open file register add log raise save record upload store ticket issue event write"
        " calendar python",
    ),
    "change": (
        r"updated|changed|modified|moved|renamed|edited|corrected in the|activated|reset|assigned",
        r"mis a jour|modifie|deplace|renomme|active|reinitialise|attribue",
        "update change modify move rename edit activate reset assign write python",
    ),
    "remove": (
        r"deleted|removed|cancelled|canceled|archived|closed|revoked",
        r"supprime|efface|annule|archive|cloture|retire|resilie",
        "delete remove cancel archive close revoke",
    ),
    "book": (
        r"booked|reserved|scheduled|ordered|purchased|bought|paid|transferred|refunded|approved",
        r"reserve|planifie|programme|commande|achete|paye|vire|rembourse|approuve|valide",
        "book reserve schedule order purchase buy pay transfer refund approve calendar event",
    ),
    "contact": (
        r"called|contacted|phoned|spoken to|asked the team|informed",
        r"appele|contacte|telephone a|informe|joint",
        "call contact phone notify message send",
    ),
}
# "made a table" and "added a column" happen in the reply itself
_IN_REPLY = re.compile(
    r"\b(?:list|summary|draft|table|column|bullet|paragraph|section|sentence|version|text|comparison"
    r"|note below|points?|greeting|subject line|liste|resume|brouillon|tableau|colonne|paragraphe"
    r"|phrase|texte|comparaison|ci-dessous|below|above|objet|formule|calcul|proposition|modele)\b"
)
_SENTENCE = re.compile(r"[^.!?\n]+[.!?]?")
_CONDITION = re.compile(
    r"\b(?:if|once|when|should|would|could|can|will|unless|not|never|n't|si|quand|lorsque|une fois"
    r"|pourrai\w*|peux|pouvez|n'ai|n'a|pas|jamais|please|veuillez|merci de)\b"
)
_ENGLISH = "|".join(english for english, _, _ in _FAMILIES.values())
_FRENCH = "|".join(french for _, french, _ in _FAMILIES.values())
# a document may tell what others did; only things that a tool makes count in the passive
_THING_EN = (
    r"(?:ticket|request|e-?mails?|message|event|meeting|invitation|reservation|booking|reminder"
    r"|payment|transfer|account|files?|task|appointment|it|they)"
)
_THING_FR = (
    r"(?:ticket|demande|courriels?|e-?mails?|message|evenement|reunion|invitation|reservation"
    r"|rappel|paiement|virement|compte|fichiers?|tache|rendez-vous|il|elle)"
)
_EN = re.compile(
    r"\b(?:i have|i've|i just|i(?: already)?|we have|we've)"
    rf"(?: (?:now|just|already|also|successfully))? (?:\w+ly )?({_ENGLISH})\b"
    rf"|\b{_THING_EN} (?:has|have)(?: now| just| already)? been(?: successfully| \w+ly)?"
    rf" ({_ENGLISH})\b(?! by| in (?:19|20))"
)
_FR = re.compile(
    r"\b(?:j'ai|nous avons|je l'ai|je les ai|je vous ai|je viens de vous)"
    rf"(?: (?:bien|deja|aussi|egalement|donc))? ({_FRENCH})(?:e|s|es)?\b"
    rf"|\b{_THING_FR} (?:a|ont)(?: bien| deja)? ete(?: bien| \w+ment)?"
    rf" ({_FRENCH})(?:e|s|es)?\b(?! par| en (?:19|20))"
)


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence `[start, end)` of the reply that claims an action of `family` that nothing did."""

    start: int
    end: int
    family: str


def unbacked(reply: str, tools: Iterable[str]) -> list[Claim]:
    """Claims in `reply` that none of `tools` (names of tools that ran without error) could back.

    A claim about the reply itself ("I have added a table below") is none. Errs on the side of
    silence: sentences with a condition, a negation or a request are skipped.
    """
    words = {word for tool in tools for word in re.split(r"[^a-z]+", tool.lower()) if word}
    found = []
    for sentence in _SENTENCE.finditer(reply):
        flat = fold(sentence[0]).strip()
        match = _EN.search(flat) or _FR.search(flat)
        if match is None or _CONDITION.search(flat) or _IN_REPLY.search(flat[match.end() :]):
            continue
        verb = match[1] or match[2]
        family = next(
            name
            for name, (english, french, _) in _FAMILIES.items()
            if re.fullmatch(f"(?:{english}|{french})", verb)
        )
        if not words & set(_FAMILIES[family][2].split()):
            found.append(Claim(sentence.start(), sentence.end(), family))
    return found
