using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace NullTextResearch.TestKit;

/// <summary>A damaged file.</summary>
/// <param name="Bytes">Its content.</param>
/// <param name="What">What was done to it, for the message of a failure.</param>
public sealed record Mutant(byte[] Bytes, string What);

/// <summary>
/// Damages files, the same way for the same seed: flipped bytes, cuts and splices, and what hurts a reader of JSON although it is well-formed.
/// </summary>
/// <param name="seed">Each seed makes one course of damage.</param>
public sealed class FileMutator(int seed)
{
    // Well-formed by the grammar unless said otherwise; each has hurt some reader.
    private static readonly string[] Values =
    [
        "null",
        "true",
        "false",
        "0",
        "-0",
        "-1",
        "1",
        "2",
        "1.5",
        "0.1",
        "1e0",
        "1e5",
        "1E400",
        "-1e400",
        "1e-400",
        "255",
        "65536",
        "1048576",
        "2147483647",
        "2147483648",
        "-2147483649",
        "4294967296",
        "4611686018427387904",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551616",
        "123456789012345678901234567890",
        "\"\"",
        "\"0\"",
        "\"NaN\"",
        "\"x\"",
        "\"\\u0000\"",
        "\"\\ud800\"",
        "\"\\udc00\\ud800\"",
        "\"\\u001b]0;t\\u0007\"",
        "\"../x\"",
        "\"/dev/zero\"",
        "\"\\ufeff\"",
        "[]",
        "[null]",
        "[1.5]",
        "[2147483648]",
        "[-1]",
        "[\"a\",\"a\"]",
        "[[],[]]",
        "{}",
        "{\"\":0}",
        "{\"a\":1,\"a\":2}",
        "{\"\\ud800\":1}",
        "NaN",
        "Infinity",
        "01",
        "+1",
        "'x'",
        "[1,]",
        "/* */1",
        "tru",
    ];

    private static readonly string[] Keys =
    [
        "\"\"",
        "\"\\ud800\"",
        "\"\\u0000\"",
        "\"__metadata__\"",
        "\"__proto__\"",
        "\"\\u001b[2J\"",
        "\"a.b\"",
        "\"x\"",
        "\"../../x\"",
    ];

    private readonly Random _random = new(seed);

    /// <summary>One to three kinds of damage to bytes of which nothing is known.</summary>
    /// <param name="file">The sound content.</param>
    public Mutant Bytes(ReadOnlySpan<byte> file)
    {
        List<byte> bytes = [.. file];
        List<string> what = [];
        for (int times = 1 + _random.Next(3); times > 0; times--)
            what.Add(DamageBytes(bytes));
        return new Mutant([.. bytes], string.Join(", then ", what));
    }

    /// <summary>One to three kinds of damage to JSON; the result is mostly well-formed.</summary>
    /// <param name="json">The sound content, UTF-8.</param>
    public Mutant Json(ReadOnlySpan<byte> json)
    {
        byte[] bytes = json.ToArray();
        List<string> what = [];
        for (int times = 1 + _random.Next(3); times > 0; times--)
        {
            List<Place> places = Places(bytes);
            if (places.Count == 0 || _random.Next(8) == 0)
            {
                Mutant damaged = Bytes(bytes);
                bytes = damaged.Bytes;
                what.Add(damaged.What);
                continue;
            }
            (bytes, string done) = DamageJson(bytes, places);
            what.Add(done);
        }
        return new Mutant(bytes, string.Join(", then ", what));
    }

