# ruff: noqa: RUF001 - letters of all languages
"""The letters of each language beyond ASCII, and the encodings in which its old subtitle files are stored. Pure data.

`encodings` reads it: bytes that become foreign letters were read by the wrong table. The sets follow the exemplar characters
of Unicode's CLDR, with the letters of frequent foreign names. Encodings have Python's names and are in the order of how
common they are. A file in a language that is missing here is read without a hint.
"""

from typing import Final

_NORDIC: Final = "æøåéèêóòôàäöüá"
_BOSNIAN: Final = "čćđšžéáóöüäàè"
_BALTIC: Final = "āčēģīķļņšūžąęėįųéõäöü"
_RUSSIAN: Final = "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"
_ARABIC: Final = "ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىيـ\u064b\u064c\u064d\u064e\u064f\u0650\u0651\u0652٠١٢٣٤٥٦٧٨٩"

LETTERS: Final[dict[str, str]] = {
    "en": "àâçèéêëïíñóôöüáäœæ",
    **dict.fromkeys(("id", "ms", "fil", "sw"), "àâçèéêëïíñóôöüá"),
    "fr": "àâæçéèêëîïôœùûüÿ",
    "de": "äöüßéèàáâêç",
    "es": "áéíñóúüçàèªº",
    "pt": "áàâãçéêíóôõúüªº",
    "it": "àèéìíîòóùúçâ",
    "nl": "áäâàéëêèíïîóöôòúüûùçñĳ",
    "sv": "åäöéàáüèæø",
    "da": _NORDIC,
    "nb": _NORDIC,
    "nn": _NORDIC,
    "no": _NORDIC,
    "fi": "äöåšžéüæøõ",
    "is": "áðéíóúýþæö",
    "fo": "áðíóúýæøöåé",
    "ca": "àçéèíïóòúüñáº·",
    "gl": "áéíñóúüçªº",
    "eu": "ñçüéáíóú",
    "ga": "áéíóú",
    "gd": "àèìòùáéó",
    "af": "áâèéêëîïôöûúüí",
    "sq": "çëâêîéàáãíóúö",
    "cs": "áčďéěíňóřšťúůýžäöüë",
    "sk": "áäčďéíĺľňóôŕšťúýžěřöü",
    "pl": "ąćęłńóśźżéäöüáèçčšž",
    "hu": "áéíóöőúüűäàçč",
    "sl": "čšžćđéáóöüäàèëí",
    "hr": _BOSNIAN,
    "bs": _BOSNIAN,
    "sr": "čćđšžéáђјљњћџабвгдежзиклмнопрстуфхцчш",
    "ro": "ăâîșțşţéáöüóőéíèàç",
    "ru": _RUSSIAN,
    "uk": _RUSSIAN + "ґєії",
    "be": _RUSSIAN + "іў",
    "bg": _RUSSIAN + "ѝ",
    "mk": "абвгдѓежзѕијклљмнњопрстќуфхцчџшѐѝ",
    "kk": _RUSSIAN + "әғқңөұүһі",
    "tg": _RUSSIAN + "ғӣқӯҳҷ",
    "el": "αάβγδεέζηήθιίϊΐκλμνξοόπρσςτυύϋΰφχψωώ",
    "tr": "âçğıîöşûüİéàèêñ",
    "az": "çəğıöşüİ",
    "eo": "ĉĝĥĵŝŭé",
    "mt": "ċġħżàèéìíòóùú",
    "he": "אבגדהוזחטיךכלםמןנסעףפץצקרשת" + "".join(chr(code) for code in range(0x05B0, 0x05C3)),
    "ar": _ARABIC,
    "fa": _ARABIC + "پچژکگیۀ",
    "ur": _ARABIC + "پچژکگیٹڈڑںھہےۓ",
    "et": "äöõüšžéáå",
    "lv": _BALTIC,
    "lt": _BALTIC,
    "vi": "àáâãèéêìíòóôõùúýăđĩũơư\u0300\u0301\u0303\u0309\u0323",
    "th": "".join(chr(code) for code in range(0x0E01, 0x0E5C) if not 0x0E3B <= code <= 0x0E3E),
}
"""Small letters and marks by language: the first subtag of a BCP 47 tag. Large letters follow from them."""

_WESTERN: Final = ("cp1252", "iso8859-15", "cp850", "mac-roman")
_CENTRAL: Final = ("cp1250", "iso8859-2", "cp852", "mac-latin2")

ENCODINGS: Final[dict[str, tuple[str, ...]]] = {
    **dict.fromkeys(
        ("en", "fr", "de", "es", "pt", "it", "nl", "sv", "da", "nb", "nn", "no", "fi", "is", "fo"), _WESTERN
    ),
    **dict.fromkeys(("ca", "gl", "eu", "ga", "gd", "af", "id", "ms", "fil", "sw"), _WESTERN),
    **dict.fromkeys(("cs", "sk", "pl", "hu", "sl", "hr", "bs"), _CENTRAL),
    "sq": ("cp1252", "cp1250", "iso8859-15", "iso8859-2"),
    "sr": ("cp1250", "cp1251", "iso8859-2", "iso8859-5", "cp852"),
    "ro": ("cp1250", "iso8859-2", "iso8859-16", "cp852"),
    "ru": ("cp1251", "koi8-r", "iso8859-5", "cp866", "mac-cyrillic"),
    "uk": ("cp1251", "koi8-u", "iso8859-5", "cp1125"),
    "be": ("cp1251", "koi8-u", "iso8859-5"),
    "bg": ("cp1251", "iso8859-5", "cp866"),
    "mk": ("cp1251", "iso8859-5"),
    "kk": ("kz1048", "ptcp154", "cp1251"),
    "tg": ("koi8_t",),
    "el": ("cp1253", "iso8859-7", "cp737", "cp869"),
    "tr": ("cp1254", "iso8859-9", "cp857"),
    "az": ("cp1254",),
    "eo": ("iso8859-3",),
    "mt": ("iso8859-3",),
    "he": ("cp1255", "iso8859-8", "cp862"),
    "ar": ("cp1256", "iso8859-6"),
    "fa": ("cp1256",),
    "ur": ("cp1256",),
    "et": ("cp1257", "iso8859-15", "iso8859-13", "iso8859-4", "cp1252", "cp775"),
    "lv": ("cp1257", "iso8859-13", "iso8859-4", "cp775"),
    "lt": ("cp1257", "iso8859-13", "iso8859-4", "cp775"),
    "vi": ("cp1258",),
    "th": ("cp874", "tis-620"),
    "ja": ("cp932", "euc_jis_2004", "shift_jis_2004"),
    "ko": ("cp949", "johab"),
    "zh": ("gb18030", "big5hkscs"),
    "zh-Hans": ("gb18030", "big5hkscs"),
    "zh-Hant": ("big5hkscs", "gb18030"),
    "yue": ("big5hkscs", "gb18030"),
}
"""By language, and for Chinese also by script. Each stands for the relatives that it decodes too: cp1252 for ISO 8859-1,
cp949 for EUC-KR, gb18030 for GBK and GB 2312."""
