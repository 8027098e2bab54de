using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace NullTextResearch;

/// <summary>
/// Reads JSON that this library wrote earlier and that may have been damaged since: whatever is wrong with it is a
/// <see cref="JsonException"/>. Repeated names, and null where the type has none, are wrong too: the serializer would pass over both.
/// </summary>
internal static class StoredJson
{
    /// <summary>Options for <see cref="Read{T}"/>: those given, and strict.</summary>
    public static JsonSerializerOptions Strict(JsonSerializerOptions options) =>
        new(options)
        {
            AllowDuplicateProperties = false,
            RespectNullableAnnotations = true,
            RespectRequiredConstructorParameters = true,
        };

    /// <summary>Numbers as they are, also those that JSON has no digits for.</summary>
    public static JsonSerializerOptions Plain { get; } = new() { NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };

    /// <summary>Reads a value.</summary>
    /// <exception cref="JsonException">The text is no JSON, or not that of such a value.</exception>
    public static T Read<T>(ReadOnlySpan<byte> utf8, JsonSerializerOptions strict)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(utf8, strict) ?? throw new JsonException("it is null");
        }
        catch (Exception e) when (IsOfTheText(e))
        {
            throw new JsonException(e.Message, e);
        }
    }

    /// <summary>SHA-256 in hexadecimal: what stored values carry, so that a flipped bit is noticed.</summary>
    public static string Checksum(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    // What the reader, the converters and the constructors of stored types throw at text that is not theirs.
    private static bool IsOfTheText(Exception e) =>
        e is InvalidOperationException or FormatException or ArgumentException or OverflowException or NotSupportedException;
}
