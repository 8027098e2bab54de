using NullTextResearch.Editing;
using NullTextResearch.Images;
using NullTextResearch.Inversion;
using NullTextResearch.Tensors;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Lifetimes;

/// <summary>Several threads on one model. What is freed under the hands of libtorch ends this process, and with it the test run.</summary>
public sealed class SideBySideTests
{
    // Catches threads that wait for each other; nothing here takes a second.
    private static readonly TimeSpan Watchdog = TimeSpan.FromMinutes(2);

    private static readonly string[] Prompts = ["a photo of a red fox on a hill", "a photo of a sheep on the beach"];

    [Fact]
    public void InversionAndEdit_TwoThreadsOnOneModel_AreBitwiseThoseOfOneAlone()
    {
        using StableDiffusion model = StableDiffusion.LoadMini();
        string[] alone = [.. Prompts.Select((p, i) => InvertAndEdit(model, p, i))];
        Assert.NotEqual(alone[0], alone[1]);
        for (int round = 0; round < 2; round++)
        {
            string[] together = new string[Prompts.Length];
            Together([.. Prompts.Select((p, i) => (Action)(() => together[i] = InvertAndEdit(model, p, i)))]);
            Assert.Equal(alone, together);
        }
    }

    [Fact]
    public void Dispose_WhileThreadsWork_WaitsForTheirPassesAndEndsThem()
    {
        Random random = new(1);
        int[] passes = new int[5];
        for (int round = 0; round < 10; round++)
        {
            using StableDiffusion model = StableDiffusion.LoadMini();
            Action<StableDiffusion>[] works = [Embed, Encode, Decode, Predict, Differentiate];
            using Barrier start = new(works.Length + 1);
            int wait = random.Next(50, 250);
            Together([
                .. works.Select(
                    (work, i) =>
                        (Action)(
                            () =>
                            {
                                start.SignalAndWait();
                                passes[i] += PassesUntilDisposed(model, work);
                            }
                        )
                ),
                () =>
                {
                    start.SignalAndWait();
                    Thread.Sleep(wait);
                    model.Dispose();
                    Assert.Throws<ObjectDisposedException>(() => model.Predictor());
                },
            ]);
        }

        Assert.All(passes, n => Assert.True(n > 0, "A thread never got through a pass, so nothing was tried."));
    }

    [Fact]
    public void Memory_SetWhileThreadsWork_ChangesNoResult()
    {
        using StableDiffusion model = StableDiffusion.LoadMini();
        string embedded = Bits(() => model.Embed(Prompts).Tokens),
            encoded = Bits(() => model.Encode([Picture(0)]));
        int left = 2;
        Together(
            Work(() => model.Embed(Prompts).Tokens, embedded),
            Work(() => model.Encode([Picture(0)]), encoded),
            () =>
            {
                for (bool offload = true; Volatile.Read(ref left) > 0; offload = !offload)
                    model.Memory = new MemoryOptions { Offload = offload };
            }
        );

        Action Work(Func<Tensor> work, string expected) =>
            () =>
            {
                try
                {
                    for (int i = 0; i < 15; i++)
                        Assert.Equal(expected, Bits(work));
                }
                finally
                {
                    Interlocked.Decrement(ref left);
                }
            };
    }

    [Fact]
    public void Dispose_OfAModelWithOffload_WhileThreadsWork_EndsThem()
    {
        for (int round = 0; round < 4; round++)
        {
            using StableDiffusion model = StableDiffusion.LoadMini(new ModelLoadOptions { Memory = new MemoryOptions { Offload = true } });
            int wait = 40 * round;
            Together([
                .. ((Action<StableDiffusion>[])[Embed, Encode]).Select(work => (Action)(() => PassesUntilDisposed(model, work))),
                () =>
                {
                    Thread.Sleep(wait);
                    model.Dispose();
                },
            ]);
            // Nothing read it again after the end.
            Assert.All(model.Text.Weights.All.Concat(model.Vae.Weights.All), weight => Assert.False(weight.HasValue));
        }
    }

    [Fact]
    public void Dispose_OfAnInversionThatIsEdited_WaitsForTheEdit()
    {
        using StableDiffusion model = StableDiffusion.LoadMini();
        using DisposeScope scope = NewDisposeScope();
        InversionResult inversion = Invert(model, Prompts[0], 0);
        using ManualResetEventSlim running = new();
        bool wasDisposed = false;
        Together(
            () =>
            {
                using EditResult edit = Edit(
                    model,
                    inversion,
                    Prompts[0],
                    new Direct(_ =>
                    {
                        running.Set();
                        Thread.Sleep(20);
                        Assert.False(wasDisposed);
                    })
                );
                Assert.True(edit.Latents.isfinite().all().item<bool>());
            },
            () =>
            {
                Assert.True(running.Wait(Watchdog));
                inversion.Dispose();
                wasDisposed = true;
            }
        );
        Assert.Throws<ObjectDisposedException>(() => Edit(model, inversion, Prompts[0], null));
    }

