using System.Globalization;
using NullTextResearch.Editing;
using NullTextResearch.Experiments;
using NullTextResearch.Images;
using NullTextResearch.Inversion;
using NullTextResearch.Metrics;

namespace NullTextResearch.Benchmarks;

/// <summary>A study with its data and models at hand: the list of its units. Nothing is computed here, and no model is loaded.</summary>
public sealed class Study
{
    /// <summary>Lists the units of a study, in the order of its file: data, tasks, models, methods, settings, editors.</summary>
    /// <param name="plan">The study.</param>
    /// <param name="data">Its data sets, of different names; see <see cref="OpenData"/>.</param>
    /// <param name="models">Its models, of different names.</param>
    /// <exception cref="StudyException">
    /// There is no data or no model, pictures cannot be read, a name appears twice, or two combinations are the same computation.
    /// </exception>
    public Study(StudyPlan plan, IReadOnlyList<IEditDataset> data, IReadOnlyList<StudyModel> models)
    {
        Plan = plan;
        Data = data;
        Models = models;
        Sizing = ImageSizing.TryParse(plan.Size, out ImageSizing? sizing)
            ? sizing
            : throw new StudyException($"'{plan.Size}' is no size; expected 640x448, 512, own, keep or as-is.");
        if (data.Sum(d => d.Tasks.Count) == 0 || models.Count == 0)
            throw new StudyException("The study has no task or no model; name at least one of each.");
        foreach (
            string twice in data.GroupBy(d => d.Name)
                .Concat<IGrouping<string, object>>(models.GroupBy(m => m.Name))
                .Where(g => g.Count() > 1)
                .Select(g => g.Key)
        )
            throw new StudyException($"The study has two data sets or two models called '{twice}'; give them different names, or name it once.");
        Units = [.. data.SelectMany(UnitsOf)];
        foreach (IGrouping<string, StudyUnit> same in Units.GroupBy(u => u.Key.Hash).Where(g => g.Count() > 1))
            throw new StudyException(
                $"The study lists one computation under two names: {string.Join(" and ", same.Take(2).Select(u => u.Slot))}. Leave one of them out."
            );
    }

    /// <summary>The study's file.</summary>
    public StudyPlan Plan { get; }

    /// <summary>The data sets.</summary>
    public IReadOnlyList<IEditDataset> Data { get; }

    /// <summary>The models.</summary>
    public IReadOnlyList<StudyModel> Models { get; }

    /// <summary>All units.</summary>
    public IReadOnlyList<StudyUnit> Units { get; }

    internal ImageSizing Sizing { get; }

    /// <summary>The units of a shard, in the same order.</summary>
    /// <param name="shard">The shard.</param>
    public IEnumerable<StudyUnit> Of(StudyShard shard) => Units.Where(shard.Takes);

    /// <summary>Opens the data that a study names.</summary>
    /// <param name="plan">The study.</param>
    /// <param name="datasets">The data sets that can be named; null for those of this library.</param>
    /// <exception cref="StudyException">
    /// Pictures are missing, or a data set cannot be opened; the message says which, where they were sought and what to do.
    /// </exception>
    public static IReadOnlyList<IEditDataset> OpenData(StudyPlan plan, EditDatasets? datasets = null)
    {
        List<IEditDataset> opened = [];
        int lists = 0;
        foreach ((int i, StudyData data) in plan.Data.Index())
        {
            string place = string.Create(CultureInfo.InvariantCulture, $"$.data[{i}]");
            if (data.Dataset is not { } id)
            {
                string name = ++lists == 1 ? "images" : string.Create(CultureInfo.InvariantCulture, $"images-{lists}");
                opened.Add(new ImageListDataset(name, data.Images, plan, place));
                continue;
            }
            EditDatasetSource source = (datasets ?? EditDatasets.Shipped).Find(id);
            try
            {
                opened.Add(source.Open(data with { Folder = data.Folder is { } folder ? plan.At(folder) : null }));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException or ArgumentException)
            {
                throw new StudyException($"The data set '{id}' ({place} of the study) cannot be opened: {e.Message}", e);
            }
        }
        return opened;
    }

