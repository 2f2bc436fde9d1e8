# ruff: noqa: E501 - tables and patterns read better on one line
"""Street addresses, French and English grammars. The trained recogniser knows more of them."""

from guardrails.detect.recognizers.shape import Shape

_W = r"[^\W\d_][\w'’.\-]{0,30}"
_FR_TYPE = (
    "rue|avenue|av\\.?|boulevard|bd\\.?|blvd\\.?|bvd|place|pl\\.|allée|allées|allee|chemin|impasse|imp\\.|quai|route|rte|"
    "cours|square|passage|ruelle|sentier|faubourg|fbg|voie|villa|cité|résidence|hameau|"
    "lotissement|rond-point|esplanade|promenade|venelle|traverse|montée|côte|mail|parvis|zone|za|zi|zac"
)
_EN_TYPE = (
    "street|st|avenue|ave|road|rd|boulevard|blvd|lane|ln|drive|dr|court|ct|place|pl|square|sq|"
    "terrace|way|parkway|pkwy|highway|hwy|circle|cir|close|crescent|gardens|grove|mews|row|"
    "trail|alley|plaza|turnpike|quay|wharf|loop"
)
_UNIT = (
    r"(?:,? {0,2}\n? {0,3}(?:apt|apartment|suite|ste|unit|floor|flat|room|bldg|bât|bâtiment|bat|appt|"
    r"appartement|étage|esc)\.? ?#?[\w\-]{1,6})"
)
_CITY_FR = (
    rf"(?:,? {{0,2}}\n? {{0,3}}(?:F-)?\d{{5}} {_W}"
    rf"(?:-{_W}| (?:(?:sur|sous|en|les|lès|le|la|de|du|des|aux) |l['’])?(?-i:[A-ZÀ-ÝŒ])[\w'’.\-]{{0,30}}){{0,3}}"
    r"(?: cedex(?: \d{1,2})?)?)"
)

# what a street is called elsewhere, before its name; "via" and the like only with a number behind
_STREETS_ABROAD = (
    "strada", "viale", "vicolo", "piazza", "piazzale", "corso", "contrada", "rotonda", "borgo", "rua", "avenida",
    "praça", "praca", "travessa", "alameda", "calçada", "largo", "estrada", "rodovia", "ladeira", "viela", "viaduto",
    "pátio", "chácara", "residencial", "setor", "distrito", "fazenda", "sítio", "vereda", "calle", "calzada",
    "callejón", "callejon", "paseo", "pasaje", "privada", "cañada", "rambla", "ronda", "glorieta", "carrera", "aleea",
    "bulevardul", "drumul", "soseaua", "șoseaua", "şoseaua", "splaiul", "intrarea", "ulica", "aleja", "aleje",
    "náměstí", "nábřeží", "třída", "ul", "al", "pl", "os", "via", "plaza", "vale", "parque", "jardim", "campo",
)  # fmt: skip
_NUMBERED_ONLY = "ul|al|pl|os|via|plaza|vale|parque|jardim|campo|ronda|rotonda|borgo|largo|setor|distrito|privada|carrera"
_NAME_ABROAD = r"(?-i:[A-ZÀ-ÞĀ-Ž])[\w'’.\-]{0,30}(?: (?:(?:d[aeio]l?|dos|das|del|dell['’]|della|de la|di|du|van|von|y|e|ao|in|am|an der) )?(?-i:[A-ZÀ-ÞĀ-Ž])[\w'’\-]{0,30}){0,4}"
_HOUSE = r",? {0,2}(?:n[ro]?\.? ?|č\.? ?|nº ?)?\d{1,5}[a-z]?(?:[/\-]\d{1,4}[a-z]?)?"
_TOWN = (
    r"(?:(?:,? {0,2}\n? {0,2}(?:piano|apt|bl|edif|depto|esc)\.? ?[\w\-]{1,6}){0,2}"
    rf"(?:,? {{0,2}}\n? {{0,2}}(?:[A-Z]{{1,2}}-)?\d{{4,8}}(?:-\d{{2,4}})? {_NAME_ABROAD}|,? {{0,2}}\n? {{0,2}}\d{{2}}-\d{{3}} {_NAME_ABROAD}"
    rf"|,? {{0,2}}\n? {{0,2}}{_NAME_ABROAD},? \d{{4,8}}(?:-\d{{2,4}})?(?!\d))?)"
)

