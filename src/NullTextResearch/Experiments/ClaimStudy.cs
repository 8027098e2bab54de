using System.Globalization;
using System.Text;
using NullTextResearch.Metrics;
using NullTextResearch.Scenes;

namespace NullTextResearch.Experiments;

/// <summary>
/// Six rankings from the paper, measured on held-out toy scenes with paired intervals: random pivot below null-text, non-pivotal below DDIM, SDEdit closer to
/// the source with null texts, PSNR falling with the inversion's guidance, textual inversion rising with N, words' maps on their objects. Some are
/// also measured for null texts of which only some rows may change, and, without a pivot, at ten times the learning rate.
/// </summary>
public static class ClaimStudy
{
    private static readonly HashSet<string> FunctionWords = new("a in on the next to at".Split(' '), StringComparer.Ordinal);

    /// <summary>Measures everything that is not in the cache yet.</summary>
    /// <param name="model">Model of toy scenes; borrowed.</param>
    /// <param name="images">How many scenes, at least 1; SDEdit takes as many for each of its two kinds of edit.</param>
    /// <param name="rows">Numbers of leading rows that null texts may change; null for all.</param>
    /// <param name="settings">Size of the experiments.</param>
    /// <param name="cache">Where results are kept.</param>
    /// <param name="workers">Threads that share the images.</param>
    /// <param name="log">Receives one line per measure; null to disable.</param>
    /// <param name="cancellation">Stops the study; finished results are kept.</param>
    public static IReadOnlyList<ClaimRow> Run(
        IDiffusionModel model,
        int images,
        IReadOnlyList<int?> rows,
        ExperimentSettings settings,
        ResultCache cache,
        int workers = 1,
        Action<string>? log = null,
        CancellationToken cancellation = default
    )
    {
        int most = settings.InnerSteps[^1],
            least = settings.InnerSteps[0],
            side = ExperimentImages.ToySide(model.Sizes);
        IReadOnlyList<ExperimentImage> scenes = ExperimentImages.Toy(images, side);
        string fingerprint = model.Fingerprint();
        List<ClaimRow> table = [];
        // The cheapest measures come first.
        foreach (int? count in rows)
        {
            using ExperimentLab lab = Lab(scenes, count);
            double[] ours = Psnrs(lab, ReconstructionMethod.NullText, most);
            Add($"random pivot below null-text, N = {most}", Name(count), "dB", PairedDifference.Of(ours, Psnrs(lab, ReconstructionMethod.RandomPivot, most)));
            Add(
                $"non-pivotal below DDIM, N = {most}",
                Name(count),
                "dB",
                PairedDifference.Of(Psnrs(lab, ReconstructionMethod.Ddim, 0), Psnrs(lab, ReconstructionMethod.NonPivotal, most))
            );
        }

        using ExperimentLab whole = Lab(scenes, null),
            fast = Lab(scenes, null, 10 * settings.UnpivotedRate),
            fromNoise = Lab(scenes, null, 10 * settings.UnpivotedRate, Inversion.TextualStart.Noise);
        Add(
            $"non-pivotal below DDIM, N = {most}",
            "all rows, ten times the learning rate",
            "dB",
            PairedDifference.Of(Psnrs(whole, ReconstructionMethod.Ddim, 0), Psnrs(fast, ReconstructionMethod.NonPivotal, most))
        );
        IReadOnlyList<IReadOnlyList<GuidanceRecord>> sweep = GuidanceSweep.Run(whole);
        for (int w = 1; w < sweep.Count; w++)
        {
            // Sampled at the w of the inversion, only the inversion's own error is left. The halves tell it apart from what the two scales have in common.
            (int[] best, int[] rest) = Halves([.. sweep[w].Select(r => r.PsnrSame)]);
            AddBelow("", [.. Enumerable.Range(0, images)]);
            if (best.Length < 2)
                continue;
            AddBelow(", the half of the pictures that this w inverts best", best);
            AddBelow(", the other half", rest);

            void AddBelow(string which, int[] some) =>
                Add(
                    string.Create(CultureInfo.InvariantCulture, $"PSNR at {settings.GuidanceScale} falls with the inversion's w"),
                    string.Create(CultureInfo.InvariantCulture, $"w = {settings.InversionGuidance[w]} below 1{which}"),
                    "dB",
                    PairedDifference.Of(some.Select(i => sweep[0][i].PsnrSampling - sweep[w][i].PsnrSampling))
                );
        }
        foreach (
            (ExperimentLab lab, string rate) in ((ExperimentLab, string)[])
                [(whole, ""), (fast, ", ten times the learning rate"), (fromNoise, ", ten times the learning rate, begun with noise instead of the prompt")]
        )
            Add(
                $"textual inversion rises with N",
                $"N = {most} over {least}{rate}",
                "dB",
                PairedDifference.Of(Psnrs(lab, ReconstructionMethod.TextualInversion, most), Psnrs(lab, ReconstructionMethod.TextualInversion, least))
            );
        Add(
            "textual inversion below DDIM",
            $"N = {most}, ten times the learning rate",
            "dB",
            PairedDifference.Of(Psnrs(whole, ReconstructionMethod.Ddim, 0), Psnrs(fast, ReconstructionMethod.TextualInversion, most))
        );
        AddMaps(whole);
        foreach (int? count in rows)
        {
            foreach ((string kind, Func<SceneDescription, SceneDescription, bool> isKind) in Kinds)
            {
                using ExperimentLab lab = Lab(WithEdits(images, side, isKind), count);
                IReadOnlyList<SdEditRecord> records = SdEditExperiment.Run(lab);
                AddSdEdit("", [.. records.Select(r => r.WithNullText)]);
                if (count is null)
                    AddSdEdit(", from the pivot instead of fresh noise", SdEditExperiment.FromPivot(lab));

                void AddSdEdit(string how, IReadOnlyList<IReadOnlyList<SdEditPoint>> with) =>
                    Add(
                        "SDEdit closer to the source with null text, mean over strengths",
                        $"{Name(count)}, {kind}{how}",
                        "distance",
                        PairedDifference.Of(
                            records.Zip(with, (r, w) => r.Plain.Zip(w, (plain, own) => plain.DistanceToSource - own.DistanceToSource).Average())
                        )
                    );
            }
        }

        return table;

        static string Name(int? count) => count is { } some ? $"{some} rows" : "all rows";

        ExperimentLab Lab(IReadOnlyList<ExperimentImage> of, int? optimised, double? rate = null, Inversion.TextualStart? start = null) =>
            new(
                model,
                of,
                settings with
                {
                    OptimisedRows = optimised,
                    UnpivotedRate = rate ?? settings.UnpivotedRate,
                    TextualStart = start ?? settings.TextualStart,
                },
                cache,
                fingerprint
            )
            {
                Workers = workers,
                Cancellation = cancellation,
            };

        double[] Psnrs(ExperimentLab lab, ReconstructionMethod method, int n)
        {
            IReadOnlyList<int> counts = method == ReconstructionMethod.TextualInversion ? [least, most] : [n];
            return [.. Reconstruction.Run(lab, method, counts)[counts.Count > 1 && n == most ? 1 : 0].Select(r => r.Psnr)];
        }

        void Add(string claim, string variant, string unit, PairedDifference difference)
        {
            table.Add(new ClaimRow(claim, variant, unit, difference));
            log?.Invoke(Line(table[^1]));
        }

        void AddMaps(ExperimentLab lab)
        {
            (double Nouns, double Others)[] shares = [.. AttentionExperiment.Run(lab).Select((r, i) => Shares(r, lab.Images[i].Scene!))];
            Add(
                "an object's word attends to it: share inside over the mask's share, minus 2",
                "nouns",
                "",
                PairedDifference.Of(shares.Select(s => s.Nouns - 2))
            );
            Add(
                "function words do not: the same for nouns minus that for function words",
                "nouns - function words",
                "",
                PairedDifference.Of(shares.Select(s => s.Nouns - s.Others))
            );
        }
    }

