"""What the published suite leaves out: interrupts, input, updates, errors, signatures, floods, death."""
import json
import os
import queue
import time
import unittest
import uuid

import zmq
from kernel_client import Kernel, alive, wait_until

TORCH = """
using TorchSharp;
using static TorchSharp.torch;
"""


class SharedKernel(unittest.TestCase):
    """Tests that leave the kernel in order share one."""

    @classmethod
    def setUpClass(cls):
        cls.kernel = Kernel()

    @classmethod
    def tearDownClass(cls):
        cls.kernel.close()

    def run_ok(self, code, **kwargs):
        outcome = self.kernel.run(code, **kwargs)
        self.assertEqual(outcome.status, "ok", outcome.reply.get("traceback"))
        return outcome


# Whether a cell ends is tested, not how fast: a busy machine answers late. Seconds; quiet ones need a tenth of one.
PATIENCE = 30


class Interrupts(SharedKernel):
    def check(self, code):
        self.run_ok("var kept = 41;")
        outcome, seconds = self.kernel.interrupt_running(code)
        self.assertEqual(outcome.status, "error", code)
        self.assertEqual(outcome.reply["ename"], "Interrupted")
        self.assertEqual([e["ename"] for e in outcome.of("error")], ["Interrupted"])
        self.assertLess(seconds, PATIENCE, code)
        self.assertEqual(self.run_ok("kept + 1").result, "42")

    def test_sleep(self):
        self.check('Console.WriteLine("running"); while (true) System.Threading.Thread.Sleep(50);')

    def test_long_sleep(self):
        self.check('Console.WriteLine("running"); System.Threading.Thread.Sleep(100_000);')

    def test_tight_loop(self):
        self.check('Console.WriteLine("running"); long n = 0; while (true) n++;')

    def test_tight_loop_again_and_again(self):
        for _ in range(5):
            self.check('Console.WriteLine("running"); while (true) Math.Sqrt(2);')
            self.assertEqual(self.run_ok("GC.Collect(); GC.CollectionCount(2) > 0").result, "true")

    def test_async(self):
        self.check('Console.WriteLine("running"); while (true) await Task.Delay(10);')

    def test_endless_await(self):
        self.check('Console.WriteLine("running"); await Task.Delay(-1);')

    def test_catch_all(self):
        self.check('Console.WriteLine("running"); while (true) { try { System.Threading.Thread.Sleep(5); } catch (Exception) { } }')

    def test_waiting_for_a_task(self):
        self.check('Console.WriteLine("running"); Task.Run(() => System.Threading.Thread.Sleep(100_000)).Wait();')

    def test_finally(self):
        self.check('Console.WriteLine("running"); try { while (true) System.Threading.Thread.Sleep(5); } finally { Console.WriteLine("end"); }')

    def test_parallel_for(self):
        self.check('Console.WriteLine("running"); while (true) Parallel.For(0, 8, i => System.Threading.Thread.Sleep(3));')

    def test_printing_leaves_the_console_usable(self):
        for _ in range(10):
            self.check('Console.WriteLine("running"); for (int i = 0; ; i++) { Console.Write(i); if (i % 1000 == 0) display(i); }')
            self.assertEqual(self.run_ok('Task.Run(() => Console.Write("x")).Wait(2000)').stdout, "x")

    def test_cooperative(self):
        code = """
        Console.WriteLine("running");
        var stop = Notebook.Cancellation;
        var clean = false;
        try { while (true) { stop.ThrowIfCancellationRequested(); System.Threading.Thread.Sleep(5); } }
        finally { clean = true; }
        """
        self.check(code)
        # A cell that ended by itself keeps even its own variables.
        self.assertEqual(self.run_ok("clean").result, "true")

    def test_token_read_but_not_obeyed_is_stopped_after_the_grace(self):
        self.check('var t = Notebook.Cancellation; Console.WriteLine("running"); while (true) System.Threading.Thread.Sleep(20);')

    def test_interrupt_while_idle_does_nothing(self):
        self.kernel.manager.interrupt_kernel()
        time.sleep(0.2)
        self.assertEqual(self.run_ok("20 + 1").result, "21")

    def test_torch_loop_leaves_earlier_tensors_usable(self):
        self.run_ok(TORCH + "var a = ones(64, 64); var weights = randn(200, 200); var before = a.sum().item<float>();")
        loop = """
        Console.WriteLine("running");
        while (true) { using var scope = NewDisposeScope(); var p = weights.mm(weights).relu().softmax(1); }
        """
        loop = loop.replace("using var scope = NewDisposeScope(); var p = weights.mm(weights).relu().softmax(1);",
                            "using (NewDisposeScope()) { var p = weights.mm(weights).relu().softmax(1); }")
        for _ in range(5):
            outcome, seconds = self.kernel.interrupt_running(loop)
            self.assertEqual(outcome.reply["ename"], "Interrupted")
            self.assertLess(seconds, PATIENCE)
            self.assertEqual(self.run_ok("(a + a).sum().item<float>() == 2 * before").result, "true")

    def test_torch_training_loop(self):
        self.run_ok(TORCH + """
        var layer = nn.Linear(64, 64); var sgd = optim.SGD(layer.parameters(), 0.01); var x = randn(32, 64);
        """)
        outcome, seconds = self.kernel.interrupt_running("""
        Console.WriteLine("running");
        while (true)
        {
            using (NewDisposeScope())
            {
                sgd.zero_grad();
                var loss = (layer.forward(x) - x).pow(2).mean();
                loss.backward();
                sgd.step();
            }
        }
        """)
        self.assertEqual(outcome.reply["ename"], "Interrupted")
        self.assertLess(seconds, PATIENCE)
        self.assertEqual(self.run_ok("layer.forward(x).isfinite().all().item<bool>()").result, "true")

    def test_queued_cells_are_aborted(self):
        first = self.kernel.send('Console.WriteLine("running"); while (true) System.Threading.Thread.Sleep(10);')
        queued = [self.kernel.send(f"var never{i} = 1;") for i in range(3)]
        self.kernel.wait_for_text("running")
        self.kernel.manager.interrupt_kernel()
        replies = {m: None for m in [first, *queued]}
        while None in replies.values():
            message = self.kernel.client.get_shell_msg(timeout=PATIENCE)
            if message["parent_header"]["msg_id"] in replies:
                replies[message["parent_header"]["msg_id"]] = message["content"]["status"]
        self.assertEqual([replies[m] for m in [first, *queued]], ["error", "aborted", "aborted", "aborted"])
        self.assertEqual(self.run_ok("1 + 1").result, "2")


