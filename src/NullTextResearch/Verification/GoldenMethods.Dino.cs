using System.Globalization;
using NullTextResearch.Perception;
using NullTextResearch.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Verification;

internal sealed partial class GoldenMethods
{
    private const string Distance = ".structure_distance";
    private const string Resized = "resize";

    private void Dino()
    {
        ConfigReader json = new(_file.Entry.GetProperty("dino_config"), $"{_file.Name}: dino_config");
        DinoConfig config = new()
        {
            ImageSize = json.Ints("img_size")[0],
            PatchSize = json.Int("patch_size"),
            Width = json.Int("embed_dim"),
            Depth = json.Int("depth"),
            Heads = json.Int("num_heads"),
            MlpRatio = json.Number("mlp_ratio"),
            QkvBias = json.Flag("qkv_bias"),
        };
        using DinoModel model = new(config);
        new FormulaWeights(_file.Folder.Formula.Prefix + "dino.").Fill(model.Weights, _dtype);
        using IDisposable grad = no_grad();
        foreach (string prefix in _file.Tensors.Where(t => t.EndsWith(Distance, StringComparison.Ordinal)).Select(t => t[..^Distance.Length]).ToArray())
        {
            using DisposeScope scope = NewDisposeScope();
            Tensor[] similarities = [.. ((string[])["a", "b"]).Select(picture => Similarity($"{prefix}.{picture}"))];
            _file.Report(prefix + Distance, DinoStructure.Distance(similarities[0], similarities[1]).reshape(1));
        }
        foreach (string name in _file.Tensors.Where(t => t.StartsWith(Resized, StringComparison.Ordinal)))
        {
            string[] parts = name[Resized.Length..].Split('_');
            int side = int.Parse(parts[0], CultureInfo.InvariantCulture);
            string picture = _file.Tensors.First(t => t.EndsWith(".a_u8", StringComparison.Ordinal));
            _file.Report(name, LinearResize.Of(PixelScale.Values(Picture(picture), 1, CPU, _dtype), side, side, parts.Length > 1).squeeze(0));
        }

        Tensor Similarity(string name)
        {
            Tensor pixels = DinoStructure.Pixels(Picture(name + "_u8"), CPU, _dtype);
            _file.Report(name + ".cls", model.ClassToken(pixels));
            Tensor keys = model.Keys(pixels);
            _file.Report(name + ".keys", keys.squeeze(0));
            // The stored positions of wide pictures are those of tall ones: they were requested with height and width swapped.
            _file.Report(name.Split('.')[0] + ".position", model.Positions(pixels.shape[3], pixels.shape[2]));
            Tensor similarity = DinoStructure.SelfSimilarity(keys);
            _file.Report(name + ".self_similarity", similarity);
            return similarity;
        }
    }
}
