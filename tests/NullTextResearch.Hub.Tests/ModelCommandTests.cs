using System.Diagnostics;
using System.Globalization;
using NullTextResearch.Cli.Tests;
using Xunit;

namespace NullTextResearch.Hub.Tests;

/// <summary>The built program against the hub, as a user runs it.</summary>
public sealed class ModelCommandTests : HubTest
{
    private const string Unet = "unet/diffusion_pytorch_model.safetensors";

    [Fact]
    public async Task Pull_KilledMidway_GoesOnWhereItWas()
    {
        string unfinished = Layout.Unfinished(Hub.HashOf(Unet));
        bool killed = false;
        Hub.OnContent = async (context, file) =>
        {
            if (file != Unet || killed)
                return false;
            context.Response.ContentLength = 3 << 20;
            await context.Response.Body.WriteAsync(Hub.Files[Unet].AsMemory(0, 2 << 20));
            await context.Response.Body.FlushAsync();
            await Task.Delay(TimeSpan.FromSeconds(60), context.RequestAborted).ContinueWith(_ => { });
            return true;
        };
        Outcome first = await RunAsync(
            process =>
            {
                SpinWait.SpinUntil(
                    () => process.HasExited || (File.Exists(unfinished) && new FileInfo(unfinished).Length == 2 << 20),
                    TimeSpan.FromSeconds(60)
                );
                killed = true;
                process.Kill();
            },
            "model",
            "pull",
            FakeHub.Id
        );
        Assert.NotEqual(0, first.ExitCode);
        Assert.Null(Cache.Find(Model));
        Assert.Equal(2 << 20, new FileInfo(unfinished).Length);

        Outcome list = await RunAsync(null, "model", "list");
        Assert.Contains($"incomplete: nulltext model pull {FakeHub.Id}", list.Out, StringComparison.Ordinal);
        Outcome early = await RunAsync(null, "sample", "--prompt", "a cat", "--model", FakeHub.Id);
        early.Refused(1, "not finished", $"nulltext model pull {FakeHub.Id}");

        Hub.Requests.Clear();
        Outcome second = await RunAsync(null, "model", "pull", FakeHub.Id);
        Assert.Equal((0, ""), (second.ExitCode, second.Error));
        Assert.Contains("resuming after", second.Out, StringComparison.Ordinal);
        Assert.Equal($"bytes={2 << 20}-", Hub.ContentRequests(Unet)[0].Range);
        AssertContentsEqual(Cache.Find(Model)!);
    }

    [Fact]
    public async Task Pull_Verify_RepairsWhatIsDamagedAndTellsOffline()
    {
        Outcome first = await RunAsync(null, "model", "pull", FakeHub.Id);
        Assert.Contains("All 11 files are in the cache (11 downloaded now, checksums verified)", first.Out, StringComparison.Ordinal);
        string blob = Layout.Blob(Hub.HashOf(Unet));
        using (FileStream file = File.OpenWrite(blob))
            file.Write("oops"u8);

        // Nothing was hashed, so nothing is claimed.
        Outcome plain = await RunAsync(null, "model", "pull", FakeHub.Id);
        Assert.Contains("only their sizes compared", plain.Out, StringComparison.Ordinal);
        Outcome offline = await RunAsync(null, [("HF_HUB_OFFLINE", "1")], "model", "pull", FakeHub.Id, "--verify");
        offline.Refused(1, Unet, "--verify");
        Outcome repaired = await RunAsync(null, "model", "pull", FakeHub.Id, "--verify");
        Assert.Equal(0, repaired.ExitCode);
        Assert.Contains($"{Unet} in the cache is damaged", repaired.Error, StringComparison.Ordinal);
        Assert.Contains("1 downloaded now, checksums verified; 10 from the cache, checksums verified", repaired.Out, StringComparison.Ordinal);
        AssertContentsEqual(Cache.Find(Model)!);
    }

