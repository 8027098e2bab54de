using System.CommandLine;
using NullTextResearch.Cli.Running;
using NullTextResearch.Verification;

namespace NullTextResearch.Cli.Commands;

/// <summary>`nulltext verify`: recomputes stored reference numbers and reports which agree.</summary>
internal static class VerifyCommand
{
    public static Command Create()
    {
        Option<DirectoryInfo> golden = new("--golden")
        {
            Description = "Folder with manifest.json, checks.json and the safetensors files they describe.",
            Required = true,
        };
        Option<string> files = new("--files")
        {
            Description =
                "Files to verify, with * and ?; manifest.json selects the checks of the weight formula, rules those of rules that no stored run " + "covers.",
            DefaultValueFactory = _ => "*",
        };
        Option<string?> only = new("--only") { Description = "Only tensors whose name contains this." };
        Option<bool> allowMissing = new("--allow-missing")
        {
            Description = "Skip files that manifest.json describes but the folder lacks; without this they count as failures.",
        };
        Command command = new("verify", "Recompute reference numbers with this library and compare them; no checkpoint is needed.")
        {
            golden,
            files,
            only,
            allowMissing,
        };
        CommandRunner.Handle(
            command,
            (parsed, context) =>
                Run(
                    parsed.GetValue(golden)!.FullName,
                    new VerificationOptions
                    {
                        Files = parsed.GetValue(files)!,
                        Only = parsed.GetValue(only),
                        AllowMissing = parsed.GetValue(allowMissing),
                    },
                    context.Cancel
                )
        );
        return command.WithExamples("nulltext verify --golden data/golden", "nulltext verify --golden data/golden --files \"p2p_*\" --only mapper");
    }

    private static int Run(string folder, VerificationOptions options, CancellationToken cancel)
    {
        IReadOnlyList<VerificationResult> results = GoldenVerifier.Run(folder, options, result => Console.WriteLine(result), cancel);
        Console.WriteLine();
        foreach (IGrouping<string, VerificationResult> file in results.GroupBy(r => r.File))
            Console.WriteLine($"{file.Key}: {Count(file)}");
        Console.WriteLine();
        Console.WriteLine(Count(results));
        // Comparing nothing is not a success: a mistyped --files must not look like agreement.
        return results.All(r => r.Status != VerificationStatus.Fail) && results.Any(r => r.Status == VerificationStatus.Pass)
            ? CommandRunner.Done
            : CommandRunner.Failed;
    }

    private static string Count(IEnumerable<VerificationResult> results)
    {
        ILookup<VerificationStatus, VerificationResult> by = results.ToLookup(r => r.Status);
        return $"{by[VerificationStatus.Pass].Count()} passed, {by[VerificationStatus.Fail].Count()} failed, {by[VerificationStatus.Skip].Count()} skipped";
    }
}
