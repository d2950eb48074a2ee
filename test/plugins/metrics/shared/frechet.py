"""Fréchet distances for frechet.test.ts. usage: python3 frechet.py > frechet.json (numpy 2.4, scipy 1.17)

The expected value takes no covariance: tr (S1 S2)^1/2 is the sum of the singular values of X1 X2^T / sqrt((n1 - 1)(n2 - 1)), X the
centred features, so it holds for any rank. Where both covariances have full rank, pytorch-fid's formula with scipy's sqrtm is
stored beside it.
"""
import json

import numpy as np
from scipy import linalg


def hash_uniform(seed, count):
    """As hashUniform of test/bench/data.ts."""
    i = np.arange(count, dtype=np.uint32)
    with np.errstate(over="ignore"):
        x = i * np.uint32(2654435761) + np.uint32((seed * 40503 + 12345) & 0xFFFFFFFF)
        x = (x ^ (x >> np.uint32(16))) * np.uint32(0x85EBCA6B)
        x = (x ^ (x >> np.uint32(13))) * np.uint32(0xC2B2AE35)
        x ^= x >> np.uint32(16)
    return (x.astype(np.float64) / 2147483648.0 - 1.0).astype(np.float32)


def features(seed, count, d, rank, decay, shift):
    """rank columns of noise, mixed into d; column j is smaller by 10^(-decay j/d), then shifted. As featuresOf of the test."""
    noise = hash_uniform(seed, count * rank).astype(np.float64).reshape(count, rank)
    columns = np.stack([noise[:, j % rank] + 0.5 * noise[:, (3 * j + 1) % rank] for j in range(d)], 1)
    return columns * 10.0 ** (-decay * np.arange(d) / d) + shift


CASES = [
    ("full rank", 400, 300, 40, 40, 0, 0.25),
    ("one dimension", 7, 5, 1, 1, 0, 0.5),
    ("odd sizes", 77, 150, 13, 13, 1, 0.1),
    ("more than a block of everything", 301, 515, 131, 131, 2, 0),
    ("fewer samples than dimensions", 30, 25, 64, 64, 0, 0.25),
    ("one set of few samples", 20, 300, 67, 67, 0, 0),
    ("dependent dimensions", 200, 150, 45, 9, 0, 0.125),
    ("variances of very different size", 300, 300, 33, 33, 12, 0),
    ("far from zero", 200, 200, 20, 20, 0, 1000),
]


def distance(name, n1, n2, d, rank, decay, shift):
    x, y = features(1, n1, d, rank, decay, 0), features(2, n2, d, rank, decay, shift)
    centred = [a - a.mean(0) for a in (x, y)]
    squares = [(a**2).sum() / (len(a) - 1) for a in centred]
    product = centred[0] @ centred[1].T / np.sqrt((n1 - 1) * (n2 - 1))
    apart = ((x.mean(0) - y.mean(0)) ** 2).sum()
    case = dict(name=name, counts=[n1, n2], d=d, rank=rank, decay=decay, shift=shift)
    case["trace"] = sum(squares)
    case["distance"] = apart + sum(squares) - 2 * linalg.svdvals(product).sum()
    if rank == d and min(n1, n2) > d and decay == 0:
        S1, S2 = (np.atleast_2d(np.cov(a, rowvar=False)) for a in (x, y))
        root = linalg.sqrtm(S1 @ S2)
        case["sqrtm"] = apart + np.trace(S1) + np.trace(S2) - 2 * np.trace(root).real
    return case


print(json.dumps([distance(*case) for case in CASES], indent=1))
