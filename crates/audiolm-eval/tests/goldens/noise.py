"""Noise that Rust makes again."""
import numpy as np


def noise(n, seed):
    """White noise in [-1, 1) from a linear congruential generator modulo 2^32."""
    values, state = np.empty(n), seed
    for i in range(n):
        state = (state * 1664525 + 1013904223) % 2**32
        values[i] = state / 2**31 - 1
    return values