class Running(SharedKernel):
    def test_stop_on_error_false_goes_on(self):
        sent = [self.kernel.send("throw new Exception();", stop_on_error=False), self.kernel.send("5")]
        statuses = [self.kernel.reply(m)["content"]["status"] for m in sent]
        self.assertEqual(statuses, ["error", "ok"])

    def test_compile_error_is_one_message_with_place(self):
        outcome = self.kernel.run("var fine = 1;\nvar broken = missing + 1;")
        self.assertEqual(outcome.reply["ename"], "CompilationError")
        self.assertEqual(len(outcome.messages) - len(outcome.of("execute_input")), 1)
        text = "\n".join(outcome.reply["traceback"])
        self.assertIn("line 2, column 14", text)
        self.assertIn("CS0103", text)
        self.assertEqual(outcome.stderr, "")

    def test_traceback_names_cell_and_line(self):
        first = self.run_ok("int Half(int n)\n{\n    if (n == 7) throw new ArgumentException(\"seven\");\n    return n / 2;\n}")
        number = first.reply["execution_count"]
        outcome = self.kernel.run("var y = 1;\nvar z = Half(7);")
        text = "\n".join(outcome.reply["traceback"])
        self.assertEqual(outcome.reply["ename"], "ArgumentException")
        self.assertIn(f"Cell [{number}], line 3", text)
        self.assertIn(f"Cell [{number + 1}], line 2", text)
        for hidden in ("Submission#", "Microsoft.CodeAnalysis", "NullTextResearch.Kernel"):
            self.assertNotIn(hidden, text)

    def test_variables_of_a_failed_cell_stay(self):
        self.kernel.run('var early = 3; throw new Exception("late");')
        self.assertEqual(self.run_ok("early").result, "3")

    def test_update_display_data(self):
        outcome = self.run_ok('var h = display("one"); h.Update("two");')
        shown = outcome.of("display_data")[0]
        updated = outcome.of("update_display_data")
        self.assertEqual(updated[-1]["data"]["text/plain"], "two")
        self.assertEqual(updated[-1]["transient"]["display_id"], shown["transient"]["display_id"])
        later = self.run_ok('h.Update("three");')
        self.assertEqual(later.of("update_display_data"), [], "the update belongs to the cell that displayed")

    def test_two_thousand_updates_are_few_messages_and_the_last_arrives(self):
        start = time.monotonic()
        outcome = self.run_ok('var bar = display("0"); for (int i = 1; i <= 2000; i++) { bar.Update(i.ToString()); System.Threading.Thread.Sleep(i % 10 == 0 ? 1 : 0); }')
        seconds = time.monotonic() - start
        updates = [u["data"]["text/plain"] for u in outcome.of("update_display_data")]
        self.assertEqual(updates[-1], "2000")
        self.assertLessEqual(len(updates), 10 * seconds + 3)

    def test_ten_megabytes_of_display(self):
        outcome = self.run_ok('display(HTML(new string(\'x\', 10_000_000)));')
        self.assertEqual(len(outcome.of("display_data")[0]["data"]["text/html"]), 10_000_000)

    def test_ten_megabytes_of_console_text_are_capped_and_counted(self):
        outcome = self.run_ok("for (int i = 0; i < 100_000; i++) Console.WriteLine(new string('y', 99));")
        self.assertLess(len(outcome.stdout), 2_001_000)
        self.assertGreater(len(outcome.stdout), 2_000_000)
        self.assertIn("8,000,000 characters were dropped", outcome.stdout)
        self.assertEqual(self.run_ok('Console.Write("next")').stdout, "next")

    def test_order_of_console_and_display(self):
        outcome = self.run_ok('Console.Write("a"); display("b"); Console.Error.Write("c"); Console.Write("d");')
        kinds = [(m["msg_type"], m["content"].get("text") or m["content"]["data"]["text/plain"]) for m in outcome.messages if m["msg_type"] != "execute_input"]
        self.assertEqual(kinds, [("stream", "a"), ("display_data", "b"), ("stream", "c"), ("stream", "d")])

    def test_console_text_of_tasks_reaches_the_cell(self):
        outcome = self.run_ok('await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(() => Console.WriteLine($"task {i}"))));')
        self.assertEqual(outcome.stdout.count("task"), 8)

    def test_stdin(self):
        msg_id = self.kernel.send('var name = Console.ReadLine(); var secret = password("word: ");', allow_stdin=True)
        asked = self.kernel.client.get_stdin_msg(timeout=PATIENCE)
        self.assertEqual(asked["content"], {"prompt": "", "password": False})
        self.kernel.client.input("Ada")
        asked = self.kernel.client.get_stdin_msg(timeout=PATIENCE)
        self.assertEqual(asked["content"], {"prompt": "word: ", "password": True})
        self.kernel.client.input("pass")
        self.assertEqual(self.kernel.collect(msg_id).status, "ok")
        self.assertEqual(self.run_ok('name + "/" + secret').result, "Ada/pass")

    def test_stdin_not_allowed_is_an_error(self):
        outcome = self.kernel.run("Console.ReadLine();", allow_stdin=False)
        self.assertEqual(outcome.reply["ename"], "InvalidOperationException")

    def test_stdin_interrupted(self):
        msg_id = self.kernel.send('Console.WriteLine("running"); input("?");', allow_stdin=True)
        self.kernel.client.get_stdin_msg(timeout=PATIENCE)
        self.kernel.manager.interrupt_kernel()
        self.assertEqual(self.kernel.collect(msg_id).reply["ename"], "Interrupted")
        self.assertEqual(self.run_ok("3").result, "3")

    def test_silent_sends_nothing_and_does_not_count(self):
        before = self.run_ok("1").reply["execution_count"]
        outcome = self.kernel.run('Console.WriteLine("quiet"); 5', silent=True)
        self.assertEqual(outcome.messages, [])
        self.assertEqual(self.run_ok("2").reply["execution_count"], before + 1)

    def test_user_expressions(self):
        outcome = self.kernel.run("var ue = 20;", user_expressions={"good": "ue + 1", "bad": "nothing"})
        self.assertEqual(outcome.reply["user_expressions"]["good"]["data"]["text/plain"], "21")
        self.assertEqual(outcome.reply["user_expressions"]["bad"]["status"], "error")

    def test_comm_open_is_closed(self):
        client = self.kernel.client
        message = client.session.msg("comm_open", {"comm_id": "c1", "target_name": "jupyter.widget", "data": {}})
        client.shell_channel.send(message)
        while True:
            answer = client.get_iopub_msg(timeout=PATIENCE)
            if answer["msg_type"] == "comm_close":
                break
        self.assertEqual(answer["content"]["comm_id"], "c1")

    def test_unknown_request_gets_busy_and_idle(self):
        client = self.kernel.client
        message = client.session.msg("no_such_request", {})
        client.shell_channel.send(message)
        states = []
        while len(states) < 2:
            answer = client.get_iopub_msg(timeout=PATIENCE)
            if answer["parent_header"].get("msg_id") == message["header"]["msg_id"]:
                states.append(answer["content"]["execution_state"])
        self.assertEqual(states, ["busy", "idle"])

    def test_torch_works_without_a_reference(self):
        self.assertEqual(self.run_ok("using TorchSharp;\ntorch.arange(5).sum().item<long>()").result, "10")

    def test_workbench_works_by_name(self):
        outcome = self.run_ok('#r "NullTextResearch"\nusing NullTextResearch;\nNative.Report.Mode.ToString()')
        self.assertIn(outcome.result, ("AsShipped", "RelaxedCopy"))

    def test_completion_counts_characters(self):
        code = 'var s = "\U0001f600"; s.Leng'
        reply = self.kernel.client.complete(code, len(code), reply=True, timeout=60)["content"]
        self.assertEqual(reply["matches"], ["Length"])
        self.assertEqual(reply["cursor_start"], code.index("Leng"))
        self.assertEqual(reply["cursor_end"], len(code))

    def test_completion_knows_earlier_cells(self):
        self.run_ok("class Painter { public int BrushCount; } var painter = new Painter(); var anon = new { Alpha = 1 };")
        for code, expected in (("painter.Br", ["BrushCount"]), ("anon.Al", ["Alpha"]), ("var p2 = pain", ["painter"])):
            reply = self.kernel.client.complete(code, len(code), reply=True, timeout=60)["content"]
            self.assertEqual([m for m in reply["matches"] if m == expected[0]], expected, code)

    def test_inspection_shows_documentation_of_the_workbench(self):
        code = "NullTextResearch.Native.TrimMemory("
        reply = self.kernel.client.inspect(code, len(code), reply=True, timeout=60)["content"]
        self.assertTrue(reply["found"])
        self.assertIn("Returns freed memory", reply["data"]["text/plain"])

    def test_control_answers_while_a_cell_runs(self):
        msg_id = self.kernel.send('Console.WriteLine("running"); System.Threading.Thread.Sleep(-1);')
        self.kernel.wait_for_text("running")
        client = self.kernel.client
        client.control_channel.send(client.session.msg("kernel_info_request", {}))
        # The cell never ends by itself: any answer comes while it runs.
        client.get_control_msg(timeout=PATIENCE)
        self.kernel.manager.interrupt_kernel()
        self.kernel.collect(msg_id)

    def test_heartbeat_while_a_cell_runs(self):
        msg_id = self.kernel.send("for (long i = 0; i < 2_000_000_000L; i++) ;")
        info = self.kernel.manager.get_connection_info()
        socket = zmq.Context.instance().socket(zmq.REQ)
        socket.linger = 0
        socket.connect(f"tcp://127.0.0.1:{info['hb_port']}")
        socket.send(b"ping")
        self.assertTrue(socket.poll(3000))
        self.assertEqual(socket.recv(), b"ping")
        socket.close()
        self.kernel.collect(msg_id)


