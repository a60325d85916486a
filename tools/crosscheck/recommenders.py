"""The commands that use recommenders, trained on the bundled interactions: their answers fit together."""

import json

import exports
import numpy as np


def check(tally, tools, directory):
    """Trains one of each kind without a data path, lists them and asks them."""
    models = directory / "models/recommenders"
    ncf, factors = models / "ncf.pt", models / "factors"
    tally.check("train ncf", lambda: tools.run("ranker", "train", "ncf", "--epochs", 2, "--output-path", ncf, "--quiet"))
    for kind in ("als", "popular"):
        tally.check(f"train {kind}", lambda: tools.run("ranker", "train", kind, "--output-dir", factors, "--quiet"))
    tally.check("onnx-verify of two models in a directory", lambda: tools.run("onnx-verify", factors))
    tally.check("ranker models list names every kind", lambda: listed(tools, models))
    tally.check("recommend, predict and similar agree", lambda: used(tools, ncf, factors / "als.pt"))


def listed(tools, models):
    entries = json.loads(tools.run("ranker", "models", "list", "--directory", models, "--json"))
    kinds = sorted({entry["model_type"] for entry in entries})
    if kinds != ["als", "ncf", "popularity"]:
        raise AssertionError(f"listed {kinds}")


def used(tools, ncf, als):
    """What one command recommends, another predicts with the same score; a new user is placed by what was seen."""

    def answers(command, *arguments):
        return json.loads(tools.run("ranker", command, *arguments, "--json"))

    rows = tools.run("ranker", "recommend", "--model", ncf, "--all-users", "--output", "-").splitlines()
    first = json.loads(rows[0])
    user, item = first["user_id"], first["item_id"]
    [answer] = answers("predict", "--model", ncf, "--user", user, "--items", item)
    np.testing.assert_allclose(answer["score"], first["score"], rtol=exports.RELATIVE, atol=exports.ABSOLUTE)
    [single] = answers("recommend", "--model", ncf, "--user", user)
    if [entry["item"] for entry in single["items"]] != [json.loads(row)["item_id"] for row in rows[:10]]:
        raise AssertionError(f"one user alone got {single}")
    [similar] = answers("similar", "--model", als, "--item", item)
    if len(similar["similar"]) != 10 or not all(-1.001 <= entry["cosine"] <= 1.001 for entry in similar["similar"]):
        raise AssertionError(f"10 similar items were expected: {similar}")
    [new] = answers("recommend", "--model", als, "--items-seen", item)
    if new["source"] != "fold_in" or item in [entry["item"] for entry in new["items"]]:
        raise AssertionError(f"a fold-in without {item} was expected: {new}")
