"""A kernel under test: start, run cells, collect what they put out."""
import os
import queue
import signal
import time

from jupyter_client.manager import start_new_kernel

# What a script runs in its background has this signal ignored, and so would the kernels that are tested.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

NAME = ".net-csharp"
# Catches hangs only: on a machine with ten processes to a processor thirty seconds pass while a kernel starts a thread.
TIMEOUT = 120


class Outcome:
    """All that one cell sent."""

    def __init__(self, reply, messages):
        self.reply = reply["content"]
        self.messages = messages

    def of(self, kind):
        return [m["content"] for m in self.messages if m["msg_type"] == kind]

    @property
    def status(self):
        return self.reply["status"]

    @property
    def stdout(self):
        return "".join(s["text"] for s in self.of("stream") if s["name"] == "stdout")

    @property
    def stderr(self):
        return "".join(s["text"] for s in self.of("stream") if s["name"] == "stderr")

    @property
    def result(self):
        found = self.of("execute_result")
        return found[0]["data"]["text/plain"] if found else None


class Kernel:
    def __init__(self, **kwargs):
        self.manager, self.client = start_new_kernel(kernel_name=NAME, startup_timeout=TIMEOUT, **kwargs)

    def send(self, code, **kwargs):
        return self.client.execute(code, **kwargs)

    def collect(self, msg_id, timeout=TIMEOUT):
        """Everything up to the idle status of a request, and its reply."""
        messages = []
        deadline = time.monotonic() + timeout
        while True:
            message = self.client.get_iopub_msg(timeout=max(0.01, deadline - time.monotonic()))
            if message["parent_header"].get("msg_id") != msg_id:
                continue
            if message["msg_type"] == "status":
                if message["content"]["execution_state"] == "idle":
                    break
                continue
            messages.append(message)
        return Outcome(self.reply(msg_id, max(1, deadline - time.monotonic())), messages)

    def reply(self, msg_id, timeout=TIMEOUT):
        deadline = time.monotonic() + timeout
        while True:
            message = self.client.get_shell_msg(timeout=max(0.01, deadline - time.monotonic()))
            if message["parent_header"].get("msg_id") == msg_id:
                return message

    def run(self, code, timeout=TIMEOUT, **kwargs):
        return self.collect(self.send(code, **kwargs), timeout)

    def wait_for_text(self, text, timeout=TIMEOUT):
        """Reads outputs until one contains the text: the cell is then really running."""
        deadline = time.monotonic() + timeout
        while True:
            message = self.client.get_iopub_msg(timeout=max(0.01, deadline - time.monotonic()))
            if message["msg_type"] == "stream" and text in message["content"]["text"]:
                return

    def interrupt_running(self, code, marker="running"):
        """Runs a cell that prints the marker, interrupts it; returns the outcome and the seconds it took to end."""
        msg_id = self.send(code)
        self.wait_for_text(marker)
        start = time.monotonic()
        self.manager.interrupt_kernel()
        outcome = self.collect(msg_id)
        return outcome, time.monotonic() - start

    @property
    def pid(self):
        return self.manager.provisioner.pid

    def megabytes(self):
        """Resident memory."""
        with open(f"/proc/{self.pid}/status") as status:
            for line in status:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1]) / 1024
        return 0

    def close(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=not self.manager.is_alive())


def alive(pid):
    """Whether a process runs; one that ended but was not waited for does not."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until(condition, timeout=20.0):
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


__all__ = ["Kernel", "Outcome", "alive", "wait_until", "queue", "os", "TIMEOUT"]
