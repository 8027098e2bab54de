using System.Xml;
using FSharp.Compiler.CodeAnalysis;
using FSharp.Compiler.Diagnostics;
using FSharp.Compiler.EditorServices;
using FSharp.Compiler.Symbols;
using FSharp.Compiler.Text;
using FSharp.Compiler.Tokenization;
using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Control;
using Microsoft.FSharp.Core;
using NullTextResearch.Kernel.Engine;
using static FSharp.Compiler.Interactive.Shell;

namespace NullTextResearch.Kernel.FSharp;

/// <summary>Completion, inspection and parsing of F# cells, based on the current state of the session.</summary>
internal sealed class FSharpService(FsiEvaluationSession fsi)
{
    private const string File = "cell.fsx";
    private const int MostItems = 1000;

    // The text ends inside a string, a comment or a directive: the error is reported at its start.
    private static readonly int[] Unended = [513, 514, 515, 516, 517, 518, 519, 520, 1232];

    private readonly FSharpParsingOptions _options = fsi
        .InteractiveChecker.GetParsingOptionsFromCommandLineArgs(ListModule.OfSeq([File]), ListModule.OfSeq<string>([]), FSharpOption<bool>.Some(true), null)
        .Item1;

    /// <summary>The syntax tree of a text.</summary>
    public FSharpParseFileResults Parse(string code) =>
        FSharpAsync.RunSynchronously(
            fsi.InteractiveChecker.ParseFile(File, SourceText.ofString(code), _options, FSharpOption<bool>.Some(false), null),
            null,
            null
        );

    /// <summary>The compiler's diagnostics for a text, without running it.</summary>
    public FSharpDiagnostic[] Check(string code, string name) => fsi.ParseAndCheckInteraction($"# 1 \"{name}\"\n{code}", null).Item2.Diagnostics;

