"""Runs every notebook in a front end's way (nbclient, our kernel) at the smallest sizes.

Fails on a failing cell, and where a cell no longer shows what its committed outputs show. Nothing in the checkout
is written. Usage: notebooks.py NULLTEXT_DLL [NOTEBOOK ...]; needs Debian's python3-nbclient.
"""
import glob
import json
import os
import re
import shutil
import sys
import tempfile
import time

SMALLEST = {
    "steps": "4", "innerSteps": "1", "images": "1", "counts": "[1, 2]", "passes": "[1, 2]", "stepCounts": "[2, 4]",
    "scales": "[1, 7.5]", "strengths": "[0.3, 0.6]", "factors": "[0, 1, 3]", "rounds": "2",
}


def inject(notebook):
    for place, cell in enumerate(notebook.cells):
        if "parameters" in cell.metadata.get("tags", []):
            lines = [f"{name} = {value};" for name, value in SMALLEST.items() if re.search(rf"\b{name} = ", cell.source)]
            notebook.cells.insert(place + 1, nbformat.v4.new_code_cell("\n".join(lines), id="injected-parameters"))
            return
    raise SystemExit("a notebook has no cell with the tag 'parameters'")


def kinds(cell):
    """What a cell shows; pictures of charts only where a browser can draw them."""
    shown = [mime for output in cell.get("outputs", []) for mime in output.get("data", {})]
    pictures = shutil.which("chromium") or shutil.which("google-chrome")
    return set(m for m in shown if m in ("text/html", "application/vnd.plotly.v1+json") or (m == "image/png" and pictures))


def run(path, folder):
    notebook = nbformat.read(path, as_version=4)
    committed = {cell.id: kinds(cell) for cell in notebook.cells if cell.cell_type == "code"}
    inject(notebook)
    client = NotebookClient(notebook, timeout=120, kernel_name=".net-csharp", resources={"metadata": {"path": os.path.dirname(path)}})
    client.execute()
    nbformat.write(notebook, os.path.join(folder, os.path.basename(path)))
    # How many of a kind depends on the parameters; that there are any does not.
    missing = [cell.id for cell in notebook.cells if cell.cell_type == "code" and not committed.get(cell.id, set()) <= kinds(cell)]
    return [f"the cell '{cell}' lacks a kind of output that it had when it was committed" for cell in missing]


def main():
    library = os.path.abspath(sys.argv[1])
    folder = tempfile.mkdtemp(prefix="nulltext-notebooks-")
    spec = os.path.join(folder, "jupyter", "kernels", ".net-csharp")
    os.makedirs(spec)
    with open(os.path.join(spec, "kernel.json"), "w", encoding="utf-8") as file:
        json.dump({"argv": ["dotnet", library, "kernel", "{connection_file}"], "display_name": ".NET (C#)", "language": "C#", "interrupt_mode": "message"}, file)
    os.environ["JUPYTER_PATH"] = os.path.join(folder, "jupyter")
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    paths = [os.path.abspath(p) for p in sys.argv[2:]] or sorted(glob.glob(os.path.join(here, "notebooks", "*.ipynb")))
    failed = 0
    for path in paths:
        start = time.monotonic()
        try:
            problems = run(path, folder)
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            problems = [re.sub(r"\x1b\[[0-9;]*m", "", str(error))[-2000:]]
        print(f"{os.path.basename(path)}: {'FAILED' if problems else 'passed'} in {time.monotonic() - start:.0f} s", flush=True)
        for problem in problems:
            print(f"    {problem}", flush=True)
        failed += bool(problems)
    print(f"{len(paths) - failed} of {len(paths)} notebooks passed")
    shutil.rmtree(folder)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    main()
