using System.Buffers.Binary;
using System.Diagnostics;
using NullTextResearch.TestKit;
using NullTextResearch.Weights;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Cli.Tests;

/// <summary>Each bad input gets an error that names the thing and the remedy, a non-zero exit code and no stack trace.</summary>
public sealed class BadInputTests : Workshop
{
    [Fact]
    public void Invert_MissingImage_NamesTheFile() => Run("invert", "nowhere.png", "--prompt", "a cat").Refused(1, "nowhere.png", "no such file");

    [Fact]
    public void Invert_CorruptImage_SaysSo()
    {
        byte[] bytes = File.ReadAllBytes(Path.Combine(Folder, "photo.png"));
        File.WriteAllBytes(Path.Combine(Folder, "half.png"), bytes[..(bytes.Length / 2)]);
        Run("invert", "half.png", "--prompt", "a cat").Refused(1, "half.png", "again");
    }

    [Fact]
    public void Invert_NoImageAtAll_NamesTheFormats()
    {
        File.WriteAllText(Path.Combine(Folder, "text.png"), "hello");
        Run("invert", "text.png", "--prompt", "a cat").Refused(1, "text.png", "a text file that begins with", "PNG, JPEG and WebP");
    }

    [Fact]
    public void Invert_ImageBomb_StatesTheLimit()
    {
        File.WriteAllBytes(Path.Combine(Folder, "bomb.png"), Bomb(100_000, 100_000));
        Run("invert", "bomb.png", "--prompt", "a cat").Refused(1, "bomb.png", "limit is 64,000,000");
    }

    [Fact]
    public void Invert_PromptTooLong_SaysWhatWouldBeLost()
    {
        RequireMini();
        Run("invert", "photo.png", "--prompt", string.Join(' ', Enumerable.Repeat("car", 90)) + " zebra").Refused(1, "tokens", "zebra", "shorten");
    }

    [Theory]
    [InlineData("--steps", "five")]
    [InlineData("--steps", "0")]
    [InlineData("--method", "magic")]
    [InlineData("--preset", "slow")]
    [InlineData("--crop", "1,2,3")]
    [InlineData("--device", "gpu")]
    [InlineData("--guidance", "-3")]
    [InlineData("--precision", "int8")]
    [InlineData("--vae-precision", "half")]
    [InlineData("--vae-tile", "7")]
    public void Invert_UnknownOptionValue_NamesOptionAndValue(string option, string value) =>
        Run("invert", "photo.png", "--prompt", "a cat", option, value).Refused(2, option, value, "--help");

    [Fact]
    public void Invert_UnknownOption_NamesIt() => Run("invert", "photo.png", "--prompt", "a cat", "--stepz", "5").Refused(2, "--stepz");

    [Fact]
    public void Invert_WithoutPrompt_AsksForIt() => Run("invert", "photo.png").Refused(2, "photo.png", "--prompt", "photo.txt");

    [Fact]
    public void Invert_OptionWithoutMeaning_IsRefused() =>
        Run("invert", "photo.png", "--prompt", "a cat", "--method", "ddim", "--inner", "5").Refused(2, "--inner", "ddim", "leave it out");

    [Fact]
    public void Invert_ModelFolderMissingParts_ListsThem()
    {
        Directory.CreateDirectory(Path.Combine(Folder, "model", "unet"));
        Run("invert", "photo.png", "--prompt", "a cat", "--model", "model").Refused(1, "model", "vae", "text_encoder", "tokenizer", "scheduler");
    }

    [Fact]
    public void Invert_ModelWithoutWeights_NamesTheFile()
    {
        RequireMini();
        string model = MiniWithout("vae");
        Directory.CreateDirectory(Path.Combine(model, "vae"));
        File.Copy(Path.Combine(MiniFolder, "vae", "config.json"), Path.Combine(model, "vae", "config.json"));
        Run("invert", "photo.png", "--prompt", "a cat", "--model", model).Refused(1, "Missing file", "diffusion_pytorch_model.safetensors");
    }

    [Theory]
    [InlineData("diffusion_pytorch_model.bin")]
    [InlineData("diffusion_pytorch_model.safetensors")]
    public void Invert_PickleCheckpoint_IsRefusedUnread(string name)
    {
        RequireMini();
        string model = MiniWithout("unet");
        Directory.CreateDirectory(Path.Combine(model, "unet"));
        File.Copy(Path.Combine(MiniFolder, "unet", "config.json"), Path.Combine(model, "unet", "config.json"));
        File.WriteAllBytes(Path.Combine(model, "unet", name), [0x80, 2, (byte)'c', (byte)'o', (byte)'s', 10, 46, 46, 46, 46]);
        Run("invert", "photo.png", "--prompt", "a cat", "--model", model).Refused(1, "pickle", "run code", "safetensors");
    }

