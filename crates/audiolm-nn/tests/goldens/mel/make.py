"""Makes torchaudio.safetensors: pip install torch==2.11.0 torchaudio==2.11.0 safetensors"""

import torch
import torchaudio
from safetensors.torch import save_file


def tone(seconds, rate, offset):
    """A voiced-like signal: a gliding harmonic tone with noise and a pause."""
    n = int(round(seconds * rate))
    t = torch.arange(n, dtype=torch.float64) / rate
    pitch = 120.0 + 30.0 * offset + 25.0 * torch.sin(2 * torch.pi * 1.7 * t)
    phase = 2 * torch.pi * torch.cumsum(pitch, 0) / rate
    x = sum(torch.sin(k * phase) / k for k in range(1, 9))
    x = 0.25 * x * (0.6 + 0.4 * torch.sin(2 * torch.pi * 3.1 * t))
    x[int(0.45 * n) : int(0.52 * n)] = 0.0
    noise = torch.Generator().manual_seed(100 + offset)
    x = x + 0.02 * torch.randn(n, generator=noise, dtype=torch.float64)
    return x.clamp(-1, 1).to(torch.float32)


def mel(**sizes):
    return torchaudio.transforms.MelSpectrogram(sample_rate=16000, **sizes)(wave)


wave = torch.stack((tone(0.25, 16000, 7), tone(0.25, 16000, 8)))
tensors = {"wave": wave}
for window in (512, 1024, 2048):
    tensors[f"w{window}"] = mel(n_fft=window, hop_length=window // 4, n_mels=64)
tensors["slaney"] = mel(n_fft=400, hop_length=160, n_mels=80, norm="slaney", mel_scale="slaney")
save_file({name: it.contiguous() for name, it in tensors.items()}, "torchaudio.safetensors")
