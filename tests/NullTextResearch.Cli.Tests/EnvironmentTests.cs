using System.Diagnostics;
using System.Text.Json.Nodes;
using Xunit;

namespace NullTextResearch.Cli.Tests;

/// <summary>Machines that are set up in odd ways: no home, no cache, languages with rules of their own.</summary>
public sealed class EnvironmentTests : Workshop
{
    /// <summary>Null unsets a variable; FILE is a file where a folder should be, DENIED a place where nothing can be made, not even by root.</summary>
    [Theory]
    [InlineData("HOME", null)]
    [InlineData("HOME", "")]
    [InlineData("HOME", "DENIED")]
    [InlineData("XDG_CACHE_HOME", "DENIED")]
    [InlineData("XDG_CACHE_HOME", "FILE")]
    [InlineData("HF_HUB_CACHE", "FILE")]
    public void MainVerbs_HomeOrCacheThatCannotBeUsed_Work(string variable, string? value)
    {
        RequireMini();
        Assert.SkipUnless(OperatingSystem.IsLinux(), "uses Linux's folders");
        string file = Path.Combine(Folder, "file");
        File.WriteAllText(file, "");
        File.WriteAllText(
            Path.Combine(Folder, "one.ipynb"),
            """{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"cell_type": "code", "id": "a", "metadata": {}, "outputs": [], "execution_count": null, "source": ["1 + 1"]}]}"""
        );
        // The verbs that look for folders of their own.
        string[][] commands =
        [
            ["doctor"],
            ["model", "list"],
            .. value is null or "DENIED"
                ? (string[][])
                    [
                        ["notebook", "run", "one.ipynb"],
                    ]
                : [],
        ];
        foreach (string[] command in commands)
        {
            ProcessStartInfo start = Nulltext.Command(Folder, command);
            start.Environment.Remove(variable);
            if (variable != "XDG_CACHE_HOME")
                start.Environment.Remove("XDG_CACHE_HOME");
            if (value is not null)
                start.Environment[variable] = value switch
                {
                    "FILE" => file,
                    "DENIED" => "/proc/nulltext",
                    _ => value,
                };
            Outcome outcome = Nulltext.Run(start).WithoutStackTrace();
            Assert.DoesNotContain("bug in the program", outcome.Error, StringComparison.Ordinal);
            // A cache that is a file is the user's mistake, and is named; nothing else depends on it.
            bool refused = variable == "HF_HUB_CACHE" && command[0] == "model";
            Assert.True(
                outcome.ExitCode == 0 || (refused && outcome.Error.Contains(file, StringComparison.Ordinal)),
                $"{string.Join(' ', command)}: {outcome}"
            );
        }
    }

    /// <summary>A host that does not turn globalization off, in a language with a decimal comma, and with an i without a dot.</summary>
    [Theory]
    [InlineData("de_DE.UTF-8", "1,5 i")]
    [InlineData("tr_TR.UTF-8", "1,5 ı")]
    public void Nulltext_HostOfAnotherCulture_WritesTheSameFiles(string language, string sign)
    {
        RequireMini();
        string config = Path.Combine(Folder, "host.runtimeconfig.json");
        JsonNode host = JsonNode.Parse(File.ReadAllText(Path.ChangeExtension(Nulltext.Program, ".runtimeconfig.json")))!;
        JsonObject properties = host["runtimeOptions"]!["configProperties"]!.AsObject();
        foreach (string name in (string[])["System.Globalization.Invariant", "System.Globalization.PredefinedCulturesOnly"])
            properties.Remove(name);
        File.WriteAllText(config, host.ToJsonString());
        File.WriteAllText(Path.Combine(Folder, "sign.dib"), "#!csharp\n$\"{1.5} {\"I\".ToLower()}\"\n");

        // That the culture is in force, told by a cell of a user's own.
        Outcome cell = There("notebook", "run", "sign.dib");
        Assert.SkipWhen(cell.Error.Contains("libicu", StringComparison.OrdinalIgnoreCase), $"{language}: ICU is not installed here");
        Assert.True(cell.ExitCode == 0, cell.Error);
        Assert.Contains(sign, File.ReadAllText(Path.Combine(Folder, "sign.ipynb")).Replace("\\u0131", "ı", StringComparison.Ordinal), StringComparison.Ordinal);

        string[][] commands =
        [
            ["invert", "photo.png", "--prompt", "A RED CAR IN THE DESERT", "--steps", "3", "--inner", "1", "--guidance", "7.5", "--out", "#/run"],
            ["edit", "#/run", "--to", "a blue car in the desert", "--reweight", "blue=1.5", "--cross", "0.75", "--blend", "CAR"],
            ["sample", "--prompt", "a big cat", "--steps", "2", "--count", "1", "--guidance", "2.5", "--out", "#/sample.png"],
            .. language.StartsWith("de", StringComparison.Ordinal)
                ? (string[][])
                    [
                        ["reproduce", "--quick", "--figures", "9", "--count", "1", "--size", "32", "--edit-guidance", "2.5", "--out", "#/report"],
                    ]
                : [],
        ];
        foreach (string[] command in commands)
        {
            foreach (string place in (string[])["here", "there"])
            {
                string[] words = [.. command.Select(w => w.Replace("#", place, StringComparison.Ordinal))];
                Outcome outcome = place == "here" ? Run(words) : There(words);
                Assert.True(outcome.ExitCode == 0, outcome.Error);
            }
        }

        string[] files = Files("here");
        Assert.Equal(files, Files("there"));
        Assert.True(files.Length > 8, string.Join(' ', files));
        foreach (string file in files)
        {
            byte[] here = File.ReadAllBytes(Path.Combine(Folder, "here", file)),
                there = File.ReadAllBytes(Path.Combine(Folder, "there", file));
            switch (Path.GetExtension(file))
            {
                // Times differ, and the report's pages show them.
                case ".json":
                    Assert.Equal((file, Shape(JsonNode.Parse(here)!)), (file, Shape(JsonNode.Parse(there)!)));
                    break;
                case ".html":
                    break;
                default:
                    Assert.True(here.AsSpan().SequenceEqual(there), file);
                    break;
            }
        }

        string[] Files(string place) =>
            [
                .. Directory
                    .GetFiles(Path.Combine(Folder, place), "*", SearchOption.AllDirectories)
                    .Select(f => Path.GetRelativePath(Path.Combine(Folder, place), f))
                    .Order(StringComparer.Ordinal),
            ];

        Outcome There(params string[] arguments)
        {
            ProcessStartInfo start = Nulltext.Command(Folder, arguments, ("LC_ALL", language), ("LANG", language));
            start.ArgumentList.Insert(0, "exec");
            start.ArgumentList.Insert(1, "--runtimeconfig");
            start.ArgumentList.Insert(2, config);
            return Nulltext.Run(start);
        }
    }

    // Everything but what is a time or names a place.
    private static string Shape(JsonNode node) =>
        node switch
        {
            JsonObject o => "{"
                + string.Join(
                    ",",
                    o.Where(p => p.Key is not ("seconds" or "finished" or "started" or "command" or "Seconds"))
                        .Select(p => $"{p.Key}:{(p.Value is null ? "null" : Shape(p.Value))}")
                )
                + "}",
            JsonArray a => "[" + string.Join(",", a.Select(i => i is null ? "null" : Shape(i))) + "]",
            _ => node.ToJsonString(),
        };
}
