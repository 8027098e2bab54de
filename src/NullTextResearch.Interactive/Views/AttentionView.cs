using System.Globalization;
using NullTextResearch.Figures;
using NullTextResearch.Images;
using NullTextResearch.Interactive.Rendering;
using NullTextResearch.Text;

namespace NullTextResearch.Interactive;

/// <summary>Cross-attention of a picture, word by word: hover over a word to see its map on the picture.</summary>
[TypeFormatterSource(typeof(RenderingFormatters), PreferredMimeTypes = [Mime.Html, Mime.Png, Mime.Text])]
public sealed class AttentionView : Visual
{
    private static readonly string[] FunctionWords = ["a", "an", "the", "in", "on", "at", "to", "next", "of", "and", "with", "by", "from", "is", "are"];

    internal AttentionView(RgbImage image, string prompt, int width, int height, IReadOnlyList<WordAttention> words)
    {
        if (words.Count == 0)
            throw new ArgumentException("There is no word to show attention for.", nameof(words));
        Image = image;
        Prompt = prompt;
        Width = width;
        Height = height;
        Words = words;
    }

    /// <summary>The picture.</summary>
    public RgbImage Image { get; }

    /// <summary>Its prompt.</summary>
    public string Prompt { get; }

    /// <summary>Columns of each map.</summary>
    public int Width { get; }

    /// <summary>Rows of each map.</summary>
    public int Height { get; }

    /// <summary>The maps, in the prompt's order.</summary>
    public IReadOnlyList<WordAttention> Words { get; }

    /// <summary>The map of a word.</summary>
    /// <param name="word">A word of the prompt; if no word matches exactly, letter case and surrounding punctuation are ignored.</param>
    /// <exception cref="ArgumentException">The prompt has no such word.</exception>
    public WordAttention this[string word] =>
        PromptWords.Find([.. Words.Select(w => w.Word)], word) is [int first, ..]
            ? Words[first]
            : throw new ArgumentException(
                $"There is no map for '{word}'; the words are: {string.Join(", ", Words.Select(w => PromptWords.NameOf(w.Word)).Distinct())}.",
                nameof(word)
            );

    /// <summary>All maps as one picture.</summary>
    public GridView Grid() =>
        new(
            ImageGrid.AttentionMaps(
                Image,
                [.. Words.Select(w => w.Word)],
                [.. Words.Select(w => w.Values)],
                Width,
                Height,
                Pictures.PerRow(1 + Words.Count)
            ) with
            {
                Title = Prompt,
            }
        );

    // The map shown first: of the words that are not function words, the most concentrated one.
    private int Clearest()
    {
        (int Index, WordAttention Item)[] all = [.. Words.Index()],
            naming = [.. all.Where(w => !FunctionWords.Contains(w.Item.Word))];
        return (naming.Length > 0 ? naming : all).MaxBy(w => w.Item.Concentration).Index;
    }

    private IEnumerable<NamedImage> Overlays() =>
        Words.Zip(HeatmapOverlay.OnOneScale(Image, [.. Words.Select(w => w.Values)], Width, Height).Overlays, (word, map) => new NamedImage(word.Word, map));

    private protected override Rendition Draw() =>
        new(
            $"cross-attention of \"{Prompt}\" ({Width} x {Height}), share in the strongest tenth of the pixels: "
                + string.Join(", ", Words.Select(w => string.Create(CultureInfo.InvariantCulture, $"{w.Word} {w.Concentration:0.00}")))
        )
        {
            Png = () => Grid().ToPng(),
            Html = id =>
                Markup.View(
                    id,
                    "attention",
                    Pictures.Head(Prompt) + Pictures.Table([new NamedImage("image", Image), .. Overlays()]),
                    "attention.js",
                    (1 + Clearest()).ToString(CultureInfo.InvariantCulture)
                ),
        };
}