    [Fact]
    public void Invert_MoreMemoryThanThereIs_RefusesBeforeItStarts()
    {
        RequireMini();
        Nulltext
            .Run(Nulltext.Command(Folder, ["invert", "photo.png", "--prompt", "a cat", "--out", "run"], ("NULLTEXT_MEMORY_LIMIT", "100000000")))
            .Refused(1, "95 MB is available", "nothing was started", "--size");
        Assert.False(Directory.Exists(Path.Combine(Folder, "run")));
    }

    [Fact]
    public void Invert_SizeThatFitsTheModelButNotTheMachine_IsRefusedByThePlan()
    {
        RequireMini();
        Nulltext
            .Run(Nulltext.Command(Folder, ["invert", "photo.png", "--prompt", "a cat", "--size", "1024x960"], ("NULLTEXT_MEMORY_LIMIT", "500000000")))
            .Refused(1, "memory", "nothing was started", "--size");
    }

    [Theory]
    [InlineData("8192", "at most 1024 pixels", "1024 x 1024")]
    [InlineData("62x48", "multiples of 4", "64 x 48")]
    public void Invert_SizeThatTheModelDoesNotTake_NamesTheNearest(string size, string why, string nearest)
    {
        RequireMini();
        Run("invert", "photo.png", "--prompt", "a cat", "--size", size).Refused(2, "--size", why, nearest);
    }

    [Theory]
    [InlineData("sample", "--prompt", "a cat")]
    [InlineData("plan", "--available", "8GB")]
    public void AnyVerb_CudaWhereThereIsNone_SaysHowToGetIt(string verb, string option, string value)
    {
        RequireMini();
        Assert.SkipWhen(TorchSharp.torch.cuda.is_available(), "there is a CUDA device here");
        Run(verb, option, value, "--device", "cuda").Refused(1, "sees no CUDA device", "-p:TorchBackend=cuda");
    }

    [Fact]
    public void Reproduce_ScenesThatAreNotSquare_AreRefused()
    {
        RequireMini();
        Run("reproduce", "--figures", "4", "--size", "64x48", "--out", "report").Refused(2, "--size", "square", "64 x 48");
    }

    [Fact]
    public void Invert_MemoryLimitThatIsNoNumber_NamesTheVariable()
    {
        RequireMini();
        Nulltext
            .Run(Nulltext.Command(Folder, ["invert", "photo.png", "--prompt", "a cat"], ("NULLTEXT_MEMORY_LIMIT", "lots")))
            .Refused(1, "NULLTEXT_MEMORY_LIMIT", "lots", "bytes");
    }

    [Fact]
    public void Invert_NetworkThatYieldsNaN_NamesImageStepAndTimestep()
    {
        RequireMini();
        string model = MiniWithout("unet");
        string unet = Path.Combine(model, "unet");
        Directory.CreateDirectory(unet);
        File.Copy(Path.Combine(MiniFolder, "unet", "config.json"), Path.Combine(unet, "config.json"));
        using (SafetensorsFile file = SafetensorsFile.Open(Path.Combine(MiniFolder, "unet", "diffusion_pytorch_model.safetensors")))
        {
            using TorchSharp.DisposeScope scope = NewDisposeScope();
            Dictionary<string, Tensor> tensors = file.Entries.ToDictionary(e => e.Name, e => file.Read(e.Name));
            tensors["conv_out.bias"].Fill(double.NaN);
            SafetensorsFile.Write(Path.Combine(unet, "diffusion_pytorch_model.safetensors"), tensors);
        }

        Invert("run", "--model", model).Refused(1, "image 0", "step 4 (timestep", "not finite", "weights", "float32");
        Assert.False(File.Exists(Path.Combine(Folder, "run", "manifest.json")));
    }

