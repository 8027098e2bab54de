using System.Diagnostics;
using NullTextResearch.Experiments;
using NullTextResearch.TestKit;
using NullTextResearch.Weights;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Cli.Tests;

/// <summary>
/// Places that are written: one writer at a time, found out before the work; and what a damaged or full disk leaves is never the end of a run.
/// </summary>
public sealed class OutputPlaceTests(FinishedRun work) : IClassFixture<FinishedRun>
{
    private const string Notebook =
        """{"cells":[{"cell_type":"code","id":"a","metadata":{},"execution_count":null,"outputs":[],"source":["1 + 1"]}],"metadata":{"language_info":{"name":"C#"}},"nbformat":4,"nbformat_minor":5}""";

    /// <summary>Verbs that write, with the place that they are given.</summary>
    public static TheoryData<string, string[]> Verbs =>
        new()
        {
            { "invert", ["invert", "photo.png", "--prompt", Workshop.Prompt, "--steps", "5", "--inner", "1", "--out"] },
            { "reproduce", ["reproduce", "--quick", "--figures", "9", "--count", "1", "--out"] },
            { "train", ["train", "--steps", "1", "--stages", "Vae", "--out"] },
            { "export", ["train", "--steps", "1", "--stages", "None", "--out", "nothing", "--export"] },
            { "sample", ["sample", "--prompt", "a cat", "--steps", "2", "--count", "1", "--out"] },
        };

    [Theory]
    [MemberData(nameof(Verbs))]
    public void AnyVerb_PlaceWhereAnotherProcessWrites_IsRefusedBeforeTheWork(string verb, string[] command)
    {
        Workshop.RequireMini();
        string place = Path.Combine(work.Folder, "busy-" + verb);
        using OutputLock held = verb == "sample" ? OutputLock.OnFile(place) : OutputLock.OnFolder(place);
        work.Run([.. command, place]).Refused(1, place, "another process is writing there", "choose another place");
    }

