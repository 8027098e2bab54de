using System.Text.Json.Nodes;

namespace NullTextResearch.Hosting;

/// <summary>One value in several representations; a front end shows the richest one that it supports.</summary>
public sealed class MimeBundle
{
    private readonly Dictionary<string, object> _data = new(StringComparer.Ordinal);

    /// <summary>Creates a bundle with its plain text, which is required because consoles and screen readers show nothing else.</summary>
    /// <param name="plainText">The value of <c>text/plain</c>.</param>
    public MimeBundle(string plainText)
    {
        ArgumentNullException.ThrowIfNull(plainText);
        _data["text/plain"] = plainText;
    }

    /// <summary>Mime type to value: a <see cref="string"/>, a <see cref="T:byte[]"/> (sent as base64) or a <see cref="JsonNode"/>.</summary>
    public IReadOnlyDictionary<string, object> Data => _data;

    /// <summary>Mime type to settings of that representation, such as an image's width in pixels.</summary>
    public Dictionary<string, JsonObject> Metadata { get; } = new(StringComparer.Ordinal);

    /// <summary>Adds text, such as HTML, Markdown or SVG.</summary>
    /// <returns>This bundle.</returns>
    public MimeBundle With(string mimeType, string text) => Set(mimeType, text);

    /// <summary>Adds bytes, such as PNG or JPEG.</summary>
    /// <returns>This bundle.</returns>
    public MimeBundle With(string mimeType, byte[] bytes) => Set(mimeType, bytes);

    /// <summary>Adds JSON, such as <c>application/vnd.plotly.v1+json</c>.</summary>
    /// <returns>This bundle.</returns>
    public MimeBundle With(string mimeType, JsonNode json) => Set(mimeType, json);

    private MimeBundle Set(string mimeType, object value)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(mimeType);
        ArgumentNullException.ThrowIfNull(value);
        _data[mimeType] = value;
        return this;
    }
}
