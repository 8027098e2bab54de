#!/usr/bin/env python3
"""Writes data/golden/sd14_gradients.safetensors: outputs and gradients of blocks of Stable Diffusion's U-Net at full size.

    /usr/bin/python3 tests/golden/block_gradients.py data/golden          (Debian: python3-torch, python3-numpy)

The blocks are written here from their definition, on PyTorch's own operations in float64, so they share no code with this project.
Weights and inputs follow from their names by the formula of data/golden (FNV-1a seeds SplitMix64). Afterwards manifest.json describes
exactly the files that lie in the folder.
"""
import json
import pathlib
import struct
import sys

import numpy as np
import torch
import torch.nn.functional as F

COUNT = 512
CASES = {
    "conv_in": {"kind": "convolution", "from": 4, "to": 320, "stride": 1, "x": [1, 4, 64, 64]},
    "conv_out": {"kind": "exit", "from": 320, "to": 4, "x": [1, 320, 64, 64]},
    "down_blocks.0.downsamplers.0.conv": {"kind": "convolution", "from": 320, "to": 320, "stride": 2, "x": [2, 320, 32, 32]},
    "down_blocks.1.resnets.0": {"kind": "resnet", "from": 320, "to": 640, "x": [2, 320, 32, 32], "time": [2, 1280]},
    "down_blocks.0.attentions.0": {"kind": "transformer", "channels": 320, "heads": 8, "x": [1, 320, 32, 32], "context": [1, 77, 768]},
}


def uniform(name, count):
    h = 0xCBF29CE484222325
    for b in name.encode():
        h = ((h ^ b) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    with np.errstate(over="ignore"):
        z = np.uint64(h) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(11)).astype(np.float64) * 2.0**-53 * 2 - 1


def rounded(values, shape):
    return torch.from_numpy(values.astype(np.float32).astype(np.float64)).reshape(shape)


def given(name, shape):
    return rounded(uniform(name, int(np.prod(shape))) * np.sqrt(3.0), shape)


def weight(key, *shape):
    u = uniform(key, int(np.prod(shape)))
    if len(shape) > 1:
        base = u * np.sqrt(3.0 / np.prod(shape[1:]))
    elif key.endswith(".weight"):
        base = 1 + u * 0.1
    else:
        base = u * 0.05
    gain = 0.25 if key in ("conv_out.weight", "conv_out.bias") else 6 if key.endswith(".attn2.to_k.weight") else 2 if key.endswith(".attn2.to_v.weight") else 1
    return rounded(base * gain, shape)