    [Fact]
    public async Task Pull_WithToken_NeitherPrintsNorStoresIt()
    {
        Outcome outcome = await RunAsync(null, [("HF_TOKEN", Secret)], "model", "pull", FakeHub.Id, "--variant", "fp16", "--debug");
        Assert.Equal(0, outcome.ExitCode);
        Assert.Contains("vae has no fp16 weights", outcome.Out, StringComparison.Ordinal);
        Assert.Contains("licence: creativeml[31m-openrail-m", outcome.Out, StringComparison.Ordinal);
        Assert.Contains(Hub.Requests, r => r.Authorization == $"Bearer {Secret}");

        Hub.OnIndex = context => FakeHub.StatusAsync(context, 401, ("X-Error-Message", "expired on Monday"));
        Outcome refused = await RunAsync(null, [("HF_TOKEN", Secret)], "model", "pull", FakeHub.Id, "--debug");
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("does not accept the token", refused.Error, StringComparison.Ordinal);
        Assert.Contains("The server says: expired on Monday", refused.Error, StringComparison.Ordinal);
        // What a server says cannot steer the terminal.
        Assert.DoesNotContain("\u001b", outcome.Out, StringComparison.Ordinal);
        foreach (
            string text in (string[])
                [
                    outcome.Out,
                    outcome.Error,
                    refused.Out,
                    refused.Error,
                    .. Directory.GetFiles(Folder, "*", SearchOption.AllDirectories).Select(File.ReadAllText),
                ]
        )
            Assert.DoesNotContain(Secret, text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pull_RealModel_ServesEveryVerbByItsName()
    {
        string mini = Path.Combine(AppContext.BaseDirectory, "models", "sd-mini");
        Assert.SkipUnless(File.Exists(Path.Combine(mini, "model_index.json")), "the embedded model sd-mini is not beside the tests");
        Hub.Files.Clear();
        foreach (string file in Directory.GetFiles(mini, "*", SearchOption.AllDirectories))
            Hub.Files[Path.GetRelativePath(mini, file).Replace('\\', '/')] = File.ReadAllBytes(file);

        (await RunAsync(null, "sample", "--prompt", "a cat", "--model", FakeHub.Id)).Refused(
            1,
            "no model of that name",
            "nulltext model pull artist/tiny-diffusion"
        );
        Outcome dry = await RunAsync(null, "model", "pull", FakeHub.Id, "--dry-run");
        Assert.Contains(Unet, dry.Out, StringComparison.Ordinal);
        Assert.Empty(Cache.List());

        Outcome pull = await RunAsync(null, "model", "pull", FakeHub.Id);
        Assert.Equal((0, ""), (pull.ExitCode, pull.Error));
        Outcome sample = await RunAsync(null, "sample", "--prompt", "a cat", "--steps", "2", "--count", "1", "--model", FakeHub.Id);
        Assert.Equal(0, sample.ExitCode);
        Assert.True(File.Exists(Path.Combine(Folder, "samples.png")));

        // Offline, what is here serves.
        Outcome again = await RunAsync(null, [("HF_HUB_OFFLINE", "1")], "model", "pull", FakeHub.Id);
        Assert.Equal(0, again.ExitCode);
        Assert.Contains("was not contacted", again.Out, StringComparison.Ordinal);
        (await RunAsync(null, [("HF_HUB_OFFLINE", "1")], "model", "pull", FakeHub.Id + "@other")).Refused(1, "HF_HUB_OFFLINE");

        Outcome list = await RunAsync(null, "model", "list");
        Assert.Matches(@"artist/tiny-diffusion +\d+\.\d MB  main", list.Out);
        Outcome remove = await RunAsync(null, "model", "remove", FakeHub.Id);
        Assert.Equal(0, remove.ExitCode);
        Assert.Empty(Cache.List());
        Assert.Contains("No Stable Diffusion model in the cache", (await RunAsync(null, "model", "list")).Out, StringComparison.Ordinal);
        (await RunAsync(null, "model", "remove", FakeHub.Id)).Refused(1, "not in the cache");
    }

    [Theory]
    [InlineData("tiny-diffusion", "owner/name")]
    [InlineData("https://huggingface.co/artist/tiny-diffusion", "owner/name")]
    public async Task Pull_NoName_ShowsTheForm(string name, string words) => (await RunAsync(null, "model", "pull", name)).Refused(2, words);

    [Fact]
    public async Task Pull_Interrupted_SaysThatItGoesOn()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "sends a signal");
        // A shell's background job inherits SIGINT ignored, and so does every program that it starts.
        Assert.SkipWhen(IgnoresInterrupts(), "SIGINT is ignored here: the tests run in a shell's background job");
        TaskCompletionSource reached = new();
        Hub.OnContent = async (context, _) =>
        {
            reached.TrySetResult();
            await Task.Delay(TimeSpan.FromSeconds(60), context.RequestAborted).ContinueWith(_ => { });
            return true;
        };
        Outcome outcome = await RunAsync(
            process =>
            {
                reached.Task.Wait(TimeSpan.FromSeconds(60));
                using Process kill = Process.Start("kill", ["-INT", $"{process.Id}"]);
                kill.WaitForExit();
            },
            "model",
            "pull",
            FakeHub.Id
        );
        Assert.Equal(130, outcome.ExitCode);
        Assert.Contains("downloaded data is kept", outcome.Error, StringComparison.Ordinal);
    }

    private static bool IgnoresInterrupts()
    {
        const string Field = "SigIgn:";
        const int Interrupt = 2;
        string? mask = File.Exists("/proc/self/status")
            ? File.ReadLines("/proc/self/status").FirstOrDefault(l => l.StartsWith(Field, StringComparison.Ordinal))
            : null;
        return mask is not null
            && (
                ulong.Parse(mask[Field.Length..], NumberStyles.HexNumber | NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture)
                & (1UL << (Interrupt - 1))
            ) != 0;
    }

    private Task<Outcome> RunAsync(Action<Process>? whileRunning, params IReadOnlyList<string> arguments) => RunAsync(whileRunning, [], arguments);

    private Task<Outcome> RunAsync(
        Action<Process>? whileRunning,
        IReadOnlyList<(string Name, string Value)> environment,
        params IReadOnlyList<string> arguments
    )
    {
        ProcessStartInfo start = Nulltext.Command(Folder, arguments, [("HF_HUB_CACHE", Cache.Root), ("HF_ENDPOINT", Hub.Address.AbsoluteUri), .. environment]);
        if (!environment.Any(e => e.Name == "HF_TOKEN"))
            start.Environment.Remove("HF_TOKEN");
        return Task.Run(() => Nulltext.Run(start, whileRunning));
    }
}
