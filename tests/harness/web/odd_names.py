"""Names of every kind, which a page has to show whole."""

from typing import Final

ODD_NAMES: Final = [
    "🎬🔥 Big 👩‍👩‍👧‍👦 Night 🏳️‍🌈",
    "שלום: סיפור ארוך מאוד על אור וחושך ועל מגדלור בקצה העולם שאיש אינו רואה",
    "الحارس الأخير: قصة طويلة جدا عن منارة في آخر الدنيا لا يراها أحد من الناس",
    "He said \"no\", 'maybe' & <b>so</b>",
    "W" * 200,
    "é" * 127,
    "Zalgo: T̸̡̛h̶̢̛e̵ K̴e̷e̸p̶e̴r̵",
    "Abc אבג 123 دهو (2) [x]",
]
