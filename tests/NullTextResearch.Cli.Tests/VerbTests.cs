using System.Diagnostics;
using System.Text.Json;
using NullTextResearch.Images;
using NullTextResearch.Weights;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Cli.Tests;

/// <summary>The verbs on a finished run: invert once, edit often.</summary>
public sealed class VerbTests(FinishedRun work) : IClassFixture<FinishedRun>
{
    [Fact]
    public void Invert_Photo_WritesEverythingAnEditNeeds()
    {
        Workshop.RequireMini();
        Outcome outcome = work.Inversion!;
        Assert.True(outcome.ExitCode == 0, outcome.Error);
        string run = Path.Combine(work.Folder, "run");
        Assert.Equal(
            ["inversion.safetensors", "manifest.json", "reconstruction.png", "source.png", "vae.png"],
            Directory.GetFiles(run).Select(Path.GetFileName).Order(StringComparer.Ordinal)
        );
        using JsonDocument manifest = JsonDocument.Parse(File.ReadAllText(Path.Combine(run, "manifest.json")));
        Assert.Equal(Workshop.Prompt, manifest.RootElement.GetProperty("prompt").GetString());
        // 5 to invert; per step one conditional, one inner, one to advance.
        Assert.Equal(20, manifest.RootElement.GetProperty("evaluations").GetDouble());
        Assert.Equal(5, manifest.RootElement.GetProperty("backwards").GetDouble());
        RgbImage source = ImageFile.Load(Path.Combine(run, "source.png"));
        Assert.Equal((64, 64), (source.Width, source.Height));
        Assert.Contains("PSNR", outcome.Out, StringComparison.Ordinal);
        Assert.Contains("20 network evaluations", outcome.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void InvertAndEdit_InBf16WithLittleMemory_RecordAndKeepIt()
    {
        Workshop.RequireMini();
        Outcome inverted = work.Invert("run-bf16", "--precision", "bf16", "--checkpointing", "--sequential", "--vae-tile", "8", "--offload");
        Assert.True(inverted.ExitCode == 0, inverted.Error);
        Assert.Contains("bf16; memory saved by: checkpointing, sequential, tiles of 8 (overlap 2), offload", inverted.Out, StringComparison.Ordinal);
        using JsonDocument manifest = JsonDocument.Parse(File.ReadAllText(Path.Combine(work.Folder, "run-bf16", "manifest.json")));
        Assert.Equal("bf16", manifest.RootElement.GetProperty("modelPrecision").GetString());
        Assert.True(manifest.RootElement.GetProperty("modelMemory").GetProperty("checkpointing").GetBoolean());
        Assert.Equal(8, manifest.RootElement.GetProperty("modelMemory").GetProperty("vaeTile").GetInt32());
        using JsonDocument plain = JsonDocument.Parse(File.ReadAllText(Path.Combine(work.Folder, "run", "manifest.json")));
        Assert.Equal("fp32", plain.RootElement.GetProperty("modelPrecision").GetString());
        Assert.NotEqual(plain.RootElement.GetProperty("key").GetString(), manifest.RootElement.GetProperty("key").GetString());
        Assert.Equal(plain.RootElement.GetProperty("modelIdentity").GetString(), manifest.RootElement.GetProperty("modelIdentity").GetString());

        // Options that are not given default to those of the inversion.
        Assert.Equal(0, work.Run("edit", "run-bf16", "--to", "a blue car in the desert").ExitCode);
        Assert.Equal(0, work.Run("edit", "run-bf16", "--to", "a blue car in the desert", "--precision", "fp32").ExitCode);
        string[] precisions =
        [
            .. ((string[])["001", "002"]).Select(n =>
            {
                using JsonDocument edit = JsonDocument.Parse(File.ReadAllText(Path.Combine(work.Folder, "run-bf16", "edits", n, "edit.json")));
                return edit.RootElement.GetProperty("precision").GetString()!;
            }),
        ];
        Assert.Equal(["bf16", "fp32"], precisions);
    }

    /// <summary>The picture is 64 x 48. Sides that are odd numbers of latents halve unevenly in the network.</summary>
    [Theory]
    [InlineData("keep", 72, 56)]
    [InlineData("as-is", 64, 48)]
    [InlineData("100x52", 100, 52)]
    [InlineData("32", 32, 32)]
    public void InvertAndEdit_AnySize_KeepIt(string size, int width, int height)
    {
        Workshop.RequireMini();
        Outcome inverted = work.Run("invert", "photo.png", "--prompt", Workshop.Prompt, "--steps", "3", "--inner", "1", "--size", size, "--out", "at-" + size);
        Assert.True(inverted.ExitCode == 0, inverted.Error);
        Assert.Contains($"{width} x {height} px", inverted.Out, StringComparison.Ordinal);
        Outcome edited = work.Run("edit", "at-" + size, "--to", "a blue car in the desert", "--blend", "car");
        Assert.True(edited.ExitCode == 0, edited.Error);
        foreach (string picture in (string[])["source.png", "vae.png", "reconstruction.png", "edits/001/edit.png"])
            Assert.Equal(new PixelSize(width, height), PixelSize.Of(ImageFile.Load(Path.Combine(work.Folder, "at-" + size, picture))));
    }

    [Fact]
    public void Sample_AnySize_IsThatOfThePictures()
    {
        Workshop.RequireMini();
        Outcome outcome = work.Run("sample", "--prompt", "a cat", "--steps", "2", "--count", "1", "--size", "96x32", "--out", "wide.png");
        Assert.True(outcome.ExitCode == 0, outcome.Error);
        Outcome square = work.Run("sample", "--prompt", "a cat", "--steps", "2", "--count", "1", "--size", "96", "--out", "square.png");
        Assert.True(square.ExitCode == 0, square.Error);
        RgbImage wide = ImageFile.Load(Path.Combine(work.Folder, "wide.png")),
            other = ImageFile.Load(Path.Combine(work.Folder, "square.png"));
        Assert.True(wide.Width == other.Width && wide.Height < other.Height, $"{wide}, {other}");
        work.Run("sample", "--prompt", "a cat", "--size", "97").Refused(2, "--size", "multiples of 4");
    }

    [Fact]
    public void Invert_SameAgain_DoesNotWorkTwice()
    {
        Workshop.RequireMini();
        DateTime written = File.GetLastWriteTimeUtc(Path.Combine(work.Folder, "run", "inversion.safetensors"));
        Outcome again = work.Invert("run");
        Assert.Equal(0, again.ExitCode);
        Assert.Contains("already complete", again.Out, StringComparison.Ordinal);
        Assert.Equal(written, File.GetLastWriteTimeUtc(Path.Combine(work.Folder, "run", "inversion.safetensors")));
    }

    [Fact]
    public void Invert_OtherOptionsIntoTheSameFolder_IsRefused()
    {
        Workshop.RequireMini();
        work.Invert("run", "--guidance", "3").Refused(1, "another run", "--out", "--restart");
    }

    [Theory]
    [InlineData("ddim", 5)]
    [InlineData("npi", 5)]
    [InlineData("direct", 15)]
    public void Invert_FreeBaseline_CostsWhatItSays(string method, int evaluations)
    {
        Workshop.RequireMini();
        Outcome outcome = work.Run("invert", "photo.png", "--prompt", Workshop.Prompt, "--steps", "5", "--method", method, "--out", method);
        Assert.True(outcome.ExitCode == 0, outcome.Error);
        Assert.Contains($"{evaluations} network evaluations, 0 with", outcome.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("global")]
    [InlineData("random-pivot")]
    [InlineData("textual")]
    [InlineData("textual-pivot")]
    [InlineData("non-pivotal")]
    public void Invert_Ablation_LeavesARunThatCanBeEdited(string method)
    {
        Workshop.RequireMini();
        Outcome inverted = work.Run("invert", "photo.png", "--prompt", Workshop.Prompt, "--steps", "3", "--inner", "1", "--method", method, "--out", method);
        Assert.True(inverted.ExitCode == 0, inverted.Error);
        Outcome edited = work.Run("edit", method, "--to", "a blue car in the desert");
        Assert.True(edited.ExitCode == 0, edited.Error);
    }

    [Fact]
    public void Edit_SeveralKinds_NumbersTheirFolders()
    {
        Workshop.RequireMini();
        string[][] edits =
        [
            ["--to", "a blue car in the desert", "--swap", "--blend", "car"],
            ["--to", "a red car in the snowy desert", "--refine"],
            ["--reweight", "red=3", "car=0.5"],
        ];
        int before = Edits().Length;
        foreach (string[] edit in edits)
        {
            Outcome outcome = work.Run(["edit", "run", .. edit]);
            Assert.True(outcome.ExitCode == 0, outcome.Error);
        }

        string[] folders = Edits();
        Assert.Equal(before + edits.Length, folders.Length);
        foreach (string folder in folders)
        {
            Assert.Equal(["edit.json", "edit.png", "strip.png"], Directory.GetFiles(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
            RgbImage strip = ImageFile.Load(Path.Combine(folder, "strip.png"));
            Assert.True(strip.Width > 3 * 64, $"{strip}");
        }

        string[] Edits() =>
            Directory.Exists(Path.Combine(work.Folder, "run", "edits")) ? Directory.GetDirectories(Path.Combine(work.Folder, "run", "edits")) : [];
    }

    [Fact]
    public void Edit_UnequalWordCountsInASwap_ListsBothPrompts()
    {
        Workshop.RequireMini();
        work.Run("edit", "run", "--to", "a very blue car in the desert", "--swap").Refused(2, "the same number of words", "very", "refinement");
    }

    [Theory]
    [InlineData("--blend", "zebra")]
    [InlineData("--reweight", "zebra=2")]
    public void Edit_WordNotInThePrompt_ListsItsWords(string option, string value)
    {
        Workshop.RequireMini();
        work.Run("edit", "run", "--to", "a blue car in the desert", option, value).Refused(2, "'zebra' is not in the prompt", "desert");
    }

    /// <summary>What the error of an option lists, the option takes; also where a comma follows the word.</summary>
    [Fact]
    public void Edit_WordBeforeAComma_IsNamedAsTheErrorListsIt()
    {
        Workshop.RequireMini();
        Outcome inverted = work.Run("invert", "photo.png", "--prompt", "a house, in the snow", "--method", "ddim", "--steps", "2", "--out", "comma");
        Assert.True(inverted.ExitCode == 0, inverted.Error);
        Outcome refused = work.Run("edit", "comma", "--to", "a car, in the snow", "--blend", "zebra");
        refused.Refused(2, "'zebra' is not in the prompt");
        string[] words = [.. refused.Error.Split("its words are: ")[1].Split('\n')[0].Split(", ")];
        Assert.Equal(["a", "house", "in", "the", "snow", "car"], words);
        Outcome all = work.Run("edit", "comma", "--to", "a car, in the snow", "--blend", string.Join(',', words));
        Assert.True(all.ExitCode == 0, all.Error);
        Outcome one = work.Run("edit", "comma", "--to", "a car, in the snow", "--blend", "house", "--reweight", "car=2", "snow=0.5");
        Assert.True(one.ExitCode == 0, one.Error);
    }

    [Fact]
    public void AnyVerb_WordsThatTheModelDoesNotKnow_AreNamedOrRefused()
    {
        Workshop.RequireMini();
        Outcome noted = work.Run("sample", "--prompt", "a hosue with an elephant in the snow", "--steps", "2", "--count", "1", "--out", "unknown.png");
        Assert.True(noted.ExitCode == 0, noted.Error);
        Assert.Contains("note: sd-mini does not know 'hosue' (near: house), 'an', 'elephant'", noted.Error, StringComparison.Ordinal);
        string[] says = ["means nothing to sd-mini", "'elephant'", "mushroom"];
        work.Run("sample", "--prompt", "an elephant on a bicycle").Refused(1, says);
        work.Run("invert", "photo.png", "--prompt", "an elephant on a bicycle", "--out", "elephant").Refused(1, says);
        work.Run("edit", "run", "--to", "an elephant on a bicycle").Refused(1, says);
        work.Run("edit", "run", "--to", "an aeroplane made of cheese").Refused(1, "'aeroplane'", "'cheese'");

        string images = Directory.CreateDirectory(Path.Combine(work.Folder, "elephants")).FullName;
        File.Copy(Path.Combine(work.Folder, "photo.png"), Path.Combine(images, "one.png"));
        File.WriteAllText(Path.Combine(images, "one.txt"), "an elephant on a bicycle\n");
        work.Run("reproduce", "--quick", "--figures", "9", "--images", images, "--out", "none").Refused(1, says);
    }

    [Fact]
    public void Edit_AnotherModel_IsRefused()
    {
        Workshop.RequireMini();
        string model = work.MiniWithout("scheduler");
        Directory.CreateDirectory(Path.Combine(model, "scheduler"));
        string config = File.ReadAllText(Path.Combine(Workshop.MiniFolder, "scheduler", "scheduler_config.json"));
        File.WriteAllText(Path.Combine(model, "scheduler", "scheduler_config.json"), config + " ");
        work.Run("edit", "run", "--to", "a blue car in the desert", "--model", model).Refused(1, "a different model", "--model");
    }

    [Fact]
    public void Edit_DamagedManifest_SaysWhatToDo()
    {
        Workshop.RequireMini();
        string copy = Path.Combine(work.Folder, "damaged");
        Directory.CreateDirectory(copy);
        File.WriteAllText(Path.Combine(copy, "manifest.json"), "{ \"key\": ");
        work.Run("edit", "damaged", "--to", "a cat").Refused(1, "damaged", "invert the image again");
    }

    [Fact]
    public void Invert_Interrupted_KeepsItsStepsAndEndsAsIfItHadNotBeen()
    {
        Workshop.RequireMini();
        Assert.SkipUnless(OperatingSystem.IsLinux(), "sends a signal");
        string[] command = ["invert", "photo.png", "--prompt", Workshop.Prompt, "--steps", "16", "--inner", "2", "--out"];
        string state = Path.Combine(work.Folder, "stopped", "state.safetensors");
        Outcome stopped = Nulltext.Run(
            Nulltext.Command(work.Folder, [.. command, "stopped"]),
            process =>
            {
                Stopwatch clock = Stopwatch.StartNew();
                while (!File.Exists(state) && clock.Elapsed < TimeSpan.FromMinutes(1))
                    Thread.Sleep(10);
                using Process kill = Process.Start("kill", [$"-{StopSignal()}", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
                kill.WaitForExit();
            }
        );
        Assert.Equal(130, stopped.WithoutStackTrace().ExitCode);
        Assert.Contains("cancelled", stopped.Error, StringComparison.Ordinal);
        Assert.Contains("of 16 steps are kept in stopped", stopped.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(work.Folder, "stopped", "manifest.json")));
        work.Run("edit", "stopped", "--to", "a cat").Refused(1, "interrupted", "same");

        Outcome resumed = work.Run([.. command, "stopped"]);
        Assert.True(resumed.ExitCode == 0, resumed.Error);
        Assert.Contains("resuming after step", resumed.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(state));
        Assert.Equal(0, work.Run([.. command, "whole"]).ExitCode);
        using SafetensorsFile one = SafetensorsFile.Open(Path.Combine(work.Folder, "stopped", "inversion.safetensors"));
        using SafetensorsFile other = SafetensorsFile.Open(Path.Combine(work.Folder, "whole", "inversion.safetensors"));
        foreach (SafetensorsEntry entry in other.Entries)
        {
            using Tensor a = one.Read(entry.Name),
                b = other.Read(entry.Name);
            Assert.True(a.equal(b).all().item<bool>(), entry.Name);
        }

        // Shells start background jobs with SIGINT ignored, and children inherit that: then the other signal of the same meaning serves.
        static string StopSignal()
        {
            string line = File.ReadLines("/proc/self/status").First(l => l.StartsWith("SigIgn:", StringComparison.Ordinal));
            ulong ignored = Convert.ToUInt64(line["SigIgn:".Length..].Trim(), 16);
            return (ignored & 2) != 0 ? "TERM" : "INT";
        }
    }

    [Fact]
    public void Sample_Prompt_IsReproducible()
    {
        Workshop.RequireMini();
        string[] command = ["sample", "--prompt", Workshop.Prompt, "--steps", "3", "--count", "5", "--seed", "7", "--out"];
        Assert.Equal(0, work.Run([.. command, "a.png"]).ExitCode);
        Assert.Equal(0, work.Run([.. command, "b.png"]).ExitCode);
        Assert.Equal(File.ReadAllBytes(Path.Combine(work.Folder, "a.png")), File.ReadAllBytes(Path.Combine(work.Folder, "b.png")));
    }

    [Fact]
    public void Doctor_Here_FindsTheEssentials()
    {
        Workshop.RequireMini();
        Outcome outcome = work.Run("doctor");
        Assert.True(outcome.ExitCode == 0, outcome.Out + outcome.Error);
        foreach (string word in (string[])["runtime", "libtorch", "device", "threads", "memory", "sd-mini", "pulled models", "Chromium", "Jupyter"])
            Assert.Contains(word, outcome.Out, StringComparison.Ordinal);
        string[] lines = outcome.Out.Split('\n');
        for (int i = 0; i < lines.Length - 1; i++)
        {
            if (lines[i].StartsWith("missing", StringComparison.Ordinal))
                Assert.Contains("->", lines[i + 1], StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Doctor_ModelFolderThatIsNone_SaysHowToMendIt()
    {
        Outcome outcome = work.Run("doctor", "--model", "nowhere");
        Assert.Equal(1, outcome.ExitCode);
        Assert.Contains("BROKEN", outcome.Out, StringComparison.Ordinal);
        Assert.Contains("-> give a diffusers-format folder", outcome.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Nulltext_WithoutArguments_ShowsTheFirstCommand()
    {
        Outcome outcome = work.Run();
        Assert.Equal(0, outcome.ExitCode);
        Assert.Contains("nulltext reproduce --quick", outcome.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Help_EveryVerb_IsListed()
    {
        Outcome outcome = work.Run("--help");
        Assert.Equal(0, outcome.ExitCode);
        foreach (string verb in (string[])["invert", "edit", "sample", "doctor", "train"])
            Assert.Contains($"  {verb}", outcome.Out, StringComparison.Ordinal);
    }
}
