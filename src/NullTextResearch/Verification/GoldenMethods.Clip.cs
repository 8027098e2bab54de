using System.Text.Json;
using NullTextResearch.Perception;
using NullTextResearch.Tensors;
using NullTextResearch.Text;
using NullTextResearch.Weights;
using static TorchSharp.torch;

namespace NullTextResearch.Verification;

internal sealed partial class GoldenMethods
{
    private void Clip()
    {
        JsonElement golden = _file.Entry.GetProperty("clip_config");
        ConfigReader json = new(golden, $"{_file.Name}: clip_config");
        ClipConfig config = new()
        {
            Text = ClipTextConfig.Read(json.Part("text")),
            Vision = ClipVisionConfig.Read(json.Part("vision")),
            ProjectionSize = json.Int("projection_dim"),
        };
        using ClipModel model = new(config);
        new FormulaWeights(_file.Folder.Formula.Prefix + "clip.").Fill(model.Weights, _dtype);
        using IDisposable grad = no_grad();
        Tensor pixels = cat([ClipSimilarity.Pixels(Picture("a_u8"), CPU, _dtype), ClipSimilarity.Pixels(Picture("b_u8"), CPU, _dtype)], 0),
            ids = Stored("input_ids").to(ScalarType.Int64);
        Tensor hidden = model.VisionHidden(pixels),
            pictures = model.ImageFeatures(pixels),
            texts = model.TextFeatures(ids);
        _file.Report("vision_hidden", hidden);
        _file.Report("vision_pooled", model.PooledVision(hidden));
        _file.Report("text_pooled", model.PooledText(ids));
        _file.Report("image_features", pictures);
        _file.Report("text_features", texts);
        Tensor seen = ClipSimilarity.Normalised(pictures),
            said = ClipSimilarity.Normalised(texts);
        _file.Report("image_embeds", seen);
        _file.Report("text_embeds", said);
        Tensor cosines = ClipSimilarity.Cosine(seen.unsqueeze(1), said.unsqueeze(0));
        _file.Report("clip_score", cosines.Times(100));
        _file.Report("logits_per_image", cosines.Times(model.LogitScale));
        _file.Report("image_similarity", ClipSimilarity.Cosine(seen.select(0, 0), seen.select(0, 1)).reshape(1));
        Tensor change = ClipSimilarity.Direction(seen.select(0, 0), seen.select(0, 1), said.select(0, 0), said.select(0, 1));
        _file.Report("directional", change.reshape(1));
    }
}
