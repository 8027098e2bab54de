using System.Globalization;
using System.Reflection;
using System.Text;

namespace NullTextResearch;

/// <summary>
/// Options records as names and text, so that every option of the catalogue can be set from text: numbers, true and false, and names of an enumeration,
/// including those of nested records. Ranges are checked by the record itself.
/// </summary>
public static class NamedOptions
{
    /// <summary>The options of a record, its own before those of nested records.</summary>
    /// <param name="options">Any options record.</param>
    public static IReadOnlyList<NamedOption> Of(object options) => [.. Walk(options, "").Select(p => p.Option)];

    /// <summary>Copies a record with changed values.</summary>
    /// <typeparam name="T">The record, or a base of it.</typeparam>
    /// <param name="options">The record; it is not changed.</param>
    /// <param name="values">Names and new values, as in <see cref="NamedOption"/>.</param>
    /// <exception cref="ArgumentException">There is no such option, or the text is not a valid value; the message lists what is available.</exception>
    public static T With<T>(T options, IEnumerable<KeyValuePair<string, string>> values)
        where T : notnull
    {
        object changed = options;
        foreach ((string name, string text) in values)
        {
            if (Walk(changed, "").All(p => p.Option.Name != name))
            {
                string[] known = [.. Of(changed).Select(o => o.Name)];
                throw new ArgumentException(
                    known.Length == 0
                        ? $"There is no option '{name}': {options.GetType().Name} has none that can be set by name."
                        : $"There is no option '{name}' in {options.GetType().Name}; available: {string.Join(", ", known)}."
                );
            }
            changed = Changed(changed, name.Split('.'), name, text);
        }
        return (T)changed;
    }

    private static object Changed(object options, ReadOnlySpan<string> path, string name, string text)
    {
        string own = path[0];
        PropertyInfo property = Settable(options.GetType()).Single(p => NameOf(p) == own);
        object value = path.Length == 1 ? Parse(property.PropertyType, name, text) : Changed(property.GetValue(options)!, path[1..], name, text);
        // As the compiler does for 'with'; an init accessor may be called on the fresh copy.
        object copy = options.GetType().GetMethod("<Clone>$")!.Invoke(options, null)!;
        property.SetValue(copy, value);
        return copy;
    }

    private static IEnumerable<(NamedOption Option, PropertyInfo Property)> Walk(object options, string prefix)
    {
        PropertyInfo[] settable = [.. Settable(options.GetType())];
        foreach (PropertyInfo property in settable.Where(p => KindOf(p.PropertyType) is not null))
            yield return (new NamedOption(prefix + NameOf(property), TextOf(property.GetValue(options)), KindOf(property.PropertyType)!), property);
        foreach (PropertyInfo property in settable.Where(p => KindOf(p.PropertyType) is null && IsRecord(p.PropertyType)))
        {
            // A nested path or editor is selected by its id and has its own names.
            if (property.GetValue(options) is { } inside && !property.PropertyType.IsAbstract)
            {
                foreach ((NamedOption, PropertyInfo) option in Walk(inside, $"{prefix}{NameOf(property)}."))
                    yield return option;
            }
        }
    }

    private static IEnumerable<PropertyInfo> Settable(Type type) =>
        type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(p => p.CanRead && p.SetMethod is { IsPublic: true } && p.GetIndexParameters().Length == 0)
            // In source order.
            .OrderBy(p => p.MetadataToken);

    private static bool IsRecord(Type type) => type.IsClass && type.GetMethod("<Clone>$") is not null;

    /// <summary>The parser of a library type that can be read from text, such as a window of steps.</summary>
    private static MethodInfo? Reader(Type type) =>
        type.Assembly == typeof(NamedOptions).Assembly ? type.GetMethod("TryParse", [typeof(string), typeof(IFormatProvider), type.MakeByRefType()]) : null;

    private static string? KindOf(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        return type == typeof(double) ? "number"
            : type == typeof(int) || type == typeof(long) ? "whole number"
            : type == typeof(bool) ? "true or false"
            : type.IsEnum ? string.Join(", ", Enum.GetNames(type).Select(Hyphened))
            : Reader(type) is not null ? "shares of the steps, such as 0.2-0.8"
            : null;
    }

    private static object Parse(Type type, string name, string text)
    {
        Type plain = Nullable.GetUnderlyingType(type) ?? type;
        CultureInfo culture = CultureInfo.InvariantCulture;
        object? value =
            plain == typeof(double)
                ? double.TryParse(text, NumberStyles.Float, culture, out double number)
                    ? number
                    : null
                : plain == typeof(int)
                    ? int.TryParse(text, NumberStyles.AllowLeadingSign, culture, out int whole)
                        ? whole
                        : null
                    : plain == typeof(long)
                        ? long.TryParse(text, NumberStyles.AllowLeadingSign, culture, out long large)
                            ? large
                            : null
                        : plain == typeof(bool)
                            ? bool.TryParse(text, out bool yes)
                                ? yes
                                : null
                            : Reader(plain) is { } reader
                                ? Read(reader, text)
                                : Enum.GetValues(plain).Cast<object>().FirstOrDefault(v => Hyphened(v.ToString()!) == text);
        return value ?? throw new ArgumentException($"'{text}' is not a valid value of {name}; expected {KindOf(type)}.");
    }

    private static object? Read(MethodInfo reader, string text)
    {
        object?[] arguments = [text, CultureInfo.InvariantCulture, null];
        return reader.Invoke(null, arguments) is true ? arguments[2] : null;
    }

    private static string TextOf(object? value) =>
        value switch
        {
            null => "",
            bool yes => yes ? "true" : "false",
            Enum name => Hyphened(name.ToString()),
            IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
            _ => value.ToString() ?? "",
        };

    private static string NameOf(PropertyInfo property) => Hyphened(property.Name);

    /// <summary>GuidanceScale as guidance-scale.</summary>
    private static string Hyphened(string name)
    {
        StringBuilder text = new();
        for (int i = 0; i < name.Length; i++)
        {
            if (i > 0 && char.IsUpper(name[i]) && !char.IsUpper(name[i - 1]))
                text.Append('-');
            text.Append(char.ToLowerInvariant(name[i]));
        }
        return text.ToString();
    }
}
