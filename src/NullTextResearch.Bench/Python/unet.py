"""The U-Net of Stable Diffusion 1.x in plain PyTorch, timed: one half of compare-with-python.sh, the other is `--full-size --shared-rows`.

Both halves have the same weights and inputs, made by a formula that gives the same bits everywhere, and print the same JSON lines: what they are,
a few numbers of what the network answers (so that a table can show that it is one network), and best seconds. Needs torch 1.13 or newer, nothing else.
"""
import argparse
import copy
import json
import math
import platform
import time

import torch
from torch import nn
from torch.nn import functional as F

CHANNELS, HEADS, GROUPS, TEXT, TOKENS, LAYERS = (320, 640, 1280, 1280), 8, 32, 768, 77, 2
PARAMETERS = 859_520_964
PERIOD = 65521
HAS_FUSED = hasattr(F, "scaled_dot_product_attention")


class Conv2d(nn.Conv2d):
    def reset_parameters(self):
        pass  # the formula fills it


class Linear(nn.Linear):
    def reset_parameters(self):
        pass  # the formula fills it


class Resnet(nn.Module):
    def __init__(self, start, end):
        super().__init__()
        self.norm1, self.conv1 = nn.GroupNorm(GROUPS, start, 1e-5), Conv2d(start, end, 3, padding=1)
        self.time_emb_proj = Linear(4 * CHANNELS[0], end)
        self.norm2, self.conv2 = nn.GroupNorm(GROUPS, end, 1e-5), Conv2d(end, end, 3, padding=1)
        self.conv_shortcut = None if start == end else Conv2d(start, end, 1)

    def forward(self, x, time_embedding):
        h = self.conv1(F.silu(self.norm1(x)))
        h = h + self.time_emb_proj(time_embedding)[:, :, None, None]
        h = self.conv2(F.silu(self.norm2(h)))
        return h + (x if self.conv_shortcut is None else self.conv_shortcut(x))


