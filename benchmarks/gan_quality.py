"""Quality of generated spectra: losses, training-set sizes and settings of the GAN, on O stars of a simulated survey.

Command: ``python -m benchmarks.gan_quality [--quick] [--sizes 20 50 120] [--threads N]``

From 1000 simulated O and B stars (S/N 5 to 30, one spectrum per star, 400 logarithmic bins, divided by their median),
20, 50 or 120 O stars are drawn for training, and 200 others are held out; they are the same for all contenders. Each
contender generates 200 O stars, which `quality_report` compares with the held-out ones. This is done twice, with other
stars and seeds (--quick: 20 stars, once); the table has the mean and, after ±, half the difference of both, the number
of times that copies were detected, and the median time of a fit.

- real stars: other O stars instead of generated ones, as from a perfect generator.
- start: one step of training, which leaves the initial state, a smoothed bootstrap, practically unchanged.
- hinge: the defaults, trained on O stars only.
- hinge, with B: one network for O and as many B stars.
- wasserstein: with five steps of the critic per step of the generator.
- augment (20 stars only): the defaults, with differentiable augmentation.
"""

import argparse
import time

import numpy as np
import torch
from sklearn.pipeline import make_pipeline

from benchmarks._harness import machine
from skspec import FluxNormalizer, GANOversampler, LogWaveResampler, make_spectra
from skspec.oversampling import quality_report

SIZES = (20, 50, 120)
N_COMPARED = 200
TINY = 20
REAL = "real stars"
CONTENDERS = {
    "start": {"max_steps": 1},
    "hinge": {},
    "hinge, with B": {},
    "wasserstein": {"loss": "wasserstein", "n_critic": 5},
    "augment": {"augment": True},
}
SCORES = {
    "Fréchet": "frechet_distance",
    "density": "density",
    "coverage": "coverage",
    "AUC": "auc",
    "nearer": "copying",
}


def stars():
    spectra = make_spectra(1000, classes="OB", repeats=0.0, random_state=0)
    prepare = make_pipeline(LogWaveResampler(n_bins=400, missing="interpolate"), FluxNormalizer())
    X, y = prepare.fit_transform(spectra), np.asarray(spectra.meta["spectral_class"])
    return X[y == "O"], X[y == "B"]


def generate(contender, known, companions, seed):
    """Generate `N_COMPARED` O stars; return them and the time."""
    X = np.concatenate([known, companions])
    y = np.repeat(["O", "B"], [len(known), len(companions)])
    learned = {"O", "B"} if contender.endswith("with B") else {"O"}
    strategy = {label: len(known) + N_COMPARED for label in learned}
    sampler = GANOversampler(sampling_strategy=strategy, random_state=seed, **CONTENDERS[contender])
    start = time.perf_counter()
    made, labels = sampler.fit_resample(X, y)
    seconds = time.perf_counter() - start
    return made[(sampler.sample_indices_ < 0) & (labels == "O")], seconds


def compare(n_known, o_stars, b_stars, *, n_draws):
    print(f"\n{n_known} O stars for training; {N_COMPARED} generated, {N_COMPARED} held out; {n_draws} times")
    print(f"{'':14}" + "".join(f"{name:>14}" for name in SCORES) + f"{'copies':>9}{'fit':>8}")
    reports, seconds = {REAL: []}, {}
    for seed in range(n_draws):
        order = np.random.default_rng(seed).permutation(len(o_stars))
        known, held_out, others = np.split(
            o_stars[order[: n_known + 2 * N_COMPARED]], [n_known, n_known + N_COMPARED]
        )
        companions = b_stars[np.random.default_rng(seed).permutation(len(b_stars))[:n_known]]
        reports[REAL].append(quality_report(known, held_out, others))
        for contender in CONTENDERS:
            if contender == "augment" and n_known != TINY:
                continue
            made, duration = generate(contender, known, companions, seed)
            reports.setdefault(contender, []).append(quality_report(known, held_out, made))
            seconds.setdefault(contender, []).append(duration)
    for contender, found in reports.items():
        cells = ""
        for key in SCORES.values():
            values = [getattr(report, key) for report in found]
            cells += f"{f'{np.mean(values):.2f} ±{np.ptp(values) / 2:.2f}':>14}"
        copies = f"{sum(report.memorized for report in found)} of {n_draws}"
        duration = f"{np.median(seconds[contender]):6.1f} s" if contender in seconds else ""
        print(f"{contender:14}{cells}{copies:>9}{duration}", flush=True)


def main(sizes, *, n_draws, n_threads):
    if n_threads:
        torch.set_num_threads(n_threads)
    print(f"{machine('torch', 'scikit-learn')} ({torch.get_num_threads()} threads)")
    o_stars, b_stars = stars()
    for n_known in sizes:
        compare(n_known, o_stars, b_stars, n_draws=n_draws)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="20 spectra, once")
    parser.add_argument(
        "--sizes", nargs="+", type=int, default=list(SIZES), help="numbers of training spectra"
    )
    parser.add_argument("--threads", type=int, help="number of threads")
    arguments = parser.parse_args()
    sizes, n_draws = ([TINY], 1) if arguments.quick else (arguments.sizes, 2)
    main(sizes, n_draws=n_draws, n_threads=arguments.threads)
