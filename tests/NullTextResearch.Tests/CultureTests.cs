using System.Globalization;
using System.Text.Json;
using NullTextResearch.Diffusion;
using NullTextResearch.Editing;
using NullTextResearch.Experiments;
using NullTextResearch.Images;
using NullTextResearch.Inversion;
using NullTextResearch.TestKit;
using NullTextResearch.Tests.Editing;
using NullTextResearch.Text;
using NullTextResearch.Weights;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests;

/// <summary>The library in a program whose culture has a decimal comma: files, keys and texts are the same, byte for byte.</summary>
public sealed class CultureTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("nulltext-culture-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void OddCulture_IsInForce()
    {
        (string invariant, string odd) = OddCulture.Both(() => (-1234.5).ToString("N1"));
        Assert.Equal(("-1,234.5", "\u22121.234,5"), (invariant, odd));
    }

    [Fact]
    public void RunFolder_WrittenAndRead_IsTheSame()
    {
        int round = 0;
        (string invariant, string odd) = OddCulture.Both(() =>
        {
            RunFolder folder = new(Path.Combine(_root, $"run{round++}"));
            using InversionResult result = new()
            {
                Method = "null-text inversion",
                GuidanceScale = 7.5,
                StartLatents = Constants.Full([1, 4, 2, 2], -1.5f).DetachFromDisposeScope(),
                Conditional = StepEmbeddings.Constant(ones(1, 3, 5)),
                Unconditional = StepEmbeddings.PerStep(ones(2, 1, 3, 5)),
                Optimisation =
                [
                    [new StepOptimisation([0.5, 0.25], StopReason.InnerStepLimit), new StepOptimisation([1e-6], StopReason.EarlyStop)],
                ],
                EvaluationsPerImage = 9.5,
                Elapsed = TimeSpan.FromSeconds(2.5),
                Options = NullTextOptions.Default,
            };
            RgbImage image = new(2, 2, [.. Enumerable.Repeat((byte)7, 12)]);
            InversionManifest manifest = new()
            {
                Key = RunFolder.Key(image, "a cat", "i", "null-text inversion", 2, 7.5, NullTextOptions.Default),
                Model = "toy",
                ModelIdentity = "i",
                Image = "a.png",
                ImageSize = new PixelSize(640, 448),
                Prompt = "a cat",
                Method = "null-text inversion",
                Steps = 2,
                GuidanceScale = 7.5,
                Psnr = -12.75,
                Seconds = 2.5,
                VaePsnr = double.PositiveInfinity,
                Options = RunFolder.ToJson(NullTextOptions.Default),
            };
            folder.Save(result, manifest, image, image, image);
            InversionManifest read = folder.ReadManifest();
            using InversionResult loaded = folder.Load(CPU);
            Assert.Equal((7.5, -12.75, 2.5, 0.25), (read.GuidanceScale, read.Psnr, loaded.Elapsed.TotalSeconds, loaded.Optimisation![0][0].Losses[1]));
            return string.Join(
                '\n',
                Directory.GetFiles(folder.Path).Order(StringComparer.Ordinal).Select(f => Path.GetFileName(f) + Convert.ToHexString(File.ReadAllBytes(f)))
            );
        });
        Assert.Equal(invariant, odd);
    }

    [Fact]
    public void ResultCacheAndResultStore_WrittenAndRead_AreTheSame()
    {
        int round = 0;
        (string invariant, string odd) = OddCulture.Both(() =>
        {
            string folder = Path.Combine(_root, $"cache{round++}");
            ResultCache cache = new(folder);
            ResultKey key = new("guidance", "image", "a cat", "weights", JsonSerializer.Serialize(new { w = -7.5, nan = "x" }), 1);
            cache.Write(key, new[] { 1.5, -0.25, double.NaN, 1e-300 });
            Assert.True(cache.TryRead(key, out double[] back));
            Assert.Equal([1.5, -0.25, double.NaN, 1e-300], back);
            return key.Hash + File.ReadAllText(cache.PathOf(key));
        });
        Assert.Equal(invariant, odd);
    }

    [Fact]
    public void Texts_OfOptionsResultsAndErrors_AreTheSame()
    {
        Func<string>[] texts =
        [
            () => $"{new PixelSize(640, 448)} {ImageSizing.Of(512)} {new MemoryOptions { VaeTile = 64 }}",
            () => PixelSize.TryParse("640x448", out PixelSize size) ? size.ToString() : "unread",
            () =>
                Message(() =>
                    new LocalBlend
                    {
                        SourceWords = ["a"],
                        TargetWords = [],
                        Threshold = -1.5,
                    }.Validate(null!, null!)
                ),
            () => Message(() => new ReWeight { Factors = [new WordFactor("a", double.NaN)] }.Equalizer(EditingLab.Prompt("a"))),
            () =>
                Message(() =>
                    ImageFile.Decode(ImageFile.EncodePng(new RgbImage(1200, 1000, new byte[3_600_000])), "a", new ImageLoadOptions { MaxPixels = 1_000_000 })
                ),
        ];
        foreach (Func<string> text in texts)
        {
            (string invariant, string odd) = OddCulture.Both(text);
            Assert.Equal(invariant, odd);
        }

        static string Message(Action action) => Assert.ThrowsAny<Exception>(action).Message;
    }

    [Fact]
    public void Safetensors_WrittenAndRead_AreTheSame()
    {
        (byte[] invariant, byte[] odd) = OddCulture.Both(() =>
        {
            string path = Path.Combine(_root, "a.safetensors");
            using Tensor one = tensor([1.5f, -2.25f]);
            SafetensorsFile.Write(path, new Dictionary<string, Tensor> { ["x"] = one });
            return File.ReadAllBytes(path);
        });
        Assert.Equal(invariant, odd);
    }

    /// <summary>Turkish has an i without a dot, and lower-cases I to it: words of a prompt must not.</summary>
    [Theory]
    [InlineData("tr-TR")]
    [InlineData("de-DE")]
    public void Prompts_CultureWithRulesOfItsOwn_GiveTheSameTokensAndWords(string name)
    {
        CultureInfo culture;
        try
        {
            culture = CultureInfo.GetCultureInfo(name, predefinedOnly: true);
        }
        catch (CultureNotFoundException)
        {
            Assert.Skip($"{name}: the tests run without ICU (invariant globalization); the built program is run with it elsewhere");
            return;
        }

        ClipVocabularyBuilder.Build(["kid", "city"]).Save(_root);
        ClipTokenizer tokenizer = ClipTokenizer.Load(_root);
        int[] expected = [.. tokenizer.Tokenize("KID IN THE CITY, İI").Ids];
        CultureInfo before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = culture;
            TokenizedPrompt prompt = tokenizer.Tokenize("KID IN THE CITY, İI");
            Assert.Equal(expected, prompt.Ids);
            Assert.True(prompt.HasWord("city"));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }
}
