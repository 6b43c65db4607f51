#!/usr/bin/env python3
"""Decoding and augmenting JPEGs, ours beside torchvision on the same files, one thread each, taking turns.

  torch_images.py LUT_DLL [--rounds 3] [--seconds 3] [--images 64]     a table: images/s of each pipeline, and ours over theirs

Needs PyTorch, torchvision and Pillow (Debian: python3-torchvision). The files are photographs' sizes (500 x 375, quality 90, 4:2:0), made of smooth noise.
"""
import argparse
import json
import os
import subprocess
import tempfile
import time

import torch
from PIL import Image, ImageFilter
from torchvision import transforms as T
from torchvision.transforms import InterpolationMode

torch.set_num_threads(1)
a = argparse.ArgumentParser()
a.add_argument("lut")
a.add_argument("--rounds", type=int, default=3)
a.add_argument("--seconds", type=float, default=3)
a.add_argument("--images", type=int, default=64)
a = a.parse_args()
BICUBIC = InterpolationMode.BICUBIC
end = [T.ToTensor(), T.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))]
simple = [T.Resize(224, BICUBIC), T.RandomCrop(224, padding=4, padding_mode="reflect"), T.RandomHorizontalFlip()]
one = T.RandomChoice([T.RandomGrayscale(1.0), T.RandomSolarize(128, 1.0), lambda p: p.filter(ImageFilter.GaussianBlur(float(torch.empty(1).uniform_(0.1, 2.0))))])
PIPELINES = {
    "decode": [],
    "weak": simple + end,
    "strong": simple + [T.RandomApply([T.ColorJitter(0.4, 0.4, 0.2, 0.1)], 0.8), one] + end,
    "random_resized": [T.RandomResizedCrop(224, (0.2, 1.0), interpolation=BICUBIC), T.RandomHorizontalFlip()] + end,
    "train": [T.RandomResizedCrop(224, (0.08, 1.0), interpolation=BICUBIC), T.RandomHorizontalFlip(), T.RandAugment(2, 9, interpolation=BICUBIC)] + end + [T.RandomErasing(0.25)],
    "eval": [T.Resize(256, BICUBIC), T.CenterCrop(224)] + end,
}

with tempfile.TemporaryDirectory() as folder:
    files = []
    for split in ("train", "val"):
        for i in range(a.images):
            os.makedirs(f"{folder}/{split}/c{i % 2}", exist_ok=True)
            noise = Image.effect_noise((63, 47), 90).resize((500, 375), Image.BICUBIC)
            image = Image.merge("RGB", [noise, noise.transpose(Image.FLIP_LEFT_RIGHT), Image.effect_noise((500, 375), 12)])
            path = f"{folder}/{split}/c{i % 2}/{i}.jpg"
            image.save(path, quality=90)
            if split == "train":
                files.append(path)

    def theirs(steps):
        run = T.Compose(steps)
        n, begin = 0, time.perf_counter()
        while time.perf_counter() - begin < a.seconds:
            with open(files[n % len(files)], "rb") as f:
                run(Image.open(f).convert("RGB"))
            n += 1
        return n / (time.perf_counter() - begin)

    def ours():
        out = subprocess.run(["dotnet", a.lut, "data", "bench", folder, "--seconds", str(a.seconds), "--json"], check=True, stdout=subprocess.PIPE).stdout
        return {p["name"]: p["images_per_second"] for p in json.loads(out)["pipelines"]}

    mine, other = {k: [] for k in PIPELINES}, {k: [] for k in PIPELINES}
    for _ in range(a.rounds):
        for k, v in ours().items():
            mine[k].append(v)
        for k, steps in PIPELINES.items():
            other[k].append(theirs(steps))
    median = lambda x: sorted(x)[len(x) // 2]
    print("| pipeline | ours, images/s | torchvision | ratio |\n| --- | --- | --- | --- |")
    for k in PIPELINES:
        print(f"| {k} | {median(mine[k]):.0f} | {median(other[k]):.0f} | {median(mine[k]) / median(other[k]):.2f} |")
