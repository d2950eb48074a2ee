"""PyTorch on the CPU, behind the protocol of protocol.ts. usage: python3 pytorch.py THREADS"""
import json
import resource
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

BATCH, EMBEDDING, GROUPS, HEADS = 32, 128, 8, 4
torch.set_num_threads(int(sys.argv[1]))


def hash_uniform(seed, count):
    """As hashUniform of data.ts."""
    i = np.arange(count, dtype=np.uint32)
    with np.errstate(over="ignore"):
        x = i * np.uint32(2654435761) + np.uint32((seed * 40503 + 12345) & 0xFFFFFFFF)
        x = (x ^ (x >> np.uint32(16))) * np.uint32(0x85EBCA6B)
        x = (x ^ (x >> np.uint32(13))) * np.uint32(0xC2B2AE35)
        x ^= x >> np.uint32(16)
    return (x.astype(np.float64) / 2147483648.0 - 1.0).astype(np.float32)


def drawn(seed, *shape, grad=False):
    data = hash_uniform(seed, int(np.prod(shape))).reshape(shape)
    return torch.from_numpy(data.copy()).requires_grad_(grad)


def bench_parameters():
    """As benchParameters of data.ts."""
    found = {}

    def put(name, shape, value):
        size = int(np.prod(shape))
        if value is None:
            data = hash_uniform(1000 + len(found), size) / np.float32(np.sqrt(size // shape[0]))
        else:
            data = np.full(size, value, np.float32)
        found[name] = torch.from_numpy(data.reshape(shape).copy()).requires_grad_(True)

    def layer(name, shape):
        put(name + ".w", shape, None)
        put(name + ".b", shape[:1], 0)

    def conv(name, a, b, k=3):
        layer(name, (b, a, k, k))

    def linear(name, a, b):
        layer(name, (b, a))

    def norm(name, c):
        put(name + ".g", (c,), 1)
        put(name + ".b", (c,), 0)

    def block(name, a, b):
        norm(name + ".gn1", a)
        conv(name + ".c1", a, b)
        linear(name + ".emb", EMBEDDING, b)
        norm(name + ".gn2", b)
        conv(name + ".c2", b, b)
        if a != b:
            conv(name + ".sk", a, b, 1)

    linear("t1", 32, EMBEDDING)
    linear("t2", EMBEDDING, EMBEDDING)
    conv("in", 3, 32)
    block("d0a", 32, 32)
    block("d0b", 32, 32)
    conv("down", 32, 32)
    block("d1a", 32, 64)
    block("d1b", 64, 64)
    block("m1", 64, 64)
    norm("at.gn", 64)
    linear("at.qkv", 64, 192)
    linear("at.o", 64, 64)
    block("m2", 64, 64)
    block("u1a", 128, 64)
    block("u1b", 128, 64)
    conv("up", 64, 64)
    block("u0a", 96, 32)
    block("u0b", 64, 32)
    norm("out.gn", 32)
    conv("out", 32, 3)
    return found


def bench_batch():
    x, y = drawn(1, BATCH, 3, 16, 16), drawn(2, BATCH, 3, 16, 16)
    frequencies = torch.exp(torch.arange(16) * (-np.log(10000.0) / 16)).float()
    angle = torch.from_numpy((np.arange(BATCH) * 31 % 1000).astype(np.float32))[:, None] * frequencies
    return x, y, torch.cat([angle.cos(), angle.sin()], 1)


def unet(P, x, embedding):
    def conv(name, h, stride=1):
        w = P[name + ".w"]
        return F.conv2d(h, w, P[name + ".b"], stride=stride, padding=w.shape[2] // 2)

    def linear(name, h):
        return F.linear(h, P[name + ".w"], P[name + ".b"])

    def norm(name, h):
        return F.group_norm(h, GROUPS, P[name + ".g"], P[name + ".b"])

    def block(name, h, e):
        y = conv(name + ".c1", F.silu(norm(name + ".gn1", h)))
        y = y + linear(name + ".emb", e)[:, :, None, None]
        y = conv(name + ".c2", F.silu(norm(name + ".gn2", y)))
        return y + (conv(name + ".sk", h) if name + ".sk.w" in P else h)

    def attend(h):
        N, C, H, W = h.shape
        z = norm("at.gn", h).reshape(N, C, H * W).transpose(1, 2)
        qkv = linear("at.qkv", z).reshape(N, H * W, 3, HEADS, C // HEADS).permute(2, 0, 3, 1, 4)
        mixed = attention(qkv[0], qkv[1], qkv[2]).transpose(1, 2).reshape(N, H * W, C)
        return h + linear("at.o", mixed).transpose(1, 2).reshape(N, C, H, W)

    e = F.silu(linear("t2", F.silu(linear("t1", embedding))))
    h1 = block("d0a", conv("in", x), e)
    h2 = block("d0b", h1, e)
    h3 = block("d1a", conv("down", h2, 2), e)
    h4 = block("d1b", h3, e)
    h = block("m2", attend(block("m1", h4, e)), e)
    h = block("u1a", torch.cat([h, h4], 1), e)
    h = block("u1b", torch.cat([h, h3], 1), e)
    h = conv("up", F.interpolate(h, scale_factor=2, mode="nearest"))
    h = block("u0a", torch.cat([h, h2], 1), e)
    h = block("u0b", torch.cat([h, h1], 1), e)
    return conv("out", F.silu(norm("out.gn", h)))


def attention(q, k, v):
    return torch.softmax(q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5, -1) @ v


def without_gradient(f):
    def call():
        with torch.no_grad():
            f()

    return call


def with_backward(f, operands, dy):
    def call():
        for operand in operands:
            operand.grad = None
        f().backward(dy)

    return call


def matmul(n):
    a, b = drawn(7, n, n), drawn(8, n, n)
    return without_gradient(lambda: a @ b)


IMAGE = (16, 64, 32, 32)
HEADED = (8, 4, 256, 32)


def conv(backward):
    x, w, b = drawn(7, *IMAGE, grad=True), drawn(9, 64, 64, 3, 3, grad=True), drawn(10, 64, grad=True)
    f = lambda: F.conv2d(x, w, b, padding=1)
    return with_backward(f, (x, w, b), drawn(14, *IMAGE)) if backward else without_gradient(f)


def groupnorm_silu(backward):
    x = drawn(7, *IMAGE, grad=True)
    g, b = torch.ones(64, requires_grad=True), torch.zeros(64, requires_grad=True)
    f = lambda: F.silu(F.group_norm(x, 8, g, b))
    return with_backward(f, (x, g, b), drawn(14, *IMAGE)) if backward else without_gradient(f)


def attend(backward):
    q, k, v = (drawn(seed, *HEADED, grad=True) for seed in (11, 12, 13))
    f = lambda: attention(q, k, v)
    return with_backward(f, (q, k, v), drawn(14, *HEADED)) if backward else without_gradient(f)


def elementwise():
    e = drawn(7, 4 * 2**20)
    return without_gradient(lambda: torch.sqrt((torch.sigmoid(e * 1.1 + 0.3) * e - 0.1) ** 2 + 1))


def adam():
    p = drawn(7, 5_000_000, grad=True)
    p.grad = drawn(3, 5_000_000)
    optimizer = torch.optim.Adam([p], lr=1e-4)

    def call():
        optimizer.step()

    return call


def unet_forward():
    P, (x, _, embedding) = bench_parameters(), bench_batch()
    return without_gradient(lambda: unet(P, x, embedding))


def unet_step():
    P, (x, y, embedding) = bench_parameters(), bench_batch()
    optimizer = torch.optim.Adam(P.values(), lr=1e-3)

    def call():
        optimizer.zero_grad(set_to_none=True)
        loss = F.mse_loss(unet(P, x, embedding), y)
        loss.backward()
        optimizer.step()
        return loss

    return call


class Inception:
    """Inception-v3 up to its pooled features, batch norms folded: as inceptionLayers of plugins/extractors/inception.ts."""

    def __init__(self):
        self.P, self.seed = {}, 2000

    def parameter(self, *shape):
        bound = np.sqrt(6 / np.prod(shape[1:])) if len(shape) > 1 else 0.1
        self.seed += 1
        return drawn(self.seed - 1, *shape) * np.float32(bound)

    def layer(self, name, x, channels, kernel=1, stride=1, padding=None):
        kernel = kernel if isinstance(kernel, tuple) else (kernel, kernel)
        if name not in self.P:
            self.P[name] = (self.parameter(channels, x.shape[1], *kernel), self.parameter(channels))
        padding = (kernel[0] // 2, kernel[1] // 2) if padding is None else padding
        return F.relu_(F.conv2d(x, *self.P[name], stride=stride, padding=padding))

    def block_a(self, n, x, pooled):
        five = self.layer(n + "5a", x, 48)
        double = self.layer(n + "db", self.layer(n + "da", x, 64), 96, 3)
        parts = [self.layer(n + "1", x, 64), self.layer(n + "5b", five, 64, 5), self.layer(n + "dc", double, 96, 3)]
        return torch.cat(parts + [self.layer(n + "p", averaged(x), pooled)], 1)

    def block_b(self, n, x):
        double = self.layer(n + "db", self.layer(n + "da", x, 64), 96, 3)
        parts = [self.layer(n + "3", x, 384, 3, 2, 0), self.layer(n + "dc", double, 96, 3, 2, 0)]
        return torch.cat(parts + [F.max_pool2d(x, 3, 2)], 1)

    def block_c(self, n, x, inner):
        row, column = (1, 7), (7, 1)
        first = self.layer(n + "1", x, 192)
        seven = self.layer(n + "7b", self.layer(n + "7a", x, inner), inner, row)
        seven = self.layer(n + "7c", seven, 192, column)
        double = self.layer(n + "da", x, inner)
        for part, kernel, channels in (("b", column, inner), ("c", row, inner), ("d", column, inner), ("e", row, 192)):
            double = self.layer(n + "d" + part, double, channels, kernel)
        return torch.cat([first, seven, double, self.layer(n + "p", averaged(x), 192)], 1)

    def block_d(self, n, x):
        three = self.layer(n + "3a", x, 192)
        seven = self.layer(n + "7b", self.layer(n + "7a", x, 192), 192, (1, 7))
        seven = self.layer(n + "7c", seven, 192, (7, 1))
        parts = [self.layer(n + "3b", three, 320, 3, 2, 0), self.layer(n + "7d", seven, 192, 3, 2, 0)]
        return torch.cat(parts + [F.max_pool2d(x, 3, 2)], 1)

    def block_e(self, n, x, pool):
        parted = lambda m, h: [self.layer(n + m + "row", h, 384, (1, 3)), self.layer(n + m + "col", h, 384, (3, 1))]
        three = self.layer(n + "3", x, 384)
        double = self.layer(n + "db", self.layer(n + "da", x, 448), 384, 3)
        parts = [self.layer(n + "1", x, 320), *parted("3", three), *parted("d", double)]
        return torch.cat(parts + [self.layer(n + "p", pool(x), 192)], 1)

    def pooled(self, x):
        h = F.interpolate(x, size=(299, 299), mode="bilinear", align_corners=False)
        h = self.layer("1a", h, 32, 3, 2, 0)
        h = self.layer("2b", self.layer("2a", h, 32, 3, 1, 0), 64, 3)
        h = self.layer("4a", self.layer("3b", F.max_pool2d(h, 3, 2), 80), 192, 3, 1, 0)
        h = F.max_pool2d(h, 3, 2)
        for name, channels in (("5b", 32), ("5c", 64), ("5d", 64)):
            h = self.block_a(name, h, channels)
        h = self.block_b("6a", h)
        for name, inner in (("6b", 128), ("6c", 160), ("6d", 160), ("6e", 192)):
            h = self.block_c(name, h, inner)
        h = self.block_e("7b", self.block_d("7a", h), averaged)
        return self.block_e("7c", h, lambda x: F.max_pool2d(x, 3, 1, 1)).mean((2, 3))


def averaged(x):
    return F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)


def inception():
    network, x = Inception(), drawn(1, 50, 3, 32, 32)
    return without_gradient(lambda: network.pooled(x))


CASES = {
    **{f"matmul {n}": (lambda n=n: matmul(n)) for n in (256, 512, 1024)},
    "conv forward": lambda: conv(False),
    "conv backward": lambda: conv(True),
    "groupnorm silu": lambda: groupnorm_silu(False),
    "groupnorm silu backward": lambda: groupnorm_silu(True),
    "attention": lambda: attend(False),
    "attention backward": lambda: attend(True),
    "elementwise": elementwise,
    "adam 5M": adam,
    "unet forward": unet_forward,
    "unet step": unet_step,
    "inception": inception,
}
MOST_CALLS = 200
QUICK_MS = 300


def cpu_ms():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return (used.ru_utime + used.ru_stime) * 1e3


class Server:
    def __init__(self):
        self.current, self.values, self.last_ms = None, [], 0.0

    def call(self):
        start = time.perf_counter()
        self.value = self.current()
        self.last_ms = (time.perf_counter() - start) * 1e3
        return self.last_ms

    def call_and_read(self):
        self.call()
        if self.value is not None:
            self.values.append(self.value.item())

    def answer(self, request):
        ask = request["ask"]
        if ask == "prepare":
            if request["case"] not in CASES:
                raise ValueError("not among the cases of this engine")
            self.values = []
            start, cpu = time.perf_counter(), cpu_ms()
            self.current = CASES[request["case"]]()
            self.call_and_read()
            return {"firstMs": (time.perf_counter() - start) * 1e3, "firstCpuMs": cpu_ms() - cpu}
        if ask == "round":
            return self.round(request["ms"])
        if ask == "values":
            while len(self.values) < request["calls"]:
                self.call_and_read()
            return {"values": self.values}
        self.current = None
        return {}

    def round(self, ms):
        if self.last_ms < QUICK_MS:
            self.call()
        cpu, wall = cpu_ms(), []
        while not wall or (sum(wall) < ms and len(wall) < MOST_CALLS):
            wall.append(self.call())
        none = ("dispatches", "submits", "newBindGroups", "newBuffers", "peakBytes")
        return {"wallMs": wall, "cpuMs": (cpu_ms() - cpu) / len(wall), **dict.fromkeys(none)}


def main():
    server = Server()
    say = lambda reply: print(json.dumps(reply), flush=True)
    say({"about": f"PyTorch {torch.__version__} on the CPU, {torch.get_num_threads()} threads"})
    for line in sys.stdin:
        try:
            say(server.answer(json.loads(line)))
        except Exception as error:
            say({"failed": str(error)})


main()
