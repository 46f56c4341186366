"""Other ways to tell normal flow from another: what the baseline is held
against. Each takes the values of one file and the number of rows to learn from,
and gives a bool for each row; rows it learnt from count for nothing."""

import numpy
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor


def rolling(values, window):
    """Mean and deviation of the last `window` values at each row."""
    sums = numpy.cumsum(numpy.insert(values, 0, 0.0))
    squares = numpy.cumsum(numpy.insert(values ** 2, 0, 0.0))
    ends = numpy.arange(1, len(values) + 1)
    begins = numpy.maximum(ends - window, 0)
    n = ends - begins
    mean = (sums[ends] - sums[begins]) / n
    var = (squares[ends] - squares[begins]) / n - mean ** 2
    return mean, numpy.sqrt(numpy.maximum(var, 0))


def hold(alarm, seconds):
    """Each alarm lasts for so long after its last row."""
    last = numpy.where(alarm, numpy.arange(len(alarm)), -seconds - 1)
    return numpy.arange(len(alarm)) - numpy.maximum.accumulate(last) < seconds


def always(values, learn):
    return numpy.ones(len(values), bool)


def fixed_bands(values, learn):
    """Mean of 12 s within three deviations of what was learnt."""
    mean, _ = rolling(values, 12)
    level, spread = values[:learn].mean(), values[:learn].std()
    return numpy.abs(mean - level) > 3 * spread


def frozen(values, learn):
    """Our own rule on a baseline that stays what it was."""
    mean, _ = rolling(values, 12)
    level = numpy.median(values[:learn])
    usual = numpy.median(rolling(values, 20)[1][20:learn])
    out = numpy.abs(mean - level) > 0.018 * level
    loud = rolling(values, 20)[1] > 2.6 * usual
    return hold(out | loud, 30)


def rolling_z(values, learn):
    """Three deviations off the last five minutes."""
    mean, spread = rolling(values, 300)
    before = numpy.maximum(numpy.arange(len(values)) - 1, 0)
    return numpy.abs(values - mean[before]) > 3 * spread[before] + 1e-9


def features(values):
    columns = []
    for window in (5, 15, 60):
        columns.extend(rolling(values, window))
    return numpy.column_stack(columns)


def forest(values, learn):
    rows = features(values)
    model = IsolationForest(random_state=0, contamination=0.01)
    return model.fit(rows[60:learn]).predict(rows) < 0


def local_outliers(values, learn):
    rows = features(values)
    model = LocalOutlierFactor(novelty=True, contamination=0.01)
    return model.fit(rows[60:learn]).predict(rows) < 0


METHODS = [("always alarm", always),
           ("the same rule, baseline frozen", frozen),
           ("fixed bands, 3 deviations", fixed_bands),
           ("rolling z-score, 5 min", rolling_z),
           ("isolation forest (scikit-learn)", forest),
           ("local outlier factor (scikit-learn)", local_outliers)]
