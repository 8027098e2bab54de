using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json;
using NullTextResearch.Hosting;
using NullTextResearch.Kernel.Engine;

namespace NullTextResearch.Kernel.Jupyter;

/// <summary>
/// Turns the Python side's JSON into a .NET value. Whole numbers get the type that C# gives the same literal (int, long, ulong, BigInteger); lists and
/// dictionaries get the type that their items have in common.
/// </summary>
internal sealed class SharedValueReader(TransferFiles files)
{
    /// <summary>Greatest depth read; the Python side writes nothing deeper.</summary>
    public const int MostDepth = 1000;

    /// <summary>Reads a value.</summary>
    /// <param name="json">As <c>bridge.py</c> writes it.</param>
    /// <param name="wanted">Requested type if the value is an array; null: the default.</param>
    /// <exception cref="CellException">The value contains something that .NET does not have.</exception>
    public object? Read(JsonElement json, Type? wanted)
    {
        try
        {
            return Value(json, wanted);
        }
        catch (Exception e) when (e is ArgumentException or FormatException or OverflowException)
        {
            throw new CellException("ShareError", $"The value cannot be converted to .NET: {e.Message}");
        }
    }

    private object? Value(JsonElement json, Type? wanted = null) =>
        json.ValueKind switch
        {
            JsonValueKind.Null => null,
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            JsonValueKind.String => json.GetString(),
            JsonValueKind.Number => Number(json),
            JsonValueKind.Array => List(Values(json)),
            _ => Tagged(json.GetProperty("$").GetString()!, json.GetProperty("v"), wanted),
        };

    private List<object?> Values(JsonElement array)
    {
        List<object?> values = new(array.GetArrayLength());
        foreach (JsonElement item in array.EnumerateArray())
            values.Add(Value(item));
        return values;
    }

