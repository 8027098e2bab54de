using System.Diagnostics;
using System.Text;
using Xunit;

namespace NullTextResearch.Cli.Tests;

/// <summary>What a run of the program left behind.</summary>
internal sealed record Outcome(int ExitCode, string Out, string Error)
{
    /// <summary>Fails where a person would see a stack trace.</summary>
    public Outcome WithoutStackTrace()
    {
        Assert.DoesNotContain("   at ", Error, StringComparison.Ordinal);
        Assert.DoesNotContain("Unhandled", Error, StringComparison.Ordinal);
        return this;
    }

    /// <summary>Refused: exit code, a short message with all of some words, no stack trace.</summary>
    public void Refused(int exitCode, params IReadOnlyList<string> words)
    {
        WithoutStackTrace();
        Assert.Equal(exitCode, ExitCode);
        foreach (string word in words)
            Assert.Contains(word, Error, StringComparison.OrdinalIgnoreCase);
        Assert.InRange(Error.Trim().Split('\n').Length, 1, 3);
    }
}

/// <summary>The built program, run as a user runs it.</summary>
internal static class Nulltext
{
    public static string Program { get; } = Path.Combine(AppContext.BaseDirectory, "nulltext.dll");

    public static ProcessStartInfo Command(string folder, IEnumerable<string> arguments, params IReadOnlyList<(string Name, string Value)> environment)
    {
        ProcessStartInfo start = new("dotnet")
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.ArgumentList.Add(Program);
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        start.Environment["NULLTEXT_THREADS"] = "1";
        foreach ((string name, string value) in environment)
            start.Environment[name] = value;
        return start;
    }

    public static Outcome Run(string folder, params IReadOnlyList<string> arguments) => Run(Command(folder, arguments));

    public static Outcome Run(ProcessStartInfo start, Action<Process>? whileRunning = null)
    {
        using Process process = Process.Start(start)!;
        StringBuilder output = new(),
            error = new();
        process.OutputDataReceived += (_, e) => Append(output, e.Data);
        process.ErrorDataReceived += (_, e) => Append(error, e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        whileRunning?.Invoke(process);
        if (!process.WaitForExit(TimeSpan.FromMinutes(10)))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"nulltext did not end within ten minutes; it had written: {output}{error}");
        }

        process.WaitForExit();
        return new Outcome(process.ExitCode, output.ToString(), error.ToString());
    }

    private static void Append(StringBuilder text, string? line)
    {
        if (line is null)
            return;
        lock (text)
            text.AppendLine(line);
    }
}
