using System.CommandLine;
using NullTextResearch.Cli.Running;
using Xunit;

namespace NullTextResearch.Cli.Tests;

/// <summary>A command line that cannot be meant so ends with 2 and says how it is meant; help shows how each command is used.</summary>
public sealed class UsageTests : Workshop
{
    /// <summary>Each mistake of every verb, as the runner hears of it.</summary>
    [Theory]
    [InlineData("smaple", "there is no command 'smaple'; did you mean 'sample'?")]
    [InlineData("smaple --prompt x", "there is no command 'smaple'; did you mean 'sample'?")]
    [InlineData("xyzzy", "there is no command 'xyzzy'.")]
    [InlineData("model pul a/b", "there is no command 'pul'; did you mean 'pull'?")]
    [InlineData("model", "Required command")]
    [InlineData("sample --promt \"a cat\"", "did you mean '--prompt'?", "'--prompt' is required")]
    [InlineData("sample --prompt", "--prompt")]
    [InlineData("sample --prompt a --steps five", "five")]
    [InlineData("sample --prompt a --steps 0", "--steps is 0")]
    [InlineData("sample --prompt a --guidance NaN", "--guidance is NaN")]
    [InlineData("sample --prompt a --guidance 1,5", "--guidance is '1,5'")]
    [InlineData("edit run --to x --cross much", "--cross is 'much'")]
    [InlineData("sample --prompt a --size 5y5", "--size is '5y5'")]
    [InlineData("sample --prompt a --out \"\"", "--out is empty")]
    [InlineData("sample --prompt a --threds 1", "did you mean '--threads'?")]
    [InlineData("sample --prompt a --threads 0", "--threads is 0")]
    [InlineData("sample --prompt a cat", "'cat'")]
    [InlineData("invert p.png --stepz=5", "did you mean '--steps'?")]
    [InlineData("invert a.png b.png", "'b.png'")]
    [InlineData("invert \"\"", "IMAGE is empty")]
    [InlineData("invert p.png --method ddmi", "--method is 'ddmi'", "did you mean 'ddim'?")]
    [InlineData("edit run", "give --to")]
    [InlineData("edit run --to x --blend \" \"", "--blend is empty")]
    [InlineData("edit run --to x --swap --refine", "exclude each other")]
    [InlineData("edit run --reweight snow", "word=number")]
    [InlineData("plan --available much", "--available is 'much'")]
    [InlineData("reproduce --figures 7", "no figure '7'")]
    [InlineData("reproduce --figures ablation", "did you mean 'ablations'?")]
    [InlineData("reproduce --quick --protocol paper", "exclude each other")]
    [InlineData("doctor --device gpu", "--device is 'gpu'")]
    [InlineData("train --minutes -1", "--minutes is -1")]
    [InlineData("train --workers 5000", "--workers is 5000")]
    [InlineData("train --device gpu", "--device is 'gpu'")]
    [InlineData("train --stages Vea", "Vea")]
    [InlineData("train --scenes 5", "--scenes is for --evaluate")]
    [InlineData("train --evaluate --export models/x", "nothing to --export")]
    [InlineData("train --rows 5", "--rows is for --claims")]
    [InlineData("train --timesteps 5", "--timesteps is for --claims")]
    [InlineData("train --claims --rows 0", "--rows must be at least 1")]
    [InlineData("train --claims --variants 5", "--variants is for --evaluate")]
    [InlineData("train --claims --evaluate", "give one")]
    [InlineData("train --claims --export models/x", "nothing to --export")]
    [InlineData("train --weak-captions-from 2", "--weak-captions-from is 2")]
    [InlineData("verify", "'--golden' is required")]
    [InlineData("notebook convert a.ipynb a.pdf", "'a.pdf' has the wrong extension")]
    [InlineData("notebook convert a.txt a.ipynb", "'a.txt' has the wrong extension")]
    [InlineData("notebook run", "Required argument")]
    [InlineData("kernel", "Required argument")]
    [InlineData("completion", "Required argument")]
    [InlineData("completion csh", "no script for 'csh'")]
    public void Misuse_CommandLine_IsNamed(string line, params string[] words)
    {
        string all = string.Join('\n', Misuse.Of(Program.CreateRoot().Parse(line, CommandRunner.Parsing)));
        foreach (string word in words)
            Assert.Contains(word, all, StringComparison.Ordinal);
    }

