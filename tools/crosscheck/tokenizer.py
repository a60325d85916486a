"""The WordPiece tokenizer beside `tokenizers`: every code point, random texts of many scripts, real sentences, pairs and
truncation, cased and uncased, with accents and without, with a vocabulary that has a token for each character; and the
vocabulary that a training learns from its texts."""

import json
import random
import subprocess
from pathlib import Path

from tokenizers.implementations import BertWordPieceTokenizer

SAMPLE = Path(__file__).resolve().parents[2] / "Sources/TextClassification/Resources/classification_test.json"
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
# do_lower_case, strip_accents, tokenize_chinese_chars
SETTINGS = [(True, None, True), (False, None, True), (True, False, True), (False, True, False), (True, True, False)]
RANDOM_TEXTS = 12_000
# A vocabulary learnt from the same texts: the share of tokens that both learners must have. They part where pairs are
# as frequent as each other, which `tokenizers` decides by ids that it deals out by chance.
LEARNT_SHARE = 0.97
SURROGATES = range(0xD800, 0xE000)

# Where random characters are drawn from, each as likely: Latin three times, then blocks of many scripts and of marks,
# punctuation, controls and symbols.
BLOCKS = [
    (0x20, 0x7F), (0x20, 0x7F), (0x61, 0x7B), (0x00, 0x20), (0x80, 0x250), (0x250, 0x300), (0x300, 0x370),
    (0x370, 0x400), (0x400, 0x530), (0x530, 0x590), (0x590, 0x600), (0x600, 0x700), (0x700, 0x860), (0x8A0, 0x900),
    (0x900, 0xA00), (0xA00, 0xC00), (0xC00, 0xE00), (0xE00, 0x1000), (0x1000, 0x1100), (0x1100, 0x1200),
    (0x1200, 0x1400), (0x1680, 0x1800), (0x1800, 0x1B00), (0x1DC0, 0x1F00), (0x1F00, 0x2000), (0x2000, 0x2070),
    (0x2070, 0x2200), (0x2200, 0x2C00), (0x2C00, 0x2E80), (0x2E80, 0x3000), (0x3000, 0x3100), (0x3100, 0x3400),
    (0x3400, 0x4DC0), (0x4E00, 0xA000), (0xA490, 0xA980), (0xAC00, 0xD7B0), (0xE000, 0xE100), (0xF900, 0xFB00),
    (0xFB00, 0x10000), (0x10000, 0x10400), (0x10400, 0x11000), (0x11000, 0x11C00), (0x16A00, 0x17000),
    (0x1BC80, 0x1BCB0), (0x1D100, 0x1D250), (0x1D400, 0x1D800), (0x1E000, 0x1E960), (0x1F000, 0x1FB00),
    (0x20000, 0x2FA20), (0xE0000, 0xE0200), (0xF0000, 0xF0100),
]  # fmt: skip
# Few characters keep their place in the order of marks; these and what surrounds them come more often.
MARKS = [0x0301, 0x0316, 0x0334, 0x0E31, 0x302E, 0x302F, 0x1D165, 0x1D16D, 0x1D15E, 0x08D4, 0x1E944, 0x1E94A, 0x00AD]

SENTENCES = [
    "The quick brown fox can't jump over 13 lazy dogs, can it?", "I'd've said so -- wouldn't you? (Yes!) #ranking @home",
    "Der Fluß trägt Öl über Größenordnungen; Ärger mit Übergrößen.", "Où est l'élève? Ça alors, déjà à l'hôtel Noël!",
    "El niño comió piñas en la montaña, ¿verdad? ¡Sí!", "São Paulo não é só trânsito: há avós e maçãs.",
    "İstanbul'da ılık bir gün, ĞÜŞÖÇ ğüşöç.", "Zażółć gęślą jaźń; Łódź, Kraków.", "Příliš žluťoučký kůň úpěl ďábelské ódy.",
    "Việt Nam có nhiều món ăn ngon: phở, bún chả, bánh mì.", "Съешь ещё этих мягких французских булок, да выпей чаю.",
    "Ο ΣΟΦΟΣ λέει: «ὁ ἄνθρωπος μέτρον»· σωστά;", "שָׁלוֹם עוֹלָם, מה שלומך?", "السَّلَامُ عَلَيْكُمْ، كيف حالك؟", "नमस्ते दुनिया। आप कैसे हैं?",
    "வணக்கம் உலகம்!", "สวัสดีชาวโลก ฉันชอบกินข้าว", "你好，世界！我喜欢吃苹果。", "今日はいい天気ですね。カタカナとﾊﾝｶｸ。", "안녕하세요 세계! 한국어 텍스트.",
    "Բարեւ աշխարհ։", "გამარჯობა მსოფლიო!", "ሰላም ልዑል።", "Price: €1,299.99 (−20 %) ≈ £1.1k…", "👩‍👩‍👧‍👦 family, 🇩🇪 flag, 👍🏽 thumb, ❤️ heart ☺",
    "e\u0301 n\u0303 a\u0323\u0302 s\u0323\u0307 decomposed; \u212b \u2126 \ufb01 ligature", "\ufeffBOM, soft\u00adhyphen, zero\u200bwidth, a\u200db",
    "tab\tline\nfeed\rreturn\u2028separator\u3000ideographic\u00a0no-break", "https://example.com/a_b?c=d&e=%20 user@example.org C:\\x",
    "[CLS] in the text [SEP] and [MASK]ed[PAD], not [sep] or [ SEP ] [[UNK]]", "MiXeD cAsE, ALLCAPS, snake_case, kebab-case, camelCase",
]  # fmt: skip


