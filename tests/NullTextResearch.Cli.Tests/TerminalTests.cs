using System.Diagnostics;
using System.Text;
using NullTextResearch.Cli.Running;
using NullTextResearch.Inversion;
using Xunit;

namespace NullTextResearch.Cli.Tests;

/// <summary>What reaches the terminal: text and nothing else, few lines where nobody watches, no colours where none are wanted.</summary>
public sealed class TerminalTests : Workshop
{
    private const string Title = "\u001b]0;owned\u0007\u202E";

    [Fact]
    public void PlainWriter_EveryWayToWrite_IsCleaned()
    {
        StringWriter inner = new();
        using PlainWriter writer = new(inner);
        writer.Write(Title);
        writer.Write('\u001b');
        writer.Write(Title.ToCharArray());
        writer.Write(Title.AsSpan());
        writer.Write("{0}", Title);
        writer.Write((object)Title);
        writer.WriteLine(Title);
        writer.WriteLine(Title.AsSpan());
        writer.WriteLine("{0} {1}", Title, 1.5);
        writer.WriteLine(new StringBuilder(Title));
        writer.WriteLine('\u009b');
        writer.Write("🐱\tä\n");
        Assert.DoesNotContain(inner.ToString(), c => char.IsControl(c) && c is not ('\n' or '\r' or '\t'));
        Assert.DoesNotContain('\u202E', inner.ToString());
        Assert.EndsWith("🐱\tä\n", inner.ToString());
        Assert.Contains(@"\u001b]0;owned\u0007\u202e 1.5", inner.ToString());
    }

    /// <summary>Names from weight files, configs, prompts, paths and notebooks, by every way that text takes to the terminal.</summary>
    [Fact]
    public void Nulltext_EscapeSequencesInFilesAndArguments_ReachNoTerminal()
    {
        string header = """{"\u001b]0;owned\u0007":{"dtype":"\u001b]0;owned\u0007","shape":[1],"data_offsets":[0,4]}}""";
        using (FileStream file = File.Create(Path.Combine(Folder, "evil.safetensors")))
        {
            file.Write(BitConverter.GetBytes((long)header.Length));
            file.Write(Encoding.UTF8.GetBytes(header));
            file.Write(new byte[4]);
        }

        File.WriteAllText(
            Path.Combine(Folder, "evil.ipynb"),
            """
            {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"cell_type": "code", "id": "a", "metadata": {}, "outputs": [], "execution_count": null,
              "source": ["throw new System.Exception(\"\u001b]0;owned\u0007\"); // \u202e"]}]}
            """
        );
        string[][] commands =
        [
            ["doctor", "--model", "evil.safetensors"],
            ["invert", "photo.png", "--prompt", "a cat", "--model", "evil.safetensors", "--debug"],
            ["invert", Title + ".png", "--prompt", "a cat"],
            ["sample", "--prompt", "a cat " + Title, "--steps", "1", "--count", "1"],
            ["sample", "--prompt", Title],
            [Title],
            ["sample", "--prompt", "x", "--size", Title],
            ["verify", "--golden", Title],
            ["notebook", "run", "evil.ipynb"],
        ];
        foreach (string[] command in commands)
        {
            Outcome outcome = Run(command);
            Assert.DoesNotContain(outcome.Out + outcome.Error, c => (char.IsControl(c) && c is not ('\n' or '\r' or '\t')) || c == '\u202E');
            Assert.Contains(@"\u", outcome.Out + outcome.Error);
        }
    }

    [Fact]
    public void LineProgress_LongWork_SaysWhatHowFarHowLong()
    {
        Clock clock = new();
        StringWriter log = new();
        LineProgress progress = new(log, clock);
        for (int step = 0; step <= 50; step++)
        {
            progress.Report(new InversionProgress("null-text inversion", step, 50, 3, 1.5e-4));
            clock.Now += TimeSpan.FromSeconds(4);
        }

        string[] lines = log.ToString().ReplaceLineEndings("\n").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("null-text inversion: step 2 of 50, loss 1.5e-04, 8 s so far, about 3 min 12 s left", lines[0]);
        Assert.Equal("null-text inversion: step 50 of 50, loss 1.5e-04, 3 min 20 s so far", lines[^1]);
        Assert.InRange(lines.Length, 5, 30);
    }

