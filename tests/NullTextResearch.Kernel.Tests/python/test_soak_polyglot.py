"""Three hundred cells of C# and F# that share values: memory stays bounded."""
import time
import unittest

from kernel_client import Kernel

CELLS = 300
COUNT = "GC.Collect(); GC.WaitForPendingFinalizers(); GC.Collect(); TorchSharp.torch.Tensor.TotalCount"


def cell(i):
    kind = i % 6
    if kind == 0:
        return f"var numbers = Enumerable.Range(0, {i} + 10).ToList();\n#!fsharp\n#!share --from csharp numbers\nSeq.sum numbers"
    if kind == 1:
        return f"#!fsharp\ntype Row{i} = {{ Name: string; Value: float }}\nlet rows = [ for j in 1..10 -> {{ Name = string j; Value = float j }} ]\nrows"
    if kind == 2:
        return "#!fsharp\nlet latents = TorchSharp.torch.randn([| 3L; 64L; 64L |])\n#!csharp\n#!share --from fsharp latents\nusing (var sum = latents.sum()) Console.Write(sum.item<float>());\n#!fsharp\nlatents.Dispose()"
    if kind == 3:
        return f'#!fsharp\nlet rec work{i} n = if n = 0 then {i} else work{i} (n - 1)\nfor j in 1..100 do printfn "line %d" (work{i} j)'
    if kind == 4:
        return f'#!fsharp\nfailwith "{i}"'
    return f'#!set --name text --value "number {i}"\n#!fsharp\n#!share --from csharp text --as fromC\nfromC.Length'


class Soak(unittest.TestCase):
    def test_three_hundred_cells(self):
        kernel = Kernel()
        kernel.run("#!fsharp\n1", timeout=120)
        start = kernel.megabytes()
        seconds, completions, tensors = [], [], []
        for i in range(CELLS):
            at = time.monotonic()
            outcome = kernel.run(cell(i), timeout=60)
            seconds.append(time.monotonic() - at)
            self.assertEqual(outcome.status, "error" if i % 6 == 4 else "ok", (cell(i), outcome.reply))
            if i % 10 == 9:
                code = "#!fsharp\nSystem.Console.WriteL"
                at = time.monotonic()
                self.assertIn("WriteLine", kernel.client.complete(code, len(code), reply=True, timeout=60)["content"]["matches"])
                completions.append(time.monotonic() - at)
            if i % 50 == 49:
                tensors.append(int(kernel.run(COUNT).result))
                print(f"{i + 1} cells: {kernel.megabytes():.0f} MB, {tensors[-1]} tensors, cell {1000 * sorted(seconds[-50:])[25]:.0f} ms, F# completion {1000 * sorted(completions[-5:])[2]:.0f} ms", flush=True)
        end = kernel.megabytes()
        print(f"start {start:.0f} MB, end {end:.0f} MB, {(end - start) / CELLS:.2f} MB a cell", flush=True)
        kernel.close()
        self.assertLess((end - start) / CELLS, 5)
        self.assertLessEqual(max(tensors) - min(tensors), 2, tensors)


if __name__ == "__main__":
    unittest.main(verbosity=2)
