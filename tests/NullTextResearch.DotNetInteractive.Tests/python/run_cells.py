"""Runs cells in the dotnet-interactive tool and prints, for each, its status and its messages as JSON.

Usage: run_cells.py TOOL FOLDER CELLS.json; needs Debian's python3-jupyter-client.
"""
import json
import queue
import sys
import time

from jupyter_client.manager import KernelManager

WATCHDOG = 300


def run(client, code):
    request = client.execute(code, allow_stdin=False)
    messages = []
    deadline = time.monotonic() + WATCHDOG
    while True:
        message = client.get_iopub_msg(timeout=max(1, deadline - time.monotonic()))
        if message["parent_header"].get("msg_id") != request:
            continue
        kind, content = message["msg_type"], message["content"]
        if kind == "status" and content["execution_state"] == "idle":
            break
        if kind not in ("status", "execute_input"):
            messages.append({"type": kind, **content})
    # Its idle may come before its reply.
    while True:
        reply = client.get_shell_msg(timeout=max(1, deadline - time.monotonic()))
        if reply["parent_header"].get("msg_id") == request:
            return {"status": reply["content"]["status"], "messages": messages}


def main():
    tool, folder, cells = sys.argv[1:4]
    manager = KernelManager()
    manager.kernel_spec.argv = [tool, "jupyter", "--default-kernel", "csharp", "--http-local-only", "{connection_file}"]
    manager.kernel_spec.language = "C#"
    # What the kernel itself prints is nobody's result.
    manager.start_kernel(cwd=folder, stdout=sys.stderr, stderr=sys.stderr)
    client = manager.client()
    try:
        client.start_channels()
        client.wait_for_ready(timeout=WATCHDOG)
        with open(cells, encoding="utf-8") as file:
            results = []
            for code in json.load(file):
                try:
                    results.append(run(client, code))
                except queue.Empty:
                    results.append({"status": "no answer", "messages": []})
                    break
        print(json.dumps(results))
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


main()
