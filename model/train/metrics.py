"""Accuracy, weighted precision, recall, F1 and AUC, with intervals."""

import numpy as np

CLASSES = 4


def confusion(label, guess, weight=None):
    flat = np.bincount(label * CLASSES + guess, weight, CLASSES * CLASSES)
    return flat.reshape(CLASSES, CLASSES)


def from_confusion(matrix):
    """Means over the classes are weighted by how often each is true."""
    true, guessed = matrix.sum(1), matrix.sum(0)
    hit = np.diag(matrix)
    share = true / true.sum()
    precision = hit / np.maximum(guessed, 1e-9)
    recall = hit / np.maximum(true, 1e-9)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-9)
    return {"accuracy": hit.sum() / matrix.sum(),
            "precision": (share * precision).sum(),
            "recall": (share * recall).sum(), "f1": (share * f1).sum()}


class _Ranked:
    """One class against the rest, sorted once for many weightings."""

    def __init__(self, positive, score):
        self.order = np.argsort(score, kind="stable")
        ordered = score[self.order]
        self.positive = positive[self.order]
        new = np.concatenate([[True], ordered[1:] != ordered[:-1]])
        self.group = np.cumsum(new) - 1

    def auc(self, weight):
        weight = weight[self.order]
        pos = np.bincount(self.group, weight * self.positive)
        neg = np.bincount(self.group, weight * ~self.positive)
        below = np.cumsum(neg) - neg
        total = pos.sum() * neg.sum()
        return (pos * (below + neg / 2)).sum() / total if total else np.nan


class Auc:
    """Weighted mean of the one-against-the-rest areas."""

    def __init__(self, label, scores):
        self.label = label
        self.ranked = [_Ranked(label == c, scores[:, c])
                       for c in range(CLASSES)]

    def value(self, weight):
        share = np.bincount(self.label, weight, CLASSES)
        areas = np.array([r.auc(weight) for r in self.ranked])
        use = share > 0
        return (areas[use] * share[use]).sum() / share.sum()


def evaluate(label, scores):
    guess = scores.argmax(1)
    found = from_confusion(confusion(label, guess))
    found["auc"] = Auc(label, scores).value(np.ones(len(label)))
    return found


def intervals(label, scores, source, rng, repeats=200):
    """95 % intervals of accuracy, F1 and AUC, drawing whole recordings."""
    guess, auc = scores.argmax(1), Auc(label, scores)
    names, number = np.unique(source, return_inverse=True)
    rows = []
    for _ in range(repeats):
        count = np.bincount(rng.integers(0, len(names), len(names)),
                            minlength=len(names))
        weight = count[number].astype(float)
        found = from_confusion(confusion(label, guess, weight))
        rows.append((found["accuracy"], found["f1"], auc.value(weight)))
    low, high = np.quantile(rows, (0.025, 0.975), axis=0)
    return {k: (low[i], high[i]) for i, k in enumerate(
        ("accuracy", "f1", "auc"))}
