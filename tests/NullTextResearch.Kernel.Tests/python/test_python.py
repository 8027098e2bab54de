"""Python as a language of the kernel, as a front end sees it: shared tensors and pictures, figures, the stop button, and its end."""
import importlib.util
import os
import signal
import time
import unittest

from kernel_client import TIMEOUT, Kernel, alive, wait_until

MISSING = [name for name in ("ipykernel", "numpy", "matplotlib") if importlib.util.find_spec(name) is None]
CONNECT = "#!connect jupyter --kernel-name python --kernel-spec python3"


def python_of(kernel):
    outcome = kernel.run("#!python\nimport os\nprint(os.getpid())", timeout=2 * TIMEOUT)
    return int(outcome.stdout)


@unittest.skipIf(MISSING, f"Debian's python3 lacks {', '.join(MISSING)}")
class PythonCells(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.kernel = Kernel()
        outcome = cls.kernel.run(CONNECT, timeout=2 * TIMEOUT)
        assert outcome.status == "ok", outcome.reply

    @classmethod
    def tearDownClass(cls):
        cls.kernel.close()

    def test_tensor_goes_over_and_comes_back(self):
        self.kernel.run("var t = TorchSharp.torch.arange(12, dtype: TorchSharp.torch.float32).reshape(3, 4).t();")
        outcome = self.kernel.run("#!python\n#!share --from csharp t\n(t.shape, str(t.dtype), float(t[1, 2]))")
        self.assertEqual(outcome.status, "ok", outcome.reply)
        self.assertEqual(outcome.result, "((4, 3), 'float32', 9.0)")
        outcome = self.kernel.run("#!python\ndoubled = (2 * t).astype('float64')\n#!csharp\n#!share --from python doubled\ndoubled.sum().item<double>()")
        self.assertEqual(outcome.status, "ok", outcome.reply)
        self.assertEqual(outcome.result, "132")

    def test_picture_is_an_array_and_a_figure_is_a_picture(self):
        self.kernel.run("var picture = new NullTextResearch.Images.RgbImage(2, 1, [255, 0, 0, 0, 255, 0]);")
        outcome = self.kernel.run("#!python\n#!share --from csharp picture\n(picture.shape, picture[0, 1].tolist())")
        self.assertEqual(outcome.result, "((1, 2, 3), [0, 255, 0])", outcome.reply)
        outcome = self.kernel.run("#!python\n%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2]);", timeout=4 * TIMEOUT)
        self.assertTrue(any("image/png" in d["data"] for d in outcome.of("display_data")), outcome.messages)

    def test_error_says_the_line_and_who_lists_it(self):
        outcome = self.kernel.run("#!python\nx = 1\nnowhere")
        self.assertEqual((outcome.status, outcome.reply["ename"]), ("error", "NameError"))
        self.assertIn("line", "\n".join(outcome.reply["traceback"]))
        names = self.kernel.run("#!who").of("display_data")[0]["data"]["text/plain"]
        self.assertIn("x", names)

    def test_stop_keeps_both_languages(self):
        self.kernel.run("int kept = 41;")
        self.kernel.run("#!python\nmine = 7")
        for code in ("import time; time.sleep(100)", "while True: pass"):
            request = self.kernel.send(f'#!python\nprint("running", flush=True)\n{code}')
            self.kernel.wait_for_text("running")
            self.kernel.manager.interrupt_kernel()
            self.assertEqual(self.kernel.collect(request).status, "error")
        self.assertEqual(self.kernel.run("#!python\nmine").result, "7")
        self.assertEqual(self.kernel.run("kept + 1").result, "42")


@unittest.skipIf(MISSING, f"Debian's python3 lacks {', '.join(MISSING)}")
class PythonEnds(unittest.TestCase):
    def test_python_ends_with_a_kernel_that_is_killed(self):
        kernel = Kernel()
        kernel.run(CONNECT, timeout=2 * TIMEOUT)
        python = python_of(kernel)
        self.assertTrue(alive(python))
        os.kill(kernel.pid, signal.SIGKILL)
        self.assertTrue(wait_until(lambda: not alive(python), TIMEOUT))
        kernel.close()

    def test_python_that_is_killed_starts_anew(self):
        kernel = Kernel()
        kernel.run("int kept = 5;")
        kernel.run(CONNECT, timeout=2 * TIMEOUT)
        os.kill(python_of(kernel), signal.SIGKILL)
        time.sleep(0.5)
        outcomes = [kernel.run("#!python\n1 + 1", timeout=2 * TIMEOUT) for _ in range(2)]
        self.assertEqual(outcomes[-1].result, "2", outcomes[0].reply)
        self.assertEqual(kernel.run("kept").result, "5")
        kernel.close()


if __name__ == "__main__":
    unittest.main(verbosity=2)
