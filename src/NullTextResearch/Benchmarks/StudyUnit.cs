using System.Globalization;
using NullTextResearch.Editing;
using NullTextResearch.Experiments;
using NullTextResearch.Inversion;

namespace NullTextResearch.Benchmarks;

/// <summary>One task, edited by one editor after one inversion with one model: the smallest part of a study, with a result file of its own.</summary>
public sealed record StudyUnit
{
    /// <summary>The data set of the task.</summary>
    public required IEditDataset Dataset { get; init; }

    /// <summary>What is edited.</summary>
    public required EditTask Task { get; init; }

    /// <summary>The model.</summary>
    public required StudyModel Model { get; init; }

    /// <summary>The inversion method on its path.</summary>
    public required MethodChoice Method { get; init; }

    /// <summary>The editor: its id is its name in tables, and its default options are those of the study.</summary>
    public required EditorMethod Editor { get; init; }

    /// <summary>What the study sets of prompt-to-prompt; of no effect for editors that do not inject its maps.</summary>
    public StudyEditSettings Settings { get; init; } = new();

    /// <summary>T.</summary>
    public required int Steps { get; init; }

    /// <summary>N; null for a method that does not optimise.</summary>
    public required int? InnerSteps { get; init; }

    /// <summary>w.</summary>
    public required double Guidance { get; init; }

    /// <summary>The seed; null for a method that draws no noise.</summary>
    public required long? Seed { get; init; }

    /// <summary>Whether its task says where the picture may change.</summary>
    public required bool HasMask { get; init; }

    /// <summary>Whether the true result of its task is known.</summary>
    public required bool HasTruth { get; init; }

    /// <summary>What its inversion depends on. Units with equal keys share one inversion.</summary>
    public required ResultKey InversionKey { get; init; }

    /// <summary>What its result depends on: all of <see cref="InversionKey"/>, the editor with its revision, the task. Metrics are not part of it.</summary>
    public required ResultKey Key { get; init; }

    /// <summary>Why nothing is computed: method and path cannot be combined, or the task re-weights words and the editor does not; null if it is.</summary>
    public string? Refusal =>
        Method.Refusal
        ?? (Task.Weights.Count > 0 && !Editor.Default.TakesWeights ? $"the editor {Editor.Id} does not re-weight words, which the task asks for" : null);

    /// <summary>
    /// Its place in the study, by names: the same for results that differ only in versions of model, data or algorithms, so that a merge can tell a result of
    /// another version from a missing one.
    /// </summary>
    public string Slot =>
        string.Join(
            " | ",
            $"{Dataset.Name}/{Task.Id}",
            Model.Name,
            Method.Name,
            Editor.Id,
            string.Create(
                CultureInfo.InvariantCulture,
                $"T {Steps}{(InnerSteps is { } n ? $", N {n}" : "")}, w {Guidance:R}{(Seed is { } s ? $", seed {s}" : "")}"
            )
        );

    /// <summary>The maximum cost of its inversion by the catalogue's formulas; 0 if it is refused.</summary>
    public MethodCost InversionCost =>
        Refusal is not null ? new MethodCost(0, 0)
        : Method.Name.Split('@') is [_, string path] ? Method.Method.CostOn(PathCatalogue.Find(path), Steps, InnerSteps ?? 0)
        : Method.Method.Cost(Steps, InnerSteps ?? 0);

    /// <summary>The cost of its edit by the catalogue's formula; 0 if it is refused.</summary>
    public MethodCost EditCost => Refusal is null ? Editor.Cost(Steps) : new MethodCost(0, 0);
}
