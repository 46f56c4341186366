"""What the bundled model is compared with. Each has scores for windows of a
minute (NaN in front of a short history) and the way in which the agent would
use it at its shipped defaults: `minute`, or for models of ten seconds
`context` (with the second opinion) or `alone`."""

import numpy as np

import network
import recipe
import recordings as rec
import rows as R

NOTE_HIDDEN = (30, 10, 15)
EPOCHS = 10


def level_scores(window, fault):
    """Four scores from that of a fault and the level of three seconds."""
    level = window[:, -3:].mean(1)

    def above(edge):
        return np.clip(0.5 + (level - edge) / 0.6, 0, 1)

    low, normal, high, beyond = (above(e) for e in rec.EDGES)
    rest = (1 - fault) * low * (1 - beyond)
    out = np.empty((len(window), 4))
    out[:, rec.HIGH] = rest * high
    out[:, rec.LOW] = rest * (1 - normal)
    out[:, rec.NORMAL] = rest * (normal - high)
    out[:, rec.ANOMALOUS] = 1 - out[:, 1:].sum(1)
    return out


class Contender:
    def __init__(self, name, mode, score):
        self.name, self.mode, self.score = name, mode, score


def bundled(stage):
    return Contender("Weir, int8", "minute",
                     lambda w: stage.scores("int8", w)[0])


def unrounded(stage):
    """The network before it was rounded to int8."""
    kept = np.load(stage.float_path)
    ranges = recipe.Ranges(kept["low"], kept["high"])
    layers = range(len([k for k in kept if k.startswith("bias")]))
    weights = [kept["weights_%d" % i] for i in layers]
    biases = [kept["bias_%d" % i] for i in layers]
    return Contender("Weir, float", "minute", lambda w: level_scores(
        w, 1 - network.float_scores(weights, biases, ranges.apply(
            stage.look(w)))[:, 0]))


def rule(stage):
    return Contender("tuned rule", "alone",
                     lambda w: stage.scores("rule", w)[0])


class TenSeconds:
    """A network that sees ten seconds and has labels like ours: what a model
    of one's own would be."""

    def __init__(self, train, compute, levels, hidden):
        self.compute = compute
        x = compute(train.window[:, -rec.SAMPLES:])
        self.ranges = recipe.Ranges.of(x, levels)
        label = train.label()
        self.net = recipe.fit(self.ranges.apply(x), label, train.weight,
                              hidden, epochs=EPOCHS, rounded_epochs=0, kinds=4)

    def scores(self, window):
        return self.net.scores(self.ranges.apply(
            self.compute(window[:, -rec.SAMPLES:])))


class Boosted:
    """Gradient boosting on the features of a minute: a ceiling, too large for
    the board."""

    def __init__(self, train, stage):
        from sklearn.ensemble import HistGradientBoostingClassifier
        self.stage = stage
        self.model = HistGradientBoostingClassifier(
            max_iter=200, learning_rate=0.1, max_leaf_nodes=31,
            random_state=0)
        use = train.weight > 0
        self.model.fit(train.look[use], train.kind[use] != R.CLEAN,
                       sample_weight=train.weight[use])

    def scores(self, window):
        return level_scores(window, self.model.predict_proba(
            self.stage.look(window))[:, 1])


def majority(label):
    def score(window):
        out = np.zeros((len(window), 4))
        out[:, label] = 1
        return out
    return Contender("majority class", "alone", score)


def all_of(stage, train, boosting=True):
    ten = TenSeconds(train, stage.shape, 8, (96, 32))
    note = TenSeconds(train, stage.spectral, 0, NOTE_HIDDEN)
    found = [bundled(stage), unrounded(stage)]
    if boosting:
        found.append(Contender("gradient boosting, a minute", "minute",
                               Boosted(train, stage).scores))
    return found + [
        Contender("ten seconds, with Context", "context", ten.scores),
        Contender("ten seconds alone", "alone", ten.scores),
        rule(stage),
        Contender("the note's features and network", "context", note.scores),
        majority(int(np.bincount(train.label()).argmax()))]
