using System.Text;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using NullTextResearch.Kernel.Language;

namespace NullTextResearch.Kernel.Engine;

/// <summary>A part of a cell.</summary>
/// <param name="Line">First line in the cell, from 1.</param>
internal abstract record CellPart(int Line);

/// <summary>Text in one language. Code is padded with empty lines, so that its line numbers are those of the cell.</summary>
/// <param name="Line">First line in the cell, from 1.</param>
/// <param name="Code">The text.</param>
/// <param name="Language">Its language: a value of <see cref="CellPlan.Languages"/>, or the name of a connected kernel.</param>
internal sealed record CodePart(int Line, string Code, string Language = CellPlan.CSharp) : CellPart(Line);

/// <summary>A directive to carry out.</summary>
/// <param name="Line">Its line in the cell, from 1.</param>
/// <param name="Name">Without <c>#!</c>.</param>
/// <param name="Argument">The rest of the line.</param>
/// <param name="Language">The language around it, to which it applies.</param>
internal sealed record DirectivePart(int Line, string Name, string Argument, string Language = CellPlan.CSharp) : CellPart(Line);

/// <summary>Reads the directives of a cell. Lines inside strings and comments are not directives.</summary>
internal sealed partial class CellPlan
{
    public const string CSharp = "csharp";

    public const string FSharp = "fsharp";

    public static readonly CSharpParseOptions ParseOptions = new(LanguageVersion.CSharp14, DocumentationMode.None, SourceCodeKind.Script);

    /// <summary>Languages known without a connection, by the names that notebooks use.</summary>
    public static readonly IReadOnlyDictionary<string, string> Languages = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
    {
        [CSharp] = CSharp,
        ["c#"] = CSharp,
        ["cs"] = CSharp,
        [FSharp] = FSharp,
        ["f#"] = FSharp,
        ["fs"] = FSharp,
        ["html"] = "html",
        ["markdown"] = "markdown",
        ["md"] = "markdown",
        ["javascript"] = "javascript",
        ["js"] = "javascript",
        ["mermaid"] = "mermaid",
    };

    /// <summary>Languages that are shown, not run: their cells are plain text.</summary>
    public static readonly IReadOnlySet<string> Shown = new HashSet<string>(StringComparer.Ordinal) { "html", "markdown", "javascript", "mermaid" };

    /// <summary>All directives and what they do, for #!lsmagic and error messages.</summary>
    public static readonly IReadOnlyList<(string Name, string Use)> Directives =
    [
        ("#r \"file.dll\"", "reference an assembly: a path, or the name of one in the kernel's folder"),
        ("#r \"nuget: Name, Version\"", "reference a NuGet package"),
        ("#i \"nuget: source\"", "also look for packages in another feed or folder"),
        ("#load \"file.csx\"", "compile a script file as part of the cell"),
        ("#!import file", "run the cells of a notebook (.ipynb, .dib) or a script (.cs, .csx)"),
        ("#!time", "show how long the cell took"),
        ("#!who", "list the variables of all languages"),
        ("#!whos", "list them with types and values"),
        ("#!share --from language name", "pass a variable of another language to the one around this line; --as other: under another name"),
        ("#!set --name x --value v", "set a variable there: @language:name, a number, \"a text\", JSON, or @input:question"),
        ("#!connect jupyter --kernel-name python --kernel-spec python3", "start another Jupyter kernel; #!python then switches to it"),
        ("#!csharp", "what follows is C#"),
        ("#!fsharp", "what follows is F#"),
        ("#!html", "what follows is HTML, to be shown"),
        ("#!markdown", "what follows is Markdown, to be shown"),
        ("#!javascript", "what follows is JavaScript, to be run by the front end"),
        ("#!mermaid", "what follows is a Mermaid diagram"),
        ("#!lsmagic", "list these directives"),
    ];

    private static readonly HashSet<string> OtherKernels = new(StringComparer.OrdinalIgnoreCase) { "python", "r", "julia" };

