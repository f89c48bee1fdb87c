"""Names and tags of languages as people write them, and one tag for each: en, hi, ta, hi-latn."""

import re

UNKNOWN = "“{}” is no language that is known here. Write its name or its code, such as Hindi or hi."
# The languages of India's constitution and English; each with its own name and usual other spellings.
NAMES: dict[str, tuple[str, ...]] = {
    "en": ("English", "अंग्रेज़ी", "अंग्रेजी", "eng"),
    "hi": ("Hindi", "हिन्दी", "हिंदी", "hin"),
    "hi-latn": ("Hinglish", "Hindi in Latin letters"),
    "as": ("Assamese", "অসমীয়া", "asm"),
    "bn": ("Bengali", "Bangla", "বাংলা", "ben"),
    "brx": ("Bodo", "बड़ो"),
    "doi": ("Dogri", "डोगरी"),
    "gu": ("Gujarati", "ગુજરાતી", "guj"),
    "kn": ("Kannada", "ಕನ್ನಡ", "kan"),
    "ks": ("Kashmiri", "कॉशुर", "kas"),
    "kok": ("Konkani", "कोंकणी"),
    "mai": ("Maithili", "मैथिली"),
    "ml": ("Malayalam", "മലയാളം", "mal"),
    "mni": ("Manipuri", "Meitei", "মৈতৈলোন্"),
    "mr": ("Marathi", "मराठी", "mar"),
    "ne": ("Nepali", "नेपाली", "nep"),
    "or": ("Odia", "Oriya", "ଓଡ଼ିଆ", "ori"),
    "pa": ("Punjabi", "Panjabi", "ਪੰਜਾਬੀ", "pan"),
    "sa": ("Sanskrit", "संस्कृतम्", "san"),
    "sat": ("Santali", "ᱥᱟᱱᱛᱟᱲᱤ"),
    "sd": ("Sindhi", "सिन्धी", "snd"),
    "ta": ("Tamil", "தமிழ்", "tam"),
    "te": ("Telugu", "తెలుగు", "tel"),
    "ur": ("Urdu", "اردو", "urd"),
}
_TAGS = {name.casefold(): tag for tag, names in NAMES.items() for name in names} | {tag: tag for tag in NAMES}
_TAG = re.compile(r"([a-z]{2,3})(-[a-z]{4})?(-(?:[a-z]{2}|\d{3}))?")  # language, script, region


def tag(text: str) -> str:
    """The tag that a name or code stands for, without its region (hi-IN is hi); empty for what is no language.

    A script stays: Hindi in Latin letters is another text.
    """
    plain = " ".join(text.split()).casefold()
    if known := _TAGS.get(plain):
        return known
    parts = _TAG.fullmatch(plain.replace("_", "-"))
    if not parts:
        return ""
    language, script, _ = parts.groups()
    language = _TAGS.get(language, language)
    return language + (script or "")


def name(tag: str) -> str:
    """What people call it."""
    return NAMES[tag][0] if tag in NAMES else tag
