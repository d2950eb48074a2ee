"""Writes dit.safetensors, the numbers that dit.test.ts holds the network to.

A diffusion transformer in PyTorch (1.13), written from the paper (arXiv:2212.09748) and from what its parameters are called in
facebookresearch/DiT, with none of onestep's code and none of the official code. Small, with random weights, in float64:

    /usr/bin/python3 test/plugins/networks/dit.py
"""
import json
import math
import os
import struct

import numpy
import torch
from torch.nn import functional as F

WIDTH, HEADS, DEPTH, PATCH, CHANNELS, CLASSES = 8, 2, 3, 2, 2, 3
HEIGHT, BREADTH = 4, 6


def weights(seed):
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape, scale):
        values = torch.randn(*shape, generator=generator, dtype=torch.float64) * scale
        return values.float().double().requires_grad_()

    named = {}

    def layer(name, outputs, *inputs):
        named[name + ".weight"] = draw(outputs, *inputs, scale=1 / math.sqrt(math.prod(inputs)))
        named[name + ".bias"] = draw(outputs, scale=0.3)

    layer("x_embedder.proj", WIDTH, CHANNELS, PATCH, PATCH)
    layer("t_embedder.mlp.0", WIDTH, 256)
    layer("t_embedder.mlp.2", WIDTH, WIDTH)
    named["y_embedder.embedding_table.weight"] = draw(CLASSES + 1, WIDTH, scale=0.5)
    for i in range(DEPTH):
        at = f"blocks.{i}."
        layer(at + "attn.qkv", 3 * WIDTH, WIDTH)
        layer(at + "attn.proj", WIDTH, WIDTH)
        layer(at + "mlp.fc1", 4 * WIDTH, WIDTH)
        layer(at + "mlp.fc2", WIDTH, 4 * WIDTH)
        layer(at + "adaLN_modulation.1", 6 * WIDTH, WIDTH)
    layer("final_layer.linear", PATCH * PATCH * 2 * CHANNELS, WIDTH)
    layer("final_layer.adaLN_modulation.1", 2 * WIDTH, WIDTH)
    return named


def sinusoids(places, count):
    """[n, 2 * count]: sines, then cosines."""
    rates = torch.tensor([10000.0 ** (-i / count) for i in range(count)], dtype=torch.float64)
    angles = places.double()[:, None] * rates[None]
    return torch.cat((angles.sin(), angles.cos()), dim=1)


def positions():
    """A quarter of the width each for sines and cosines of the column, then of the row."""
    rows = torch.arange(HEIGHT // PATCH).repeat_interleave(BREADTH // PATCH)
    columns = torch.arange(BREADTH // PATCH).repeat(HEIGHT // PATCH)
    return torch.cat((sinusoids(columns, WIDTH // 4), sinusoids(rows, WIDTH // 4)), dim=1).float().double()


def forward(w, x, t, label):
    """The image, variance channels included, and the tokens after each block as images."""
    def layer(name, h):
        return F.linear(h, w[name + ".weight"], w[name + ".bias"])

    def modulated(h, shift, scale):
        return F.layer_norm(h, (WIDTH,), eps=1e-6) * (1 + scale[:, None]) + shift[:, None]

    batch = x.shape[0]
    h = F.conv2d(x, w["x_embedder.proj.weight"], w["x_embedder.proj.bias"], stride=PATCH)
    h = h.flatten(2).transpose(1, 2) + positions()
    waves = sinusoids(t, 128)
    time = torch.cat((waves[:, 128:], waves[:, :128]), dim=1)
    c = layer("t_embedder.mlp.2", F.silu(layer("t_embedder.mlp.0", time))) + w["y_embedder.embedding_table.weight"][label]
    after = []
    for i in range(DEPTH):
        at = f"blocks.{i}."
        shift1, scale1, gate1, shift2, scale2, gate2 = layer(at + "adaLN_modulation.1", F.silu(c)).chunk(6, dim=1)
        q, k, v = layer(at + "attn.qkv", modulated(h, shift1, scale1)).chunk(3, dim=2)
        heads = []
        for j in range(HEADS):
            of = slice(j * WIDTH // HEADS, (j + 1) * WIDTH // HEADS)
            scores = torch.einsum("bnd,bmd->bnm", q[..., of], k[..., of]) / math.sqrt(WIDTH // HEADS)
            heads.append(torch.einsum("bnm,bmd->bnd", scores.softmax(dim=-1), v[..., of]))
        h = h + gate1[:, None] * layer(at + "attn.proj", torch.cat(heads, dim=2))
        inside = layer(at + "mlp.fc1", modulated(h, shift2, scale2))
        inside = 0.5 * inside * (1 + torch.tanh(math.sqrt(2 / math.pi) * (inside + 0.044715 * inside ** 3)))
        h = h + gate2[:, None] * layer(at + "mlp.fc2", inside)
        after.append(h.transpose(1, 2).reshape(batch, WIDTH, HEIGHT // PATCH, BREADTH // PATCH))
    shift, scale = layer("final_layer.adaLN_modulation.1", F.silu(c)).chunk(2, dim=1)
    patches = layer("final_layer.linear", modulated(h, shift, scale))
    out = torch.zeros(batch, 2 * CHANNELS, HEIGHT, BREADTH, dtype=torch.float64)
    for n in range(patches.shape[1]):
        top, left = (n // (BREADTH // PATCH)) * PATCH, (n % (BREADTH // PATCH)) * PATCH
        tile = patches[:, n].reshape(batch, PATCH, PATCH, 2 * CHANNELS).permute(0, 3, 1, 2)
        out[:, :, top:top + PATCH, left:left + PATCH] = tile
    return out, after


def write(path, tensors):
    header, parts, offset = {}, [], 0
    for name, tensor in tensors.items():
        data = tensor.detach().numpy().astype(numpy.float32).tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [offset, offset + len(data)]}
        parts.append(data)
        offset += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(parts))


def main():
    w = weights(5)
    generator = torch.Generator().manual_seed(6)
    x = torch.randn(3, CHANNELS, HEIGHT, BREADTH, generator=generator, dtype=torch.float64).float().double()
    x.requires_grad_()
    t = torch.tensor([0, 417, 999])
    label = torch.tensor([2, 0, CLASSES])  # the last has no class
    out, after = forward(w, x, t, label)
    used = out[:, :CHANNELS]
    pull = torch.randn(used.shape, generator=generator, dtype=torch.float64).float().double()
    (used * pull).sum().backward()
    tensors = {f"w.{name}": tensor for name, tensor in w.items()}
    tensors.update({"x": x, "pull": pull, "out": used, "positions": positions()})
    tensors.update({f"after.{i + 1}": each for i, each in enumerate(after)})
    tensors.update({f"grad.w.{name}": tensor.grad for name, tensor in w.items()})
    tensors["grad.x"] = x.grad
    write(os.path.join(os.path.dirname(os.path.abspath(__file__)), "dit.safetensors"), tensors)


if __name__ == "__main__":
    main()