    /// <summary>Completions at the position.</summary>
    public Completions Complete(string code, int position)
    {
        (int line, int column, string text) = At(code, position);
        (FSharpParseFileResults parsed, FSharpCheckFileResults check, _) = fsi.ParseAndCheckInteraction(code, null);
        PartialLongName partial = QuickParse.GetPartialLongNameEx(text, column - 1);
        string prefix = partial.PartialIdent;
        DeclarationListInfo found = check.GetDeclarationListInfo(FSharpOption<FSharpParseFileResults>.Some(parsed), line, text, partial, null, null, null);
        IEnumerable<Completion> items = found
            .Items.Where(i => i.NameInList.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))
            .Select(i => new Completion(i.NameInCode, Kind(i.Glyph)));
        if (partial.QualifyingIdents.IsEmpty && prefix.Length > 0)
            items = items.Concat(
                FSharpKeywords.KeywordNames.Where(k => k.StartsWith(prefix, StringComparison.Ordinal)).Select(k => new Completion(k, "keyword"))
            );
        return new Completions(
            position - prefix.Length,
            position,
            [
                .. items
                    // Items that match the typed case come first.
                    .OrderBy(i => i.Text.StartsWith(prefix, StringComparison.Ordinal) ? 0 : 1)
                    .ThenBy(i => i.Text, StringComparer.OrdinalIgnoreCase)
                    .DistinctBy(i => i.Text)
                    .Take(MostItems),
            ]
        );
    }

    /// <summary>Signature and documentation of the symbol at the position, or null if there is none.</summary>
    public string? Inspect(string code, int position)
    {
        (int line, int column, string text) = At(code, position);
        if (QuickParse.GetCompleteIdentifierIsland(true, text, column) is not { } island)
            return null;
        (string name, int end, _) = island.Value;
        FSharpCheckFileResults check = fsi.ParseAndCheckInteraction(code, null).Item2;
        ToolTipText tip = check.GetToolTip(line, end, text, ListModule.OfSeq(name.Split('.')), FSharpTokenTag.Identifier, null);
        string said = string.Join(
            "\n\n",
            tip.Item.OfType<ToolTipElement.Group>().SelectMany(g => g.elements).Select(Text).Where(t => t.Length > 0).Distinct().Take(12)
        );
        return said.Length == 0 ? null : said;
    }

    /// <summary>Whether a console should run the text or ask for more lines.</summary>
    public Completeness IsComplete(string code)
    {
        FSharpDiagnostic[] errors = [.. Parse(code).Diagnostics.Where(d => d.Severity.IsError)];
        if (errors.Length == 0)
            return new Completeness("complete", "");
        string[] lines = code.TrimEnd().Split('\n');
        string last = lines[^1];
        // More lines can fix what is missing at the end, but not an error before it.
        bool isAtEnd = errors.All(e =>
            Unended.Contains(e.ErrorNumber) || e.EndLine > lines.Length || (e.EndLine == lines.Length && e.EndColumn >= last.Length) || IsOpenBracket(e)
        );
        // No further line can fix a wrong closing bracket.
        if (!isAtEnd || (last[^1] is ')' or ']' or '}' && errors.Any(e => e.Message.StartsWith("Unexpected symbol", StringComparison.Ordinal))))
            return new Completeness("invalid", "");
        string indent = last[..(last.Length - last.TrimStart().Length)];
        return new Completeness(
            "incomplete",
            last.EndsWith('=') || last.EndsWith("->", StringComparison.Ordinal) || last.EndsWith(" do", StringComparison.Ordinal) || last.EndsWith('{')
                ? indent + "    "
                : indent
        );
    }

    // The error is at the bracket. Each kind has its own number, but all messages begin alike.
    private static bool IsOpenBracket(FSharpDiagnostic error) => error.Message.StartsWith("Unmatched '", StringComparison.Ordinal);

    private static (int Line, int Column, string Text) At(string code, int position)
    {
        int start = position == 0 ? 0 : code.LastIndexOf('\n', position - 1) + 1;
        int end = code.IndexOf('\n', position);
        return (code.AsSpan(0, start).Count('\n') + 1, position - start, (end < 0 ? code[start..] : code[start..end]).TrimEnd('\r'));
    }

    private static string Text(ToolTipElementData element)
    {
        string signature = string.Concat(element.MainDescription.Select(t => t.Text)).Trim();
        string about = element.XmlDoc switch
        {
            FSharpXmlDoc.FromXmlText { Item: var doc } => Plain(string.Join('\n', doc.UnprocessedLines)),
            FSharpXmlDoc.FromXmlFile doc => FromFile(System.IO.Path.ChangeExtension(doc.dllName, ".xml"), doc.xmlSig),
            _ => "",
        };
        return about.Length == 0 ? signature : $"{signature}\n{about}";
    }

    private static string FromFile(string path, string member)
    {
        if (!System.IO.File.Exists(path))
            return "";
        using XmlReader reader = XmlReader.Create(path);
        while (reader.ReadToFollowing("member"))
        {
            if (reader.GetAttribute("name") == member)
                return Plain(reader.ReadInnerXml());
        }

        return "";
    }

    // The summary without its markup; F# comments may have no markup.
    private static string Plain(string xml)
    {
        XmlDocument document = new() { XmlResolver = null };
        try
        {
            document.LoadXml($"<doc>{xml}</doc>");
        }
        catch (XmlException)
        {
            // A comment that is not XML is text.
            return Words(xml);
        }

        foreach (XmlElement reference in document.SelectNodes("//*[@cref or @name]")!.OfType<XmlElement>())
        {
            if (reference.InnerText.Length == 0)
                reference.InnerText = (reference.GetAttribute("cref") + reference.GetAttribute("name")).Split(':')[^1];
        }

        return Words(document.SelectSingleNode("//summary")?.InnerText ?? document.InnerText);
    }

    private static string Words(string text) => string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    private static string Kind(FSharpGlyph glyph) => glyph.ToString().ToLowerInvariant();
}
