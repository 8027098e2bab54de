using System.Globalization;
using System.Text.Json;
using NullTextResearch.Diffusion;
using NullTextResearch.Editing;
using NullTextResearch.Experiments;
using NullTextResearch.Figures;
using NullTextResearch.Images;
using NullTextResearch.Interactive.Display;
using NullTextResearch.Inversion;

namespace NullTextResearch.Interactive;

/// <content>Comparison of methods of the catalogue.</content>
public sealed partial class Workbench
{
    private string CacheFolder => Options.CacheFolder ?? Path.Combine(Path.GetTempPath(), "nulltext-workbench");

    /// <summary>
    /// Inverts one image by several methods of the catalogue, and edits each inversion by several editors. Results are stored (<see
    /// cref="WorkbenchOptions.CacheFolder"/>) and not computed again; combinations that do not work are listed with the reason.
    /// </summary>
    /// <param name="image">The image, of any size.</param>
    /// <param name="prompt">Prompt that describes the image.</param>
    /// <param name="methods">At least one method; a path other than the method's default follows after @: <c>null-text@fixed-point</c>.</param>
    /// <param name="target">Prompt of the edited versions; null (default) compares reconstructions only.</param>
    /// <param name="editors">Ids of editors; null (default) uses prompt-to-prompt. Requires <paramref name="target"/>.</param>
    /// <param name="options">Steps, guidance and the like; null for the defaults.</param>
    /// <param name="cancellation">Stops the work; finished parts stay in the cache.</param>
    /// <returns>Pictures and a table.</returns>
    /// <exception cref="ArgumentException">A name is not in the catalogue or occurs twice, or there is nothing to compare.</exception>
    /// <exception cref="OperationCanceledException">Stopped.</exception>
    public Task<MethodComparison> Compare(
        RgbImage image,
        string prompt,
        IReadOnlyList<string> methods,
        string? target = null,
        IReadOnlyList<string>? editors = null,
        ComparisonOptions? options = null,
        CancellationToken cancellation = default
    )
    {
        ComparisonOptions settings = options ?? new ComparisonOptions();
        if (methods.Count == 0 || editors is { Count: 0 })
            throw new ArgumentException("A comparison needs at least one method, and an edit at least one editor.");
        if (target is null && editors is not null)
            throw new ArgumentException("Editors need a target: the prompt that edited versions should show.", nameof(editors));
        foreach (IReadOnlyList<string> names in (IReadOnlyList<string>[])[methods, editors ?? []])
        {
            if (names.GroupBy(n => n).FirstOrDefault(g => g.Count() > 1) is { } twice)
                throw new ArgumentException($"'{twice.Key}' occurs twice; name each method and editor once.");
        }
        MethodRequest request = new() { InnerSteps = settings.InnerSteps, Seed = settings.Seed };
        MethodChoice[] chosen = [.. methods.Select(m => MethodChoice.Parse(m, request))];
        EditorMethod[] editing = target is null ? [] : [.. editors?.Select(EditorCatalogue.Find) ?? [EditorCatalogue.All[0]]];
        RgbImage prepared = Prepared(image, settings.Crop, settings.Size);
        CheckWords(target is null ? [prompt] : [prompt, target]);
        return Run(
            string.Create(CultureInfo.InvariantCulture, $"comparison of {chosen.Length} method{(chosen.Length == 1 ? "" : "s")}"),
            (progress, stop) =>
            {
                ComparisonStore store = new(this, prepared, prompt, settings);
                List<ComparedMethod> rows = [];
                foreach (MethodChoice choice in chosen)
                {
                    progress.Part(rows.Count + 1, chosen.Length, choice.Name);
                    rows.Add(store.Row(choice, target, editing, progress, stop));
                }
                return new MethodComparison(
                    new MethodTable
                    {
                        Source = prepared,
                        Prompt = prompt,
                        Target = target,
                        Editors = [.. editing.Select(e => e.Id)],
                        Methods = rows,
                    }
                );
            },
            cancellation
        );
    }

    /// <summary>Compares methods of the catalogue on an image from <see cref="Examples"/>, <see cref="Toy"/> or <see cref="Images"/>.</summary>
    /// <param name="image">The image; its caption is the prompt.</param>
    /// <param name="methods">At least one method; a path other than the method's default follows after @: <c>null-text@fixed-point</c>.</param>
    /// <param name="target">Prompt of the edited versions; null (default) compares reconstructions only.</param>
    /// <param name="editors">Ids of editors; null (default) uses prompt-to-prompt. Requires <paramref name="target"/>.</param>
    /// <param name="options">Steps, guidance and the like; null for the defaults.</param>
    /// <param name="cancellation">Stops the work; finished parts stay in the cache.</param>
    /// <returns>Pictures and a table.</returns>
    /// <exception cref="ArgumentException">A name is not in the catalogue or occurs twice, or there is nothing to compare.</exception>
    /// <exception cref="OperationCanceledException">Stopped.</exception>
    public Task<MethodComparison> Compare(
        ExperimentImage image,
        IReadOnlyList<string> methods,
        string? target = null,
        IReadOnlyList<string>? editors = null,
        ComparisonOptions? options = null,
        CancellationToken cancellation = default
    ) =>
        Compare(
            image.Image,
            image.Caption,
            methods,
            target,
            editors,
            (options ?? new ComparisonOptions()) with
            {
                Size = SizeOf(image, options?.Size),
            },
            cancellation
        );

