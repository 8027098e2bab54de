using NullTextResearch.TestKit;
using NullTextResearch.Verification;
using Xunit;

namespace NullTextResearch.Tests.Verification;

/// <summary>Methods and metrics against numbers of their original code.</summary>
[Trait("Category", "Golden")]
public sealed class GoldenMethodsTests
{
    private static readonly string Folder = Path.Combine(GoldenTensors.Folder, "methods");

    /// <summary>Files with the number of values that each compares at least: a check that stops comparing fails here.</summary>
    public static TheoryData<string, int> Files =>
        new()
        {
            { "fpi_f32.safetensors", 6 },
            { "aidi_f32.safetensors", 9 },
            { "renoise_f32.safetensors", 16 },
            { "gnri_f32.safetensors", 3 },
            { "spdinv_f32.safetensors", 6 },
            { "eddpm_f32.safetensors", 11 },
            { "edict_f32.safetensors", 12 },
            { "belm_f32.safetensors", 11 },
            { "bdia_f32.safetensors", 18 },
            { "bdia_original_f32.safetensors", 12 },
            // Of 23: rounding carries some of them over a threshold, which ones depends on the processor, and float64 then decides.
            { "proxnpi_f32.safetensors", 15 },
            { "eta_f32.safetensors", 4 },
            { "hedit_f32.safetensors", 10 },
            { "masactrl_f32.safetensors", 9 },
            { "pnp_f32.safetensors", 3 },
            { "diffedit_f32.safetensors", 8 },
            { "infedit_f32.safetensors", 8 },
            { "pix2pix_zero_f32.safetensors", 9 },
            { "image_metrics_f32.safetensors", 9 },
            { "lpips_f32.safetensors", 26 },
            { "clip_f32.safetensors", 11 },
            { "dino_f32.safetensors", 8 },
        };

    [Theory]
    [MemberData(nameof(Files))]
    public void Run_MethodOfTheOriginalCode_Agrees(string file, int compared)
    {
        IReadOnlyList<VerificationResult> results = GoldenVerifier.Run(Folder, new VerificationOptions { Files = file });

        Assert.Empty(results.Where(r => r.Status == VerificationStatus.Fail).Select(r => r.ToString()));
        Assert.InRange(results.Count(r => r.Status == VerificationStatus.Pass), compared, 30);
    }

    [Fact]
    public void Files_AllThatAreThere_AreCompared()
    {
        IEnumerable<string> there = Directory.GetFiles(Folder, "*_f32.safetensors").Select(f => Path.GetFileName(f));
        Assert.Equal(there.Order(StringComparer.Ordinal), Files.Select(row => row.Data.Item1).Order(StringComparer.Ordinal));
    }
}
