"""Cells of several languages through Jupyter: outputs, errors, stops, and the compliance suite's samples in F#."""
import time
import unittest

from kernel_client import Kernel

STOPS = [
    "System.Threading.Thread.Sleep 600000",
    "Async.Sleep 600000 |> Async.RunSynchronously",
    "async { while true do do! Async.Sleep 1 } |> Async.RunSynchronously",
    'while true do printfn "line"',
    "while true do ()",
    "let rec spin n = if n < 0 then () else spin (n + 1 - 1)\nspin 1",
    "Seq.initInfinite id |> Seq.iter (fun i -> ignore i)",
    "for i in Seq.initInfinite id do\n    TorchSharp.torch.ones([| 100L |]).sum() |> ignore",
    "let t = System.Threading.Tasks.Task.Delay 600000\nt.Wait()",
    "while true do\n    try\n        System.Threading.Thread.Sleep 1\n    with _ -> ()",
]


class Polyglot(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.kernel = Kernel()

    @classmethod
    def tearDownClass(cls):
        cls.kernel.close()

    def test_cells(self):
        at = time.monotonic()
        self.assertEqual(self.kernel.run("#!fsharp\n6 * 7", timeout=120).result, "42")
        print(f"first F# cell {time.monotonic() - at:.1f} s", flush=True)
        at = time.monotonic()
        self.assertEqual(self.kernel.run('#!fsharp\nlet name = "ä"\nname + name').result, "ää")
        print(f"second F# cell {time.monotonic() - at:.2f} s", flush=True)
        outcome = self.kernel.run('#!fsharp\nfor i in 1..3 do printfn "%d" i\neprintfn "wrong"')
        self.assertEqual((outcome.stdout, outcome.stderr.strip()), ("1\n2\n3\n", "wrong"))
        outcome = self.kernel.run("#!fsharp\n1 + true")
        self.assertEqual(outcome.reply["ename"], "CompilationError")
        self.assertEqual(len(outcome.of("error")), 1)

    def test_language_services(self):
        code = "var c = 1;\n#!fsharp\nSystem.Console.WriteL"
        reply = self.kernel.client.complete(code, len(code), reply=True, timeout=120)["content"]
        self.assertEqual(reply["matches"], ["WriteLine"])
        self.assertEqual(code[reply["cursor_start"]:reply["cursor_end"]], "WriteL")
        code = "#!fsharp\nList.map"
        self.assertIn("mapping", self.kernel.client.inspect(code, len(code), reply=True, timeout=60)["content"]["data"]["text/plain"])
        reply = self.kernel.reply(self.kernel.client.is_complete("#!fsharp\nlet f x ="))["content"]
        self.assertEqual((reply["status"], reply["indent"]), ("incomplete", "    "))

    def test_thirty_stops(self):
        self.kernel.run("#!fsharp\nlet kept = 3\n#!csharp\nvar alsoKept = 4;", timeout=120)
        times = []
        for i in range(30):
            code = STOPS[i % len(STOPS)]
            print(f"{i}: {code!r}", flush=True)
            outcome, seconds = self.kernel.interrupt_running(f'#!fsharp\nprintfn "running"\n{code}')
            self.assertEqual((outcome.status, outcome.reply["ename"]), ("error", "Interrupted"), code)
            times.append(seconds)
            self.assertEqual(self.kernel.run("#!share --from fsharp kept\nkept + alsoKept").result, "7", code)
        print(f"30 of 30 stopped; slowest {max(times):.2f} s, median {sorted(times)[15]:.2f} s", flush=True)


if __name__ == "__main__":
    unittest.main(verbosity=2)
