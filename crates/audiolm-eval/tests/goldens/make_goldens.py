#!/usr/bin/env python3
"""Writes measures.json: what pystoi and audio_metrics.py say of signals that a formula makes.

    pip install numpy scipy soundfile pystoi==0.4.1
    python make_goldens.py

No audio is stored: `signals.rs`, beside this script, holds the same formulas.
"""
import json
import pathlib

import numpy as np
from pystoi import stoi

import audio_metrics
from noise import noise

HERE = pathlib.Path(__file__).parent


def speech(rate, seconds, voice):
    """Harmonics under two formants, in syllables, with bursts of noise and a silent pause in the middle."""
    t = np.arange(int(rate * seconds)) / rate
    turn = 2 * np.pi * t
    syllable = np.maximum(0, np.sin((2.1 + 0.3 * voice) * turn)) ** 2
    pitch = 100 + 35 * voice
    phase = 2 * np.pi * (pitch * t + 1.5 * np.sin(0.8 * turn))
    first, second = 500 + 120 * voice, 1500 + 90 * voice + 200 * np.sin(0.7 * turn)
    wave = np.zeros_like(t)
    for h in range(1, 21):
        weight = 1 / (1 + ((h * pitch - first) / 300) ** 2) + 0.5 / (1 + ((h * pitch - second) / 400) ** 2)
        wave += weight * np.sin(h * phase)
    hiss = noise(len(t), 1 + voice)
    burst = np.where(np.sin(1.3 * turn) > 0.8, 0.3, 0.002) * hiss
    pause = (t > 0.4 * seconds) & (t < 0.5 * seconds)
    return np.where(pause, 0, 0.1 * (syllable * wave + burst)).astype(np.float32)


def degrade(x, how):
    x = x.astype(np.float64)
    if how == "same":
        y = x
    elif how == "noisy":
        y = x + 0.03 * noise(len(x), 77)
    elif how == "drowned":
        y = x + 0.3 * noise(len(x), 78)
    elif how == "clipped":
        y = np.clip(x, -0.04, 0.04)
    elif how == "muffled":
        y = np.convolve(x, np.full(12, 1 / 12))[: len(x)]
    elif how == "echoing":
        y = x + 0.6 * np.concatenate([np.zeros(900), x[:-900]])
    elif how == "quieter":
        y = 0.1 * x + 0.001 * noise(len(x), 79)
    return y.astype(np.float32)


def double(x):
    return x.astype(np.float64)


def pair(rate, seconds, voice, how):
    reference = speech(rate, seconds, voice)
    degraded = double(degrade(reference, how))
    reference = double(reference)
    spectra = [audio_metrics.log_mel(x, rate) for x in (reference, degraded)]
    return {
        "rate": rate, "seconds": seconds, "voice": voice, "how": how,
        "stoi": float(stoi(reference, degraded, rate)),
        "si_sdr": None if how == "same" else float(audio_metrics.si_sdr(reference, degraded)),
        "log_mel_distance": float(np.abs(spectra[0] - spectra[1]).mean()),
    }


def long_term(x):
    return audio_metrics.log_mel(double(x)).mean(0)


def nearest(clips):
    """The tally of audio_metrics.nearest, which itself reads files."""
    both = [(long_term(p), long_term(c)) for p, c in clips]
    prompts, continuations = (np.array(side) - np.mean(side, axis=0) for side in zip(*both))
    return ((continuations[:, None] - prompts[None]) ** 2).sum(-1).argmin(1).tolist()


def main():
    hows = ["same", "noisy", "drowned", "clipped", "muffled", "echoing", "quieter"]
    pairs = [pair(16000, 1.5, voice, how) for voice in (0, 2) for how in hows]
    pairs += [pair(rate, 1.2, 1, how) for rate in (8000, 10000, 22050, 24000, 44100) for how in ("noisy", "muffled")]
    clip = speech(16000, 0.5, 1)
    spectrum = audio_metrics.log_mel(double(clip))
    # The last continuation has the voice of the first prompt, so one of six should miss its own.
    voices = [0, 1, 2, 3, 4, 0]
    clips = [(speech(16000, 1.0, p), degrade(speech(16000, 1.3, c), "muffled")) for p, c in enumerate(voices)]
    goldens = {
        "pairs": pairs,
        "log_mel_shape": spectrum.shape,
        "log_mel_frame_9": spectrum[9].tolist(),
        "long_term_spectrum": long_term(clip).tolist(),
        "nearest": nearest(clips),
    }
    (HERE / "measures.json").write_text(json.dumps(goldens, indent=1) + "\n")


if __name__ == "__main__":
    main()