class Signatures(SharedKernel):
    def frames(self, key):
        header = json.dumps({"msg_id": uuid.uuid4().hex, "session": "x", "username": "x", "date": "2026-01-01T00:00:00Z", "msg_type": "kernel_info_request", "version": "5.3"}).encode()
        parts = [header, b"{}", b"{}", b"{}"]
        import hashlib
        import hmac
        signature = hmac.new(key, b"".join(parts), hashlib.sha256).hexdigest().encode()
        return [b"<IDS|MSG>", signature, *parts]

    def answered(self, socket, frames):
        socket.send_multipart(frames)
        if not socket.poll(1000):
            return False
        socket.recv_multipart()
        return True

    def test_wrong_and_repeated_signatures_are_ignored(self):
        info = self.kernel.manager.get_connection_info()
        socket = zmq.Context.instance().socket(zmq.DEALER)
        socket.linger = 0
        socket.connect(f"tcp://127.0.0.1:{info['shell_port']}")
        key = info["key"] if isinstance(info["key"], bytes) else info["key"].encode()
        good = self.frames(key)
        self.assertTrue(self.answered(socket, good))
        self.assertFalse(self.answered(socket, good), "a repeated message")
        self.assertFalse(self.answered(socket, self.frames(b"wrong")), "a wrong key")
        self.assertFalse(self.answered(socket, [b"<IDS|MSG>", b"", *good[2:]]), "no signature")
        self.assertFalse(self.answered(socket, [b"nonsense"]))
        self.assertTrue(self.answered(socket, self.frames(key)), "and it still works")
        socket.close()


