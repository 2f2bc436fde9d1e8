"""Letters of other scripts that look like Latin ones.

Source: the subset of Unicode TR 39 `confusables.txt` whose target is one ASCII letter or digit,
for the scripts met in text that hides something (Cyrillic, Greek, Armenian, Cherokee, Lisu,
phonetic extensions).
"""

_PAIRS = (
    # Cyrillic
    "аa еe оo рp сc хx уy іi јj ѕs һh ԁd ԛq ԝw ѵv ӏl ո n кk мm тt вb нh гr пn иu "
    "АA ВB ЕE КK МM НH ОO РP СC ТT ХX УY ІI ЈJ ЅS ԌG ԚQ ԜW Ѵ V ЗЗ ҮY ӀI "
    # Greek
    "αa οo ρp νv ιi κk υu χx γy ηn τt ωw εe βb "
    "ΑA ΒB ΕE ΖZ ΗH ΙI ΚK ΜM ΝN ΟO ΡP ΤT ΥY ΧX ϹC ϲc ϳj "
    # Armenian, Cherokee
    "օo ս u հh ցg ԼL ՕO ՏS ᎪA ᏴB ᏟC ᎠD ᎬE ᏀG ᎻH ᎫJ ᏦK ᏞL ᎷM ᏢP ᎡR ᏚS ᎢT ᏙV ᎳW ᏃZ "
    # Latin look-alikes
    "ɡg ıi ɑa ɩi ʀr ɴn ʙb ʜh ʟl ɪi ᴀa ᴄc ᴅd ᴇe ᴊj ᴋk ᴍm ᴏo ᴘp ᴛt ᴜu ᴠv ᴡw ᴢz ꜱs ꓮA ꓐB ꓚC ꓓD ꓰE "
    "ꓝF ꓖG ꓧH ꓲI ꓙJ ꓗK ꓡL ꓟM ꓠN ꓳO ꓑP ꓣR ꓢS ꓔT ꓴU ꓦV ꓪW ꓫX ꓬY ꓜZ"
)

CONFUSABLES: dict[str, str] = {
    pair[0]: pair[1]
    for pair in _PAIRS.replace(" n", "n").split()
    if len(pair) == 2 and pair[1].isascii()
}
"""One character to one ASCII character."""
