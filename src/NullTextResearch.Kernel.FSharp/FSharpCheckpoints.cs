using System.Globalization;
using System.Text;
using FSharp.Compiler.CodeAnalysis;
using FSharp.Compiler.Syntax;
using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;
using NullTextResearch.Kernel.Engine;
using Range = FSharp.Compiler.Text.Range;

namespace NullTextResearch.Kernel.FSharp;

/// <summary>
/// Inserts a call of <see cref="Checkpoint.Pass"/> into loops, functions and lambdas of a cell, so that it can be stopped even if it does not wait.
/// Indentation is part of F#'s syntax: if a body begins on its own line, the call goes on a separate line above it, with a directive that restores the line
/// number; before a one-line body, it goes on the same line.
/// </summary>
/// <remarks>
/// Not changed: bodies that begin in the middle of a line and span several lines, and quotations, whose code is data.
/// </remarks>
internal static class FSharpCheckpoints
{
    private const string Namespace = "global.NullTextResearch.Kernel.Engine." + nameof(Checkpoint) + ".";
    private const string Pass = Namespace + nameof(Checkpoint.Pass) + "()";
    private const string Begin = Namespace + nameof(Checkpoint.Begin) + "()";

    /// <summary>A cell with only the call that every cell begins with.</summary>
    public static string Plain(string code, string name) => $"{Begin}\n{Place(1, name)}\n{code}";

    /// <summary>A cell with all calls; same as <see cref="Plain"/> if none is needed or its text cannot be parsed.</summary>
    /// <param name="code">The cell.</param>
    /// <param name="name">Its name in messages.</param>
    /// <param name="parse">The parser.</param>
    public static string Write(string code, string name, Func<string, FSharpParseFileResults> parse)
    {
        FSharpParseFileResults parsed = parse(code);
        if (HasErrors(parsed))
            return Plain(code, name);
        string[] lines = code.Split('\n');
        Places places = new(lines);
        ParsedInputModule.fold(FuncConvert.FromFunc<Places, FSharpList<SyntaxNode>, SyntaxNode, Places>(Visit), places, parsed.ParseTree);
        if (places.IsEmpty)
            return Plain(code, name);
        string written = Plain(places.Apply(name), name);
        return HasErrors(parse(written)) ? Plain(code, name) : written;
    }

    private static bool HasErrors(FSharpParseFileResults parsed) => parsed.Diagnostics.Any(d => d.Severity.IsError);

    private static string Place(int line, string name) =>
        string.Create(CultureInfo.InvariantCulture, $"# {line} \"{name.Replace('\\', '/').Replace('"', '\'')}\"");

    private static Places Visit(Places places, FSharpList<SyntaxNode> path, SyntaxNode node)
    {
        if (path.Any(n => n is SyntaxNode.SynExpr { Item: SynExpr.Quote }))
            return places;
        switch (node)
        {
            case SyntaxNode.SynExpr { Item: SynExpr.While loop }:
                places.Add(loop.doExpr, isLoop: true);
                break;
            case SyntaxNode.SynExpr { Item: SynExpr.WhileBang loop }:
                places.Add(loop.doExpr, isLoop: true);
                break;
            case SyntaxNode.SynExpr { Item: SynExpr.For loop }:
                places.Add(loop.doBody, isLoop: true);
                break;
            case SyntaxNode.SynExpr { Item: SynExpr.ForEach loop }:
                places.Add(loop.bodyExpr, isLoop: true);
                break;
            case SyntaxNode.SynExpr { Item: SynExpr.Lambda { body: not SynExpr.Lambda } function }:
                places.Add(function.body, isLoop: false);
                break;
            case SyntaxNode.SynExpr { Item: SynExpr.MatchLambda function }:
                foreach (SynMatchClause clause in function.matchClauses)
                    places.Add(clause.resultExpr, isLoop: false);
                break;
            case SyntaxNode.SynBinding { Item: { headPat: SynPat.LongIdent { argPats: var arguments } } binding }
                when arguments is not SynArgPats.Pats { pats.IsEmpty: true }:
                places.Add(binding.expr, isLoop: false);
                break;
        }

        return places;
    }

    /// <summary>Where calls go.</summary>
    private sealed class Places(string[] lines)
    {
        private readonly Dictionary<int, int> _above = [];
        private readonly List<(int Line, int Column, string Text)> _inside = [];
        private readonly HashSet<(int, int)> _known = [];

        public bool IsEmpty => _known.Count == 0;

        public void Add(SynExpr body, bool isLoop)
        {
            while (body is SynExpr.Typed typed)
                body = typed.expr;
            Range range = body.Range;
            int line = range.StartLine - 1,
                column = range.StartColumn;
            if (line < 0 || line >= lines.Length || column > lines[line].Length || range.EndLine > lines.Length || !_known.Add((line, column)))
                return;
            if (string.IsNullOrWhiteSpace(lines[line][..column]))
            {
                _above.TryAdd(line, column);
            }
            else if (range.EndLine == range.StartLine)
            {
                // In a list built by a loop, parentheses would change what is an item.
                _inside.Add((line, column, isLoop ? $"{Pass}; " : $"({Pass}; "));
                if (!isLoop)
                    _inside.Add((line, range.EndColumn, ")"));
            }
            else
            {
                _known.Remove((line, column));
            }
        }

        public string Apply(string name)
        {
            string[] written = [.. lines];
            // From right to left. Of two insertions at one position, the outer one, visited first, comes first, but its closing parenthesis last.
            foreach (IGrouping<int, (int Line, int Column, string Text)> inLine in _inside.GroupBy(i => i.Line))
            {
                StringBuilder text = new(lines[inLine.Key]);
                foreach (
                    (_, int column, string insertion) in inLine
                        .Where(i => i.Text != ")")
                        .Reverse()
                        .Concat(inLine.Where(i => i.Text == ")"))
                        .OrderByDescending(i => i.Column)
                        .ThenBy(i => i.Text == ")" ? 1 : 0)
                )
                    text.Insert(column, insertion);
                written[inLine.Key] = text.ToString();
            }

            StringBuilder all = new();
            for (int i = 0; i < written.Length; i++)
            {
                if (_above.TryGetValue(i, out int column))
                    all.Append(lines[i][..column]).Append(Pass).Append('\n').Append(Place(i + 1, name)).Append('\n');
                all.Append(written[i]);
                if (i + 1 < written.Length)
                    all.Append('\n');
            }

            return all.ToString();
        }
    }
}
