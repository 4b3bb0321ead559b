"""What is measured, in words: names, explanations and sources, for wherever a reader meets them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """One measure of how states separate classes.

    Parameters
    ----------
    name : str
        As in ``separability.csv``.
    label : str
        For people.
    splits : tuple of str
        On what it is measured.
    explanation : str
        Two sentences.
    reference : str
        Where it comes from.
    higher_is_better : bool or None
        None where neither end is better.
    """

    name: str
    label: str
    splits: tuple[str, ...]
    explanation: str
    reference: str
    higher_is_better: bool | None = True


_ALL = (
    Measure(
        "probe_macro_f1",
        "Linear probe, macro-F1",
        ("val", "train", "test"),
        "A logistic regression is trained on the layer's train states and predicts the others. "
        "Macro-F1 is the mean over classes of the balance between precision and recall.",
        "Alain & Bengio 2016",
    ),
    Measure(
        "probe_accuracy",
        "Linear probe, accuracy",
        ("val", "train", "test"),
        "A logistic regression is trained on the layer's train states and predicts the others. "
        "Accuracy is the share of examples it gets right; frequent classes count more.",
        "Alain & Bengio 2016",
    ),
    Measure(
        "gap",
        "Gap of the probe (train − val)",
        ("train-val",),
        "The probe's macro-F1 on train minus that on val. A large gap means that the layer's "
        "states tell train examples apart in ways that do not carry over.",
        "Zhang et al. 2017",
        higher_is_better=False,
    ),
    Measure(
        "knn_macro_f1",
        "Nearest neighbours, macro-F1",
        ("val",),
        "Each val example gets the class of most of its 10 nearest train examples, by cosine after "
        "centring. It needs no training, and sees classes that no straight line separates.",
        "Cover & Hart 1967",
    ),
    Measure(
        "silhouette",
        "Silhouette",
        ("val", "train", "val in train"),
        "How much nearer an example is to its own class than to the next one, from −1 to 1. "
        "'Val in train' compares each val example with the train examples of each class.",
        "Rousseeuw 1987",
    ),
    Measure(
        "davies_bouldin",
        "Davies-Bouldin index",
        ("val", "train"),
        "The spread of classes over the distance between their centres, for the worst pairs. "
        "0 is best.",
        "Davies & Bouldin 1979",
        higher_is_better=False,
    ),
    Measure(
        "fisher_ratio",
        "Fisher ratio",
        ("val", "train"),
        "Variance between classes over variance within, along discriminants fitted on train with "
        "a shrunken covariance. Compare val: train's is inflated by the fit.",
        "Fisher 1936; Ledoit & Wolf 2004",
    ),
    Measure(
        "cka",
        "CKA to epoch 0",
        ("train",),
        "How alike the layer's states are to those before training, whatever rotation or scale: 1 "
        "is the same geometry. Low means that fine-tuning rebuilt the layer.",
        "Kornblith et al. 2019; Nguyen et al. 2021 (unbiased)",
        higher_is_better=None,
    ),
    Measure(
        "split_auc",
        "Train against val (AUC)",
        ("train and val",),
        "How well a linear classifier tells train states from val states: 0.5 is not at all. "
        "Clearly more means that the two splits are not alike, or that train is learned by heart.",
        "Lopez-Paz & Oquab 2017",
        higher_is_better=False,
    ),
    Measure(
        "shuffled_macro_f1",
        "Control: probe on shuffled labels",
        ("val",),
        "The same probe, trained on shuffled train labels: mean of five shuffles, and the least "
        "and most of them. If these are as good as the real probe, the layer says nothing.",
        "Hewitt & Liang 2019",
        higher_is_better=None,
    ),
)  # fmt: skip

MEASURES = {measure.name: measure for measure in _ALL}
