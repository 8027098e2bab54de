using System.Text.Json.Nodes;
using NullTextResearch.Kernel.Documents;
using NullTextResearch.Kernel.Running;
using Xunit;

namespace NullTextResearch.Kernel.Tests.Running;

public sealed class NotebookParametersTests
{
    private static NotebookDocument Sample =>
        new()
        {
            Cells =
            [
                new NotebookCell
                {
                    Kind = CellKind.Markdown,
                    Language = "markdown",
                    Source = "# Title",
                },
                new NotebookCell
                {
                    Source = "// parameters\nint steps = 20, more = 1;\nstring? model = null;\nvar prompt = \"a cat\";\nint[] counts = [1, 2];",
                    Metadata = new JsonObject { ["tags"] = new JsonArray("parameters") },
                },
                new NotebookCell { Source = "steps" },
            ],
        };

    [Fact]
    public void Names_OfTheParametersCell_AreItsVariables() => Assert.Equal(["steps", "more", "model", "prompt", "counts"], NotebookParameters.Names(Sample));

    [Fact]
    public void Inject_Values_FollowTheParametersAndQuoteText()
    {
        NotebookDocument injected = NotebookParameters.Inject(
            Sample,
            [("steps", "3"), ("model", "/models/sd \"14\""), ("prompt", "a dog"), ("counts", "[5, 6]")]
        );

        Assert.Equal(4, injected.Cells.Count);
        Assert.Equal("// injected parameters\nsteps = 3;\nmodel = \"/models/sd \\\"14\\\"\";\nprompt = \"a dog\";\ncounts = [5, 6];", injected.Cells[2].Source);
        Assert.Equal([NotebookParameters.InjectedTag], injected.Cells[2].Tags);
    }

    [Fact]
    public void Inject_Twice_ReplacesTheFirst()
    {
        NotebookDocument twice = NotebookParameters.Inject(NotebookParameters.Inject(Sample, [("steps", "3")]), [("steps", "4")]);

        Assert.Equal("// injected parameters\nsteps = 4;", Assert.Single(twice.Cells, c => c.Tags.Contains(NotebookParameters.InjectedTag)).Source);
        Assert.Equal(3, NotebookParameters.Inject(twice, []).Cells.Count);
    }

    [Theory]
    [InlineData("stepz", "3", "steps, more, model")]
    [InlineData("steps", "3 +", "not a C# expression")]
    public void Inject_WhatDoesNotFit_IsNamed(string name, string value, string told) =>
        Assert.Contains(told, Assert.Throws<ArgumentException>(() => NotebookParameters.Inject(Sample, [(name, value)])).Message);

    [Fact]
    public void Inject_NoParametersCell_IsTold() =>
        Assert.Contains(
            "'parameters'",
            Assert.Throws<ArgumentException>(() => NotebookParameters.Inject(Sample with { Cells = [Sample.Cells[2]] }, [("steps", "3")])).Message
        );
}
