#!/usr/bin/env python3
"""Changes the library's code in many small ways and sees whether the tests notice.

    tests/campaigns/mutants.py [--only A01,M*] [--work FOLDER] [--results FILE] [--whole]
    tests/campaigns/mutants.py --table FILE

All mutants of mutants.tsv are built into one copy of the checkout: each marked expression X becomes (Mutant.Is(n) ? (Y) : (X)), and the
environment variable NULLTEXT_MUTANT says which one is alive. So the core and its tests are built once. Then, per mutant, the tests of
its room run until the first failure; if none fails, the other tests of the core project, which include what `nulltext verify --golden
data/golden` does (--whole). A mutant that no test notices has survived: it needs a test, or a proof in mutants.tsv that it changes nothing.

--table prints what a file of results says as a table, the last result of each mutant.

mutants.tsv has five columns, divided by tabs:
  id           a letter for the room and a number
  place        source file below src/NullTextResearch
  code         code that occurs once in it, with the expression (or the statement, up to its semicolon) between ⟦ and ⟧;
               \\n is the end of a line
  replacement  what stands there in the mutant; nothing for a statement that is left out
  note         what is wrong with it; for a mutant that changes nothing, "equal: " and the proof

Needs the .NET SDK and Python 3.9; nothing else.
"""
import argparse
import fnmatch
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CORE = "src/NullTextResearch"
TESTS = "tests/NullTextResearch.Tests"
SWITCH = """namespace NullTextResearch;

/// <summary>Which mutant is alive.</summary>
internal static class Mutant
{
    private static readonly string? Alive = System.Environment.GetEnvironmentVariable("NULLTEXT_MUTANT");

    internal static bool Is(string id) => Alive == id;
}
"""


class Mutant:
    def __init__(self, line, number):
        parts = line.rstrip("\n").split("\t")
        if len(parts) != 5:
            sys.exit(f"mutants.tsv, line {number}: {len(parts)} columns in place of 5")
        self.id, self.place, code, self.replacement, self.note = parts
        code = code.replace("\\n", "\n")
        before, rest = code.split("⟦", 1)
        inside, after = rest.rsplit("⟧", 1)
        self.text = before + inside + after
        self.offset = len(before)
        self.original = inside

    @property
    def room(self):
        return self.place.split("/")[0]

    @property
    def is_equal(self):
        return self.note.startswith("equal: ")

    def span(self, source):
        if source.count(self.text) != 1:
            sys.exit(f"{self.id}: the code occurs {source.count(self.text)} times in {self.place}; it must occur once: {self.text}")
        start = source.index(self.text) + self.offset
        return start, start + len(self.original)


def instrument(source, spans, start, end):
    """source[start:end] with the mutants whose spans lie in it; spans may be equal or nested, but not overlap."""
    result, at = [], start
    inner = sorted((s for s in spans if start <= s[0] and s[1] <= end), key=lambda s: (s[0], -s[1]))
    while inner:
        (first, last, _) = inner[0]
        same = [s[2] for s in inner if s[:2] == (first, last)]
        rest = [s for s in inner if s[:2] != (first, last)]
        nested = [s for s in rest if first <= s[0] and s[1] <= last]
        if any(s[0] < last for s in rest if s not in nested):
            sys.exit(f"{same[0].id} overlaps another mutant of {same[0].place}")
        result.append(source[at:first])
        code = instrument(source, nested, first, last)
        for mutant in same:
            if mutant.original.endswith(";"):
                code = f'if (global::NullTextResearch.Mutant.Is("{mutant.id}")) {{ {mutant.replacement} }} else {{ {code} }}'
            else:
                code = f'(global::NullTextResearch.Mutant.Is("{mutant.id}") ? ({mutant.replacement}) : ({code}))'
        result.append(code)
        at = last
        inner = [s for s in rest if s not in nested]
    result.append(source[at:end])
    return "".join(result)


def copy_checkout(work):
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        source, target = ROOT / name, work / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)


def write_mutants(work, mutants):
    by_place = {}
    for mutant in mutants:
        by_place.setdefault(mutant.place, []).append(mutant)
    for place, group in by_place.items():
        source = (ROOT / CORE / place).read_text(encoding="utf-8")
        spans = [(*m.span(source), m) for m in group]
        (work / CORE / place).write_text(instrument(source, spans, 0, len(source)), encoding="utf-8")
    (work / CORE / "Mutant.cs").write_text(SWITCH, encoding="utf-8")


