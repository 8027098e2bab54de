using System.Globalization;
using NullTextResearch.Benchmarks;
using NullTextResearch.Images;
using NullTextResearch.Metrics;
using NullTextResearch.TestKit;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Benchmarks;

/// <summary>
/// No test: the table of docs/benchmarks.md, what an edit can reach with sd-mini and its classifier. It runs only where it is asked for:
/// <c>dotnet run --project tests/NullTextResearch.Tests -c Release -- -explicit only -class "*JudgeBounds" -showLiveOutput</c>.
/// </summary>
public class JudgeBounds(ITestOutputHelper output)
{
    [Fact(Explicit = true)]
    public void Write()
    {
        string model = SourceTree.At("data", "models", "sd-mini");
        ToyEditDataset data = new();
        using SceneEditJudge judge = SceneEditJudge.Load(data, model);
        using StableDiffusion diffusion = StableDiffusion.Load(model);
        output.WriteLine("| kind | tasks | truth passes | truth through the autoencoder passes | the same, nearer to the truth than no edit |");
        output.WriteLine("|---|---|---|---|---|");
        foreach (IGrouping<string, EditTask> kind in data.Tasks.GroupBy(t => t.Kind))
        {
            int truths = 0,
                decoded = 0,
                nearer = 0;
            foreach (EditTask task in kind)
            {
                RgbImage truth = data.Truth(task)!,
                    through = RoundTrip(diffusion, truth);
                truths += judge.Judge(task, truth) == true ? 1 : 0;
                decoded += judge.Judge(task, through) == true ? 1 : 0;
                nearer += Psnr.Of(through, truth) > Psnr.Of(data.Picture(task), truth) ? 1 : 0;
            }

            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| `{kind.Key}` | {kind.Count()} | {truths} | {decoded} | {nearer} |"));
        }
    }

    private static RgbImage RoundTrip(StableDiffusion model, RgbImage picture)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable grad = no_grad();
        return ImageTensor.ToImages(model.Vae.Decode(model.Vae.Encode(ImageTensor.ToPixels(picture))))[0];
    }
}