    /// <summary>Rows of a comparison, read from the cache or computed.</summary>
    private sealed class ComparisonStore(Workbench bench, RgbImage image, string prompt, ComparisonOptions settings)
    {
        private readonly ResultCache _cache = new(bench.CacheFolder);
        private readonly string _hash = new ExperimentImage("", image, prompt).Hash;
        private readonly string _model = bench._fingerprint ??= bench.Model.Fingerprint();

        public ComparedMethod Row(MethodChoice choice, string? target, IReadOnlyList<EditorMethod> editors, LiveProgress progress, CancellationToken stop)
        {
            if (choice.Refusal is { } refusal)
                return new ComparedMethod(choice.Name, Attempt<ComparedInversion>.Refused(refusal), []);
            InvertedImage? inverted = null;
            try
            {
                ResultKey key = Key("compare-inversion", choice);
                if (!_cache.TryRead(key, out KeptInversion kept))
                {
                    InvertedImage made = Inverted();
                    kept = new KeptInversion(
                        ImageFile.EncodePng(made.RoundTrip),
                        ImageFile.EncodePng(made.Reconstruction),
                        made.Inversion.EvaluationsPerImage,
                        made.Inversion.BackwardsPerImage,
                        made.Inversion.Elapsed.TotalSeconds
                    );
                    _cache.Write(key, kept);
                }
                return new ComparedMethod(
                    choice.Name,
                    Attempt<ComparedInversion>.Of(
                        new ComparedInversion(
                            ImageFile.Decode(kept.RoundTrip),
                            ImageFile.Decode(kept.Reconstruction),
                            kept.Evaluations,
                            kept.Backwards,
                            kept.Seconds
                        )
                    ),
                    [.. editors.Select(e => Edit(choice, e, target!, Inverted, progress, stop))]
                );
            }
            catch (NotFiniteException e)
            {
                // Continue with the other methods.
                return new ComparedMethod(choice.Name, Attempt<ComparedInversion>.Refused(e.Message), []);
            }
            finally
            {
                inverted?.Dispose();
            }

            // Tensors are not stored in the cache: a new editor needs the inversion again.
            InvertedImage Inverted() =>
                inverted ??= bench.Invert(
                    image,
                    prompt,
                    choice.Inversion,
                    new InvertOptions { Steps = settings.Steps, GuidanceScale = settings.GuidanceScale },
                    progress,
                    stop
                );
        }

        private Attempt<ComparedEdit> Edit(
            MethodChoice choice,
            EditorMethod editor,
            string target,
            Func<InvertedImage> inverted,
            LiveProgress progress,
            CancellationToken stop
        )
        {
            ResultKey key = Key("compare-edit", choice, target, editor);
            if (!_cache.TryRead(key, out KeptEdit kept))
            {
                Attempt<ComparedEdit> made = MethodTable.Edit(
                    bench.Model,
                    inverted().Inversion,
                    settings.Steps,
                    prompt,
                    target,
                    editor,
                    bench.Control(progress, stop)
                );
                kept = made.Result is { } edit
                    ? new KeptEdit(ImageFile.EncodePng(edit.Picture), edit.Evaluations, edit.Backwards, edit.Seconds, null)
                    : new KeptEdit(null, 0, 0, 0, made.Reason);
                _cache.Write(key, kept);
            }
            return kept.Png is { } png
                ? Attempt<ComparedEdit>.Of(new ComparedEdit(ImageFile.Decode(png), kept.Evaluations, kept.Backwards, kept.Seconds))
                : Attempt<ComparedEdit>.Refused(kept.Reason ?? MethodTable.NoPair);
        }

        private ResultKey Key(string what, MethodChoice choice, string? target = null, EditorMethod? editor = null) =>
            new(
                what,
                _hash,
                prompt,
                _model,
                JsonSerializer.Serialize(
                    new
                    {
                        Method = choice.Inversion.Name,
                        Options = RunFolder.ToJson(choice.Inversion.Options),
                        settings.Steps,
                        settings.GuidanceScale,
                        target,
                        Editor = editor?.Id,
                        EditorOptions = editor is null ? (JsonElement?)null : RunFolder.ToJson(editor.Default),
                    }
                ),
                ExperimentLab.ResultVersion
            );

        private sealed record KeptInversion(byte[] RoundTrip, byte[] Reconstruction, double Evaluations, double Backwards, double Seconds);

        private sealed record KeptEdit(byte[]? Png, long Evaluations, long Backwards, double Seconds, string? Reason);
    }
}
