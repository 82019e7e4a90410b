"""How fast audiolm-pytorch draws tokens, measured beside ours by `cargo xtask compare generation`.

`codec.py` says how to install it.

    python generation.py semantic 1

names the case and the sequences in a batch, and prints how many tokens were drawn in how many seconds, the fastest of
some runs after one that does not count. The weights are random. OMP_NUM_THREADS sets the threads.

Cases: `semantic`, `coarse` and `fine` in the shapes of its README, drawn by its own `generate` with its cache; and
`paper`, a plain decoder of AudioLM's size with a cache that is allocated once, since the package draws slower there.
"""
import contextlib
import importlib.machinery
import io
import json
import os
import sys
import time
import types

import torch

RUNS = 3
FRAMES = 100
IDS, CODES, COARSE, FINE = 500, 1024, 3, 5


def peer():
    """The package, without what only its other models need, and without asking the network how wide T5 is."""
    for name in ("fairseq", "wandb"):
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].__spec__ = importlib.machinery.ModuleSpec(name, None)
    import audiolm_pytorch
    from audiolm_pytorch import t5
    from transformers import T5Config

    t5.T5_CONFIGS[t5.DEFAULT_T5_NAME] = {"config": T5Config(d_model=768)}
    return audiolm_pytorch


def codec(package):
    """The wrappers want one. Its codebooks are filled, or the first call would fit them."""
    model = package.SoundStream(codebook_size=CODES, rq_num_quantizers=COARSE + FINE, attn_window_size=128, attn_depth=2)
    for module in model.rq.modules():
        if hasattr(module, "initted") and hasattr(module, "embed"):
            module.embed.data.normal_()
            module.initted.fill_(True)
    return model


def semantic(batch):
    package = peer()
    model = package.SemanticTransformer(num_semantic_tokens=IDS, dim=1024, depth=6)
    model.to_logits.bias.data[-1] = -1e9  # the length has to be known
    wrapper = package.SemanticTransformerWrapper(transformer=model)
    return FRAMES, lambda: wrapper.generate(max_length=FRAMES, batch_size=batch)


def coarse(batch):
    package = peer()
    model = package.CoarseTransformer(
        num_semantic_tokens=IDS, codebook_size=CODES, num_coarse_quantizers=COARSE, dim=512, depth=6
    )
    model.coarse_logit_weights.data[:, -1] = 0.0  # the end is never among the likely tenth
    wrapper = package.CoarseTransformerWrapper(transformer=model, codec=codec(package))
    ids = torch.randint(0, IDS, (batch, FRAMES))
    return COARSE * FRAMES, lambda: wrapper.generate(semantic_token_ids=ids, max_time_steps=FRAMES)


def fine(batch):
    package = peer()
    model = package.FineTransformer(
        num_coarse_quantizers=COARSE, num_fine_quantizers=FINE, codebook_size=CODES, dim=512, depth=6
    )
    wrapper = package.FineTransformerWrapper(transformer=model, codec=codec(package))
    codes = torch.randint(0, CODES, (batch, FRAMES, COARSE))
    return FINE * FRAMES, lambda: wrapper.generate(coarse_token_ids=codes)


class Block(torch.nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        linear = lambda d_in, d_out: torch.nn.Linear(d_in, d_out, bias=False)
        self.heads = heads
        self.norms = torch.nn.ModuleList(torch.nn.LayerNorm(dim) for _ in range(2))
        self.project, self.output = linear(dim, 3 * dim), linear(dim, dim)
        self.expand, self.contract = linear(dim, 4 * dim), linear(4 * dim, dim)

    def forward(self, x, bias, cache, at):
        batch, time, dim = x.shape
        parts = self.project(self.norms[0](x)).view(batch, time, 3, self.heads, dim // self.heads)
        queries, keys, values = parts.permute(2, 0, 3, 1, 4)
        cache[0][:, :, at : at + time] = keys
        cache[1][:, :, at : at + time] = values
        seen = cache[:, :, :, : at + time]
        attended = torch.nn.functional.scaled_dot_product_attention(queries, seen[0], seen[1], attn_mask=bias)
        x = x + self.output(attended.transpose(1, 2).reshape(batch, time, dim))
        return x + self.contract(torch.nn.functional.gelu(self.expand(self.norms[1](x))))


def paper(batch, dim=1024, layers=12, heads=16, vocabulary=1025):
    table = torch.randn(vocabulary, dim) / dim**0.5
    distances = torch.randn(FRAMES + 1, heads)
    blocks = torch.nn.ModuleList(Block(dim, heads) for _ in range(layers))
    norm = torch.nn.LayerNorm(dim)

    def generate():
        caches = [torch.zeros(2, batch, heads, FRAMES + 1, dim // heads) for _ in range(layers)]
        ids = torch.zeros(batch, 1, dtype=torch.long)
        for at in range(FRAMES):
            bias = distances[: at + 1].flip(0).T[None, :, None]
            x = table[ids]
            for block, cache in zip(blocks, caches):
                x = block(x, bias, cache, at)
            ids = torch.multinomial((norm(x)[:, -1] @ table.T).softmax(-1), 1)

    return FRAMES, generate


def main():
    case, batch = sys.argv[1], int(sys.argv[2])
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", torch.get_num_threads())))
    torch.manual_seed(0)
    n_drawn, generate = {"semantic": semantic, "coarse": coarse, "fine": fine, "paper": paper}[case](batch)
    seconds = []
    with torch.inference_mode(), contextlib.redirect_stderr(io.StringIO()):
        for _ in range(RUNS + 1):
            began = time.perf_counter()
            generate()
            seconds.append(time.perf_counter() - began)
    print(json.dumps({"tokens": batch * n_drawn, "seconds": min(seconds[1:])}))


if __name__ == "__main__":
    main()
