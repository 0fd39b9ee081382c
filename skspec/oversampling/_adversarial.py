"""Adversarial training of a generator and a critic: steps, scores, checkpoints, and the trained generator."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from torch import Tensor, nn

from skspec.networks.gan import DenseCritic, DenseGenerator, SpectrumCritic, SpectrumGenerator
from skspec.oversampling._components import principal_components
from skspec.oversampling._distances import energy_distance
from skspec.oversampling._losses import critic_loss, generator_loss, gradient_penalty
from skspec.oversampling._start import smoothed_bootstrap
from skspec.training.augmentation import Mask, Shift, Tilt
from skspec.training.averaging import WeightAverage
from skspec.training.checkpoint import read_checkpoint, write_checkpoint
from skspec.training.randomness import (
    get_generator_state,
    own_generator,
    own_layers,
    own_random_numbers,
    seeded,
    set_generator_state,
)

if TYPE_CHECKING:
    from skspec.oversampling._gan import GANOversampler

Sample = tuple[NDArray[np.floating], NDArray[np.intp]]
NETWORKS = ("conv", "dense")
_ONE_AT_A_TIME = threading.Lock()  # threads may sample from one generator
_BETAS = (0.5, 0.9)
_BATCH_SIZE = 256  # of generated spectra
_N_SCORED = 200  # spectra of each class in a score
_SCORE_COMPONENTS = 10
_SHIFT, _TILT, _MASK = 2, 0.1, 0.1  # pixels, relative change at the ends, fraction of the spectrum


class AdversarialTrainer:
    """Generator and critic in training, with the parameters of a `GANOversampler`.

    `rows` are standardised spectra, shape (n_spectra, n_channels, n_pixels), and `target` their class indices. `seed`
    determines which spectra form a batch; all other random numbers are from the generators of `seeded`.
    """

    def __init__(
        self,
        rows: NDArray[np.floating],
        target: NDArray[np.intp],
        sampler: GANOversampler,
        device: torch.device,
        seed: int,
    ) -> None:
        self.sampler = sampler
        self.device = device
        self.random = np.random.default_rng(seed)
        self.rows = torch.as_tensor(rows, dtype=torch.float32, device=device)
        self.target = torch.as_tensor(target, device=device)
        self.order = np.argsort(target, kind="stable")  # class by class
        self.counts = np.bincount(target)
        self.first = np.cumsum(self.counts) - self.counts
        _, n_channels, n_pixels = rows.shape
        sizes = {"n_channels": n_channels, "n_classes": len(self.counts)}
        self.generator: SpectrumGenerator | DenseGenerator
        self.critic: nn.Module
        with own_random_numbers():
            if sampler.network == "conv":
                self.generator = SpectrumGenerator(n_pixels, latent_dim=sampler.latent_dim, **sizes)
                self.critic = SpectrumCritic(n_pixels, spectral_norm=sampler.loss == "hinge", **sizes)
            else:
                self.generator = DenseGenerator(n_pixels, latent_dim=sampler.latent_dim, **sizes)
                self.critic = DenseCritic(n_pixels, **sizes)
        if isinstance(self.generator, SpectrumGenerator):
            model = smoothed_bootstrap(rows.reshape(len(rows), -1), target, sampler.latent_dim - 1)
            self.generator.start_from(
                **{key: torch.as_tensor(value) for key, value in model._asdict().items()}
            )
        self.generator.to(device)
        self.critic.to(device)
        self.average = WeightAverage(self.generator, sampler.ema_decay)
        self.optimizers = {
            name: torch.optim.Adam(module.parameters(), lr=sampler.lr, betas=_BETAS, fused=True)
            for name, module in (("generator", self.generator), ("critic", self.critic))
        }
        self._transforms = (Shift(_SHIFT), Tilt(_TILT), Mask(_MASK)) if sampler.augment else ()

    def step(self) -> tuple[Tensor, Tensor]:
        """Train the critic for `n_critic` steps and the generator for one; return their last losses."""
        with own_layers(self.generator, self.critic):
            return self._step()

    def _step(self) -> tuple[Tensor, Tensor]:
        sampler = self.sampler
        self.critic.train().requires_grad_(True)
        self.generator.train()
        for _ in range(sampler.n_critic):
            rows, labels = self._draw_batch()
            with torch.no_grad():
                generated = self._augment(self._generate(labels))
            real = self._augment(rows)
            critic_lost = critic_loss(sampler.loss, self.critic(real, labels), self.critic(generated, labels))
            if sampler.loss == "wasserstein":
                penalty = gradient_penalty(self.critic, real, generated, labels)
                critic_lost = critic_lost + sampler.gradient_penalty * penalty
            self._update("critic", critic_lost)
        self.critic.requires_grad_(False)
        _, labels = self._draw_batch()
        generator_lost = generator_loss(
            sampler.loss, self.critic(self._augment(self._generate(labels)), labels)
        )
        self._update("generator", generator_lost)
        self.average.update(self.generator)
        return critic_lost.detach(), generator_lost.detach()

    def state_dict(self) -> dict[str, Any]:
        """Return the state for a checkpoint, random number generators included."""
        return {
            "generator": self.generator.state_dict(),
            "critic": self.critic.state_dict(),
            "average": self.average.state_dict(),
            "optimizers": {name: optimizer.state_dict() for name, optimizer in self.optimizers.items()},
            "random": self.random.bit_generator.state,
        } | get_generator_state(self.device)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a state from `state_dict`."""
        self.generator.load_state_dict(state["generator"])
        self.critic.load_state_dict(state["critic"])
        self.average.load_state_dict(state["average"])
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])
        self.random.bit_generator.state = state["random"]
        set_generator_state(self.device, state)

    def _draw_batch(self) -> tuple[Tensor, Tensor]:
        """Draw real spectra, equally many of each class."""
        classes = np.arange(self.sampler.batch_size) % len(self.counts)
        place = self.random.integers(self.counts[classes])
        index = torch.as_tensor(self.order[self.first[classes] + place], device=self.device)
        return self.rows[index], self.target[index]

    def _generate(self, labels: Tensor) -> Tensor:
        return self.generator(_normal(len(labels), self.generator.latent_dim, self.device), labels)

    def _augment(self, x: Tensor) -> Tensor:
        """Augment real or generated spectra, so that the critic cannot memorise a few of them."""
        for transform in self._transforms:
            x = transform(x)
        return torch.nan_to_num(x) if self._transforms else x

    def _update(self, name: str, loss: Tensor) -> None:
        self.optimizers[name].zero_grad()
        loss.backward()
        self.optimizers[name].step()


