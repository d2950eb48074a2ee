"""The U-Net of SD 1.5 in PyTorch with made-up weights in f32: prints what forward passes at 64 x 64 latents take.
usage: python3 sizes.py THREADS PASSES"""
import math
import resource
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

THREADS, PASSES = int(sys.argv[1]), int(sys.argv[2])
CHANNELS, EMBEDDED, HEADS, TEXT = [320, 640, 1280, 1280], 1280, 8, 768
torch.set_num_threads(THREADS)
torch.set_grad_enabled(False)


def pointwise(x, weight, bias=None):
    """y[1 O N 1] = weight[O I 1 1] x[1 I N 1] by oneDNN, also in builds of PyTorch whose BLAS is slow."""
    return torch.ops.aten.mkldnn_convolution(x, weight, bias, [0, 0], [1, 1], [1, 1], 1)


def started(*shape):
    bound = 1 / math.sqrt(math.prod(shape[1:]))
    return nn.Parameter(torch.empty(*shape).uniform_(-bound, bound))


class Linear(nn.Module):
    def __init__(self, inputs, outputs, bias=True):
        super().__init__()
        self.weight = started(outputs, inputs)
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None

    def forward(self, x):
        if x.dim() < 3:
            return F.linear(x, self.weight, self.bias)
        columns = x.transpose(1, 2).contiguous()[..., None]
        return pointwise(columns, self.weight[:, :, None, None], self.bias)[..., 0].transpose(1, 2)


class Conv(nn.Module):
    def __init__(self, inputs, outputs, size=3, stride=1):
        super().__init__()
        self.weight, self.bias = started(outputs, inputs, size, size), nn.Parameter(torch.zeros(outputs))
        self.stride = stride

    def forward(self, x):
        if self.weight.shape[-1] == 1:
            return pointwise(x, self.weight, self.bias)
        return F.conv2d(x, self.weight, self.bias, self.stride, 1)


class Residual(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.norm1, self.conv1 = nn.GroupNorm(32, inputs), Conv(inputs, outputs)
        self.time = Linear(EMBEDDED, outputs)
        self.norm2, self.conv2 = nn.GroupNorm(32, outputs), Conv(outputs, outputs)
        self.shortcut = Conv(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x, embedded):
        h = self.conv1(F.silu(self.norm1(x))) + self.time(F.silu(embedded))[:, :, None, None]
        return self.shortcut(x) + self.conv2(F.silu(self.norm2(h)))


class Attention(nn.Module):
    def __init__(self, width, context):
        super().__init__()
        self.q, self.k, self.v = (Linear(size, width, False) for size in (width, context, context))
        self.out = Linear(width, width)

    def forward(self, x, context):
        size = x.shape[2] // HEADS
        q, k, v = (y[0].t().reshape(HEADS, size, -1) for y in (self.q(x), self.k(context), self.v(context)))
        heads = []
        for head in range(HEADS):
            keys = k[head].t().contiguous()[:, :, None, None]
            shares = pointwise(q[head][None, :, :, None] * size**-0.5, keys).softmax(1)
            heads.append(pointwise(shares, v[head].contiguous()[:, :, None, None])[0, :, :, 0])
        return self.out(torch.cat(heads)[None].transpose(1, 2))


class Transformer(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm, self.enter, self.leave = nn.GroupNorm(32, width), Conv(width, width, 1), Conv(width, width, 1)
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(width) for _ in range(3))
        self.attention, self.reading = Attention(width, width), Attention(width, TEXT)
        self.gated, self.back = Linear(width, 8 * width), Linear(4 * width, width)

    def forward(self, x, text):
        _, width, height, across = x.shape
        h = self.enter(self.norm(x)).reshape(1, width, -1).transpose(1, 2)
        y = self.norm1(h)
        h = h + self.attention(y, y)
        h = h + self.reading(self.norm2(h), text)
        value, gate = self.gated(self.norm3(h)).chunk(2, -1)
        h = h + self.back(value * F.gelu(gate))
        return x + self.leave(h.transpose(1, 2).reshape(1, width, height, across))


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.time1, self.time2 = Linear(CHANNELS[0], EMBEDDED), Linear(EMBEDDED, EMBEDDED)
        self.enter, self.leave = Conv(4, CHANNELS[0]), Conv(CHANNELS[0], 4)
        self.norm = nn.GroupNorm(32, CHANNELS[0])
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        width, kept = CHANNELS[0], [CHANNELS[0]]
        for level, outputs in enumerate(CHANNELS):
            for _ in range(2):
                self.down.append(self.block(level, width, outputs))
                width = outputs
                kept.append(outputs)
            if level < 3:
                self.down.append(nn.ModuleList([Conv(outputs, outputs, stride=2)]))
                kept.append(outputs)
        self.middle = nn.ModuleList([Residual(width, width), Transformer(width), Residual(width, width)])
        for level, outputs in reversed(list(enumerate(CHANNELS))):
            for _ in range(3):
                self.up.append(self.block(level, width + kept.pop(), outputs))
                width = outputs
            if level > 0:
                self.up.append(nn.ModuleList([Conv(outputs, outputs)]))

    @staticmethod
    def block(level, inputs, outputs):
        return nn.ModuleList([Residual(inputs, outputs)] + ([Transformer(outputs)] if level < 3 else []))

    def forward(self, x, timestep, text):
        angles = timestep * torch.exp(-math.log(10_000) * torch.arange(160) / 160)
        embedded = self.time2(F.silu(self.time1(torch.cat([angles.cos(), angles.sin()])[None])))

        def through(parts, h):
            first, *rest = parts
            h = first(h) if isinstance(first, Conv) else first(h, embedded)
            for part in rest:
                h = part(h, text)
            return h

        h = self.enter(x)
        kept = [h]
        for parts in self.down:
            h = through(parts, h)
            kept.append(h)
        h = self.middle[2](through(self.middle[:2], h), embedded)
        for parts in self.up:
            sampling = isinstance(parts[0], Conv)
            h = through(parts, F.interpolate(h, scale_factor=2.0) if sampling else torch.cat([h, kept.pop()], 1))
        return self.leave(F.silu(self.norm(h)))


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


net = UNet()
print("parameters", sum(parameter.numel() for parameter in net.parameters()), flush=True)
x, text = torch.randn(1, 4, 64, 64), torch.randn(1, 77, TEXT)
for _ in range(PASSES):
    start, cpu = time.time(), cpu_seconds()
    y = net(x, 500.0, text)
    assert y.shape == x.shape and y.isfinite().all()
    print(f"pass {time.time() - start:.2f} s, cpu {cpu_seconds() - cpu:.2f} s", flush=True)
