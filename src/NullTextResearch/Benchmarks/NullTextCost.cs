using System.Globalization;
using NullTextResearch.Diffusion;
using NullTextResearch.Experiments;
using NullTextResearch.Inversion;
using NullTextResearch.Metrics;

namespace NullTextResearch.Benchmarks;

/// <summary>
/// What null-text optimisation costs and reaches, for several optimisers and starts on the same rendered scenes: how close the reconstruction comes to the
/// pivot, and how close an edit comes to the true one, whose picture is known.
/// </summary>
public static class NullTextCost
{
    /// <summary>The scenes of a data set as images for an <see cref="ExperimentLab"/>.</summary>
    /// <param name="dataset">The tasks; their pictures are rendered.</param>
    public static IReadOnlyList<ExperimentImage> Images(ToyEditDataset dataset)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        return [.. dataset.Tasks.Select(task => new ExperimentImage(task.Id, dataset.Picture(task), task.SourcePrompt))];
    }

    /// <summary>Measures what is not in the cache yet.</summary>
    /// <param name="lab">Model, cache, and the images of the data set; T and w are those of its settings. One image at a time is inverted, so costs
    /// are exact.</param>
    /// <param name="dataset">The tasks, one per image of the lab.</param>
    /// <param name="judge">Decides which edits succeed; null for none. Borrowed.</param>
    /// <param name="variants">The variants; null for all.</param>
    /// <param name="log">Receives one line per variant; null to disable.</param>
    /// <exception cref="ArgumentException">The lab's images are not those of the data set.</exception>
    public static IReadOnlyList<NullTextCostRow> Run(
        ExperimentLab lab,
        ToyEditDataset dataset,
        IEditJudge? judge = null,
        IReadOnlyList<NullTextVariant>? variants = null,
        Action<string>? log = null
    )
    {
        ArgumentNullException.ThrowIfNull(lab);
        ArgumentNullException.ThrowIfNull(dataset);
        if (!lab.Images.Select(i => i.Name).SequenceEqual(dataset.Tasks.Select(t => t.Id)))
            throw new ArgumentException(
                $"The lab has {lab.Images.Count} images that are not the {dataset.Tasks.Count} scenes of the data set; make them with {nameof(Images)}.",
                nameof(dataset)
            );
        List<NullTextCostRow> rows = [];
        foreach (NullTextVariant variant in variants ?? NullTextVariant.All)
        {
            rows.Add(new NullTextCostRow(variant, Measure(lab, dataset, judge, variant)));
            log?.Invoke(string.Join(" | ", Cells(rows[^1], rows[0])));
        }
        return rows;
    }

    /// <summary>
    /// How far the null text's noise prediction stays from the one that lands exactly on the pivot, which is known in closed form: per timestep, noisiest
    /// first, the median over images of the root mean square; noise itself has 1.
    /// </summary>
    /// <param name="losses">Losses per image and timestep, such as <see cref="NullTextCostRecord.Losses"/>.</param>
    /// <param name="grid">The timesteps.</param>
    /// <param name="guidanceScale">w, not 1.</param>
    /// <exception cref="ArgumentException">There is no image, or w is 1, where the null text has no influence.</exception>
    public static IReadOnlyList<double> Residuals(IReadOnlyList<IReadOnlyList<double>> losses, TimestepGrid grid, double guidanceScale)
    {
        ArgumentNullException.ThrowIfNull(losses);
        ArgumentNullException.ThrowIfNull(grid);
        if (losses.Count == 0)
            throw new ArgumentException("Residuals need at least one image.", nameof(losses));
        if (guidanceScale == 1)
            throw new ArgumentException("At a guidance scale of 1 the null text has no influence; use another.", nameof(guidanceScale));
        return
        [
            .. grid.Moves.Select(move =>
            {
                // The latents after the step are affine in the prediction, with this factor.
                double factor = Ddim.NoiseCoefficient(move.Noisy, move.Clean) * (1 - guidanceScale);
                double[] sorted = [.. losses.Select(image => Math.Sqrt(image[move.Step]) / Math.Abs(factor)).Order()];
                return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
            }),
        ];
    }

    /// <summary>Columns of a table of variants; differences are paired and have 95 % intervals.</summary>
    public static IReadOnlyList<string> Columns { get; } =
    [
        "variant",
        "gradients",
        "cost",
        "share",
        "s",
        "PSNR to the picture, dB",
        "picture, against the first",
        "PSNR to the pivot, dB",
        "pivot, against the first",
        "edit to the truth, dB",
        "edit, against the first",
        "succeeded",
        "n",
    ];

    /// <summary>One line of that table.</summary>
    /// <param name="row">The variant.</param>
    /// <param name="first">The baseline, on the same images; for the baseline itself, <paramref name="row"/>.</param>
    public static IReadOnlyList<string> Cells(NullTextCostRow row, NullTextCostRow first)
    {
        ArgumentNullException.ThrowIfNull(row);
        string Number(double value, string format) => double.IsNaN(value) ? "" : value.ToString(format, CultureInfo.InvariantCulture);
        string Mean(Func<NullTextCostRecord, double> of, string format) => Number(row.Records.Average(of), format);
        string Against(PairedDifference d) => ReferenceEquals(row, first) ? "" : d.ToSignedText();
        return
        [
            row.Variant.Name,
            Mean(r => r.Backwards, "0"),
            Number(row.Cost, "0"),
            Number(row.ShareOf(first), "0.00"),
            Mean(r => r.Seconds, "0.0"),
            Mean(r => r.SourcePsnr, "0.00"),
            Against(row.SourceAbove(first)),
            Mean(r => r.PivotPsnr, "0.00"),
            Against(row.PivotAbove(first)),
            Mean(r => r.EditPsnr, "0.00"),
            Against(row.EditAbove(first)),
            Number(row.Success.Value, "0 %"),
            row.Records.Count.ToString(CultureInfo.InvariantCulture),
        ];
    }

    private static IReadOnlyList<NullTextCostRecord> Measure(ExperimentLab lab, ToyEditDataset dataset, IEditJudge? judge, NullTextVariant variant)
    {
        NullTextInversion method = new(variant.Options);
        Lock judging = new();
        return lab.PerImage<NullTextCostRecord>(
            "null-text-cost",
            image => new
            {
                method.Name,
                Options = variant.Options,
                ((IInversion)method).Revision,
                Task = dataset.Tasks[image],
                Judge = judge?.Id,
                lab.Settings.GuidanceScale,
            },
            batch => [.. batch.Indices.Select(image => One(image))]
        );

        NullTextCostRecord One(int image)
        {
            EditTask task = dataset.Tasks[image];
            RunControl control = new() { Cancellation = lab.Cancellation };
            using InvertedPicture picture = lab.Model.Invert(
                lab.Images[image].Image,
                task.SourcePrompt,
                new InvertOptions
                {
                    Steps = lab.Settings.Steps,
                    Method = method,
                    GuidanceScale = lab.Settings.GuidanceScale,
                },
                control
            );
            using EditedPicture edited = lab.Model.Edit(
                picture,
                task.TargetPrompt,
                new EditOptions { Blend = task.BlendWords, Weights = task.Weights },
                control
            );
            bool? success;
            lock (judging)
                success = judge?.Judge(task, edited.Image);
            InversionResult result = picture.Inversion;
            return new NullTextCostRecord(
                result.EvaluationsPerImage,
                result.BackwardsPerImage,
                result.Elapsed.TotalSeconds,
                Psnr.Of(picture.Reconstruction, lab.Images[image].Image),
                Psnr.Of(picture.Reconstruction, picture.RoundTrip),
                Psnr.Of(edited.Image, dataset.Truth(task)!),
                success,
                [.. result.Optimisation[0].Select(step => step.Losses.Count > 0 ? step.Losses[0] : double.NaN)],
                [.. result.Optimisation[0].Select(step => step.Losses.Count > 0 ? step.Losses[^1] : double.NaN)]
            );
        }
    }
}