class GeneratorScore:
    """Score of generated against real spectra, in principal components, averaged over classes.

    The score is the absolute energy distance between them, plus a penalty for copies: the excess over ½ of the
    probability that a generated spectrum is nearer to a training spectrum than another real spectrum is. `train` and
    `held_out` are standardised spectra, shape (n_spectra, n_features), and their class indices. Without `held_out`,
    generated spectra are compared with the training spectra.
    """

    def __init__(self, train: Sample, held_out: Sample | None = None) -> None:
        rows, target = train
        self.components = principal_components(rows, _SCORE_COMPONENTS)
        points = self.components.with_residual(rows)
        self.unit = np.append(np.ones(points.shape[1] - 1), max(points[:, -1].std(), 0.1))
        self.train = [points[target == number] / self.unit for number in range(target.max() + 1)]
        self.labels = np.repeat(np.arange(len(self.train)), _N_SCORED)
        self.real = self.train
        if held_out is not None:
            rows, target = held_out
            points = self.components.with_residual(rows) / self.unit
            self.real = [points[target == number] for number in range(len(self.train))]
        rank = 1 if held_out is None else 0  # the nearest training spectrum is the spectrum itself
        pairs = zip(self.real, self.train, strict=True)
        self.nearest = [np.partition(cdist(real, known), rank, axis=1)[:, rank] for real, known in pairs]

    def __call__(self, generated: NDArray[np.floating]) -> float:
        """Return the score of spectra generated for the classes `labels`; 0 is best."""
        points = np.split(self.components.with_residual(generated) / self.unit, len(self.real))
        scores = []
        for part, real, train, nearest in zip(points, self.real, self.train, self.nearest, strict=True):
            nearer = (cdist(part, train).min(axis=1)[:, None] < nearest).mean()
            scores.append(abs(energy_distance(real, part)) + max(float(nearer) - 0.5, 0.0))
        return float(np.mean(scores))


