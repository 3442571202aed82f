# ruff: noqa: RUF001, E501 - sentences of all languages
"""Sentences of films in many languages, as subtitle files have them, and the encodings in which such files are found."""

from collections.abc import Iterator, Sequence

SENTENCES: dict[str, tuple[str, ...]] = {
    "fr": ("Où étais-tu passé hier soir ?", "Ça m'est égal, je préfère rester à l'hôtel.", "Il a reçu une lettre de sa mère.",
           "Tu crois qu'elle viendra à la fête ?", "Le garçon a mangé tous les gâteaux !", "Répète après moi, s'il te plaît.",
           "Nous étions déjà là quand c'est arrivé.", "« Voilà », dit-il en fermant la fenêtre."),
    "de": ("Können Sie mir bitte helfen?", "Ich weiß nicht, was das heißt.", "Die Tür ist geschlossen, der Schlüssel fehlt.",
           "Wir müssen früh aufstehen.", "Schöne Grüße an deine Mutter!", "Das gehört dem König persönlich.",
           "Warum hörst du nie zu?", "Es wäre möglich, aber gefährlich."),
    "es": ("¿Dónde está la habitación de la niña?", "¡Qué día más extraño!", "Mañana volveré con mi compañero.",
           "No sé qué pasó después de la reunión.", "Él vivía aquí hace muchos años.", "El señor Muñoz llamó por teléfono.",
           "¿Tú también crees que es fácil?", "La canción habla de un corazón roto."),
    "pt": ("Não sei o que aconteceu amanhã de manhã.", "Você já não é a mesma pessoa.", "A irmã dele está à espera lá fora.",
           "Três mulheres atravessaram a praça.", "É a última vez que te peço atenção.", "O coração não mente, João.",
           "Vamos começar a lição.", "Há alguém aí?"),
    "it": ("Perché non è venuto più nessuno?", "Non può essere già così tardi.", "La città è piena di turisti.",
           "Sarà meglio andare via lunedì.", "È la verità, te lo giuro!", "Però tu non l'hai mai vista.",
           "Che cosa farà adesso? Chissà.", "C'è un caffè qui vicino?"),
    "sv": ("Jag förstår inte vad du säger.", "Vi måste åka härifrån nu.", "Var är nyckeln till dörren?", "Hon älskar sin lille bror.",
           "Det går över på några år.", "Flickan såg mannen på ön.", "Är du säker på det?", "Kom hit så får du se något."),
    "da": ("Jeg ved ikke, hvor han er på vej hen.", "Må jeg låne din blå bil?", "Hun købte æbler og brød.", "Vi ses på søndag!",
           "Er du sikker på, at det går?", "Døren var åben hele natten.", "Kør først, når lyset er grønt.", "Det gør ondt."),
    "pl": ("Nie wiem, gdzie są moje książki.", "Proszę, pomóż mi znaleźć córkę.", "Wszystko będzie dobrze, zobaczysz.",
           "Czy możesz wyjść na chwilę?", "Mężczyzna stał przy oknie całą noc.", "Źle się czuję, chcę iść spać.",
           "Święta spędzimy u babci.", "Żółw jest szybszy, niż myślisz."),
    "cs": ("Nevím, co se včera stalo.", "Příliš mnoho lidí přišlo pozdě.", "Můžeš mi říct, kde je nádraží?", "Žena šla domů přes most.",
           "Děkuji, to stačí.", "Řekni mu, že už je pozdě.", "Tatínek koupil nový dům.", "Ještě jsem nejedl, mám hlad."),
    "hu": ("Nem tudom, hol van a kulcsom.", "Jó napot, uram! Miben segíthetek?", "Ő az én legjobb barátom.", "Hová mész ilyen későn?",
           "Az idő gyorsan múlik, ugye?", "Köszönöm, de nem kérek többet.", "A fiú elvesztette az új cipőjét.", "Tűz van a tetőn!"),
    "ro": ("Unde ești, de ce nu răspunzi?", "Mâine dimineață plecăm la țară.", "Și eu cred că e târziu.", "Fata aceea știe totul.",
           "Nu vă faceți griji, vă rog.", "Mulțumesc pentru ajutor.", "Am văzut un câine în stradă.", "Așa ceva nu se face, băiete."),
    "hr": ("Ne znam što se događa.", "Želim te vidjeti još jednom.", "Gdje ćeš večeras spavati?", "Čovjek je šutio cijelu noć.",
           "Moja žena će uskoro doći.", "Sviđa mi se tvoja kuća.", "Dođi ovamo, brže!", "Sjećaš li se našeg ljeta?"),
    "ru": ("Я не знаю, где он сейчас.", "Почему ты молчишь?", "Мы должны уехать завтра утром.", "Дверь была открыта всю ночь.",
           "Спасибо, но мне пора идти.", "Она сказала, что вернётся.", "Слушай меня внимательно!", "Это было очень давно."),
    "uk": ("Я не знаю, що трапилося вчора.", "Чому ти мовчиш, Олеже?", "Ми їдемо додому завтра вранці.", "Її брат живе у Львові.",
           "Дякую, все гаразд.", "Це було дуже давно, мій друже.", "Ґанок був порожній.", "Слухай мене уважно, будь ласка!"),
    "bg": ("Не знам къде е той сега.", "Защо мълчиш през цялото време?", "Утре сутрин тръгваме рано.", "Благодаря, но трябва да вървя.",
           "Тя каза, че ще се върне.", "Вратата беше отворена.", "Слушай ме внимателно!", "Това беше много отдавна."),
    "el": ("Δεν ξέρω πού είναι τώρα.", "Γιατί δεν μιλάς;", "Πρέπει να φύγουμε αύριο το πρωί.", "Άκουσέ με προσεκτικά!",
           "Ευχαριστώ, αλλά πρέπει να πηγαίνω.", "Είπε ότι θα γυρίσει.", "Η πόρτα ήταν ανοιχτή όλη νύχτα.", "Έλα εδώ, παιδί μου."),
    "tr": ("Şimdi nerede olduğunu bilmiyorum.", "Neden hiç konuşmuyorsun?", "Yarın sabah erkenden gideceğiz.", "Teşekkür ederim.",
           "Geri döneceğini söyledi.", "Kapı bütün gece açıktı.", "Beni dikkatle dinle, oğlum!", "İstanbul çok güzel bir şehir."),
    "he": ("אני לא יודע איפה הוא עכשיו.", "למה אתה שותק?", "אנחנו חייבים לנסוע מחר בבוקר.", "הדלת הייתה פתוחה כל הלילה.",
           "תודה, אבל אני צריך ללכת.", "היא אמרה שהיא תחזור.", "תקשיב לי טוב!", "זה היה מזמן."),
    "ar": ("لا أعرف أين هو الآن.", "لماذا أنت صامت؟", "يجب أن نسافر غدا صباحا.", "كان الباب مفتوحا طوال الليل.",
           "شكرا، لكن يجب أن أذهب.", "قالت إنها ستعود.", "اسمعني جيدا!", "كان ذلك منذ زمن بعيد."),
    "lv": ("Es nezinu, kur viņš tagad ir.", "Kāpēc tu klusē?", "Mums rīt no rīta jābrauc prom.", "Durvis bija atvērtas visu nakti.",
           "Paldies, bet man jāiet.", "Viņa teica, ka atgriezīsies.", "Klausies manī uzmanīgi!", "Tas bija ļoti sen, māsiņ."),
    "lt": ("Aš nežinau, kur jis dabar yra.", "Kodėl tu tyli visą laiką?", "Rytoj ryte turime išvykti.", "Durys buvo atviros visą naktį.",
           "Ačiū, bet man reikia eiti.", "Ji sakė, kad grįš.", "Klausyk manęs atidžiai!", "Tai buvo labai seniai, žmogau."),
    "et": ("Ma ei tea, kus ta praegu on.", "Miks sa vaikid kogu õhtu?", "Peame homme hommikul lahkuma.", "Uks oli terve öö lahti.",
           "Aitäh, aga pean minema.", "Ta ütles, et tuleb tagasi.", "Kuula mind hästi!", "See oli väga ammu, sõber."),
    "th": ("ฉันไม่รู้ว่าเขาอยู่ที่ไหน", "ทำไมเธอเงียบจัง", "พรุ่งนี้เช้าเราต้องไปแล้ว", "ประตูเปิดอยู่ทั้งคืน", "ขอบคุณ แต่ฉันต้องไปแล้ว",
           "เธอบอกว่าจะกลับมา", "ฟังฉันให้ดี", "นั่นมันนานมาแล้ว"),
    "ja": ("彼が今どこにいるのか分かりません。", "どうして黙っているの？", "明日の朝、出発しなければならない。", "ドアは一晩中開いていた。",
           "ありがとう、でももう行かなきゃ。", "彼女は戻ると言った。", "よく聞いてくれ！", "それはずっと昔のことだ。"),
    "ko": ("그가 지금 어디 있는지 모르겠어요.", "왜 아무 말도 안 해?", "우리는 내일 아침에 떠나야 해.", "문이 밤새 열려 있었어요.",
           "고마워요, 하지만 가야 해요.", "그녀는 돌아온다고 했어.", "내 말 잘 들어!", "아주 오래전 일이야."),
    "zh-Hans": ("我不知道他现在在哪里。", "你为什么不说话？", "我们明天早上必须离开。", "门整晚都开着。", "谢谢，但我得走了。",
                "她说她会回来的。", "仔细听我说！", "那是很久以前的事了。"),
    "zh-TW": ("我不知道他現在在哪裡。", "你為什麼不說話？", "我們明天早上必須離開。", "門整晚都開著。", "謝謝，但我得走了。",
              "她說她會回來的。", "仔細聽我說！", "那是很久以前的事了。"),
}  # fmt: skip

