using NullTextResearch.Benchmarks;
using NullTextResearch.Experiments;
using NullTextResearch.Images;
using NullTextResearch.Metrics;
using static TorchSharp.torch;

namespace NullTextResearch.Tests.Benchmarks;

/// <summary>A data set of two small pictures and four edits, in the vocabulary of the toy flow.</summary>
internal sealed class TinyEdits : IEditDataset
{
    private readonly RgbImage[] _pictures = [Drawn(3), Drawn(4)];

    public string Name { get; init; } = "tiny";

    public string Fingerprint => "tiny-1";

    /// <summary>Ids of tasks whose picture cannot be read.</summary>
    public HashSet<string> Broken { get; } = [];

    public IReadOnlyList<EditTask> Tasks { get; init; } =
    [
        new EditTask
        {
            Id = "dog",
            Kind = "swap",
            SourcePrompt = "a cat on a mat",
            TargetPrompt = "a dog on a mat",
        },
        // The same picture and prompt: it shares the inversion.
        new EditTask
        {
            Id = "tiger",
            Kind = "swap",
            SourcePrompt = "a cat on a mat",
            TargetPrompt = "a tiger on a mat",
        },
        new EditTask
        {
            Id = "red",
            Kind = "refine",
            SourcePrompt = "a dog on a mat",
            TargetPrompt = "a red dog on a mat",
            BlendWords = ["dog"],
        },
        new EditTask
        {
            Id = "zebra",
            Kind = "refine",
            SourcePrompt = "a dog on a mat",
            TargetPrompt = "a red dog on a mat",
            BlendWords = ["zebra"],
        },
    ];

    /// <summary>Ids of tasks whose picture is not there at all.</summary>
    public HashSet<string> Missing { get; } = [];

    public string PictureHash(EditTask task) =>
        Missing.Contains(task.Id) ? throw new FileNotFoundException($"{task.Id}.png is missing") : new ExperimentImage("", Of(task), "").Hash;

    public RgbImage Picture(EditTask task) => Broken.Contains(task.Id) ? throw new IOException($"the disk of {task.Id} is on fire") : Of(task);

    public RegionMask? Mask(EditTask task) => task.Id == "red" ? new RegionMask(64, 64, [.. Enumerable.Range(0, 64 * 64).Select(i => i % 64 < 32)]) : null;

    public RgbImage? Truth(EditTask task) => task.Id == "red" ? _pictures[0] : null;

    private RgbImage Of(EditTask task) => _pictures[task.SourcePrompt.Contains("cat", StringComparison.Ordinal) ? 0 : 1];

    private static RgbImage Drawn(ulong seed)
    {
        using Generator generator = new(seed);
        using Tensor pixels = rand([1, 3, 64, 64], generator: generator);
        return ImageTensor.ToImages(pixels)[0];
    }
}
