"""Spectra of rare classes from a generator that a critic has taught."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from numbers import Integral, Real
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import torch
from astropy.table import Table
from numpy.typing import NDArray
from sklearn.utils import check_scalar
from sklearn.utils.validation import check_is_fitted
from torch import nn
from tqdm import tqdm

from skspec import __version__
from skspec.checks import check_choice
from skspec.oversampling._adversarial import NETWORKS, Duel, Judge, Rules, play
from skspec.oversampling._base import SpectrumOverSampler, check_classes, draw_seed
from skspec.oversampling._class_generator import ClassGenerator, limits_of
from skspec.oversampling._losses import LOSSES
from skspec.oversampling._pictures import check_matplotlib, save_picture
from skspec.training.checkpoint import checkpoint_path, read_checkpoint
from skspec.training.devices import resolve_device, seeded
from skspec.training.network import InputShape, column_statistics
from skspec.training.validation import hold_out

_NOT_IDENTITY = ("checkpoint_dir", "device", "picture_dir", "picture_every", "random_state", "verbose")


class GANOversampler(SpectrumOverSampler):
    """Make spectra of rare classes by a generator that is trained against a critic.

    The generator starts as a smoothed bootstrap of the spectra of each class in their principal components, and learns
    from a convolutional critic what that misses: see `skspec.networks.SpectrumGenerator` and
    `skspec.networks.SpectrumCritic`. Every `score_every` steps its spectra are compared with real ones, and the best
    state is kept. It works from about 20 spectra of a class up.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        Which classes get how many spectra, as in imbalanced-learn: ``"auto"`` brings all classes to the size of the
        largest; a dict gives the number of spectra of each class afterwards. The generator learns from these classes.
    conditional : bool, default=True
        Whether one network learns all these classes together, or each has one of its own.
    network : {"conv", "dense"}, default="conv"
        ``"dense"`` is the published perceptron [1]_ (`skspec.networks.DenseGenerator`); its configuration is
        ``network="dense", latent_dim=900, loss="logistic", lr=1e-4, max_steps=8000``.
    loss : {"hinge", "wasserstein", "logistic"}, default="hinge"
        What they play for: hinge loss, with spectral normalisation of the convolutional critic [2]_; Wasserstein distance
        with gradient penalty [3]_, for which `n_critic` of 5 is usual; or cross-entropy.
    latent_dim : int, default=32
        Random numbers that a spectrum is made of.
    max_steps : int, default=1500
        Steps of the generator.
    batch_size : int, default=32
        Spectra of a step, drawn from all classes equally often.
    n_critic : int, default=1
        Steps of the critic for one of the generator.
    lr : float, default=5e-4
        Learning rate of both (Adam).
    gradient_penalty : float, default=10.0
        Weight of the gradient penalty of the Wasserstein loss.
    ema_decay : float, default=0.99
        Decay of the moving average of the generator's weights over the steps; the average is what is kept.
    augment : bool, default=False
        Whether what the critic sees is shifted by up to 2 pixels, tilted by up to 10 % and masked over up to 10 %, real
        and generated spectra alike [4]_: for very few spectra.
    validation_fraction : float or None, default=None
        Fraction of the spectra of each class that is not learned from, but scored against; None scores against those
        that are learned from.
    score_every : int, default=50
        Steps from one score to the next. The score, in principal components, is the energy distance of generated from
        real spectra, plus how much likelier than ½ a generated spectrum is nearer to one learned from than another real
        one is; the averaged generator of the best one is kept.
    n_iter_no_change : int or None, default=10
        Scores without a better one after which training ends; None always goes on to `max_steps`.
    n_channels : int, default=1
        Channels that lie side by side in a row of X.
    checkpoint_dir : path or None, default=None
        Directory where the state of training is written after each score. When a fit was killed, the next one with the
        same parameters and data goes on from there, and makes the spectra of an uninterrupted one (bit for bit on one
        machine's CPU). A completed fit leaves nothing there.
    picture_dir : path or None, default=None
        Directory for pictures of generated below real spectra (needs ``pip install skspec[plot]``).
    picture_every : int, default=200
        Steps from one picture to the next; they are made when spectra are scored.
    device : str or torch.device, default="auto"
        Where to train: "auto" takes a CUDA GPU if there is one, and else the CPU.
    verbose : int, default=0
        1 shows a progress bar with losses and score.
    random_state : int, RandomState instance or None, default=None
        Determines weights, batches and what is generated. With an int, fits on one machine with one number of threads
        make the same spectra, bit for bit. The global generators are left alone.

    Attributes
    ----------
    generators_ : dict
        A `ClassGenerator` for each class that was learned.
    sample_indices_ : ndarray of shape (n_spectra_new,)
        Row of X that each row of the result is; -1 for those made here.
    sampling_strategy_ : dict
        How many spectra were made of each class.
    history_ : astropy.table.Table
        A row for each score: ``step``, ``critic_loss``, ``generator_loss`` and ``score``, and ``class`` if not
        `conditional`.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, when X had names.

    Raises
    ------
    ValueError
        If a class to learn has fewer than 5 spectra, X has NaN, or constant spectra in such a class, or a parameter is
        out of range. Nothing is trained then.
    TypeError
        If X is `Spectra`, or ``sample_weight`` is given, which made-up spectra have not.
    FloatingPointError
        If training diverges.

    See Also
    --------
    NoiseOversampler : Copies with noise.
    skspec.oversampling.quality_report : How good generated spectra are.

    Notes
    -----
    Use it in a pipeline of imbalanced-learn, which samples in ``fit`` alone: made-up spectra never come into a validation
    fold, and never learn from one. Missing pixels must be filled before it (`MissingFluxImputer`).

    Spectra are standardised column by column, and generated ones brought back to the scale of X: the published system
    made numbers from -1 to 1 for data from 0 to 1, and gave its loss a probability for a logit; both are corrected here.

    References
    ----------
    .. [1] https://github.com/william-lpa/LAMOST_DR6_CNN_Spectral_Classifier
    .. [2] T. Miyato et al. (2018), arXiv:1802.05957.
    .. [3] I. Gulrajani et al. (2017), arXiv:1704.00028.
    .. [4] S. Zhao et al. (2020), arXiv:2006.10738.

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
        """Make more spectra of a class that was learned.

        Parameters
        ----------
        n : int
            How many.
        label : object
            The class.
        random_state : int, RandomState instance or None, default=None
            Determines what is made; None makes others every time.

        Returns
        -------
        ndarray of shape (n, n_features)

        Raises
        ------
        ValueError
            If the class was not learned.
        """
        check_is_fitted(self, "generators_")
        check_scalar(n, "n", Integral, min_val=1)
        if label not in self.generators_:
            known = ", ".join(map(repr, self.generators_)) or "none"
            raise ValueError(f"label must be a class that was learned ({known}), got {label!r}")
        return self.generators_[label].sample(n, draw_seed(random_state))

    def _check_params(self, X: NDArray[np.floating]) -> None:
        positive = {"min_val": 0, "include_boundaries": "neither"}
        fraction = {"min_val": 0, "max_val": 1, "include_boundaries": "neither"}
        check_choice("conditional", self.conditional, (True, False))
        check_choice("network", self.network, NETWORKS)
        check_choice("loss", self.loss, LOSSES)
        check_scalar(self.latent_dim, "latent_dim", Integral, min_val=2)
        for name in ("max_steps", "n_critic", "score_every", "n_channels", "picture_every"):
            check_scalar(getattr(self, name), name, Integral, min_val=1)
        check_scalar(self.batch_size, "batch_size", Integral, min_val=2)
        check_scalar(self.lr, "lr", Real, **positive)
        check_scalar(self.gradient_penalty, "gradient_penalty", Real, min_val=0)
        check_scalar(self.ema_decay, "ema_decay", Real, **fraction)
        check_choice("augment", self.augment, (True, False))
        if self.validation_fraction is not None:
            check_scalar(self.validation_fraction, "validation_fraction", Real, **fraction)
        if self.n_iter_no_change is not None:
            check_scalar(self.n_iter_no_change, "n_iter_no_change", Integral, min_val=1)
        check_scalar(self.verbose, "verbose", Integral, min_val=0)
        if self.picture_dir is not None:
            check_matplotlib()
        if X.shape[1] < 2:
            raise ValueError("n_features = 1, at least 2 pixels are needed to make a spectrum")
        if X.shape[1] % self.n_channels:
            raise ValueError(f"n_channels must divide the {X.shape[1]} features of X, got {self.n_channels}")

    def _make(
        self, X: NDArray[np.floating], y: NDArray[Any], wanted: dict[Any, int]
    ) -> list[NDArray[np.floating]]:
        labels = list(wanted)
        check_classes(X, y, labels, self.validation_fraction)
        device = resolve_device(self.device)
        first_seed = draw_seed(self.random_state)
        generators: dict[Any, ClassGenerator] = {}
        made: list[NDArray[np.floating]] = []
        tables: list[dict[str, Any]] = []
        finished: list[Path] = []
        for together in [labels] if self.conditional else [[label] for label in labels]:
            of_these = np.isin(y, together)
            rows = X[of_these].astype(np.float32)
            target = np.select([y[of_these] == label for label in together], range(len(together))).astype(
                np.intp
            )
            path, seed = self._checkpoint(first_seed, together, rows, target)
            finished += [] if path is None else [path]
            trained, history = self._train(rows, target, together, device=device, seed=seed, path=path)
            generators |= trained
            tables += (
                history if self.conditional else [{"class": str(together[0])} | entry for entry in history]
            )
            made += [
                generators[label].sample(wanted[label], seed + 1 + k) for k, label in enumerate(together)
            ]
        self.generators_ = generators
        self.history_ = Table(tables)
        for path in finished:
            path.unlink(missing_ok=True)
        return made

    def _checkpoint(
        self, seed: int, labels: list[Any], rows: NDArray[np.float32], target: NDArray[np.intp]
    ) -> tuple[Path | None, int]:
        """File for the state of training and the seed, which is that of an interrupted fit if there is one."""
        if self.checkpoint_dir is None:
            return None, seed
        params = {
            k: v
            for k, v in self.get_params(deep=False).items()
            if k not in (*_NOT_IDENTITY, "sampling_strategy")
        }
        known_seed = None if self.random_state is None else seed
        identity = [
            type(self).__name__,
            params,
            list(map(str, labels)),
            known_seed,
            __version__,
            torch.__version__,
        ]
        path = checkpoint_path(self.checkpoint_dir, [identity, rows, target])
        path.parent.mkdir(parents=True, exist_ok=True)
        state = read_checkpoint(path)
        return path, seed if state is None else state["seed"]

    def _train(
        self,
        rows: NDArray[np.float32],
        target: NDArray[np.intp],
        labels: list[Any],
        *,
        device: torch.device,
        seed: int,
        path: Path | None,
    ) -> tuple[dict[Any, ClassGenerator], list[dict[str, float]]]:
        """Train a network for some classes; return its generators and history."""
        shape = (self.n_channels, rows.shape[1] // self.n_channels)
        learn, judged = np.arange(len(rows)), None
        if self.validation_fraction is not None:
            learn, judged = hold_out(target, None, self.validation_fraction, seed)
        center, scale = column_statistics(rows[learn], InputShape(shape))
        limits = limits_of(rows[learn])
        standard = (rows - center) / scale
        held_out = None if judged is None else (standard[judged], target[judged])
        rules = Rules(**{name: getattr(self, name) for name in Rules._fields})

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
                network = duel.average.module
                for label, generator in generators(network).items():
                    name = Path(self.picture_dir) / f"{label}-{step:06d}.png"
                    real = rows[target == generator.number]
                    save_picture(name, real, generator.sample(len(real), seed), label=label, step=step)

        bar, shown = None, [-1]
        with ExitStack() as stack:
            if self.verbose:
                title = "GANOversampler" if self.conditional else f"GANOversampler, {labels[0]}"
                bar = stack.enter_context(tqdm(total=self.max_steps, desc=title, unit="step"))
            stack.enter_context(seeded(seed, device))
            duel = Duel(standard[learn].reshape(-1, *shape), target[learn], rules, device, seed)
            outcome = play(
                duel,
                Judge((standard[learn], target[learn]), held_out),
                max_steps=self.max_steps,
                score_every=self.score_every,
                n_iter_no_change=self.n_iter_no_change,
                seed=seed,
                checkpoint=path,
                watch=show,
            )
        return generators(outcome.generator.cpu()), outcome.history
