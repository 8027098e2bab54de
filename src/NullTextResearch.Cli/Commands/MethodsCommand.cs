using System.CommandLine;
using NullTextResearch.Cli.Running;
using NullTextResearch.Editing;
using NullTextResearch.Figures;
using NullTextResearch.Inversion;

namespace NullTextResearch.Cli.Commands;

/// <summary>`nulltext methods`: the catalogue of methods, paths and editors, and which of them go together.</summary>
internal static class MethodsCommand
{
    public static Command Create()
    {
        Option<bool> markdown = new("--markdown") { Description = "As Markdown tables, as in docs/methods.md." };
        Command command = new("methods", "List methods, paths and editors: what they do, where they come from, what they cost, which go together.")
        {
            markdown,
        };
        CommandRunner.Handle(
            command,
            (parsed, context) =>
            {
                if (parsed.GetValue(markdown))
                    context.Out.Write(string.Join('\n', Tables().Select(t => $"**{t.Title}**\n\n{t.ToMarkdown()}")));
                else
                    context.Out.WriteLine(
                        $"Methods (--method)\n{InversionCatalogue.ToText()}\n\nPaths (--path)\n{PathCatalogue.ToText()}\n\n"
                            + $"Editors (--editor)\n{EditorCatalogue.ToText()}"
                    );
                return CommandRunner.Done;
            }
        );
        return command.WithExamples("nulltext methods", "nulltext methods --markdown");
    }

    private static IEnumerable<TableData> Tables()
    {
        yield return new(
            "Inversion methods",
            ["`--method`", "what it does", "source", "network evaluations at most", "memory beside plain inversion", "equal to"],
            [.. InversionCatalogue.All.Select(m => (IReadOnlyList<string>)[$"`{m.Id}`", m.Summary, m.Source, m.CostFormula, m.Memory, m.EqualTo.ToString()])]
        );
        yield return new(
            "Paths",
            ["`--path`", "what it does", "source", "network evaluations at most", "memory beside plain inversion", "equal to"],
            [.. PathCatalogue.All.Select(p => (IReadOnlyList<string>)[$"`{p.Id}`", p.Summary, p.Source, p.CostFormula, p.Memory, p.EqualTo.ToString()])]
        );
        yield return new(
            "Editors",
            ["`--editor`", "what it does", "source", "memory beside sampling", "equal to"],
            [.. EditorCatalogue.All.Select(e => (IReadOnlyList<string>)[$"`{e.Id}`", e.Summary, e.Source, e.Memory, e.EqualTo.ToString()])]
        );
        yield return new(
            "Which go together",
            ["method", .. PathCatalogue.All.Select(p => $"on `{p.Id}`")],
            [
                .. InversionCatalogue
                    .All.Where(m => m.TakesPath)
                    .Select(m =>
                        (IReadOnlyList<string>)[$"`{m.Id}`", .. PathCatalogue.All.Select(p => InversionCatalogue.Refusal(m, p) is null ? "yes" : "no")]
                    ),
            ]
        );
    }
}