class Lives(unittest.TestCase):
    """Tests that end their kernel."""

    def test_shutdown_leaves_nothing(self):
        kernel = Kernel()
        pid = kernel.pid
        kernel.run("new System.Threading.Thread(() => System.Threading.Thread.Sleep(-1)).Start();")
        kernel.client.shutdown()
        self.assertTrue(wait_until(lambda: not alive(pid), PATIENCE))
        kernel.close()

    def test_shutdown_while_a_cell_runs(self):
        kernel = Kernel()
        pid = kernel.pid
        kernel.send('Console.WriteLine("running"); while (true) ;')
        kernel.wait_for_text("running")
        kernel.client.shutdown()
        self.assertTrue(wait_until(lambda: not alive(pid), PATIENCE))
        kernel.close()

    def check_that_a_second_interrupt_gives_the_kernel_back(self, code):
        kernel = Kernel()
        pid = kernel.pid
        msg_id = kernel.send('Console.WriteLine("running"); ' + code)
        kernel.wait_for_text("running")
        kernel.manager.interrupt_kernel()
        time.sleep(1.5)
        self.assertTrue(alive(pid), "the first interrupt must not kill")
        kernel.manager.interrupt_kernel()
        ended = wait_until(lambda: not alive(pid) or kernel.client.shell_channel.msg_ready(), PATIENCE)
        self.assertTrue(ended, code)
        kernel.manager.restart_kernel(now=True)
        kernel.client.wait_for_ready(timeout=60)
        self.assertEqual(kernel.run("1 + 2").result, "3")
        kernel.close()

    def test_endless_library_call(self):
        # No code of the cell runs in it. Force may or may not spare the process.
        self.check_that_a_second_interrupt_gives_the_kernel_back("_ = Enumerable.InfiniteSequence(0L, 1L).Where(i => i < 0).First();")

    def test_endless_native_call(self):
        # A pipe that nobody writes to: not even force ends the call.
        self.check_that_a_second_interrupt_gives_the_kernel_back("""
        [System.Runtime.InteropServices.DllImport("libc")] static extern int pipe(int[] ends);
        [System.Runtime.InteropServices.DllImport("libc")] static extern nint read(int file, byte[] into, nint count);
        var ends = new int[2]; pipe(ends); while (true) read(ends[0], new byte[1], 1);
        """)

    def test_killed_in_a_cell_restarts(self):
        kernel = Kernel()
        kernel.send('Console.WriteLine("running"); System.Diagnostics.Process.GetCurrentProcess().Kill();')
        self.assertTrue(wait_until(lambda: not kernel.manager.is_alive(), PATIENCE))
        kernel.manager.restart_kernel(now=True)
        kernel.client.wait_for_ready(timeout=60)
        self.assertEqual(kernel.run("2 + 2").result, "4")
        kernel.close()

    def test_sigint_interrupts_and_does_not_end_it(self):
        kernel = Kernel()
        msg_id = kernel.send('Console.WriteLine("running"); while (true) System.Threading.Thread.Sleep(10);')
        kernel.wait_for_text("running")
        os.kill(kernel.pid, 2)
        self.assertEqual(kernel.collect(msg_id).reply["ename"], "Interrupted")
        self.assertEqual(kernel.run("7").result, "7")
        kernel.close()


if __name__ == "__main__":
    unittest.main(verbosity=2)