    /// <summary>A week of work, a report a second, through stages that take turns.</summary>
    [Fact]
    public void LineProgress_TotalUnknown_GoesOnTelling()
    {
        Clock clock = new();
        StringWriter log = new();
        LineProgress progress = new(log, clock);
        for (int second = 0; second < 600; second++)
        {
            progress.Report(new NullTextResearch.Experiments.ExperimentProgress(1000 * second, second));
            clock.Now += TimeSpan.FromSeconds(1);
        }

        string[] lines = log.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.InRange(lines.Length, 5, 100);
        Assert.All(lines, line => Assert.DoesNotContain("left", line, StringComparison.Ordinal));
        Assert.Contains("network evaluations", lines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void LineProgress_AWeek_IsALogThatCanBeRead()
    {
        Clock clock = new();
        StringWriter log = new();
        LineProgress progress = new(log, clock);
        const int Seconds = 7 * 24 * 3600;
        for (int second = 0; second < Seconds; second++)
        {
            progress.Report(new InversionProgress(second / 100 % 2 == 0 ? "one" : "two", second % 100 + 1, 100));
            clock.Now += TimeSpan.FromSeconds(1);
        }

        Assert.InRange(log.ToString().Split('\n').Length, 50, 150);
    }

    [Fact]
    public void Reproduce_ErrorOutputThatIsAFile_NamesFigureShareAndTime()
    {
        RequireMini();
        Outcome outcome = Run("reproduce", "--quick", "--figures", "9", "--count", "1", "--size", "32", "--out", "report");
        Assert.True(outcome.ExitCode == 0, outcome.Error);
        string[] lines = [.. outcome.Error.Split('\n').Where(l => l.StartsWith("figures: ", StringComparison.Ordinal))];
        Assert.Matches(@"^figures: fig09 \(1 of 1\), 100\.0 % of total, .* so far$", lines[^1].Trim());
        Assert.InRange(lines.Length, 1, 40);
    }

    /// <summary>A terminal in earnest (a pseudo terminal), and what a user says of it.</summary>
    [Theory]
    [InlineData("xterm-256color", null, true, true)]
    [InlineData("xterm-256color", "1", true, false)]
    [InlineData("dumb", null, false, false)]
    public void Sample_OnATerminal_HonoursWhatItIs(string term, string? noColour, bool moves, bool colours)
    {
        RequireMini();
        Assert.SkipUnless(File.Exists("/usr/bin/script"), "uses 'script' of util-linux");
        ProcessStartInfo start = new("script")
        {
            WorkingDirectory = Folder,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
        };
        foreach (
            string word in (string[])["-qec", $"dotnet '{Nulltext.Program}' sample --prompt 'a cat' --steps 2 --count 1 --out a.png --threads 1", "/dev/null"]
        )
            start.ArgumentList.Add(word);
        start.Environment["TERM"] = term;
        start.Environment.Remove("NO_COLOR");
        if (noColour is not null)
            start.Environment["NO_COLOR"] = noColour;
        Outcome outcome = Nulltext.Run(start);
        Assert.True(outcome.ExitCode == 0, outcome.ToString());
        Assert.Equal(
            (moves, colours),
            (outcome.Out.Contains('\u001b'), System.Text.RegularExpressions.Regex.IsMatch(outcome.Out, "\u001b\\[(?:[0-9;]*;)?(?:3[0-7]|38|9[0-7])[;m]"))
        );
        if (!moves)
            Assert.Matches(@"sampling: step 2 of 2, \d+ s so far", outcome.Out);
    }

    [Fact]
    public void Nulltext_Piped_HasNoEscapeCodes()
    {
        RequireMini();
        Outcome outcome = Nulltext.Run(
            Nulltext.Command(
                Folder,
                ["sample", "--prompt", "a cat", "--steps", "2", "--count", "1"],
                ("TERM", "xterm-256color"),
                ("COLORTERM", "truecolor"),
                ("FORCE_COLOR", "1")
            )
        );
        Assert.True(outcome.ExitCode == 0, outcome.Error);
        Assert.DoesNotContain('\u001b', outcome.Out + outcome.Error);
    }

    private sealed class Clock : TimeProvider
    {
        public TimeSpan Now { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks + 1;
    }
}
