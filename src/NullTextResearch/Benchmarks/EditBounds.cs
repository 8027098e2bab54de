using System.Text.Json;
using NullTextResearch.Experiments;
using NullTextResearch.Images;
using NullTextResearch.Metrics;
using static TorchSharp.torch;

namespace NullTextResearch.Benchmarks;

/// <summary>
/// The bounds of a benchmark with known truth: the true results through the autoencoder of the model, which is about the best that an editor can deliver, and
/// the pictures without any edit. Stored beside the results, so that they are computed once.
/// </summary>
public static class EditBounds
{
    // Incremented by hand when the numbers change.
    private const int Version = 1;

    /// <summary>The bounds of all tasks of the study's first data set with its first model; the model is loaded only if one is not stored.</summary>
    /// <param name="study">The study.</param>
    /// <param name="judge">Who judges; borrowed. Null for nobody.</param>
    /// <param name="folder">Folder of the study's results.</param>
    /// <param name="cancellation">Checked before each task; finished ones stay.</param>
    /// <returns>One per task; null where the truth is not known.</returns>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static IReadOnlyList<BenchmarkBound?> Of(Study study, IEditJudge? judge, string folder, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(study);
        ResultCache stored = new(Path.Combine(folder, "bounds"));
        StudyModel model = study.Models[0];
        IEditDataset data = study.Data[0];
        IDiffusionModel? loaded = null;
        try
        {
            List<BenchmarkBound?> bounds = [];
            foreach (EditTask task in data.Tasks)
            {
                cancellation.ThrowIfCancellationRequested();
                if (data.Truth(task) is not { } truth)
                {
                    bounds.Add(null);
                    continue;
                }
                RegionMask? mask = data.Mask(task);
                ResultKey key = new(
                    "bound",
                    data.PictureHash(task),
                    task.TargetPrompt,
                    model.Identity,
                    JsonSerializer.Serialize(
                        new
                        {
                            study.Plan.Size,
                            study.Plan.Mode,
                            Regions = StudyPictures.HashOf(mask, truth),
                            JudgedBy = judge?.Id,
                        }
                    ),
                    Version
                );
                if (!stored.TryRead(key, out BenchmarkBound bound))
                {
                    loaded ??= model.Load();
                    bound = Compute(loaded, study, task, truth, mask, judge);
                    stored.Write(key, bound);
                }
                bounds.Add(bound);
            }
            return bounds;
        }
        finally
        {
            loaded?.Dispose();
        }
    }

    private static BenchmarkBound Compute(IDiffusionModel model, Study study, EditTask task, RgbImage truth, RegionMask? mask, IEditJudge? judge)
    {
        ImageSizing sizing = study.Sizing;
        RgbImage asked = StudyPictures.Prepare(truth, sizing, model.Sizes),
            source = StudyPictures.Prepare(study.Data[0].Picture(task), sizing, model.Sizes),
            through;
        RegionMask? region = mask is null ? null : StudyPictures.Prepare(mask, sizing, model.Sizes);
        using (no_grad())
        using (NewDisposeScope())
            through = model.Decode(model.Encode([asked]))[0];
        return new BenchmarkBound(judge?.Judge(task, through), Distance(through), Distance(source));

        double Distance(RgbImage picture) => region is null ? Mse.Of(picture, asked) : MaskedMse.Of(picture, asked, region, study.Plan.Mode);
    }
}
