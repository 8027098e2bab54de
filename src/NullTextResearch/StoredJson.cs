using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace NullTextResearch;

/// <summary>
/// Reads JSON that this library wrote earlier and that may have been damaged since: every problem is reported as a <see cref="JsonException"/>. Repeated names,
/// and null where the type does not allow it, are errors too: the serializer would accept both.
/// </summary>
internal static class StoredJson
{
    /// <summary>Options for <see cref="Read{T}"/>: the given ones, made strict.</summary>
    public static JsonSerializerOptions Strict(JsonSerializerOptions options) =>
        new(options)
        {
            AllowDuplicateProperties = false,
            RespectNullableAnnotations = true,
            RespectRequiredConstructorParameters = true,
        };

    /// <summary>Numbers unchanged, including NaN and infinities.</summary>
    public static JsonSerializerOptions Plain { get; } = new() { NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };

    /// <summary>Reads a value.</summary>
    /// <exception cref="JsonException">The text is not JSON, or does not describe such a value.</exception>
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

    /// <summary>SHA-256 in hexadecimal, stored with each value so that a flipped bit is noticed.</summary>
    public static string Checksum(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    // What the reader, the converters and the constructors of stored types throw for invalid text.
    private static bool IsOfTheText(Exception e) =>
        e is InvalidOperationException or FormatException or ArgumentException or OverflowException or NotSupportedException;
}
