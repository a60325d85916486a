"""Concept detection beside others: Python's and JavaScript's examples give the features that ours does, on every note of
the sample and on texts of other scripts; with them onnxruntime finds the concepts that ranker detect finds, and PyTorch
opens the checkpoint. A detector on an encoder: onnxruntime runs encoder and concepts as one graph, and transformers'
tokenizer and BERT give what ranker detect finds."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import concept_features
import encoders
import exports
import numpy as np
import pytorch

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
    "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
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


def probabilities(session, texts):
    """onnxruntime's probabilities for texts, [texts, concepts]."""
    features = np.array(concept_features.padded(texts), dtype=np.int64)
    return session.run(["probabilities"], {"features": features})[0]


def same_detections(folder, answers):
    """What ranker detect found, with every probability, is what onnxruntime makes of Python's features."""
    mapping = json.loads((folder / "concept_mapping.json").read_text())["concepts"]
    place = {concept["id"]: number for number, concept in enumerate(mapping)}
    session = exports.session_of(folder / "model.onnx")
    lines = [json.loads(line) for line in answers.read_text().splitlines()]
    worst = 0
    for start in range(0, len(lines), 50):
        part = lines[start : start + 50]
        expected = probabilities(session, [line["text"] for line in part])
        for row, line in zip(expected, part):
            found = {concept["concept"]: concept["probability"] for concept in line["concepts"]}
            assert len(found) == len(mapping), f"{len(found)} of {len(mapping)} concepts at threshold 0"
            worst = max(worst, *(abs(row[place[name]] - found[name]) for name in found))
    assert worst < 1e-4, f"probabilities differ by {worst}"
    print(f"{len(lines)} notes, probabilities at most {worst:.1e} apart")


def check_export(tally, tools, name, options, folder, notes, answers, opset):
    """Trains a detector, lets others judge its directory, and asks it about notes."""
    tally.check(
        f"train {name}, opset {opset}",
        lambda: tools.run(
            "ranker", "train", "concept", *options, "--epochs", 2, "--opset", opset, "--output", folder, "--quiet"))
    tally.check(f"{name} in onnx.checker", lambda: exports.check_graph(folder / "model.onnx", opset))
    tally.check(
        f"{name}: onnxruntime replays the test data",
        lambda: exports.replay(folder / "model.onnx", folder / "test_data_set_0"))
    tally.check(f"{name}: onnx-verify", lambda: tools.run("onnx-verify", folder))
    tally.check(
        f"{name}: ranker detect",
        lambda: tools.run(
            "ranker", "detect", "--model-path", folder, "--input", notes, "--output", answers, "--threshold", 0))


def check_model(tally, tools, directory, opset):
    folder, answers = directory / "models" / f"concepts-{opset}", directory / f"detected-{opset}.jsonl"
    notes = RESOURCES / "note_labels.jsonl"
    check_export(tally, tools, "the detector", [], folder, notes, answers, opset)
    tally.check(
        "the detector: onnxruntime gives the same probabilities from Python's features",
        lambda: same_detections(folder, answers))
    if python := pytorch.python_with_torch():
        tally.check(
            "the detector: PyTorch gives the same from the checkpoint",
            lambda: print(run(python, HERE / "concepts_torch_side.py", folder, notes, answers)[-1]))


def check(tally, tools, directory):
    check_features(tally, tools.binaries, directory)
    for opset in (13, 17, 21):
        check_model(tally, tools, directory, opset)
    for opset in (17, 20):
        check_encoder_model(tally, tools, directory, opset)


def check_encoder_model(tally, tools, directory, opset):
    """A detector on a small BERT that transformers wrote, from notes of its letters and words."""
    folder, answers = directory / "models" / f"encoder-{opset}", directory / f"encoded-{opset}.jsonl"
    notes = directory / "encoder_notes.jsonl"
    texts = [f"How {word} are, {number}: the BREAD!" for number, word in enumerate(["stars", "Bréad", "born"] * 20)]
    notes.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    data = directory / "encoder_data"
    data.mkdir(exist_ok=True)
    shutil.copy(notes, data / "notes_clean.jsonl")
    lexicon = {
        name: {"label": name, "aliases": [name], "bucket": "other"} for name in ("stars", "bread", "born")}
    (data / "lexicon_v1.json").write_text(json.dumps(lexicon))
    options = ["--encoder", encoders.SMALL_ENCODER, "--data-dir", data, "--taxonomy", data]
    check_export(tally, tools, "the detector on an encoder", options, folder, notes, answers, opset)
    if python := encoders.python_with_transformers():
        tally.check(
            "the detector on an encoder: transformers gives the same from checkpoint and tokenizer",
            lambda: print(run(python, HERE / "concepts_encoder_side.py", folder, answers)[-1]))


def check_features(tally, binaries, directory):
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