def train_generator(
    trainer: AdversarialTrainer,
    score: GeneratorScore,
    seed: int,
    checkpoint: Path | None,
    watch: Callable[[int, Mapping[str, float]], None],
) -> tuple[nn.Module, list[dict[str, float]]]:
    """Train, and return the averaged generator with the best score, and the history.

    The scored spectra are always generated with `seed`. The state is written to `checkpoint` after each score, read at
    the start if it exists, and not deleted at the end. `watch` is called with the step and the last entry of the history
    after each score, and after reading a checkpoint.
    """
    sampler = trainer.sampler
    history: list[dict[str, float]] = []
    best: dict[str, Tensor] = {}

    def record(losses: tuple[Tensor, Tensor] | None) -> None:
        with seeded(seed, trainer.device):
            generated = generate(trainer.average.module, score.labels)
        if not np.isfinite(generated).all():
            raise FloatingPointError(f"training diverged after {step} steps; a smaller lr may help")
        value = score(generated)
        entry = {"step": float(step), "critic_loss": np.nan, "generator_loss": np.nan, "score": value}
        if losses is not None:
            entry["critic_loss"], entry["generator_loss"] = (loss.item() for loss in losses)
        if not history or value < min(past["score"] for past in history):
            best.update(copy.deepcopy(trainer.average.module.state_dict()))
        history.append(entry)

    step = 0
    state = None if checkpoint is None else read_checkpoint(checkpoint)
    if state is None:
        record(None)
    else:
        trainer.load_state_dict(state["trainer"])
        history, best, step = state["history"], state["best"], state["step"]
    watch(step, history[-1])
    while step < sampler.max_steps and not _has_converged(history, sampler.n_iter_no_change):
        losses = trainer.step()
        step += 1
        if step % sampler.score_every == 0 or step == sampler.max_steps:
            record(losses)
            if checkpoint is not None:
                progress = {"history": history, "best": best, "step": step, "seed": seed}
                write_checkpoint(checkpoint, {"trainer": trainer.state_dict()} | progress)
            watch(step, history[-1])
    generator = copy.deepcopy(trainer.average.module)
    generator.load_state_dict(best)
    return generator.eval(), history


@torch.no_grad()
def generate(generator: Any, labels: NDArray[np.intp]) -> NDArray[np.float32]:
    """Return standardised spectra of a generator, shape (n, n_channels · n_pixels), for class indices."""
    generator.eval()
    device = next(generator.parameters()).device
    target = torch.as_tensor(labels, device=device)
    z = _normal(len(labels), generator.latent_dim, device)
    parts = zip(z.split(_BATCH_SIZE), target.split(_BATCH_SIZE), strict=True)
    with _ONE_AT_A_TIME, own_layers(generator):
        return torch.cat([generator(*part).flatten(1).cpu() for part in parts]).numpy()


def _normal(n: int, latent_dim: int, device: torch.device) -> Tensor:
    return torch.randn(n, latent_dim, device=device, generator=own_generator(device))


def _has_converged(history: list[dict[str, float]], n_iter_no_change: int | None) -> bool:
    scores = [entry["score"] for entry in history]
    return n_iter_no_change is not None and len(scores) - 1 - int(np.argmin(scores)) >= n_iter_no_change


@dataclass(frozen=True, eq=False)
class ClassGenerator:
    """Trained generator of spectra of one class.

    Attributes
    ----------
    network : torch.nn.Module
        Generator of standardised spectra, shared by the classes that were trained together.
    number : int
        Index of the class in the network.
    center, scale : ndarray of shape (n_features,)
        Mean and standard deviation of the columns of the training spectra.
    limits : ndarray of shape (2, n_features)
        Lowest and highest value of each column of generated spectra.
    """

    network: nn.Module
    number: int
    center: NDArray[np.float64]
    scale: NDArray[np.float64]
    limits: NDArray[np.floating]

    def sample(self, n: int, seed: int) -> NDArray[np.float32]:
        """Generate `n` spectra, shape (n, n_features)."""
        with seeded(seed, next(self.network.parameters()).device):
            rows = generate(self.network, np.full(n, self.number)) * self.scale + self.center
        return np.clip(rows, *self.limits).astype(np.float32)


def limits_of(rows: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the range of each column, 10 % wider at both ends but not below 0 if no value is; shape (2, n_features)."""
    low, high = rows.min(axis=0).astype(np.float64), rows.max(axis=0).astype(np.float64)
    margin = 0.1 * (high - low)
    return np.array([np.where(low >= 0.0, np.maximum(low - margin, 0.0), low - margin), high + margin])