    [Theory]
    [MemberData(nameof(Verbs))]
    public void AnyVerb_PlaceThatCannotBeWritten_IsToldBeforeTheWork(string verb, string[] command)
    {
        Workshop.RequireMini();
        File.WriteAllText(Path.Combine(work.Folder, "file"), "");
        Outcome outcome = work.Run([.. command, Path.Combine("file", verb)]);
        outcome.WithoutStackTrace();
        Assert.Equal(1, outcome.ExitCode);
        Assert.Contains("file", outcome.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("step", outcome.Out + outcome.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("bug in the program", outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Edit_EditsThatCannotBeWritten_IsToldBeforeTheWork()
    {
        Workshop.RequireMini();
        CopyRun("no-edits");
        File.WriteAllText(Path.Combine(work.Folder, "no-edits", "edits"), "");
        work.Run("edit", "no-edits", "--to", "a blue car in the desert").Refused(1, "edits", "cannot be written");
    }

    [Fact]
    public void NotebookRun_PlaceThatCannotBeWritten_IsToldBeforeTheCellsRun()
    {
        File.WriteAllText(Path.Combine(work.Folder, "file"), "");
        File.WriteAllText(Path.Combine(work.Folder, "sum.ipynb"), Notebook);
        Outcome outcome = work.Run("notebook", "run", "sum.ipynb", "--out", Path.Combine("file", "out"));
        Assert.Equal(1, outcome.WithoutStackTrace().ExitCode);
        Assert.Contains("cannot be written", outcome.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("cell 1", outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Invert_TwoIntoOneFolder_SecondIsRefusedAndTheFirstIsWhole()
    {
        Workshop.RequireMini();
        string folder = Path.Combine(work.Folder, "shared");
        string[] command = ["invert", "photo.png", "--prompt", Workshop.Prompt, "--steps", "16", "--inner", "2", "--out", "shared"];
        Outcome? second = null;
        Outcome first = Nulltext.Run(
            Nulltext.Command(work.Folder, command),
            _ =>
            {
                Await(() => File.Exists(Path.Combine(folder, OutputLock.FileName)));
                second = work.Run(command);
            }
        );
        Assert.True(first.ExitCode == 0, first.Error);
        second!.Refused(1, "shared is in use", "another process");
        new RunFolder(folder).Load().Dispose();
        Assert.Equal(
            ["inversion.safetensors", "manifest.json", "reconstruction.png", "source.png", "vae.png"],
            Directory.GetFileSystemEntries(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public void Edit_TwoOfOneRunAtOnce_BothAreKept()
    {
        Workshop.RequireMini();
        CopyRun("twice");
        Outcome? second = null;
        Outcome first = Nulltext.Run(
            Nulltext.Command(work.Folder, ["edit", "twice", "--to", "a blue car in the desert"]),
            _ => second = work.Run("edit", "twice", "--to", "a red car in the snow")
        );
        Assert.True(first.ExitCode == 0, first.Error);
        Assert.True(second!.ExitCode == 0, second.Error);
        string[] edits = Directory.GetFileSystemEntries(Path.Combine(work.Folder, "twice", "edits"));
        Assert.Equal(["001", "002"], edits.Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal(2, edits.Select(e => File.ReadAllText(Path.Combine(e, "edit.json"))).Distinct().Count());
    }

    [Fact]
    public void Invert_DamagedState_StartsAnewAndSaysSo()
    {
        Workshop.RequireMini();
        Directory.CreateDirectory(Path.Combine(work.Folder, "damaged-state"));
        File.WriteAllText(Path.Combine(work.Folder, "damaged-state", "state.safetensors"), "what a disk error left");
        Outcome outcome = work.Invert("damaged-state");
        Assert.True(outcome.ExitCode == 0, outcome.Error);
        Assert.Contains("state.safetensors is damaged", outcome.Error, StringComparison.Ordinal);
        Assert.Contains("starts from scratch", outcome.Error, StringComparison.Ordinal);
        Assert.Equal(
            File.ReadAllBytes(Path.Combine(work.Folder, "run", "inversion.safetensors")),
            File.ReadAllBytes(Path.Combine(work.Folder, "damaged-state", "inversion.safetensors"))
        );
    }

    [Theory]
    [InlineData("a byte changed", "checksum")]
    [InlineData("values that are not finite", "not finite")]
    public void Edit_DamagedTensors_IsRefusedBeforeTheEdit(string how, string why)
    {
        Workshop.RequireMini();
        string run = "damaged-" + why.Replace(' ', '-');
        CopyRun(run);
        string tensors = Path.Combine(work.Folder, run, "inversion.safetensors"),
            manifest = Path.Combine(work.Folder, run, "manifest.json");
        if (how == "a byte changed")
        {
            using FileStream file = File.OpenWrite(tensors);
            file.Seek(-1000, SeekOrigin.End);
            file.WriteByte(0x55);
        }
        else
        {
            // A run from before there were checksums.
            File.WriteAllText(manifest, File.ReadAllText(manifest).Replace("\"tensorChecksum\"", "\"older\"", StringComparison.Ordinal));
            using TorchSharp.DisposeScope scope = NewDisposeScope();
            Dictionary<string, Tensor> all;
            Dictionary<string, string> strings;
            using (SafetensorsFile file = SafetensorsFile.Open(tensors))
            {
                all = file.Entries.ToDictionary(e => e.Name, e => file.Read(e.Name));
                strings = new(file.Metadata);
            }

            strings.Remove("sha256");
            all["start_latents"].view(-1)[7].Fill(double.NaN);
            SafetensorsFile.Write(tensors, all, strings);
        }

        Outcome outcome = work.Run("edit", run, "--to", "a blue car in the desert");
        outcome.Refused(1, "inversion.safetensors is damaged", why, "invert the image again");
        Assert.DoesNotContain("step", outcome.Error, StringComparison.Ordinal);
    }

    /// <summary>
    /// A disk that fills up in the middle: told as what it is, nothing half written stays, and once there is space the same command ends well,
    /// with what was done before. The disk is a real one, of a few kilobytes, in a namespace of its own.
    /// </summary>
    /// <param name="verb">What is run in the folder that the disk is.</param>
    /// <param name="kilobytes">Space beyond what lies on the disk before.</param>
    /// <param name="kept">What the second run says of what the first kept; empty where there is nothing to keep.</param>
    [Theory]
    [InlineData("invert", 350, "resuming after step 10")]
    [InlineData("edit", 16, "")]
    [InlineData("sample", 8, "")]
    [InlineData("reproduce", 40, "(0 results computed, 5 found)")]
    [InlineData("train", 9_000, "")]
    [InlineData("notebook", 0, "")]
    public void AnyVerb_DiskFillsUpMidway_SaysSoAndTheSameCommandGoesOn(string verb, int kilobytes, string kept)
    {
        Workshop.RequireMini();
        Assert.SkipUnless(OperatingSystem.IsLinux(), "uses Linux's namespaces");
        Assert.SkipUnless(BadInputTests.CanMount(), "this system does not let a user mount a disk");
        string disk = Directory.CreateDirectory(Path.Combine(work.Folder, "disk-" + verb)).FullName;
        string photo = Path.Combine(work.Folder, "photo.png");
        File.WriteAllText(Path.Combine(work.Folder, "sum.ipynb"), Notebook);
        string[] command = verb switch
        {
            "invert" => ["invert", photo, "--prompt", Workshop.Prompt, "--steps", "12", "--inner", "1", "--out", "run"],
            "edit" => ["edit", "run", "--to", "a blue car in the desert"],
            "sample" => ["sample", "--prompt", "a cat", "--steps", "2", "--count", "1", "--out", "samples.png"],
            "reproduce" => ["reproduce", "--quick", "--figures", "9", "--count", "1", "--size", "32", "--out", "report"],
            "train" => ["train", "--steps", "1", "--stages", "Vae", "--checkpoint-seconds", "0", "--workers", "1", "--out", "training"],
            _ => ["notebook", "run", Path.Combine(work.Folder, "sum.ipynb"), "--out", "."],
        };
        ProcessStartInfo program = Nulltext.Command(disk, command, ("NULLTEXT_CHROMIUM", "/none"));
        // The log lies on the ordinary disk. A page is four kilobytes, and a disk of no pages at all has no size.
        string script = $"""
            cd '{disk}' && mount -t tmpfs -o size=64m tmpfs . && cd '{disk}' || exit 90
            if [ {verb} = edit ]; then cp -r '{work.Folder}/run' run; fi
            used=$(df --output=used -k . | tail -1)
            mount -o remount,size=$((used + {kilobytes} + 4))k . || exit 91
            {(verb == "notebook" ? "head -c 4096 /dev/zero > filler" : "true")}
            dotnet "$@" > '{disk}.first' 2>&1; first=$?
            find . -name '*.partial' -o -name '*.lock' > '{disk}.left'
            rm -f filler; mount -o remount,size=256m . || exit 92
            [ {verb} = train ] && exit $first
            dotnet "$@" > '{disk}.second' 2>&1 || exit 93
            exit $first
            """;
        ProcessStartInfo start = new("unshare")
        {
            WorkingDirectory = work.Folder,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        foreach (string argument in (string[])["--user", "--map-root-user", "--mount", "bash", "-c", script, "bash", .. program.ArgumentList])
            start.ArgumentList.Add(argument);
        foreach ((string name, string? value) in program.Environment)
            start.Environment[name] = value;
        Outcome outcome = Nulltext.Run(start);

        string first = File.ReadAllText(disk + ".first"),
            second = File.Exists(disk + ".second") ? File.ReadAllText(disk + ".second") : "";
        Assert.True(outcome.ExitCode == 1, $"{outcome.ExitCode} {outcome.Error}\n{first}\n{second}");
        Assert.Contains("the disk is full", first, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", first, StringComparison.Ordinal);
        Assert.Equal("", File.ReadAllText(disk + ".left"));
        Assert.Contains(kept, second, StringComparison.Ordinal);
    }

    private void CopyRun(string to)
    {
        string target = Directory.CreateDirectory(Path.Combine(work.Folder, to)).FullName;
        foreach (string file in Directory.GetFiles(Path.Combine(work.Folder, "run")))
            File.Copy(file, Path.Combine(target, Path.GetFileName(file)));
    }

    private static void Await(Func<bool> condition)
    {
        Stopwatch clock = Stopwatch.StartNew();
        while (!condition() && clock.Elapsed < TimeSpan.FromMinutes(1))
            Thread.Sleep(10);
        Assert.True(condition());
    }
}
