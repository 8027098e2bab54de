using System.Diagnostics;
using Xunit;

namespace NullTextResearch.Cli.Tests;

/// <summary>The printed scripts, in the shells they are for: each reads its script and completes a verb, an option and a value.</summary>
public sealed class CompletionTests : Workshop
{
    // What a shell is asked to complete, and what must be among its answers.
    private static readonly (string Line, string Answer, string Other)[] Cases =
    [
        ("nulltext samp", "sample", "invert"),
        ("nulltext sample --pro", "--prompt", "--steps"),
        ("nulltext invert photo.png --method dd", "ddim", "npi"),
        ("nulltext model ", "pull", "sample"),
        ("nulltext sample --device ", "cuda", "--prompt"),
    ];

    [Fact]
    public void Bash_Script_CompletesVerbOptionAndValue() =>
        Complete(
            "bash",
            "-c",
            line =>
                $$"""
                    source <(nulltext completion bash)
                    COMP_LINE='{{line}}' COMP_POINT={{line.Length}}
                    read -ra COMP_WORDS <<< "$COMP_LINE"
                    [[ $COMP_LINE == *' ' ]] && COMP_WORDS+=('')
                    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
                    complete -p nulltext > /dev/null || exit 9
                    _nulltext
                    printf '%s\n' "${COMPREPLY[@]}"
                    """
        );

    [Fact]
    public void Zsh_Script_CompletesVerbOptionAndValue() =>
        Complete(
            "zsh",
            "-fc",
            line =>
                $$"""
                    compdef() { registered=$1 }
                    compadd() { shift; print -l -- "$@" }
                    source <(nulltext completion zsh)
                    [[ $registered == _nulltext ]] || exit 9
                    line='{{line}}'
                    words=(${=line}); [[ $line == *' ' ]] && words+=('')
                    CURRENT=${#words}
                    _nulltext
                    """
        );

    [Fact]
    public void Fish_Script_CompletesVerbOptionAndValue() =>
        Complete(
            "fish",
            "-c",
            line =>
                $$"""
                    nulltext completion fish | source
                    complete -C '{{line}}'
                    """
        );

    [Fact]
    public void Pwsh_Script_CompletesVerbOptionAndValue() =>
        Complete(
            "pwsh",
            "-Command",
            line =>
                $$"""
                    nulltext completion pwsh | Out-String | Invoke-Expression
                    (TabExpansion2 '{{line}}' {{line.Length}}).CompletionMatches.CompletionText
                    """
        );

    [Fact]
    public void Suggest_RunFolders_AreOffered()
    {
        foreach (string run in (string[])["first", "second"])
            Directory.CreateDirectory(Path.Combine(Folder, "runs", run));
        File.WriteAllText(Path.Combine(Folder, "runs", "second", "manifest.json"), "{}");
        Assert.Equal(Path.Combine("runs", "second"), Run("[suggest:19]", "nulltext edit runs/").Out.Trim());
    }

    private void Complete(string shell, string option, Func<string, string> script)
    {
        Assert.SkipUnless(Exists(shell), $"{shell} is not installed here");
        string bin = Path.Combine(Folder, "bin"),
            program = Path.Combine(bin, "nulltext");
        Directory.CreateDirectory(bin);
        File.WriteAllText(program, $"#!/bin/sh\nexec dotnet '{Nulltext.Program}' \"$@\"\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        foreach ((string line, string answer, string other) in Cases)
        {
            ProcessStartInfo start = new(shell)
            {
                WorkingDirectory = Folder,
                RedirectStandardError = true,
                RedirectStandardOutput = true,
            };
            start.ArgumentList.Add(option);
            start.ArgumentList.Add(script(line));
            start.Environment["PATH"] = $"{bin}{Path.PathSeparator}{Environment.GetEnvironmentVariable("PATH")}";
            Outcome outcome = Nulltext.Run(start);
            Assert.True(outcome.ExitCode == 0 && outcome.Error.Trim().Length == 0, $"{line}: {outcome}");
            string[] answers = outcome.Out.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
            Assert.Contains(answer, answers);
            Assert.DoesNotContain(other, answers);
        }
    }

    private static bool Exists(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(f => File.Exists(Path.Combine(f, program)));
}
