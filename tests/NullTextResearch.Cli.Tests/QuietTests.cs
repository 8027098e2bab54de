using System.Text.RegularExpressions;
using NullTextResearch.Kernel.Documents;
using NullTextResearch.TestKit;
using Xunit;

namespace NullTextResearch.Cli.Tests;

/// <summary>
/// Standard error is the program's own: what libtorch, oneDNN, MKL, OpenMP or the runtime write there reaches nobody. Each line must have the form of one
/// of ours; their wording may change.
/// </summary>
public sealed partial class QuietTests(FinishedRun work) : IClassFixture<FinishedRun>
{
    [Theory]
    [InlineData("sample", "--prompt", "a cat", "--steps", "2", "--count", "1", "--out", "quiet.png")]
    [InlineData("invert", "photo.png", "--prompt", Workshop.Prompt, "--steps", "3", "--inner", "2", "--out", "quiet")]
    [InlineData("edit", "run", "--to", "a blue car in the desert")]
    [InlineData("reproduce", "--quick", "--figures", "9", "--count", "1", "--size", "32", "--out", "quiet-report")]
    [InlineData("doctor")]
    [InlineData("plan", "--size", "64", "--available", "8GB")]
    [InlineData("train", "--steps", "1", "--stages", "Vae", "--workers", "1", "--sample-minutes", "60", "--out", "quiet-training")]
    public void Verb_EndingWell_WritesOnlyItsOwnLinesToStandardError(params string[] arguments)
    {
        Workshop.RequireMini();
        RequireOwnLines(work.Run(arguments));
    }

    [Fact]
    public void Verify_OneFile_WritesOnlyItsOwnLinesToStandardError()
    {
        string golden = SourceTree.At("data", "golden");
        RequireOwnLines(work.Run("verify", "--golden", golden, "--files", "tiny_models.safetensors"));
    }

    /// <summary>With one thread and one small picture, libtorch would ask NNPACK.</summary>
    [Fact]
    public void Cell_Convolutions_WriteNothingToStandardError()
    {
        string notebook = Path.Combine(work.Folder, "quiet.ipynb");
        new NotebookDocument
        {
            Cells =
            [
                new NotebookCell
                {
                    Source =
                        "using static TorchSharp.torch;\nset_num_threads(1);\nvar y = nn.functional.conv2d(randn(1, 64, 16, 16), randn(64, 64, 3, "
                        + "3));\ny.shape[1]",
                },
            ],
        }.Save(notebook);
        Outcome outcome = work.Run("notebook", "run", notebook);
        RequireOwnLines(outcome);
        Assert.Contains("64", File.ReadAllText(notebook), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[W1129 02:49:39.979870747 NNPACK.cpp:56] Could not initialize NNPACK! Reason: Unsupported hardware.")]
    [InlineData("OMP: Warning #96: Cannot form a team with 4 threads, using 2 of 4 instead.")]
    [InlineData("libgomp: Invalid value for environment variable GOMP_SPINCOUNT")]
    [InlineData("onednn_verbose,v1,info,cpu,runtime:OpenMP,nthr:1 of 2")]
    [InlineData("INTEL MKL WARNING: step 1 of 2")]
    [InlineData("terminate called after throwing an instance of 'c10::Error'")]
    [InlineData("   at System.String.Concat()")]
    [InlineData("figures without an end")]
    public void IsOurs_LineOfAnother_IsNot(string line) => Assert.False(IsOurs(line));

    [Theory]
    [InlineData("null-text inversion: step 4 of 4, loss 4.7e-02")]
    [InlineData("figure 9 (fig09), 1 of 1: step 22 of 1000, 00:01:02 so far, about 00:00:10 left")]
    [InlineData("note: scheduler_config.json says no set_alpha_to_one; DDIM's true is taken")]
    [InlineData("loading unet: 0.4 of 3.4 GB")]
    public void IsOurs_LineOfTheProgram_Is(string line) => Assert.True(IsOurs(line));

    private static void RequireOwnLines(Outcome outcome)
    {
        Assert.True(outcome.ExitCode == 0, outcome.Out + outcome.Error);
        string[] foreign = [.. outcome.Error.Split('\n').Select(l => l.TrimEnd()).Where(l => l.Length > 0 && !IsOurs(l))];
        Assert.True(foreign.Length == 0, $"{foreign.Length} lines on standard error are not ours, the first: {foreign.FirstOrDefault()}");
    }

    private static bool IsOurs(string line) => OwnLine().IsMatch(line) && !NativeLine().IsMatch(line);

    // A word for what follows (note), or the name of some work and how far it is.
    [GeneratedRegex(@"^(note|warning): \S|^[\p{L}][\p{L}\p{N} ,.'()/_-]*: .*\d[\d.]* of \d|^resuming ", RegexOptions.CultureInvariant)]
    private static partial Regex OwnLine();

    // The native libraries' names, which no line of ours has.
    [GeneratedRegex(@"NNPACK|\bOMP\b|libgomp|[Oo]ne[Dd][Nn][Nn]|onednn|\bMKL\b|c10::|at::|\.cpp:\d", RegexOptions.CultureInvariant)]
    private static partial Regex NativeLine();
}
