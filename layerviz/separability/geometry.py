"""How states lie: neighbours, clusters, the two splits, and how alike layers are."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from scipy.sparse import csr_array
from scipy.spatial.distance import pdist, squareform
from scipy.stats import rankdata

from layerviz.numerics import all_equal, within_range
from layerviz.separability.naming import NEIGHBOURS
from layerviz.separability.resampling import stratified_folds

CKA_EXAMPLES = 1000
SILHOUETTE_ROWS = 2000
ROWS_AT_ONCE = 2048  # of a matrix of distances, so that memory does not grow with n squared
SPLIT_FOLDS = 2


def directions(rows: np.ndarray, train: np.ndarray) -> torch.Tensor:
    """Return rows centred on the mean of the train rows, at unit length, float32 of shape (n, D).

    Uncentred, the states of one layer all point in about the same direction (Ethayarajh, 2019).
    """
    return directions_from(rows, centre_of(train))


def centre_of(train: np.ndarray) -> np.ndarray:
    """Return the mean of train rows (n, D), float32 of shape (D,)."""
    return torch.from_numpy(train.astype(np.float32)).mean(dim=0).numpy()


def directions_from(rows: np.ndarray, centre: np.ndarray) -> torch.Tensor:
    """Return rows centred on `centre` (D,), at unit length, float32 of shape (n, D)."""
    centred = torch.from_numpy(rows.astype(np.float32)) - torch.from_numpy(centre)
    return torch.nn.functional.normalize(centred, dim=1)


def nearest(
    rows: torch.Tensor, reference: torch.Tensor, k: int, own: torch.Tensor | None = None
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield, for some rows at a time, the k nearest reference rows by cosine, nearest first.

    Parameters
    ----------
    rows : Tensor of shape (n, D)
        Of unit length.
    reference : Tensor of shape (m, D)
        Of unit length.
    k : int
    own : Tensor of shape (n,), int64, optional
        The index of each row among the reference rows, where it is left out; -1 where it is none.

    Yields
    ------
    similarity, indices : Tensors of shape (n_at_once, k)
        Cosines, and indices of reference rows.
    """
    for start in range(0, len(rows), ROWS_AT_ONCE):
        cosines = rows[start : start + ROWS_AT_ONCE] @ reference.T
        if own is not None:
            own_here = own[start : start + ROWS_AT_ONCE]
            inside = torch.nonzero(own_here >= 0)[:, 0]
            cosines[inside, own_here[inside]] = -torch.inf
        top = cosines.topk(k, dim=1)
        yield top.values, top.indices


def nearest_in_train(
    rows: torch.Tensor, train_rows: torch.Tensor, k: int = NEIGHBOURS
) -> tuple[np.ndarray, np.ndarray]:
    """Return cosines and indices of the k nearest train rows, nearest first; see `nearest`.

    Parameters
    ----------
    rows : Tensor of shape (n, D)
        `directions` of others.
    train_rows : Tensor of shape (m, D)
        `directions` of train.
    k : int
        Fewer where train has fewer rows.

    Returns
    -------
    similarity, indices : ndarray of shape (n, k)
    """
    parts = list(nearest(rows, train_rows, min(k, len(train_rows))))
    similarity, indices = (torch.cat([part[side] for part in parts]).numpy() for side in (0, 1))
    return similarity, indices


