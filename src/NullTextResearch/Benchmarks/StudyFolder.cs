using System.Text.Json;
using NullTextResearch.Experiments;
using NullTextResearch.Images;
using NullTextResearch.Inversion;

namespace NullTextResearch.Benchmarks;

/// <summary>
/// The results of a study on disk: <c>units/</c> with one record a unit and its edited picture beside it, <c>failed/</c> with error records, <c>running/</c>
/// with a file for every inversion in progress, <c>states/</c> with what a stopped inversion resumes from. Every file is written aside and renamed, and two
/// shards never write the same one.
/// </summary>
internal sealed class StudyFolder
{
    private static readonly JsonSerializerOptions Strict = StoredJson.Strict(ResultCache.Json);
    private readonly ResultCache _units;
    private readonly ResultCache _failed;

    public StudyFolder(string path)
    {
        Path = path;
        _units = new ResultCache(Units);
        _failed = new ResultCache(System.IO.Path.Combine(path, "failed"));
    }

    public string Path { get; }

    /// <summary>Records that were damaged and count as missing.</summary>
    public int Damaged => _units.Damaged;

    private string Units => System.IO.Path.Combine(Path, "units");

    /// <summary>The result of a unit; null if there is none.</summary>
    public UnitRecord? Find(StudyUnit unit) => _units.TryRead(unit.Key, out UnitRecord record) ? record : null;

    /// <summary>The error record of a unit; null if there is none.</summary>
    public UnitRecord? FindFailure(StudyUnit unit) => _failed.TryRead(unit.Key, out UnitRecord record) ? record : null;

    /// <summary>The edited picture of a finished unit; null if its file is missing or damaged.</summary>
    public RgbImage? Picture(StudyUnit unit, UnitRecord record)
    {
        string path = PictureOf(unit);
        if (record.PictureSha256 is null || !File.Exists(path))
            return null;
        byte[] png = File.ReadAllBytes(path);
        return StoredJson.Checksum(png) == record.PictureSha256 ? ImageFile.Decode(png, path) : null;
    }

    /// <summary>Whether the picture that belongs to a record is there.</summary>
    public bool HasPicture(StudyUnit unit, UnitRecord record) => record.PictureSha256 is null || File.Exists(PictureOf(unit));

    /// <summary>Stores a result: first the picture, then the record, so that a unit with a record is complete.</summary>
    public UnitRecord Write(StudyUnit unit, UnitRecord record, RgbImage? picture = null)
    {
        if (picture is not null)
        {
            byte[] png = ImageFile.EncodePng(picture);
            WholeFile.Write(PictureOf(unit), png);
            record = record with { PictureSha256 = StoredJson.Checksum(png) };
        }
        _units.Write(unit.Key, record);
        string failure = _failed.PathOf(unit.Key);
        if (File.Exists(failure))
            File.Delete(failure);
        return record;
    }

    /// <summary>Stores an error.</summary>
    public void WriteFailure(StudyUnit unit, UnitRecord record) => _failed.Write(unit.Key, record);

    /// <summary>File of an error record.</summary>
    public string FailureOf(StudyUnit unit) => _failed.PathOf(unit.Key);

    /// <summary>Whether an earlier process died during this inversion, or another one is at it.</summary>
    public bool IsMarked(ResultKey inversion) => File.Exists(MarkOf(inversion));

    /// <summary>Marks an inversion as in progress until the result is disposed.</summary>
    public IDisposable Mark(ResultKey inversion)
    {
        string mark = MarkOf(inversion);
        WholeFile.Write(mark, "in progress, or its process died\n"u8);
        return new Unmark(mark);
    }

    /// <summary>
    /// A method that keeps its state in <c>states/</c> while it runs, and resumes where an earlier process was stopped.
    /// </summary>
    public IInversion Resumable(IInversion method, ResultKey inversion) => new ResumableInversion(method, new RunFolder(StateOf(inversion)), inversion.Hash);

    /// <summary>Removes the state of an inversion whose units have their results.</summary>
    public void RemoveState(ResultKey inversion)
    {
        if (Directory.Exists(StateOf(inversion)))
            Directory.Delete(StateOf(inversion), recursive: true);
    }

    /// <summary>Results of other keys: of other versions, or of units that the study does not name any more.</summary>
    /// <param name="known">The study's units.</param>
    public IEnumerable<(ResultKey Key, UnitRecord Record)> Others(IEnumerable<StudyUnit> known)
    {
        if (!Directory.Exists(Units))
            yield break;
        HashSet<string> names = [.. known.Select(u => System.IO.Path.GetFileName(_units.PathOf(u.Key)))];
        foreach (string path in Directory.GetFiles(Units, "*.json").Where(p => !names.Contains(System.IO.Path.GetFileName(p))).Order(StringComparer.Ordinal))
        {
            Stored entry;
            try
            {
                entry = StoredJson.Read<Stored>(File.ReadAllBytes(path), Strict);
            }
            catch (JsonException)
            {
                // A damaged file of a unit that is not asked for: if it were, it would count as missing.
                continue;
            }
            yield return (entry.Key, entry.Value);
        }
    }

    private string PictureOf(StudyUnit unit) => System.IO.Path.ChangeExtension(_units.PathOf(unit.Key), ".png");

    private string StateOf(ResultKey inversion) => System.IO.Path.Combine(Path, "states", inversion.Hash[..24]);

    private string MarkOf(ResultKey inversion) => System.IO.Path.Combine(Path, "running", inversion.Hash[..24]);

    // As ResultCache writes it.
    private sealed record Stored(ResultKey Key, string Sha256, UnitRecord Value);

    private sealed class Unmark(string path) : IDisposable
    {
        public void Dispose() => File.Delete(path);
    }
}
