using System.Security.Cryptography;
using System.Text;
using NullTextResearch.Images;
using NullTextResearch.Metrics;
using NullTextResearch.Perception;

namespace NullTextResearch.Benchmarks;

/// <summary>A column of scores: a metric of the edited picture against something.</summary>
/// <param name="Column">Name of the column, such as <c>source-outside-psnr</c>.</param>
/// <param name="Metric">The metric.</param>
/// <param name="Input">What it measures.</param>
internal sealed record StudyScore(string Column, Metric Metric, Func<StudyScore.Edit, MetricInput> Input)
{
    private const string Masked = "masked-";

    /// <summary>An edited picture and what it is compared with, all of one size.</summary>
    public sealed record Edit(EditTask Task, RgbImage Edited, RgbImage Source, RegionMask? Mask, RgbImage? Truth, MaskedMode Mode);

    /// <summary>The columns of a study's metrics for a task.</summary>
    /// <param name="plan">The study.</param>
    /// <param name="hasMask">Whether the task has a mask.</param>
    /// <param name="hasTruth">Whether its true result is known.</param>
    /// <remarks>
    /// What should stay is compared with the source: outside the mask, or the whole picture. What should change is compared with the truth: inside the mask,
    /// and the whole picture. A metric of texts alone sees the whole picture, or only the inside of the mask.
    /// </remarks>
    public static IReadOnlyList<StudyScore> Of(StudyPlan plan, bool hasMask, bool hasTruth) =>
        [.. plan.Metrics.Select(MetricCatalogue.Find).SelectMany(m => Of(m, hasMask, hasTruth))];

    /// <summary>What scores count by: the mode of masks, and the files of weights where a metric needs any.</summary>
    public static string Basis(StudyPlan plan)
    {
        string mode = plan.Mode == MaskedMode.PieOfficial ? "pie-official" : "corrected";
        if (plan.Weights is not { } folder || plan.Metrics.All(m => MetricCatalogue.Find(m).Network is null))
            return mode;
        string at = plan.At(folder);
        if (!Directory.Exists(at))
            throw new StudyException($"The folder of published weights ('weights' of the study) is not there: {at}. Put it there, or correct its name.");
        // Published files: names and lengths tell them apart, and reading gigabytes at every start would not tell more. The folder may be a model's, with
        // other files.
        string files = string.Join(
            '\n',
            MetricNetworks
                .Folders.Select(network => Path.Combine(at, network))
                .Where(Directory.Exists)
                .SelectMany(network => Directory.GetFiles(network, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
                .Select(f => FormattableString.Invariant($"{Path.GetRelativePath(at, f).Replace('\\', '/')} {new FileInfo(f).Length}"))
        );
        return $"{mode}, weights {Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(files)))[..16]}";
    }

    private static IEnumerable<StudyScore> Of(Metric metric, bool hasMask, bool hasTruth)
    {
        bool masked = metric.Needs.HasFlag(MetricNeeds.Mask);
        if (masked && !hasMask)
            yield break;
        string plain = metric.Id.StartsWith(Masked, StringComparison.Ordinal) ? metric.Id[Masked.Length..] : metric.Id;
        if (!metric.Needs.HasFlag(MetricNeeds.Reference))
        {
            yield return new StudyScore((masked ? "inside-" : "") + plain, metric, e => InputOf(e, null, e.Mask));
            yield break;
        }
        yield return new StudyScore($"source-{(masked ? "outside-" : "")}{plain}", metric, e => InputOf(e, e.Source, masked ? e.Mask!.Inverse() : e.Mask));
        if (hasTruth && !metric.Needs.HasFlag(MetricNeeds.ReferenceText))
            yield return new StudyScore($"truth-{(masked ? "inside-" : "")}{plain}", metric, e => InputOf(e, e.Truth, e.Mask));
    }

    private static MetricInput InputOf(Edit edit, RgbImage? reference, RegionMask? mask) =>
        new()
        {
            Image = edit.Edited,
            Reference = reference,
            Mask = mask,
            Text = edit.Task.TargetPrompt,
            ReferenceText = edit.Task.SourcePrompt,
            Mode = edit.Mode,
        };
}
