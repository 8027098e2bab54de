using System.Text.Json;
using NullTextResearch.Diffusion;
using NullTextResearch.Experiments;
using NullTextResearch.Images;
using NullTextResearch.Inversion;
using NullTextResearch.TestKit;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Inversion;

/// <summary>What every path of the catalogue obeys.</summary>
[LeavesNoTensors]
public sealed class PathLawsTests
{
    public static TheoryData<string> Every => [.. PathCatalogue.All.Select(p => p.Id)];

    [Fact]
    public void Paths_AllOfTheLibrary_AreListed()
    {
        IEnumerable<Type> known = typeof(IPath).Assembly.GetExportedTypes().Where(t => t is { IsAbstract: false } && t.IsAssignableTo(typeof(PathOptions)));
        Assert.Equal(known.OrderBy(t => t.Name), PathCatalogue.All.Select(p => p.OptionsType).OrderBy(t => t.Name));
        Assert.All(PathCatalogue.All, p => Assert.Equal(p.Id, p.Default.Id));
        Assert.All(PathCatalogue.All, p => p.Default.Validate());
        Assert.Equal(PathCatalogue.All.Count, PathCatalogue.All.Select(p => p.Id).Distinct().Count());
    }

    [Theory]
    [MemberData(nameof(Every))]
    public void Options_AsJson_ComeBackAsTheyWere(string id)
    {
        PathMethod path = PathCatalogue.Find(id);
        PathOptions options = path.Seeded is null ? path.Default : path.Seeded(path.Default, 77);
        string json = JsonSerializer.Serialize(options, ResultCache.Json);
        Assert.Contains($"\"Id\":\"{id}\"", json, StringComparison.Ordinal);
        Assert.Equal(options, JsonSerializer.Deserialize<PathOptions>(json, ResultCache.Json));
        // Inside the options of a method too.
        NullTextOptions method = NullTextOptions.Default with
        {
            Inversion = options,
        };
        Assert.Equal(method, JsonSerializer.Deserialize<NullTextOptions>(JsonSerializer.Serialize(method, ResultCache.Json), ResultCache.Json));
    }

    [Fact]
    public void Options_OfNoPath_AreRefusedWithThoseThereAre()
    {
        Assert.Contains("ddim", Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<PathOptions>("{\"Id\":\"dim\"}", ResultCache.Json)).Message);
        Assert.Contains("'Id'", Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<PathOptions>("{}", ResultCache.Json)).Message);
        Assert.Contains("ddim", Assert.Throws<ArgumentException>(() => PathCatalogue.Find("dim")).Message);
    }

    [Theory]
    [MemberData(nameof(Every))]
    public void Replay_Kept_ComesBackAndGivesTheSameImage(string id)
    {
        PathMethod path = PathCatalogue.Find(id);
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new ToyPredictor().Problem(images: 1);
        using InversionResult result = new PathInversion(path.With(3)).Invert(problem);
        string folder = Directory.CreateTempSubdirectory("nulltext-replay-").FullName;
        try
        {
            RunFolder run = new(folder);
            RgbImage dot = new(1, 1, [1, 2, 3]);
            run.Save(result, RunFolderTestManifest(problem), dot, dot, dot);
            using InversionResult back = run.Load();
            Assert.Equal(result.Replay.Data.Kind, back.Replay.Data.Kind);
            Assert.Equal(result.Replay.Data.Numbers, back.Replay.Data.Numbers);
            Assert.Equal(result.Replay.FirstStep, back.Replay.FirstStep);
            Assert.True(AllInversions.Reconstruct(problem, result).allclose(AllInversions.Reconstruct(problem, back), 0, 0));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [MemberData(nameof(Every))]
    public void WayOfItsOwn_LeadsBackToTheImage(string id)
    {
        PathMethod path = PathCatalogue.Find(id);
        if (path.Restore is null)
            return;
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new ToyPredictor().Problem(images: 2);
        using InversionResult result = new PathInversion(path.With(3)).Invert(problem);
        TensorAssert.Close(problem.Latents, AllInversions.Reconstruct(problem, result), 1e-9);
    }

    [Theory]
    [MemberData(nameof(Every))]
    public void Combination_RefusedOrNot_IsWhatTheTableSays(string id)
    {
        PathMethod path = PathCatalogue.Find(id);
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new ToyPredictor().Problem();
        MethodRequest request = new() { InnerSteps = 1 };
        foreach (InversionMethod method in InversionCatalogue.All)
        {
            if (InversionCatalogue.Refusal(method, path) is { } reason)
            {
                Assert.Equal(reason, Assert.Throws<ArgumentException>(() => InversionCatalogue.Create(method.Id, id, request)).Message);
                continue;
            }
            using InversionResult result = InversionCatalogue
                .Create(method.Id, id, request with { NullText = NullTextOptions.Default with { StopEarly = false } })
                .Invert(problem);
            Assert.Equal(method.CostOn(path, problem.Grid.Steps, 1), new MethodCost(result.EvaluationsPerImage, result.BackwardsPerImage));
        }
    }

    [Fact]
    public void PathWithAWayOfItsOwn_UnderAMethodThatFollowsIt_IsRefusedAndLeavesNothing()
    {
        using DisposeScope scope = NewDisposeScope();
        InversionProblem problem = new ToyPredictor().Problem();
        IInversion method = new NullTextInversion(NullTextOptions.Default with { Inversion = new OwnWay() });
        Assert.Throws<ArgumentException>(() => method.Invert(problem));
        long before = TensorAssert.Live;
        Assert.Contains("own", Assert.Throws<ArgumentException>(() => method.Invert(problem)).Message, StringComparison.Ordinal);
        Assert.Equal(before, TensorAssert.Live);
    }

    private static InversionManifest RunFolderTestManifest(InversionProblem problem) =>
        new()
        {
            Key = "k",
            Model = "toy",
            ModelIdentity = "i",
            Image = "a.png",
            ImageSize = 2,
            Method = "m",
            Prompt = "p",
            Psnr = 30,
            Steps = problem.Grid.Steps,
            GuidanceScale = problem.GuidanceScale,
        };

    /// <summary>A path of a user's, which no catalogue knows, with offsets on the way back.</summary>
    private sealed record OwnWay : PathOptions, IPath
    {
        public override string Id => "own";

        public string Name => "own way";

        public override IPath Create() => this;

        protected internal override IEnumerable<string> Problems() => [];

        public Walk Climb(InversionProblem problem, IProgress<InversionProgress>? progress = null, CancellationToken cancellation = default) =>
            new()
            {
                Levels = DdimInversion.Trajectory(problem, null, progress, cancellation),
                Replay = new OffsetReplay(zeros([problem.Grid.Steps, .. problem.Latents.shape], problem.Latents.dtype).DetachFromDisposeScope()),
            };
    }
}
