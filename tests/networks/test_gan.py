"""Generators and critics: published sizes, any length, and the initial model of a generator."""

import numpy as np
import pytest
import torch

from skspec.networks import DenseCritic, DenseGenerator, SpectrumCritic, SpectrumGenerator
from skspec.oversampling._losses import critic_loss, generator_loss, gradient_penalty


def count(module):
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


def test_published_numbers_of_parameters():
    assert count(DenseGenerator(3500)) == 4_478_124
    assert count(DenseCritic(3500)) == 4_241_409


def test_the_published_range_is_corrected():
    torch.manual_seed(0)
    generator, critic = DenseGenerator(20), DenseCritic(20)
    for module in (generator, critic):  # impossible with a final tanh or sigmoid
        torch.nn.init.zeros_(module.final_layer.weight)
        torch.nn.init.constant_(module.final_layer.bias, 1000.0)
    labels = torch.zeros(4, dtype=torch.long)
    spectra = generator(torch.randn(4, 900), labels)
    assert (spectra == 1000).all()
    assert (critic(spectra, labels) == 1000).all()


@pytest.mark.parametrize("n_pixels", [2, 3, 17, 64, 333])
@pytest.mark.parametrize("n_channels", [1, 2])
@pytest.mark.parametrize("n_classes", [1, 3])
@pytest.mark.parametrize(
    ("generator", "critic"), [(SpectrumGenerator, SpectrumCritic), (DenseGenerator, DenseCritic)]
)
def test_any_size(generator, critic, n_pixels, n_channels, n_classes):
    torch.manual_seed(0)
    sizes = {"n_channels": n_channels, "n_classes": n_classes}
    made, labels = generator(n_pixels, latent_dim=5, **sizes), torch.arange(6) % n_classes
    spectra = made(torch.randn(6, 5), labels)
    assert spectra.shape == (6, n_channels, n_pixels)
    score = critic(n_pixels, **sizes)(spectra, labels)
    assert score.shape == (6,)
    score.sum().backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in made.parameters())


def test_start_from_reproduces_the_model():
    rng = np.random.default_rng(0)
    n_pixels, k = 40, 3
    templates, mean, noise = (
        rng.normal(size=(k, n_pixels)),
        rng.normal(size=n_pixels),
        rng.uniform(0.5, 1, n_pixels),
    )
    anchors, scale = rng.normal(size=(7, k + 1)), rng.normal(size=(2, k + 1, k + 1))
    anchors[:, k], scale[:, k] = 0.0, 0.0  # all spectra have the same noise level
    model = {"templates": templates, "mean": mean, "anchors": anchors, "counts": [5, 2], "scale": scale}
    generator = SpectrumGenerator(n_pixels, n_classes=2, latent_dim=6)
    generator.start_from(
        **{key: torch.as_tensor(v) for key, v in (model | {"noise": noise, "spread": 0.5}).items()}
    )
    torch.manual_seed(0)
    with torch.no_grad():
        made = generator(torch.randn(40_000, 6), torch.ones(40_000, dtype=torch.long))[:, 0].double().numpy()
    centres, spread = anchors[5:, :k] @ templates, scale[1, :k] @ scale[1, :k].T
    expected = mean + centres.mean(axis=0)
    covariance = templates.T @ spread @ templates + np.diag(noise**2) + np.cov(centres, rowvar=False, ddof=0)
    error = np.sqrt(np.diag(covariance) / len(made))
    assert np.abs((made.mean(axis=0) - expected) / error).max() < 5
    np.testing.assert_allclose(np.cov(made, rowvar=False), covariance, atol=0.04 * np.diag(covariance).max())


def test_noise_levels_vary_by_spectrum():
    generator = SpectrumGenerator(2000, latent_dim=3)
    generator.start_from(
        templates=torch.zeros(1, 2000),
        mean=torch.zeros(2000),
        anchors=torch.zeros(1, 2),
        counts=torch.tensor([1]),
        scale=torch.eye(2)[None],
        noise=torch.full((2000,), 0.3),
        spread=torch.tensor(0.7),
    )
    torch.manual_seed(0)
    with torch.no_grad():
        made = generator(torch.randn(3000, 3), torch.zeros(3000, dtype=torch.long))
    level = torch.log(made.std(dim=(1, 2)))
    assert level.mean().item() == pytest.approx(np.log(0.3), abs=0.05)
    assert level.std().item() == pytest.approx(0.7, rel=0.05)


def test_both_depend_on_the_class():
    torch.manual_seed(0)
    x, zero, one = torch.randn(4, 1, 30), torch.zeros(4, dtype=torch.long), torch.ones(4, dtype=torch.long)
    critic = SpectrumCritic(30, n_classes=2, spectral_norm=True).eval()
    assert not torch.equal(critic(x, zero), critic(x, one))
    generator, z = DenseGenerator(30, n_classes=2, latent_dim=5).eval(), torch.randn(4, 5)
    assert not torch.equal(generator(z, zero), generator(z, one))


def test_spectral_norm_is_one():
    torch.manual_seed(0)
    critic = SpectrumCritic(100, spectral_norm=True)
    for _ in range(200):
        critic(torch.randn(4, 1, 100), torch.zeros(4, dtype=torch.long))
    for layer in critic.stack[::2]:
        assert torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item() == pytest.approx(1.0, abs=1e-3)


def test_losses():
    real, made = torch.tensor([2.0, 0.5]), torch.tensor([-3.0, 1.0])
    assert critic_loss("hinge", real, made).item() == pytest.approx(0.25 + 1.0)
    assert critic_loss("wasserstein", real, made).item() == pytest.approx(-1.0 - 1.25)
    expected = np.mean(np.log1p(np.exp([-2.0, -0.5]))) + np.mean(np.log1p(np.exp([-3.0, 1.0])))
    assert critic_loss("logistic", real, made).item() == pytest.approx(expected)
    assert generator_loss("hinge", made).item() == generator_loss("wasserstein", made).item() == 1.0
    expected = np.mean(np.log1p(np.exp([3.0, -1.0])))
    assert generator_loss("logistic", made).item() == pytest.approx(expected)


def test_gradient_penalty_of_a_linear_critic():
    direction = torch.tensor([3.0, 4.0, 0.0])
    real, made = torch.randn(5, 1, 3), torch.randn(5, 1, 3)
    labels = torch.zeros(5, dtype=torch.long)
    penalty = gradient_penalty(lambda x, _: x[:, 0] @ direction, real, made, labels)
    assert penalty.item() == pytest.approx((5.0 - 1.0) ** 2)


def test_gradient_penalty_reaches_the_weights():
    critic = SpectrumCritic(64, n_classes=2)
    labels = torch.arange(4) % 2
    gradient_penalty(critic, torch.randn(4, 1, 64), torch.randn(4, 1, 64), labels).backward()
    assert critic.stack[0].weight.grad.abs().sum() > 0
