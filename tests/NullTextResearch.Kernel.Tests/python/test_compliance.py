"""The suite that Jupyter publishes for kernels; only its pager test does not apply."""
import unittest

import jupyter_kernel_test


class Compliance(jupyter_kernel_test.KernelTests):
    kernel_name = ".net-csharp"
    language_name = "C#"
    file_extension = ".cs"
    code_hello_world = 'Console.WriteLine("hello, world");'
    code_stderr = 'Console.Error.WriteLine("oops");'
    completion_samples = [
        {"text": "Console.WriteL", "matches": {"WriteLine"}},
        {"text": "System.Math.Sq", "matches": {"Sqrt"}},
        {"text": "#!impo", "matches": {"#!import"}},
    ]
    complete_code_samples = ["1 + 1", "int x = 1;", 'foreach (var i in new[] { 1 }) { Console.Write(i); }', "#!who"]
    incomplete_code_samples = ["if (true) {", "void F(int x", 'Console.WriteLine("a"', "class C\n{"]
    invalid_code_samples = ["int 3x = ;)", "}"]
    code_generate_error = 'throw new InvalidOperationException("no");'
    code_execute_result = [
        {"code": "6 * 7", "result": "42"},
        {"code": '"a" + "b"', "result": "ab"},
        {"code": "new[] { 1, 2 }.Sum()", "result": "3"},
        {"code": "6 * 7", "result": "42"},
        {"code": "6 * 7", "result": "42"},
    ]
    code_display_data = [
        {"code": 'display(HTML("<b>hi</b>"));', "mime": "text/html"},
        {"code": '"text".Display();', "mime": "text/plain"},
    ]
    supported_history_operations = ("tail", "range", "search")
    code_history_pattern = "6?*?7*"
    code_inspect_sample = "Console.WriteLine"
    code_clear_output = "clear_output();"


if __name__ == "__main__":
    unittest.main(verbosity=2)
