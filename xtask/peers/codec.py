"""The SoundStream of audiolm-pytorch, trained beside ours by `cargo xtask compare codec`.

    python -m venv venv && . venv/bin/activate
    pip install numpy soundfile torch torchaudio transformers einops scikit-learn packaging beartype ema-pytorch \\
        accelerate tqdm sentencepiece lion-pytorch einx joblib gateloop-transformer pytorch-warmup loguru \\
        torch-einops-utils
    pip install --no-deps audiolm-pytorch==2.4.0 vector-quantize-pytorch local-attention hyper-connections encodec x-clip

torch and torchaudio have to be builds for the same version of CUDA, also where there is none.

Three jobs: `clips` copies held-out recordings, `train` trains the peer and reconstructs them, `measure` prints the mean
log-mel distance of each folder of reconstructions to the clips.
"""
import argparse
import csv
import importlib.machinery
import json
import sys
import time
import types
from pathlib import Path

import numpy as np
import soundfile

RATE = 16_000
CLIP_SECONDS = 3


def listed(data, name, split):
    with open(data / "manifest.csv", newline="") as file:
        return [row for row in csv.DictReader(file) if row["set"] == name and row["split"] == split]


def clips(args):
    """The start of the first recordings of each held-out speaker."""
    args.out.mkdir(parents=True)
    per_speaker = {}
    for row in listed(args.data, args.set, "valid"):
        taken = per_speaker.setdefault(row["speaker"], [])
        if len(taken) < args.per_speaker and float(row["seconds"]) >= CLIP_SECONDS:
            taken.append(row["path"])
    for number, path in enumerate(sorted(sum(per_speaker.values(), []))):
        samples, rate = soundfile.read(args.data / path, frames=CLIP_SECONDS * RATE)
        assert rate == RATE, path
        soundfile.write(args.out / f"{number:02}.wav", samples, RATE, subtype="FLOAT")


def peer():
    """The package, without what only its other models need."""
    for name in ("fairseq", "wandb"):
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].__spec__ = importlib.machinery.ModuleSpec(name, None)
    import audiolm_pytorch

    return audiolm_pytorch


def crops(args, rng):
    """Endless batches of crops, each from a recording drawn in proportion to its length."""
    import torch

    rows = [it for it in listed(args.data, args.set, "train") if float(it["seconds"]) * RATE > args.crop_samples]
    waves = [soundfile.read(args.data / it["path"], dtype="float32")[0] for it in rows]
    share = np.array([len(it) for it in waves], dtype=float)
    share /= share.sum()
    while True:
        batch = []
        for wave in rng.choice(len(waves), args.batch, p=share):
            start = rng.integers(len(waves[wave]) - args.crop_samples + 1)
            batch.append(waves[wave][start : start + args.crop_samples])
        yield torch.from_numpy(np.stack(batch))


def train(args):
    """As the package's own trainer does it: Adam at 2e-4, clipped gradients, discriminators after the codec, their
    gradient penalty every fourth step. The codebooks start by the package's k-means on the first batch."""
    import torch

    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    model = peer().SoundStream(
        codebook_size=1024,
        rq_num_quantizers=12,
        channels=32,
        strides=(2, 4, 5, 8),
        target_sample_hz=RATE,
        use_local_attn=False,
    )
    codec = model.non_discr_parameters()
    known = {id(it) for it in codec}
    judges = [it for it in model.parameters() if id(it) not in known]
    codec_optimizer = torch.optim.Adam(codec, lr=2e-4)
    judge_optimizer = torch.optim.Adam(judges, lr=2e-4)
    batches = crops(args, np.random.default_rng(args.seed))
    began = time.monotonic()
    for step in range(args.steps):
        wave = next(batches)
        codec_optimizer.zero_grad()
        loss = model(wave)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(codec, 0.5)
        codec_optimizer.step()
        judge_optimizer.zero_grad()
        losses = model(
            wave, return_discr_loss=True, return_discr_losses_separately=True, apply_grad_penalty=step % 4 == 0
        )
        sum(it for _, it in losses).backward()
        judge_optimizer.step()
        print(f"step {step + 1}: loss {loss.item():.3f}, {time.monotonic() - began:.0f} s", file=sys.stderr)
    seconds = time.monotonic() - began
    model.eval()
    args.out.mkdir(parents=True)
    for path in sorted(args.clips.glob("*.wav")):
        wave = torch.from_numpy(soundfile.read(path, dtype="float32")[0])[None]
        with torch.inference_mode():
            _, codes, _ = model(wave, return_encoded=True)
            sound = model.decode_from_codebook_indices(codes).flatten().numpy()
        soundfile.write(args.out / path.name, sound, RATE, subtype="FLOAT")
    print(json.dumps({"steps": args.steps, "seconds": seconds}))


def log_mel(wave, n_fft=1024, hop=256, n_mels=64):
    """[frames, mels]: the natural logarithm of power on the HTK mel scale, no less than that of 1e-6."""
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(wave, n_fft), n_fft)[::hop]
    power = np.abs(np.fft.rfft(windows * np.hanning(n_fft))) ** 2
    mel = lambda hertz: 2595 * np.log10(1 + hertz / 700)
    edges = np.linspace(0, mel(RATE / 2), n_mels + 2)
    bins = mel(np.linspace(0, RATE / 2, power.shape[1]))
    rise = (bins - edges[:-2, None]) / (edges[1:-1, None] - edges[:-2, None])
    fall = (edges[2:, None] - bins) / (edges[2:, None] - edges[1:-1, None])
    return np.log(power @ np.maximum(0, np.minimum(rise, fall)).T + 1e-6)


def measure(args):
    for folder in args.folders:
        distances = []
        for path in sorted(args.clips.glob("*.wav")):
            before, after = soundfile.read(path)[0], soundfile.read(folder / path.name)[0]
            length = min(len(before), len(after))
            distances.append(np.abs(log_mel(before[:length]) - log_mel(after[:length])).mean())
        print(json.dumps({"folder": folder.name, "clips": len(distances), "log_mel": float(np.mean(distances))}))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    jobs = parser.add_subparsers(required=True)
    job = jobs.add_parser("clips")
    job.set_defaults(run=clips)
    job.add_argument("--data", type=Path, required=True)
    job.add_argument("--set", required=True)
    job.add_argument("--per-speaker", type=int, default=2)
    job.add_argument("--out", type=Path, required=True)
    job = jobs.add_parser("train")
    job.set_defaults(run=train)
    job.add_argument("--data", type=Path, required=True)
    job.add_argument("--set", required=True)
    job.add_argument("--steps", type=int, required=True)
    job.add_argument("--batch", type=int, required=True)
    job.add_argument("--crop-samples", type=int, required=True)
    job.add_argument("--seed", type=int, default=0)
    job.add_argument("--threads", type=int, required=True)
    job.add_argument("--clips", type=Path, required=True)
    job.add_argument("--out", type=Path, required=True)
    job = jobs.add_parser("measure")
    job.set_defaults(run=measure)
    job.add_argument("--clips", type=Path, required=True)
    job.add_argument("folders", type=Path, nargs="+")
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
