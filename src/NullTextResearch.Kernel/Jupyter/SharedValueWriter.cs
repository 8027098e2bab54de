using System.Collections;
using System.Globalization;
using System.Numerics;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using NullTextResearch.Hosting;
using NullTextResearch.Kernel.Engine;

namespace NullTextResearch.Kernel.Jupyter;

/// <summary>
/// Turns a .NET value into JSON for the Python side. Values that JSON supports stay as they are; all others become an object with a tag "$" and a value
/// "v". The bytes of arrays go into files.
/// </summary>
internal sealed class SharedValueWriter(TransferFiles files, CancellationToken cancel)
{
    private const int Deepest = 64;

    // Limit for sequences, which might be infinite.
    private const int MostItems = 10_000_000;

    private readonly HashSet<object> _open = new(ReferenceEqualityComparer.Instance);
    private readonly SortedSet<string> _notes = new(StringComparer.Ordinal);

    /// <summary>What the user should know about the conversion; null if nothing.</summary>
    public string? Note => _notes.Count == 0 ? null : string.Join("; ", _notes);

    /// <summary>Builds the message that sets a variable.</summary>
    /// <param name="name">Name of the variable; also the start of the paths in error messages.</param>
    /// <param name="value">Any value.</param>
    /// <exception cref="CellException">Something in the value cannot be shared; the message says what, and what can be shared.</exception>
    public byte[] Write(string name, object? value)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream, new JsonWriterOptions { MaxDepth = 1000 }))
        {
            json.WriteStartObject();
            json.WriteString("name", name);
            json.WritePropertyName("value");
            Write(json, value, name, 0);
            json.WriteEndObject();
        }

        return stream.ToArray();
    }

    /// <summary>A number as JSON and Python write it: with a point or an exponent, so that 1.0 does not become 1.</summary>
    private static string Float(double value)
    {
        string text = value.ToString("R", CultureInfo.InvariantCulture);
        return text.AsSpan().IndexOfAny('.', 'E') < 0 ? text + ".0" : text;
    }

    private void Write(Utf8JsonWriter json, object? value, string path, int depth)
    {
        if (depth > Deepest)
            throw new CellException(
                "ShareError",
                $"{path[..Math.Min(60, path.Length)]}... is nested more than {Deepest.ToString(CultureInfo.InvariantCulture)} deep."
            );
        switch (value)
        {
            case null or DBNull:
                json.WriteNullValue();
                break;
            case bool flag:
                json.WriteBooleanValue(flag);
                break;
            case sbyte or byte or short or ushort or int or uint or long or ulong or nint or nuint or BigInteger:
                json.WriteRawValue(((IFormattable)value).ToString(null, CultureInfo.InvariantCulture));
                break;
            case Int128 or UInt128:
                json.WriteRawValue(((IFormattable)value).ToString(null, CultureInfo.InvariantCulture));
                break;
            case double number:
                WriteFloat(json, number);
                break;
            case float number:
                WriteFloat(json, number);
                break;
            case Half number:
                WriteFloat(json, (double)number);
                break;
            case decimal number:
                Tagged(json, "decimal", number.ToString(CultureInfo.InvariantCulture));
                break;
            case Complex number:
                Begin(json, "complex");
                json.WriteStartArray();
                WriteFloat(json, number.Real);
                WriteFloat(json, number.Imaginary);
                json.WriteEndArray();
                json.WriteEndObject();
                break;
            case string text:
                WriteText(json, text);
                break;
            case char letter:
                WriteText(json, letter.ToString());
                break;
            case Rune rune:
                json.WriteStringValue(rune.ToString());
                break;
            case Enum name:
                json.WriteStringValue(name.ToString());
                break;
            case byte[] bytes:
                Tagged(json, "bytes", Convert.ToBase64String(bytes));
                break;
            case DateTime { Kind: DateTimeKind.Utc } time:
                Tagged(json, "datetime", time.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'+00:00'", CultureInfo.InvariantCulture));
                break;
            case DateTime time:
                Tagged(json, "datetime", time.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff", CultureInfo.InvariantCulture));
                break;
            case DateTimeOffset time:
                Tagged(json, "datetime", time.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffffzzz", CultureInfo.InvariantCulture));
                break;
            case DateOnly date:
                Tagged(json, "date", date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
                break;
            case TimeOnly time:
                Tagged(json, "time", time.ToString("HH:mm:ss.ffffff", CultureInfo.InvariantCulture));
                break;
            case TimeSpan span:
                Begin(json, "timedelta");
                json.WriteNumberValue(span.Ticks / TimeSpan.TicksPerMicrosecond);
                json.WriteEndObject();
                break;
            case Guid id:
                Tagged(json, "uuid", id.ToString());
                break;
            case Uri uri:
                json.WriteStringValue(uri.ToString());
                break;
            case JsonElement or System.Text.Json.Nodes.JsonNode or JsonDocument:
                using (JsonDocument document = JsonDocument.Parse(JsonSerializer.SerializeToUtf8Bytes(value)))
                    WriteJson(json, document.RootElement);
                break;
            default:
                WriteObject(json, value, path, depth);
                break;
        }
    }

    private void WriteObject(Utf8JsonWriter json, object value, string path, int depth)
    {
        SharedArray? array;
        try
        {
            array = SharedArrays.ToShared(value) ?? OfArray(value);
        }
        catch (ArgumentException e)
        {
            throw new CellException("ShareError", $"{path}: {e.Message}");
        }

        if (array is not null)
        {
            using (array)
                WriteArray(json, array);
            return;
        }

        if (value is Delegate or Type or MemberInfo or Task or Stream or Exception or nint)
            throw Refused(value, path);
        // A struct cannot contain itself, and every access boxes it again.
        bool watched = !value.GetType().IsValueType;
        if (watched && !_open.Add(value))
            throw new CellException("ShareError", $"{path} contains itself.");
        try
        {
            switch (value)
            {
                case ITuple tuple:
                    Begin(json, "tuple");
                    json.WriteStartArray();
                    for (int i = 0; i < tuple.Length; i++)
                        Write(json, tuple[i], string.Create(CultureInfo.InvariantCulture, $"{path}.Item{i + 1}"), depth + 1);
                    json.WriteEndArray();
                    json.WriteEndObject();
                    break;
                case IDictionary dictionary:
                    WritePairs(json, dictionary.Keys.Cast<object>().Select(k => (k, dictionary[k])), path, depth);
                    break;
                case IEnumerable items when PairsOf(items) is { } pairs:
                    WritePairs(json, pairs, path, depth);
                    break;
                case IEnumerable items:
                    WriteItems(json, items, path, depth);
                    break;
                default:
                    if (Members(value.GetType()) is not { Length: > 0 } members)
                        throw Refused(value, path);
                    WritePairs(json, members.Select(m => ((object)m.Name, Get(m, value, path))), path, depth);
                    break;
            }
        }
        finally
        {
            if (watched)
                _open.Remove(value);
        }
    }

    private void WritePairs(Utf8JsonWriter json, IEnumerable<(object Key, object? Value)> pairs, string path, int depth)
    {
        Begin(json, "dict");
        json.WriteStartArray();
        foreach ((object key, object? value) in pairs)
        {
            json.WriteStartArray();
            Write(json, key, path + "'s keys", depth + 1);
            Write(json, value, key is string name ? $"{path}.{name}" : $"{path}[...]", depth + 1);
            json.WriteEndArray();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private void WriteItems(Utf8JsonWriter json, IEnumerable items, string path, int depth)
    {
        List<object?> all = [];
        foreach (object? item in items)
        {
            cancel.ThrowIfCancellationRequested();
            if (all.Count == MostItems)
                throw new CellException(
                    "ShareError",
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{path} has more than {MostItems:N0} items; share it as a tensor or a two-dimensional array, which is copied as a whole."
                    )
                );
            all.Add(item);
        }

        bool isSet = items
            .GetType()
            .GetInterfaces()
            .Any(i => i.IsGenericType && i.GetGenericTypeDefinition() is { } open && (open == typeof(ISet<>) || open == typeof(IReadOnlySet<>)));
        if (!isSet && Columns(all) is { } columns)
        {
            Begin(json, "table");
            json.WriteStartObject();
            json.WriteStartArray("columns");
            foreach (PropertyInfo column in columns)
                json.WriteStringValue(column.Name);
            json.WriteEndArray();
            json.WriteStartArray("rows");
            for (int row = 0; row < all.Count; row++)
            {
                json.WriteStartArray();
                foreach (PropertyInfo column in columns)
                    Write(json, Get(column, all[row]!, path), string.Create(CultureInfo.InvariantCulture, $"{path}[{row}].{column.Name}"), depth + 1);
                json.WriteEndArray();
            }

            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteEndObject();
            return;
        }

        if (isSet)
            Begin(json, "set");
        json.WriteStartArray();
        for (int i = 0; i < all.Count; i++)
            Write(json, all[i], string.Create(CultureInfo.InvariantCulture, $"{path}[{i}]"), depth + 1);
        json.WriteEndArray();
        if (isSet)
            json.WriteEndObject();
    }

    /// <summary>The columns of rows that all have one type with members; null if the rows are not a table.</summary>
    private static PropertyInfo[]? Columns(List<object?> rows)
    {
        if (
            rows is not [{ } first, ..]
            || first is IEnumerable or ITuple
            || Members(first.GetType()) is not { Length: > 0 } columns
            || !rows.All(r => r?.GetType() == first.GetType())
        )
            return null;
        // Pictures have members too.
        using SharedArray? picture = SharedArrays.ToShared(first);
        return picture is null ? columns : null;
    }

    private void WriteArray(Utf8JsonWriter json, SharedArray array)
    {
        if (array.Note is { } note)
            _notes.Add(note);
        string file = array.ByteCount == 0 ? "" : files.Write(array, cancel);
        Begin(json, "array");
        json.WriteStartObject();
        json.WriteString("dtype", array.Element.ToString());
        json.WriteStartArray("shape");
        foreach (long length in array.Shape)
            json.WriteNumberValue(length);
        json.WriteEndArray();
        json.WriteString("file", file);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>Arrays of several axes, for which Python has no list; arrays of one axis become lists.</summary>
    private static SharedArray? OfArray(object value)
    {
        if (value is not Array { Rank: > 1 } array || DotNetArrays.ElementOf(array.GetType().GetElementType()!) is not { } element)
            return null;
        return new SharedArray(
            element,
            [.. Enumerable.Range(0, array.Rank).Select(a => (long)array.GetLength(a))],
            (offset, destination) =>
            {
                int size = SharedArray.ElementSize(element);
                ref byte start = ref MemoryMarshal.GetArrayDataReference(array);
                // Starts at a reference to the piece: an array may have more bytes than one span can cover.
                MemoryMarshal.CreateReadOnlySpan(ref Unsafe.Add(ref start, (nint)offset), destination.Length / size * size).CopyTo(destination);
            }
        );
    }

    // Dictionaries that are only generic, such as a library's own IReadOnlyDictionary.
    private static IEnumerable<(object Key, object? Value)>? PairsOf(IEnumerable items)
    {
        Type? pairs = items
            .GetType()
            .GetInterfaces()
            .FirstOrDefault(i =>
                i.IsGenericType && i.GetGenericTypeDefinition() is { } open && (open == typeof(IReadOnlyDictionary<,>) || open == typeof(IDictionary<,>))
            );
        if (pairs is null)
            return null;
        Type pair = typeof(KeyValuePair<,>).MakeGenericType(pairs.GetGenericArguments());
        PropertyInfo key = pair.GetProperty("Key")!,
            value = pair.GetProperty("Value")!;
        return items.Cast<object>().Select(p => (key.GetValue(p)!, value.GetValue(p)));
    }

    /// <summary>The members of a record, an anonymous object or a user's class; none for system types.</summary>
    private static PropertyInfo[] Members(Type type) =>
        type.IsPrimitive
        || type.IsEnum
        || type.IsPointer
        || type.Namespace is { } name
            && (
                name == "System"
                || name.StartsWith("System.", StringComparison.Ordinal)
                || name.StartsWith("Microsoft.", StringComparison.Ordinal)
                || name.StartsWith("TorchSharp", StringComparison.Ordinal)
            )
            ? []
            :
            [
                .. type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
                    .Where(p => p.CanRead && p.GetIndexParameters().Length == 0 && !p.PropertyType.IsByRef),
            ];

    private static object? Get(PropertyInfo member, object of, string path)
    {
        try
        {
            return member.GetValue(of);
        }
        catch (TargetInvocationException e)
        {
            throw new CellException("ShareError", $"{path}.{member.Name} cannot be read: {(e.InnerException ?? e).Message}");
        }
    }

    private static CellException Refused(object value, string path) =>
        new(
            "ShareError",
            $"{path} is a {TypeNames.CSharp(value.GetType())}, which cannot be shared. These can: numbers, strings, bytes, dates, lists, "
                + "dictionaries, tuples, sets, records, tensors, pictures and arrays. Convert it to one of them first."
        );

    private static void WriteFloat(Utf8JsonWriter json, double number)
    {
        if (double.IsFinite(number))
            json.WriteRawValue(Float(number));
        else
            Tagged(
                json,
                "float",
                double.IsNaN(number) ? "nan"
                    : number > 0 ? "inf"
                    : "-inf"
            );
    }

    // A lone surrogate is not valid in JSON, but strings in .NET and Python may contain it.
    private static void WriteText(Utf8JsonWriter json, string text)
    {
        bool whole = true;
        for (int i = 0; i < text.Length && whole; i++)
        {
            if (!char.IsSurrogate(text[i]))
                continue;
            whole = char.IsSurrogatePair(text, i);
            i++;
        }

        if (whole)
            json.WriteStringValue(text);
        else
            Tagged(json, "text", Convert.ToBase64String(MemoryMarshal.AsBytes(text.AsSpan())));
    }

    private static void WriteJson(Utf8JsonWriter json, JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                Begin(json, "dict");
                json.WriteStartArray();
                foreach (JsonProperty member in element.EnumerateObject())
                {
                    json.WriteStartArray();
                    json.WriteStringValue(member.Name);
                    WriteJson(json, member.Value);
                    json.WriteEndArray();
                }

                json.WriteEndArray();
                json.WriteEndObject();
                break;
            case JsonValueKind.Array:
                json.WriteStartArray();
                foreach (JsonElement item in element.EnumerateArray())
                    WriteJson(json, item);
                json.WriteEndArray();
                break;
            default:
                element.WriteTo(json);
                break;
        }
    }

    private static void Begin(Utf8JsonWriter json, string tag)
    {
        json.WriteStartObject();
        json.WriteString("$", tag);
        json.WritePropertyName("v");
    }

    private static void Tagged(Utf8JsonWriter json, string tag, string value)
    {
        Begin(json, tag);
        json.WriteStringValue(value);
        json.WriteEndObject();
    }
}
