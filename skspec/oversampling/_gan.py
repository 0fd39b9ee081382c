"""`GANOversampler`: spectra of rare classes from a generative adversarial network (GAN)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from numbers import Integral, Real
from os import PathLike
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from astropy.table import Table
from numpy.typing import NDArray
from scipy.stats import loguniform
from sklearn.utils import check_scalar
from sklearn.utils.validation import check_is_fitted
from torch import nn
from tqdm import tqdm

from skspec import __version__
from skspec.checks import BOOLEAN, COUNT, NON_NEGATIVE, POSITIVE, Choice, Constraints, Interval, draw_seed
from skspec.oversampling._adversarial import (
    NETWORKS,
    AdversarialTrainer,
    ClassGenerator,
    GeneratorScore,
    limits_of,
    train_generator,
)
from skspec.oversampling._base import SpectrumOverSampler, check_classes
from skspec.oversampling._losses import LOSSES
from skspec.oversampling._pictures import check_matplotlib, picture_names, save_picture
from skspec.training.checkpoint import checkpoint_path, delete_checkpoint, read_checkpoint
from skspec.training.devices import resolve_device
from skspec.training.network import InputShape, column_statistics
from skspec.training.randomness import seeded
from skspec.training.validation import hold_out

_NOT_IDENTITY = ("device", "picture_every", "random_state", "sampling_strategy", "verbose")
_OPEN_FRACTION = Interval(Real, 0, 1, "neither")


class GANOversampler(SpectrumOverSampler):
    """Generate spectra of rare classes with a generative adversarial network (GAN).

    The generator starts as a smoothed bootstrap of the spectra of each class in their principal components, and is
    trained against a convolutional critic: see `skspec.networks.SpectrumGenerator` and
    `skspec.networks.SpectrumCritic`. Every `score_every` steps its spectra are compared with real ones, and the best
    state is kept. About 20 spectra of a class are needed for useful results.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        Number of spectra of each class, as in imbalanced-learn: ``"auto"`` resamples all classes to the size of the
        largest; a dict gives the number of spectra of each class in the result. The generator is trained on these
        classes.
    conditional : bool, default=True
        Whether to train one network on all these classes together, or one on each class.
    network : {"conv", "dense"}, default="conv"
        ``"dense"`` is the published perceptron [1]_ (`skspec.networks.DenseGenerator`); its configuration is
        ``network="dense", latent_dim=900, loss="logistic", lr=1e-4, max_steps=8000``.
    loss : {"hinge", "wasserstein", "logistic"}, default="hinge"
        Loss function: hinge loss, with spectral normalisation of the convolutional critic [2]_; Wasserstein distance
        with gradient penalty [3]_, usually with ``n_critic=5``; or cross-entropy.
    latent_dim : int, default=32
        Number of random numbers from which a spectrum is generated.
    max_steps : int, default=1500
        Maximum number of steps of the generator.
    batch_size : int, default=32
        Number of spectra in a step, equally many of each class.
    n_critic : int, default=1
        Steps of the critic for each step of the generator.
    lr : float, default=5e-4
        Learning rate of generator and critic (Adam).
    gradient_penalty : float, default=10.0
        Weight of the gradient penalty of the Wasserstein loss.
    ema_decay : float, default=0.99
        Decay per step of the moving average of the generator's weights; the average generates the spectra.
    augment : bool, default=False
        Whether to shift (up to 2 pixels), tilt (up to 10 %) and mask (up to 10 %) real and generated spectra at random
        before they enter the critic [4]_; useful for very few spectra.
    validation_fraction : float or None, default=None
        Fraction of the spectra of each class that is held out for the score. None compares generated spectra with the
        training spectra.
    score_every : int, default=50
        Steps between scores. The score is the energy distance between generated and real spectra in principal
        components, plus the excess over ½ of the probability that a generated spectrum is nearer to a training spectrum
        than another real spectrum is. The averaged generator with the best (lowest) score is kept.
    n_iter_no_change : int or None, default=10
        Number of scores without improvement after which training stops; None trains for `max_steps`.
    n_channels : int, default=1
        Number of channels side by side in a row of X.
    checkpoint_dir : path or None, default=None
        Directory where the state of training is saved after each score. If a fit is interrupted, the next one with the
        same parameters and data resumes there, and generates the same spectra as an uninterrupted fit (bit for bit on the
        CPU of one machine). A completed fit deletes its state.
    picture_dir : path or None, default=None
        Directory for pictures of generated and real spectra, in files named by class and step (needs ``pip install
        skspec[plot]``). Characters of a label that do not fit a file name are replaced.
    picture_every : int, default=200
        Minimum number of steps between pictures, which are drawn after a score.
    device : str or torch.device, default="auto"
        Training device: "auto" uses a CUDA GPU if there is one, otherwise the CPU.
    verbose : int, default=0
        1 shows a progress bar with losses and score.
    random_state : int, RandomState instance or None, default=None
        Seed of weights, batches and generated spectra. With an int, fits on one machine with the same number of threads
        generate the same spectra, bit for bit. Global random number generators are not changed.

    Attributes
    ----------
    generators_ : dict
        The trained `ClassGenerator` of each class.
    sample_indices_ : ndarray of shape (n_spectra_new,)
        Index in X of each row of the result; -1 for new rows.
    sampling_strategy_ : dict
        Number of new spectra of each class.
    history_ : astropy.table.Table
        A row for each score: ``step``, ``critic_loss``, ``generator_loss``, ``score`` and, unless `conditional`,
        ``class``.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, when X had names.

    Raises
    ------
    ValueError
        If a class has fewer than 5 spectra or a constant one, X has NaN, or a parameter is invalid; before training.
    TypeError
        If X is `Spectra`, or ``sample_weight`` is given, which new spectra do not have.
    FloatingPointError
        If training diverges.

    See Also
    --------
    NoiseOversampler : Add noisy copies of spectra.
    skspec.oversampling.quality_report : Compare generated with real spectra.

    Notes
    -----
    Use it in a pipeline of imbalanced-learn, which samples only in ``fit``: generated spectra are then never in a test
    fold, nor derived from one. Missing pixels must be filled first (`MissingFluxImputer`).

    Spectra are standardised column by column, and generated spectra are converted back to the scale of X. Two bugs of
    the published system are fixed: it generated values from -1 to 1 for data from 0 to 1, and its loss treated
    probabilities as logits.

    References
    ----------
    .. [1] https://github.com/william-lpa/LAMOST_DR6_CNN_Spectral_Classifier
    .. [2] Miyato et al. (2018), arXiv:1802.05957.
    .. [3] Gulrajani et al. (2017), arXiv:1704.00028.
    .. [4] Zhao et al. (2020), arXiv:2006.10738.

    Examples
    --------
    >>> import numpy as np
    >>> from skspec import GANOversampler
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(1.0, 0.1, (80, 50)), np.repeat(["G", "O"], [60, 20])
    >>> sampler = GANOversampler(max_steps=20, random_state=0)
    >>> X_new, y_new = sampler.fit_resample(X, y)
    >>> X_new.shape, int((y_new == "O").sum()), int((sampler.sample_indices_ == -1).sum())
    ((120, 50), 60, 40)
    >>> sampler.sample(3, "O", random_state=1).shape
    (3, 50)
    """

    _parameter_constraints: ClassVar[Constraints] = {
        "conditional": [BOOLEAN],
        "network": [Choice(NETWORKS)],
        "loss": [Choice(LOSSES)],
        "latent_dim": [Interval(Integral, 2)],
        "max_steps": [COUNT],
        "batch_size": [Interval(Integral, 2)],
        "n_critic": [COUNT],
        "lr": [POSITIVE],
        "gradient_penalty": [NON_NEGATIVE],
        "ema_decay": [_OPEN_FRACTION],
        "augment": [BOOLEAN],
        "validation_fraction": [_OPEN_FRACTION, None],
        "score_every": [COUNT],
        "n_iter_no_change": [COUNT, None],
        "picture_every": [COUNT],
        "verbose": [Interval(Integral, 0)],
    }
    __skspec_fit_only__ = ("checkpoint_dir", "picture_dir")
    generators_: dict[Any, ClassGenerator]
    history_: Table

    def __init__(
        self,
        *,
        sampling_strategy: float | str | Mapping[Any, int] | Callable[[Any], Any] = "auto",
        conditional: bool = True,
        network: str = "conv",
        loss: str = "hinge",
        latent_dim: int = 32,
        max_steps: int = 1500,
        batch_size: int = 32,
        n_critic: int = 1,
        lr: float = 5e-4,
        gradient_penalty: float = 10.0,
        ema_decay: float = 0.99,
        augment: bool = False,
        validation_fraction: float | None = None,
        score_every: int = 50,
        n_iter_no_change: int | None = 10,
        n_channels: int = 1,
        checkpoint_dir: str | PathLike[str] | None = None,
        picture_dir: str | PathLike[str] | None = None,
        picture_every: int = 200,
        device: str | torch.device = "auto",
        verbose: int = 0,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.conditional = conditional
        self.network = network
        self.loss = loss
        self.latent_dim = latent_dim
        self.max_steps = max_steps
        self.batch_size = batch_size
        self.n_critic = n_critic
        self.lr = lr
        self.gradient_penalty = gradient_penalty
        self.ema_decay = ema_decay
        self.augment = augment
        self.validation_fraction = validation_fraction
        self.score_every = score_every
        self.n_iter_no_change = n_iter_no_change
        self.n_channels = n_channels
        self.checkpoint_dir = checkpoint_dir
        self.picture_dir = picture_dir
        self.picture_every = picture_every
        self.device = device
        self.verbose = verbose
        self.random_state = random_state

    def sample(
        self, n: int, label: Any, *, random_state: int | np.random.RandomState | None = None
    ) -> NDArray[np.float32]:
        """Generate more spectra of a class that the generator was trained on.

        Parameters
        ----------
        n : int
            Number of spectra.
        label : object
            Class label.
        random_state : int, RandomState instance or None, default=None
            Seed; with None, every call generates different spectra.

        Returns
        -------
        ndarray of shape (n, n_features)

        Raises
        ------
        ValueError
            If there is no generator for the class.
        """
        check_is_fitted(self, "generators_")
        check_scalar(n, "n", Integral, min_val=1)
        if label not in self.generators_:
            known = ", ".join(map(repr, self.generators_)) or "none"
            raise ValueError(f"label must be a class with a generator ({known}), got {label!r}")
        return self.generators_[label].sample(n, draw_seed(random_state))

    def __skspec_search_space__(self) -> dict[str, Any]:
        return {
            "latent_dim": [self.latent_dim, 2 * self.latent_dim],
            "lr": loguniform(self.lr / 10, self.lr * 10),
        }

    def _check_columns(self, X: NDArray[np.floating]) -> None:
        super()._check_columns(X)
        if self.picture_dir is not None:
            check_matplotlib()
        if X.shape[1] < 2:
            raise ValueError("X must have at least 2 columns (n_features = 1)")

    def _make(
        self, X: NDArray[np.floating], y: NDArray[Any], wanted: dict[Any, int]
    ) -> list[NDArray[np.floating]]:
        labels = list(wanted)
        names = picture_names(labels)
        check_classes(X, y, labels, self.validation_fraction)
        device = resolve_device(self.device)
        first_seed = draw_seed(self.random_state)
        generators: dict[Any, ClassGenerator] = {}
        new_rows: list[NDArray[np.floating]] = []
        tables: list[dict[str, Any]] = []
        finished: list[Path] = []
        for together in [labels] if self.conditional else [[label] for label in labels]:
            of_these = np.isin(y, together)
            rows = X[of_these].astype(np.float32)
            indices = [y[of_these] == label for label in together]
            target = np.select(indices, range(len(together))).astype(np.intp)
            path, seed = self._checkpoint(first_seed, together, rows, target)
            finished += [] if path is None else [path]
            shown_as = {label: names[label] for label in together}
            trained, history = self._train(rows, target, shown_as, device=device, seed=seed, path=path)
            generators |= trained
            column = {} if self.conditional else {"class": str(together[0])}
            tables += [column | entry for entry in history]
            new_rows += [
                trained[label].sample(wanted[label], seed + 1 + k) for k, label in enumerate(together)
            ]
        self.generators_ = generators
        self.history_ = Table(tables)
        for path in finished:
            delete_checkpoint(path)
        return new_rows

    def _checkpoint(
        self, seed: int, labels: list[Any], rows: NDArray[np.float32], target: NDArray[np.intp]
    ) -> tuple[Path | None, int]:
        """Return the checkpoint file and the seed: that of an interrupted fit if there is one."""
        if self.checkpoint_dir is None:
            return None, seed
        excluded = (*_NOT_IDENTITY, *self.__skspec_fit_only__)
        params = {k: v for k, v in self.get_params(deep=False).items() if k not in excluded}
        known_seed = None if self.random_state is None else seed
        names = list(map(str, labels))
        identity = [type(self).__name__, params, names, known_seed, __version__, torch.__version__]
        path = checkpoint_path(self.checkpoint_dir, [identity, rows, target])
        path.parent.mkdir(parents=True, exist_ok=True)
        state = read_checkpoint(path)
        return path, seed if state is None else state["seed"]

    def _train(
        self,
        rows: NDArray[np.float32],
        target: NDArray[np.intp],
        names: Mapping[Any, str],
        *,
        device: torch.device,
        seed: int,
        path: Path | None,
    ) -> tuple[dict[Any, ClassGenerator], list[dict[str, float]]]:
        """Train a network on some classes, given with their names in pictures; return its generators and the history."""
        labels = list(names)
        shape = (self.n_channels, rows.shape[1] // self.n_channels)
        train, test = np.arange(len(rows)), None
        if self.validation_fraction is not None:
            train, test = hold_out(target, None, self.validation_fraction, seed)
        center, scale = column_statistics(rows[train], InputShape(shape))
        limits = limits_of(rows[train])
        standard = (rows - center) / scale
        held_out = None if test is None else (standard[test], target[test])

        def generators(network: nn.Module) -> dict[Any, ClassGenerator]:
            return {
                label: ClassGenerator(network, k, center, scale, limits) for k, label in enumerate(labels)
            }

        def show(step: int, entry: Mapping[str, float]) -> None:
            if bar is not None:
                bar.set_postfix({k: f"{v:.3f}" for k, v in entry.items() if k != "step"}, refresh=False)
                bar.update(step - bar.n)
            if self.picture_dir is not None and (step // self.picture_every > shown[-1] or step == 0):
                shown.append(step // self.picture_every)
                for label, generator in generators(trainer.average.module).items():
                    file = Path(self.picture_dir) / f"{names[label]}-{step:06d}.png"
                    real = rows[target == generator.number]
                    save_picture(file, real, generator.sample(len(real), seed), label=label, step=step)

        bar, shown = None, [-1]
        with ExitStack() as stack:
            if self.verbose:
                title = "GANOversampler" if self.conditional else f"GANOversampler, {labels[0]}"
                bar = stack.enter_context(tqdm(total=self.max_steps, desc=title, unit="step"))
            stack.enter_context(seeded(seed, device))
            trainer = AdversarialTrainer(
                standard[train].reshape(-1, *shape), target[train], self, device, seed
            )
            score = GeneratorScore((standard[train], target[train]), held_out)
            network, history = train_generator(trainer, score, seed, path, show)
        return generators(network.cpu()), history
