"""Writes user,item pairs as CSV: a long-tailed catalogue, users who are busy or not, tastes; each pair once.

    python make_interactions.py --output interactions.csv
"""

import argparse

import numpy as np


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=6000)
    parser.add_argument("--items", type=int, default=3000)
    parser.add_argument("--interactions", type=int, default=930_000)
    parser.add_argument("--factors", type=int, default=16)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()
    generator = np.random.default_rng(arguments.seed)
    users = generator.normal(size=(arguments.users, arguments.factors)).astype(np.float32)
    items = generator.normal(size=(arguments.items, arguments.factors)).astype(np.float32)
    popularity = -0.8 * np.log(np.arange(1, arguments.items + 1))
    activity = np.maximum(5, generator.pareto(1.5, arguments.users) + 1)
    activity = np.minimum(activity / activity.sum() * arguments.interactions, 0.6 * arguments.items).astype(int) + 5
    left = arguments.interactions
    with open(arguments.output, "w") as file:
        file.write("user_id,item_id\n")
        for user, wanted in enumerate(activity):
            count = min(wanted, left)
            left -= count
            # The items with the highest sums of popularity, taste and Gumbel noise: a draw without replacement.
            score = popularity + 0.7 * (items @ users[user]) + generator.gumbel(size=arguments.items)
            for item in np.argpartition(-score, count)[:count]:
                file.write(f"{user},{item}\n")


if __name__ == "__main__":
    main()
