using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace NullTextResearch.Kernel.Engine;

/// <summary>The arguments of a directive: words, and options such as <c>--name x</c> or <c>--name=x</c>.</summary>
internal sealed class DirectiveOptions
{
    private readonly string _directive;
    private readonly int _line;
    private readonly List<Word> _words = [];
    private readonly Dictionary<string, Word> _options = new(StringComparer.Ordinal);

    private DirectiveOptions(string directive, int line)
    {
        _directive = directive;
        _line = line;
    }

    /// <summary>Words that belong to no option, without their quotes.</summary>
    public IReadOnlyList<string> Words => [.. _words.Select(w => w.Text)];

    /// <summary>Reads the rest of a line. Quotes keep text with spaces together, as do the braces and brackets of JSON.</summary>
    /// <param name="argument">The rest of the line.</param>
    /// <param name="directive">Name, for messages.</param>
    /// <param name="line">Line of the cell, for messages.</param>
    /// <param name="known">Options that it accepts, without dashes; empty: any.</param>
    /// <exception cref="CellException">An option is unknown, is repeated or has no value; or a quote or brace is not closed.</exception>
    public static DirectiveOptions Read(string argument, string directive, int line, params IReadOnlyList<string> known)
    {
        DirectiveOptions read = new(directive, line);
        List<Word> words = [];
        for (int at = 0; read.Next(argument, ref at) is { } word; )
            words.Add(word);
        for (int i = 0; i < words.Count; i++)
        {
            Word word = words[i];
            if (word.Quoted || !word.Text.StartsWith("--", StringComparison.Ordinal))
            {
                read._words.Add(word);
                continue;
            }

            string[] halves = word.Text[2..].Split('=', 2);
            string name = halves[0];
            if (known.Count > 0 && !known.Contains(name))
                throw read.Fault($"has no option --{name}; it takes {string.Join(", ", known.Select(k => "--" + k))}.");
            if (halves.Length == 1 && ++i == words.Count)
                throw read.Fault($"needs a value after --{name}.");
            if (!read._options.TryAdd(name, halves.Length == 2 ? new Word(halves[1], false) : words[i]))
                throw read.Fault($"takes --{name} only once.");
        }

        return read;
    }

    /// <summary>The value of an option, or null if it is missing.</summary>
    public string? Find(string option) => _options.TryGetValue(option, out Word? word) ? word.Text : null;

    /// <summary>The value of an option.</summary>
    /// <exception cref="CellException">It is missing.</exception>
    public string Require(string option) => Find(option) ?? throw Fault($"needs --{option}.");

    /// <summary>Whether an option's value was in quotes; then it is text, whatever it looks like.</summary>
    public bool IsQuoted(string option) => _options.TryGetValue(option, out Word? word) && word.Quoted;

    /// <summary>An error about this line.</summary>
    public CellException Fault(string text) => new("DirectiveError", $"Line {_line}: #!{_directive} {text}");

    /// <summary>
    /// Reads a value as .NET Interactive reads JSON: bool, double, text, else a <see cref="JsonDocument"/>. Anything that is not JSON is text.
    /// </summary>
    public static object? Value(string text)
    {
        try
        {
            JsonDocument json = JsonDocument.Parse(text);
            return json.RootElement.ValueKind switch
            {
                JsonValueKind.True => true,
                JsonValueKind.False => false,
                JsonValueKind.Null => null,
                JsonValueKind.Number => json.RootElement.GetDouble(),
                JsonValueKind.String => json.RootElement.GetString(),
                _ => json,
            };
        }
        catch (JsonException)
        {
            // For example a URL or a word: text needs no quotes.
            return text;
        }
    }

    private Word? Next(string text, ref int at)
    {
        while (at < text.Length && char.IsWhiteSpace(text[at]))
            at++;
        if (at == text.Length)
            return null;
        if (text[at] is '{' or '[')
            return new Word(Json(text, ref at), false);
        bool whole = text[at] is '"' or '\'';
        StringBuilder word = new();
        while (at < text.Length && !char.IsWhiteSpace(text[at]))
        {
            // Also inside a word: @input:"Which one?".
            if (text[at] is '"' or '\'' && (word.Length == 0 || word[^1] is ':' or '='))
            {
                word.Append(InQuotes(text, ref at));
                continue;
            }

            whole = false;
            word.Append(text[at++]);
        }

        return new Word(word.ToString(), whole);
    }

    private string InQuotes(string text, ref int at)
    {
        char quote = text[at];
        int start = at++;
        while (at < text.Length && text[at] != quote)
            at += text[at] == '\\' && quote == '"' ? 2 : 1;
        if (at >= text.Length)
            throw Fault($"has a quote ({quote}) that is not closed.");
        at++;
        if (quote == '\'')
            return text[(start + 1)..(at - 1)];
        try
        {
            return JsonNode.Parse(text[start..at])!.GetValue<string>();
        }
        catch (JsonException)
        {
            // For example a path with single backslashes: taken literally.
            return text[(start + 1)..(at - 1)];
        }
    }

    private string Json(string text, ref int at)
    {
        int start = at,
            depth = 0;
        bool inText = false;
        for (; at < text.Length; at++)
        {
            char c = text[at];
            if (inText)
            {
                if (c == '\\')
                    at++;
                else if (c == '"')
                    inText = false;
            }
            else if (c == '"')
            {
                inText = true;
            }
            else if (c is '{' or '[')
            {
                depth++;
            }
            else if (c is '}' or ']' && --depth == 0)
            {
                return text[start..++at];
            }
        }

        throw Fault("has a { or [ that is not closed.");
    }

    private sealed record Word(string Text, bool Quoted);
}
