using System.CommandLine;
using NullTextResearch.Cli.Running;

namespace NullTextResearch.Cli.Commands;

/// <summary>`nulltext bench`: benchmarks of edits.</summary>
internal static class BenchCommand
{
    public static Command Create() =>
        new Command("bench", "Benchmarks of inversion methods and editors, in shards that resume.")
        {
            BenchEditsCommand.Create(),
            BenchPieCommand.Create(),
        }.WithExamples(
            "nulltext bench edits --quick",
            "nulltext bench edits --out runs/bench-edits --shard 0/2",
            "nulltext bench pie --data PIE-Bench_v1 --count 10"
        );
}
