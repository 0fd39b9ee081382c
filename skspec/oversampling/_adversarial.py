"""Generator and critic against each other: steps, scores, and the way back after a crash."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from torch import Tensor, nn

from skspec.networks.gan import DenseCritic, DenseGenerator, SpectrumCritic, SpectrumGenerator
from skspec.oversampling._distances import Projection, energy_distance
from skspec.oversampling._losses import critic_loss, generator_loss, gradient_penalty
from skspec.oversampling._start import smoothed_bootstrap
from skspec.training.augmentation import Mask, Shift, Tilt
from skspec.training.averaging import WeightAverage
from skspec.training.checkpoint import read_checkpoint, write_checkpoint
from skspec.training.devices import seeded

Sample = tuple[NDArray[np.floating], NDArray[np.intp]]
NETWORKS = ("conv", "dense")
_BETAS = (0.5, 0.9)
_AT_ONCE = 256  # spectra that are made at once
_JUDGED = 200  # spectra of each class that a score is of
_JUDGE_COMPONENTS = 10
_SHIFT, _TILT, _MASK = 2, 0.1, 0.1  # pixels, at the ends, of the spectrum


class Rules(NamedTuple):
    """What is played: the parameters of `GANOversampler` of the same names."""

    network: str
    loss: str
    latent_dim: int
    batch_size: int
    n_critic: int
    lr: float
    gradient_penalty: float
    ema_decay: float
    augment: bool


class Duel:
    """Generator and critic in training.

    Parameters
    ----------
    rows : ndarray of shape (n_spectra, n_channels, n_pixels)
        Standardised.
    target : ndarray of shape (n_spectra,)
        Class of each, from 0 on.
    rules : Rules
    device : torch.device
    seed : int
        Of the order of spectra; all else is drawn from torch's global generators.
    """

    def __init__(
        self,
        rows: NDArray[np.floating],
        target: NDArray[np.intp],
        rules: Rules,
        device: torch.device,
        seed: int,
    ) -> None:
        self.rules = rules
        self.device = device
        self.random = np.random.default_rng(seed)
        self.rows = torch.as_tensor(rows, dtype=torch.float32, device=device)
        self.target = torch.as_tensor(target, device=device)
        self.members = np.argsort(target, kind="stable")  # class by class
        self.counts = np.bincount(target)
        self.first = np.cumsum(self.counts) - self.counts
        _, n_channels, n_pixels = rows.shape
        sizes = {"n_channels": n_channels, "n_classes": len(self.counts)}
        self.generator: SpectrumGenerator | DenseGenerator
        self.critic: nn.Module
        if rules.network == "conv":
            self.generator = SpectrumGenerator(n_pixels, latent_dim=rules.latent_dim, **sizes)
            model = smoothed_bootstrap(rows.reshape(len(rows), -1), target, rules.latent_dim - 1)
            self.generator.start_from(
                **{key: torch.as_tensor(value) for key, value in model._asdict().items()}
            )
            self.critic = SpectrumCritic(n_pixels, spectral_norm=rules.loss == "hinge", **sizes)
        else:
            self.generator = DenseGenerator(n_pixels, latent_dim=rules.latent_dim, **sizes)
            self.critic = DenseCritic(n_pixels, **sizes)
        self.generator.to(device)
        self.critic.to(device)
        self.average = WeightAverage(self.generator, rules.ema_decay)
        self.optimizers = {
            name: torch.optim.Adam(module.parameters(), lr=rules.lr, betas=_BETAS, fused=True)
            for name, module in (("generator", self.generator), ("critic", self.critic))
        }
        self._changes = (Shift(_SHIFT), Tilt(_TILT), Mask(_MASK)) if rules.augment else ()

    def step(self) -> tuple[Tensor, Tensor]:
        """Train the critic as often as the rules say and the generator once; return their last losses."""
        rules = self.rules
        self.critic.train().requires_grad_(True)
        self.generator.train()
        for _ in range(rules.n_critic):
            rows, labels = self._draw()
            with torch.no_grad():
                made = self._changed(self._made(labels))
            real = self._changed(rows)
            lost = critic_loss(rules.loss, self.critic(real, labels), self.critic(made, labels))
            if rules.loss == "wasserstein":
                lost = lost + rules.gradient_penalty * gradient_penalty(self.critic, real, made, labels)
            self._descend("critic", lost)
        self.critic.requires_grad_(False)
        _, labels = self._draw()
        won = generator_loss(rules.loss, self.critic(self._changed(self._made(labels)), labels))
        self._descend("generator", won)
        self.average.update(self.generator)
        return lost.detach(), won.detach()

    def make(self, labels: NDArray[np.intp]) -> NDArray[np.float32]:
        """Standardised spectra of the averaged generator, shape (n, n_channels · n_pixels)."""
        return make(self.average.module, labels)

    def state_dict(self) -> dict[str, Any]:
        """State, random generators included, for a checkpoint."""
        cuda = self.device.type == "cuda"
        return {
            "generator": self.generator.state_dict(),
            "critic": self.critic.state_dict(),
            "average": self.average.state_dict(),
            "optimizers": {name: optimizer.state_dict() for name, optimizer in self.optimizers.items()},
            "random": self.random.bit_generator.state,
            "torch": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state(self.device) if cuda else None,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self.generator.load_state_dict(state["generator"])
        self.critic.load_state_dict(state["critic"])
        self.average.load_state_dict(state["average"])
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])
        self.random.bit_generator.state = state["random"]
        torch.set_rng_state(state["torch"])
        if state["cuda"] is not None and self.device.type == "cuda":
            torch.cuda.set_rng_state(state["cuda"], self.device)

    def _draw(self) -> tuple[Tensor, Tensor]:
        """Draw real spectra, of all classes equally often."""
        classes = np.arange(self.rules.batch_size) % len(self.counts)
        place = self.random.integers(self.counts[classes])
        index = torch.as_tensor(self.members[self.first[classes] + place], device=self.device)
        return self.rows[index], self.target[index]

    def _made(self, labels: Tensor) -> Tensor:
        return self.generator(torch.randn(len(labels), self.generator.latent_dim, device=self.device), labels)

    def _changed(self, x: Tensor) -> Tensor:
        """Change real and made-up spectra alike, so that few of them are not learned by heart."""
        for change in self._changes:
            x = change(x)
        return torch.nan_to_num(x) if self._changes else x

    def _descend(self, name: str, loss: Tensor) -> None:
        self.optimizers[name].zero_grad()
        loss.backward()
        self.optimizers[name].step()


class Judge:
    """Scores made-up spectra against real ones, in principal components, class by class.

    The score is the absolute energy distance of the two, plus the probability, as far as it is above ½, that a made-up
    spectrum is nearer to one that was learned from than another real one is: copies are not good spectra.

    Parameters
    ----------
    learned : tuple of ndarray of shape (n_spectra, n_features) and ndarray of shape (n_spectra,)
        Standardised spectra that are learned from, and their classes, from 0 on.
    held_out : tuple of the same, default=None
        Spectra to compare with; None compares with those that are learned from, each with all others.
    """

    def __init__(self, learned: Sample, held_out: Sample | None = None) -> None:
        rows, target = learned
        self.projection = Projection(rows, _JUDGE_COMPONENTS)
        points = self.projection(rows, left_over=True)
        self.unit = np.append(np.ones(points.shape[1] - 1), max(points[:, -1].std(), 0.1))
        self.learned = [points[target == number] / self.unit for number in range(target.max() + 1)]
        self.labels = np.repeat(np.arange(len(self.learned)), _JUDGED)
        self.real = self.learned
        if held_out is not None:
            rows, target = held_out
            points = self.projection(rows, left_over=True) / self.unit
            self.real = [points[target == number] for number in range(len(self.learned))]
        rank = 1 if held_out is None else 0  # the nearest of those that are learned from is itself
        pairs = zip(self.real, self.learned, strict=True)
        self.nearest = [np.partition(cdist(real, known), rank, axis=1)[:, rank] for real, known in pairs]

    def __call__(self, made: NDArray[np.floating]) -> float:
        """Score, 0 at best, of spectra of the classes `labels`."""
        points = np.split(self.projection(made, left_over=True) / self.unit, len(self.real))
        scores = []
        for part, real, learned, nearest in zip(points, self.real, self.learned, self.nearest, strict=True):
            nearer = (cdist(part, learned).min(axis=1)[:, None] < nearest).mean()
            scores.append(abs(energy_distance(real, part)) + max(float(nearer) - 0.5, 0.0))
        return float(np.mean(scores))


class Outcome(NamedTuple):
    """The best generator, and how it came about."""

    generator: nn.Module
    history: list[dict[str, float]]


def play(
    duel: Duel,
    judge: Judge,
    *,
    max_steps: int,
    score_every: int,
    n_iter_no_change: int | None,
    seed: int,
    checkpoint: Path | None = None,
    watch: Callable[[int, Mapping[str, float]], None] | None = None,
) -> Outcome:
    """Train, and keep the averaged generator that scored best.

    Parameters
    ----------
    duel : Duel
    judge : Judge
    max_steps, score_every : int
        Steps at most, and from one score to the next.
    n_iter_no_change : int or None
        Scores without a better one after which it ends.
    seed : int
        Of the spectra that are scored, the same ones each time.
    checkpoint : Path, default=None
        Where the state is written after each score, and taken up if there is one. What is over stays there, too.
    watch : callable, default=None
        Is told the step and the last entry of the history after each score, and after training goes on.
    """
    history: list[dict[str, float]] = []
    best: dict[str, Tensor] = {}

    def score(losses: tuple[Tensor, Tensor] | None) -> None:
        with seeded(seed, duel.device):
            made = duel.make(judge.labels)
        if not np.isfinite(made).all():
            raise FloatingPointError(f"training diverged after {step} steps; a smaller lr may help")
        value = judge(made)
        entry = {"step": float(step), "critic_loss": np.nan, "generator_loss": np.nan, "score": value}
        if losses is not None:
            entry["critic_loss"], entry["generator_loss"] = (loss.item() for loss in losses)
        if not history or value < min(past["score"] for past in history):
            best.update(copy.deepcopy(duel.average.module.state_dict()))
        history.append(entry)

    step = 0
    state = None if checkpoint is None else read_checkpoint(checkpoint)
    if state is None:
        score(None)
    else:
        duel.load_state_dict(state["duel"])
        history, best, step = state["history"], state["best"], state["step"]
    if watch is not None:
        watch(step, history[-1])
    while step < max_steps and not _is_over(history, n_iter_no_change):
        losses = duel.step()
        step += 1
        if step % score_every == 0 or step == max_steps:
            score(losses)
            if checkpoint is not None:
                state = {
                    "duel": duel.state_dict(),
                    "history": history,
                    "best": best,
                    "step": step,
                    "seed": seed,
                }
                write_checkpoint(checkpoint, state)
            if watch is not None:
                watch(step, history[-1])
    generator = copy.deepcopy(duel.average.module)
    generator.load_state_dict(best)
    return Outcome(generator.eval(), history)


@torch.no_grad()
def make(generator: Any, labels: NDArray[np.intp]) -> NDArray[np.float32]:
    """Standardised spectra of a generator, shape (n, n_channels · n_pixels), for classes by number."""
    generator.eval()
    device = device_of(generator)
    target = torch.as_tensor(labels, device=device)
    z = torch.randn(len(labels), generator.latent_dim, device=device)
    parts = zip(z.split(_AT_ONCE), target.split(_AT_ONCE), strict=True)
    return torch.cat([generator(*part).flatten(1).cpu() for part in parts]).numpy()


def device_of(module: nn.Module) -> torch.device:
    """Where the weights of a module are."""
    return next(module.parameters()).device


def _is_over(history: list[dict[str, float]], n_iter_no_change: int | None) -> bool:
    scores = [entry["score"] for entry in history]
    return n_iter_no_change is not None and len(scores) - 1 - int(np.argmin(scores)) >= n_iter_no_change
