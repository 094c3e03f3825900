# SPDX-License-Identifier: GPL-2.0
"""Statistics of samples. Percentiles interpolate linearly between ranks, as the core module's do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Summary:
    """The statistics of one cell, in the unit of its samples except `cv`, which has none.

    `mad` is the median distance to the median, unscaled; `stddev` is that of a sample (n - 1); `cv` = stddev / mean, NaN if the mean
    is 0.
    """

    count: int
    min: float
    p10: float
    median: float
    mean: float
    p90: float
    p99: float
    max: float
    mad: float
    stddev: float
    cv: float


def summarise(samples: Sequence[float] | Values) -> Summary:
    """Return the statistics of one cell, which has at least one sample."""
    values = np.asarray(samples, dtype=np.float64)
    p10, median, p90, p99 = (float(p) for p in np.percentile(values, (10, 50, 90, 99)))
    mean = float(np.mean(values))
    stddev = float(np.std(values, ddof=1)) if values.size > 1 else 0.0
    return Summary(
        count=int(values.size),
        min=float(np.min(values)),
        p10=p10,
        median=median,
        mean=mean,
        p90=p90,
        p99=p99,
        max=float(np.max(values)),
        mad=float(np.median(np.abs(values - median))),
        stddev=stddev,
        cv=stddev / mean if mean else float("nan"),
    )


def typical_change(ratios: Sequence[float]) -> float:
    """Return the typical distance of ratios from 1 in either direction: exp(mean |ln r|) - 1.

    This is the geometric mean of max(r, 1/r), minus 1: 0 for no change, 0.02 if they are typically 2 % apart. Ratios are positive,
    and there is at least one.
    """
    return float(np.expm1(np.mean(np.abs(np.log(np.asarray(ratios, dtype=np.float64))))))
