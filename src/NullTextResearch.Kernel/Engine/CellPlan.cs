using System.Text;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using NullTextResearch.Kernel.Language;

namespace NullTextResearch.Kernel.Engine;

/// <summary>A part of a cell, in order.</summary>
/// <param name="Line">First line in the cell, from 1.</param>
internal abstract record CellPart(int Line);

/// <summary>C#, padded with empty lines so that its line numbers are those of the cell.</summary>
internal sealed record CodePart(int Line, string Code) : CellPart(Line);

/// <summary>Another language, to be shown.</summary>
internal sealed record TextPart(int Line, string Language, string Text) : CellPart(Line);

/// <summary>Something to do.</summary>
internal sealed record DirectivePart(int Line, string Name, string Argument) : CellPart(Line);

/// <summary>Reads the directives of a cell. Lines inside strings and comments are none.</summary>
internal sealed partial class CellPlan
{
    public static readonly CSharpParseOptions ParseOptions = new(LanguageVersion.CSharp14, DocumentationMode.None, SourceCodeKind.Script);

    /// <summary>Languages a cell can switch to, by the names notebooks use.</summary>
    public static readonly IReadOnlyDictionary<string, string> Languages = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
    {
        ["csharp"] = "csharp",
        ["c#"] = "csharp",
        ["cs"] = "csharp",
        ["html"] = "html",
        ["markdown"] = "markdown",
        ["md"] = "markdown",
        ["javascript"] = "javascript",
        ["js"] = "javascript",
    };

    /// <summary>All directives and what they do, for #!lsmagic and error messages.</summary>
    public static readonly IReadOnlyList<(string Name, string Use)> Directives =
    [
        ("#r \"file.dll\"", "reference an assembly: a path, or the name of one that lies beside the kernel"),
        ("#r \"nuget: Name, Version\"", "reference a NuGet package"),
        ("#i \"nuget: source\"", "look for packages in another feed or folder too"),
        ("#load \"file.csx\"", "compile a script file as part of the cell"),
        ("#!import file", "run the cells of a notebook (.ipynb, .dib) or a script (.cs, .csx)"),
        ("#!time", "show how long the cell took"),
        ("#!who", "list the variables"),
        ("#!whos", "list the variables with types and values"),
        ("#!csharp", "what follows is C#"),
        ("#!html", "what follows is HTML, to be shown"),
        ("#!markdown", "what follows is Markdown, to be shown"),
        ("#!javascript", "what follows is JavaScript, to be run by the front end"),
        ("#!lsmagic", "list these directives"),
    ];

    // For each line that looks like one the compiler reads all lines before it.
    private const int MostDirectives = 500;

    private static readonly HashSet<string> Known = new(StringComparer.OrdinalIgnoreCase) { "import", "time", "who", "whos", "lsmagic", "about" };

    /// <summary>Splits a cell.</summary>
    /// <exception cref="CellException">A directive is unknown or lacks its argument; or the code is too long or nested too deeply.</exception>
    public static IReadOnlyList<CellPart> Parse(string source)
    {
        string[] lines = source.ReplaceLineEndings("\n").Split('\n');
        List<CellPart> parts = [];
        string language = "csharp";
        List<string> current = [];
        int start = 1, directives = 0;
        bool mightHoldDirectives = source.Contains('#', StringComparison.Ordinal);
        for (int i = 0; i < lines.Length; i++)
        {
            string line = lines[i];
            Match match = mightHoldDirectives ? Line().Match(line) : Match.Empty;
            if (match.Success)
            {
                if (++directives > MostDirectives) throw new CellException("DirectiveError", $"Line {i + 1}: a cell takes {MostDirectives} directives (lines that begin with #! or #r).");
                (string kind, string name, string argument) = (match.Groups["kind"].Value, match.Groups["name"].Value, match.Groups["argument"].Value.Trim());
                if (kind == "!" && Languages.TryGetValue(name, out string? next) && argument.Length == 0 && (language != "csharp" || IsDirective(current, line)))
                {
                    Close(i + 2);
                    language = next;
                    continue;
                }

                if (language == "csharp" && IsDirective(current, line))
                {
                    if (kind == "!")
                    {
                        if (!Known.Contains(name)) throw Unknown(name, i + 1);
                        Close(i + 2);
                        parts.Add(new DirectivePart(i + 1, name.ToLowerInvariant(), Unquote(argument)));
                        continue;
                    }

                    if (kind is "r" or "i")
                    {
                        Match quoted = Quoted().Match(argument);
                        if (!quoted.Success) throw new CellException("DirectiveError", $"Line {i + 1}: #{kind} needs its argument in quotes: #{kind} \"file.dll\" or #{kind} \"nuget: Name, Version\".");
                        parts.Add(new DirectivePart(i + 1, kind, quoted.Groups[1].Value));
                        // Stays as an empty line: line numbers do not move.
                        current.Add("");
                        continue;
                    }
                }
            }

            current.Add(line);
        }

        Close(lines.Length + 1);
        // References come first wherever they stand: the compiler wants them before any code.
        return [.. parts.Where(p => p is DirectivePart { Name: "r" or "i" }), .. parts.Where(p => p is not DirectivePart { Name: "r" or "i" })];

        void Close(int nextStart)
        {
            string text = string.Join('\n', current);
            if (!string.IsNullOrWhiteSpace(text))
            {
                if (language == "csharp") CodeNesting.RequireForParser(text);
                parts.Add(language == "csharp" ? new CodePart(start, new string('\n', start - 1) + text) : new TextPart(start, language, text.Trim('\n')));
            }

            current.Clear();
            start = nextStart;
        }
    }

    private static CellException Unknown(string name, int line) => new(
        "DirectiveError",
        $"Line {line}: #!{name} is not known here. Known are: {string.Join(", ", Directives.Select(d => d.Name.Split(' ')[0]).Where(n => n.StartsWith("#!", StringComparison.Ordinal)))}.");

    // The compiler decides whether the line starts outside strings, comments and disabled code.
    private static bool IsDirective(List<string> before, string line)
    {
        StringBuilder text = new();
        foreach (string earlier in before) text.Append(earlier).Append('\n');
        int at = text.Length + line.IndexOf('#', StringComparison.Ordinal);
        if (text.Length == 0) return true;
        text.Append(line).Append('\n');
        CodeNesting.RequireForParser(text.ToString());
        SyntaxNode root = CSharpSyntaxTree.ParseText(text.ToString(), ParseOptions).GetRoot();
        SyntaxTrivia trivia = root.FindTrivia(at);
        return trivia.IsKind(SyntaxKind.SkippedTokensTrivia) || trivia.GetStructure() is DirectiveTriviaSyntax { IsActive: true };
    }

    private static string Unquote(string text) => text.Length >= 2 && text[0] is '"' or '\'' && text[^1] == text[0] ? text[1..^1] : text;

    [GeneratedRegex("""^\s*#(?:(?<kind>!)\s*(?<name>[\w#]+)|(?<kind>[ri])(?=[\s"]))(?<argument>.*)$""")]
    private static partial Regex Line();

    [GeneratedRegex("""^"([^"]+)"\s*;?\s*(?://.*)?$""")]
    private static partial Regex Quoted();
}
