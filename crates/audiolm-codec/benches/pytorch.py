"""What `cargo bench --bench codec` measures, by PyTorch: the same sizes, the same names.

    pip install torch
    python pytorch.py [THREADS] [NAME ...]

The layers are PyTorch's own convolutions, causal by padding, with channels before time as PyTorch
has them. Beside them nothing is done: no training state, no attention.
"""

import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

RATE, SECONDS, BATCH = 16_000, 10, 4
SIZES = {
    "audiolm_16khz": dict(strides=[2, 4, 5, 8], encoder=32, decoder=32, dimension=256, quantizers=12),
    "tiny_16khz": dict(strides=[8, 5, 4, 2], encoder=8, decoder=16, dimension=128, quantizers=16),
}
CODEBOOK_SIZE = 1024
LEVELS = [(32, 160_000, 2), (64, 80_000, 4), (128, 20_000, 5), (256, 4_000, 8)]


class Conv(nn.Conv1d):
    """Causal: the past is silence."""

    def forward(self, x):
        past = (self.kernel_size[0] - 1) * self.dilation[0] + 1 - self.stride[0]
        return super().forward(F.pad(x, (past, 0)))


class Upsample(nn.ConvTranspose1d):
    def forward(self, x):
        return super().forward(x)[..., : x.shape[2] * self.stride[0]]


class Unit(nn.Module):
    def __init__(self, channels, dilation):
        super().__init__()
        self.dilated = Conv(channels, channels // 2, 7, dilation=dilation)
        self.mixing = Conv(channels // 2, channels, 1)

    def forward(self, x):
        return x + self.mixing(F.elu(self.dilated(F.elu(x))))


def units(channels):
    return [Unit(channels, dilation) for dilation in (1, 3, 9)]


def encoder(strides, encoder, dimension, **_):
    channels, layers = encoder, [Conv(1, encoder, 7)]
    for stride in strides:
        layers += units(channels)
        layers += [nn.ELU(), Conv(channels, 2 * channels, 2 * stride, stride=stride)]
        channels *= 2
    return nn.Sequential(*layers, nn.ELU(), Conv(channels, dimension, 3))


def decoder(strides, decoder, dimension, **_):
    channels = decoder << len(strides)
    layers = [Conv(dimension, channels, 7)]
    for stride in reversed(strides):
        layers += [nn.ELU(), Upsample(channels, channels // 2, 2 * stride, stride=stride)]
        channels //= 2
        layers += units(channels)
    return nn.Sequential(*layers, nn.ELU(), Conv(channels, 1, 7))


def quantize(frames, codebooks):
    residual, codes = frames.transpose(1, 2).flatten(0, 1), []
    for codebook in codebooks:
        distances = (codebook * codebook).sum(1) - 2 * residual @ codebook.T
        codes.append(distances.argmin(1))
        residual = residual - codebook[codes[-1]]
    return codes


def embed(codes, codebooks):
    vectors = sum(book[code] for book, code in zip(codebooks, codes))
    return vectors[None].transpose(1, 2)


def mel_loss(wave, output):
    loss = 0.0
    for scale in range(6, 12):
        window = 1 << scale
        n_fft = max(window, 256)
        bank = torch.rand(n_fft // 2 + 1, 64)
        mels = []
        for it in (wave, output):
            frames = it[:, 0].unfold(1, window, window // 4) * torch.hann_window(window)
            stft = torch.fft.rfft(frames, n=n_fft)
            power = stft.real.square() + stft.imag.square()
            mels.append((power @ bank + 1e-4).sqrt())
        difference = mels[0] - mels[1]
        logs = mels[0].log() - mels[1].log()
        loss = loss + difference.abs().mean() + logs.square().mean(2).add(1e-8).sqrt().mean()
    return loss


def report(name, items, work):
    if NAMES and not any(name.startswith(it) for it in NAMES):
        return
    work()
    times = []
    for _ in range(9):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    fastest, median = min(times), sorted(times)[4]
    print(f"{name:26} fastest {1e3 * fastest:8.2f} ms   median {1e3 * median:8.2f} ms   "
          f"{items / fastest / 1e6:10.2f} Mitem/s", flush=True)


THREADS = int(sys.argv[1]) if len(sys.argv) > 1 else torch.get_num_threads()
NAMES = sys.argv[2:]
torch.set_num_threads(THREADS)
torch.manual_seed(0)
print(f"PyTorch {torch.__version__}, {THREADS} threads, {torch.backends.cpu.get_cpu_capability()}")

for name, size in SIZES.items():
    encode, decode = encoder(**size), decoder(**size)
    codebooks = [torch.randn(CODEBOOK_SIZE, size["dimension"]) for _ in range(size["quantizers"])]
    wave = 0.1 * torch.randn(1, 1, SECONDS * RATE)
    with torch.inference_mode():
        codes = quantize(encode(wave), codebooks)
        report(f"encodes {name}", wave.numel(), lambda: quantize(encode(wave), codebooks))
        report(f"decodes {name}", wave.numel(), lambda: decode(embed(codes, codebooks)))

    batch = 0.1 * torch.randn(BATCH, 1, RATE)

    def learn():
        frames = encode(batch)
        sums = embed(quantize(frames.detach(), codebooks), codebooks)
        sums = sums.transpose(1, 2).reshape(BATCH, -1, size["dimension"]).transpose(1, 2)
        mel_loss(batch, decode(frames + (sums - frames).detach())).backward()

    report(f"learns {name}", batch.numel(), learn)

with torch.inference_mode():
    for channels, frames, stride in LEVELS:
        x = torch.randn(1, channels, frames)
        for dilation in (1, 9):
            layer = Conv(channels, channels // 2, 7, dilation=dilation)
            report(f"dilated {dilation} {channels}", 7 * channels * channels // 2 * frames, lambda: layer(x))
        down = Conv(channels, 2 * channels, 2 * stride, stride=stride)
        report(f"downsamples {channels}", 4 * channels**2 * frames, lambda: down(x))
        up, y = Upsample(2 * channels, channels, 2 * stride, stride=stride), down(x)
        report(f"upsamples {channels}", 4 * channels**2 * frames, lambda: up(y))
        report(f"activates {channels}", channels * frames, lambda: F.elu(x))
    for n in (256, 1024):
        a = torch.randn(n, n)
        report(f"multiplies {n}", n**3, lambda: a @ a)