    private static int PassesUntilDisposed(StableDiffusion model, Action<StableDiffusion> work)
    {
        for (int passes = 0; ; passes++)
        {
            try
            {
                work(model);
            }
            catch (ObjectDisposedException)
            {
                return passes;
            }
        }
    }

    private static void Embed(StableDiffusion model) => model.Embed(Prompts).Tokens.Dispose();

    private static void Encode(StableDiffusion model) => model.Encode([Picture(0)]).Dispose();

    private static void Decode(StableDiffusion model)
    {
        using Tensor latents = zeros([1, 4, 16, 16]);
        model.Decode(latents);
    }

    private static void Predict(StableDiffusion model)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        model.Predictor().Predict(zeros([1, 4, 16, 16]), model.Grid(2).Moves[0], zeros([1, model.Text.Config.ContextLength, model.Text.Config.HiddenSize]));
    }

    private static void Differentiate(StableDiffusion model)
    {
        using DisposeScope scope = NewDisposeScope();
        model
            .Predictor()
            .Differentiate(
                zeros([1, 4, 16, 16]),
                model.Grid(2).Moves[0],
                zeros([1, model.Text.Config.ContextLength, model.Text.Config.HiddenSize]),
                p => p.Squared().mean([1L, 2, 3])
            );
    }

    private static RgbImage Picture(int seed)
    {
        byte[] pixels = new byte[3 * 64 * 64];
        new Random(seed).NextBytes(pixels);
        return new RgbImage(64, 64, pixels);
    }

    private static InversionResult Invert(StableDiffusion model, string prompt, int seed) =>
        new NullTextInversion(NullTextOptions.Default with { InnerSteps = 2 }).Invert(
            new InversionProblem
            {
                Predictor = model.Predictor(),
                Grid = model.Grid(3),
                Latents = model.Encode([Picture(seed)]),
                Conditional = model.Embed(prompt),
                Unconditional = model.Embed(""),
            }
        );

    private static EditResult Edit(StableDiffusion model, InversionResult inversion, string prompt, IProgress<InversionProgress>? progress) =>
        new EditSession(p => model.Embed(p), model.Predictor, model.Grid(3)).Edit(
            inversion,
            [ImageEdit.Of(model.Tokenizer, prompt, prompt.Replace("photo", "drawing"))],
            progress: progress
        );

    // Everything on the way of a user: picture to latents, inversion, edit, latents to picture.
    private static string InvertAndEdit(StableDiffusion model, string prompt, int seed)
    {
        using DisposeScope scope = NewDisposeScope();
        using InversionResult inversion = Invert(model, prompt, seed);
        using EditResult edit = Edit(model, inversion, prompt, null);
        return string.Join(
            '/',
            Bits(() => inversion.StartLatents.clone()),
            Bits(() => inversion.Unconditional.Values.clone()),
            Bits(() => edit.Latents.clone()),
            Convert.ToHexString(System.Security.Cryptography.SHA256.HashData([.. model.Decode(edit.Target()).SelectMany(i => i.Rgb)]))
        );
    }

    private static string Bits(Func<Tensor> make)
    {
        using Tensor tensor = make();
        return Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(tensor.contiguous().bytes));
    }

    private static void Together(params Action[] works)
    {
        Exception?[] failures = new Exception?[works.Length];
        Thread[] threads =
        [
            .. works.Select(
                (work, i) =>
                    new Thread(() =>
                    {
                        set_num_threads(1);
                        try
                        {
                            work();
                        }
                        catch (Exception e)
                        {
                            failures[i] = e;
                        }
                    })
                    {
                        IsBackground = true,
                    }
            ),
        ];
        foreach (Thread thread in threads)
            thread.Start();
        Assert.All(threads, thread => Assert.True(thread.Join(Watchdog), "A thread did not come to its end."));
        if (failures.OfType<Exception>().FirstOrDefault() is { } failure)
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
    }

    private sealed class Direct(Action<InversionProgress> tell) : IProgress<InversionProgress>
    {
        public void Report(InversionProgress value) => tell(value);
    }
}