def every_code_point():
    """Each between letters, so that it is seen whether it parts the word; 40 words a text."""
    points = [point for point in range(0x110000) if point not in SURROGATES]
    return [
        " ".join(f"a{chr(point)}b" for point in points[start : start + 40]) for start in range(0, len(points), 40)
    ]


def random_text(chooser):
    def character():
        if chooser.random() < 0.05:
            return chr(chooser.choice(MARKS))
        return chr(chooser.randrange(*chooser.choice(BLOCKS)))

    parts = []
    for _ in range(chooser.randrange(30)):
        draw = chooser.random()
        if draw < 0.05:
            parts.append(chooser.choice([*SPECIAL, "[sep]", "##a", " ", "\n", "é" * 101, "x" * 100, "x" * 101]))
        elif draw < 0.3:
            parts.append(chooser.choice(chooser.choice(SENTENCES).split(" ")))
        elif draw < 0.5:
            parts.append(" ")
        else:
            parts += [character() for _ in range(chooser.randrange(1, 4))]
    return "".join(parts)


def make_vocabulary(texts):
    """A token for each character that any of the settings leaves, alone and within a word, and some longer ones."""
    characters = set()
    for lower, strip, chinese in SETTINGS:
        normalizer = BertWordPieceTokenizer(
            lowercase=lower, strip_accents=strip, handle_chinese_chars=chinese
        )._tokenizer.normalizer
        for text in texts:
            characters.update(normalizer.normalize_str(text))
    # Beyond the first two planes a character is one of a few kinds: the first of each block stands for the others.
    kept = sorted(c for c in characters if not c.isspace() and (ord(c) < 0x20000 or ord(c) % 64 == 0))
    words = {word for sentence in SENTENCES for word in sentence.split() if len(word) > 2}
    longer = {word[:length] for word in words for length in (2, 3, 5)} | {f"##{word[1:4]}" for word in words}
    tokens = [*SPECIAL, *kept, *(f"##{c}" for c in kept), *sorted(longer)]
    return list(dict.fromkeys(token for token in tokens if "\n" not in token and "\r" not in token))


def texts_to_pair(texts, chooser):
    return [(chooser.choice(texts), chooser.choice(texts)) for _ in range(2000)]


def compare(tools, folder, inputs, peer, max_length=None):
    """Raises where ids, type ids or the word about truncation differ; returns how many inputs were compared."""
    path = folder / "texts.jsonl"
    with open(path, "w") as file:
        for text in inputs:
            value = text if isinstance(text, str) else {"text": text[0], "pair": text[1]}
            file.write(json.dumps(value) + "\n")
    command = [tools.binaries / "ranker", "tokenize", "--encoder", folder, "--input", path]
    command += ["--max-length", str(max_length)] if max_length else []
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode != 0:
        raise RuntimeError(run.stderr.strip()[-1000:])
    if max_length:
        peer.enable_truncation(max_length)
    else:
        peer.no_truncation()
    expected = peer.encode_batch(inputs)
    lines = run.stdout.split("\n")[:-1]
    if len(lines) != len(inputs):
        raise AssertionError(f"{len(lines)} lines for {len(inputs)} texts")
    for text, line, encoding in zip(inputs, lines, expected):
        ours = json.loads(line)
        if ours["ids"] != encoding.ids or ours["tokens"] != encoding.tokens:
            raise AssertionError(f"{text!a}: {ours['tokens']!a}, expected {encoding.tokens!a}")
        if ours["truncated"] != bool(encoding.overflowing):
            raise AssertionError(f"{text!a}: truncated is {ours['truncated']}")
        if ours.get("type_ids", encoding.type_ids) != encoding.type_ids:
            raise AssertionError(f"{text!a}: type ids {ours['type_ids']}")
    return len(inputs)