    /// <summary>One of each kind through the built program: what cannot be read, and what only the work can tell.</summary>
    [Theory]
    [InlineData("'nulltext --help'", "smaple")]
    [InlineData("'nulltext model pull --help'", "model", "pull", "badname")]
    [InlineData("'nulltext model remove --help'", "model", "remove", "a/b/c")]
    [InlineData("'nulltext model pull --help'", "model", "pull", "a/b", "--revision", "..")]
    [InlineData("'nulltext notebook --help'", "notebook", "isntall")]
    [InlineData("'nulltext invert --help'", "invert", "photo.png", "--prompt", "a cat", "--method", "ddim", "--inner", "5")]
    [InlineData("'nulltext invert --help'", "invert", "--prompt", "a cat")]
    [InlineData("'nulltext notebook run --help'", "notebook", "run", "../photo.ipynb", "-p", "steps")]
    public void Nulltext_WrongUsage_ExitsWith2AndNamesTheHelp(string help, params string[] arguments)
    {
        if (arguments.Contains("../photo.ipynb"))
        {
            File.WriteAllText(Path.Combine(Folder, "photo.ipynb"), """{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}""");
            arguments = [.. arguments.Select(a => a == "../photo.ipynb" ? "photo.ipynb" : a)];
        }

        Run(arguments).Refused(2, help);
    }

    [Fact]
    public void Misuse_GoodCommandLines_AreNone()
    {
        RootCommand root = Program.CreateRoot();
        string[] lines =
        [
            "",
            "doctor",
            "sample --prompt \"\"",
            "sample --prompt \"@ night, a cat\"",
            "edit run --to \"\" --reweight snow=2",
            "notebook x.ipynb --no-browser --port 8899",
            "train --evaluate --scenes 3",
            "invert",
        ];
        foreach (string line in lines)
            Assert.Equal((line, ""), (line, string.Join('\n', Misuse.Of(root.Parse(line, CommandRunner.Parsing)))));
        Assert.Equal("@night", root.Parse(["sample", "--prompt", "@night"], CommandRunner.Parsing).GetValue<string>("--prompt"));
    }

    /// <summary>Examples are command lines that the program itself understands.</summary>
    [Fact]
    public void Help_EveryCommand_HasExamplesThatParse()
    {
        RootCommand root = Program.CreateRoot();
        Command[] all = [.. All(root)];
        Assert.True(all.Length > 18, $"{all.Length} commands");
        foreach (Command command in all)
        {
            IReadOnlyList<string> examples = Examples.Of(command);
            Assert.True(examples.Count > 0, $"{Misuse.PathOf(command)} has no example");
            foreach (string example in examples)
            {
                Assert.StartsWith(Misuse.PathOf(command), example, StringComparison.Ordinal);
                ParseResult parsed = root.Parse(example["nulltext".Length..], CommandRunner.Parsing);
                Assert.Equal((example, ""), (example, string.Join('\n', Misuse.Of(parsed))));
                if (command.Subcommands.Count == 0)
                    Assert.Same(command, parsed.CommandResult.Command);
            }
        }

        static IEnumerable<Command> All(Command command) => command.Subcommands.SelectMany(All).Prepend(command);
    }

    [Fact]
    public void Help_RootAndVerb_ShowExamples()
    {
        Outcome root = Run("--help"),
            verb = Run("sample", "--help");
        Assert.Equal((0, 0), (root.ExitCode, verb.ExitCode));
        Assert.Contains("Stable Diffusion 1.x and 2.x", root.Out, StringComparison.Ordinal);
        Assert.Contains("  nulltext reproduce --quick", root.Out, StringComparison.Ordinal);
        Assert.Contains("Examples:\n  nulltext sample --prompt", verb.Out.ReplaceLineEndings("\n"), StringComparison.Ordinal);
    }
}
