"""Puts the tables of committed runs into docs/benchmarks.md: pairs.csv and metrics.csv of a benchmark of edits (docs/benchmarks/edits), and variants.csv of
a comparison of null-text variants (docs/benchmarks/null-text).

Usage: build/benchmark-tables.py, after copying the files of a run of 'nulltext bench edits' or 'nulltext methods --null-text-cost' there.
"""
import csv
import re
from pathlib import Path

root = Path(__file__).resolve().parent.parent
runs = root / "docs/benchmarks"


def rows(name):
    with open(runs / name, newline="", encoding="utf8") as file:
        return list(csv.DictReader(file))


def spread(row, name, digits, factor=1.0):
    middle, low, high = (float(row[name + end]) * factor for end in ("", "-low", "-high"))
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def table(head, lines):
    return "\n".join(["| " + " | ".join(head) + " |", "|---" * len(head) + "|", *("| " + " | ".join(line) + " |" for line in lines)])


pairs = table(
    ["method", "editor", "success, %", "1000 x MSE to the truth", "PSNR outside, dB", "reconstruction, dB", "cost"],
    [
        [
            row["method"], row["editor"], spread(row, "success", 0, 100), spread(row, "truth-distance", 1, 1000), spread(row, "preservation", 1),
            f"{float(row['reconstruction-psnr']):.1f}", f"{float(row['cost']):.0f}",
        ]
        for row in sorted(rows("edits/pairs.csv"), key=lambda row: float(row["truth-distance"]))
    ],
)
metrics = table(
    ["metric", "over pairs", "over tasks", "over the pairs of a task"],
    [
        [row["metric"], spread(row, "pairs-rho", 2), spread(row, "tasks-rho", 2), spread(row, "within-tasks-rho", 2)]
        for row in sorted(rows("edits/metrics.csv"), key=lambda row: -float(row["pairs-rho"]))
    ],
)


def variants():
    columns = {
        "variant": "variant", "cost": "cost", "share": "share", "PSNR to the picture, dB": "picture, dB", "picture, against the first": "against the first",
        "pivot, against the first": "pivot, against the first", "edit, against the first": "edit, against the first", "succeeded": "succeeded",
    }
    return table(list(columns.values()), [[row[column] for column in columns] for row in rows("null-text/variants.csv")])


document = root / "docs/benchmarks.md"
text = document.read_text(encoding="utf8")
for name, block in (("pairs", pairs), ("metrics", metrics), ("null-text-t50", variants())):
    text, count = re.subn(rf"<!-- {name} -->\n.*?<!-- /{name} -->", lambda _: f"<!-- {name} -->\n{block}\n<!-- /{name} -->", text, flags=re.S)
    if count != 1:
        raise SystemExit(f"docs/benchmarks.md needs one block '<!-- {name} -->'; it has {count}")
document.write_text(text, encoding="utf8")
