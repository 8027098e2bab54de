using System.Globalization;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using NullTextResearch.Kernel.Engine;

namespace NullTextResearch.Kernel.Language;

/// <summary>
/// Measures how deeply code is nested, without recursion. The compiler recurses, often without a limit, and a stack overflow ends the process with all
/// variables. So absurdly nested code is refused before the compiler sees it. Brackets, type arguments, holes of interpolated strings and chains of ?. are
/// checked before the parser runs (elsewhere it watches its stack). Anything else that makes a deep tree, such as a chain of calls or assignments, is
/// checked before the rest of the compiler runs.
/// </summary>
/// <remarks>
/// The first check scans tokens: it knows strings of every kind, characters and comments. If it cannot decide (whether &lt; opens type arguments), it
/// counts too much, never too little. The second check measures the depth of the parsed tree.
/// </remarks>
internal sealed class CodeNesting
{
    /// <summary>The ename of the error.</summary>
    public const string ErrorName = "CodeRefused";

    /// <summary>Deepest nesting allowed. Code written by people and programs stays below 50.</summary>
    public const int Most = 250;

    /// <summary>
    /// Deepest syntax tree allowed, in nodes from top to bottom. [measured on Roslyn 5: compiling ends the process at 20,000 for calls, assignments, ifs,
    /// awaits ...]
    /// </summary>
    public const int MostLevels = 500;

    /// <summary>Most characters of one cell.</summary>
    public const int MostLength = 4_000_000;

    private readonly string _code;
    private readonly Stack<Level> _open = [];
    private int _at;

    // Open < that may begin type arguments, and links of ?. in the current expression. The scan cannot see where either ends.
    private int _angles;
    private int _links;

    private CodeNesting(string code) => _code = code;

    /// <summary>Throws if the parser must not see a text.</summary>
    /// <exception cref="CellException">The text is nested too deeply or is too long.</exception>
    public static void RequireForParser(string code)
    {
        if (ParserFault(code) is { } fault)
            throw new CellException(ErrorName, fault);
    }

    /// <summary>Throws if the compiler must not see a text.</summary>
    /// <exception cref="CellException">The text is nested too deeply or is too long.</exception>
    public static void RequireForCompiler(string code)
    {
        if (CompilerFault(code) is { } fault)
            throw new CellException(ErrorName, fault);
    }