class Runner:
    def __init__(self, work, limit):
        self.program = work / TESTS / "bin/Release/net10.0/NullTextResearch.Tests"
        self.limit, self.work = limit, work

    def first_failure(self, filters, alive=None):
        """Name of a test that fails, what else went wrong, or None if all pass."""
        environment = {k: v for k, v in os.environ.items() if k != "NULLTEXT_MUTANT"}
        if alive:
            environment["NULLTEXT_MUTANT"] = alive
        command = [str(self.program), *filters, "-maxThreads", "1", "-noLogo", "-noColor", "-stopOnFail"]
        try:
            done = subprocess.run(command, cwd=self.work, env=environment, capture_output=True, text=True, timeout=self.limit)
        except subprocess.TimeoutExpired:
            return "no end within the time limit"
        failed = re.findall(r"^\s+(\S.*) \[FAIL\]", done.stdout, re.MULTILINE)
        if failed:
            return failed[0].replace("NullTextResearch.Tests.", "")
        total = re.search(r"Total: (\d+)", done.stdout)
        if done.returncode == 0 and total and int(total.group(1)) > 0:
            return None
        return f"the test program ends with {done.returncode}: {(done.stdout + done.stderr).strip()[-200:]!r}"


def table(mutants, results):
    last = {}
    for line in results.read_text(encoding="utf-8").splitlines():
        name, verdict, failure = line.split("\t")
        last[name] = failure if verdict == "killed" else verdict
    rows = [("id", "place", "change", "killed by")]
    for m in mutants:
        found = last.get(m.id, "not tried")
        rows.append((m.id, m.place, m.note.split(": ", 1)[1] if m.is_equal else m.note, "nothing: proved equal" if found == "equal" else found))
    widths = [max(len(row[c]) for row in rows) for c in (0, 1)]
    for row in rows:
        print(f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]}  ->  {row[3]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", default="*", help="ids, with * and ?, divided by commas")
    parser.add_argument("--work", help="folder for the copy; kept, and only built anew, if it is named")
    parser.add_argument("--results", help="file to append results to: id, verdict, test")
    parser.add_argument("--whole", action="store_true", help="where the room's tests pass, run all tests of the core")
    parser.add_argument("--table", type=pathlib.Path, help="file of results to print as a table; nothing is run")
    options = parser.parse_args()
    lines = (HERE / "mutants.tsv").read_text(encoding="utf-8").split("\n")
    mutants = [Mutant(line, i + 1) for i, line in enumerate(lines) if line and not line.startswith("#")]
    if len({m.id for m in mutants}) != len(mutants):
        sys.exit("mutants.tsv: an id occurs twice")
    if options.table:
        return table(mutants, options.table)
    chosen = [m for m in mutants if any(fnmatch.fnmatch(m.id, p) for p in options.only.split(","))]
    work = pathlib.Path(options.work) if options.work else pathlib.Path(tempfile.mkdtemp(prefix="mutants-"))
    try:
        copy_checkout(work)
        write_mutants(work, mutants)
        subprocess.run(["dotnet", "build", TESTS, "-c", "Release", "-v", "q", "-nologo", "-clp:ErrorsOnly", "-p:TreatWarningsAsErrors=false", "-p:EnforceCodeStyleInBuild=false"],
                       cwd=work, check=True)
        runner = Runner(work, 600)
        rooms = {m.room: ["-namespace", f"NullTextResearch.Tests.{m.room}*"] for m in chosen}
        for room, filters in rooms.items():
            if failure := runner.first_failure(filters):
                sys.exit(f"With no mutant alive, the tests of {room} fail: {failure}")
        survivors = []
        for mutant in chosen:
            failure = runner.first_failure(rooms[mutant.room], mutant.id)
            if failure is None and options.whole:
                failure = runner.first_failure(["-namespace-", f"NullTextResearch.Tests.{mutant.room}*"], mutant.id)
            verdict = "killed" if failure else "equal" if mutant.is_equal else "survived"
            if (verdict == "survived") or (mutant.is_equal and failure):
                survivors.append(mutant.id)
            line = f"{mutant.id}\t{verdict}\t{failure or ''}"
            print(line, flush=True)
            if options.results:
                with open(options.results, "a", encoding="utf-8") as results:
                    results.write(line + "\n")
        print(f"{len(chosen)} mutants; wrong: {', '.join(survivors) or 'none'}")
        return 1 if survivors else 0
    finally:
        if not options.work:
            shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