def convolution(x, key, to, kernel=3, stride=1):
    return F.conv2d(x, weight(key + ".weight", to, x.shape[1], kernel, kernel), weight(key + ".bias", to), stride=stride, padding=kernel // 2)


def linear(x, key, to, bias=True):
    return F.linear(x, weight(key + ".weight", to, x.shape[-1]), weight(key + ".bias", to) if bias else None)


def group_norm(x, key, eps):
    return F.group_norm(x, 32, weight(key + ".weight", x.shape[1]), weight(key + ".bias", x.shape[1]), eps)


def layer_norm(x, key):
    return F.layer_norm(x, x.shape[-1:], weight(key + ".weight", x.shape[-1]), weight(key + ".bias", x.shape[-1]), 1e-5)


def attention(x, source, key, heads):
    size = x.shape[-1]
    split = lambda t: t.reshape(t.shape[0], t.shape[1], heads, size // heads).transpose(1, 2)
    q, k, v = (split(linear(t, f"{key}.to_{n}", size, bias=False)) for n, t in (("q", x), ("k", source), ("v", source)))
    mixed = ((q @ k.transpose(2, 3)) / (size // heads) ** 0.5).softmax(-1) @ v
    return linear(mixed.transpose(1, 2).reshape(x.shape), key + ".to_out.0", size)


def transformer(x, context, key, heads):
    b, c, h, w = x.shape
    t = convolution(group_norm(x, key + ".norm", 1e-6), key + ".proj_in", c, 1).permute(0, 2, 3, 1).reshape(b, h * w, c)
    block = key + ".transformer_blocks.0"
    n = layer_norm(t, block + ".norm1")
    t = t + attention(n, n, block + ".attn1", heads)
    t = t + attention(layer_norm(t, block + ".norm2"), context, block + ".attn2", heads)
    value, gate = linear(layer_norm(t, block + ".norm3"), block + ".ff.net.0.proj", 8 * c).chunk(2, -1)
    t = t + linear(value * F.gelu(gate), block + ".ff.net.2", c)
    return convolution(t.reshape(b, h, w, c).permute(0, 3, 1, 2), key + ".proj_out", c, 1) + x


def resnet(x, time, key, to):
    h = convolution(F.silu(group_norm(x, key + ".norm1", 1e-5)), key + ".conv1", to)
    h = h + linear(time, key + ".time_emb_proj", to)[:, :, None, None]
    h = convolution(F.silu(group_norm(h, key + ".norm2", 1e-5)), key + ".conv2", to)
    return h + convolution(x, key + ".conv_shortcut", to, 1)


def run(key, case):
    names = [n for n in ("x", "time", "context") if n in case]
    inputs = [given(f"input:{key}.{n}", case[n]).requires_grad_(True) for n in names]
    if case["kind"] == "convolution":
        y = convolution(inputs[0], key, case["to"], stride=case["stride"])
    elif case["kind"] == "exit":
        y = convolution(F.silu(group_norm(inputs[0], "conv_norm_out", 1e-5)), key, case["to"])
    elif case["kind"] == "resnet":
        y = resnet(*inputs, key, case["to"])
    else:
        y = transformer(*inputs, key, case["heads"])
    gradients = torch.autograd.grad(y, inputs, given(f"input:{key}.upstream", list(y.shape)))
    return {f"{key}/output": y.detach(), **{f"{key}/d{n}": g for n, g in zip(names, gradients)}}


def main(folder):
    folder = pathlib.Path(folder)
    torch.set_num_threads(1)
    tensors, strides = {}, {}
    for key, case in CASES.items():
        for name, whole in run(key, case).items():
            flat = whole.reshape(-1)
            strides[name] = max(1, flat.numel() // COUNT)
            tensors[name] = flat[:: strides[name]][:COUNT].numpy().astype("<f4")
    header, at = {}, 0
    for name, value in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(value.shape), "data_offsets": [at, at + value.nbytes]}
        at += value.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    file = "sd14_gradients.safetensors"
    (folder / file).write_bytes(struct.pack("<Q", len(text)) + text + b"".join(v.tobytes() for v in tensors.values()))

    manifest_path, checks_path = folder / "manifest.json", folder / "checks.json"
    manifest, checks = json.loads(manifest_path.read_text()), json.loads(checks_path.read_text())
    manifest["files"][file] = {
        "how": f"tests/golden/block_gradients.py, PyTorch {torch.__version__} in float64: every stride-th value of a block's output, and of the gradient of sum(output * upstream) to its inputs",
        "config": "sd14",
        "block_gradients": CASES,
        "strides": strides,
        "tensors": {n: {"dtype": "F32", "shape": list(v.shape), "mean": float(v.mean()), "std": float(v.std()), "absmax": float(abs(v).max())} for n, v in tensors.items()},
    }
    # What the folder does not hold is not described: a file that is described and missing is a failure.
    manifest["files"] = {n: e for n, e in sorted(manifest["files"].items()) if (folder / n).exists()}
    checks["checks"][file] = {n: {"rel_l2": 3e-5} for n in tensors}
    checks["checks"] = {n: c for n, c in sorted(checks["checks"].items()) if n in manifest["files"]}
    for path, value in ((manifest_path, manifest), (checks_path, checks)):
        path.write_text(json.dumps(value, indent=1) + "\n")


main(sys.argv[1])