    /// <summary>Why the compiler must not see a text; null if it may.</summary>
    public static string? CompilerFault(string code)
    {
        if (ParserFault(code) is { } fault)
            return fault;
        SyntaxTree tree = CSharpSyntaxTree.ParseText(code, CellPlan.ParseOptions);
        return FirstTooDeep(tree.GetRoot()) is { } node
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"Line {tree.GetLineSpan(node.Span).StartLinePosition.Line + 1}: the code is nested more than {MostLevels} levels deep; the compiler "
                    + $"cannot handle that. Split the expression or statement into several."
            )
            : null;
    }

    private static SyntaxNode? FirstTooDeep(SyntaxNode root)
    {
        Stack<(SyntaxNode Node, int Depth)> left = [];
        left.Push((root, 0));
        while (left.TryPop(out (SyntaxNode Node, int Depth) item))
        {
            if (item.Depth > MostLevels)
                return item.Node;
            // The compiler processes sums, conditions and patterns with many operands iteratively.
            SyntaxNode? inTurn = item.Node switch
            {
                BinaryExpressionSyntax binary
                    when !binary.IsKind(SyntaxKind.CoalesceExpression) && !binary.IsKind(SyntaxKind.AsExpression) && !binary.IsKind(SyntaxKind.IsExpression) =>
                    binary.Left,
                BinaryPatternSyntax pattern => pattern.Left,
                _ => null,
            };
            foreach (SyntaxNode child in item.Node.ChildNodes())
                left.Push((child, child == inTurn ? item.Depth : item.Depth + 1));
        }

        return null;
    }

    /// <summary>Why the parser must not see a text; null if it may.</summary>
    public static string? ParserFault(string code)
    {
        if (code.Length > MostLength)
            return string.Create(
                CultureInfo.InvariantCulture,
                $"The code has {code.Length:#,0} characters; a cell may have at most {MostLength:#,0}. Read large data from a file."
            );
        return (new CodeNesting(code).FirstTooDeep() ?? InDisabledCode(code)) is { } at
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"Line {code.AsSpan(0, Math.Min(at, code.Length)).Count('\n') + 1}: brackets, type arguments or chains of ?. are nested more than {Most} "
                    + $"deep; the compiler cannot handle that. Split the expression into several."
            )
            : null;
    }

    // Text that the compiler skips between #if and #endif need not be code: a quote or comment that begins there hides what follows from the scan. If a
    // text has such directives, every bracket counts, wherever it is.
    private static int? InDisabledCode(string code)
    {
        if (
            !code.Contains('#', StringComparison.Ordinal)
            || !code.Split('\n').Any(l => l.AsSpan().TrimStart().StartsWith("#") && l.Contains("if", StringComparison.Ordinal))
        )
            return null;
        int depth = 0,
            angles = 0,
            links = 0;
        for (int at = 0; at < code.Length; at++)
        {
            char c = code[at];
            if (c is '(' or '[' or '{')
                depth++;
            else if (c is ')' or ']' or '}')
                depth = Math.Max(0, depth - 1);
            else if (c == '<')
                angles++;
            else if (c == '?')
                links++;
            if (c is ';' or '{' or '}')
                (angles, links) = (0, 0);
            if (depth > Most || angles > Most || links > Most)
                return at;
        }

        return null;
    }

    // Index of the first position that is too deep, or null.
    private int? FirstTooDeep()
    {
        for (; _at < _code.Length; _at++)
        {
            if (_open.TryPeek(out Level top) && top.IsText)
                InText(top);
            else
                InCode();
            if (_open.Count + _angles > Most || _links > Most)
                return _at;
        }

        return null;
    }

    private char Next => _at + 1 < _code.Length ? _code[_at + 1] : '\0';

    private void InCode()
    {
        char c = _code[_at];
        switch (c)
        {
            case '/' when Next == '/':
                SkipTo(_code.IndexOf('\n', _at));
                return;
            case '/' when Next == '*':
                SkipTo(_code.IndexOf("*/", _at + 2, StringComparison.Ordinal) is >= 0 and int end ? end + 1 : -1);
                return;
            case '#' when IsFirstOfLine():
                Directive();
                return;
            case '\'':
                // The compiler, too, reads up to the next quote or the end of the line.
                _open.Push(new Level('\'') { IsText = true });
                break;
            case '"' or '$' or '@':
                String();
                break;
            case '(' or '[' or '{':
                _open.Push(new Level(c));
                break;
            case ')' or ']' or '}':
                if (_open.Count > 0)
                    _open.Pop();
                break;
            case ':' when _open.TryPeek(out Level top) && top.IsHole && Next != ':':
                // The format after a value in an interpolated string is text up to the brace.
                int brace = _code.IndexOfAny(['}', '\n'], _at);
                SkipTo(brace < 0 ? -1 : brace - 1);
                return;
            case '<':
                _angles++;
                break;
            case '>' when _angles > 0:
                _angles--;
                break;
            case '?' when Next is '.' or '[':
                _links++;
                break;
        }

        if (c is ';' or '{' or '}')
            _links = 0;
        // A character that cannot occur in type arguments ends them.
        if (c is ';' or '{' or '}' or '=' or '&' or '|' or '!' or '+' or '-' or '/' or '%' or '^' or '~' or '"')
            _angles = 0;
    }

    // Called at the first $, @ or " of a string. Afterwards at the last character of an empty string, else at the last opening quote.
    private void String()
    {
        int at = _at,
            dollars = 0;
        bool verbatim = false;
        for (; at < _code.Length && _code[at] is '$' or '@'; at++)
        {
            dollars += _code[at] == '$' ? 1 : 0;
            verbatim |= _code[at] == '@';
        }

        if (at >= _code.Length || _code[at] != '"')
        {
            // @name, or a stray $.
            _at = at - 1;
            return;
        }

        int quotes = Run('"', at);
        if (quotes == 2 && !verbatim)
        {
            _at = at + 1;
            return;
        }

        int raw = quotes >= 3 && !verbatim ? quotes : 0;
        _at = at + Math.Max(raw, 1) - 1;
        int end = _code.IndexOf('\n', _at);
        // A raw string spans several lines only if nothing follows its opening quotes.
        bool lines = verbatim || (raw > 0 && _code.AsSpan(_at + 1, (end < 0 ? _code.Length : end) - _at - 1).IsWhiteSpace());
        _open.Push(
            new Level('"')
            {
                IsText = true,
                Dollars = dollars,
                IsVerbatim = verbatim,
                Quotes = raw,
                HasLines = lines,
            }
        );
    }

    private bool IsFirstOfLine()
    {
        int at = _at - 1;
        while (at >= 0 && _code[at] is ' ' or '\t')
            at--;
        return at < 0 || _code[at] == '\n';
    }

    // Conditions have their own brackets and !. Quotes in such a line do not begin a string.
    private void Directive()
    {
        int end = _code.IndexOf('\n', _at),
            nested = 0;
        if (end < 0)
            end = _code.Length;
        for (; _at < end && nested <= Most; _at++)
        {
            if (_code[_at] is '(' or '!')
                nested++;
        }

        // Stop before the line end: the main loop steps over it.
        if (nested <= Most)
            _at--;
        else
            _links = nested;
    }

    private void InText(Level text)
    {
        char c = _code[_at];
        if (c == text.Opened && c == '\'')
        {
            _open.Pop();
        }
        else if (c == text.Opened)
        {
            int quotes = Run('"', _at);
            if (text.Quotes > 0)
            {
                if (quotes >= text.Quotes)
                    _open.Pop();
                _at += quotes - 1;
            }
            else if (text.IsVerbatim)
            {
                // Two quotes stand for one in the text.
                if (quotes % 2 == 1)
                    _open.Pop();
                _at += quotes - 1;
            }
            else
            {
                _open.Pop();
            }
        }
        else if (c == '\n' && !text.HasLines)
        {
            // Unterminated: for the compiler, too, it ends with the line.
            _open.Pop();
        }
        else if (c == '\\' && text.Quotes == 0 && !text.IsVerbatim)
        {
            if (Next != '\n')
                _at++;
        }
        else if (c == '{' && text.Dollars > 0)
        {
            int braces = Run('{', _at),
                needed = text.Quotes > 0 ? text.Dollars : 1;
            bool opens = text.Quotes > 0 ? braces >= needed : braces % 2 == 1;
            if (opens)
                _open.Push(new Level('{') { IsHole = true });
            _at += braces - 1;
        }
    }

    private int Run(char c, int from)
    {
        int at = from;
        while (at < _code.Length && _code[at] == c)
            at++;
        return at - from;
    }

    private void SkipTo(int index) => _at = index < 0 ? _code.Length : index;

    /// <summary>An open bracket or string.</summary>
    private readonly record struct Level(char Opened)
    {
        /// <summary>True for a string whose text is being read.</summary>
        public bool IsText { get; init; }

        /// <summary>True for the braces of a value inside a string.</summary>
        public bool IsHole { get; init; }

        public int Dollars { get; init; }

        public bool IsVerbatim { get; init; }

        /// <summary>True for a string that may span several lines; any other ends with its line.</summary>
        public bool HasLines { get; init; }

        /// <summary>Number of quotes that enclose a raw string; 0 for other strings.</summary>
        public int Quotes { get; init; }
    }
}
