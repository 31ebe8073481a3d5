"""Probabilities that mean what they say, and thresholds, both chosen on dev sets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def platt(logits: Sequence[float], labels: Sequence[bool], weights: Sequence[float]) -> tuple[float, float]:
    """Scale and offset that make sigmoid(scale * logit + offset) fit the labels (Platt 1999); 1 and 0 where
    the labels are all alike and nothing can be fitted."""
    from sklearn.linear_model import LogisticRegression

    if len(set(labels)) < 2:
        return 1.0, 0.0
    fit = LogisticRegression(C=1e6).fit(
        np.asarray(logits).reshape(-1, 1), labels, np.asarray(weights) * len(labels)
    )
    return float(fit.coef_[0, 0]), float(fit.intercept_[0])


Knots = list[list[float]]
"""A curve as points: logits that rise, and the probability at each."""


def isotonic(logits: Sequence[float], labels: Sequence[bool]) -> Knots:
    """A rising curve from logits to probabilities (Zadrozny & Elkan 2002), straight between the middles of
    its steps, so that it keeps the order of what lies within one."""
    from sklearn.isotonic import IsotonicRegression

    x = np.asarray(logits, dtype=float)
    p = IsotonicRegression(out_of_bounds="clip").fit_transform(x, np.asarray(labels, dtype=float))
    steps = np.unique(p)
    middles = [float(x[p == step].mean()) for step in steps]
    return [middles, np.clip(steps, 1e-4, 1 - 1e-4).tolist()]


def on_curve(logits: Any, knots: Knots) -> np.ndarray:
    """Probabilities of logits by a curve."""
    at, p = np.asarray(knots)
    return np.asarray(np.interp(np.asarray(logits, dtype=float), at, p))


def calibrated(logits: Any, settings: dict[str, Any]) -> np.ndarray:
    """Probabilities of logits by what a signal's settings hold: a curve (`knots`), or a `scale` and
    `offset`."""
    if "knots" in settings:
        return on_curve(logits, settings["knots"])
    x = settings["scale"] * np.asarray(logits, dtype=float) + settings["offset"]
    return 0.5 * (1 + np.tanh(0.5 * x))


FOLDS = 5


def chosen_calibration(
    logits: Sequence[float], labels: Sequence[bool], weights: Sequence[float]
) -> dict[str, Any]:
    """Platt's scaling or an isotonic curve, whichever has the lower Brier score (1950) on parts it was not
    fitted to, as `calibrated` reads it. Rows of one document lie together, and so do the parts."""
    x, y, w = np.asarray(logits, dtype=float), np.asarray(labels), np.asarray(weights, dtype=float)
    scale, offset = platt(logits, labels, weights)
    plain = {"scale": scale, "offset": offset}
    if len(x) < 100 * FOLDS or len(set(labels)) < 2:
        return plain
    part = np.arange(len(x)) * FOLDS // len(x)
    errors = np.zeros(2)
    for fold in range(FOLDS):
        held = part == fold
        a, b = platt(x[~held], y[~held], w[~held])
        for n, p in enumerate(
            (
                calibrated(x[held], {"scale": a, "offset": b}),
                on_curve(x[held], isotonic(x[~held], y[~held])),
            )
        ):
            errors[n] += float((w[held] * (p - y[held]) ** 2).sum())
    return plain if errors[0] <= errors[1] else {"knots": isotonic(logits, labels)}


def best_threshold(probabilities: Any, labels: Any, weights: Any = None, *, beta: float = 1) -> float:
    """The probability at and above which yes is said, for the best F-beta of yes (van Rijsbergen 1979);
    beta 2 counts recall twice. 0.5 where nothing is yes."""
    from sklearn.metrics import precision_recall_curve

    if not np.any(labels):
        return 0.5
    precision, recall, thresholds = precision_recall_curve(labels, probabilities, sample_weight=weights)
    f = (1 + beta**2) * precision * recall / np.clip(beta**2 * precision + recall, 1e-9, None)
    return float(thresholds[min(int(f.argmax()), len(thresholds) - 1)])


def quantile(values: np.ndarray, weights: np.ndarray, share: float) -> float:
    """The value that at most 1 - `share` of the weight lies above; 0 without values."""
    if not len(values):
        return 0.0
    order = np.argsort(values)
    return float(values[order][np.searchsorted(np.cumsum(weights[order]), share * weights.sum())])


BINS = 15
"""Bins of equal width for calibration, as Guo et al. (2017) have them."""


def reliability_bins(
    probabilities: Any, truth: Any, weights: Any = None, *, bins: int = BINS
) -> list[dict[str, float]]:
    """Per bin that is not empty its mean `probability`, share of `yes`, and share of the whole `weight`."""
    p, y = np.asarray(probabilities, dtype=float), np.asarray(truth, dtype=float)
    w = np.ones(len(p)) if weights is None else np.asarray(weights, dtype=float)
    place = np.minimum((p * bins).astype(int), bins - 1)
    found = []
    for i in range(bins):
        here = place == i
        if here.any():
            found.append(
                {
                    "probability": float(np.average(p[here], weights=w[here])),
                    "yes": float(np.average(y[here], weights=w[here])),
                    "weight": float(w[here].sum() / w.sum()),
                }
            )
    return found


def chance_error(probabilities: Any, weights: Any = None, *, draws: int = 100, bins: int = BINS) -> float:
    """The expected calibration error that perfect probabilities would show on as few rows, by drawing truths
    from them: what a measured error has to be read against (Roelofs et al. 2022)."""
    p = np.asarray(probabilities, dtype=float)
    if not len(p):
        return 0.0
    rng = np.random.default_rng(0)
    errors = [
        expected_calibration_error(reliability_bins(p, rng.random(len(p)) < p, weights, bins=bins))
        for _ in range(draws)
    ]
    return float(np.mean(errors))


def expected_calibration_error(bins: Sequence[dict[str, float]]) -> float:
    """The mean gap between probability and share of yes over the bins, each by its weight (Naeini et al.
    2015); 0 is perfect."""
    return sum(b["weight"] * abs(b["probability"] - b["yes"]) for b in bins)


def temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The temperature that minimises the cross-entropy of softmax(logits / T) (Guo et al. 2017).

    logits: [n, classes]; labels: [n] class indices.
    """
    best = (np.inf, 1.0)
    for t in np.geomspace(0.25, 8, 200):
        z = logits / t
        z = z - z.max(1, keepdims=True)
        loss = -(z[np.arange(len(z)), labels] - np.log(np.exp(z).sum(1))).mean()
        best = min(best, (float(loss), float(t)))
    return best[1]
