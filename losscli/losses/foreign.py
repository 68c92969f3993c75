"""Names that people bring from elsewhere: what each is, why it is not for the task at hand, and what is.

An exact equal (but for a constant factor) is no entry here: it is an alias, and stands with its loss. An entry serves where
there is no such loss for the task: for a name that no loss here has, and for one that is a loss of another task, under its name
here. One entry per idea; a loss that is added under one of these names needs no change here.

Names as of torch 2.13, Keras 3.10, XGBoost 3.0, LightGBM 4.6, CatBoost 1.2, scikit-learn 1.7, optax 0.2.5, timm 1.0,
torchvision 0.23, fastai 2.8, segmentation-models-pytorch 0.5 and pytorch-metric-learning 2.9.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from losscli.losses.spelling import key


@dataclass(frozen=True)
class Foreign:
    """Names of one thing; what it is, and why not here (`{task}` is the task); by task, the loss to use and a reason."""

    names: str
    what: str = ""  # empty for a loss of another task: the shelf knows what it is
    why: str = ""
    here: Mapping[str, str] = field(default_factory=dict)  # each begins with the name of a loss that serves the task
    home: str = ""  # a task of which it would be a loss, if the catalogue had it


@cache
def _by_key() -> dict[str, Foreign]:
    return {key(name): entry for entry in FOREIGN for name in entry.names.split()}


def foreign(name: str) -> Foreign | None:
    """The entry of a name, however it is spelled.

    >>> foreign("nn.KLDivLoss()").what
    'the divergence of one distribution from another'
    """
    return _by_key().get(key(name))


EMBEDDINGS = "it compares embeddings of several rows, and {task} judges each row by a target of its own"
CENTRES = "it learns embeddings, with a vector for each class, and {task} judges a model's output as it is"
BATCH = "it takes its targets from which rows are neighbours, and {task} has one in each row"
SEQUENCE = "its target is a sequence, and {task} has one target per row"
GROUPS = "it orders the rows within each query, and {task} has no queries"
TIMES = "it needs times and who was still under observation, and {task} has neither"
IMAGES = "it compares whole images or regions, and {task} judges rows of a table"
BOXES = "its targets are boxes, and {task} has none"
CRITICS = "it sets two networks against each other, and {task} trains one"
TREES = "it says how a tree chooses its splits, and a network learns by slopes"
NEGATED = "a loss is lowered, so it is the loss itself that is trained here"
STEPS = "it counts decisions, so its slope is zero wherever it has one"

LOGISTIC = {
    "binary": "bce-logits, one yes-or-no question with a logit",
    "multiclass": "cross-entropy; ova-bce asks one yes-or-no question per class",
    "multilabel": "bce-logits, one yes-or-no question per label",
}
CLASSES = {
    **LOGISTIC,
    "embedding": "normalized-softmax, which is cross-entropy of the angles between a row and each class",
    "binary": "bce-logits, which is cross-entropy of two classes with one logit",
}
SQUARES = {
    "binary": "brier, the squared error of the probability",
    "multiclass": "brier, the squared error of the probabilities",
    "multilabel": "brier, the squared error of each label's probability",
    "regression": "mse, the squared error",
}
DISTANCES = {
    "binary": "gce with q: 1, the absolute error of the probability",
    "multiclass": "mae, the absolute error of the probabilities",
    "multilabel": "gce with q: 1, the absolute error of each label's probability",
    "regression": "mae, the absolute error",
}
MARGINS = {
    "binary": "hinge, linear in what lacks to a margin",
    "multiclass": "crammer-singer, the hinge of several classes; multi-margin sums over the others",
    "multilabel": "hinge for each label; multilabel-margin compares labels with each other",
    "regression": "epsilon-insensitive, zero within a margin and linear beyond",
}
SQUARED_MARGINS = {
    "multiclass": "multi-margin with p: 2, which squares what lacks to the margin",
    "regression": "mse; epsilon-insensitive has the margin, and is linear beyond",
}
DOUBTFUL = {  # where some labels are wrong, or some rows far off
    "binary": "gce, which bounds what a wrong label may cost",
    "multiclass": "gce, which bounds what a wrong label may cost",
    "multilabel": "gce, which bounds what a wrong label may cost",
    "regression": "huber, which is linear for rows that are far off",
}
BOUNDED = {**DOUBTFUL, "binary": "modified-huber for scores; gce for probabilities"}
RARE = {
    "binary": "bce-logits with pos_weight: balanced, or focal",
    "multiclass": "logit-adjusted, or cross-entropy with weight: balanced",
    "multilabel": "bce-logits with pos_weight: balanced, or focal",
}
OVERLAP = {
    "binary": "dice, over a batch of rows",
    "multiclass": "cross-entropy with weight: balanced",
    "multilabel": "soft-f1, the overlap of each label over a batch",
}
JACCARD = {**OVERLAP, "binary": "tversky with alpha: 1 and beta: 1, which is Jaccard's index"}
ORDER = {
    "binary": "auc-pairwise, each positive above each negative",
    "multilabel": "pairwise, each label of a row above each other",
    "multiclass": "crammer-singer, the right class above the others",
}
RANKS = {
    "binary": "bce-logits, as two classes have one step between them",
    "multilabel": "bce-logits, one yes-or-no question per label",
    "regression": "mse, with the ranks as numbers",
}
COSTS = {
    "binary": "cost-sensitive, with a price for each of the two mistakes",
    "multiclass": "cross-entropy with weight, a price for each class",
    "multilabel": "bce-logits with pos_weight, a price for each label",
    "regression": "quantile, with a price for too low and for too high",
}
LIKELIHOOD = {**CLASSES, "regression": "gaussian-nll, with mean and variance of each row"}
RATES = {**CLASSES, "regression": "poisson-nll for counts, gamma-nll for positive amounts"}
SMOOTHED = {
    "binary": "bce-logits with label_smoothing: 0.1",
    "multiclass": "cross-entropy with label_smoothing: 0.1",
    "multilabel": "bce-logits with label_smoothing: 0.1",
}
CERTAIN = {"binary": "bce-logits, a proper score", "multiclass": "cross-entropy, a proper score"}

# fmt: off
FOREIGN = (
    # Losses of one task, asked for in another
    Foreign("bce-logits soft-margin poly-1 focal exponential", here=LOGISTIC),
    Foreign("bce", here={"multiclass": "cross-entropy of logits, or nll of log-probabilities"}),
    Foreign("cross-entropy ova-bce confidence-penalty", here=CLASSES),
    Foreign("nll", here={**CLASSES, "binary": "bce, of a probability", "regression": "gaussian-nll"}),
    Foreign("hinge multi-margin crammer-singer perceptron epsilon-insensitive sparsemax",
            here=MARGINS),
    Foreign("multilabel-margin", here=MARGINS),
    Foreign("squared-hinge", here=SQUARED_MARGINS),
    Foreign("zlpr pairwise auc-pairwise", here=ORDER),
    Foreign("mse rmse brier", here=SQUARES),
    Foreign("mae", here=DISTANCES),
    Foreign("huber smooth-l1 log-cosh pseudo-huber fair wing modified-huber",
            here=BOUNDED),
    Foreign("cauchy welsch geman-mcclure barron tukey-biweight gce sce nce-rce",
            here=DOUBTFUL),
    Foreign("bootstrap-soft bootstrap-hard bi-tempered student-t-nll laplace-nll",
            here=DOUBTFUL),
    Foreign("gaussian-nll beta-nll crps-gaussian", here=LIKELIHOOD),
    Foreign("poisson-nll gamma-nll tweedie negative-binomial-nll", here=RATES),
    Foreign("mape smape msle", here=SQUARES),
    Foreign("quantile expectile multi-quantile cost-sensitive", here=COSTS),
    Foreign("dice tversky soft-f1", here=OVERLAP),
    Foreign("logit-adjusted ldam asymmetric", here=RARE),
    Foreign("coral corn rps", here={**RANKS, "distribution": "cramer, which is rps where targets are distributions"}),
    # Distributions
    Foreign("KLDivLoss kld kl_divergence kullback_leibler_divergence kl kullback_leibler "
            "kl_divergence_with_log_targets convex_kl_divergence generalized_kl_divergence relative_entropy",
            "the divergence of one distribution from another", "its targets are distributions",
            {"multiclass": "cross-entropy, which with probabilities as targets is KL plus a constant: the same slope",
            "binary": "bce-logits, which with a probability as target is KL plus a constant: the same slope",
            "multilabel": "bce-logits, which with a probability as target is KL plus a constant: the same slope",
            "regression": "gaussian-nll or another likelihood, which is KL from the data plus a constant"}),
    Foreign("JsdCrossEntropy jsd",
            "the Jensen-Shannon divergence of several predicted distributions",
            "it compares predictions for several views of a row, and {task} sees each row once",
            {**DOUBTFUL, "distribution": "js-div, of a row's prediction and its target"}),
    Foreign("Wasserstein wasserstein_distance earth_movers_distance sinkhorn",
            "a distance between two samples or distributions", "{task} has one target per row",
            {"distribution": "emd, of a row's probabilities over bins in their order",
            "multiclass": "rps, of a row's probabilities from its rank", "regression": "crps-gaussian"}),
    Foreign("MMD maximum_mean_discrepancy energy_distance", "a distance between two samples",
            "{task} has one target per row",
            {"distribution": "cramer, which is half of the energy distance of bins", "regression": "crps-gaussian"}),
    Foreign("ELBO beta_vae VAELoss", "the bound of a variational autoencoder",
            "it needs a model with latent variables, and {task} trains none", LIKELIHOOD),
    Foreign("fenchel_young make_fenchel_young_loss", "a recipe that makes a loss of a regulariser",
            "it needs one to be chosen", {**CERTAIN, "multiclass": "sparsemax or cross-entropy, which are made so"}),
    # Pairs, triplets, embeddings
    Foreign("HingeEmbeddingLoss",
            "the hinge of a distance between two rows: small for like, beyond a margin for unlike",
            "it reads distances of pairs, and {task} judges each row by itself", {**MARGINS,
            "binary": "hinge, which is the classifier's"}, "embedding"),
    Foreign("MarginRankingLoss MarginLoss ranking pairwise_hinge", "the hinge of the difference of two rows' scores",
            "its target says which row of a pair is higher, and {task} judges each row by itself",
            {**ORDER, "embedding": "triplet, of distances"}, "embedding"),
    Foreign("CosineEmbeddingLoss", "a loss of the angle between pairs of embeddings", EMBEDDINGS,
            {"binary": "hinge, of a score", "embedding": "cosine-embedding"}, "embedding"),
    Foreign("cosine_similarity cosine_proximity cosine cosine_distance",
            "minus the cosine of the angle between two vectors",
            "it ignores length, and a target of {task} is no direction", SQUARES),
    Foreign("TripletMarginLoss TripletMarginWithDistanceLoss TripletLoss TripletSemiHardLoss "
            "triplet_hard CentroidTripletLoss SoftTripleLoss TupletMarginLoss QuadrupletLoss",
            "a loss of an anchor, a row like it and a row unlike it", EMBEDDINGS,
            {**ORDER, "embedding": "triplet, with mining: all, hard or semi-hard"}, "embedding"),
    Foreign("ContrastiveLoss NTXentLoss InfoNCE SupConLoss SelfSupervisedLoss NPairsLoss MultiSimilarityLoss "
            "LiftedStructureLoss GeneralizedLiftedStructureLoss CircleLoss AngularLoss FastAPLoss SmoothAPLoss "
            "HistogramLoss InstanceLoss IntraPairVarianceLoss NCALoss PNPLoss RankedListLoss ManifoldLoss "
            "SignalToNoiseRatioContrastiveLoss ThresholdConsistentMarginLoss DynamicSoftMarginLoss "
            "CrossBatchMemory BaseMetricLossFunction GenericPairLoss WeightRegularizerMixin MultipleLosses "
            "CLIPLoss SigLIPLoss SimCLR",
            "a loss of embeddings that draws like rows together and pushes unlike ones apart", EMBEDDINGS,
            {**CERTAIN, "embedding": "multi-similarity or nt-xent"}, "embedding"),
    Foreign("VICRegLoss BarlowTwins BYOL DINOLoss SimSiam", "a loss of two views of the same row", BATCH,
            {**CERTAIN, "embedding": "nt-xent, of rows of one class"}),
    Foreign("ArcFaceLoss SubCenterArcFaceLoss CosFaceLoss SphereFaceLoss AdditiveMarginSoftmax AMSoftmax "
            "CurricularFace LargeMarginSoftmaxLoss NormalizedSoftmaxLoss P2SGradLoss ProxyAnchorLoss ProxyNCALoss "
            "CenterLoss NormFace", "a loss of the angle between an embedding and the vector of its class", CENTRES,
            {"multiclass": "cross-entropy; ldam for margins", "binary": "bce-logits",
            "embedding": "arcface, or proxy-anchor"}, "embedding"),
    # Sequences, large vocabularies, language models
    Foreign("CTCLoss ctc_loss_with_forward_probs RNNTLoss transducer",
            "a loss of sequences without alignment, as of speech", SEQUENCE),
    Foreign("SequenceLoss CRF seq2seq perplexity", "a loss or metric of sequences of words", SEQUENCE, CLASSES),
    Foreign("DPO PPO policy_gradient REINFORCE GRPO", "an objective of reinforcement learning",
            "it learns from rewards, and {task} from targets"),
    Foreign("AdaptiveLogSoftmaxWithLoss adaptive_softmax sampled_softmax hierarchical_softmax nce "
            "LinearCrossEntropyLoss", "cross-entropy together with the layer before it, for very many classes",
            "the last layer belongs to the model here", CLASSES),
    # Cross-entropies with a setting
    Foreign("LabelSmoothingCrossEntropy LabelSmoothing SoftCrossEntropyLoss smooth_labels",
            "cross-entropy with smoothed labels", "smoothing is an option here", SMOOTHED),
    Foreign("weighted_cross_entropy weighted_cross_entropy_with_logits weighted_bce BalancedCrossEntropy wbce",
            "cross-entropy with weights", "the weight is an option here", RARE),
    Foreign("ClassBalancedLoss class_balanced_focal cb_loss cb_focal",
            "a loss with weights by effective numbers", "the weight is an option here", {**RARE,
            "binary": "focal with weight: effective", "multiclass": "focal with weight: effective"}),
    Foreign("weighted_logsoftmax log_softmax sigmoid log_sigmoid", "an activation, and no loss", "it has no target",
            CLASSES),
    Foreign("multiclass_perceptron perceptron_multiclass", "the perceptron's loss for several classes",
            "it is crammer-singer with a margin of 0", MARGINS),
    Foreign("BCEDiceLoss ComboLoss DiceBCELoss DiceCELoss DiceFocalLoss FocalTverskyLoss UnifiedFocalLoss",
            "a sum or power of two losses", "a run here has one loss at a time", OVERLAP),
    Foreign("cross_entropy_lambda xentlambda", "LightGBM's cross-entropy with another link, 1 - exp(-rate)",
            "probabilities here come through the sigmoid", LOGISTIC),
    Foreign("squared_epsilon_insensitive l2_svr", "the square of what exceeds a tube", "the catalogue has no squared form",
            {**SQUARED_MARGINS, "binary": "squared-hinge, of a score"}),
    Foreign("CategoricalHinge", "Keras's hinge, which takes the best other score to be at least 0",
            "crammer-singer is that without the 0", MARGINS),
    Foreign("Lq lq_norm minkowski", "the power of the absolute error", "the power is fixed in each loss here",
            {**SQUARES, "regression": "mse for q = 2, mae for q = 1, barron with alpha between"}),
    Foreign("LogLinQuantile", "the quantile of a target with the prediction's logarithm as output",
            "outputs here are values", COSTS),
    Foreign("friedman_mse gini entropy information_gain", "a criterion of trees", TREES, SQUARES),
    # Regions and images
    Foreign("IoU diou ciou generalized_box_iou_loss distance_box_iou_loss complete_box_iou_loss "
            "generalized_iou box_iou GIoULoss", "the overlap of two boxes", BOXES, OVERLAP),
    Foreign("JaccardLoss JaccardIndex soft_iou LovaszLoss lovasz_hinge lovasz_softmax mean_iou",
            "the overlap of two sets as a share of their union", IMAGES, JACCARD),
    Foreign("GeneralizedDiceLoss multiclass_generalized_dice binary_dice squared_dice gdl",
            "dice of several regions, or with a setting of its own", IMAGES, OVERLAP),
    Foreign("BoundaryLoss HausdorffLoss hausdorff_distance surface_loss",
            "a distance of outlines", IMAGES, OVERLAP),
    Foreign("MCCLoss", "Matthews' correlation, or its smooth form", "the catalogue does not have it",
            {"binary": "soft-f1, or dice", "multiclass": "cross-entropy with weight: balanced",
            "multilabel": "soft-f1"}),
    Foreign("SSIM ms_ssim psnr perceptual VGGLoss LPIPS style_loss gram TVLoss",
            "a loss of images", IMAGES, SQUARES),
    Foreign("CharbonnierEdge edge_loss gradient_difference", "a loss of images", IMAGES, SQUARES),
    # Two networks
    Foreign("GANLoss AdversarialLoss discriminator generator wgan wgan_gp lsgan least_squares_gan "
            "hinge_gan relativistic ragan rsgan minimax non_saturating gradient_penalty",
            "a loss of a generator and a discriminator", CRITICS,
            {"binary": "bce-logits, which is the discriminator's in the first of them"}),
    # Times until an event
    Foreign("survival:cox Cox CoxPH partial_likelihood survival:aft SurvivalAft aft DeepHit NNLogisticHazard "
            "interval_regression", "a loss of times until an event", TIMES,
            {"regression": "gamma-nll, where every time was seen"}),
    # Ranking within queries
    Foreign("rank:pairwise rank:ndcg rank:map lambdarank rank_xendcg xendcg xe_ndcg_mart LambdaMart "
            "YetiRank YetiRankPairwise PairLogit PairLogitPairwise PairAccuracy StochasticRank StochasticFilter "
            "QueryRMSE QuerySoftMax QueryCrossEntropy QueryAUC GroupQuantile ListNet ListMLE ranking_softmax "
            "approx_ndcg", "a loss that ranks the results of a query", GROUPS, {**ORDER,
            "regression": "mse, of each row's relevance"}),
    # Several at once, none, one's own
    Foreign("MultiRMSE MultiRMSEWithMissingValues", "squared error of several targets",
            "its root is taken over all of them", {"regression": "mse, with a list of columns as target"}),
    Foreign("RMSEPenalized CombinationLoss",
            "several losses of CatBoost in one", "a run here has one loss at a time", {**LOGISTIC,
            "regression": "mse"}),
    Foreign("custom none null na UserPerObjMetric UserDefined MultiTargetCustom "
            "PythonUserDefinedPerObject", "no loss, but the place for one's own",
            "yours is given by its file: --loss FILE.py:NAME"),
    # Metrics that are taken for losses
    Foreign("r2 R2Score explained_variance explained_variance_score d2",
            "a metric", "it is 1 - mse / variance, so what lowers mse raises it", SQUARES),
    Foreign("pearson corr correlation concordance spearman ccc", "a metric",
            "it takes all rows together and ignores their scale", SQUARES),
    Foreign("RMSLE root_mean_squared_logarithmic_error root_mean_squared_log_error",
            "a metric", "it is the root of msle, so the same predictions are best", {**SQUARES,
            "regression": "msle"}),
    Foreign("neg_log_loss", "the log-loss with its sign turned, as scikit-learn scores", NEGATED, CLASSES),
    Foreign("neg_brier_score", "the Brier score with its sign turned, as scikit-learn scores", NEGATED, SQUARES),
    Foreign("neg_mean_squared_error neg_root_mean_squared_error", "a squared error with its sign turned, as scikit-learn "
            "scores", NEGATED, SQUARES),
    Foreign("neg_mean_absolute_error neg_median_absolute_error", "an absolute error with its sign turned, as scikit-learn "
            "scores", NEGATED, DISTANCES),
    Foreign("neg_mean_absolute_percentage_error", "the percentage error with its sign turned, as scikit-learn scores",
            NEGATED, {**DISTANCES, "regression": "mape"}),
    Foreign("neg_mean_poisson_deviance neg_mean_gamma_deviance neg_mean_squared_log_error", "a deviance with its sign "
            "turned, as scikit-learn scores", NEGATED, {**SQUARES, "regression": "poisson-nll, gamma-nll or msle"}),
    Foreign("d2_pinball_score d2_absolute_error_score d2_tweedie_score d2_log_loss_score", "a metric",
            "it is 1 - loss / loss of a constant, so what lowers the loss raises it",
            {**CLASSES, "regression": "quantile, mae or tweedie"}),
    Foreign("median_absolute_error medae max_error maximum_error", "a metric", "it depends on one row alone", DISTANCES),
    Foreign("accuracy acc zero_one 0-1 0/1 error error_rate misclassification binary_error multi_error merror "
            "hamming balanced_accuracy top_k top_k_accuracy TotalF1 BalancedErrorRate NumErrors",
            "a metric", STEPS, {**CLASSES, "regression": "mse, as numbers are hardly ever hit"}),
    Foreign("precision recall sensitivity specificity f2 f_beta f1_score f1_macro f1_micro f1_weighted macro_f1 matthews "
            "matthews_corrcoef kappa cohen_kappa quadratic_kappa qwk weighted_kappa",
            "a metric", STEPS, {"binary": "soft-f1, its smooth form", "multilabel": "soft-f1, its smooth form",
            "multiclass": "cross-entropy with weight: balanced; rps for ordered classes"}),
    Foreign("auroc roc_auc roc_auc_score roc_auc_ovr roc_auc_ovo auprc aucpr average_precision PRAUC ap map "
            "mean_average_precision ndcg dcg mrr lift gain gini_coefficient",
            "a metric of the order", "a rank has no slope", {**ORDER,
            "multiclass": "cross-entropy, whose probabilities rank well"}),
    Foreign("ece calibration_error expected_calibration_error", "a metric of calibration",
            "always predicting the base rate gets the best value", {**CERTAIN,
            "multilabel": "bce-logits, a proper score"}),
    Foreign("label_ranking coverage_error", "a metric of the order of labels", "a rank has no slope", ORDER),
)
# fmt: on
