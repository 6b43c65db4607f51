#!/usr/bin/env python3
"""LUT and MAE pre-training steps in PyTorch, to hold ours against: the same network, losses and optimiser, written from the method's description with the authors' tensor names.

  torch_lut.py bench  [--shape vitb16] [--batch 128] [--mode fp32|tf32|bf16|bf16-compiled] [--device cuda] [--seconds 5]     one JSON object: images/s of whole steps
  torch_lut.py parity STEP.safetensors     what `lut export-step` wrote: losses, gradient norms and the state after the step, with tolerances

Needs PyTorch 1.13 or later. Nothing else: safetensors files are read and written here.
"""
import argparse
import copy
import json
import math
import struct
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

SHAPES = {  # image, patch, width, depth, heads, decoder width, depth, heads, head width: those of `lut bench`
    "vits16": (224, 16, 384, 12, 6, 512, 8, 16, 4096),
    "vitb16": (224, 16, 768, 12, 12, 512, 8, 16, 4096),
    "vitl16": (224, 16, 1024, 24, 16, 512, 8, 16, 4096),
    "tiny": (32, 4, 192, 12, 3, 96, 2, 3, 4096),
}


def read_safetensors(path):
    with open(path, "rb") as f:
        header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
        data = bytearray(f.read())
    types = {"F32": torch.float32, "I64": torch.int64, "I32": torch.int32, "U8": torch.uint8}
    meta = header.pop("__metadata__", {})
    return {k: torch.frombuffer(data, dtype=types[v["dtype"]], offset=v["data_offsets"][0], count=max(1, math.prod(v["shape"]))).reshape(v["shape"]) for k, v in header.items()}, meta


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x):
        b, n, d = x.shape
        q, k, v = self.qkv(x).reshape(b, n, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        if hasattr(F, "scaled_dot_product_attention"):
            y = F.scaled_dot_product_attention(q, k, v)
        else:
            y = ((q @ k.transpose(-2, -1)) * (d // self.heads) ** -0.5).softmax(dim=-1) @ v
        return self.proj(y.transpose(1, 2).reshape(b, n, d))


class Mlp(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.fc1 = nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x)))


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=1e-6)
        self.attn = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width, eps=1e-6)
        self.mlp = Mlp(width)

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


def mlp_head(width, hidden):
    return nn.Sequential(nn.Linear(width, hidden, bias=False), nn.BatchNorm1d(hidden), nn.ReLU(), nn.Linear(hidden, width, bias=False))


class Patches(nn.Module):
    def __init__(self, patch, width):
        super().__init__()
        self.proj = nn.Conv2d(3, width, patch, patch)

    def forward(self, x):
        return self.proj(x).flatten(2).transpose(1, 2)


