using System.Globalization;
using System.IO.Enumeration;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Verification;

/// <summary>
/// Recomputes the numbers of a reference folder with this library and compares them: networks, schedule, attention, inversion and editing. The
/// folder's formula generates the weights, so no checkpoint is needed; settings and limits come from the folder.
/// </summary>
public static class GoldenVerifier
{
    private const string ManifestName = "manifest.json";

    /// <summary>Verifies a folder.</summary>
    /// <param name="folder">Folder with manifest.json, checks.json and the safetensors files that they describe.</param>
    /// <param name="options">Which part to verify; null for all.</param>
    /// <param name="progress">Receives each result as it is obtained; null: no progress is reported.</param>
    /// <param name="cancellation">Checked between tensors and steps.</param>
    /// <returns>One result per tensor, and per other stored fact, of the selected part.</returns>
    /// <exception cref="Weights.ModelFormatException">The folder has no readable manifest or checks.</exception>
    /// <exception cref="ArgumentException">The options select no file of the folder.</exception>
    public static IReadOnlyList<VerificationResult> Run(
        string folder,
        VerificationOptions? options = null,
        Action<VerificationResult>? progress = null,
        CancellationToken cancellation = default
    )
    {
        options ??= new VerificationOptions();
        List<VerificationResult> results = [];
        using DisposeScope outer = NewDisposeScope();
        using GoldenFolder golden = new(folder, options.Model);
        string[] names = [.. golden.Manifest.GetProperty("files").EnumerateObject().Select(f => f.Name)];
        if (!names.Append(ManifestName).Append(GoldenRules.Name).Any(Chosen))
            throw new ArgumentException(
                $"'{options.Files}' matches no file that {folder} describes: {string.Join(", ", names)}, {ManifestName}, {GoldenRules.Name}. Name "
                    + "one, or use * and ?.",
                nameof(options)
            );
        if (Chosen(ManifestName))
            Formula(golden, options, Emit);
        if (Chosen(GoldenRules.Name))
            GoldenRules.Run(name => options.Only is not { } only || name.Contains(only, StringComparison.Ordinal), Emit);
        foreach (string name in names.Where(Chosen))
        {
            cancellation.ThrowIfCancellationRequested();
            if (!golden.Has(name))
            {
                // A file may be missing if none of its tensors is wanted.
                if (
                    options.Only is { } only
                    && !golden.Entry(name).GetProperty("tensors").EnumerateObject().Any(t => t.Name.Contains(only, StringComparison.Ordinal))
                )
                    continue;
                Emit(
                    options.AllowMissing
                        ? new VerificationResult(name, "*", VerificationStatus.Skip, [], "the folder does not contain this file")
                        : new VerificationResult(
                            name,
                            "*",
                            VerificationStatus.Fail,
                            [],
                            "manifest.json describes this file, but the folder lacks it; add it, select others with --files, or pass --allow-missing"
                        )
                );
                continue;
            }
            using DisposeScope scope = NewDisposeScope();
            GoldenFile file = new(golden, name, options, Emit, cancellation);
            string? problem = null;
            try
            {
                Recompute(file);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                // An error is a finding about this file; the other files are still verified.
                problem = $"{e.GetType().Name}: {e.Message}";
            }
            file.Finish(problem);
        }
        return results;

        bool Chosen(string name) =>
            FileSystemName.MatchesSimpleExpression(options.Files, name)
            || FileSystemName.MatchesSimpleExpression(options.Files, Path.GetFileNameWithoutExtension(name));

        void Emit(VerificationResult result)
        {
            results.Add(result);
            progress?.Invoke(result);
        }
    }

