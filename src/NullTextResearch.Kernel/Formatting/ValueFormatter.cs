using System.Collections;
using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.CodeAnalysis.CSharp.Scripting.Hosting;
using NullTextResearch.Hosting;

namespace NullTextResearch.Kernel.Formatting;

/// <summary>Turns values into MIME bundles as Jupyter sends them, always with text/plain.</summary>
internal static class ValueFormatter
{
    private const string PlainText = "text/plain";
    private const string Html = "text/html";
    private const int MostItems = 100;
    private const int LongestText = 100_000;

    private static readonly ConcurrentDictionary<Type, ConventionFormatters?> Conventions = new();

    /// <summary>Data and metadata of a display. User code may run here (ToString, formatters); its exceptions become text.</summary>
    public static (JsonObject Data, JsonObject Metadata) Format(object? value, IReadOnlyList<string> mimeTypes)
    {
        JsonObject data = [],
            metadata = [];
        value = StandIn(value);
        if (value is MimeBundle bundle)
        {
            foreach ((string mime, object item) in bundle.Data)
                data[mime] = Encode(item);
            foreach ((string mime, JsonObject settings) in bundle.Metadata)
                metadata[mime] = settings.DeepClone();
        }
        else
        {
            foreach ((string mime, string text) in Representations(value, mimeTypes))
                data[mime] = FromText(mime, text);
            if (!data.ContainsKey(PlainText))
                data[PlainText] = Text(value);
        }

        if (mimeTypes.Count > 0)
        {
            foreach (string mime in (string[])[.. data.Select(p => p.Key)])
            {
                // Plain text stays: a console shows nothing else.
                if (mime != PlainText && !mimeTypes.Contains(mime))
                    data.Remove(mime);
            }
        }

        return (data, metadata);
    }

    /// <summary>The text that a console shows for a value.</summary>
    public static string Text(object? value) =>
        Cut(
            value switch
            {
                null => "null",
                string text => text,
                HtmlText html => html.ToString(),
                IFormattable number when value.GetType().IsPrimitive || value is decimal or DateTime or DateTimeOffset or TimeSpan or Guid => number.ToString(
                    null,
                    CultureInfo.InvariantCulture
                ),
                bool flag => flag ? "true" : "false",
                _ => TextOfObject(value),
            }
        );

    /// <summary>The same on one line of at most 80 characters.</summary>
    public static string Short(object? value)
    {
        string line = Text(value).ReplaceLineEndings(" ");
        return line.Length <= 80 ? line : line[..77] + "...";
    }

    private static object? StandIn(object? value)
    {
        try
        {
            return Notebook.StandIn(value);
        }
        catch (Exception e)
        {
            // As with formatters, a failure only means that the value is shown without its stand-in.
            Console.Error.WriteLine($"{value?.GetType().Name}: {e.GetType().Name}: {e.Message}");
            return value;
        }
    }

    private static IEnumerable<(string Mime, string Text)> Representations(object? value, IReadOnlyList<string> mimeTypes)
    {
        if (value is null)
            return [];
        if (value is HtmlText html)
            return [(Html, html.Content)];
        if (value is string or char or bool || value.GetType().IsPrimitive)
            return mimeTypes is [var asked, ..] && asked != PlainText ? [(asked, Text(value))] : [];
        ConventionFormatters? convention = Conventions.GetOrAdd(value.GetType(), ConventionFormatters.Find);
        if (convention is not null)
            return convention.Format(value, mimeTypes);
        return Table(value) is { } table ? [(Html, table)] : [];
    }

    private static JsonNode? Encode(object item) =>
        item switch
        {
            byte[] bytes => Convert.ToBase64String(bytes),
            JsonNode json => json.DeepClone(),
            _ => item.ToString(),
        };

    // JSON types are sent as JSON: JupyterLab's Plotly renderer does not read strings.
    private static JsonNode? FromText(string mime, string text)
    {
        if (mime == "application/json" || mime.EndsWith("+json", StringComparison.Ordinal))
        {
            try
            {
                return JsonNode.Parse(text);
            }
            catch (JsonException)
            {
                // The formatter promised JSON but wrote something else. It is shown unchanged, so that the mistake is visible.
                return text;
            }
        }

        return text;
    }

    private static string TextOfObject(object value)
    {
        try
        {
            if (value is Exception)
                return value.ToString() ?? "";
            if (OwnToString(value.GetType()))
                return value.ToString() ?? "";
            return CSharpObjectFormatter.Instance.FormatObject(value);
        }
        catch (Exception e)
        {
            // Showing a value must not fail the cell that computed it.
            return $"{value.GetType()} (its ToString failed with {e.GetType().Name}: {e.Message})";
        }
    }

    private static bool OwnToString(Type type)
    {
        Type? declaring = type.GetMethod(nameof(ToString), Type.EmptyTypes)?.DeclaringType;
        return declaring is not null && declaring != typeof(object) && declaring != typeof(ValueType) && !IsCollection(type);
    }

    private static bool IsCollection(Type type) =>
        type.IsArray || (type.Namespace?.StartsWith("System", StringComparison.Ordinal) == true && typeof(IEnumerable).IsAssignableFrom(type));

