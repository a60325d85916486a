"""The features of concept detection in three languages: Python's and JavaScript's examples give the ids that ours does,
on every note of the sample and on texts of other scripts."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
RESOURCES = HERE.parent.parent / "Sources/ConceptDetection/Resources"
OTHERS = [
    "Straße ŁÓDŹ Ørsted œuvre Iıİi ǆ ﬁn",
    "cafe\u0301 CAFÉ a\u0323\u0302b n\u0303",
    "Ελληνικά ΟΔΟΣ Привет ЁЛКА שלום",
    "東京で買い物 がガ 한국어 ภาษาไทย हिन्दी العربية",
    "x² ½ Ⅷ ١٢٣ １２３ e-mail l'été it’s 😀👍🏽 𝒳𝔜 \u0301 _ a_b",
    "ÅÅ ẞ ǅ ﬀ Ǆ ŉ ΐ ᾳ",
    "w",
]


def run(*command):
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if result.returncode != 0:
        raise RuntimeError((result.stderr or result.stdout).strip()[-2000:])
    return result.stdout.splitlines()


def same(ours, theirs, texts):
    assert len(ours) == len(theirs) == len(texts), f"{len(ours)} lines of ours, {len(theirs)}, {len(texts)} texts"
    for one, other, text in zip(ours, theirs, texts):
        assert one == other, f"of {text!r} we make {one}, they {other}"


def check(tally, binaries, directory):
    others = directory / "other_scripts.jsonl"
    others.write_text("".join(json.dumps({"text": text}) + "\n" for text in OTHERS))
    files = [RESOURCES / "notes_clean.jsonl", RESOURCES / "note_labels.jsonl", others]
    texts = [json.loads(line)["text"] for file in files for line in file.read_text().splitlines()]
    peers = [("Python", [sys.executable, HERE / "concept_features.py"])]
    if node := shutil.which("node"):
        peers.append(("JavaScript", [node, HERE / "concept_features.mjs"]))
    for bits in (10, 16, 20):
        ours = tally.check(
            f"concept-features with 2^{bits} rows", lambda: run(binaries / "concept-features", bits, *files))
        if ours is None:
            continue
        for name, command in peers:
            tally.check(
                f"{name} gives the same features with 2^{bits} rows",
                lambda: same(ours, run(*command, bits, *files), texts))
