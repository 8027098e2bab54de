using NullTextResearch.Attention;
using NullTextResearch.Benchmarks;
using NullTextResearch.Diffusion;
using NullTextResearch.Images;
using NullTextResearch.TestKit;
using NullTextResearch.Tests.UseCases;
using NullTextResearch.Text;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Benchmarks;

/// <summary>Small studies on the toy flow, in a folder of their own, with counts of what was computed.</summary>
internal sealed class StudyBench : IDisposable
{
    public static StudyPlan Plan { get; } =
        new()
        {
            Data = [new StudyData { Dataset = "tiny" }],
            Methods = ["ddim", "null-text", "null-text@edict"],
            Editors = ["prompt-to-prompt", "masactrl"],
            Metrics = ["psnr", "masked-psnr"],
            Steps = [3],
            InnerSteps = [1],
        };

    /// <summary>Units of the plan: four tasks, three methods (one cannot be combined), two editors.</summary>
    public const int Units = 4 * 3 * 2;

    /// <summary>Those of the pair that cannot be combined.</summary>
    public const int RefusedPairs = 4 * 2;

    /// <summary>Those whose blend word is in neither prompt: of two methods.</summary>
    public const int RefusedWords = 2 * 2;

    /// <summary>Two pictures, two methods.</summary>
    public const int Inversions = 2 * 2;

    public string Folder { get; } = Directory.CreateTempSubdirectory("nulltext-study-").FullName;

    /// <summary>How often a model was loaded.</summary>
    public int Loads { get; private set; }

    /// <summary>How often a picture was inverted.</summary>
    public int Inverted { get; private set; }

    /// <summary>Called before each inversion.</summary>
    public Action? BeforeInversion { get; set; }

    /// <summary>Called before each call of the network.</summary>
    public Action? BeforePrediction { get; set; }

    public string In(string name) => Path.Combine(Folder, name);

    public Study Study(StudyPlan? plan = null, IEditDataset? data = null, string identity = "flow-1") =>
        new(plan ?? Plan, [data ?? new TinyEdits()], [new StudyModel("flow", identity, new SizeRule(8, 64), Load)]);

    public StudyOutcome Run(
        Study study,
        string folder,
        StudyShard? shard = null,
        IProgress<StudyProgress>? progress = null,
        CancellationToken cancellation = default
    ) => new StudyRunner(study, In(folder)) { Progress = progress }.Run(shard, cancellation);

    public StudyMerge Merge(Study study, string folder) => StudyMerge.Of(study, In(folder));

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    /// <summary>Everything in the tables but times.</summary>
    public static string Text(StudyMerge merged) =>
        string.Join('\n', ((StudyTable[])[merged.Table(), merged.Summary()]).SelectMany(t => t.Rows.Prepend(t.Columns)).Select(r => string.Join('|', r)))
        + merged.ToJson();

    private Counted Load()
    {
        Loads++;
        return new Counted(this);
    }

    /// <summary>The toy flow; every inversion encodes one picture.</summary>
    private sealed class Counted(StudyBench bench) : IDiffusionModel
    {
        private readonly ToyFlowModel _model = new();

        public string Name => _model.Name;

        public Device Device => _model.Device;

        public SizeRule Sizes => _model.Sizes;

        public ITextTokenizer Tokenizer => _model.Tokenizer;

        public string Fingerprint() => _model.Fingerprint();

        public Conditioning Embed(params IReadOnlyList<string> prompts) => _model.Embed(prompts);

        public Conditioning Embed(IReadOnlyList<TokenizedPrompt> prompts) => _model.Embed(prompts);

        public Tensor Encode(IReadOnlyList<RgbImage> images)
        {
            bench.BeforeInversion?.Invoke();
            bench.Inverted++;
            return _model.Encode(images);
        }

        public RgbImage[] Decode(Tensor latents) => _model.Decode(latents);

        public INoisePredictor Predictor(INetworkHook? hook = null) => new WatchedPredictor(_model.Predictor(hook), () => bench.BeforePrediction?.Invoke());

        public TimestepGrid Grid(int steps) => _model.Grid(steps);

        public void Dispose() => _model.Dispose();
    }
}

/// <summary>Reports at once, on the caller's thread.</summary>
internal sealed class Told(Action<StudyProgress> then) : IProgress<StudyProgress>
{
    public List<string> Slots { get; } = [];

    public void Report(StudyProgress value)
    {
        Slots.Add(value.Record.Slot);
        then(value);
    }
}
