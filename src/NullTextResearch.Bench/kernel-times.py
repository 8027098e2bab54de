"""Times of both notebook kernels, ours and Microsoft's .NET Interactive, in turns; prints a table in Markdown.

Usage: kernel-times.py NULLTEXT_DLL DOTNET_INTERACTIVE [ROUNDS]; needs Debian's python3-jupyter-client. Run it on a quiet
machine; believe the ratios, not the seconds.
"""
import datetime
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

ROWS = [
    ("ready (answers who it is)", "ready"), ("first cell, `1 + 1`", "first"), ("50 more cells", "fifty"),
    ("completion, the first", "complete"), ("completion, the second", "again"), ("memory at the end, MB", "memory"),
]


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        return next(line.split(":")[1].strip() for line in file if line.startswith("model name"))


def memory(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS:"))


def measure(name):
    found, began = {}, time.monotonic()

    def lap(key):
        nonlocal began
        found[key] = time.monotonic() - began
        began = time.monotonic()

    # What a kernel logs is not what is measured.
    manager, client = start_new_kernel(kernel_name=name, startup_timeout=180, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        lap("ready")
        for key, cells in (("first", 1), ("fifty", 50)):
            for _ in range(cells):
                reply = client.execute_interactive("1 + 1", timeout=180, output_hook=lambda message: None)["content"]
                if reply["status"] != "ok":
                    raise SystemExit(f"{name}: a cell failed: {reply}")
            lap(key)
        for key in ("complete", "again"):
            code = "System.Console.WriteL"
            reply = client.complete(code, len(code), reply=True, timeout=180)["content"]
            if not any("WriteLine" in match for match in reply["matches"]):
                raise SystemExit(f"{name}: no completion: {reply}")
            lap(key)
        found["memory"] = memory(manager.provisioner.pid)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    return found


def main():
    ours, theirs = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    folder = tempfile.mkdtemp(prefix="nulltext-kernels-")
    arguments = {
        "ours": ["dotnet", ours, "kernel", "{connection_file}"],
        "theirs": [theirs, "jupyter", "--default-kernel", "csharp", "--http-local-only", "{connection_file}"],
    }
    for name, argv in arguments.items():
        spec = os.path.join(folder, "kernels", name)
        os.makedirs(spec)
        with open(os.path.join(spec, "kernel.json"), "w", encoding="utf-8") as file:
            json.dump({"argv": argv, "display_name": name, "language": "C#"}, file)
    os.environ["JUPYTER_PATH"] = folder
    os.environ["DOTNET_INTERACTIVE_CLI_TELEMETRY_OPTOUT"] = "1"
    times = {name: [] for name in arguments}
    for _ in range(rounds):
        for name in arguments:
            times[name].append(measure(name))
    load = os.getloadavg()[0]
    print(f"# Two kernels, {datetime.date.today()}\n")
    print(f"`kernel-times.py` on {processor()}, {os.cpu_count()} processors, load {load:.1f} at the end: medians of {rounds} rounds in turns, seconds.\n")
    print("| what | NullTextResearch's kernel | .NET Interactive 1.0.712001 | theirs / ours |\n|---|---|---|---|")
    for label, key in ROWS:
        mine, other = (statistics.median(run[key] for run in times[name]) for name in arguments)
        print(f"| {label} | {mine:.3g} | {other:.3g} | {other / mine:.2f} |")


if __name__ == "__main__":
    from jupyter_client.manager import start_new_kernel

    main()