SHAPES = (
    Shape(
        "LOCATION",
        "address-abroad",
        rf"(?<![\w'’\-])(?!(?:{_NUMBERED_ONLY})\b)(?:{'|'.join(_STREETS_ABROAD)})\.? (?:(?:d[aeio]l?|dos|das|del|dell['’]|della|de la|dei) ?)?{_NAME_ABROAD}(?:{_HOUSE})?{_TOWN}"
        rf"|(?<![\w'’\-])(?:{_NUMBERED_ONLY})\.? (?:(?:d[aeio]l?|dos|das|del|della|de la) )?{_NAME_ABROAD}{_HOUSE}{_TOWN}",
        "It is a street address.",
        0.85,
        0.85,
        words=_STREETS_ABROAD,
    ),
    Shape(
        "LOCATION",
        "address-one-word",
        r"(?<![\w\-])(?-i:[A-ZÀ-ÞĀ-Ž])[\w'’\-]{1,40}(?:(?<=straße)|(?<=strasse)|(?<=str\.)|(?<=gasse)|(?<=weg)|(?<=platz)|(?<=allee)|(?<=ufer)|(?<=gatan)|(?<=gata)"
        r"|(?<=vägen)|(?<=veien)|(?<=vej)|(?<=gade)|(?<=stræde)|(?<=katu)|(?<=straat)|(?<=laan)|(?<=plein)|(?<=kade)|(?<=torget)| utca| út| utja| sokak| caddesi| cesta| ulica| steza)"
        rf" \d{{1,5}}[a-z]?(?:[/\-]\d{{1,4}}[a-z]?)?(?!\d){_TOWN}",
        "It is a street address.",
        0.85,
        0.85,
        needs="0",
    ),
    Shape(
        "LOCATION",
        "address-fr",
        rf"(?<![\w\-])(?:\d{{1,4}}(?: ?(?:bis|ter|quater|[a-d]))?,? )(?:{_FR_TYPE})"
        rf"(?: (?:de la|de l['’]|des|du|de|d['’]|la|le|les|l['’])? ?{_W}){{1,6}}?"
        rf"(?={_CITY_FR}|[,.;\n)\"]|$| (?:à|a|et|est|pour|depuis|le|dans|chez|qui|avec|and|in|for|is)\b)"
        rf"{_UNIT}?{_CITY_FR}?",
        "It is a French street address.",
        0.9,
        0.9,
    ),
    Shape(
        "LOCATION",
        "address-en",
        rf"(?<![\w\-.])\d{{1,6}}[A-D]?,? (?:(?:N|S|E|W|North|South|East|West)\.? )?"
        rf"(?:(?:[A-Z][\w'’.\-]{{0,30}}|\d{{1,3}}(?:st|nd|rd|th)) ){{1,4}}"
        rf"(?i:{_EN_TYPE})(?!\w)\.?{_UNIT}?"
        r"(?:,? {0,2}\n? {0,3}[A-Z][\w'’\-]{1,30}(?: [A-Z][\w'’\-]{1,30}){0,2})?"
        r"(?:,? {0,2}\n? {0,3}(?:[A-Z]{2}(?: \d{5}(?:-\d{4})?)?|\d{5}|[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}))?",
        "It is a street address.",
        0.85,
        0.85,
        cased=True,
    ),
    Shape(
        "LOCATION",
        "po-box",
        r"(?<!\w)(?:p\.? ?o\.? box|b\.?p\.?|boîte postale|case postale) \d{1,6}"
        r"(?:,? \d{5} [^\W\d_][\w\-]{1,30}(?: cedex)?)?",
        "It is a post box.",
        0.85,
        0.85,
    ),
    Shape(
        "LOCATION",
        "military-mail",
        r"(?<!\w)(?:(?:psc|unit|cmr) \d{1,5},? box \d{1,5}|(?:uss|usns|usnv|usnss|uscgc|usv) [^\W\d_][\w\-]{1,30})"
        r",?\s{0,3}(?:apo|fpo|dpo),? (?:aa|ae|ap) \d{5}",
        "It is a military mail address.",
        0.95,
        0.95,
    ),
    Shape(
        "LOCATION",
        "postcode-city",
        r"(?<![\w\-.])(?P<v>(?:F-)?(?:0[1-9]|[1-8]\d|9[0-8])\d{3} (?:[A-ZÉÈ][\w'’\-]{1,30})(?:[ \-][A-ZÉÈ][\w'’\-]{1,30}){0,3}(?: (?:CEDEX|Cedex)(?: \d{1,2})?)?)",
        "It is a French postcode with its town.",
        0.6,
        0.85,
        cased=True,
        context=("adresse", "rue", "avenue", "boulevard", "address", "habite", "domicile", "ville"),
    ),
    Shape(
        "LOCATION",
        "calls-from",
        r"(?:[Cc]['’]est|[Ii]ci|[Tt]his is) [A-ZÀ-Ý][\w\-]{1,20} (?:de|from|d['’]) ?(?P<v>[A-ZÀ-Ý][\w\-]{2,30})(?=[.,;!\n]|$)",
        "The text says where somebody calls from.",
        0.75,
        0.75,
        cased=True,
    ),
    Shape(
        "LOCATION",
        "labelled-place",
        r"(?:^|\n|[|;>]) {0,4}(?:site|ville|city|town|lieu|location|country|pays|lieu de naissance|place of birth|office|bureau) ?: {0,8}"
        r"(?P<v>(?-i:[A-ZÀ-Ý])[^\W\d_][\w'’\- ]{1,30}[^\W\d_])(?= ?[\n,;(|]|$)",
        "A label says that it is a place.",
        0.8,
        0.8,
    ),
    Shape(
        "LOCATION",
        "postcode",
        r"(?<!\w)(?:zip(?: ?code)?|postal code|postcode|post code|code postal|cp)(?: is| est|:| :){0,2} {0,2}(?P<v>[A-Z]{0,2}\d{3,5}(?:[ \-]?\d{2,4}|[ \-]?[A-Z]{2})?)(?![\w])",
        "The text calls it a postcode.",
        0.75,
        0.75,
        needs="0",
    ),
    Shape(
        "UK_POSTCODE",
        "uk-postcode",
        r"(?<!\w)(?:GIR ?0AA|[A-Z]{1,2}\d[A-Z\d]? ?\d[ABD-HJLNP-UW-Z]{2})(?!\w)",
        "It is a UK postcode.",
        0.55,
        0.8,
        cased=True,
        context=("postcode", "address", "adresse", "street", "road", "london"),
    ),
)
