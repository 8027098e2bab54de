using System.Globalization;
using System.Text.Json;
using NullTextResearch.Text;

namespace NullTextResearch.Benchmarks;

/// <summary>
/// An object of a study's file. What is wrong with it is collected with its place, so that all mistakes of a file are told at once; a reader that found one
/// goes on with a harmless value.
/// </summary>
internal sealed class StudyObject
{
    private readonly List<string> _problems;
    private readonly JsonElement _value;
    private readonly string _path;

    /// <summary>Looks at an object.</summary>
    /// <param name="value">The value, which may be something else.</param>
    /// <param name="path">Its place, such as <c>$.data[0]</c>.</param>
    /// <param name="problems">Receives what is wrong.</param>
    /// <param name="known">The members that it may have.</param>
    public StudyObject(JsonElement value, string path, List<string> problems, params IReadOnlyList<string> known)
    {
        (_value, _path, _problems) = (value, path, problems);
        IsObject = value.ValueKind == JsonValueKind.Object;
        if (!IsObject)
        {
            Add(path, $"expected an object with {string.Join(", ", known)}, got {Kind(value)}");
            return;
        }
        foreach (JsonProperty member in value.EnumerateObject().Where(m => !known.Contains(m.Name)))
        {
            string hint = Spelling.Hint(member.Name, known);
            Add($"{path}.{Excerpt.Of(member.Name)}", "there is no such member" + (hint.Length > 0 ? hint : $"; known: {string.Join(", ", known)}"));
        }
    }

    /// <summary>Whether it is an object at all.</summary>
    public bool IsObject { get; }

    /// <summary>Whether it has a member.</summary>
    public bool Has(string name) => IsObject && _value.TryGetProperty(name, out _);

    /// <summary>Place of a member.</summary>
    public string PathOf(string name) => $"{_path}.{name}";

    /// <summary>Notes a problem.</summary>
    public void Add(string path, string problem) => _problems.Add($"{path}: {problem}");

    /// <summary>A text; null if it is not there.</summary>
    public string? Text(string name, bool required = false, Func<string, string?>? problem = null)
    {
        if (Member(name, required ? "a text" : null) is not { } member)
            return null;
        if (member.ValueKind != JsonValueKind.String)
        {
            Add(PathOf(name), $"expected a text, got {Kind(member)}");
            return null;
        }
        string text = member.GetString()!;
        if (problem?.Invoke(text) is { } wrong)
            Add(PathOf(name), wrong);
        return text;
    }

    /// <summary>A list of texts, or one text in place of a list of one; an empty list if it is not there.</summary>
    public IReadOnlyList<string> Texts(string name, bool required = false, Func<string, string?>? problem = null)
    {
        List<string> texts = [];
        foreach ((JsonElement item, string path) in Items(name, required ? "a list of texts" : null, JsonValueKind.String))
        {
            if (item.ValueKind != JsonValueKind.String)
            {
                Add(path, $"expected a text, got {Kind(item)}");
                continue;
            }
            string text = item.GetString()!;
            if (texts.Contains(text))
                Add(path, $"'{Excerpt.Of(text)}' is listed twice");
            else if (problem?.Invoke(text) is { } wrong)
                Add(path, wrong);
            texts.Add(text);
        }
        return texts;
    }

    /// <summary>A list of numbers between bounds, or one number in place of a list of one; the fallback if it is not there.</summary>
    public IReadOnlyList<T> Numbers<T>(string name, IReadOnlyList<T> fallback, T least, T most, string what)
        where T : struct, IComparable<T>
    {
        if (!Has(name))
            return fallback;
        List<T> numbers = [];
        foreach ((JsonElement item, string path) in Items(name, null, JsonValueKind.Number))
        {
            if (Read<T>(item) is not { } number || number.CompareTo(least) < 0 || number.CompareTo(most) > 0)
                Add(path, string.Create(CultureInfo.InvariantCulture, $"expected {what} from {least} to {most}, got {Excerpt.Of(item.GetRawText())}"));
            else if (numbers.Contains(number))
                Add(path, $"{item.GetRawText()} is listed twice");
            else
                numbers.Add(number);
        }
        return numbers;
    }

