"""What `cargo bench --bench codec` measures, by PyTorch: the same sizes, the same clips.

    pip install torch
    python pytorch.py [THREADS]
"""

import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

RATE, STRIDES, ENCODER, DECODER, DIMENSION = 16_000, [8, 5, 4, 2], 8, 16, 128
QUANTIZERS, CODEBOOK_SIZE = 16, 1024


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


def encoder():
    channels, layers = ENCODER, [Conv(1, ENCODER, 7)]
    for stride in STRIDES:
        layers += units(channels)
        layers += [nn.ELU(), Conv(channels, 2 * channels, 2 * stride, stride=stride)]
        channels *= 2
    return nn.Sequential(*layers, nn.ELU(), Conv(channels, DIMENSION, 3))


def decoder():
    channels = DECODER << len(STRIDES)
    layers = [Conv(DIMENSION, channels, 7)]
    for stride in reversed(STRIDES):
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


def report(name, samples, work):
    work()
    times = []
    for _ in range(5):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    fastest, median = min(times), sorted(times)[2]
    print(f"{name:24} fastest {1e3 * fastest:8.1f} ms   median {1e3 * median:8.1f} ms   "
          f"{samples / median / 1e3:8.1f} thousand samples/s")


torch.set_num_threads(int(sys.argv[1]) if len(sys.argv) > 1 else torch.get_num_threads())
torch.manual_seed(0)
encode, decode = encoder(), decoder()
codebooks = [torch.randn(CODEBOOK_SIZE, DIMENSION) for _ in range(QUANTIZERS)]

with torch.no_grad():
    for seconds in (1, 10):
        wave = 0.1 * torch.randn(1, 1, seconds * RATE)
        codes = quantize(encode(wave), codebooks)
        report(f"encodes {seconds}", wave.numel(), lambda: quantize(encode(wave), codebooks))
        report(f"decodes {seconds}", wave.numel(), lambda: decode(embed(codes, codebooks)))

for batch in (1, 6):
    wave = 0.1 * torch.randn(batch, 1, RATE // 2)

    def learn():
        frames = encode(wave)
        sums = sum(book[code] for book, code in zip(codebooks, quantize(frames.detach(), codebooks)))
        sums = sums.view(batch, -1, DIMENSION).transpose(1, 2)
        mel_loss(wave, decode(frames + (sums - frames).detach())).backward()

    report(f"learns {batch}", wave.numel(), learn)
