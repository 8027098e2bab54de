using System.Globalization;
using System.Text.Json;
using NullTextResearch.Kernel.Formatting;

namespace NullTextResearch.Kernel.Engine;

/// <summary>#!share and #!set: pass variables from one language to another. The language around the directive receives them.</summary>
internal static class Sharing
{
    private static readonly string[] ShareOptions = ["from", "as", "mime-type"];
    private static readonly string[] SetOptions = ["name", "value", "mime-type"];

    /// <summary><c>#!share --from csharp x --as y</c>.</summary>
    public static void Share(DirectivePart directive, CellLanguages languages)
    {
        DirectiveOptions options = DirectiveOptions.Read(directive.Argument, directive.Name, directive.Line, ShareOptions);
        string from = options.Require("from");
        if (options.Words is not [var name])
            throw options.Fault($"takes one variable, not {options.Words.Count}: #!share --from {from} name.");
        Give(directive, languages, options.Find("as") ?? name, As(Variable(from, name, directive, languages), options));
    }

    /// <summary><c>#!set --name x --value @csharp:y</c>, or a value itself.</summary>
    public static void Set(DirectivePart directive, CellLanguages languages)
    {
        DirectiveOptions options = DirectiveOptions.Read(directive.Argument, directive.Name, directive.Line, SetOptions);
        if (options.Words.Count > 0)
            throw options.Fault($"does not understand '{options.Words[0]}'; put a value with spaces in quotes: #!set --name x --value \"two words\".");
        string name = options.Require("name"),
            value = options.Require("value");
        Give(directive, languages, name, As(Value(), options));

        SharedVariable Value()
        {
            if (options.IsQuoted("value"))
                return Of(value);
            if (!value.StartsWith('@'))
                return Of(DirectiveOptions.Value(value));
            string[] halves = value[1..].Split(':', 2);
            return halves switch
            {
                ["input", var prompt] => Of(KernelHost.Instance.ReadLine(prompt)),
                ["password", var prompt] => Of(KernelHost.Instance.ReadLine(prompt, hidden: true)),
                ["input" or "password"] => Of(KernelHost.Instance.ReadLine($"{name}: ", halves[0] == "password")),
                [var from, { Length: > 0 } variable] => Variable(from, variable, directive, languages),
                _ => throw options.Fault(
                    $"does not understand {value}; use @language:variable, @input:question or @password:question. Put text that begins with @ in quotes."
                ),
            };
        }
    }

    private static SharedVariable Of(object? value) => new(value, value?.GetType() ?? typeof(object));

    private static SharedVariable Variable(string language, string name, DirectivePart directive, CellLanguages languages)
    {
        ICellLanguage source = languages.Require(language, directive.Line);
        if (source.Get(name) is { } found)
            return found;
        string[] there = [.. source.Variables().Select(v => v.Name)];
        string others = there.Length == 0 ? "; it has none" : $"; it has {string.Join(", ", there.Take(20))}{(there.Length > 20 ? " and more" : "")}";
        throw new CellException("SharingError", $"Line {directive.Line}: {source.Name} has no variable '{name}'{others}.");
    }

    private static void Give(DirectivePart directive, CellLanguages languages, string name, SharedVariable variable) =>
        languages.Require(directive.Language, directive.Line).Set(name, variable);

    // By reference, unless an option requests text of some type.
    private static SharedVariable As(SharedVariable variable, DirectiveOptions options)
    {
        if (options.Find("mime-type") is not { } mime)
            return variable;
        try
        {
            return Of(
                mime switch
                {
                    "application/json" => DirectiveOptions.Value(JsonSerializer.Serialize(variable.Value)),
                    "text/plain" => variable.Value is IFormattable number
                        ? number.ToString(null, CultureInfo.InvariantCulture)
                        : ValueFormatter.Text(variable.Value),
                    _ => ValueFormatter.Format(variable.Value, [mime]).Data[mime]?.ToString()
                        ?? throw options.Fault($"cannot write a value of the type {TypeNames.CSharp(variable.Type)} as {mime}."),
                }
            );
        }
        catch (Exception e) when (e is JsonException or NotSupportedException)
        {
            throw options.Fault($"cannot write a value of the type {TypeNames.CSharp(variable.Type)} as {mime}: {e.Message}");
        }
    }
}
