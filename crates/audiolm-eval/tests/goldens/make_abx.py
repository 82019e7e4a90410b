#!/usr/bin/env python3
"""Writes abx.json: ABX errors of features that a formula makes, counted triplet by triplet.

    pip install numpy
    python make_abx.py

Written from the definition (Kahn et al. 2020, arXiv 1912.07875, section on ABX), for clearness and not for speed. No
features are stored: `../abx.rs` makes them by the same generator.
"""
import itertools
import json
import math
import pathlib

import numpy as np

from noise import noise

HERE = pathlib.Path(__file__).parent
WIDTH = 3


def example(category, speaker, context, seed):
    """Noise around a direction that the category decides, and a smaller one that the speaker does."""
    time = 2 + seed % 4
    frames = noise(time * WIDTH, seed).reshape(time, WIDTH)
    frames[:, category] += 0.8
    frames[:, speaker] += 0.4
    return dict(category=category, speaker=speaker, context=context, seed=seed, frames=frames.astype(np.float32))


def angle(a, b):
    a, b = a.astype(np.float64), b.astype(np.float64)
    cosine = a @ b / (np.linalg.norm(a) * np.linalg.norm(b))
    return math.acos(max(-1.0, min(1.0, cosine))) / math.pi


def distance(one, two):
    """The least sum of angles over all monotone paths, divided by the places on the path that has it."""
    best = {}
    for i, j in itertools.product(range(len(one)), range(len(two))):
        before = [best[p] for p in [(i - 1, j - 1), (i - 1, j), (i, j - 1)] if p in best]
        total, places = min(before, key=lambda it: it[0], default=(0.0, 0))
        best[i, j] = (total + angle(one[i], two[j]), places + 1)
    total, places = best[len(one) - 1, len(two) - 1]
    return total / places


def error(items, across):
    shares = {}
    for a, b, x in itertools.product(items, repeat=3):
        if x is a or a["category"] != x["category"] or a["category"] == b["category"]:
            continue
        if len({it["context"] for it in (a, b, x)}) > 1 or a["speaker"] != b["speaker"]:
            continue
        if (x["speaker"] != a["speaker"]) != across:
            continue
        to_a, to_b = distance(a["frames"], x["frames"]), distance(b["frames"], x["frames"])
        key = (a["category"], b["category"]), (a["speaker"], x["speaker"]), a["context"]
        shares.setdefault(key, []).append(1.0 if to_a > to_b else 0.5 if to_a == to_b else 0.0)
    for level in (2, 1, 0):  # Triplets, then contexts, then speakers; the mean over pairs is left.
        grouped = {}
        for key, values in shares.items():
            grouped.setdefault(key[:level], []).append(np.mean(values))
        shares = grouped
    (values,) = shares.values()
    return float(np.mean(values))


items = [
    example(category, speaker, context, 1000 + 97 * idx)
    for idx, (category, speaker, context, _) in enumerate(
        # One kind has a single example and one none, so that averages differ in what they hold.
        it for it in itertools.product(range(3), range(3), range(2), range(3))
        if it not in [(0, 0, 0, 1), (0, 0, 0, 2), (2, 1, 1, 0), (2, 1, 1, 1), (2, 1, 1, 2)]
    )
]
golden = dict(
    width=WIDTH,
    items=[[it[name] for name in ("category", "speaker", "context", "seed")] for it in items],
    within=error(items, across=False),
    across=error(items, across=True),
)
(HERE / "abx.json").write_text(json.dumps(golden) + "\n")
print(golden["within"], golden["across"], len(items))