    /// <summary>A whole number between bounds; null if it is not there.</summary>
    public int? Whole(string name, int least, int most) =>
        Has(name) && Numbers<int>(name, [], least, most, "a whole number") is [int number, ..] ? number : null;

    /// <summary>A text, number, or true or false that is there, as text.</summary>
    public string Plain(string name)
    {
        JsonElement member = Member(name, null)!.Value;
        if (member.ValueKind is JsonValueKind.Array or JsonValueKind.Object or JsonValueKind.Null)
            Add(PathOf(name), $"expected a text, a number, or true or false, got {Kind(member)}");
        return member.ValueKind == JsonValueKind.String ? member.GetString()! : member.GetRawText();
    }

    /// <summary>True or false; false if it is not there.</summary>
    public bool Flag(string name)
    {
        if (Member(name, null) is not { } member)
            return false;
        if (member.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
            Add(PathOf(name), $"expected true or false, got {Kind(member)}");
        return member.ValueKind == JsonValueKind.True;
    }

    /// <summary>Numbers by name; empty if it is not there.</summary>
    public IReadOnlyDictionary<string, double> Factors(string name)
    {
        Dictionary<string, double> factors = [];
        if (Member(name, null) is not { } member)
            return factors;
        if (member.ValueKind != JsonValueKind.Object)
        {
            Add(PathOf(name), $"expected an object of words and factors, got {Kind(member)}");
            return factors;
        }
        foreach (JsonProperty factor in member.EnumerateObject())
        {
            if (Read<double>(factor.Value) is { } number && double.IsFinite(number))
                factors[factor.Name] = number;
            else
                Add($"{PathOf(name)}.{Excerpt.Of(factor.Name)}", $"expected a number, got {Kind(factor.Value)}");
        }
        return factors;
    }

    /// <summary>The items of a list with their places.</summary>
    /// <param name="name">The member.</param>
    /// <param name="required">What it must be; null if it may be left out.</param>
    /// <param name="alone">A kind of value that may stand alone, in place of a list of one.</param>
    public IEnumerable<(JsonElement Value, string Path)> Items(string name, string? required, JsonValueKind? alone = null)
    {
        if (Member(name, required) is not { } member)
            return [];
        if (member.ValueKind == alone)
            return [(member, PathOf(name))];
        if (member.ValueKind != JsonValueKind.Array)
        {
            Add(PathOf(name), $"expected a list, got {Kind(member)}");
            return [];
        }
        if (member.GetArrayLength() == 0)
            Add(PathOf(name), "the list is empty; name at least one, or leave the member out if it has a default");
        return member.EnumerateArray().Select((item, i) => (item, string.Create(CultureInfo.InvariantCulture, $"{PathOf(name)}[{i}]")));
    }

    private JsonElement? Member(string name, string? required)
    {
        if (IsObject && _value.TryGetProperty(name, out JsonElement member))
            return member;
        if (IsObject && required is not null)
            Add(_path, $"'{name}' is missing: {required}");
        return null;
    }

    private static T? Read<T>(JsonElement value)
        where T : struct
    {
        if (value.ValueKind != JsonValueKind.Number)
            return null;
        if (typeof(T) == typeof(int))
            return value.TryGetInt32(out int whole) ? (T)(object)whole : null;
        if (typeof(T) == typeof(long))
            return value.TryGetInt64(out long large) ? (T)(object)large : null;
        return value.TryGetDouble(out double number) && double.IsFinite(number) ? (T)(object)number : null;
    }

    private static string Kind(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.Object => "an object",
            JsonValueKind.Array => "a list",
            JsonValueKind.String => "a text",
            JsonValueKind.Number => $"the number {Excerpt.Of(value.GetRawText())}",
            JsonValueKind.True or JsonValueKind.False => value.GetRawText(),
            _ => "null",
        };
}