class Lut(nn.Module):
    def __init__(self, image, patch, width, depth, heads, decoder_width, decoder_depth, decoder_heads, head, context=True):
        super().__init__()
        n = (image // patch) ** 2
        self.patch = patch
        self.patch_embed = Patches(patch, width)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.mask_token = nn.Parameter(torch.zeros(1, 1, decoder_width))
        self.pos_embed = nn.Parameter(torch.zeros(1, n + 1, width), requires_grad=False)
        self.decoder_pos_embed = nn.Parameter(torch.zeros(1, n + 1, decoder_width), requires_grad=False)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.decoder_embed = nn.Linear(width, decoder_width)
        self.decoder_blocks = nn.ModuleList(Block(decoder_width, decoder_heads) for _ in range(decoder_depth))
        self.decoder_norm = nn.LayerNorm(decoder_width, eps=1e-6)
        self.decoder_pred = nn.Linear(decoder_width, patch * patch * 3)
        if context:
            self.head = mlp_head(width, head)
            self.predictor = mlp_head(width, head)

    def encode(self, images, keep=None):
        """keep [B, K]: indices of the visible patches, or None for all."""
        x = self.patch_embed(images) + self.pos_embed[:, 1:]
        if keep is not None:
            x = x.gather(1, keep[..., None].expand(-1, -1, x.shape[2]))
        x = torch.cat([self.cls_token.expand(len(x), -1, -1) + self.pos_embed[:, :1], x], 1)
        for block in self.blocks:
            x = block(x)
        return self.norm(x)

    def decode(self, x, restore):
        x = self.decoder_embed(x)
        tokens = torch.cat([x[:, 1:], self.mask_token.to(x.dtype).expand(len(x), restore.shape[1] + 1 - x.shape[1], -1)], 1)
        tokens = tokens.gather(1, restore[..., None].expand(-1, -1, x.shape[2]))
        x = torch.cat([x[:, :1], tokens], 1) + self.decoder_pos_embed
        for block in self.decoder_blocks:
            x = block(x)
        return self.decoder_pred(self.decoder_norm(x))[:, 1:]

    def target(self, images, norm_pix_loss):
        b, c, h, _ = images.shape
        p, n = self.patch, h // self.patch
        t = images.reshape(b, c, n, p, n, p).permute(0, 2, 4, 3, 5, 1).reshape(b, n * n, p * p * c)
        return (t - t.mean(-1, keepdim=True)) / (t.var(-1, keepdim=True) + 1e-6) ** 0.5 if norm_pix_loss else t


def distance(a, b):
    return (2 - 2 * (F.normalize(a, dim=-1, eps=1e-12) * F.normalize(b, dim=-1, eps=1e-12)).sum(-1)).mean()


def losses(net, teacher, u, v, shuffle, kept, norm_pix_loss=True, w_bc=0.25):
    """shuffle [B, P]: patches by ascending noise; view u keeps the first, view v the next kept."""
    restore = shuffle.argsort(1)
    visible = net.encode(u, shuffle[:, :kept])
    pred = net.decode(visible, restore)
    mask = (restore >= kept).float()
    recon = (((pred.float() - net.target(u, norm_pix_loss)) ** 2).mean(-1) * mask).sum() / mask.sum()
    if teacher is None:
        return recon, recon, torch.zeros(())
    other = net.encode(v, shuffle[:, kept : 2 * kept])
    qu = net.predictor(net.head(visible[:, 1:].mean(1)))
    qv = net.predictor(net.head(other[:, 1:].mean(1)))
    with torch.no_grad():
        tu = teacher.head(teacher.encode(u)[:, 1:].mean(1))
        tv = teacher.head(teacher.encode(v)[:, 1:].mean(1))
    context = (distance(qv.float(), tu.float()) + distance(qu.float(), tv.float())) / 2
    return recon + w_bc * context, recon, context


def bench(a):
    sizes = SHAPES[a.shape]
    torch.manual_seed(0)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = a.mode == "tf32"
    net = Lut(*sizes).to(a.device)
    for p in net.parameters():
        if p.dim() > 1:
            nn.init.xavier_uniform_(p.view(len(p), -1))
    teacher = copy.deepcopy(net).eval().requires_grad_(False)
    fused = {"fused": True} if a.device.startswith("cuda") and torch.__version__ >= "2" else {}
    decayed = [p for p in net.parameters() if p.requires_grad and p.dim() > 1]
    plain = [p for p in net.parameters() if p.requires_grad and p.dim() <= 1]
    optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.05}, {"params": plain, "weight_decay": 0.0}], lr=1.5e-4, betas=(0.9, 0.95), **fused)
    u, v = (torch.randn(a.batch, 3, sizes[0], sizes[0], device=a.device) for _ in range(2))
    patches = (sizes[0] // sizes[1]) ** 2
    kept = patches // 4
    half = a.mode.startswith("bf16")

    def forward():
        shuffle = torch.rand(a.batch, patches, device=a.device).argsort(1)
        with torch.autocast(a.device.split(":")[0], dtype=torch.bfloat16, enabled=half):
            return losses(net, teacher, u, v, shuffle, kept)[0]

    if a.mode.endswith("compiled"):
        forward = torch.compile(forward)
    averaged = [(e, p) for e, p in zip(teacher.state_dict().values(), net.state_dict().values()) if e.is_floating_point()]

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = forward()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            torch._foreach_lerp_([e for e, _ in averaged], [p for _, p in averaged], 0.004) if hasattr(torch, "_foreach_lerp_") else [e.lerp_(p, 0.004) for e, p in averaged]
        return loss

    wait = torch.cuda.synchronize if a.device.startswith("cuda") else lambda: None
    for _ in range(a.warmup):
        loss = step()
    wait()
    rates = []
    for _ in range(3):
        begin, n = time.perf_counter(), 0
        while time.perf_counter() - begin < a.seconds or n == 0:
            loss = step()
            n += 1
            if n % 4 == 0:
                wait()
        wait()
        rates.append(n * a.batch / (time.perf_counter() - begin))
    print(json.dumps({"torch": torch.__version__, "shape": a.shape, "batch": a.batch, "mode": a.mode, "device": torch.cuda.get_device_name() if a.device.startswith("cuda") else "cpu", "images_per_second": sorted(rates)[1], "blocks": rates, "loss": loss.item()}))


def parity(a):
    tensors, meta = read_safetensors(a.file)
    m = json.loads(meta["lut.step"])
    net = Lut(m["image"], m["patch"], m["width"], m["depth"], m["heads"], m["decoder_width"], m["decoder_depth"], m["decoder_heads"], m["head"], context=m["method"] == "lut")
    part = lambda prefix: {k[len(prefix) :]: v for k, v in tensors.items() if k.startswith(prefix)}
    before, after = part("before.student."), part("after.student.")
    shaped = {k: v.reshape(net.state_dict()[k].shape) for k, v in before.items()}
    net.load_state_dict(shaped)
    teacher = None
    if m["method"] == "lut":
        teacher = copy.deepcopy(net).eval().requires_grad_(False)
        teacher.load_state_dict({k: v.reshape(teacher.state_dict()[k].shape) for k, v in part("before.teacher.").items()})
    groups = [{"params": [p for p in net.parameters() if p.requires_grad and p.dim() > 1], "weight_decay": m["weight_decay"]}, {"params": [p for p in net.parameters() if p.requires_grad and p.dim() <= 1], "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=m["lr"], betas=(m["beta1"], m["beta2"]), eps=m["eps"])
    shuffle = tensors["shuffle"].long()
    total = recon = context = 0.0
    accum = m["batch"] // m["bn_batch"]
    for b in range(accum):
        rows = slice(b * m["bn_batch"], (b + 1) * m["bn_batch"])
        side = m["image"]
        images = lambda name: tensors[name][rows].reshape(-1, 3, side, side)
        l, r, c = losses(net, teacher, images("view_u"), images("view_v") if teacher else None, shuffle[rows], m["kept"], m["norm_pix_loss"], m["w_bc"])
        (l / accum).backward()
        total, recon, context = total + l.item() / accum, recon + r.item() / accum, context + c.item() / accum
    failed = 0

    def check(what, ours, theirs, bound):
        nonlocal failed
        error = abs(ours - theirs) / max(abs(theirs), 1e-12)
        failed += not error <= bound
        print(f"{'ok  ' if error <= bound else 'FAIL'} {what}: ours {ours:.9g}, PyTorch {theirs:.9g}, relative difference {error:.2e} (allowed {bound:g})")

    check("loss", m["loss"], total, 1e-5)
    check("loss_recon", m["loss_recon"], recon, 1e-5)
    if teacher:
        check("loss_context", m["loss_context"], context, 1e-4)
    gradients = part("gradient.")
    theirs = {k: p.grad for k, p in net.named_parameters() if p.grad is not None}
    check("gradient norm", m["grad_norm"], math.sqrt(sum((g.double() ** 2).sum().item() for g in theirs.values())), 1e-4)
    worst = max(((gradients[k].reshape(g.shape) - g).norm() / (g.norm() + 1e-12)).item() for k, g in theirs.items())
    name = max(theirs, key=lambda k: ((gradients[k].reshape(theirs[k].shape) - theirs[k]).norm() / (theirs[k].norm() + 1e-12)).item())
    failed += worst > 2e-3
    print(f"{'ok  ' if worst <= 2e-3 else 'FAIL'} {len(theirs)} gradient tensors: largest relative difference {worst:.2e} in {name} (allowed 2e-3)")
    missing = set(gradients) ^ set(theirs)
    if missing:
        failed += 1
        print("FAIL tensors on one side only:", sorted(missing))
    m1, m2 = part("before.exp_avg."), part("before.exp_avg_sq.")
    for k, p in net.named_parameters():
        if p.requires_grad and m["step"] > 0:
            optimizer.state[p] = {"step": torch.tensor(float(m["step"])), "exp_avg": m1[k].reshape(p.shape).clone(), "exp_avg_sq": m2[k].reshape(p.shape).clone()}
    optimizer.step()
    # Adam divides by the root of the second moment, so where a gradient is all rounding noise an element may be off by a full step: the bound is on a tensor's root mean
    # square. A third of every qkv bias is such a place (softmax ignores a constant) and is left out.
    differences = {}
    for k, p in net.named_parameters():
        d = (after[k].reshape(p.shape) - p.detach()).abs()
        if k.endswith("attn.qkv.bias"):
            d[len(d) // 3 : 2 * len(d) // 3] = 0
        differences[k] = d.square().mean().sqrt().item()
    name = max(differences, key=differences.get)
    bound = 0.01 * m["lr"] + 1e-7
    failed += differences[name] > bound
    print(f"{'ok  ' if differences[name] <= bound else 'FAIL'} weights after the step: largest root mean square difference {differences[name]:.2e} in {name} (allowed {bound:.1e}, a hundredth of the rate)")
    print("PARITY", "FAILED" if failed else "OK")
    return 1 if failed else 0


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
verbs = parser.add_subparsers(dest="verb", required=True)
b = verbs.add_parser("bench")
b.add_argument("--shape", default="vitb16", choices=SHAPES)
b.add_argument("--batch", type=int, default=128)
b.add_argument("--mode", default="bf16", choices=["fp32", "tf32", "bf16", "bf16-compiled"])
b.add_argument("--device", default="cuda")
b.add_argument("--seconds", type=float, default=5)
b.add_argument("--warmup", type=int, default=3)
p = verbs.add_parser("parity")
p.add_argument("file")
arguments = parser.parse_args()
sys.exit(parity(arguments) if arguments.verb == "parity" else bench(arguments))
