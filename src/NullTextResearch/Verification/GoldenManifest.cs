using System.Text.Json;
using NullTextResearch.Weights;

namespace NullTextResearch.Verification;

/// <summary>
/// Reads manifest.json and checks.json of a reference folder. Everything that is used before a file's own numbers is validated here. A damaged
/// manifest is therefore rejected with the place of the error, and later errors are findings about one file.
/// </summary>
internal static class GoldenManifest
{
    /// <summary>More elements than any layer of this model family has.</summary>
    private const long MostNumbers = 1L << 28;

    // A hundred times the size of the largest manifest here.
    private const int MostBytes = 1 << 25;

    /// <summary>Reads one of the two files.</summary>
    /// <exception cref="ModelFormatException">It is missing, not a regular file, or not a JSON object.</exception>
    public static JsonElement Read(string path)
    {
        try
        {
            JsonElement root = StrictJson.ReadFile(path, MostBytes);
            return root.ValueKind == JsonValueKind.Object ? root : throw new ModelFormatException($"{path}: expected an object, found {root.ValueKind}.");
        }
        catch (UnreadableFileException) when (RegularFile.ProblemOf(path) == "is missing")
        {
            throw new ModelFormatException($"Missing file: {path}. A reference folder contains manifest.json, checks.json and the files they name.");
        }
        catch (UnreadableFileException e)
        {
            throw ModelFormatException.Of(e);
        }
        catch (JsonException e)
        {
            throw new ModelFormatException($"{path}: not valid JSON ({e.Message.TrimEnd('.')}).", e);
        }
    }

    /// <summary>Validates what a manifest says about its files and weights.</summary>
    /// <exception cref="ModelFormatException">A member is missing or has the wrong type.</exception>
    public static void Check(JsonElement manifest, string path)
    {
        foreach (JsonProperty file in Members(Member(manifest, "files", ""), "files"))
            Members(Member(file.Value, "tensors", $"files/{file.Name}"), $"files/{file.Name}/tensors");
        if (manifest.TryGetProperty("name_prefix", out JsonElement prefix))
            Require(prefix, JsonValueKind.String, "name_prefix");
        if (manifest.TryGetProperty("hash_check", out JsonElement hashes))
        {
            foreach (JsonProperty hash in Members(hashes, "hash_check"))
            {
                if (hash.Value.ValueKind == JsonValueKind.String)
                    continue;
                foreach (JsonElement number in Items(hash.Value, $"hash_check/{hash.Name}"))
                    Require(number, JsonValueKind.Number, $"hash_check/{hash.Name}");
            }
        }

        foreach (JsonProperty set in manifest.EnumerateObject().Where(m => m.Name.StartsWith("weights_check", StringComparison.Ordinal)))
        {
            foreach (JsonProperty network in Members(set.Value, set.Name))
            {
                foreach (JsonProperty weight in Members(network.Value, $"{set.Name}/{network.Name}"))
                {
                    string place = $"{set.Name}/{network.Name}/{weight.Name}";
                    Members(weight.Value, place);
                    Require(Member(weight.Value, "sha256_f32_le", place), JsonValueKind.String, $"{place}/sha256_f32_le");
                    Member(weight.Value, "first4", place);
                    Int128 numbers = 1;
                    foreach (JsonElement length in Items(Member(weight.Value, "shape", place), $"{place}/shape"))
                    {
                        if (length.ValueKind != JsonValueKind.Number || !length.TryGetInt64(out long n) || n < 1 || (numbers *= n) > MostNumbers)
                            throw Wrong($"{place}/shape", "the shape of a layer", weight.Value.GetProperty("shape"));
                    }

                    if (weight.Value.GetProperty("shape").GetArrayLength() == 0)
                        throw Wrong($"{place}/shape", "the shape of a layer", weight.Value.GetProperty("shape"));
                }
            }
        }

        JsonElement Member(JsonElement of, string name, string place)
        {
            Require(of, JsonValueKind.Object, place);
            return of.TryGetProperty(name, out JsonElement member)
                ? member
                : throw new ModelFormatException($"{path}: {(place.Length == 0 ? name : $"{place}/{name}")} is missing.");
        }

        JsonElement.ObjectEnumerator Members(JsonElement of, string place)
        {
            Require(of, JsonValueKind.Object, place);
            return of.EnumerateObject();
        }

        JsonElement.ArrayEnumerator Items(JsonElement of, string place)
        {
            Require(of, JsonValueKind.Array, place);
            return of.EnumerateArray();
        }

        void Require(JsonElement value, JsonValueKind kind, string place)
        {
            if (value.ValueKind != kind)
                throw Wrong(place, $"{kind}", value);
        }

        ModelFormatException Wrong(string place, string expected, JsonElement got)
        {
            string text = got.GetRawText();
            return new ModelFormatException($"{path}: {place} should be {expected}, found {(text.Length > 60 ? text[..60] + "…" : text)}.");
        }
    }
}
