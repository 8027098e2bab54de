using System.Globalization;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using NullTextResearch.Kernel.Engine;

namespace NullTextResearch.Kernel.Language;

/// <summary>
/// How deep code is nested, found without recursion. The compiler goes down by recursion that often has no limit of its own, and a stack that overflows
/// ends the process with all variables; so what is nested absurdly is refused before the compiler sees it: brackets, type arguments, holes of
/// interpolated strings and chains of ?. before the parser does (it watches its stack elsewhere), and whatever else makes a deep tree, such as a chain of
/// calls or assignments, before the rest of the compiler does.
/// </summary>
/// <remarks>
/// The first is a scan of tokens: it knows strings of every kind, characters and comments. Where it cannot know (whether &lt; opens type arguments) it
/// counts too much, never too little. The second is the depth of the parsed tree.
/// </remarks>
internal sealed class CodeNesting
{
    /// <summary>The ename of the error.</summary>
    public const string ErrorName = "CodeRefused";

    /// <summary>Code that people and programs write stays below 50.</summary>
    public const int Most = 250;

    /// <summary>
    /// Nodes of the tree from top to bottom. [measured on Roslyn 5: compiling ends the process at 20,000 for calls, assignments, ifs, awaits ...]
    /// </summary>
    public const int MostLevels = 500;

    /// <summary>Characters of one cell.</summary>
    public const int MostLength = 4_000_000;

    private readonly string _code;
    private readonly Stack<Level> _open = [];
    private int _at;

    // Opened < that may be type arguments, and links of ?. in the expression at hand: neither has an end that the scan could see.
    private int _angles;
    private int _links;

    private CodeNesting(string code) => _code = code;

    /// <summary>Throws where the parser should not see a text.</summary>
    /// <exception cref="CellException">It is nested too deeply, or too long.</exception>
    public static void RequireForParser(string code)
    {
        if (ParserFault(code) is { } fault)
            throw new CellException(ErrorName, fault);
    }

    /// <summary>Throws where the compiler should not see a text.</summary>
    /// <exception cref="CellException">It is nested too deeply, or too long.</exception>
    public static void RequireForCompiler(string code)
    {
        if (CompilerFault(code) is { } fault)
            throw new CellException(ErrorName, fault);
    }

    /// <summary>Why the compiler should not see a text; null if it may.</summary>
    public static string? CompilerFault(string code)
    {
        if (ParserFault(code) is { } fault)
            return fault;
        SyntaxTree tree = CSharpSyntaxTree.ParseText(code, CellPlan.ParseOptions);
        return FirstTooDeep(tree.GetRoot()) is { } node
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"Line {tree.GetLineSpan(node.Span).StartLinePosition.Line + 1}: the code is nested more than {MostLevels} levels deep; the compiler "
                    + $"cannot go down there. Split the expression or statement into several."
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
            // Sums, conditions and patterns of many operands the compiler takes one after the other.
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

    /// <summary>Why the parser should not see a text; null if it may.</summary>
    public static string? ParserFault(string code)
    {
        if (code.Length > MostLength)
            return string.Create(
                CultureInfo.InvariantCulture,
                $"The code has {code.Length:#,0} characters; a cell takes {MostLength:#,0}. Read large data from a file."
            );
        return (new CodeNesting(code).FirstTooDeep() ?? InDisabledCode(code)) is { } at
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"Line {code.AsSpan(0, Math.Min(at, code.Length)).Count('\n') + 1}: brackets, type arguments or chains of ?. are nested more than {Most} "
                    + $"deep; the compiler cannot go down there. Split the expression into several."
            )
            : null;
    }

    // What the compiler skips between #if and #endif need not be code: a quote or comment that begins there hides from the scan what comes after it. In
    // such a text every bracket counts, wherever it stands.
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

    // Index of the first place that is too deep, or null.
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
                // The format behind a value in a string is text up to the brace.
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
        // What cannot stand among type arguments ends them.
        if (c is ';' or '{' or '}' or '=' or '&' or '|' or '!' or '+' or '-' or '/' or '%' or '^' or '~' or '"')
            _angles = 0;
    }

    // At the first of $, @ and " that begin a string; at its last character afterwards, or in its text where it has holes.
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
        // A raw string goes over several lines only where nothing stands behind its quotes.
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

    // Conditions have brackets and ! of their own; in the rest of such a line a quote is none.
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

        // Not over the line end, which the loop over the code steps over.
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
                // Two are one quote of the text.
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
            // Not ended: for the compiler, too, the line is its end.
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

    /// <summary>Something open: a bracket, or a string.</summary>
    private readonly record struct Level(char Opened)
    {
        /// <summary>A string, whose text is read.</summary>
        public bool IsText { get; init; }

        /// <summary>The braces of a value inside a string.</summary>
        public bool IsHole { get; init; }

        public int Dollars { get; init; }

        public bool IsVerbatim { get; init; }

        /// <summary>May go over several lines; another ends with its line.</summary>
        public bool HasLines { get; init; }

        /// <summary>Quotes that enclose a raw string; 0 for others.</summary>
        public int Quotes { get; init; }
    }
}