    /// <summary>Damage to a text of lines: lost, doubled, swapped and joined lines, or damage to its bytes.</summary>
    /// <param name="text">The sound content, UTF-8.</param>
    public Mutant Lines(ReadOnlySpan<byte> text)
    {
        if (_random.Next(3) == 0)
            return Bytes(text);
        List<string> lines = [.. Encoding.UTF8.GetString(text).Split('\n')];
        int at = _random.Next(lines.Count),
            other = _random.Next(lines.Count);
        string what = $"line {at + 1}: ";
        switch (_random.Next(6))
        {
            case 0:
                lines.RemoveAt(at);
                what += "lost";
                break;
            case 1:
                lines.Insert(other, lines[at]);
                what += $"doubled before line {other + 1}";
                break;
            case 2:
                (lines[at], lines[other]) = (lines[other], lines[at]);
                what += $"swapped with line {other + 1}";
                break;
            case 3:
                lines[at] += "\r";
                what += "carriage return";
                break;
            case 4:
                lines[at] = Pick(
                    (string[])
                        [
                            "",
                            " ",
                            "\t",
                            "a",
                            "\0",
                            "\uFFFD",
                            "#version: 0.2",
                            new string('x', 100_000),
                            lines[at] + " " + lines[other],
                            lines[at].ToUpperInvariant(),
                        ]
                );
                what += "other text";
                break;
            default:
                lines.RemoveRange(at, Math.Min(lines.Count - at, 1 + _random.Next(lines.Count)));
                what += "rest lost";
                break;
        }
        return new Mutant(Encoding.UTF8.GetBytes(string.Join('\n', lines)), what);
    }