def check_learnt(tally, tools, directory, texts):
    """The vocabulary that `train classification --from-scratch` learns, beside what `tokenizers` learns of its texts."""
    folder, seen = directory / "learnt", directory / "learnt-texts.jsonl"

    def learn():
        tools.run(
            "ranker", "train", "classification", "--from-scratch", "--epochs", 1, "--max-length", 16, "--quiet",
            "--output-dir", folder)
        # Holds out and varies what a training of these defaults does.
        tools.run(
            "ranker", "data", "augment", SAMPLE, "--target-size", 500, "--output", seen,
            "--validation-output", directory / "learnt-held-out.jsonl")

    def compare_vocabularies():
        vocabulary = (folder / "vocab.txt").read_text(encoding="utf-8").splitlines()
        peer = BertWordPieceTokenizer()
        lines = [json.loads(line)["text"] for line in seen.read_text(encoding="utf-8").splitlines()]
        peer.train_from_iterator(lines, vocab_size=8000, min_frequency=2, show_progress=False)
        ours, theirs = set(vocabulary), set(peer.get_vocab())
        if vocabulary[:5] != SPECIAL or len(vocabulary) != len(ours):
            raise AssertionError(f"the vocabulary begins with {vocabulary[:5]}, {len(vocabulary)} lines")
        characters = [{token for token in tokens if len(token.removeprefix("##")) == 1} for tokens in (ours, theirs)]
        if characters[0] != characters[1]:
            raise AssertionError(f"characters of one alone: {sorted(characters[0] ^ characters[1])}")
        share = len(ours & theirs) / max(len(ours), len(theirs))
        print(f"{len(ours)} tokens learnt, {len(theirs)} by tokenizers; {share:.1%} are the same")
        if share < LEARNT_SHARE:
            raise AssertionError(f"only {share:.1%} of the tokens are the same")
        return len(lines)

    def compare_tokens():
        peer = BertWordPieceTokenizer(str(folder / "vocab.txt"))
        lines = [json.loads(line)["text"] for line in seen.read_text(encoding="utf-8").splitlines()]
        return compare(tools, folder, lines + texts, peer)

    tally.check("a vocabulary learnt from the bundled texts", learn)
    tally.check("learnt tokens are those that tokenizers learns", compare_vocabularies)
    tally.check("texts with the learnt vocabulary, in tokenizers too", compare_tokens)


def check(tally, tools, directory):
    chooser = random.Random(7)
    points = every_code_point()
    texts = SENTENCES + ["", " "] + [random_text(chooser) for _ in range(RANDOM_TEXTS)]
    pairs = texts_to_pair(texts, chooser)
    vocabulary = make_vocabulary(points + texts)
    ids = {token: index for index, token in enumerate(vocabulary)}
    compared = 0
    for lower, strip, chinese in SETTINGS:
        name = f"lower case {lower}, strip accents {strip}, Chinese characters {chinese}"
        folder = directory / f"tokenizer-{lower}-{strip}-{chinese}"
        folder.mkdir()
        (folder / "vocab.txt").write_text("".join(f"{token}\n" for token in vocabulary), newline="\n")
        settings = {"do_lower_case": lower, "strip_accents": strip, "tokenize_chinese_chars": chinese}
        (folder / "tokenizer_config.json").write_text(json.dumps(settings))
        peer = BertWordPieceTokenizer(ids, lowercase=lower, strip_accents=strip, handle_chinese_chars=chinese)
        counts = [
            tally.check(f"every code point, {name}", lambda: compare(tools, folder, points, peer)),
            tally.check(f"random texts, {name}", lambda: compare(tools, folder, texts, peer)),
            tally.check(f"texts of at most 16 tokens, {name}", lambda: compare(tools, folder, texts, peer, 16)),
            tally.check(f"pairs of at most 21 tokens, {name}", lambda: compare(tools, folder, pairs, peer, 21)),
        ]
        compared += sum(count or 0 for count in counts)
    print(f"{compared} texts and pairs give the same tokens; {len(vocabulary)} tokens in the vocabulary")
    check_learnt(tally, tools, directory, texts)