    // A disk of 48 kB in a namespace of its own is a full disk for real. Where namespaces are not allowed, a shell's limit
    // on file sizes stands in: the write fails halfway just the same. The runtime keeps machine code in a shared memory
    // file, which that limit would hit too.
    [Theory]
    [InlineData(
        "unshare",
        "--user",
        "--map-root-user",
        "--mount",
        "bash",
        "-c",
        "mount -t tmpfs -o size=48k tmpfs full && dotnet \"$@\"; code=$?; ls -A full/run > left; exit $code"
    )]
    [InlineData("env", "DOTNET_EnableWriteXorExecute=0", "bash", "-c", "trap '' XFSZ; ulimit -f 16; dotnet \"$@\"; code=$?; ls -A full/run > left; exit $code")]
    public void Invert_FullDisk_SaysSoAndKeepsEarlierResults(string shell, params string[] arguments)
    {
        RequireMini();
        Assert.SkipUnless(OperatingSystem.IsLinux(), "uses Linux's namespaces and limits");
        if (shell == "unshare")
            Assert.SkipUnless(CanMount(), "this system does not let a user mount a disk");
        Assert.Equal(0, Invert("run").ExitCode);
        byte[] before = File.ReadAllBytes(Path.Combine(Folder, "run", "inversion.safetensors"));
        Directory.CreateDirectory(Path.Combine(Folder, "full"));

        ProcessStartInfo inner = Nulltext.Command(Folder, ["invert", "photo.png", "--prompt", "a cat", "--steps", "5", "--inner", "1", "--out", "full/run"]);
        ProcessStartInfo limited = new(shell)
        {
            WorkingDirectory = Folder,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        foreach (string argument in (string[])[.. arguments, "bash", .. inner.ArgumentList])
            limited.ArgumentList.Add(argument);
        limited.Environment["NULLTEXT_THREADS"] = "1";
        Outcome outcome = Nulltext.Run(limited);

        outcome.WithoutStackTrace();
        Assert.True(outcome.ExitCode == 1, outcome.Error);
        Assert.Contains("the disk is full", outcome.Error, StringComparison.Ordinal);
        Assert.Contains("--out", outcome.Error, StringComparison.Ordinal);
        string left = File.ReadAllText(Path.Combine(Folder, "left"));
        Assert.Equal("", left.Trim());
        Assert.Equal(before, File.ReadAllBytes(Path.Combine(Folder, "run", "inversion.safetensors")));
    }

    internal static bool CanMount()
    {
        try
        {
            using Process? probe = Process.Start(
                new ProcessStartInfo("unshare", ["--user", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"])
                {
                    RedirectStandardError = true,
                }
            );
            probe!.WaitForExit();
            return probe.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    [Fact]
    public void Edit_FolderThatIsNone_SaysHowToMakeOne()
    {
        Run("edit", "nowhere", "--to", "a cat").Refused(1, "nowhere", "nulltext invert");
        Run("edit", ".", "--to", "a cat").Refused(1, "manifest.json", "nulltext invert");
    }

    [Fact]
    public void Edit_WithoutTarget_AsksForIt() => Run("edit", "run").Refused(2, "--to", "--reweight");

    [Fact]
    public void Edit_OptionOfAnotherEditor_IsRefused() =>
        Run("edit", "run", "--to", "x", "--editor", "masactrl", "--blend", "cat").Refused(2, "--blend", "prompt-to-prompt", "masactrl");

    [Fact]
    public void Invert_MethodOnAPathThatDoesNotFit_IsRefusedWithTheReason() =>
        Run("invert", "picture.png", "--prompt", "x", "--method", "null-text", "--path", "edict").Refused(2, "null-text", "edict", "own sampling rule");

    [Fact]
    public void Edit_SwapAndRefine_ExcludeEachOther() => Run("edit", "run", "--to", "a cat", "--swap", "--refine").Refused(2, "--swap", "--refine");

    [Fact]
    public void Edit_ReweightWithoutNumber_ShowsTheForm() => Run("edit", "run", "--reweight", "snow").Refused(2, "word=number", "snow");

    [Fact]
    public void Sample_NoPlaceToWriteTo_NamesIt()
    {
        RequireMini();
        File.WriteAllText(Path.Combine(Folder, "file"), "");
        Outcome outcome = Run("sample", "--prompt", "a cat", "--steps", "2", "--count", "1", "--out", Path.Combine("file", "samples.png"));
        outcome.WithoutStackTrace();
        Assert.Equal(1, outcome.ExitCode);
        Assert.Contains("file", outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Nulltext_UnknownCommand_NamesIt() => Run("invrt").Refused(2, "invrt", "nulltext --help");

    // A valid header of a huge picture, with hardly any data behind it.
    private static byte[] Bomb(int width, int height)
    {
        using MemoryStream png = new();
        png.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10]);
        byte[] header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9]) = (8, 2);
        Chunk("IHDR"u8, header);
        Chunk("IDAT"u8, [0x78, 0x9C, 0x03, 0x00, 0x00, 0x00, 0x00, 0x01]);
        Chunk("IEND"u8, []);
        return png.ToArray();

        void Chunk(ReadOnlySpan<byte> type, ReadOnlySpan<byte> data)
        {
            byte[] number = new byte[4];
            BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
            png.Write(number);
            byte[] body = [.. type, .. data];
            png.Write(body);
            BinaryPrimitives.WriteUInt32BigEndian(number, Crc(body));
            png.Write(number);
        }
    }

    private static uint Crc(ReadOnlySpan<byte> data)
    {
        uint crc = uint.MaxValue;
        foreach (byte b in data)
        {
            crc ^= b;
            for (int bit = 0; bit < 8; bit++)
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xEDB88320u : crc >> 1;
        }

        return ~crc;
    }
}
