using NullTextResearch.Attention;
using NullTextResearch.Diffusion;
using NullTextResearch.Inversion;
using NullTextResearch.Metrics;
using NullTextResearch.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace NullTextResearch.Experiments;

/// <summary>Cross-attention maps per word: Figs. 12 and 15.</summary>
public static class AttentionExperiment
{
    /// <summary>Reconstructs every image and reads its maps.</summary>
    public static IReadOnlyList<AttentionRecord> Run(ExperimentLab lab) =>
        lab.PerImage<AttentionRecord>(
            "attention",
            _ => new { lab.Settings.EditGuidanceScale, N = lab.Settings.InnerSteps[^1] },
            batch =>
            {
                InversionResult nullText = EditExperiments.NullText(lab, batch);
                InversionResult textual = lab.Inversion(
                    batch,
                    new TextualInversionWithPivot(NullTextOptions.Default with { InnerSteps = lab.Settings.InnerSteps[^1] }),
                    lab.Settings.EditGuidanceScale
                );
                (int height, int width, IReadOnlyList<WordMap>[] ours) = Maps(lab, batch, nullText);
                (_, _, IReadOnlyList<WordMap>[] theirs) = Maps(lab, batch, textual);
                return [.. ours.Select((maps, i) => new AttentionRecord(height, width, maps, theirs[i]))];
            }
        );

    private static (int Height, int Width, IReadOnlyList<WordMap>[] Maps) Maps(ExperimentLab lab, ExperimentLab.Batch batch, InversionResult inversion)
    {
        using DisposeScope scope = NewDisposeScope();
        using AttentionStore store = new();
        Sampler.Run(lab.Predictor(new StoringAttention(store)), lab.Grid, inversion.Plan, null, lab.Cancellation);
        int height = 0,
            width = 0;
        IReadOnlyList<WordMap>[] maps =
        [
            .. batch.Images.Select(
                (image, row) =>
                {
                    TokenizedPrompt prompt = lab.Model.Tokenizer.Tokenize(image.Caption).EnsureFits();
                    return (IReadOnlyList<WordMap>)
                        [
                            .. prompt.Words.Select(
                                (word, w) =>
                                {
                                    using DisposeScope inner = NewDisposeScope();
                                    Tensor map = store.AverageMap(prompt.PositionsOfWordAt(w), null, row);
                                    (height, width) = ((int)map.shape[0], (int)map.shape[1]);
                                    float[] values = map.to(ScalarType.Float32).cpu().contiguous().data<float>().ToArray();
                                    return new WordMap(word, values, MapStatistics.Concentration(values));
                                }
                            ),
                        ];
                }
            ),
        ];
        return (height, width, maps);
    }
}