def knn_predict(similarity: np.ndarray, indices: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Predict rows from their nearest train rows (Cover & Hart, 1967).

    The majority decides, and among equals the class whose neighbours are nearer in sum.

    Parameters
    ----------
    similarity, indices : ndarray of shape (n, k)
        From `nearest_in_train`.
    labels : ndarray of shape (m,)
        Class indices of the train rows.

    Returns
    -------
    ndarray of shape (n,)
        Class indices.
    """
    classes, codes = np.unique(labels, return_inverse=True)
    votes = torch.zeros(len(indices), len(classes))
    # A similarity is at most 1, so that k of them never outweigh a vote.
    worth = 1 + (torch.from_numpy(similarity) + 1) / (4 * indices.shape[1])
    votes.scatter_add_(1, torch.from_numpy(codes[indices]), worth)
    return classes[votes.argmax(dim=1).numpy()]


def nearest_mean_predict(
    rows: torch.Tensor, train_rows: torch.Tensor, labels: np.ndarray
) -> np.ndarray:
    """Predict rows by the nearest mean of a class of train (Mensink et al., 2013).

    Parameters
    ----------
    rows : Tensor of shape (n, D)
        `directions` of others.
    train_rows : Tensor of shape (m, D)
        `directions` of train.
    labels : ndarray of shape (m,)
        Class indices of the train rows.

    Returns
    -------
    ndarray of shape (n,)
        Class indices.
    """
    classes = np.unique(labels)
    means = torch.stack(
        [train_rows[torch.from_numpy(labels == one)].mean(dim=0) for one in classes]
    )
    nearness = rows @ means.T - means.square().sum(dim=1) / 2
    return classes[nearness.argmax(dim=1).numpy()]


def class_distance_variance(
    states: np.ndarray, labels: np.ndarray, train_states: np.ndarray, train_labels: np.ndarray
) -> float:
    """Return the class-distance normalised variance, 0 or more, lower is better.

    Galanti et al. (2022): the mean of two classes' variances over the squared distance of their
    means, on average over pairs of classes. Means are those of train, whichever rows are measured:
    those of a few val rows would be noise, and examples that stray from where train's lie count.

    Parameters
    ----------
    states : ndarray of shape (n, D)
    labels : ndarray of shape (n,)
    train_states : ndarray of shape (m, D)
    train_labels : ndarray of shape (m,)

    Returns
    -------
    float
        NaN with fewer than two classes in both, or where train is a single point.
    """
    classes = np.intersect1d(labels, train_labels)
    if len(classes) < 2 or all_equal(train_states):
        return float("nan")
    means = np.stack(
        [train_states[train_labels == one].mean(axis=0, dtype=np.float64) for one in classes]
    )
    variances = np.array(
        [
            ((states[labels == one] - mean) ** 2).sum(axis=1).mean()
            for one, mean in zip(classes, means, strict=True)
        ]
    )
    one, other = np.triu_indices(len(classes), 1)
    distances = pdist(means, "sqeuclidean")  # in the order of these pairs
    return float(((variances[one] + variances[other]) / 2 / np.maximum(distances, 1e-12)).mean())


def silhouette(
    states: np.ndarray, labels: np.ndarray, reference: np.ndarray, reference_labels: np.ndarray
) -> float:
    """Return the mean silhouette (Rousseeuw, 1987) of rows among the reference rows' classes.

    Where the rows are the reference itself this is ``sklearn.metrics.silhouette_score``, a point
    not being its own neighbour; else each row is compared with the reference's classes. Of more
    than `SILHOUETTE_ROWS` rows, so many evenly spaced ones are measured, each against all of the
    reference: their mean is within 0.01 of that of all (two standard errors, where the silhouettes
    of single rows deviate by 0.2).

    Parameters
    ----------
    states : ndarray of shape (n, D)
    labels : ndarray of shape (n,)
    reference : ndarray of shape (m, D)
    reference_labels : ndarray of shape (m,)

    Returns
    -------
    float
        -1 to 1; NaN with fewer than two classes in the reference, or where it is a single point.
    """
    classes, codes, counts = np.unique(reference_labels, return_inverse=True, return_counts=True)
    comparable = np.isin(labels, classes)
    if len(classes) < 2 or not comparable.any() or all_equal(reference):
        return float("nan")
    itself = states is reference
    measured = np.flatnonzero(comparable)
    measured = measured[evenly_spaced(len(measured), SILHOUETTE_ROWS)]
    x = torch.from_numpy(states[measured].astype(np.float32))
    y = torch.from_numpy(reference.astype(np.float32))
    centre = y.mean(dim=0)  # small numbers lose less when they are squared
    x, y = x - centre, y - centre
    member = torch.nn.functional.one_hot(torch.from_numpy(codes)).float()  # (m, C)
    parts = []
    for start in range(0, len(x), ROWS_AT_ONCE):
        distances = torch.cdist(x[start : start + ROWS_AT_ONCE], y)
        if itself:
            own_places = torch.from_numpy(measured[start : start + ROWS_AT_ONCE])
            distances.scatter_(1, own_places[:, None], 0.0)
        parts.append(distances @ member)
    sums = torch.cat(parts).numpy()  # (n, C)
    own = np.searchsorted(classes, labels[measured])
    rows = np.arange(len(own))
    size = counts[own] - itself
    inside = sums[rows, own] / np.maximum(size, 1)
    means = sums / counts
    means[rows, own] = np.inf
    outside = means.min(axis=1)
    value = (outside - inside) / np.maximum(np.maximum(inside, outside), 1e-12)
    return float(np.where(size > 0, value, 0.0).mean())


def davies_bouldin(states: np.ndarray, labels: np.ndarray) -> float:
    """Return the Davies-Bouldin index (1979), 0 or more, lower is better; NaN if undefined."""
    classes = np.unique(labels)
    if len(classes) < 2 or len(classes) >= len(labels) or all_equal(states):
        return float("nan")
    # As ``sklearn.metrics.davies_bouldin_score``, which takes a second for 500 classes.
    means, codes = class_means(states.astype(np.float64), labels)
    spread = np.sqrt(np.square(states - means[codes]).sum(axis=1))
    spreads = np.bincount(codes, weights=spread) / np.bincount(codes)
    distances = squareform(pdist(means))
    if np.allclose(spreads, 0) or np.allclose(distances, 0):
        return 0.0
    distances[distances == 0] = np.inf
    return float(((spreads[:, None] + spreads) / distances).max(axis=1).mean())


def class_means(states: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean of each class in class order, (C, D), and the rows' places among them."""
    _, codes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    members = csr_array((np.ones(len(codes)), (codes, np.arange(len(codes)))))  # (C, n)
    return (members @ states) / counts[:, None], codes


def split_divergence(states: np.ndarray, is_val: np.ndarray, seed: int) -> float:
    """Return how well a linear classifier tells the splits apart: AUC, 0.5 where it cannot.

    A classifier two-sample test (Lopez-Paz & Oquab, 2017): ridge regression on standardised
    states, two-fold cross-validated, the penalty being the number of rows fitted.

    Parameters
    ----------
    states : ndarray of shape (N, D)
    is_val : ndarray of shape (N,), bool
    seed : int
        Of the folds.
    """
    if min(is_val.sum(), (~is_val).sum()) < 2 * SPLIT_FOLDS:
        return float("nan")
    fold = stratified_folds(is_val, SPLIT_FOLDS, seed)
    x = torch.from_numpy(states.astype(np.float32))
    x = (x - x.mean(dim=0)) / x.std(dim=0).clamp(min=1e-6)
    aim = torch.from_numpy(is_val.astype(np.float32))
    areas = []
    for held_out in range(SPLIT_FOLDS):
        fitted = torch.from_numpy(np.flatnonzero(fold != held_out))
        inputs, target = x[fitted], aim[fitted] - aim[fitted].mean()
        gram = inputs.T @ inputs
        gram.diagonal().add_(len(inputs))
        weights = torch.linalg.solve(gram, inputs.T @ target)
        scored = fold == held_out
        scores = (x[torch.from_numpy(np.flatnonzero(scored))] @ weights).numpy()
        areas.append(_area_under_curve(scores, is_val[scored]))
    return float(np.mean(areas))


def _area_under_curve(scores: np.ndarray, positive: np.ndarray) -> float:
    ranks = rankdata(scores)
    n, m = positive.sum(), (~positive).sum()
    return float((ranks[positive].sum() - n * (n + 1) / 2) / (n * m))


def cka_rows(n: int) -> np.ndarray:
    """Return the rows on which CKA is estimated: all, or 1,000 evenly spaced ones."""
    return evenly_spaced(n, CKA_EXAMPLES)


def evenly_spaced(n: int, most: int) -> np.ndarray:
    """Return the numbers of all of n rows, or of `most` evenly spaced ones."""
    return np.unique(np.linspace(0, n - 1, min(n, most)).astype(int))


def linear_cka(states: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return linear CKA between layers, from the unbiased estimator of HSIC.

    Kornblith et al. (2019); the estimator is that of Song et al. (2012), as used by Nguyen et al.
    (2021), and does not depend on the number of examples in expectation.

    Parameters
    ----------
    states : ndarray of shape (K, n, D)
        States of K layers for the same n examples; at least four.
    others : ndarray of shape (M, n, E)
        States of M layers for these examples.

    Returns
    -------
    ndarray of shape (K, M), float64
        1 for layers that are the same up to rotation and scale, about 0 for unrelated ones; NaN
        where a layer's states are all equal, or not all finite numbers.
    """
    first = _centred_grams(states)  # (K, n * n)
    second = first if others is states else _centred_grams(others)
    n = states.shape[1]
    scale = n * (n - 3)
    norms = [((g * g).sum(dim=1) / scale).double() for g in (first, second)]
    product = (first @ second.T).double() / scale
    norms = [torch.where(norm > 1e-20, norm, torch.nan) for norm in norms]
    return (product / (norms[0][:, None] * norms[1][None]).sqrt()).numpy()


def _centred_grams(states: np.ndarray) -> torch.Tensor:
    """Return U-centred Gram matrices, flat: inner products of two are unbiased HSIC estimates.

    Székely & Rizzo (2014): with U-centring, Song et al.'s estimator is the mean product.
    """
    grams = []
    for state in states:
        x = torch.from_numpy(within_range(state).astype(np.float32))
        x = x - x.mean(dim=0)  # changes nothing but the size of rounding errors
        x = x / x.norm().clamp(min=1e-12) * len(x) ** 0.5
        gram = x @ x.T
        n = len(gram)
        gram.fill_diagonal_(0.0)
        sums = gram.sum(dim=0) / (n - 2)
        total = gram.sum() / ((n - 1) * (n - 2))
        gram = gram - sums[:, None] - sums[None] + total
        gram.fill_diagonal_(0.0)
        grams.append(gram.flatten())
    return torch.stack(grams)
