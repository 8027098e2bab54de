using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using NullTextResearch.Diffusion;
using NullTextResearch.Images;
using NullTextResearch.Inversion;
using NullTextResearch.Loading;
using NullTextResearch.Tensors;
using NullTextResearch.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Experiments;

/// <summary>
/// A folder that holds an inversion and everything needed to edit the image later without inverting it again. Every file appears whole or not at all; the
/// manifest comes last, so a folder with a manifest is complete. The state that an interrupted null-text inversion needs to resume is in state.safetensors
/// until the run is done.
/// </summary>
public sealed class RunFolder
{
    // Writing the files of an edit takes a second.
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);

    private const string DistilledGuidance = "distilled_guidance";
    private const string ManifestName = "manifest.json",
        TensorsName = "inversion.safetensors",
        StateName = "state.safetensors",
        ReplayPrefix = "replay.";

    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    private static readonly JsonSerializerOptions Strict = StoredJson.Strict(Json);

    /// <summary>Names a folder; nothing is read or written yet.</summary>
    public RunFolder(string path) => Path = System.IO.Path.GetFullPath(path);

    /// <summary>Full path.</summary>
    public string Path { get; }

    /// <summary>The prepared image.</summary>
    public string SourcePath => System.IO.Path.Combine(Path, "source.png");

    /// <summary>The autoencoder's round trip of it.</summary>
    public string VaePath => System.IO.Path.Combine(Path, "vae.png");

    /// <summary>The image that sampling the inversion gives.</summary>
    public string ReconstructionPath => System.IO.Path.Combine(Path, "reconstruction.png");

    /// <summary>Whether the folder holds a complete run.</summary>
    public bool IsComplete => File.Exists(ManifestPath);

    private string ManifestPath => System.IO.Path.Combine(Path, ManifestName);

    private string TensorsPath => System.IO.Path.Combine(Path, TensorsName);

    private string EditsPath => System.IO.Path.Combine(Path, "edits");

    private string StatePath => System.IO.Path.Combine(Path, StateName);

    /// <summary>
    /// Identifies a run by what determines its numbers: the prepared image's bytes, prompt, model, method, options and the version of the algorithms.
    /// </summary>
    /// <param name="image">The image after cropping and resizing.</param>
    /// <param name="prompt">Its prompt.</param>
    /// <param name="modelIdentity">See <see cref="ModelIdentity"/>.</param>
    /// <param name="method">Name of the method.</param>
    /// <param name="steps">T.</param>
    /// <param name="guidanceScale">w.</param>
    /// <param name="options">Options of the method, a record.</param>
    /// <param name="numerics">Numerical settings of the networks, <see cref="ModelLoadOptions.Numerics"/>.</param>
    /// <param name="revision">Revision of the method, <see cref="IInversion.Revision"/>.</param>
    /// <returns>64 hexadecimal digits.</returns>
    public static string Key(
        RgbImage image,
        string prompt,
        string modelIdentity,
        string method,
        int steps,
        double guidanceScale,
        object? options,
        string numerics = "fp32",
        int revision = 0
    )
    {
        // Runs that predate other precisions keep their keys.
        if (numerics != new ModelLoadOptions().Numerics)
            modelIdentity = $"{modelIdentity}, {numerics}";
        // As do those of a method's first revision.
        if (revision != 0)
            method = $"{method}, revision {revision}";
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(
            Encoding.UTF8.GetBytes(
                JsonSerializer.Serialize(
                    new
                    {
                        InversionManifest.CurrentVersion,
                        image.Width,
                        image.Height,
                        prompt,
                        modelIdentity,
                        method,
                        steps,
                        guidanceScale,
                        options,
                    },
                    Json
                )
            )
        );
        hash.AppendData(image.Rgb);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>
    /// Identifies a model by its configs, by the length, ends and middle of its weight files, and by its load options; moving it does not change the identity.
    /// </summary>
    /// <param name="source">The model on disk.</param>
    /// <returns>16 hexadecimal digits.</returns>
    public static string ModelIdentity(ModelSource source)
    {
        const int Sample = 1 << 16;
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = new byte[Sample];
        // Only files that are read: another variant next to them, or one downloaded later, does not change the identity.
        foreach ((string name, string path) in source.Files.Select(f => (Name(f), f)).OrderBy(f => f.Item1, StringComparer.Ordinal))
            Add(name, path);

        ModelLoadOptions asked = source.Options;
        if ((asked.Variant, asked.Prediction, asked.ZeroTerminalSnr, asked.Spacing, asked.UseEma) is not (null, null, null, null, false))
            hash.AppendData(Encoding.UTF8.GetBytes($"{asked.Variant}|{asked.Prediction}|{asked.ZeroTerminalSnr}|{asked.Spacing}|{asked.UseEma}"));
        return Convert.ToHexStringLower(hash.GetHashAndReset())[..16];

        // Names that do not depend on the model's location.
        string Name(string path)
        {
            if (source.IsSingleFile)
                return System.IO.Path.GetExtension(path);
            string inside = System.IO.Path.GetRelativePath(source.Path, path).Replace('\\', '/');
            return inside.StartsWith("..", StringComparison.Ordinal) ? System.IO.Path.GetFileName(path) : inside;
        }

        void Add(string name, string path)
        {
            using Microsoft.Win32.SafeHandles.SafeFileHandle file = File.OpenHandle(path);
            long length = RandomAccess.GetLength(file);
            hash.AppendData(Encoding.UTF8.GetBytes($"{name}:{length}\n"));
            foreach (long at in (long[])[0, Math.Max(0, (length / 2) - (Sample / 2)), Math.Max(0, length - Sample)])
                hash.AppendData(buffer.AsSpan(0, RandomAccess.Read(file, buffer, at)));
        }
    }

    /// <summary>Reads the manifest.</summary>
    /// <exception cref="RunFolderException">The folder holds no complete run, or the manifest is damaged or of another version.</exception>
    public InversionManifest ReadManifest()
    {
        string path = ManifestPath;
        if (!Directory.Exists(Path))
            throw new RunFolderException($"there is no run folder {Path}; create one with 'nulltext invert IMAGE --prompt \"...\" --out {Path}'.");
        if (!File.Exists(path))
            throw new RunFolderException(
                File.Exists(StatePath)
                    ? $"the run in {Path} was interrupted; run the same 'nulltext invert' command again to finish it."
                    : $"{Path} is not a run folder: it has no {ManifestName}. Create one with 'nulltext invert'."
            );
        InversionManifest manifest;
        try
        {
            byte[] text = File.ReadAllBytes(path);
            // Read first, and on its own: another version may have different fields.
            if (StoredJson.Read<VersionOnly>(text, Strict).Version is var version and not InversionManifest.CurrentVersion)
                throw new RunFolderException($"{path} has version {version}, this program reads {InversionManifest.CurrentVersion}; invert the image again.");
            manifest = StoredJson.Read<InversionManifest>(text, Strict);
        }
        catch (JsonException e)
        {
            throw Damaged(path, e.Message, e);
        }

        return (manifest.Problem() ?? Unusable(manifest.ModelMemory)) is { } problem ? throw Damaged(path, problem) : manifest;
    }

    /// <summary>Saves a finished inversion and removes the state of its interrupted runs.</summary>
    /// <param name="result">The result; borrowed.</param>
    /// <param name="manifest">The manifest to write.</param>
    /// <param name="source">The prepared image.</param>
    /// <param name="vae">Its round trip through the autoencoder.</param>
    /// <param name="reconstruction">The image that sampling the result gives.</param>
    /// <exception cref="IOException">The disk is full or the folder cannot be written; an earlier complete run is unchanged.</exception>
    public void Save(InversionResult result, InversionManifest manifest, RgbImage source, RgbImage vae, RgbImage reconstruction)
    {
        using Tensors.UseGate.Lease use = result.Use();
        Directory.CreateDirectory(Path);
        List<KeyValuePair<string, Tensor>> tensors =
        [
            new("start_latents", result.StartLatents),
            .. Named("conditional", result.Conditional),
            .. Named("unconditional", result.Unconditional),
        ];
        ReplayData replay = result.Replay.Data;
        tensors.AddRange(replay.Tensors.Select(t => new KeyValuePair<string, Tensor>(ReplayPrefix + t.Key, t.Value)));
        if (result.Reconstruction is { } end)
            tensors.Add(new("reconstruction", end));
        using DisposeScope scope = NewDisposeScope();
        if (result.Pivot is { } pivot)
            tensors.Add(new("pivot", Stack(pivot)));
        Dictionary<string, string> metadata = new()
        {
            ["key"] = manifest.Key,
            ["optimisation"] = JsonSerializer.Serialize(result.Optimisation, Json),
            ["replay"] = JsonSerializer.Serialize(new StoredReplay(replay.Kind, replay.Numbers), Json),
            ["prompt_optimised"] = JsonSerializer.Serialize(result.IsPromptOptimised, Json),
        };
        if (result.Conditional.Stored.DistilledGuidance is { } distilled)
            metadata[DistilledGuidance] = JsonSerializer.Serialize(distilled, Json);
        // Everything that needs disk space is written next to the old files; only renames touch them.
        string staging = System.IO.Path.Combine(Path, WholeFile.NameFor(""));
        try
        {
            ImageFile.SavePng(source, Staged(SourcePath));
            ImageFile.SavePng(vae, Staged(VaePath));
            ImageFile.SavePng(reconstruction, Staged(ReconstructionPath));
            manifest = manifest with { TensorChecksum = SealedTensors.Write(Staged(TensorsPath), tensors, metadata) };
            File.WriteAllBytes(Staged(ManifestPath), JsonSerializer.SerializeToUtf8Bytes(manifest, Json));
            // New pictures with an old manifest would be inconsistent; without a manifest the folder is merely incomplete.
            File.Delete(ManifestPath);
            foreach (string path in (string[])[SourcePath, VaePath, ReconstructionPath, TensorsPath, ManifestPath])
                File.Move(Staged(path), path, overwrite: true);
        }
        finally
        {
            if (Directory.Exists(staging))
                Directory.Delete(staging, recursive: true);
        }

        File.Delete(StatePath);

        string Staged(string path) => System.IO.Path.Combine(staging, System.IO.Path.GetFileName(path));
    }

    /// <summary>Reads the inversion back.</summary>
    /// <param name="device">Device for its tensors; null for the CPU.</param>
    /// <returns>The result, owned by the caller; its options are a <see cref="JsonElement"/>.</returns>
    /// <exception cref="RunFolderException">The folder holds no complete run, it is damaged, or its parts do not fit each other.</exception>
    public InversionResult Load(Device? device = null)
    {
        InversionManifest manifest = ReadManifest();
        using DisposeScope scope = NewDisposeScope();
        try
        {
            using SafetensorsFile file = SafetensorsFile.Open(TensorsPath);
            if (file.Metadata.GetValueOrDefault("key") != manifest.Key)
                throw new RunFolderException($"{TensorsPath} belongs to another run than the {ManifestName} next to it; invert the image again.");
            // Runs that predate checksums have none in either place.
            if (manifest.TensorChecksum != SealedTensors.ClaimOf(file) || (manifest.TensorChecksum is { } expected && SealedTensors.Of(file) != expected))
                throw Damaged(TensorsPath, "its checksum is wrong: bytes have changed since it was written");
            long steps = manifest.Steps;
            Tensor start = Read(file, "start_latents", null, -1, -1, -1, -1);
            long[] latents = start.shape;
            long images = latents[0];
            double? distilled = file.Metadata.ContainsKey(DistilledGuidance)
                ? JsonSerializer.Deserialize<double?>(Text(file, DistilledGuidance), Strict)
                : null;
            Conditioning conditional = ReadCondition(file, "conditional", steps, images, distilled),
                unconditional = ReadCondition(file, "unconditional", steps, images, distilled);
            Tensor? reconstruction = file.Has("reconstruction") ? Read(file, "reconstruction", start, latents) : null;
            Tensor? pivot = file.Has("pivot") ? Read(file, "pivot", start, [steps + 1, .. latents]) : null;
            IReadOnlyList<IReadOnlyList<StepOptimisation>> optimisation = Optimisation(file);
            Tensor There(Tensor tensor) => tensor.to(device ?? CPU);
            return new InversionResult
            {
                Method = manifest.Method,
                GuidanceScale = manifest.GuidanceScale,
                StartLatents = There(start).DetachFromDisposeScope(),
                Conditional = Embeddings(conditional.Map((_, value) => There(value))),
                Unconditional = Embeddings(unconditional.Map((_, value) => There(value))),
                Replay = ReadReplay(file, start, steps, There),
                IsPromptOptimised = WasPromptOptimised(file, manifest.Method),
                Reconstruction = reconstruction is null ? null : There(reconstruction).DetachFromDisposeScope(),
                Pivot = pivot is null ? null : new PivotTrajectory(There(pivot).unbind(0)),
                Optimisation = optimisation,
                EvaluationsPerImage = manifest.Evaluations,
                BackwardsPerImage = manifest.Backwards,
                Elapsed = TimeSpan.FromSeconds(manifest.Seconds),
                Options = manifest.Options ?? default,
            };
        }
        catch (Exception e) when (e is ModelFormatException or JsonException)
        {
            throw Damaged(TensorsPath, e.Message, e);
        }
    }

    private static IReplay ReadReplay(SafetensorsFile file, Tensor start, long steps, Func<Tensor, Tensor> there)
    {
        // Runs that predate replays used plain sampling, or offsets.
        bool isOld = !file.Metadata.ContainsKey("replay");
        StoredReplay stored = isOld
            ? new StoredReplay(file.Has(OffsetReplay.Kind) ? OffsetReplay.Kind : DdimReplay.Kind, new Dictionary<string, double>())
            : StoredJson.Read<StoredReplay>(Encoding.UTF8.GetBytes(Text(file, "replay")), Strict);
        Dictionary<string, string> names = isOld
            ? file.Entries.Select(e => e.Name).Where(n => n == OffsetReplay.Kind).ToDictionary(n => n)
            : file.Entries.Select(e => e.Name).Where(n => n.StartsWith(ReplayPrefix, StringComparison.Ordinal)).ToDictionary(n => n[ReplayPrefix.Length..]);
        Dictionary<string, Tensor> tensors = [];
        foreach ((string name, string stands) in names)
        {
            // One tensor per image, or one per step and image.
            Tensor tensor = Read(file, stands, start, [.. Enumerable.Repeat(-1L, file.Entry(stands).Shape.Count)]);
            if (!tensor.shape.SequenceEqual(start.shape) && !tensor.shape.SequenceEqual([steps, .. start.shape]))
                throw new ModelFormatException($"'{stands}' has the shape [{string.Join(", ", tensor.shape)}], which fits neither the images nor the steps");
            tensors[name] = there(tensor).DetachFromDisposeScope();
        }

        try
        {
            return PathCatalogue.Restore(new ReplayData(stored.Kind, stored.Numbers, tensors));
        }
        catch (ArgumentException e)
        {
            foreach (Tensor tensor in tensors.Values)
                tensor.Dispose();
            throw new ModelFormatException(e.Message, e);
        }
    }

    // Runs that predate this entry are judged by their method.
    private static bool WasPromptOptimised(SafetensorsFile file, string method) =>
        file.Metadata.ContainsKey("prompt_optimised")
            ? StoredJson.Read<bool>(Encoding.UTF8.GetBytes(Text(file, "prompt_optimised")), Strict)
            : method is "textual inversion" or "textual inversion with a pivot";

    /// <summary>Saves the state that an interrupted run needs to resume, in one file that replaces the previous one only when complete.</summary>
    /// <param name="key">Key of the run.</param>
    /// <param name="state">The state; borrowed.</param>
    public void SaveState(string key, NullTextState state)
    {
        using DisposeScope scope = NewDisposeScope();
        Dictionary<string, string> metadata = new()
        {
            ["key"] = key,
            ["optimisation"] = JsonSerializer.Serialize(state.Optimisation, Json),
            ["counts"] = JsonSerializer.Serialize(new Counts(state.Forwards, state.Backwards, state.Elapsed.Ticks), Json),
        };
        SealedTensors.Write(StatePath, [new("embeddings", stack(state.Embeddings)), new("latents", state.Latents), new("pivot", Stack(state.Pivot))], metadata);
    }

    /// <summary>Reads the state of an interrupted run back.</summary>
    /// <param name="key">Key of the run to resume.</param>
    /// <param name="device">Device for the tensors; null for the CPU.</param>
    /// <param name="saved">The state, owned by the caller.</param>
    /// <param name="note">Human-readable reason why an existing state cannot be used; null if there is none, or it is used.</param>
    /// <returns>False if there is none, it belongs to another run, or it cannot be read; the run then starts from scratch.</returns>
    public bool TryLoadState(string key, Device? device, [NotNullWhen(true)] out SavedNullTextState? saved, out string? note)
    {
        (saved, note) = (null, null);
        if (!File.Exists(StatePath))
            return false;
        try
        {
            using DisposeScope scope = NewDisposeScope();
            using SafetensorsFile file = SafetensorsFile.Open(StatePath);
            if (SealedTensors.ClaimOf(file) is not { } claim)
                throw new ModelFormatException("it has no checksum");
            if (SealedTensors.Of(file) != claim)
                throw new ModelFormatException("its checksum is wrong: bytes have changed since it was written");
            if (file.Metadata.GetValueOrDefault("key") != key)
            {
                note = $"{StatePath} is the state of another run (other image, prompt, model or options)";
                return false;
            }

            Counts counts = StoredJson.Read<Counts>(Encoding.UTF8.GetBytes(Text(file, "counts")), Strict);
            if (counts is { Forwards: < 0 } or { Backwards: < 0 } or { Ticks: < 0 })
                throw new ModelFormatException("its counts are negative");
            Tensor latents = Read(file, "latents", null, -1, -1, -1, -1);
            Tensor embeddings = Read(file, "embeddings", null, -1, latents.shape[0], -1, -1);
            Tensor pivot = Read(file, "pivot", latents, [-1, .. latents.shape]);
            long done = embeddings.shape[0];
            IReadOnlyList<IReadOnlyList<StepOptimisation>> optimisation = Optimisation(file);
            if (done >= pivot.shape[0] || optimisation.Count != latents.shape[0] || optimisation.Any(image => image.Count != done))
                throw new ModelFormatException("its parts belong to different numbers of steps or images");
            Tensor There(Tensor tensor) => tensor.to(device ?? CPU);
            saved = new SavedNullTextState(
                new NullTextState
                {
                    Embeddings = [.. There(embeddings).unbind(0).Select(e => e.DetachFromDisposeScope())],
                    Latents = There(latents).DetachFromDisposeScope(),
                    Pivot = new PivotTrajectory(There(pivot).unbind(0)),
                    Optimisation = optimisation,
                    Forwards = counts.Forwards,
                    Backwards = counts.Backwards,
                    Elapsed = TimeSpan.FromTicks(counts.Ticks),
                }
            );
            return true;
        }
        catch (Exception e) when (e is ModelFormatException or JsonException)
        {
            // A state is only a head start; without it the work starts from the beginning.
            note = $"{StatePath} is damaged ({e.Message.TrimEnd('.')})";
            return false;
        }
    }

    /// <summary>
    /// Adds an edit as edits/001, edits/002, ...; the folder appears when all its files are written. Edits that finish at the same time wait for each other
    /// here.
    /// </summary>
    /// <param name="write">Writes the files into the folder it is given.</param>
    /// <returns>Path of the new folder.</returns>
    /// <exception cref="IOException">
    /// The disk is full, the folder cannot be written, or another edit does not finish writing; the earlier edits are unchanged.
    /// </exception>
    public string AddEdit(Action<string> write)
    {
        string edits = EditsPath;
        using OutputLock held = OutputLock.OnFolder(edits, LongestWait);
        string partial = System.IO.Path.Combine(edits, WholeFile.NameFor(""));
        try
        {
            Directory.CreateDirectory(partial);
            write(partial);
            for (int number = 1; ; number++)
            {
                string target = System.IO.Path.Combine(edits, $"{number:000}");
                if (Directory.Exists(target))
                    continue;
                Directory.Move(partial, target);
                return target;
            }
        }
        finally
        {
            if (Directory.Exists(partial))
                Directory.Delete(partial, recursive: true);
        }
    }

    /// <summary>Checks that edits can be written, before they are computed.</summary>
    /// <exception cref="IOException">They cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">Write access is denied.</exception>
    public void RequireWritableEdits() => OutputLock.OnFolder(EditsPath, LongestWait).Dispose();

    /// <summary>Options in a manifest's format.</summary>
    public static JsonElement ToJson(object options) => JsonSerializer.SerializeToElement(options, options.GetType(), Json);

    /// <summary>What is stored of a replay besides its tensors.</summary>
    private sealed record StoredReplay(string Kind, IReadOnlyDictionary<string, double> Numbers);

    private static Tensor Stack(PivotTrajectory pivot) => stack([.. Enumerable.Range(0, pivot.Steps + 1).Select(level => pivot[level])]);

    private static StepEmbeddings Embeddings(Conditioning condition) =>
        condition.Tokens.dim() == 4 ? StepEmbeddings.PerStep(condition) : StepEmbeddings.Constant(condition);

    /// <summary>The tensors of a condition, by the names under which they are stored.</summary>
    private static IEnumerable<KeyValuePair<string, Tensor>> Named(string name, StepEmbeddings embeddings) =>
        embeddings.Stored.Tensors.Select(t => new KeyValuePair<string, Tensor>(
            t.Name == nameof(Conditioning.Tokens) ? name : $"{name}_{t.Name.ToLowerInvariant()}",
            t.Value
        ));

    private static IReadOnlyList<IReadOnlyList<StepOptimisation>> Optimisation(SafetensorsFile file)
    {
        List<List<StepOptimisation>> images = StoredJson.Read<List<List<StepOptimisation>>>(Encoding.UTF8.GetBytes(Text(file, "optimisation")), Strict);
        // The serializer's null checks do not cover list elements.
        return images.TrueForAll(image => image is not null && image.TrueForAll(step => step is not null))
            ? images
            : throw new ModelFormatException("its metadata 'optimisation' holds null for a step");
    }

    private static string Text(SafetensorsFile file, string name) =>
        file.Metadata.TryGetValue(name, out string? text) ? text : throw new ModelFormatException($"its metadata has no '{name}'");

    /// <summary>Reads a tensor and checks its shape, its type and that it is finite, so that a bad value is not noticed only when the work is done.</summary>
    private static Tensor Read(SafetensorsFile file, string name, Tensor? like, params ReadOnlySpan<long> shape)
    {
        SafetensorsEntry entry = file.Entry(name);
        bool fits = entry.Shape.Count == shape.Length && !entry.Shape.Contains(0);
        for (int i = 0; fits && i < shape.Length; i++)
            fits = shape[i] == -1 || entry.Shape[i] == shape[i];
        if (!fits)
            throw new ModelFormatException($"'{name}' has shape {Shape.Text([.. entry.Shape])} where {Shape.Text(shape.ToArray())} was expected");
        if (like is null ? entry.Dtype is not (ScalarType.Float32 or ScalarType.Float64) : entry.Dtype != like.dtype)
            throw new ModelFormatException($"'{name}' is {entry.Dtype} where {like?.dtype.ToString() ?? "Float32 or Float64"} was expected");
        Tensor tensor = file.Read(name);
        return tensor.isfinite().all().item<bool>() ? tensor : throw new ModelFormatException($"'{name}' holds a value that is not finite");
    }

    private static Conditioning ReadCondition(SafetensorsFile file, string name, long steps, long images, double? distilledGuidance)
    {
        Tensor tokens = file.Entry(name).Shape.Count == 4 ? Read(file, name, null, steps, images, -1, -1) : Read(file, name, null, images, -1, -1);
        string values = $"{name}_{nameof(Conditioning.ValueTokens).ToLowerInvariant()}";
        return new Conditioning(tokens, Other("pooled"), Other("extra"), distilledGuidance)
        {
            ValueTokens = file.Has(values) ? Read(file, values, tokens, tokens.shape) : null,
        };

        Tensor? Other(string part) => file.Has($"{name}_{part}") ? Read(file, $"{name}_{part}", tokens, images, -1) : null;
    }

    private static RunFolderException Damaged(string path, string why, Exception? inner = null) =>
        new($"{path} is damaged ({why.TrimEnd('.')}); invert the image again ('nulltext invert' with --restart).", inner);

    private static string? Unusable(MemoryOptions? memory)
    {
        try
        {
            memory?.Validate();
            return null;
        }
        catch (ArgumentException e)
        {
            return e.Message;
        }
    }

    private sealed record VersionOnly
    {
        public int Version { get; init; }
    }

    private readonly record struct Counts(long Forwards, long Backwards, long Ticks);
}