    /// <summary>A file's kind is determined by its entry in the manifest, not by its name.</summary>
    private static void Recompute(GoldenFile file)
    {
        bool Has(string member) => file.Entry.TryGetProperty(member, out _);
        if (GoldenMethods.TryRecompute(file))
            return;
        if (file.Tensors.Contains("alphas_cumprod"))
            GoldenSchedule.Recompute(file);
        else if (Has("inputs"))
            GoldenNetworks.Outputs(file);
        else if (Has("call_order"))
            GoldenNetworks.AttentionMaps(file);
        else if (Has("block_gradients"))
            GoldenBlocks.Gradients(file);
        else if (Has("during"))
            GoldenNetworks.Modules(file);
        else if (Has("start_file"))
            GoldenAlgorithms.EarlyStop(file);
        else if (Has("p2p_cases"))
            GoldenAlgorithms.Recompute(file);
        else if (file.Tensors.Any(t => t.EndsWith("refine_mapper", StringComparison.Ordinal)))
            GoldenEditing.Mappers(file);
        else if (file.Tensors.Any(t => t.EndsWith("mask_words", StringComparison.Ordinal)))
            GoldenEditing.LocalBlends(file);
        else
            throw new NotSupportedException("the manifest entry matches no kind of file that this program knows");
    }

    /// <summary>Checksums of the weight formula itself: if these fail, all later results are meaningless.</summary>
    private static void Formula(GoldenFolder golden, VerificationOptions options, Action<VerificationResult> emit)
    {
        if (golden.Manifest.TryGetProperty("hash_check", out JsonElement hashes))
        {
            foreach (JsonProperty hash in hashes.EnumerateObject())
            {
                string[] quoted = hash.Name.Split('\'');
                if (quoted.Length < 3)
                {
                    Emit($"hash_check/{hash.Name}", null, "has no name between quotes");
                    continue;
                }
                // The manifest does not say whether the name inside the quotes already carries the prefix.
                bool holds = Fits(hash, quoted[1]) || Fits(hash, golden.Formula.Prefix + quoted[1]);
                Emit($"hash_check/{hash.Name}", holds, holds ? "equal" : $"stored {hash.Value.GetRawText()}");
            }
        }
        foreach (JsonProperty set in golden.Manifest.EnumerateObject().Where(m => m.Name.StartsWith("weights_check", StringComparison.Ordinal)))
        {
            foreach (JsonProperty network in set.Value.EnumerateObject())
            {
                foreach (JsonProperty weight in network.Value.EnumerateObject())
                {
                    string name = $"{set.Name}/{network.Name}/{weight.Name}";
                    if (!Selected(name))
                        continue;
                    using Tensor own = golden.Formula.Weight(weight.Name, [.. weight.Value.GetProperty("shape").EnumerateArray().Select(n => n.GetInt64())]);
                    bool holds = Convert.ToHexStringLower(SHA256.HashData(own.bytes)) == weight.Value.GetProperty("sha256_f32_le").GetString();
                    string first = string.Join(
                        ", ",
                        MemoryMarshal
                            .Cast<byte, float>(own.bytes)[..(int)Math.Min(4, own.numel())]
                            .ToArray()
                            .Select(v => v.ToString("r", CultureInfo.InvariantCulture))
                    );
                    Emit(
                        name,
                        holds,
                        holds ? "sha256 equal" : $"sha256 differs; computed values begin {first}, stored ones {weight.Value.GetProperty("first4").GetRawText()}"
                    );
                }
            }
        }

        bool Selected(string name) => options.Only is not { } only || name.Contains(only, StringComparison.Ordinal);

        void Emit(string name, bool? holds, string detail)
        {
            if (!Selected(name))
                return;
            VerificationStatus status = holds switch
            {
                null => VerificationStatus.Skip,
                true => VerificationStatus.Pass,
                false => VerificationStatus.Fail,
            };
            emit(new VerificationResult(ManifestName, name, status, [], detail));
        }

        static bool Fits(JsonProperty stored, string name)
        {
            ulong hash = FormulaWeights.Hash(name);
            if (stored.Value.ValueKind == JsonValueKind.String)
                return stored.Value.GetString() == $"0x{hash:x16}";
            return stored.Value.EnumerateArray().Select((value, i) => value.GetDouble() == FormulaWeights.Uniform(hash, i)).All(equal => equal);
        }
    }
}
