"""Sliders that compute: what a front end's page says to the kernel, and what it hears."""
import asyncio
import json
import os
import re
import tempfile
import time
import unittest
import uuid

from kernel_client import TIMEOUT, Kernel

ECHO = """
using System.Text.Json.Nodes;
using NullTextResearch.Hosting;
int answered = 0;
var service = Notebook.Host!.Serve("echo", (message, send, superseded) =>
{
    answered++;
    send(new JsonObject { ["begun"] = message["n"]!.DeepClone() });
    if (message["slow"] is not null) superseded.WaitHandle.WaitOne();
    for (int i = 0; message["until"] is { } file && !System.IO.File.Exists((string)file!) && i < 3000; i++)
        System.Threading.Thread.Sleep(20);
    superseded.ThrowIfCancellationRequested();
    send(new JsonObject { ["done"] = message["n"]!.DeepClone() });
});
"""


class Comm:
    """One comm, as a page has it."""

    def __init__(self, kernel, service, target="nulltext.live"):
        self.kernel, self.id = kernel, uuid.uuid4().hex
        self.opened = self.send("comm_open", target_name=target, data={"id": service})

    def send(self, kind, **content):
        message = self.kernel.client.session.msg(kind, {"comm_id": self.id, **content})
        self.kernel.client.shell_channel.send(message)
        return message["header"]["msg_id"]

    def ask(self, **data):
        return self.send("comm_msg", data=data)

    def hear(self, until, timeout=TIMEOUT):
        """All data up to the first for which `until` holds; what else the kernel publishes goes to `self.others`."""
        heard, self.others, deadline = [], [], time.monotonic() + timeout
        while True:
            message = self.kernel.client.get_iopub_msg(timeout=max(0.01, deadline - time.monotonic()))
            if message["content"].get("comm_id") != self.id:
                self.others.append(message)
                continue
            data = message["content"]["data"] if message["msg_type"] == "comm_msg" else {"type": message["msg_type"]}
            heard.append(data)
            if until(data):
                return heard