    // For each line that looks like a directive, the compiler reads all lines before it.
    private const int MostDirectives = 500;

    private static readonly HashSet<string> Known = new(StringComparer.OrdinalIgnoreCase)
    {
        "import",
        "time",
        "who",
        "whos",
        "lsmagic",
        "about",
        "share",
        "set",
        "connect",
    };

    /// <summary>Splits a cell into parts.</summary>
    /// <param name="source">The cell.</param>
    /// <param name="languages">Languages it may switch to, by name; null: <see cref="Languages"/>. A <c>#!connect</c> in the cell adds its own.</param>
    /// <exception cref="CellException">A directive is unknown or lacks its argument; or the code is too long or nested too deeply.</exception>
    public static IReadOnlyList<CellPart> Parse(string source, IReadOnlyDictionary<string, string>? languages = null)
    {
        string[] lines = source.ReplaceLineEndings("\n").Split('\n');
        List<CellPart> parts = [];
        LineReader reader = new(languages ?? Languages, source.Contains('#', StringComparison.Ordinal));
        List<string> current = [];
        int start = 1;
        for (int i = 0; i < lines.Length; i++)
        {
            string language = reader.Language;
            switch (reader.Read(lines[i], i + 1, current))
            {
                case { Kind: LineKind.Switch }:
                    Close(language, i + 2);
                    break;
                case { Kind: LineKind.Directive } line:
                    Close(language, i + 2);
                    parts.Add(new DirectivePart(i + 1, line.Name, line.Argument, language));
                    break;
                case { Kind: LineKind.Reference } line:
                    parts.Add(new DirectivePart(i + 1, line.Name, line.Argument, language));
                    // Replaced by an empty line, so that line numbers stay the same.
                    current.Add("");
                    break;
                default:
                    current.Add(lines[i]);
                    break;
            }
        }

        Close(reader.Language, lines.Length + 1);
        // References come first, wherever they are written: the compiler needs them before any code.
        return [.. parts.Where(p => p is DirectivePart { Name: "r" or "i" }), .. parts.Where(p => p is not DirectivePart { Name: "r" or "i" })];

        void Close(string language, int nextStart)
        {
            string text = string.Join('\n', current);
            if (!string.IsNullOrWhiteSpace(text))
            {
                if (language == CSharp)
                    CodeNesting.RequireForParser(text);
                parts.Add(new CodePart(start, Shown.Contains(language) ? text.Trim('\n') : new string('\n', start - 1) + text, language));
            }

            current.Clear();
            start = nextStart;
        }
    }

    /// <summary>The cell as the language at a position sees it: directives and lines of other languages are blank.</summary>
    /// <param name="source">The cell.</param>
    /// <param name="position">Index in UTF-16 units. The returned text is as long as the cell, so the position stays valid.</param>
    /// <param name="languages">As for <see cref="Parse"/>.</param>
    /// <exception cref="CellException">As for <see cref="Parse"/>.</exception>
    public static (string Language, string Text) At(string source, int position, IReadOnlyDictionary<string, string>? languages = null)
    {
        string[] lines = source.Split('\n');
        LineReader reader = new(languages ?? Languages, source.Contains('#', StringComparison.Ordinal));
        List<string> current = [];
        (string Language, string Line)[] seen = new (string, string)[lines.Length];
        string? here = null;
        for (int i = 0, at = 0; i < lines.Length; at += lines[i].Length + 1, i++)
        {
            string language = reader.Language;
            LineKind kind;
            try
            {
                kind = reader.Read(lines[i], i + 1, current).Kind;
            }
            catch (CellException e) when (e.Name == "DirectiveError")
            {
                // Perhaps half written: running the cell will report what is wrong. In any case it is not code.
                kind = LineKind.Directive;
            }

            if (kind == LineKind.Text)
                current.Add(lines[i]);
            else if (kind != LineKind.Reference)
                current.Clear();
            // The compiler reads references itself.
            bool keep = kind == LineKind.Text || (kind == LineKind.Reference && language == CSharp);
            seen[i] = (language, keep ? lines[i] : new string(' ', lines[i].Length));
            if (here is null && (position <= at + lines[i].Length || i == lines.Length - 1))
                here = language;
        }

        return (here!, string.Join('\n', seen.Select(l => l.Language == here ? l.Line : new string(' ', l.Line.Length))));
    }

