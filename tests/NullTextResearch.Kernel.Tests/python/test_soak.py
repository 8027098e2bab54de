"""Five hundred cells in one session, with completions, inspections and interrupts: memory and tensors stay bounded."""
import time
import unittest

from kernel_client import Kernel

CELLS = 500
COUNT = "GC.Collect(); GC.WaitForPendingFinalizers(); GC.Collect(); torch.Tensor.TotalCount"


def cell(i):
    """A session as people work: the same names again and again, new names now and then, failures, output."""
    kind = i % 10
    if kind == 0:
        return f"double Score{i}(double x) => x * {i};\nScore{i}(2)"
    if kind == 1:
        return f"record Row{i}(string Name, double Value);\nvar rows = new[] {{ new Row{i}(\"a\", {i}), new Row{i}(\"b\", 2) }};\nrows"
    if kind == 2:
        return f"var image = torch.randn(3, 64, 64); var latents = image.mean(new long[] {{ 0 }}); latents.sum().item<float>() > {i}"
    if kind == 3:
        return "for (int j = 0; j < 200; j++) Console.WriteLine($\"line {j}\");"
    if kind == 4:
        return f"var bar = display(\"0\"); for (int j = 0; j < 50; j++) bar.Update(j + {i});"
    if kind == 5:
        return f"throw new InvalidOperationException(\"{i}\");"
    if kind == 6:
        return f"var broken{i} = missing;"
    if kind == 7:
        return "using (torch.NewDisposeScope()) { var a = torch.randn(100, 100); for (int j = 0; j < 20; j++) a = a.mm(a).softmax(1); Console.Write(a.sum().item<float>()); }"
    if kind == 8:
        return f"var result{i % 50} = await Task.Run(() => Enumerable.Range(0, {i}).Select(n => n * n).Sum());\nresult{i % 50}"
    return f"display(HTML(\"<p>{i}</p>\")); var text = new string('x', 1000 + {i}); text.Length"


class Soak(unittest.TestCase):
    def test_five_hundred_cells(self):
        kernel = Kernel()
        self.assertEqual(kernel.run("using TorchSharp;").status, "ok")
        kernel.client.complete("Console.Wri", 11, reply=True, timeout=60)
        start = kernel.megabytes()
        tensors = []
        seconds = []
        completions = []
        inspections = []
        for i in range(CELLS):
            at = time.monotonic()
            outcome = kernel.run(cell(i))
            seconds.append(time.monotonic() - at)
            self.assertEqual(outcome.status, "error" if i % 10 in (5, 6) else "ok", cell(i))
            if i % 5 == 4:
                code = "text.Length" if i > 10 else "Console.Wri"
                at = time.monotonic()
                reply = kernel.client.complete(code, len(code), reply=True, timeout=60)["content"]
                completions.append(time.monotonic() - at)
                at = time.monotonic()
                shown = kernel.client.inspect(code, len(code) - 1, reply=True, timeout=60)["content"]
                inspections.append(time.monotonic() - at)
                self.assertTrue(any(m in ("Length", "Write") for m in reply["matches"]), reply)
                if i > 10:
                    self.assertTrue(shown["found"], shown)
            if i % 25 == 24:
                outcome, _ = kernel.interrupt_running('Console.WriteLine("running"); while (true) { var t = torch.ones(10).sum().item<float>(); t.ToString(); }')
                self.assertEqual(outcome.reply["ename"], "Interrupted")
            if i % 50 == 49:
                tensors.append(int(kernel.run(COUNT).result))
                print(f"{i + 1} cells: {kernel.megabytes():.0f} MB, {tensors[-1]} tensors, cell {1000 * sorted(seconds[-50:])[25]:.0f} ms, completion {1000 * sorted(completions[-10:])[5]:.0f} ms, inspection {1000 * sorted(inspections[-10:])[5]:.0f} ms", flush=True)
        end = kernel.megabytes()
        print(f"start {start:.0f} MB, end {end:.0f} MB, {(end - start) / CELLS:.2f} MB a cell", flush=True)
        kernel.close()
        self.assertLess(end, 2560)
        self.assertLess((end - start) / CELLS, 5)
        self.assertLessEqual(max(tensors[1:]) - min(tensors[1:]), 2, tensors)


if __name__ == "__main__":
    unittest.main(verbosity=2)