    /// <summary>Damage to a safetensors file: mostly to the header's JSON with its length kept right, otherwise to any byte.</summary>
    /// <param name="file">The sound content.</param>
    public Mutant Safetensors(ReadOnlySpan<byte> file)
    {
        int kind = _random.Next(8);
        if (kind == 0)
            return Bytes(file);
        int length = (int)BinaryPrimitives.ReadInt64LittleEndian(file);
        Mutant header = Json(file.Slice(8, length));
        byte[] bytes = new byte[8 + header.Bytes.Length + file.Length - 8 - length];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, header.Bytes.Length + (kind == 1 ? _random.Next(-9, 10) : 0));
        header.Bytes.CopyTo(bytes, 8);
        file[(8 + length)..].CopyTo(bytes.AsSpan(8 + header.Bytes.Length));
        return header with { Bytes = bytes };
    }

    private string DamageBytes(List<byte> bytes)
    {
        if (bytes.Count == 0)
        {
            bytes.Add((byte)_random.Next(256));
            return "a byte in an empty file";
        }
        int at = _random.Next(bytes.Count),
            length = Math.Min(bytes.Count - at, 1 << _random.Next(8)),
            to = _random.Next(bytes.Count);
        switch (_random.Next(7))
        {
            case 0:
                bytes[at] ^= (byte)(1 << _random.Next(8));
                return $"a bit of byte {at} flipped";
            case 1:
                bytes[at] = Pick((byte[])[0, 1, 0x7F, 0x80, 0xC0, 0xED, 0xFE, 0xFF, (byte)'"', (byte)'{', (byte)'\n']);
                return $"byte {at} is {bytes[at]}";
            case 2:
                bytes.RemoveRange(at, bytes.Count - at);
                return $"cut at {at}";
            case 3:
                bytes.RemoveRange(at, length);
                return $"{length} bytes lost at {at}";
            case 4:
                bytes.InsertRange(to, bytes.GetRange(at, length));
                return $"{length} bytes of {at} again at {to}";
            case 5:
                for (int i = 0; i < length; i++)
                    bytes[at + i] = (byte)_random.Next(256);
                return $"{length} random bytes at {at}";
            default:
                bytes.AddRange(Enumerable.Repeat(bytes[at], length));
                return $"{length} bytes behind the end";
        }
    }

    private (byte[] Bytes, string What) DamageJson(byte[] json, List<Place> places)
    {
        Place place = Pick(places),
            other = Pick(places);
        string at = $"at byte {place.Value.Start}";
        switch (_random.Next(12))
        {
            case 0 when place.Key is { } key:
                return (Insert(json, key.Start, [.. json.AsSpan(key.Start, place.Value.End - key.Start), (byte)',']), $"member {at} twice");
            case 1 when place.Key is { } key:
                // The same member again with another value: readers differ on which one counts.
                return (
                    Insert(json, key.Start, [.. json.AsSpan(key.Start, place.Value.Start - key.Start), .. Encoding.UTF8.GetBytes(Pick(Values)), (byte)',']),
                    $"member {at} twice, with two values"
                );
            case 2 when place.Key is { } key:
                int end = place.Value.End;
                while (end < json.Length && json[end] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t')
                    end++;
                if (end < json.Length && json[end] == (byte)',')
                    end++;
                return (Replace(json, new Span(key.Start, end), ""u8), $"member {at} lost");
            case 3 when place.Key is { } key:
                return (Replace(json, key, Encoding.UTF8.GetBytes(Pick(Keys))), $"member {at} renamed");
            case 4 when place.Key is { } key && other.Key is { } name:
                return (Replace(json, key, json.AsSpan(name.Start, name.End - name.Start)), $"member {at} has the name of that at byte {name.Start}");
            case 5:
                return (
                    Replace(json, place.Value, json.AsSpan(other.Value.Start, other.Value.End - other.Value.Start)),
                    $"value {at} is that at byte {other.Value.Start}"
                );
            case 6:
                int depth = Pick((int[])[3, 63, 64, 65, 300, 5000]);
                return (
                    Replace(json, place.Value, Encoding.UTF8.GetBytes(new string('[', depth) + "1" + new string(']', depth))),
                    $"value {at} is nested {depth} deep"
                );
            case 7:
                string text = Pick(
                    (string[])
                        [
                            "\"" + new string('x', 20_000) + "\"",
                            "[" + string.Join(',', Enumerable.Repeat("1", 5000)) + "]",
                            new string('9', 2000),
                            "{" + string.Join(',', Enumerable.Range(0, 1000).Select(i => $"\"k{i}\":{i}")) + "}",
                        ]
                );
                return (Replace(json, place.Value, Encoding.UTF8.GetBytes(text)), $"value {at} is large");
            case 8:
                return (Replace(json, place.Value, [(byte)'"', Pick((byte[])[0xFF, 0xC0, 0xED, 0x80]), (byte)'"']), $"value {at} is no UTF-8");
            case 9 when json[place.Value.Start] is (byte)'-' or (>= (byte)'0' and <= (byte)'9'):
                return (
                    Insert(
                        json,
                        _random.Next(place.Value.Start, place.Value.End + 1),
                        Encoding.UTF8.GetBytes(_random.Next(10).ToString(CultureInfo.InvariantCulture))
                    ),
                    $"one digit more {at}"
                );
            default:
                string value = Pick(Values);
                return (Replace(json, place.Value, Encoding.UTF8.GetBytes(value)), $"value {at} is {value}");
        }
    }

    private T Pick<T>(IReadOnlyList<T> list) => list[_random.Next(list.Count)];

    private static byte[] Insert(byte[] bytes, int at, ReadOnlySpan<byte> what) => Replace(bytes, new Span(at, at), what);

    private static byte[] Replace(byte[] bytes, Span where, ReadOnlySpan<byte> what) => [.. bytes.AsSpan(0, where.Start), .. what, .. bytes.AsSpan(where.End)];

    // Every value with the name it has; nothing where the text is no JSON.
    private static List<Place> Places(byte[] json)
    {
        List<Place> places = [];
        Stack<int> open = [];
        Span? key = null;
        try
        {
            Utf8JsonReader reader = new(json, new JsonReaderOptions { MaxDepth = 10_000 });
            while (reader.Read())
            {
                int start = (int)reader.TokenStartIndex,
                    end = (int)reader.BytesConsumed;
                switch (reader.TokenType)
                {
                    case JsonTokenType.PropertyName:
                        // What was consumed includes the colon.
                        key = new Span(start, start + reader.ValueSpan.Length + 2);
                        continue;
                    case JsonTokenType.EndObject or JsonTokenType.EndArray:
                        int at = open.Pop();
                        places[at] = places[at] with { Value = new Span(places[at].Value.Start, end) };
                        continue;
                    case JsonTokenType.StartObject or JsonTokenType.StartArray:
                        open.Push(places.Count);
                        break;
                }
                places.Add(new Place(key, new Span(start, end)));
                key = null;
            }
            return places;
        }
        catch (JsonException)
        {
            return [];
        }
    }

    private readonly record struct Span(int Start, int End);

    private readonly record struct Place(Span? Key, Span Value);
}