class Live(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.kernel = Kernel()

    @classmethod
    def tearDownClass(cls):
        cls.kernel.close()

    def test_unknown_service_or_target_is_closed(self):
        for service, target in (("nobody", "nulltext.live"), ("echo", "jupyter.widget")):
            comm = Comm(self.kernel, service, target)
            self.assertEqual(comm.hear(lambda data: data.get("type") == "comm_close")[-1], {"type": "comm_close"})

    def test_messages_are_answered_and_the_newest_wins(self):
        self.assertEqual(self.kernel.run(ECHO).status, "ok")
        comm = Comm(self.kernel, "echo")
        comm.ask(n=1)
        self.assertEqual(comm.hear(lambda d: d.get("done") == 1), [{"begun": 1}, {"done": 1}])
        with tempfile.TemporaryDirectory() as folder:
            gate = os.path.join(folder, "gate")
            comm.ask(n=2, slow=True, until=gate)
            comm.hear(lambda d: d.get("begun") == 2)
            for n in range(3, 40):
                comm.ask(n=n)
            # A kernel that answers faster than these arrive would drop none: it is held back until it has read them.
            time.sleep(1)
            open(gate, "w").close()
            heard = comm.hear(lambda d: d.get("done") == 39)
        self.assertNotIn({"done": 2}, heard)
        # Those in between were dropped: the kernel did not fall behind.
        self.assertLess(int(self.kernel.run("answered").result), 39)
        comm.send("comm_close", data={})
        comm.ask(n=50)
        self.assertEqual(self.kernel.run("answered > 0").result, "true")

    def test_stop_button_ends_the_answer_and_variables_stay(self):
        self.kernel.run(ECHO)
        comm = Comm(self.kernel, "echo")
        comm.ask(n=1, slow=True)
        comm.hear(lambda d: d.get("begun") == 1)
        self.kernel.manager.interrupt_kernel()
        self.assertEqual(self.kernel.run("answered").result, "1")
        comm.ask(n=2)
        comm.hear(lambda d: d.get("done") == 2)

    def test_exploration_computes_where_the_slider_goes(self):
        cell = """
using NullTextResearch;
using NullTextResearch.Interactive;
var bench = Workbench.Open(null, new WorkbenchOptions { LoadPlotly = false });
var image = await bench.Invert(bench.Examples(1)[0], new InvertOptions { Steps = 4, Method = Methods.Ddim() });
var seen = await bench.Explore(image, [SweepAxis.Guidance(1, 2, 4, 7.5)]);
seen.Points.Count
"""
        outcome = self.kernel.run(cell, timeout=4 * TIMEOUT)
        self.assertEqual((outcome.status, outcome.result), ("ok", "1"))
        pages = [d["data"].get("text/html", "") for d in outcome.of("display_data")]
        page = next(p for p in pages if "nt-live" in p and "data-say" in p)
        service = re.search(r'data-nt="(nt-live-\w+)"', page).group(1)
        store = next(d for d in outcome.of("display_data") if 'class="nt-view nt-frames"' in d["data"].get("text/html", ""))
        comm = Comm(self.kernel, service)
        comm.ask(at=[1])
        frame = comm.hear(lambda d: "picture" in d)[-1]
        self.assertEqual(frame["at"], "1")
        self.assertTrue(frame["picture"].startswith("data:image/webp;base64,"))
        self.assertEqual([m["name"] for m in frame["measures"]], ["PSNR against the source", "distance to the source"])
        self.assertGreater(frame["seconds"], 0)
        # Once computed it is there.
        comm.ask(at=[1])
        again = comm.hear(lambda d: "picture" in d)
        self.assertEqual((len(again), again[0]["picture"], again[0]["seconds"]), (1, frame["picture"], None))
        self.assertEqual(self.kernel.run("seen.Points.Count").result, "2")
        # What the notebook keeps was replaced: both positions.
        comm.ask(at=[2])
        comm.hear(lambda d: d.get("at") == "2" and "picture" in d)
        waiting, kept = list(comm.others), 0
        while kept < 3:
            message = waiting.pop(0) if waiting else self.kernel.client.get_iopub_msg(timeout=TIMEOUT)
            if message["msg_type"] == "update_display_data" and message["content"]["transient"] == store["transient"]:
                kept = len(re.findall("data-at=", message["content"]["data"]["text/html"]))
        for wrong in ([9], [-1], [0, 0], ["a"], []):
            comm.ask(at=wrong)
            self.assertIn("position", comm.hear(lambda d: "ended" in d)[-1]["ended"])
        self.assertEqual(self.kernel.run("seen.Dispose(); 1").result, "1")

    def test_page_without_a_channel_asks_over_the_kernels_socket(self):
        self.kernel.run(ECHO)
        outcome = self.kernel.run('service.Address!.ToString()')
        address = outcome.result.strip('"')
        self.assertRegex(address, r"^ws://127\.0\.0\.1:\d+/[0-9a-f]{32}/echo$")

        async def page():
            from tornado.websocket import websocket_connect
            socket = await websocket_connect(address)
            heard = []
            await socket.write_message('{"n": 1, "slow": true}')
            heard.append(json.loads(await socket.read_message()))
            # The stop button ends an answer, not the service; a newer message would too.
            self.kernel.manager.interrupt_kernel()
            await socket.write_message('{"n": 2}')
            while heard[-1] != {"done": 2}:
                heard.append(json.loads(await socket.read_message()))
            socket.close()
            return heard

        self.assertEqual(asyncio.run(asyncio.wait_for(page(), TIMEOUT)), [{"begun": 1}, {"begun": 2}, {"done": 2}])
        # Comms hear the same.
        comm = Comm(self.kernel, "echo")
        comm.ask(n=3)
        comm.hear(lambda d: d.get("done") == 3)


if __name__ == "__main__":
    unittest.main(verbosity=2)