    private static object Number(JsonElement json)
    {
        string text = json.GetRawText();
        if (text.AsSpan().IndexOfAny('.', 'e', 'E') >= 0)
            return double.Parse(text, CultureInfo.InvariantCulture);
        if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int small))
            return small;
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long large))
            return large;
        if (ulong.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out ulong larger))
            return larger;
        return BigInteger.Parse(text, CultureInfo.InvariantCulture);
    }

    private object? Tagged(string tag, JsonElement value, Type? wanted)
    {
        switch (tag)
        {
            case "float":
                return value.GetString() switch
                {
                    "inf" => double.PositiveInfinity,
                    "-inf" => double.NegativeInfinity,
                    _ => double.NaN,
                };
            case "int":
                string hex = value.GetString()!;
                // The leading zero keeps the first digit from being read as the sign.
                BigInteger large = BigInteger.Parse("0" + hex[(hex.IndexOf('x') + 1)..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
                return hex[0] == '-' ? -large : large;
            case "number":
                return DotNetArrays.Number(Enum.Parse<SharedElement>(value[0].GetString()!), value[1].GetBytesFromBase64());
            case "complex":
                return new Complex(
                    Convert.ToDouble(Value(value[0]), CultureInfo.InvariantCulture),
                    Convert.ToDouble(Value(value[1]), CultureInfo.InvariantCulture)
                );
            case "decimal":
                return decimal.Parse(value.GetString()!, NumberStyles.Float, CultureInfo.InvariantCulture);
            case "text":
                return Encoding16(value.GetBytesFromBase64());
            case "bytes":
                return value.GetBytesFromBase64();
            case "datetime":
                string time = value.GetString()!;
                // With an offset it is a point in time; without one it is a clock time.
                return time.Length > 19 && time.AsSpan(19).IndexOfAny('+', '-') >= 0
                    ? DateTimeOffset.Parse(time, CultureInfo.InvariantCulture)
                    : (object)DateTime.Parse(time, CultureInfo.InvariantCulture);
            case "date":
                return DateOnly.Parse(value.GetString()!, CultureInfo.InvariantCulture);
            case "time":
                return TimeOnly.Parse(value.GetString()!, CultureInfo.InvariantCulture);
            case "timedelta":
                return TimeSpan.FromTicks(checked(value.GetInt64() * TimeSpan.TicksPerMicrosecond));
            case "uuid":
                return Guid.Parse(value.GetString()!);
            case "tuple":
                return Tuple(Values(value));
            case "set":
                List<object?> members = Values(value);
                Type member = Common(members);
                return Activator.CreateInstance(typeof(HashSet<>).MakeGenericType(member), Typed(members, member));
            case "dict":
                return Dictionary(value);
            case "table":
                return Table(value);
            case "array":
                return SharedArrayOf(value, wanted);
            default:
                throw new CellException("ShareError", $"Python sent a value of the unknown kind '{tag}'; restart Python.");
        }
    }

    private static string Encoding16(byte[] bytes)
    {
        // Encoding.Unicode would replace the lone surrogates that this tag exists for.
        StringBuilder text = new(bytes.Length / 2);
        for (int i = 0; i + 1 < bytes.Length; i += 2)
            text.Append((char)(bytes[i] | (bytes[i + 1] << 8)));
        return text.ToString();
    }

    private static object List(List<object?> values)
    {
        // Rows of a table may have different types in the same column.
        if (
            values.Count > 0
            && values.All(v =>
                v is Dictionary<string, object?>
                || v?.GetType() is { IsGenericType: true } t
                    && t.GetGenericTypeDefinition() == typeof(Dictionary<,>)
                    && t.GetGenericArguments()[0] == typeof(string)
            )
        )
            return values.ConvertAll(v => v as Dictionary<string, object?> ?? Loose((System.Collections.IDictionary)v!));
        Type type = Common(values);
        return type == typeof(object) ? values : Activator.CreateInstance(typeof(List<>).MakeGenericType(type), Typed(values, type))!;
    }

    private static Dictionary<string, object?> Loose(System.Collections.IDictionary typed)
    {
        Dictionary<string, object?> loose = [];
        foreach (System.Collections.DictionaryEntry entry in typed)
            loose[(string)entry.Key] = entry.Value;
        return loose;
    }

    private object Dictionary(JsonElement pairs)
    {
        List<object?> keys = [],
            values = [];
        foreach (JsonElement pair in pairs.EnumerateArray())
        {
            keys.Add(Value(pair[0]) ?? throw new ArgumentException("a dictionary has the key None, which .NET does not allow."));
            values.Add(Value(pair[1]));
        }

        Type key = keys.Count == 0 ? typeof(string) : Common(keys),
            value = Common(values);
        System.Collections.IDictionary result = (System.Collections.IDictionary)Activator.CreateInstance(typeof(Dictionary<,>).MakeGenericType(key, value))!;
        for (int i = 0; i < keys.Count; i++)
            result[As(keys[i], key)!] = As(values[i], value);
        return result;
    }

    private List<Dictionary<string, object?>> Table(JsonElement value)
    {
        string[] columns = [.. value.GetProperty("columns").EnumerateArray().Select(c => c.GetString()!)];
        if (columns.Distinct(StringComparer.Ordinal).Count() < columns.Length)
            throw new ArgumentException("two columns of the table have the same name; rename one.");
        return
        [
            .. value.GetProperty("rows").EnumerateArray().Select(r => columns.Zip(Values(r)).ToDictionary(p => p.First, p => p.Second, StringComparer.Ordinal)),
        ];
    }

    private object SharedArrayOf(JsonElement value, Type? wanted)
    {
        SharedElement element = Enum.Parse<SharedElement>(value.GetProperty("dtype").GetString()!);
        long[] shape = [.. value.GetProperty("shape").EnumerateArray().Select(l => l.GetInt64())];
        using FileStream file = files.Open(value.GetProperty("file").GetString()!);
        using SharedArray array = new(
            element,
            shape,
            (offset, destination) =>
            {
                file.Position = offset;
                file.ReadExactly(destination);
            }
        );
        object made = SharedArrays.FromShared(array, wanted) ?? DotNetArrays.Read(array);
        if (wanted is null || wanted.IsInstanceOfType(made))
            return made;
        (made as IDisposable)?.Dispose();
        throw new CellException(
            "ShareError",
            $"The value is an array of {element.ToString()} [{string.Join(", ", shape)}], which cannot become a {TypeNames.CSharp(wanted)}; without a "
                + $"type it becomes a {TypeNames.CSharp(made.GetType())}."
        );
    }

    private static object Tuple(List<object?> items)
    {
        // Longer tuples are nested in .NET.
        if (items.Count is 0 or > 7)
            return items.ToArray();
        Type[] types = [.. items.Select(i => i?.GetType() ?? typeof(object))];
        return Activator.CreateInstance(
            Type.GetType(string.Create(CultureInfo.InvariantCulture, $"System.ValueTuple`{types.Length}"), throwOnError: true)!.MakeGenericType(types),
            [.. items]
        )!;
    }

    /// <summary>The common type of all values: their own, or the smallest that holds all numbers, or object.</summary>
    private static Type Common(List<object?> values)
    {
        if (values.Count == 0 || values[0] is not { } first)
            return typeof(object);
        Type[] types = [.. values.Select(v => v?.GetType() ?? typeof(object)).Distinct()];
        if (types.Length == 1)
            return types[0];
        // Each type holds those before it; Python's floats are double.
        Type[] wider = [typeof(int), typeof(long), typeof(double)];
        return types.All(wider.Contains) ? wider[types.Max(t => Array.IndexOf(wider, t))] : typeof(object);
    }

    private static Array Typed(List<object?> values, Type type)
    {
        Array array = Array.CreateInstance(type, values.Count);
        for (int i = 0; i < values.Count; i++)
            array.SetValue(As(values[i], type), i);
        return array;
    }

    private static object? As(object? value, Type type) =>
        value is null || type.IsInstanceOfType(value) ? value : Convert.ChangeType(value, type, CultureInfo.InvariantCulture);
}