    private enum LineKind
    {
        Text,
        Switch,
        Directive,
        Reference,
    }

    private readonly record struct LineMeaning(LineKind Kind, string Name = "", string Argument = "");

    /// <summary>Classifies the lines of a cell, from first to last.</summary>
    private sealed class LineReader(IReadOnlyDictionary<string, string> languages, bool mightHoldDirectives)
    {
        private readonly Dictionary<string, string> _connected = new(StringComparer.OrdinalIgnoreCase);
        private int _directives;

        /// <summary>Language of the next line.</summary>
        public string Language { get; private set; } = CSharp;

        /// <param name="line">The line.</param>
        /// <param name="number">From 1.</param>
        /// <param name="before">Earlier lines of the same part.</param>
        public LineMeaning Read(string line, int number, List<string> before)
        {
            Match match = mightHoldDirectives ? Line().Match(line) : Match.Empty;
            if (!match.Success)
                return default;
            if (++_directives > MostDirectives)
                throw new CellException(
                    "DirectiveError",
                    $"Line {number}: a cell may have at most {MostDirectives} directives (lines that begin with #! or #r)."
                );
            (string kind, string name, string argument) = (match.Groups["kind"].Value, match.Groups["name"].Value, match.Groups["argument"].Value.Trim());
            // Strings and comments of other languages are not recognised.
            bool free = Language != CSharp || IsDirective(before, line);
            if (kind == "!" && argument.Length == 0 && (languages.TryGetValue(name, out string? next) || _connected.TryGetValue(name, out next)) && free)
            {
                Language = next;
                return new LineMeaning(LineKind.Switch);
            }

            if (!free || Shown.Contains(Language))
                return default;
            if (kind == "!")
            {
                if (!Known.Contains(name))
                {
                    // For example a comment in Python.
                    if (Language is not (CSharp or FSharp))
                        return default;
                    throw Unknown(name, number);
                }

                name = name.ToLowerInvariant();
                if (name == "connect" && DirectiveOptions.Read(argument, name, number).Find("kernel-name") is { } connected)
                    _connected[connected] = connected;
                return new LineMeaning(LineKind.Directive, name, name == "import" ? Unquote(argument) : argument);
            }

            if (Language is not (CSharp or FSharp))
                return default;
            Match quoted = Quoted().Match(argument.TrimStart('@'));
            if (!quoted.Success)
                throw new CellException(
                    "DirectiveError",
                    $"Line {number}: #{kind} needs its argument in quotes: #{kind} \"file.dll\" or #{kind} \"nuget: Name, Version\"."
                );
            return new LineMeaning(LineKind.Reference, kind, quoted.Groups[1].Value);
        }
    }

    private static CellException Unknown(string name, int line) =>
        new(
            "DirectiveError",
            $"Line {line}: #!{name} is not known "
                + $"here{(OtherKernels.Contains(name) ? $" before #!connect jupyter --kernel-name {name} --kernel-spec ... has started it" : "")}. Known "
                + $"directives: {string.Join(", ", Directives.Select(d => d.Name.Split(' ')[0]).Where(n => n.StartsWith("#!", StringComparison.Ordinal)))}."
        );

    // The compiler decides whether the line starts outside strings, comments and disabled code.
    private static bool IsDirective(List<string> before, string line)
    {
        StringBuilder text = new();
        foreach (string earlier in before)
            text.Append(earlier).Append('\n');
        int at = text.Length + line.IndexOf('#', StringComparison.Ordinal);
        if (text.Length == 0)
            return true;
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