ENCODED: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("fr", "de", "es", "pt", "it", "sv", "da"), ("cp1252", "iso8859-1", "iso8859-15")),
    **dict.fromkeys(("pl", "cs", "hu", "hr"), ("cp1250", "iso8859-2")),
    "ro": ("iso8859-16",),
    "ru": ("cp1251", "koi8-r", "iso8859-5", "cp866"),
    "uk": ("cp1251", "koi8-u"),
    "bg": ("cp1251", "iso8859-5"),
    "el": ("cp1253", "iso8859-7"),
    "tr": ("cp1254", "iso8859-9"),
    "he": ("cp1255", "iso8859-8"),
    "ar": ("cp1256", "iso8859-6"),
    **dict.fromkeys(("lv", "lt", "et"), ("cp1257", "iso8859-13")),
    "th": ("cp874", "tis-620"),
    "ja": ("shift_jis", "cp932", "euc_jp", "iso2022_jp"),
    "ko": ("euc_kr", "cp949"),
    "zh-Hans": ("gb2312", "gbk", "gb18030"),
    "zh-TW": ("big5",),
}
UNICODE = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be")


def subrip(lines: Sequence[str], joint: str = "\r\n") -> str:
    """A SubRip file with a line a cue."""
    cues = (
        f"{n}{joint}00:00:{n % 60:02d},000 --> 00:00:{n % 60:02d},900{joint}{line}{joint}"
        for n, line in enumerate(lines, 1)
    )
    return joint.join(cues)


def files_in_old_encodings(repeated: int) -> Iterator[tuple[str, str, str]]:
    """(language, encoding, text). `repeated`: how many times each sentence stands in the file."""
    for language, encodings in ENCODED.items():
        for encoding in encodings:
            yield language, encoding, subrip(SENTENCES[language] * repeated)
