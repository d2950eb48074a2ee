"""Writes dinov2.safetensors, the numbers that dinov2.test.ts holds the network to.

A vision transformer in PyTorch (1.13), written from the papers of DINOv2 (arXiv:2304.07193), registers (arXiv:2309.16588),
ViT (arXiv:2010.11929) and LayerScale (arXiv:2103.17239), with none of onestep's code and none of the official code, but its
parameter names and its two ways to resize places. Small, with random weights, in float64:

    /usr/bin/python3 test/plugins/extractors/dinov2.py
"""
import json
import os
import struct

import numpy
import torch
from torch.nn import functional as F

WIDTH, HEADS, LAYERS, PATCH, GRID = 8, 2, 2, 4, 5


def weights(registers, seed):
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape, scale=0.4, mean=0.0):
        values = torch.randn(*shape, generator=generator, dtype=torch.float64) * scale + mean
        return values.float().double()

    named = {
        "cls_token": draw(1, 1, WIDTH),
        "pos_embed": draw(1, 1 + GRID * GRID, WIDTH),
        "mask_token": draw(1, WIDTH),
        "patch_embed.proj.weight": draw(WIDTH, 3, PATCH, PATCH),
        "patch_embed.proj.bias": draw(WIDTH),
        "norm.weight": draw(WIDTH, mean=1.0),
        "norm.bias": draw(WIDTH),
    }
    if registers:
        named["register_tokens"] = draw(1, registers, WIDTH)
    for i in range(LAYERS):
        at = f"blocks.{i}."
        for name in ("norm1", "norm2"):
            named[at + name + ".weight"] = draw(WIDTH, mean=1.0)
            named[at + name + ".bias"] = draw(WIDTH)
        for name, rows, columns in (("attn.qkv", 3 * WIDTH, WIDTH), ("attn.proj", WIDTH, WIDTH),
                                    ("mlp.fc1", 4 * WIDTH, WIDTH), ("mlp.fc2", WIDTH, 4 * WIDTH)):
            named[at + name + ".weight"] = draw(rows, columns)
            named[at + name + ".bias"] = draw(rows)
        for name in ("ls1", "ls2"):
            named[at + name + ".gamma"] = draw(WIDTH, mean=0.7)
    return named


def places(w, side, registers):
    """[1, 1 + side * side, WIDTH]"""
    first, rest = w["pos_embed"][:, :1], w["pos_embed"][:, 1:]
    if side == GRID:
        return w["pos_embed"]
    grid = rest.reshape(1, GRID, GRID, WIDTH).permute(0, 3, 1, 2)
    if registers:
        grid = F.interpolate(grid, size=(side, side), mode="bicubic", antialias=True)
    else:
        factor = (side + 0.1) / GRID
        grid = F.interpolate(grid, scale_factor=(factor, factor), mode="bicubic")
    assert grid.shape[-2:] == (side, side)
    return torch.cat((first, grid.flatten(2).transpose(1, 2)), dim=1)


def forward(w, x, registers):
    def norm(name, h):
        return F.layer_norm(h, (WIDTH,), w[name + ".weight"], w[name + ".bias"], 1e-6)

    def layer(name, h):
        return h @ w[name + ".weight"].T + w[name + ".bias"]

    batch, side = x.shape[0], x.shape[-1] // PATCH
    cut = x.unfold(2, PATCH, PATCH).unfold(3, PATCH, PATCH)  # [B, 3, side, side, PATCH, PATCH]
    cut = cut.permute(0, 2, 3, 1, 4, 5).reshape(batch, side * side, 3 * PATCH * PATCH)
    patches = cut @ w["patch_embed.proj.weight"].reshape(WIDTH, -1).T + w["patch_embed.proj.bias"]
    h = torch.cat((w["cls_token"].expand(batch, -1, -1), patches), dim=1) + places(w, side, registers)
    if registers:
        h = torch.cat((h[:, :1], w["register_tokens"].expand(batch, -1, -1), h[:, 1:]), dim=1)
    for i in range(LAYERS):
        at = f"blocks.{i}."
        q, k, v = layer(at + "attn.qkv", norm(at + "norm1", h)).split(WIDTH, dim=2)
        heads = []
        for j in range(HEADS):
            of = slice(j * WIDTH // HEADS, (j + 1) * WIDTH // HEADS)
            scores = q[..., of] @ k[..., of].transpose(1, 2) / (WIDTH // HEADS) ** 0.5
            heads.append(scores.softmax(dim=-1) @ v[..., of])
        h = h + w[at + "ls1.gamma"] * layer(at + "attn.proj", torch.cat(heads, dim=2))
        inside = F.gelu(layer(at + "mlp.fc1", norm(at + "norm2", h)))
        h = h + w[at + "ls2.gamma"] * layer(at + "mlp.fc2", inside)
    return norm("norm", h)[:, 0]


def write(path, tensors):
    header, parts, offset = {}, [], 0
    for name, tensor in tensors.items():
        data = tensor.numpy().astype(numpy.float32).tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [offset, offset + len(data)]}
        parts.append(data)
        offset += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(parts))


def main():
    out = {}
    for case, registers in (("plain", 0), ("registers", 4)):
        w = weights(registers, 7 + registers)
        out.update({f"{case}.w.{name}": tensor for name, tensor in w.items()})
        for pixels in (12, 20, 28):
            generator = torch.Generator().manual_seed(pixels)
            x = torch.randn(2, 3, pixels, pixels, generator=generator, dtype=torch.float64).float().double()
            out[f"{case}.x{pixels}"] = x
            out[f"{case}.cls{pixels}"] = forward(w, x, registers)
    write(os.path.join(os.path.dirname(os.path.abspath(__file__)), "dinov2.safetensors"), out)


if __name__ == "__main__":
    main()