    // Shows a sequence of records as a table, the most common output in research.
    private static string? Table(object value)
    {
        bool collection = IsCollection(value.GetType()) || value.GetType().Namespace == "Microsoft.FSharp.Collections";
        if (value is not IEnumerable items || !collection)
            return null;
        try
        {
            List<object> rows = [];
            bool more = false;
            foreach (object? item in items)
            {
                if (rows.Count == MostItems)
                {
                    more = true;
                    break;
                }

                if (item is null || item is string || item.GetType().IsPrimitive || item is decimal)
                    return null;
                rows.Add(item);
            }

            if (rows.Count == 0)
                return null;
            Type type = rows[0].GetType();
            if (rows.Any(r => r.GetType() != type) || Conventions.GetOrAdd(type, ConventionFormatters.Find) is not null)
                return null;
            PropertyInfo[] columns =
            [
                .. type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => p.CanRead && p.GetIndexParameters().Length == 0).Take(20),
            ];
            bool simple = columns.Length > 0 && columns.All(p => IsSimple(p.PropertyType));
            if (!simple)
                return null;
            StringBuilder html = new("<table><thead><tr>");
            foreach (PropertyInfo column in columns)
                html.Append(CultureInfo.InvariantCulture, $"<th>{WebUtility.HtmlEncode(column.Name)}</th>");
            html.Append("</tr></thead><tbody>");
            foreach (object row in rows)
            {
                html.Append("<tr>");
                foreach (PropertyInfo column in columns)
                    html.Append(CultureInfo.InvariantCulture, $"<td>{WebUtility.HtmlEncode(Text(column.GetValue(row)))}</td>");
                html.Append("</tr>");
            }

            if (more)
                html.Append(CultureInfo.InvariantCulture, $"<tr><td colspan=\"{columns.Length}\">... more rows</td></tr>");
            return html.Append("</tbody></table>").ToString();
        }
        catch (Exception e)
        {
            // Enumerating runs user code too; the text representation will say what is wrong.
            _ = e;
            return null;
        }
    }

    private static bool IsSimple(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        return type.IsPrimitive
            || type.IsEnum
            || type == typeof(string)
            || type == typeof(decimal)
            || type == typeof(TimeSpan)
            || type == typeof(DateTime)
            || type == typeof(DateTimeOffset);
    }

    private static string Cut(string text) =>
        text.Length <= LongestText ? text : FormattableString.Invariant($"{text[..LongestText]}\n... {text.Length - LongestText:N0} more characters");
}

/// <summary>
/// Formatters that a type names in an attribute called TypeFormatterSourceAttribute, wherever that attribute is declared. This is the convention of .NET
/// Interactive; it needs no reference to that library, because everything is read by reflection.
/// </summary>
internal sealed class ConventionFormatters
{
    private readonly string[]? _preferred;
    private readonly List<(string Mime, Type? Type, object Formatter, MethodInfo Format)> _formatters = [];

    private ConventionFormatters(object attribute, Type source)
    {
        _preferred = attribute.GetType().GetProperty("PreferredMimeTypes")?.GetValue(attribute) as string[];
        object factory = Activator.CreateInstance(source) ?? throw new InvalidOperationException($"{source} could not be created.");
        if (source.GetMethod("CreateTypeFormatters", Type.EmptyTypes)?.Invoke(factory, null) is not IEnumerable all)
            return;
        foreach (object? formatter in all)
        {
            if (formatter is null)
                continue;
            Type type = formatter.GetType();
            MethodInfo? format = type.GetMethod("Format", [typeof(object), typeof(TextWriter)]);
            if (type.GetProperty("MimeType")?.GetValue(formatter) is string mime && format is not null)
                _formatters.Add((mime, type.GetProperty("Type")?.GetValue(formatter) as Type, formatter, format));
        }
    }

    /// <summary>The formatters of a type, or null if it names none.</summary>
    public static ConventionFormatters? Find(Type type)
    {
        IEnumerable<Type> chain = Chain(type).Concat(type.GetInterfaces());
        foreach (Type candidate in chain)
        {
            foreach (object attribute in candidate.GetCustomAttributes(inherit: false))
            {
                if (
                    attribute.GetType().Name == "TypeFormatterSourceAttribute"
                    && attribute.GetType().GetProperty("FormatterSourceType")?.GetValue(attribute) is Type source
                )
                    return new ConventionFormatters(attribute, source);
            }
        }

        return null;
    }

    /// <summary>All requested representations. Those that decline are left out; those that fail are left out with a note on stderr.</summary>
    public IEnumerable<(string Mime, string Text)> Format(object value, IReadOnlyList<string> mimeTypes)
    {
        // As in .NET Interactive, only HTML is sent if there are no preferred types.
        IReadOnlyList<string> wanted = mimeTypes.Count > 0 ? mimeTypes : _preferred ?? ["text/html"];
        List<(string, string)> made = [];
        foreach (string mime in wanted)
        {
            foreach ((string offered, Type? type, object formatter, MethodInfo format) in _formatters)
            {
                if (offered != mime || (type is not null && !type.IsInstanceOfType(value)))
                    continue;
                using StringWriter writer = new(CultureInfo.InvariantCulture);
                try
                {
                    if (format.Invoke(formatter, [value, writer]) is true)
                    {
                        made.Add((mime, writer.ToString()));
                        break;
                    }
                }
                catch (TargetInvocationException e)
                {
                    // A picture that cannot be drawn must not hide the result: its text is still shown.
                    Console.Error.WriteLine($"{value.GetType().Name} as {mime}: {e.InnerException?.GetType().Name}: {e.InnerException?.Message}");
                }
            }
        }

        return made;
    }

    private static IEnumerable<Type> Chain(Type? type)
    {
        for (; type is not null && type != typeof(object); type = type.BaseType)
            yield return type;
    }
}
