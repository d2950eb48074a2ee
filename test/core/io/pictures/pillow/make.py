"""Makes the pictures of this folder, and pixels.npz: what Pillow's convert("L") (grey) or convert("RGB") (all else) gives of each.

    python3 test/core/io/pictures/pillow/make.py      # Pillow 9.4.0, libjpeg-turbo 2.1.5, libwebp 1.2.4, NumPy 1.24.2

PNG files are written here chunk by chunk, since Pillow writes only some kinds. Grey of 16 bits is stored as its upper bytes:
Pillow clips it at 255.
"""

import io
import pathlib
import struct
import zlib

import numpy as np
from PIL import Image, ImageCms

FOLDER = pathlib.Path(__file__).parent
W, H = 11, 9
draw = np.random.default_rng(12)
pixels = {}


def keep(name, data, expected=None):
    (FOLDER / name).write_bytes(data)
    if expected is None:
        picture = Image.open(io.BytesIO(data))
        # Grey with alpha of 16 bits opens as RGBA.
        grey = name.startswith("grey")
        expected = np.asarray(picture.convert("L" if grey else "RGB"))
    pixels[name] = expected.reshape(*expected.shape[:2], -1)


# --- PNG: every kind, plain and interlaced, with all filters and the data in two chunks ---

CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
COLOURS = {0: "grey", 2: "rgb", 3: "palette", 4: "greyAlpha", 6: "rgba"}
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def packed(row, depth):
    """A row of samples as bytes."""
    if depth == 16:
        return row.astype(">u2").tobytes()
    if depth == 8:
        return row.astype(np.uint8).tobytes()
    bits = "".join(format(int(sample), f"0{depth}b") for sample in row)
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))


def filtered(rows, pixel):
    """Rows with filter 0 to 4 in turn."""
    out = b""
    above = bytes(len(rows[0]))
    for y, row in enumerate(rows):
        kind = y % 5
        line = bytearray()
        for i, value in enumerate(row):
            a = row[i - pixel] if i >= pixel else 0
            b, c = above[i], (above[i - pixel] if i >= pixel else 0)
            near = min((a, b, c), key=lambda each: abs(a + b - c - each))
            line.append((value - (0, a, b, (a + b) // 2, near)[kind]) & 255)
        out += bytes([kind]) + line
        above = row
    return out


def png(samples, depth, colour, interlaced, extra=b""):
    height, width = samples.shape[:2]
    pixel = max(1, depth * CHANNELS[colour] // 8)
    data = b""
    for left, top, across, down in ADAM7 if interlaced else [(0, 0, 1, 1)]:
        part = samples[top::down, left::across]
        if part.size:
            data += filtered([packed(row.reshape(-1), depth) for row in part], pixel)
    data = zlib.compress(data)
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    half = len(data) // 2
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + extra
        + chunk(b"IDAT", data[:half])
        + chunk(b"IDAT", data[half:])
        + chunk(b"IEND", b"")
    )


for colour, depths in DEPTHS.items():
    for depth in depths:
        for interlaced in (0, 1):
            samples = draw.integers(0, 2**depth, (H, W, CHANNELS[colour]))
            extra = b""
            if colour == 3:
                extra = chunk(b"PLTE", draw.bytes(3 * 2**depth)) + chunk(b"tRNS", bytes([0, 128]))
            name = f"{COLOURS[colour]}{depth}{'Adam7' if interlaced else ''}.png"
            sixteen = colour == 0 and depth == 16
            keep(name, png(samples, depth, colour, interlaced, extra), (samples >> 8).astype(np.uint8) if sixteen else None)
# Smaller than a block of Adam7: passes without pixels.
keep("tinyAdam7.png", png(draw.integers(0, 256, (2, 1, 3)), 8, 2, 1))
# A colour that stands for transparent.
samples = draw.integers(0, 256, (H, W, 3))
key = struct.pack(">HHH", *(int(each) for each in samples[0, 0]))
keep("rgb8Key.png", png(samples, 8, 2, 0, chunk(b"tRNS", key)))

# --- JPEG and WebP of one picture: a slope of colours with noise ---

y, x = np.mgrid[0:27, 0:35]
slope = np.dstack([x * 7, y * 9, (x + y) * 4])
photo = Image.fromarray(np.clip(slope + draw.normal(0, 20, slope.shape), 0, 255).astype(np.uint8))


def stored(picture, kind, **options):
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def wide_gamut():
    """The sRGB profile with the red and green of a wider space."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for name, primary in ((b"rXYZ", (0.7977, 0.2880, 0.0)), (b"gXYZ", (0.1352, 0.7119, 0.0))):
        entry = profile.index(name)
        at = struct.unpack(">I", profile[entry + 4 : entry + 8])[0] + 8
        profile[at : at + 12] = struct.pack(">iii", *(round(65536 * each) for each in primary))
    return bytes(profile)


orientation = Image.Exif()
orientation[0x0112] = 6
keep("420.jpg", stored(photo, "JPEG", quality=75))
keep("422.jpg", stored(photo, "JPEG", quality=90, subsampling=1, optimize=True))
keep("444.jpg", stored(photo, "JPEG", quality=60, subsampling=0))
keep("progressive.jpg", stored(photo, "JPEG", quality=75, progressive=True))
keep("grey.jpg", stored(photo.convert("L"), "JPEG", quality=80))
keep("orientation6.jpg", stored(photo, "JPEG", quality=50, exif=orientation))
keep("wideGamut.jpg", stored(photo, "JPEG", quality=75, icc_profile=wide_gamut()))
keep("lossy.webp", stored(photo, "WEBP", quality=75))
keep("lossless.webp", stored(photo, "WEBP", lossless=True))
alpha = Image.fromarray(draw.integers(0, 256, (27, 35), dtype=np.uint8))
keep("alpha.webp", stored(Image.merge("RGBA", (*photo.split(), alpha)), "WEBP", quality=60))
keep("alphaLossless.webp", stored(Image.merge("RGBA", (*photo.split(), alpha)), "WEBP", lossless=True, exact=True))
keep("orientation6.webp", stored(photo, "WEBP", quality=40, exif=orientation, icc_profile=wide_gamut()))

# --- what is refused ---

(FOLDER / "cmyk.jpg").write_bytes(stored(photo.convert("CMYK"), "JPEG"))
(FOLDER / "animated.webp").write_bytes(
    stored(photo, "WEBP", quality=30, save_all=True, append_images=[photo.transpose(Image.Transpose.ROTATE_180)])
)

# --- the middle, resized: EDM's dataset_tool.py --transform=center-crop --resolution=16x16 ---

picture = np.asarray(Image.open(FOLDER / "420.jpg"))
side = min(picture.shape[:2])
top, left = (picture.shape[0] - side) // 2, (picture.shape[1] - side) // 2
middle = Image.fromarray(picture[top : top + side, left : left + side])
pixels["420.jpg middle 16 x 16"] = np.asarray(middle.resize((16, 16), Image.Resampling.LANCZOS))
pixels["420.jpg stretched 10 x 24"] = np.asarray(Image.fromarray(picture).resize((24, 10), Image.Resampling.BICUBIC))
pixels["420.jpg L"] = np.asarray(Image.open(FOLDER / "420.jpg").convert("L"))[..., None]

np.savez_compressed(FOLDER / "pixels.npz", **pixels)
