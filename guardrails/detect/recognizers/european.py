# ruff: noqa: E501 - tables and patterns read better on one line
"""National identifiers of European countries that Presidio does not ship, and VAT numbers."""

from guardrails.detect.recognizers.checks import stdnum
from guardrails.detect.recognizers.shape import Shape

_S = r"[ .\-/]?"
_ID = (
    "id",
    "identity",
    "identité",
    "national",
    "numéro national",
    "registre national",
    "matricule",
)

SHAPES = (
    Shape(
        "BE_NATIONAL_NUMBER", "be-national-number",
        rf"(?<![\w.\-])\d\d{_S}[0-1]\d{_S}[0-3]\d{_S}\d{{3}}{_S}\d\d(?![\w\-])",
        "It has the check digits of a Belgian national number.", 0.0, 0.95, check=stdnum("be.nn"),
        context=(*_ID, "belge", "belgian", "niss", "rijksregisternummer", "rrn"),
        needs="0",
    ),
    Shape(
        "BE_NATIONAL_NUMBER", "be-national-number-dotted",
        r"(?<![\w.\-])\d\d\.[01]\d\.[0-3]\d[-.]\d{3}[.\-]\d\d(?![\w\-])",
        "It has the form and check digits of a Belgian national number.", 0.95, 0.95,
        check=stdnum("be.nn"),
        needs="0",
    ),
    Shape(
        "CH_AHV", "ch-ahv", r"(?<![\w.\-])756[. ]?\d{4}[. ]?\d{4}[. ]?\d\d(?![\w\-]|\.\d)",
        "It has the check digit of a Swiss social insurance number.", 0.9, 0.98,
        check=stdnum("ch.ssn"), context=("avs", "ahv", "nss", "assurance sociale"),
        needs="0",
    ),
    Shape(
        "NL_BSN", "nl-bsn", r"(?<![\w.\-])\d{3}[ .]?\d{3}[ .]?\d{3}(?![\w\-]|\.\d)",
        "It has the check digit of a Dutch citizen number, and the text says so.", 0.0, 0.92,
        check=stdnum("nl.bsn"), context=("bsn", "burgerservicenummer", "sofinummer", "dutch"),
        needs="0",
    ),
    Shape(
        "PT_NIF", "pt-nif", r"(?<![\w.\-])[1-9]\d{2}[ .]?\d{3}[ .]?\d{3}(?![\w\-]|\.\d)",
        "It has the check digit of a Portuguese tax number, and the text says so.", 0.0, 0.9,
        check=stdnum("pt.nif"), context=("nif", "contribuinte", "portuguese", "portugais"),
        needs="0",
    ),
    Shape(
        "DK_CPR", "dk-cpr", r"(?<![\w.\-])[0-3]\d[01]\d{3}-?\d{4}(?![\w\-]|\.\d)",
        "It has the form of a Danish personal number, and the text says so.", 0.0, 0.9,
        check=stdnum("dk.cpr"), context=("cpr", "personnummer", "danish", "danois"),
        needs="0",
    ),
    Shape(
        "NO_FODSELSNUMMER", "no-fodselsnummer", r"(?<![\w.\-])\d{6}[ ]?\d{5}(?![\w\-]|\.\d)",
        "It has the check digits of a Norwegian birth number, and the text says so.", 0.0, 0.92,
        check=stdnum("no.fodselsnummer"), context=("fødselsnummer", "fodselsnummer", "norwegian", "personnummer", "norvégien"),
        needs="0",
    ),
    Shape(
        "RO_CNP", "ro-cnp", r"(?<![\w.\-])[1-9]\d{12}(?![\w\-]|\.\d)",
        "It has the check digit of a Romanian personal code, and the text says so.", 0.0, 0.92,
        check=stdnum("ro.cnp"), context=("cnp", "cod numeric personal", "romanian", "roumain"),
        needs="0",
    ),
    Shape(
        "CZ_RC", "cz-rc", r"(?<![\w.\-])\d{6}/\d{3,4}(?![\w\-]|\.\d)",
        "It has the check digit of a Czech birth number.", 0.8, 0.95, check=stdnum("cz.rc"),
        context=("rodné číslo", "rodne cislo", "birth number"),
        needs="0",
    ),
    Shape(
        "IE_PPS", "ie-pps", r"(?<![\w.\-])\d{7}[A-W][A-IW]?(?![\w\-])",
        "It has the check letter of an Irish public service number.", 0.7, 0.95, cased=True,
        check=stdnum("ie.pps"), context=("pps", "ppsn", "irish"),
        needs="0",
    ),
    Shape(
        "AT_SSN", "at-ssn", r"(?<![\w.\-])\d{4}[ ]?[0-3]\d[01]\d{3}(?![\w\-]|\.\d)",
        "It has the check digit of an Austrian insurance number, and the text says so.", 0.0, 0.9,
        context=("svnr", "sozialversicherungsnummer", "versicherungsnummer", "austrian"),
        needs="0",
    ),
    Shape(
        "LU_MATRICULE", "lu-matricule", r"(?<![\w.\-])(?:19|20)\d{2}[ ]?[01]\d[0-3]\d[ ]?\d{5}(?![\w\-])",
        "It has the form of a Luxembourg registration number, and the text says so.", 0.0, 0.9,
        context=("matricule", "luxembourg", "luxembourgeois", "cns"),
        needs="0",
    ),
    Shape(
        "ES_NIF", "es-dni", r"(?<![\w.\-])\d{8}[ \-]?[A-HJ-NP-TV-Z](?![\w\-])",
        "It has the check letter of a Spanish identity number.", 0.85, 0.98, cased=True,
        check=stdnum("es.dni"), context=("dni", "nif", "spanish", "espagnol"),
        needs="0",
    ),
    Shape(
        "ES_NIE", "es-nie", r"(?<![\w.\-])[XYZ][ \-]?\d{7}[ \-]?[A-HJ-NP-TV-Z](?![\w\-])",
        "It has the check letter of a Spanish foreigner's number.", 0.9, 0.98, cased=True,
        check=stdnum("es.nie"), context=("nie",),
        needs="0",
    ),
    Shape(
        "IT_FISCAL_CODE", "it-codice-fiscale",
        r"(?<![\w.\-])[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z](?![\w\-])",
        "It has the check letter of an Italian tax code.", 0.95, 0.99,
        check=stdnum("it.codicefiscale"), context=("codice fiscale",),
        needs="0",
    ),
    Shape(
        "DE_TAX_ID", "de-idnr", r"(?<![\w.\-])\d{2}[ ]?\d{3}[ ]?\d{3}[ ]?\d{3}(?![\w\-]|\.\d)",
        "It has the check digit of a German tax number, and the text says so.", 0.0, 0.92,
        check=stdnum("de.idnr"), context=("steuer", "steuer-id", "idnr", "steueridentifikationsnummer", "german tax"),
        needs="0",
    ),
    Shape(
        "PL_PESEL", "pl-pesel", r"(?<![\w.\-])\d{11}(?![\w\-]|\.\d)",
        "It has the check digit of a Polish PESEL, and the text says so.", 0.0, 0.95,
        check=stdnum("pl.pesel"), context=("pesel", "polish", "polonais"),
        needs="0",
    ),
    Shape(
        "EU_VAT", "eu-vat",
        r"(?<![\w.\-])(?:AT|BE|DK|ES|FI|IE|IT|LU|NL|PL|PT|SE|CZ|EL|HU|HR|SI|SK|RO) ?[A-Z\d]\d[A-Z\d. ]{5,13}"
        r"(?<![ .])(?![\w\-])",
        "It has the check digits of a European VAT number.", 0.7, 0.97, cased=True,
        check=stdnum("eu.vat"), context=("vat", "tva", "mwst", "ust", "iva", "btw"),
        needs="0",
    ),
    Shape(
        "PASSPORT", "passport",
        r"(?<!\w)(?=[A-Z0-9]{0,8}\d{3})[A-Z0-9]{7,9}(?!\w)",
        "The text calls it a passport number.", 0.0, 0.9, cased=True, reach=36,
        context=("passport", "passeport", "pasaporte", "passaporto", "reisepass", "passport no"),
        needs="0",
    ),
    Shape(
        "DRIVING_LICENCE", "driving-licence",
        r"(?<!\w)(?=[A-Z0-9]{0,12}\d{4})[A-Z0-9]{7,16}(?!\w)",
        "The text calls it a driving licence number.", 0.0, 0.8, cased=True, reach=40,
        context=("driving licence", "driver's license", "driver license", "drivers license",
                 "driving license", "permis de conduire", "permis n°", "licence number"),
        needs="0",
    ),
)  # fmt: skip
