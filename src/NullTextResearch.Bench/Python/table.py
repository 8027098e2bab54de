"""Turns the JSON lines of compare-with-python.sh into one Markdown table, and fails where the two programs did not run the same network."""
import json
import math
import sys


def main(path, command):
    with open(path, encoding="utf-8") as file:
        lines = [json.loads(line) for line in file if line.startswith("{")]
    programs = ("TorchSharp", "PyTorch")
    current, seen, rounds = None, {program: [] for program in programs}, 0
    for line in lines:
        if line["kind"] == "about":
            current = line["program"]
            rounds += current == programs[0]
        seen[current].append(line)
    about = {program: next(line for line in seen[program] if line["kind"] == "about") for program in programs}
    problems = [f"{what}: {[about[p][what] for p in programs]}" for what in ("parameters", "flops") if len({int(about[p][what]) for p in programs}) != 1]

    print("# TorchSharp and Python's PyTorch on one network\n")
    print(f"`{command}`\n")
    print(f"The U-Net of Stable Diffusion 1.x, {about['PyTorch']['parameters']:,} parameters, {about['PyTorch']['flops'] / 1e9:.0f} GFLOPs a forward pass of batch 1;"
          f" equal weights and inputs. {rounds} round(s) in which the programs took turns, best of each; in brackets the range of the rounds' own ratios.\n")
    for program in programs:
        print(f"- {program}: {about[program]['version']}; {about[program]['device']}; attention: {about[program]['attention']}")
    print("\n| row | batch | precision | TorchSharp, s | PyTorch, s | PyTorch / TorchSharp |\n|---|---|---|---|---|---|")
    for key in keys(seen, "row", ("row", "batch", "precision")):
        sharp, python = (times(seen[program], "row", key, ("row", "batch", "precision"), "seconds") for program in programs)
        ratios = [p / s for s, p in zip(sharp, python)]
        print(f"| {key[0]} | {key[1]} | {key[2]} | {min(sharp):.4f} | {min(python):.4f} | {min(python) / min(sharp):.2f} ({min(ratios):.2f} - {max(ratios):.2f}) |")

    print("\nThe answers, 64 numbers of each, relative distance (L2):\n\n| answer | precision | distance |\n|---|---|---|")
    for key in keys(seen, "probe", ("row", "precision")):
        one, other = (times(seen[program], "probe", key, ("row", "precision"), "values")[0] for program in programs)
        distance = math.dist(one, other) / math.hypot(*other)
        print(f"| {'prediction' if key[0] == 'forward' else 'gradient'} | {key[1]} | {distance:.1e} |")
        # Two networks that differ anywhere are about 1 apart; rounding, TF32 in convolutions included, is far below this.
        if key[1] == "float32" and not distance < 0.05:
            problems.append(f"{key[0]}, {key[1]}: the answers are {distance:.1e} apart")

    launches = ("pixels", "batch", "precision")
    if keys(seen, "launch", launches):
        print("\nKernel-launch gaps of a forward pass: *enqueue* is when the call returned, *wall* when the GPU was done. The GPU can wait for the CPU in at most the\n"
              "share of enqueue in wall; in less where the launch queue was full. 64 pixels: as many launches, next to no work.\n")
        print("| program | precision | pixels | batch | enqueue, s | wall, s | share in which the GPU could wait |\n|---|---|---|---|---|---|---|")
        for program in programs:
            for key in keys(seen, "launch", launches):
                enqueue, wall = min(zip(times(seen[program], "launch", key, launches, "enqueue"), times(seen[program], "launch", key, launches, "wall")), key=lambda pair: pair[1])
                print(f"| {program} | {key[2]} | {key[0]} | {key[1]} | {enqueue:.4f} | {wall:.4f} | {100 * enqueue / wall:.0f} % |")
    for problem in problems:
        print(f"not the same network: {problem}", file=sys.stderr)
    return 1 if problems else 0


def keys(seen, kind, names):
    """Distinct keys in the order of the lines."""
    return list(dict.fromkeys(tuple(line[name] for name in names) for line in seen["TorchSharp"] if line["kind"] == kind))


def times(lines, kind, key, names, what):
    """What every round measured under a key."""
    return [line[what] for line in lines if line["kind"] == kind and tuple(line[name] for name in names) == key]


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
