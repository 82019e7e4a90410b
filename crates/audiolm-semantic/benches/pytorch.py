"""What `hears_with_hubert_base` measures, with PyTorch: HuBERT base of transformers with random
weights on 10 s of noise, in seconds, best of 7 runs; and the peak of memory.

    pip install torch transformers
    python pytorch.py [threads]
"""

import resource
import sys
import time

import torch
import transformers


def main():
    torch.set_num_threads(int(sys.argv[1]) if len(sys.argv) > 1 else 2)
    torch.manual_seed(0)
    wave = 0.1 * torch.randn(1, 160_000)
    for layers in (9, 12):
        config = transformers.HubertConfig(num_hidden_layers=layers)
        model = transformers.HubertModel(config).eval()
        measured = [run(model, wave) for _ in range(7)]
        print(f"layer {layers}: {min(wall for wall, _ in measured):.3f} s, "
              f"{min(cpu for _, cpu in measured):.3f} s of CPU")
    print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


def run(model, wave):
    wall, cpu = time.perf_counter(), time.process_time()
    with torch.inference_mode():
        model(wave)
    return time.perf_counter() - wall, time.process_time() - cpu


if __name__ == "__main__":
    main()