    private IEnumerable<StudyUnit> UnitsOf(IEditDataset data)
    {
        MethodVariant[] variants = [.. Plan.MethodNames.SelectMany(Variants)];
        (EditorMethod Method, StudyEditSettings Settings)[] editors = [.. Plan.Editors.Select(e => e.Resolve())];
        foreach ((EditTask task, TaskFacts facts) in Facts(data))
        {
            (string, string) picture = (facts.PictureHash, task.SourcePrompt);
            foreach (StudyModel model in Models)
            {
                foreach (MethodVariant variant in variants)
                {
                    foreach (int steps in Plan.Steps)
                    {
                        foreach (double guidance in Plan.Guidance)
                        {
                            MethodChoice choice = variant.Choice;
                            ResultKey inversion = StudyKeys.OfInversion(
                                picture,
                                model.Identity,
                                choice.Refusal is null ? choice.Inversion : null,
                                choice.Name,
                                steps,
                                guidance,
                                Plan.Size
                            );
                            foreach ((EditorMethod editor, StudyEditSettings settings) in editors)
                                yield return new StudyUnit
                                {
                                    Dataset = data,
                                    Task = task,
                                    Model = model,
                                    Method = choice,
                                    Editor = editor,
                                    Settings = settings,
                                    Steps = steps,
                                    InnerSteps = variant.InnerSteps,
                                    Guidance = guidance,
                                    Seed = variant.Seed,
                                    HasMask = facts.HasMask,
                                    HasTruth = facts.HasTruth,
                                    InversionKey = inversion,
                                    Key = StudyKeys.OfUnit(inversion, editor.Default, task, facts.Regions, settings),
                                };
                        }
                    }
                }
            }
        }
    }

    /// <summary>What keys need of every task; a data set with unreadable pictures is told of before anything is computed, all of them at once.</summary>
    private static List<(EditTask Task, TaskFacts Facts)> Facts(IEditDataset data)
    {
        List<(EditTask, TaskFacts)> facts = [];
        List<string> problems = [];
        foreach (EditTask task in data.Tasks)
        {
            try
            {
                RegionMask? mask = data.Mask(task);
                RgbImage? truth = data.Truth(task);
                facts.Add((task, new TaskFacts(data.PictureHash(task), mask is not null, truth is not null, StudyPictures.HashOf(mask, truth))));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                problems.Add($"{task.Id}: {e.Message}");
            }
        }
        return problems.Count == 0
            ? facts
            : throw new StudyException(
                string.Create(CultureInfo.InvariantCulture, $"{problems.Count} of {data.Tasks.Count} tasks of the data set '{data.Name}' cannot be used; ")
                    + $"complete it, or leave these out. {ImageListDataset.Listed(problems)}"
            );
    }

    /// <summary>A method with each N and each seed that it uses.</summary>
    private IEnumerable<MethodVariant> Variants(string name)
    {
        string[] parts = name.Split('@');
        InversionMethod method = InversionCatalogue.Find(parts[0]);
        bool draws = method.DrawsNoise || (parts.Length == 2 && PathCatalogue.Find(parts[1]).Seeded is not null);
        foreach (int? inner in method.Optimises ? Plan.InnerSteps.Select(n => (int?)n) : [null])
        {
            foreach (long? seed in draws ? Plan.Seeds.Select(s => (long?)s) : [null])
            {
                MethodRequest request = new();
                request = request with { InnerSteps = inner ?? request.InnerSteps, Seed = seed ?? request.Seed };
                yield return new MethodVariant(MethodChoice.Parse(name, request), inner, seed);
            }
        }
    }

    private sealed record TaskFacts(string PictureHash, bool HasMask, bool HasTruth, string Regions);

    private sealed record MethodVariant(MethodChoice Choice, int? InnerSteps, long? Seed);
}
