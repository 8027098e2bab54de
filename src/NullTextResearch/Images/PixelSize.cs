using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace NullTextResearch.Images;

/// <summary>Width and height of an image, in pixels.</summary>
/// <param name="Width">Columns.</param>
/// <param name="Height">Rows.</param>
[JsonConverter(typeof(JsonText))]
public readonly record struct PixelSize(int Width, int Height)
{
    /// <summary>Columns times rows.</summary>
    public long Area => (long)Width * Height;

    /// <summary>A square.</summary>
    /// <param name="side">Pixels per side.</param>
    public static implicit operator PixelSize(int side) => new(side, side);

    /// <summary>The size of an image.</summary>
    public static PixelSize Of(RgbImage image) => new(image.Width, image.Height);

    /// <summary>Parses <c>512</c> (a square) or <c>640x448</c> (width, height).</summary>
    /// <param name="text">The text; spaces around the numbers are allowed.</param>
    /// <param name="size">The parsed size; both numbers are positive.</param>
    /// <returns>False if the text is not a size.</returns>
    public static bool TryParse(string? text, out PixelSize size)
    {
        string[] parts = (text ?? "").Split('x', 'X', '×');
        size = default;
        if (parts.Length > 2 || !Read(parts[0], out int width) || !Read(parts[^1], out int height))
            return false;
        size = new PixelSize(width, height);
        return true;

        static bool Read(string part, out int value) => int.TryParse(part.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out value) && value > 0;
    }

    /// <summary>Formats the size as in <c>640 x 448</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Width} x {Height}");

    /// <summary><c>"640x448"</c>, or a number for a square, as in files from before sizes had two sides.</summary>
    private sealed class JsonText : JsonConverter<PixelSize>
    {
        public override PixelSize Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            if (reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out int side) && side > 0)
                return side;
            if (reader.TokenType == JsonTokenType.String && TryParse(reader.GetString(), out PixelSize size))
                return size;
            throw new JsonException("an image size is \"WIDTHxHEIGHT\" or a number of pixels per side");
        }

        public override void Write(Utf8JsonWriter writer, PixelSize value, JsonSerializerOptions options) =>
            writer.WriteStringValue(string.Create(CultureInfo.InvariantCulture, $"{value.Width}x{value.Height}"));
    }
}
