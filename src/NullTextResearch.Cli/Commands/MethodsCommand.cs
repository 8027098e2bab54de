using System.CommandLine;
using NullTextResearch.Cli.Running;
using NullTextResearch.Figures;
using NullTextResearch.Inversion;

namespace NullTextResearch.Cli.Commands;

/// <summary>`nulltext methods`: the catalogue of inversion methods.</summary>
internal static class MethodsCommand
{
    public static Command Create()
    {
        Option<bool> markdown = new("--markdown") { Description = "As a Markdown table, as in docs/methods.md." };
        Command command = new("methods", "List the inversion methods: what they do, where they come from, what they cost.") { markdown };
        CommandRunner.Handle(
            command,
            (parsed, context) =>
            {
                if (parsed.GetValue(markdown))
                    context.Out.Write(Table().ToMarkdown());
                else
                    context.Out.WriteLine(InversionCatalogue.ToText());
                return CommandRunner.Done;
            }
        );
        return command.WithExamples("nulltext methods", "nulltext methods --markdown");
    }

    private static TableData Table() =>
        new(
            "Inversion methods",
            ["`--method`", "what it does", "source", "network evaluations at most"],
            [.. InversionCatalogue.All.Select(m => (IReadOnlyList<string>)[$"`{m.Id}`", m.Summary, m.Source, m.CostFormula])]
        );
}
