"""Projecting quarterly counts: a level, a damped trend, a season, and how far they stray.

A count y with an expected value e follows a quasi-Poisson regression with log link and normal
priors: E[y] = e * exp(level + trend * t + season), Var[y] = mu + (scatter * mu)^2, newer blocks
weighing more. What cannot be distinguished from a count's own noise is not taken for scatter. The
draws carry the uncertainty of the level, of the trend and of the scatter, the last with Student's t
tails, for eight blocks tell little of it.

Source: McCullagh, Nelder 1989, Generalized linear models, chapter 9 (quasi-likelihood).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from graph.forecast.history import BLOCK_MONTHS

Floats = NDArray[np.float64]

SEASONS: Final = 12 // BLOCK_MONTHS
# Blocks after which the weight of an observation is half.
HALF_LIFE_BLOCKS: Final = 3.0
# A trend of what happens to people, a block; and of how many arrive, which grows and ends quicker.
HAZARD_TREND_DEVIATION: Final = 0.05
ARRIVAL_TREND_DEVIATION: Final = 0.15
SEASON_DEVIATION: Final = 0.08
TREND_DAMPING: Final = 0.6
# What the scatter is believed to be before any is seen, and how many blocks that belief weighs.
PRIOR_SCATTER: Final = 0.13
PRIOR_SCATTER_BLOCKS: Final = 3.0
# How many blocks of its own weigh as much as all parts together, for the scatter of one part.
PRIOR_PART_BLOCKS: Final = 4.0
ITERATIONS: Final = 12


def project_log_ratios(
    counts: Floats,
    expected: Floats,
    ahead: int,
    draws: int,
    random: np.random.Generator,
    trend_deviation: float,
) -> Floats:
    """Draws of log(E[count] / expected) in the next `ahead` blocks: draws x ahead.

    `counts`, `expected`: of the past blocks, the newest last. `trend_deviation`: how far a trend
    is believed to stray from 0 before any is seen, a block.
    """
    past = len(counts)
    times = np.arange(past) - (past - 1)
    design = _build_design(times)
    expected = np.maximum(expected, 0.5)
    start = np.log((counts.sum() + 0.5) / expected.sum())
    prior_mean = np.array([start, 0.0, *[0.0] * SEASONS])
    prior = np.diag(1.0 / np.array([1.0, trend_deviation, *_season_deviations(past)]) ** 2)
    weights = 0.5 ** (-times / HALF_LIFE_BLOCKS)
    mean, scatter = prior_mean.copy(), PRIOR_SCATTER
    covariance = np.linalg.inv(prior)
    for _ in range(ITERATIONS):  # reweighted least squares; line and scatter are found in turn
        line = np.clip(design @ mean, start - 5, start + 5)
        hoped = expected * np.exp(line)
        relative = (counts - hoped) / hoped
        precision = weights / (scatter**2 + 1.0 / hoped)
        covariance = np.linalg.inv(prior + design.T @ (precision[:, None] * design))
        pull = design.T @ (precision * (line + relative)) + prior @ prior_mean
        mean = covariance @ pull
        scatter = _estimate_scatter(relative, hoped, weights)
    degrees = PRIOR_SCATTER_BLOCKS + float(weights.sum())
    drawn = random.multivariate_normal(mean, covariance, draws, method="cholesky")
    ahead_design = _build_design(np.arange(1, ahead + 1))
    ahead_design[:, 1] = np.cumsum(TREND_DAMPING ** np.arange(ahead))
    spread = scatter * np.sqrt(degrees / random.chisquare(degrees, (draws, 1)))
    found: Floats = drawn @ ahead_design.T + spread * random.standard_normal((draws, ahead))
    return found


def _estimate_scatter(relative: Floats, hoped: Floats, weights: Floats) -> float:
    """The scatter beyond a count's own noise, drawn to what is believed before any is seen."""
    squares = np.maximum(relative**2 - 1.0 / hoped, 0.0)
    believed = PRIOR_SCATTER_BLOCKS * PRIOR_SCATTER**2
    return float(
        np.sqrt((believed + (weights * squares).sum()) / (PRIOR_SCATTER_BLOCKS + weights.sum()))
    )


def _season_deviations(past: int) -> list[float]:
    """A season shows only in blocks of more than a year."""
    return [SEASON_DEVIATION if past > SEASONS else 1e-6] * SEASONS


def _build_design(times: NDArray[np.int64]) -> Floats:
    seasons = (times[:, None] % SEASONS == np.arange(SEASONS)[None, :]).astype(np.float64)
    return np.hstack([np.ones((len(times), 1)), times[:, None].astype(np.float64), seasons])


def project_part_ratios(
    counts: Floats,
    expected: Floats,
    ahead: int,
    draws: int,
    random: np.random.Generator,
) -> Floats:
    """Draws of each part's log ratio to what is expected of it: parts x draws x ahead.

    `counts`, `expected`: parts x past blocks, where the expected ones follow the nation already. A
    part keeps a level of its own, drawn to 0 by how far the parts' levels scatter, and strays
    around it as the parts do.
    """
    past = counts.shape[1]
    weights = 0.5 ** (-(np.arange(past) - (past - 1)) / HALF_LIFE_BLOCKS)
    expected = np.maximum(expected, 0.5)
    seen, due = (weights * counts).sum(axis=1), (weights * expected).sum(axis=1)
    levels = np.log((seen + 1.0) / (due + 1.0))
    hoped = expected * np.exp(levels)[:, None]
    squares = np.maximum(((counts - hoped) / hoped) ** 2 - 1.0 / hoped, 0.0)
    trust = weights * hoped
    pooled = float((trust * squares).sum() / max(trust.sum(), 1e-9))
    scatter = np.sqrt(
        (PRIOR_PART_BLOCKS * pooled + (weights * squares).sum(axis=1))
        / (PRIOR_PART_BLOCKS + weights.sum())
    )
    error = 1.0 / (seen + 1.0) + scatter**2 / weights.sum()
    trust = 1.0 / error**2
    between = float(np.maximum((trust * (levels**2 - error)).sum() / trust.sum(), 0.0))
    shrink = between / (between + error) if between > 0 else np.zeros(len(levels))
    deviation = np.sqrt(error * shrink)
    level = (levels * shrink)[:, None] + deviation[:, None] * random.standard_normal(
        (len(levels), draws)
    )
    strays = scatter[:, None, None] * random.standard_normal((len(levels), draws, ahead))
    found: Floats = level[:, :, None] + strays
    return found
