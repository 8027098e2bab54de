using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using NullTextResearch.Images;
using NullTextResearch.Metrics;

namespace NullTextResearch.Benchmarks;

/// <summary>Pictures that a study lists by itself. Files are read when they are needed; that all are there is checked first.</summary>
internal sealed class ImageListDataset : IEditDataset
{
    private readonly Dictionary<EditTask, (StudyImage Entry, string Path)> _entries = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<string, string> _hashes = [];
    private readonly Lock _gate = new();
    private readonly StudyPlan _plan;

    /// <summary>Checks a list.</summary>
    /// <param name="name">Name of the data set.</param>
    /// <param name="images">The list.</param>
    /// <param name="plan">The study, for relative paths.</param>
    /// <param name="path">Place of the list in the study's file, for messages.</param>
    /// <exception cref="StudyException">Files are missing, or two tasks have one name; all are listed.</exception>
    public ImageListDataset(string name, IReadOnlyList<StudyImage> images, StudyPlan plan, string path)
    {
        Name = name;
        _plan = plan;
        List<string> problems = [];
        HashSet<string> taken = new(StringComparer.Ordinal);
        foreach ((int i, StudyImage image) in images.Index())
        {
            string place = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{path}.images[{i}]");
            foreach ((string member, string? file) in ((string, string?)[])[("image", image.Image), ("mask", image.Mask), ("truth", image.Truth)])
            {
                if (file is not null && RegularFile.ProblemOf(plan.At(file)) is { } problem)
                    problems.Add($"{place}.{member}: {plan.At(file)} {problem}");
            }
            if (image.Id is { } id && !taken.Add(id))
                problems.Add($"{place}.id: '{id}' is the name of two tasks");
        }
        if (problems.Count > 0)
            throw new StudyException($"The study's pictures cannot be used; put the files there, or correct the list. {Listed(problems)}");
        List<EditTask> tasks = [];
        foreach (StudyImage image in images)
        {
            EditTask task = new()
            {
                Id = image.Id ?? Unused(image.Image, taken),
                Kind = image.Kind,
                SourcePrompt = image.Prompt,
                TargetPrompt = image.To,
                BlendWords = image.Blend,
                Weights = image.Weights,
            };
            tasks.Add(task);
            _entries.Add(task, (image, plan.At(image.Image)));
        }
        Tasks = tasks;
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public string Fingerprint =>
        Convert.ToHexStringLower(
            SHA256.HashData(
                Encoding.UTF8.GetBytes(
                    JsonSerializer.Serialize(
                        Tasks.Select(t => new
                        {
                            Task = t,
                            Picture = PictureHash(t),
                            Mask = _entries[t].Entry.Mask is { } mask ? HashOf(_plan.At(mask)) : null,
                            Truth = _entries[t].Entry.Truth is { } truth ? HashOf(_plan.At(truth)) : null,
                        })
                    )
                )
            )
        );

    /// <inheritdoc/>
    public IReadOnlyList<EditTask> Tasks { get; }

    /// <inheritdoc/>
    public string PictureHash(EditTask task) => HashOf(_entries[task].Path);

    /// <inheritdoc/>
    public RgbImage Picture(EditTask task) => ImageFile.Load(_entries[task].Path);

    /// <inheritdoc/>
    public RegionMask? Mask(EditTask task) => _entries[task].Entry.Mask is { } mask ? RegionMask.FromPicture(ImageFile.Load(_plan.At(mask))) : null;

    /// <inheritdoc/>
    public RgbImage? Truth(EditTask task) => _entries[task].Entry.Truth is { } truth ? ImageFile.Load(_plan.At(truth)) : null;

    /// <summary>Problems as one sentence; a long list is cut.</summary>
    internal static string Listed(IReadOnlyList<string> problems)
    {
        const int Most = 10;
        return string.Join("; ", problems.Take(Most)) + (problems.Count > Most ? $"; and {problems.Count - Most} more" : "");
    }

    private string HashOf(string path)
    {
        lock (_gate)
        {
            if (!_hashes.TryGetValue(path, out string? hash))
                _hashes.Add(path, hash = FingerprintWriter.Of(ImageFile.Load(path)));
            return hash;
        }
    }

    private static string Unused(string file, HashSet<string> taken)
    {
        string plain = new([.. Path.GetFileNameWithoutExtension(file).Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' ? c : '-')]);
        string id = plain;
        for (int number = 2; !taken.Add(id); number++)
            id = $"{plain}-{number}";
        return id;
    }
}