    /// <summary>The images of the upper half of some values, and the others; the smaller half is the upper one.</summary>
    internal static (int[] Best, int[] Others) Halves(IReadOnlyList<double> values)
    {
        int[] best = [.. Enumerable.Range(0, values.Count).OrderByDescending(i => values[i]).Take(values.Count / 2)];
        return (best, [.. Enumerable.Range(0, values.Count).Except(best)]);
    }

    /// <summary>The rows as a Markdown table.</summary>
    public static string ToMarkdown(IEnumerable<ClaimRow> rows)
    {
        StringBuilder text = new("| ranking in the paper | variant | difference (95 %) | n | verdict |\n|---|---|---|---|---|\n");
        foreach (ClaimRow row in rows)
            text.Append(Line(row)).Append('\n');
        return text.ToString();
    }

    private static string Line(ClaimRow row)
    {
        PairedDifference d = row.Difference;
        string unit = row.Unit.Length > 0 ? " " + row.Unit : "";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"| {row.Claim} | {row.Variant} | {d.Mean:0.00##}{unit} ({d.Low:0.00##} to {d.High:0.00##}) | {d.Count} | {row.Verdict} |"
        );
    }

    private static readonly (string Name, Func<SceneDescription, SceneDescription, bool> IsKind)[] Kinds =
    [
        ("objects", (source, target) => source.Objects.Count == target.Objects.Count && source.Objects[0].Kind != target.Objects[0].Kind),
        (
            "colours",
            (source, target) =>
                source.Objects.Count == target.Objects.Count
                && source.Objects[0].Kind == target.Objects[0].Kind
                && source.Objects[0].Colour != target.Objects[0].Colour
        ),
    ];

    /// <summary>Scenes that allow one kind of edit, each with only that edit.</summary>
    private static ExperimentImage[] WithEdits(int count, int side, Func<SceneDescription, SceneDescription, bool> isKind)
    {
        // A quarter of the kinds have colours.
        for (int looked = 6 * count; ; looked *= 2)
        {
            ExperimentImage[] found =
            [
                .. ExperimentImages
                    .Toy(looked, side)
                    .Select(i => i with { Edits = [.. i.Edits.Where(e => e.TargetScene is { } target && isKind(i.Scene!, target)).Take(1)] })
                    .Where(i => i.Edits.Count > 0)
                    .Take(count),
            ];
            if (found.Length == count)
                return found;
        }
    }

    /// <summary>Share of the words' attention that lies on the object, divided by the share of the picture that it covers: 1 for a uniform map.</summary>
    private static (double Nouns, double Others) Shares(AttentionRecord record, SceneDescription scene)
    {
        using SceneRenderer renderer = new();
        double[][] coverage = [.. scene.Objects.Select((_, o) => renderer.ObjectCoverage(scene, o, record.Height).Select(c => c / 255.0).ToArray())];
        double Over(WordMap map, double[] mask) =>
            map.Values.Zip(mask, (v, m) => v * m).Sum() / Math.Max(1e-9, map.Values.Sum()) / Math.Max(1e-9, mask.Average());
        double[] nouns =
        [
            .. scene.Objects.SelectMany((o, i) => record.NullText.Where(m => m.Word == CaptionGrammar.Noun(o.Kind)).Take(1).Select(m => Over(m, coverage[i]))),
        ];
        double[] others = [.. record.NullText.Where(m => FunctionWords.Contains(m.Word)).SelectMany(m => coverage.Select(c => Over(m, c)))];
        return (nouns.Average(), others.Average());
    }
}
