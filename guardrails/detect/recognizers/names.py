# ruff: noqa: E501 - tables and patterns read better on one line
"""Names that their context gives away: titles, "my name is", "je m'appelle", from:, signatures."""

from guardrails.detect.recognizers.ordinary import words_only
from guardrails.detect.recognizers.shape import Shape

_U = "A-ZÀ-ÖØ-ÞŒĀĂĄĆČĎĐĒĖĘĚĞĢĪĮİĶŁĻĽŃŅŇŌŐŒŔŘŚŞŠȘŤȚŪŮŰŲŹŻŽ"
_NAME = rf"[{_U}][\w'’\-]{{1,30}}(?:[ \-](?:(?:de|du|des|la|le|van|von|der|den|da|di|del|bin|ben|al|el|d['’]|O['’])[ ]?){{0,2}}(?:[{_U}][\w'’\-]{{1,30}}|[{_U}]\.?)){{0,3}}"
_NAME_PLAIN = rf"[{_U}][\w'’\-]{{1,30}}(?:[ \-][{_U}][\w'’\-]{{1,30}}){{0,3}}"
_LOWER = r"[^\W\d_]{2,20}(?:[ \-][^\W\d_]{2,20})?"

_KIN = (
    "husband|wife|son|daughter|brother|sister|mother|father|cousin|uncle|aunt|grandmother|grandfather|nephew|niece|"
    "fiancé|fiancée|boyfriend|girlfriend|roommate|flatmate|mari|femme|fils|fille|frère|sœur|soeur|mère|père|cousine|"
    "oncle|tante|neveu|nièce|épouse|époux|compagne|compagnon|conjoint|conjointe|copain|copine|voisin|voisine|gendre|"
    "marraine|parrain|filleul|filleule"
)

SHAPES = (
    Shape(
        "PERSON",
        "title",
        rf"(?<!\w)(?:(?:M|Mr|Mme|Mlle|Me|Dr|Pr|Mrs|Ms|Prof|Mgr|MM|Mmes)\.?|Monsieur|Madame|Mademoiselle|Maître|Docteur|Professeur|Doctor|Professor|Miss|Mister|Sir|Lady) (?P<v>{_NAME})",
        "It follows a form of address.",
        0.85,
        0.85,
        cased=True,
        words=(
            "m",
            "mr",
            "mme",
            "mlle",
            "me",
            "dr",
            "pr",
            "mrs",
            "ms",
            "prof",
            "mgr",
            "mm",
            "mmes",
            "monsieur",
            "madame",
            "mademoiselle",
            "maître",
            "docteur",
            "professeur",
            "doctor",
            "professor",
            "miss",
            "mister",
            "sir",
            "lady",
        ),
    ),
    Shape(
        "PERSON",
        "introduction",
        rf"(?<!\w)(?:(?i:my name is|name's|i am called|call me|je m['’]appelle|je me nomme|mon nom est|c['’]est|ici|this is|regards,?\n|cordialement,?\n)) (?P<v>{_NAME_PLAIN})",
        "The text introduces a person.",
        0.8,
        0.8,
        cased=True,
    ),
    Shape(
        "PERSON",
        "introduction-lower-case",
        rf"(?<!\w)(?:my name is|je m['’]appelle|je me nomme|mon nom est|mon nom c['’]est|her name is|his name is|(?:il|elle|mari|femme|fils|fille|frère|sœur|mère|père) s['’]appel(?:le|ait)) (?P<v>{_LOWER})(?= et | and |[.,;!?\n]|$)",
        "The text introduces a person.",
        0.75,
        0.75,
        words=("name", "appelle", "appelait", "nomme", "nom"),
    ),
    Shape(
        "PERSON",
        "kin",
        rf"(?<!\w)(?i:my|our|his|her|their|mon|ma|notre|son|sa|leur) (?:late |feu |petite? |grande? |little |big |ex-)?(?:{_KIN}),? (?P<v>{_NAME_PLAIN})",
        "It stands behind a word of kinship.",
        0.8,
        0.8,
        cased=True,
        check=lambda value: not words_only(value),
        words=tuple(_KIN.split("|")),
    ),
    Shape(
        "PERSON",
        "asked-name",
        rf"(?<!\w)(?i:(?:last|first|maiden|family|full|middle|user) name|surname|nom de (?:famille|jeune fille)|prénom)(?i: is| est|\?| was| était|:| c['’]est){{1,2}} {{0,2}}(?P<v>{_NAME}|[^\W\d_]{{3,20}}(?=[.\n]|$))",
        "The text gives a name.",
        0.8,
        0.8,
        cased=True,
        words=("name", "surname", "nom", "prénom"),
    ),
    Shape(
        "PERSON",
        "labelled",
        rf"(?:^|\n|[|;>]) {{0,4}}(?:(?i:from|to|cc|de|à|nom|prénom|name|full name|first name|last name|nom complet|nom et prénom|patient|patiente|client|cliente|salarié|salariée|employee|contact|attn|demandeur|requester|assigné à|assigned to|auteur|author|destinataire|signataire|signed|signé)) ?: {{0,8}}(?P<v>{_NAME})(?= ?[\n,;<(|]|$)",
        "A label says that it is a name.",
        0.8,
        0.8,
        cased=True,
        needs=":",
    ),
)
