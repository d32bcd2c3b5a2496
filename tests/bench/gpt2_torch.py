"""Software GPT-2 in PyTorch, one thread: processor time in s of a pass over 1024 tokens with all logits, best of 2.

Usage: gpt2_torch.py CHECKPOINT      prints nothing where there is no PyTorch
"""

import json
import struct
import sys
import time

try:
    import torch
    import torch.nn.functional as F
except ImportError:
    sys.exit(0)

TOKENS = 1024


def read_tensors(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = bytearray(file.read())
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        flat = torch.frombuffer(data, dtype=torch.float32, count=(end - begin) // 4, offset=begin)
        tensors[name] = flat.reshape(entry["shape"])
    return tensors


def forward(w, config, tokens):
    heads, layers, size = config["n_head"], config["n_layer"], config["n_embd"]
    x = w["wte.weight"][tokens] + w["wpe.weight"][: len(tokens)]
    hidden = torch.full((len(tokens), len(tokens)), float("-inf")).triu(1)

    def norm(name):
        return F.layer_norm(x, (size,), w[name + ".weight"], w[name + ".bias"])

    def linear(y, name):
        return torch.addmm(w[name + ".bias"], y, w[name + ".weight"])

    for layer in range(layers):
        block = f"h.{layer}."
        q, k, v = (
            part.view(len(tokens), heads, -1).transpose(0, 1)
            for part in linear(norm(block + "ln_1"), block + "attn.c_attn").split(size, 1)
        )
        score = q @ k.transpose(1, 2) / (size // heads) ** 0.5 + hidden
        mixed = (score.softmax(-1) @ v).transpose(0, 1).reshape(len(tokens), size)
        x = x + linear(mixed, block + "attn.c_proj")
        inner = linear(norm(block + "ln_2"), block + "mlp.c_fc")
        inner = 0.5 * inner * (1 + torch.tanh((2 / torch.pi) ** 0.5 * (inner + 0.044715 * inner**3)))
        x = x + linear(inner, block + "mlp.c_proj")
    return norm("ln_f") @ w["wte.weight"].T


torch.set_num_threads(1)
with open(sys.argv[1] + "/config.json") as file:
    config = json.load(file)
weights = read_tensors(sys.argv[1] + "/model.safetensors")
tokens = torch.arange(TOKENS) * 7919 % config["vocab_size"]
times_s = []
with torch.no_grad():
    for _ in range(2):
        start_s = time.process_time()
        forward(weights, config, tokens)
        times_s.append(time.process_time() - start_s)
print(f"{min(times_s):.6f}")