class Attention(nn.Module):
    def __init__(self, width, context):
        super().__init__()
        self.to_q, self.to_k, self.to_v = Linear(width, width, bias=False), Linear(context, width, bias=False), Linear(context, width, bias=False)
        self.to_out = nn.ModuleList([Linear(width, width)])

    def forward(self, x, context):
        batch, pixels, width = x.shape
        q, k, v = (t.view(batch, -1, HEADS, width // HEADS).transpose(1, 2) for t in (self.to_q(x), self.to_k(context), self.to_v(context)))
        if HAS_FUSED:
            h = F.scaled_dot_product_attention(q, k, v)
        else:
            h = torch.matmul(torch.softmax(torch.matmul(q * (width // HEADS) ** -0.5, k.transpose(-1, -2)), -1), v)
        return self.to_out[0](h.transpose(1, 2).reshape(batch, pixels, width))


class Gate(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.proj = Linear(width, 8 * width)

    def forward(self, x):
        value, gate = self.proj(x).chunk(2, -1)
        return value * F.gelu(gate)


class FeedForward(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.net = nn.ModuleList([Gate(width), nn.Identity(), Linear(4 * width, width)])

    def forward(self, x):
        return self.net[2](self.net[0](x))


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm1, self.attn1 = nn.LayerNorm(width), Attention(width, width)
        self.norm2, self.attn2 = nn.LayerNorm(width), Attention(width, TEXT)
        self.norm3, self.ff = nn.LayerNorm(width), FeedForward(width)

    def forward(self, x, text):
        h = self.norm1(x)
        x = x + self.attn1(h, h)
        x = x + self.attn2(self.norm2(x), text)
        return x + self.ff(self.norm3(x))


class Transformer(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm, self.proj_in = nn.GroupNorm(GROUPS, width, 1e-6), Conv2d(width, width, 1)
        self.transformer_blocks = nn.ModuleList([Block(width)])
        self.proj_out = Conv2d(width, width, 1)

    def forward(self, x, text):
        batch, width, rows, columns = x.shape
        h = self.proj_in(self.norm(x)).permute(0, 2, 3, 1).reshape(batch, rows * columns, width)
        h = self.transformer_blocks[0](h, text)
        return x + self.proj_out(h.reshape(batch, rows, columns, width).permute(0, 3, 1, 2).contiguous())


class Resample(nn.Module):
    def __init__(self, width, stride):
        super().__init__()
        self.conv = Conv2d(width, width, 3, stride=stride, padding=1)

    def forward(self, x, size=None):
        return self.conv(x if size is None else F.interpolate(x, size=size, mode="nearest"))


class Level(nn.Module):
    def __init__(self, starts, end, attention, down=False, up=False):
        super().__init__()
        self.resnets = nn.ModuleList([Resnet(start, end) for start in starts])
        if attention:
            self.attentions = nn.ModuleList([Transformer(end) for _ in range(attention)])
        if down:
            self.downsamplers = nn.ModuleList([Resample(end, 2)])
        if up:
            self.upsamplers = nn.ModuleList([Resample(end, 1)])

    def layer(self, index, x, time_embedding, text):
        x = self.resnets[index](x, time_embedding)
        return self.attentions[index](x, text) if hasattr(self, "attentions") and index < len(self.attentions) else x


class TimeEmbedding(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear_1, self.linear_2 = Linear(CHANNELS[0], 4 * CHANNELS[0]), Linear(4 * CHANNELS[0], 4 * CHANNELS[0])

    def forward(self, timesteps, dtype):
        half = CHANNELS[0] // 2
        frequencies = torch.exp(torch.arange(half, dtype=torch.float32, device=timesteps.device) * (-math.log(10000) / half))
        angles = timesteps.float()[:, None] * frequencies[None]
        return F.silu(self.linear_2(F.silu(self.linear_1(torch.cat([angles.cos(), angles.sin()], -1).to(dtype)))))


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        last = len(CHANNELS) - 1
        self.conv_in, self.time_embedding = Conv2d(4, CHANNELS[0], 3, padding=1), TimeEmbedding()
        self.down_blocks = nn.ModuleList()
        skips = [CHANNELS[0]]
        for i, width in enumerate(CHANNELS):
            self.down_blocks.append(Level([skips[-1]] + [width] * (LAYERS - 1), width, attention=0 if i == last else LAYERS, down=i < last))
            skips += [width] * (LAYERS + (i < last))
        self.mid_block = Level([CHANNELS[-1]] * 2, CHANNELS[-1], attention=1)
        self.up_blocks = nn.ModuleList()
        before = CHANNELS[-1]
        for i, width in enumerate(reversed(CHANNELS)):
            starts = [(before if j == 0 else width) + skips.pop() for j in range(LAYERS + 1)]
            self.up_blocks.append(Level(starts, width, attention=0 if i == 0 else LAYERS + 1, up=i < last))
            before = width
        self.conv_norm_out, self.conv_out = nn.GroupNorm(GROUPS, CHANNELS[0], 1e-5), Conv2d(CHANNELS[0], 4, 3, padding=1)

    def forward(self, latents, timesteps, text):
        time_embedding = self.time_embedding(timesteps.expand(latents.shape[0]), latents.dtype)
        x = self.conv_in(latents)
        skips = [x]
        for level in self.down_blocks:
            for j in range(len(level.resnets)):
                x = level.layer(j, x, time_embedding, text)
                skips.append(x)
            if hasattr(level, "downsamplers"):
                x = level.downsamplers[0](x)
                skips.append(x)
        x = self.mid_block.layer(1, self.mid_block.layer(0, x, time_embedding, text), time_embedding, text)
        for level in self.up_blocks:
            for j in range(len(level.resnets)):
                x = level.layer(j, torch.cat([x, skips.pop()], 1), time_embedding, text)
            if hasattr(level, "upsamplers"):
                x = level.upsamplers[0](x, skips[-1].shape[2:])
        return self.conv_out(F.silu(self.conv_norm_out(x)))


def formula(shape, offset):
    """Numbers of variance 1 that look random and are the same bits wherever arithmetic is IEEE: the fractions of j^2 / golden ratio, in turn."""
    j = torch.arange(PERIOD, dtype=torch.float64)
    t = j * j * 0.6180339887498949
    table = ((t - t.floor() - 0.5) * math.sqrt(12.0)).float()
    count, start = math.prod(shape), offset % PERIOD
    return table.repeat((start + count) // PERIOD + 1)[start:start + count].view(shape)


def fill(net):
    """The i-th weight in the order of keys starts at the 7919 i-th number."""
    with torch.no_grad():
        for i, (key, weight) in enumerate(sorted(net.named_parameters())):
            numbers = formula(tuple(weight.shape), 7919 * i)
            if weight.dim() > 1:
                numbers = numbers / math.sqrt(weight.numel() // weight.shape[0])
            elif "norm" in key and key.endswith("weight"):
                numbers = 1 + 0.1 * numbers
            else:
                numbers = 0.1 * numbers
            weight.copy_(numbers)
            weight.requires_grad_(False)


def count_flops(net, inputs):
    """Two for a multiply-and-add in convolutions, linear layers and attention; nothing else."""
    total = [0]

    def convolution(module, args, out):
        total[0] += 2 * out.numel() * module.in_channels * module.kernel_size[0] * module.kernel_size[1]

    def linear(module, args, out):
        total[0] += 2 * out.numel() * module.in_features

    def attention(module, args, out):
        total[0] += 4 * out.numel() * args[1].shape[1]

    hooks = [m.register_forward_hook(f) for kind, f in ((Conv2d, convolution), (Linear, linear), (Attention, attention)) for m in net.modules() if isinstance(m, kind)]
    with torch.no_grad():
        net(*inputs)
    for hook in hooks:
        hook.remove()
    return total[0]


def inputs_of(pixels, batch, dtype, device):
    side = pixels // 8
    return (formula((batch, 4, side, side), 1).to(device, dtype), torch.tensor([501], device=device), formula((batch, TOKENS, TEXT), 2).to(device, dtype))


def forward(net, inputs):
    with torch.no_grad():
        return net(*inputs)


def forward_backward(net, inputs):
    latents, timesteps, text = inputs
    text = text.detach().requires_grad_(True)
    loss = net(latents, timesteps, text).float().square().mean()
    return torch.autograd.grad(loss, text)[0]


def samples(tensor):
    flat = tensor.detach().float().cpu().flatten()
    return flat[:: flat.numel() // 64][:64].tolist()


class Measurement:
    def __init__(self, args):
        self.args, self.cuda = args, args.device.startswith("cuda")

    def synchronize(self):
        if self.cuda:
            torch.cuda.synchronize()

    def once(self, body):
        """Seconds until the call returned, and until its work was done."""
        self.synchronize()
        start = time.perf_counter()
        body()
        returned = time.perf_counter()
        self.synchronize()
        return returned - start, time.perf_counter() - start

    def best(self, body):
        """The fastest of up to 20 calls, as many as fit in about two seconds; one call before them is not counted."""
        first = self.once(body)
        calls = [self.once(body) for _ in range(max(1, min(20, int(2 / first[1]))))]
        return min(calls, key=lambda call: call[1])

    def run(self):
        args = self.args
        net = UNet()
        fill(net)
        net = net.to(args.device)
        parameters = sum(p.numel() for p in net.parameters())
        assert parameters == PARAMETERS, f"{parameters} parameters, expected {PARAMETERS}"
        low = torch.float16 if self.cuda else torch.bfloat16
        nets = {torch.float32: net, low: copy.deepcopy(net).to(low)}
        flops = count_flops(net, inputs_of(args.size, 1, torch.float32, args.device))
        print_line(kind="about", program="PyTorch", version=f"torch {torch.__version__}, Python {platform.python_version()}", parameters=parameters, flops=flops,
                   attention="fused" if HAS_FUSED else "explicit softmax (this torch has no fused attention)",
                   device=f"{torch.cuda.get_device_name()}, CUDA {torch.version.cuda}" if self.cuda else f"CPU, {torch.get_num_threads()} thread(s)")
        for dtype, network in nets.items():
            name = str(dtype).replace("torch.", "")
            for row, body in (("forward", forward), ("forward and backward to the embedding", forward_backward)):
                for batch in (1, 2):
                    given = inputs_of(args.size, batch, dtype, args.device)
                    if batch == 1:
                        print_line(kind="probe", row=row, precision=name, values=samples(body(network, given)))
                    print_line(kind="row", row=row, batch=batch, precision=name, seconds=self.best(lambda: body(network, given))[1])
            if self.cuda:
                for pixels, batch in ((args.size, 1), (args.size, 2), (args.size, 4), (64, 1)):
                    given = inputs_of(pixels, batch, dtype, args.device)
                    enqueue, wall = self.best(lambda: forward(network, given))
                    print_line(kind="launch", pixels=pixels, batch=batch, precision=name, enqueue=enqueue, wall=wall)


def print_line(**fields):
    print(json.dumps(fields), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=512, help="pixels per side, a multiple of 8")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    Measurement(options).run()
